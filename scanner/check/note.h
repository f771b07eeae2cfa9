/*
 * note.h: findings of a structural check while it is not yet known whom they affect, or whether
 * they stand.
 *
 * A note names what it is about: the reports are made at the end, when the references between all
 * blocks are known.
 *
 * Threads: a list belongs to one.
 */
#ifndef SCANNER_CHECK_NOTE_H
#define SCANNER_CHECK_NOTE_H

#include <stdint.h>

#include "scanner/check/budget.h"
#include "scanner/finding.h"

enum chk_subject {
    CHK_ON_NOTHING,
    CHK_ON_BLOCK,   /* subject: index in the plan's blocks */
    CHK_ON_NODE,    /* subject: index in the plan's nodes */
    CHK_ON_KEYS,    /* subject: index of an event (taint.h): what rests on these keys */
    CHK_ON_MISSING, /* subject: index of the first reference (links.h: dangling) to a bid */
    CHK_ON_CUT,     /* what lies beyond the end of a truncated file */
};

enum {
    CHK_NOTE_LENGTH = 1, /* which fields are there */
    CHK_NOTE_BID = 2,
    CHK_NOTE_NID = 4,
    CHK_NOTE_EXPECTED = 8,
    CHK_NOTE_ACTUAL = 16,
    CHK_NOTE_OFFSET = 32,
    CHK_NOTE_DROPPED = 64, /* it did not stand */
};

struct chk_note {
    uint64_t offset, length;
    uint64_t bid;
    uint64_t expected, actual;
    const char *detail; /* static, or NULL */
    uint32_t nid;
    uint32_t subject;
    uint16_t code;    /* enum finding_code */
    uint8_t severity; /* enum finding_severity */
    uint8_t kind;     /* enum chk_subject */
    uint8_t has;      /* CHK_NOTE_* */
};

struct chk_notes {
    struct chk_budget *budget;
    struct chk_array list;      /* struct chk_note */
    enum finding_severity most; /* none is more severe */
};

/* A note of that code at an offset, with its usual severity, on nothing. */
struct chk_note chk_note_at(enum finding_code code, uint64_t offset);
void chk_note_expect(struct chk_note *n, uint64_t expected, uint64_t actual);
void chk_note_about(struct chk_note *n, enum chk_subject kind, size_t subject);

int chk_notes_add(struct chk_notes *notes, const struct chk_note *note); /* ERR_NOMEM, ERR_LIMIT */
static inline struct chk_note *chk_notes_get(const struct chk_notes *notes, size_t i)
{
    return (struct chk_note *)notes->list.data + i;
}
void chk_notes_sort(struct chk_notes *notes); /* in the order of findings */
void chk_notes_done(struct chk_notes *notes);

/* What it says as a finding; items and folders are left out. */
struct finding chk_note_finding(const struct chk_note *n);

#endif
