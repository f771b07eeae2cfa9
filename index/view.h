/*
 * view.h: what a person or a record wants to know of a neutral item: kind, subject, sender …
 *
 * Text is WTF-8 (text.h), without U+0000 at its end. Absent values have has_ false or data NULL.
 * Threads: a view belongs to one thread.
 */
#ifndef INDEX_VIEW_H
#define INDEX_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "index/text.h"
#include "io/arena.h"
#include "scanner/ost/item.h"

enum idx_kind {
    KIND_MAIL,
    KIND_APPOINTMENT,
    KIND_MEETING,
    KIND_CONTACT,
    KIND_DISTLIST,
    KIND_PERSON,
    KIND_TASK,
    KIND_JOURNAL,
    KIND_NOTE,
    KIND_POST,
    KIND_REPORT,
    KIND_DOCUMENT,
    KIND_SHARING,
    KIND_OTHER,
    IDX_KINDS
};

const char *idx_kind_name(enum idx_kind kind); /* "mail" … as INTERFACE.md names them */

/*
 * By message class, case-insensitive: a class belongs to a kind if it is one of the kind's names or
 * begins with one and a dot. Empty or unknown: KIND_OTHER.
 */
enum idx_kind idx_kind_of_class(const char *message_class);

/* By the class among an item's properties. */
enum idx_kind idx_kind_of_item(const struct ost_item *item);

/* A time as stored: FILETIME, 100 ns since 1601 UTC. */
struct idx_time {
    bool has;
    uint64_t filetime;
};

struct idx_str {
    const char *data; /* NULL: absent. Not NUL-terminated; WTF-8 */
    size_t size;
    bool whole;       /* false: some stored bytes were not valid text */
    struct bytes raw; /* the stored value, for the _hex field */
};

struct idx_address {
    struct idx_str name;
    struct idx_str address; /* SMTP where there is one, else as stored */
};

struct idx_view {
    enum idx_kind kind;
    struct idx_str message_class, subject, message_id;
    struct bytes search_key, change_key, pcl; /* data NULL: absent */
    bool has_mid;
    uint64_t mid;
    struct idx_time submitted, delivered, created, modified;
    bool has_size, has_flags;
    int64_t size;
    uint32_t flags;
    struct idx_address from; /* sender, else the one it was sent for */
    /* recipients by type, in the order of the item */
    const struct idx_address *to, *cc, *bcc;
    size_t to_count, cc_count, bcc_count;
    const struct idx_str *attachment_names; /* one for each attachment of the item */
};

/* Fills *view from `item`; what it points to lives in `arena` and in the item. ERR_NOMEM. */
int idx_view_make(struct idx_text *text, struct arena *arena, const struct ost_item *item,
                  struct idx_view *view);

/* The stored subject without its prefix marker (U+0001 and a length character). */
struct bytes idx_subject_text(struct bytes stored, bool utf16);

#endif
