/*
 * reader.h: reads one object after the other through libpff and sends it over the wire.
 *
 * What libpff cannot read is said: a property, recipient or attachment as damage of its item, an
 * item as a failure, a folder's tables as findings. The only errors are those of the child itself.
 * Threads: one.
 */
#ifndef SCANNER_REF_READER_H
#define SCANNER_REF_READER_H

#include <libpff.h>

#include <stdint.h>

#include "io/buf.h"
#include "scanner/ref/entries.h"
#include "scanner/ref/names.h"
#include "scanner/ref/rows.h"
#include "scanner/ref/tree.h"
#include "scanner/ref/wire.h"

struct reader {
    struct wire *wire;
    struct tree tree;
    struct names names;
    struct rows rows;
    struct entries entries; /* of the object at hand */
    struct buf value;       /* scratch */
    uint32_t codepage;      /* the store's */
    unsigned percent;       /* the share of items that is wanted (sample.h) */
};

/* libpff's tree of nodes and the name map. ERR_NOMEM, ERR_DAMAGED. */
int reader_init(struct reader *r, struct wire *wire, libpff_file_t *file);
void reader_done(struct reader *r);

/* A message, and one of the share that is wanted. */
bool reader_wants(const struct reader *r, uint32_t nid);

int reader_send_image(struct reader *r);
int reader_send_folders(struct reader *r); /* after the image; reads their tables */
int reader_send_item(struct reader *r, struct tree_node *node); /* after the folders; releases it */

/*
 * Sends the loaded entries but `skip` (0: none) as frames of `kind`. In rows of tables, cells that
 * are empty or zero are left out: libpff cannot tell them from absent ones. *damaged is set when
 * one could not be read, else left alone. ERR_NOMEM.
 */
int reader_send_entries(struct reader *r, bool cells, uint16_t skip, bool *damaged);

/* The code page of the 8-bit text in the loaded entries. */
uint32_t reader_codepage(const struct reader *r);

#endif
