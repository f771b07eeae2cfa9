/*
 * dup_item.h: what the duplicate index takes from an `item` record.
 *
 * Threads: an item belongs to one thread. It is reused from line to line.
 */
#ifndef INDEX_DUP_ITEM_H
#define INDEX_DUP_ITEM_H

#include "index/dup_entry.h"
#include "index/record.h"
#include "io/buf.h"
#include "io/bytes.h"

/* The first that applies. */
enum dup_fate {
    FATE_INDEXED,
    FATE_FAILED,     /* nothing could be read of it */
    FATE_PARTIAL,    /* not read whole: its digests match nothing */
    FATE_RECOVERED,  /* found by carving, or stale: no item of the store as it is */
    FATE_UNDIGESTED, /* no `exact` */
    DUP_FATES
};

struct dup_attachment {
    struct ost_digest digest; /* size 0: none */
    uint64_t size_bytes;
    uint32_t nid;
    uint32_t name; /* mark */
};

/* Init with all zero. */
struct dup_item {
    enum dup_fate fate;
    bool assoc;
    struct dup_entry entry; /* with everything but the image and the offset */
    struct buf attachments; /* struct dup_attachment, those with bytes and a digest or not */
    size_t attachment_count;
};

void dup_item_done(struct dup_item *i);

/* ERR_DAMAGED: no item record; ERR_NOMEM. */
int dup_item_parse(struct bytes line, struct dup_item *out);

/*
 * The same of an item whose line was just written to `line`, without reading it. False: it has more
 * attachments than there are places.
 */
bool dup_item_of(const struct ost_item *item, const struct idx_view *view,
                 const struct idx_digests *digests, const struct idx_item_places *places,
                 const struct buf *line, struct dup_item *out);

/* "xxh3:…" or "sha256:…"; false for anything else. */
bool dup_digest_parse(struct bytes text, struct ost_digest *out);

/* A short hash of bytes, never 0. */
uint32_t dup_mark_of(struct bytes value);

/*
 * The value of the first member `key` of a record, as bytes: of its "<key>_hex" where there is one,
 * else of its text. Replaces the content of `out`. 1, 0 when it is absent, ERR_DAMAGED, ERR_NOMEM.
 */
int dup_stored_text(struct bytes record, const char *key, struct buf *out);

#endif
