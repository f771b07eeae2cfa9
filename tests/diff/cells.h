/*
 * cells.h: a third reading of the tables of recipients: which cells exist, told by the bitmap at
 * the end of each row, read here from the bytes of the blocks by [MS-PST] 2.3.1 and 2.3.4 alone.
 *
 * libpff hands out absent cells as zero ones and its engine leaves zero ones out, so of a cell that
 * is there and zero it says nothing. Here is what proves such a cell.
 *
 * From the parser under test come the B-trees, the blocks' bytes and the subnodes; none of its
 * heaps and tables. Failures fail the running test. Threads: one.
 */
#ifndef TESTS_DIFF_CELLS_H
#define TESTS_DIFF_CELLS_H

#include "io/arena.h"
#include "scanner/ost/reading.h"
#include "scanner/ost/sourceblocks.h"
#include "tests/diff/facts.h"
#include "tests/support/ndbfile.h"

struct cells {
    struct ndbfile file;
    struct ost_plan plan;
    struct ost_sourceblocks *blocks;
    struct ost_reading reading;
    struct arena arena;
};

void cells_open(struct cells *c, const char *path);
void cells_done(struct cells *c);

/*
 * Holds every recipient in the native engine's facts against its row: the properties it was given
 * are those whose cells exist, no more and no fewer. Returns how many differ (printed), and the
 * number of cells in *total.
 */
uint64_t cells_check(struct cells *c, const struct facts *native, uint64_t *total);

/* The decoded bytes of a block, valid until cells_done; data NULL: there is none. */
struct bytes cells_block(struct cells *c, uint64_t bid);

#endif
