/*
 * finding_text.h: a finding as a line for people. Pure; any thread.
 */
#ifndef SCANNER_APP_FINDING_TEXT_H
#define SCANNER_APP_FINDING_TEXT_H

#include "io/buf.h"
#include "scanner/finding.h"

/* Appends "    corrupt page_crc at 4096 bid 0x12: …\n". */
void finding_text(struct buf *out, const struct finding *f);

#endif
