/*
 * bfio.h: a libbfio handle over an io source: libpff's only way to the image's bytes.
 *
 * Reading, seeking and asking for the size are all it can do; there is no path to open and nothing
 * to write. A failed read reaches libpff as an error and is kept for the caller, because libpff's
 * own report cannot tell a failing device from a damaged image.
 *
 * Ownership: the source outlives the handle. Threads: one, that of the source.
 */
#ifndef SCANNER_REF_BFIO_H
#define SCANNER_REF_BFIO_H

#include <libbfio.h>

#include "io/err.h"
#include "io/source.h"

struct bfio {
    struct io_source *source;
    libbfio_handle_t *handle;
    int64_t offset;
    struct fault fault; /* of the first failed read since it was last cleared */
};

int bfio_init(struct bfio *b, struct io_source *source); /* ERR_NOMEM */
void bfio_done(struct bfio *b);

#endif
