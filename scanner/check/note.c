/* note.c: see note.h. */
#include "scanner/check/note.h"

#include "io/sort.h"

_Static_assert(sizeof(struct chk_note) <= IO_SORT_ELEMENT_MAX, "notes are sorted in place");

struct chk_note chk_note_at(enum finding_code code, uint64_t offset)
{
    return (struct chk_note){
        .code = (uint16_t)code,
        .severity = (uint8_t)finding_info(code)->severity,
        .offset = offset,
        .has = CHK_NOTE_OFFSET,
    };
}

void chk_note_expect(struct chk_note *n, uint64_t expected, uint64_t actual)
{
    n->expected = expected;
    n->actual = actual;
    n->has |= CHK_NOTE_EXPECTED | CHK_NOTE_ACTUAL;
}

void chk_note_about(struct chk_note *n, enum chk_subject kind, size_t subject)
{
    n->kind = (uint8_t)kind;
    n->subject = (uint32_t)subject;
}

int chk_notes_add(struct chk_notes *notes, const struct chk_note *note)
{
    int rc = 0;
    struct chk_note *to = chk_array_reserve(notes->budget, &notes->list, sizeof *to, 1, &rc);

    if (!to)
        return rc;
    *to = *note;
    if (to->severity > notes->most)
        to->severity = (uint8_t)notes->most;
    notes->list.count++;
    return 0;
}

struct finding chk_note_finding(const struct chk_note *n)
{
    return (struct finding){
        .code = (enum finding_code)n->code,
        .severity = (enum finding_severity)n->severity,
        .has_offset = n->has & CHK_NOTE_OFFSET,
        .has_bid = n->has & CHK_NOTE_BID,
        .has_nid = n->has & CHK_NOTE_NID,
        .has_expected = n->has & CHK_NOTE_EXPECTED,
        .has_actual = n->has & CHK_NOTE_ACTUAL,
        .offset = n->offset,
        .length = n->length,
        .bid = n->bid,
        .nid = n->nid,
        .expected = n->expected,
        .actual = n->actual,
        .detail = n->detail,
    };
}

static int compare(const void *a, const void *b)
{
    struct finding x = chk_note_finding(a), y = chk_note_finding(b);

    return finding_compare(&x, &y);
}

void chk_notes_sort(struct chk_notes *notes)
{
    io_sort(notes->list.data, notes->list.count, sizeof(struct chk_note), compare);
}

void chk_notes_done(struct chk_notes *notes)
{
    chk_array_done(notes->budget, &notes->list, sizeof(struct chk_note));
}
