/*
 * outcome.h: what findings and the verdict mean for an image's outcome (image.h).
 *
 * Threads: an outcome belongs to one.
 */
#ifndef SCANNER_APP_OUTCOME_H
#define SCANNER_APP_OUTCOME_H

#include "scanner/app/image.h"
#include "scanner/check/verdict.h"
#include "scanner/finding.h"

bool outcome_given_up(enum finding_code code); /* the engine did not go through the image */
bool outcome_unread(enum finding_code code);   /* something of it could not be read */

/* Keeps the first finding's text as the reason. ERR_NOMEM. */
int outcome_reason(struct image_outcome *o, const struct finding *f);
/* Notes what the verdict says of exporting, and the first strong sign why. */
void outcome_export(struct image_outcome *o, const struct chk_verdict *v);

#endif
