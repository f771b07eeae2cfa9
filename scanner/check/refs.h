/*
 * refs.h: reference counts.
 *
 * Threads: one.
 */
#ifndef SCANNER_CHECK_REFS_H
#define SCANNER_CHECK_REFS_H

#include "scanner/check/state.h"

/* Counts all references and compares with what the block B-tree says. ERR_LIMIT, ERR_NOMEM. */
int chk_refs(struct chk_state *s);

#endif
