/*
 * dup_entry.h: what the duplicate index keeps of an item, an attachment or an image.
 *
 * An entry has two forms of fixed size whose bytes sort as the index needs them:
 *   by class: entries that may be duplicates of each other stand together (DUPLICATES.md,
 * "Groups"); by group: members behind the representative they were held against.
 *
 * Threads: pure functions.
 */
#ifndef INDEX_DUP_ENTRY_H
#define INDEX_DUP_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "scanner/ost/item.h"

enum dup_of { DUP_IMAGE, DUP_ITEM, DUP_ATTACHMENT, DUP_OFS };

const char *dup_of_name(enum dup_of of); /* "image", "item", "attachment" */

/* What may differ between members of a group: each is a short hash of the value, 0 if absent. */
enum dup_mark {
    MARK_CLASS,
    MARK_TEXT,
    MARK_HTML,
    MARK_RTF,
    MARK_BCC,
    MARK_SEARCH_KEY,
    MARK_STATE,
    MARK_NAME,    /* of an attachment */
    MARK_FOLDERS, /* of an image: which folder each item lies in */
    DUP_MARKS,
    DUP_MESSAGE_ID = DUP_MARKS, /* no mark, but a bit of dup_differences */
    DUP_DIFFERENCES
};

const char *dup_difference_name(unsigned mark); /* "class" … "message_id" */

/* Where an entry comes from: unique, and in the order in which members are told. */
struct dup_place {
    uint32_t image;  /* number of the image in its table */
    uint64_t offset; /* of the item's line in the manifest, decompressed; 0 of an image */
    uint32_t part;   /* number of the attachment in that line; 0 of others */
};

struct dup_entry {
    enum dup_of of;
    struct dup_place place;
    bool by_core; /* `joint` is the core digest, else it is `exact` */
    struct ost_digest joint;
    struct ost_digest exact; /* of an attachment its data's digest, of an image that of its items */
    bool has_mih;
    uint8_t mih[16];
    uint32_t nid; /* of the item */
    uint32_t attachment_nid;
    bool has_folder, orphan, has_size;
    uint32_t folder;
    uint64_t size_bytes;
    uint8_t kind; /* enum idx_kind; IDX_KINDS: none that is known */
    uint32_t marks[DUP_MARKS];
};

enum { DUP_KEY = 34, DUP_CLASSED = 158, DUP_GROUPED = 176, DUP_GROUP_KEY = 17 };

/* Joint digest and how it joins: the first DUP_KEY bytes. Then Message-IDs, those without one last,
 * then the place. */
void dup_entry_classed(const struct dup_entry *e, uint8_t out[DUP_CLASSED]);
void dup_entry_from_classed(const uint8_t in[DUP_CLASSED], struct dup_entry *out);

enum dup_rank { RANK_REPRESENTATIVE, RANK_EXACT, RANK_CORE };

/* The representative's kind and place: the first DUP_GROUP_KEY bytes. Then rank, exact digest and
 * the place of `e`. */
void dup_entry_grouped(const struct dup_entry *e, const struct dup_place *representative,
                       enum dup_rank rank, uint8_t out[DUP_GROUPED]);
enum dup_rank dup_entry_from_grouped(const uint8_t in[DUP_GROUPED], struct dup_entry *out);

bool dup_digest_equal(const struct ost_digest *a, const struct ost_digest *b);

/* Bit set of 1 << enum dup_mark: what of two entries is not the same. */
unsigned dup_differences(const struct dup_entry *a, const struct dup_entry *b);

#endif
