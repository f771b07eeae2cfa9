/*
 * fetch.h: reads of one file through a reader, some of which may never return; for io/ alone.
 *
 * A read that is stuck (reader.h) may write to its memory whenever its device answers. So none goes
 * to the memory of whoever asks a source: what a fetch is into belongs to the source, which uses it
 * no more once the fetch was stuck and leaves it to the reader in the end. A range that was stuck
 * is not asked for again, nor is one around it; a file that FETCH_STUCK_MOST reads were stuck in is
 * given up: no more are begun.
 *
 * Threads: those of the source.
 */
#ifndef IO_FETCH_H
#define IO_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/reader.h"
#include "io/source.h"

enum { FETCH_STUCK_MOST = 8 };

struct fetch {
    struct io_request q;
    bool in_flight;
};

struct fetcher {
    struct io_source *source; /* whose bytes_read counts, and whose `fault` is filled */
    struct io_reader *reader;
    int fd;
    uint32_t align;
    uint8_t *apart; /* memory of fetch_apart; NULL until it is needed */
    unsigned stuck; /* reads that were */
    struct {
        uint64_t from, to;
    } stuck_at[FETCH_STUCK_MOST];
};

void fetcher_done(struct fetcher *f); /* nothing is in flight */

/* Begins a read, or fails it at once: ERR_IO where it was stuck before, ERR_TIMEOUT of a file that
 * is given up. */
void fetch_begin(struct fetcher *f, struct fetch *fetch, uint64_t offset, void *into,
                 size_t length);
/* Takes in a request that came back from the reader. */
void fetch_land(struct fetcher *f, struct io_request *q);
void fetch_wait(struct fetcher *f, const struct fetch *fetch);

/* Reads exactly this range, in parts and by way of memory apart; codes of io_source_read. */
int fetch_apart(struct fetcher *f, uint64_t offset, uint8_t *into, size_t size);

#endif
