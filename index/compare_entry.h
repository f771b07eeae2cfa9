/*
 * compare_entry.h: what a comparison keeps of an item, whichever side and input it comes from.
 *
 * An entry has one size, so that millions of them can be sorted and spilled (sizeof *e, about 240
 * bytes). It never leaves the process.
 *
 * Threads: pure functions.
 */
#ifndef INDEX_COMPARE_ENTRY_H
#define INDEX_COMPARE_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/bytes.h"

enum cmp_key {
    CMP_KEY_CHANGE,
    CMP_KEY_SEARCH,
    CMP_KEY_MIH,
    CMP_KEY_CORE,
    CMP_KEY_EXACT, /* joins nothing alone: it tells copies apart that share another key */
    CMP_KEYS
};

const char *cmp_key_name(enum cmp_key key); /* "change_key" … */

/* What may differ between an item and its counterpart: hashes of normalised values. */
enum cmp_mark {
    CMP_MARK_SUBJECT,
    CMP_MARK_FROM,
    CMP_MARK_SUBMITTED, /* whole seconds */
    CMP_MARK_CLASS,
    CMP_MARK_RECIPIENTS,
    CMP_MARK_TEXT,
    CMP_MARK_HTML,
    CMP_MARK_RTF,
    CMP_MARK_ATTACHMENTS,
    CMP_MARK_STATE,
    CMP_MARK_READ,
    CMP_MARKS
};

enum cmp_flag {
    CMP_FAILED = 1,    /* nothing of it could be read */
    CMP_PARTIAL = 2,   /* not read whole: its content is compared with nothing */
    CMP_RECOVERED = 4, /* its node was found by carving */
    CMP_STALE = 8,     /* it may be one that was deleted */
    CMP_ORPHAN = 16,
    CMP_TIED = 32,   /* unmatched items of both sides share a key */
    CMP_COPIED = 64, /* of the image, unmatched: the server has an item with its `exact` */
};

enum { CMP_NO_FOLDER = UINT32_MAX };

/* Init with all zero, padding included (memset), for whole entries are written to files. */
struct cmp_entry {
    uint64_t ordinal; /* within its side, from 0 */
    uint32_t folder;  /* of its side's table; CMP_NO_FOLDER: unknown */
    uint32_t nid;     /* 0: the input has none */
    bool on_server;
    bool has_date;
    uint16_t flags; /* enum cmp_flag */
    uint16_t keys;  /* 1 << enum cmp_key: those it has */
    uint16_t known; /* 1 << enum cmp_mark: those its input tells, if only that there is none */
    int64_t date; /* seconds since 1970: when it was delivered, else submitted, created, changed */
    uint64_t size_bytes;
    uint64_t detail_at; /* of its text for people, in its side */
    uint64_t mid;       /* 0: none */
    uint64_t source;    /* counter of its source key; 0: none */
    uint32_t detail_size;
    uint8_t key[CMP_KEYS][16];
    uint64_t mark[CMP_MARKS]; /* 0: absent */
};

/* A hash that is never 0. */
uint64_t cmp_mark_of(struct bytes value);

void cmp_entry_key(struct cmp_entry *e, enum cmp_key key, const uint8_t value[16]);
/* Of a value of any size: its hash becomes the key. Empty: no key. */
void cmp_entry_key_of(struct cmp_entry *e, enum cmp_key key, struct bytes value);
void cmp_entry_mark(struct cmp_entry *e, enum cmp_mark mark, uint64_t value);

/*
 * The parts of two items that differ, of those both inputs tell: a bit set of 1 << enum cmp_part.
 * CMP_PART_OTHER: their `exact` digests differ, and no part shows why.
 */
enum cmp_part {
    CMP_PART_HEADERS,
    CMP_PART_RECIPIENTS,
    CMP_PART_BODY,
    CMP_PART_ATTACHMENTS,
    CMP_PART_OTHER,
    CMP_PART_STATE,
    CMP_PART_CHANGE_KEY,
    CMP_PARTS
};

const char *
cmp_part_name(enum cmp_part part); /* "headers" …, "properties", "state", "change_key" */

unsigned cmp_entry_differences(const struct cmp_entry *a, const struct cmp_entry *b);

bool cmp_keys_equal(const struct cmp_entry *a, const struct cmp_entry *b, enum cmp_key key);
/* Both have it and it is not the same. */
bool cmp_keys_contradict(const struct cmp_entry *a, const struct cmp_entry *b, enum cmp_key key);

/* No body of any form, though the input would tell. */
bool cmp_entry_bodiless(const struct cmp_entry *e);

#endif
