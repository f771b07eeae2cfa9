/*
 * ndbfile.h: an image file mapped into memory, with its checked header.
 */
#ifndef TESTS_SUPPORT_NDBFILE_H
#define TESTS_SUPPORT_NDBFILE_H

#include "io/bytes.h"
#include "io/source.h"
#include "scanner/ost/header.h"
#include "scanner/ost/plan.h"
#include "scanner/ost/variant.h"

struct ndbfile {
    struct bytes bytes;
    struct io_source *source; /* over the bytes */
    struct ost_header header;
    struct ost_header_report report;
    const struct ost_variant *variant; /* NULL: not to be told */
};

void ndbfile_open(struct ndbfile *f, const char *path); /* fails the running test when it cannot */
void ndbfile_close(struct ndbfile *f);

/* Options for loading its plan: roots and variant set, 64 MiB. */
struct ost_plan_options ndbfile_options(const struct ndbfile *f);

#endif
