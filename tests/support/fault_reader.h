/*
 * fault_reader.h: outcomes of kernel reads turned into faults, for io_reader_options.test_outcome.
 *
 * Set the fields before the reader is made, or while nothing is in flight.
 */
#ifndef TESTS_SUPPORT_FAULT_READER_H
#define TESTS_SUPPORT_FAULT_READER_H

#include <stdatomic.h>
#include <stdint.h>

#include "io/reader.h"

struct fault_reader {
    uint64_t bad_from; /* bytes that cannot be read: what lies before them arrives, then EIO */
    uint64_t bad_to;   /* equal to bad_from: there are none */
    int short_bytes;   /* no outcome is larger; 0: as the kernel says */
    unsigned every;    /* every n-th outcome is -every_errno; 0: none */
    int every_errno;
    unsigned sleep_us; /* before each outcome */
    atomic_uint once;  /* so many outcomes to come are -EIO */
    atomic_uint calls; /* outcomes seen */
};

int fault_reader_outcome(void *ctx, const struct io_request *r, uint64_t offset, int outcome);

#endif
