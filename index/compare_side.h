/*
 * compare_side.h: one side of a comparison: its folders and its items, whatever they were read
 * from.
 *
 * Readers (compare_manifest.h, server_input.h) fill a side; the join reads it. Folders are known by
 * a key of the reader's choice (a nid, an id, a path) and may be named before they are described.
 *
 * Memory: for each folder about 200 bytes and its strings, at most CMP_FOLDERS_MOST of them; items
 * and their texts in `memory_bytes`, beyond it in files (io/spill.h).
 * Threads: a side belongs to one thread. Errors: ERR_NOMEM, those of io/spill.h with
 * cmp_side_fault.
 */
#ifndef INDEX_COMPARE_SIDE_H
#define INDEX_COMPARE_SIDE_H

#include "index/compare_entry.h"
#include "index/redact.h"
#include "io/buf.h"
#include "io/spill.h"

enum cmp_input {
    CMP_INPUT_MANIFEST,
    CMP_INPUT_STATISTICS, /* CSV of Get-MailboxFolderStatistics: counts alone */
    CMP_INPUT_GRAPH,
    CMP_INPUT_EDISCOVERY,
    CMP_INPUTS
};

const char *cmp_input_name(enum cmp_input input); /* "manifest" … */

enum { CMP_FOLDERS_MOST = 1 << 20, CMP_FOLDER_DEPTH = 1024, CMP_DETAIL_TEXT = 1024 };

/* Folders that a client in cached mode does not hold. */
enum cmp_folder_kind {
    CMP_FOLDER_PLAIN,
    CMP_FOLDER_TOP,
    CMP_FOLDER_RECOVERABLE,
    CMP_FOLDER_ARCHIVE
};

struct cmp_folder {
    char *name;      /* NULL: not known */
    char *role;      /* as in manifests; NULL: none that is known */
    char *class;     /* container class; NULL */
    uint32_t parent; /* CMP_NO_FOLDER */
    uint32_t nid;
    enum cmp_folder_kind kind;
    bool listed;     /* the input described it, not only an item or a child of it */
    bool has_count;  /* the input states how many items it holds */
    bool and_hidden; /* … and counts associated ones in */
    uint64_t count, count_bytes;
    uint64_t items; /* entries */
    bool has_oldest;
    int64_t oldest;   /* date of the oldest entry */
    uint32_t unified; /* set by compare_folders */
    uint64_t key_hash;
    struct bytes key; /* owned */
};

struct cmp_side {
    bool on_server;
    enum cmp_input input;
    char *path;            /* of the file it was read from */
    struct buf image_path; /* of a manifest's image; empty otherwise */
    struct buf store_name;
    bool is_ost;      /* a cached store, which holds a window */
    bool is_exchange; /* … of an Exchange account, so far as the image tells */
    bool has_time;    /* of the image's file, seconds since 1970 */
    int64_t time;
    bool incomplete;     /* not read to its end, or pages of it are missing */
    char why[200];       /* … for people */
    uint8_t digest_size; /* of its items' digests; 0: it has none */
    uint64_t digest_version;
    bool mixed_digests;
    char redacted[IDX_REDACT_ID]; /* by which key; empty: plain */
    struct cmp_folder *folders;
    size_t folder_count, folder_capacity;
    uint32_t *slots; /* hash table of folders by key: index + 1 */
    size_t slot_count;
    struct io_spill *entries; /* struct cmp_entry, one after the other */
    struct io_spill *details;
    uint64_t items, assoc; /* entries; associated items, which take no part */
    uint64_t failed, partial;
    uint64_t removed; /* of a delta: items it says are gone */
    uint64_t refused; /* records of the input that are not as it should have them */
    uint16_t keys;    /* that any item has */
    uint64_t key_counts[CMP_KEYS];
    char *remedy;     /* of a manifest's verdict; NULL: none */
    uint64_t corrupt; /* findings of damage in it */
};

int cmp_side_create(bool on_server, const char *temp_dir, uint64_t memory_bytes,
                    struct cmp_side **out);
void cmp_side_destroy(struct cmp_side *s); /* NULL is allowed */

/* The folder of that key, made if there is none; CMP_NO_FOLDER beyond CMP_FOLDERS_MOST. ERR_NOMEM.
 * Pointers to folders last until the next one is made. */
int cmp_side_folder(struct cmp_side *s, struct bytes key, uint32_t *index);
/* Replace a string of a folder by a copy. ERR_NOMEM. */
int cmp_set_text(char **field, struct bytes text);

/* Adds an item: ordinal and side are set here, its folder's counts kept. `detail`: the text of a
 * JSON object for people. */
int cmp_side_add(struct cmp_side *s, struct cmp_entry *e, struct bytes detail);

/* Appends the path of a folder, names below the top joined by '/' and escaped as in manifests,
 * of IDX_PATH_MAX bytes at most. */
void cmp_side_path(const struct cmp_side *s, uint32_t index, struct buf *out);

/* Goes through entries that were appended to a spill one after the other, many at a time. Init with
 * all zero but `from`. */
enum { CMP_WALK = 128 };

struct cmp_walk {
    struct io_spill *from;
    uint64_t at; /* bytes */
    size_t next, count;
    struct cmp_entry entries[CMP_WALK];
};

/* The next entry: 1 with it (valid until the next call), 0 at the end, or a code. Nothing may be
 * appended meanwhile. */
int cmp_walk(struct cmp_walk *w, struct cmp_entry **e);

/* Why it is not complete; the first reason stays. */
void cmp_side_incomplete(struct cmp_side *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

const struct fault *cmp_side_fault(const struct cmp_side *s);

#endif
