/*
 * native_stream.h: large values digested while their blocks pass in a sweep.
 *
 * A stream is a data tree of native_trees.h. The leaf that is next in it is digested where it lies
 * as it passes, by whatever thread has it; one that passes too early is carried, and digested when
 * those before it were. A stream goes no further at a leaf that is not clean, or was dropped; the
 * reader of the value then goes on from there. It counts only if its internal blocks, as they pass,
 * say what they said before; else its leaves are read again.
 *
 * Of a value that turns out to be no attachment's nobody wants the digest, and its blocks are read
 * again: those that begin as bodies do are left alone.
 *
 * Memory: what native_streams_memory says. Threads: streams are shared by seats, a seat belongs to
 * one thread. No thread ever waits for another. Errors: where there is no memory, or no state to be
 * had, values are left alone.
 */
#ifndef SCANNER_NATIVE_STREAM_H
#define SCANNER_NATIVE_STREAM_H

#include "scanner/check/links.h"
#include "scanner/native_carry.h"
#include "scanner/native_trees.h"
#include "scanner/ost/digested.h"
#include "scanner/ost/sourceblocks.h"

struct native_streams;

struct native_streams_options {
    struct native_trees_options trees; /* its memory is that of all */
    const uint16_t *status;            /* of blocks that have passed (tap.h) */
    const struct ost_hasher *hasher;   /* states live at once, and go from thread to thread */
    uint8_t crypt;
};

/* *out: NULL where there is none. Errors: as native_trees_read, but ERR_NOMEM. */
int native_streams_create(const struct native_streams_options *o, struct native_streams **out);
void native_streams_destroy(struct native_streams *s); /* NULL is allowed, here and below */
uint64_t native_streams_memory(const struct native_streams *s);
uint64_t native_streams_largest(const struct native_streams *s); /* bytes of a value */
const struct native_trees *native_streams_trees(const struct native_streams *s); /* not of NULL */

/* Whether a block is a leaf that was digested, and its value, or that much of it, is still to be
 * had. */
bool native_streams_has(const struct native_streams *s, uint32_t block);
/* Up to where the sweep goes before a leaf that is carried is digested; false: it is of none that
 * goes on. */
bool native_streams_need(const struct native_streams *s, uint32_t block, uint64_t *need);

/* ---- a thread's ---- */

struct native_seat {
    struct native_streams *streams;
    struct native_carry *carry;
    const struct ost_at_hand *at_hand; /* its place: of blocks that passed and lie in memory */
    struct ost_decoder *decoder;
    size_t last; /* place found last */
    uint8_t *bytes;
};

/* streams: not NULL. ERR_NOMEM. */
int native_seat_init(struct native_seat *t, struct native_streams *streams,
                     struct native_carry *carry, const struct ost_at_hand *at_hand);
void native_seat_done(struct native_seat *t); /* all zero is allowed */

/* Internal blocks that have passed: those of `links` from the number `first` on. */
void native_seat_confirm(struct native_seat *t, const struct chk_links *links, size_t first);
/* A block that is at hand: digested if it is its turn. Whether it need not be carried. */
bool native_seat_pass(struct native_seat *t, uint32_t block);
/* One that was carried now. */
void native_seat_carried(struct native_seat *t, uint32_t block);

/* The tree of a value that is digested whole, or NULL; *busy: another thread is at it just now. */
const struct native_tree *native_seat_whole(struct native_seat *t, uint32_t root, bool *busy);
/* What there is of a value, handed over where it is not the whole. False: nothing. */
bool native_seat_take(struct native_seat *t, uint32_t root, struct ost_digested *out);

#endif
