/*
 * verdict_read.h: a manifest's `verdict` record as it was written (record.h).
 *
 * Ownership: everything lives in the arena. Threads: pure function.
 */
#ifndef INDEX_VERDICT_READ_H
#define INDEX_VERDICT_READ_H

#include "io/arena.h"
#include "io/bytes.h"
#include "scanner/check/verdict.h"

/* ERR_DAMAGED: it is none that this program knows; ERR_NOMEM. Findings whose code is not known
 * (a later version's) are left out. */
int idx_verdict_read(struct bytes line, struct arena *arena, struct chk_verdict *out);

bool chk_remedy_of(const char *name, enum chk_remedy *out);
bool chk_export_of(const char *name, enum chk_export *out);

#endif
