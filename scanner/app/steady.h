/*
 * steady.h: whether an image stood still while it was read.
 *
 * Looked at before and after: size and time of change, the file behind the path, the bytes of the
 * header, which counts every change. And pages and blocks that were not there or not whole are read
 * a second time: those that are right by then were being written, and prove no damage.
 *
 * Threads: one at a time uses a struct steady.
 */
#ifndef SCANNER_APP_STEADY_H
#define SCANNER_APP_STEADY_H

#include <stdbool.h>
#include <stdint.h>

#include "io/bytes.h"
#include "io/file.h"
#include "scanner/finding.h"
#include "scanner/ost/header.h"

enum { STEADY_SUSPECTS = 256 };

/* A page or block that was not there, or not whole. */
struct steady_suspect {
    uint64_t offset, bid;
    uint32_t length;
    bool block, has_bid;
};

struct io_reader;

struct steady {
    struct steady_suspect suspects[STEADY_SUSPECTS]; /* the first ones */
    unsigned count;
};

enum steady_state {
    STEADY_STILL,
    STEADY_CHANGED,
    STEADY_UNKNOWN, /* the storage did not say */
};

/* Takes note of a finding, if it is one of a page or block that can be read again. */
void steady_suspect(struct steady *s, const struct finding *f);

/*
 * Reads through `reader`, which no source uses meanwhile. Whether the image at `path`, open as
 * `file` with `head` as the bytes of its header, stood still. flags: as it was opened. ERR_NOMEM,
 * ERR_MFILE: it could not be looked at.
 */
int steady_check(const struct steady *s, struct io_reader *reader, const char *path, unsigned flags,
                 const struct io_file *file, struct bytes head, enum ost_format format,
                 enum steady_state *state);

/* What to tell of any other state than STEADY_STILL. */
struct finding steady_finding(enum steady_state state, struct bytes head);

#endif
