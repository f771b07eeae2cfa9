/*
 * defect_code.h: the finding that a defect (defect.h) is.
 *
 * Threads: pure.
 */
#ifndef SCANNER_OST_DEFECT_CODE_H
#define SCANNER_OST_DEFECT_CODE_H

#include <stdbool.h>

#include "scanner/finding.h"
#include "scanner/ost/defect.h"

/* subnodes: of a block of a subnode tree, else of a data tree (for defects of trees alone). */
enum finding_code ost_defect_code(enum ost_defect_kind kind, bool subnodes);

#endif
