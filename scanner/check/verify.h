/*
 * verify.h: one block, as it passes.
 *
 * Threads: a worker belongs to one; several may work on one state.
 */
#ifndef SCANNER_CHECK_VERIFY_H
#define SCANNER_CHECK_VERIFY_H

#include <stdint.h>

#include "scanner/check/links.h"
#include "scanner/check/note.h"
#include "scanner/check/state.h"
#include "scanner/ost/block.h"

struct chk_verify {
    struct chk_state *state;
    struct ost_decoder *decoder; /* inflates alone: what is read here is never enciphered */
    uint8_t *decoded;            /* OST_DATA_MAX bytes and more, for any 16-bit size */
    struct chk_notes notes;
    struct chk_links links;
    uint64_t verified_bytes, deflated_blocks, inner_blocks;
    uint64_t carved_bytes, carved_blocks; /* that were there */
    uint64_t padded, padded_first; /* blocks with padding not zero; the lowest offset of one */
};

int chk_verify_init(struct chk_verify *w, struct chk_state *state); /* ERR_NOMEM, ERR_LIMIT */
/* Gives what was found to the state. */
int chk_verify_merge(struct chk_verify *w);
void chk_verify_done(struct chk_verify *w);

/* Judges block `index` of the plan, whose whole extent is given. *trust: whether it is there; with
 * OST_TRUST_NONE, or an entry in doubt, nothing was noted. */
int chk_verify_block(struct chk_verify *w, size_t index, const uint8_t *extent,
                     enum ost_trust *trust);
/* Whether chk_verify_block would find nothing to say of it and nothing to parse; then its part is
 * done here. False: nothing is. The bytes may change meanwhile (io/cached.h). */
bool chk_verify_sound(struct chk_verify *w, size_t index, const uint8_t *extent);
/* Notes one that was not there: what lies there instead, or how its place is wrong. `other`: the
 * bid of the block that is there (F_block_bid). */
int chk_verify_lost(struct chk_verify *w, size_t index, enum finding_code code, uint64_t other);
/* Notes one that could not be read. */
int chk_verify_unread(struct chk_verify *w, size_t index, int code);

#endif
