/*
 * crosscheck.h: a share of an image's items read by libpff too, and what both engines said
 * compared.
 *
 * Which items belong to the share depends on their node ids alone (scanner/sample.h). The native
 * engine's items are noted as they pass; then libpff reads the share, in its child process with its
 * bounds. An item that libpff itself cannot read whole is no witness and counts as not compared.
 * One that is read otherwise, or by libpff alone, is a finding (engines_differ): that one of the
 * two is wrong, and no damage of the image.
 *
 * Memory: 48 bytes an item of the share. Threads: items may come from several at once, else one.
 * Errors: ERR_NOMEM, what the sink returned, codes of the libpff engine's environment.
 */
#ifndef SCANNER_APP_CROSSCHECK_H
#define SCANNER_APP_CROSSCHECK_H

#include <stdbool.h>

#include "scanner/engine.h"

struct crosscheck;

int crosscheck_create(unsigned percent, enum ost_format format, struct crosscheck **out);
void crosscheck_destroy(struct crosscheck *c); /* NULL is allowed */

/* What the native engine handed out, or could not read. */
int crosscheck_item(struct crosscheck *c, const struct ost_item *item);
int crosscheck_failed(struct crosscheck *c, uint32_t nid, uint32_t folder);

/* Runs libpff over the share and tells `finding` what differs, and what was compared. */
int crosscheck_run(struct crosscheck *c, const struct engine_job *job, void *ctx,
                   int (*finding)(void *ctx, const struct finding *f));

/* Tells that nothing was compared, and why (static text). */
int crosscheck_skip(void *ctx, int (*finding)(void *ctx, const struct finding *f), const char *why);

#endif
