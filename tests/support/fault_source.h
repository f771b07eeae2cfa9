/*
 * fault_source.h: a source over another one that fails, breaks off or delays reads.
 *
 * The plan is the test's and may be changed between reads.
 */
#ifndef TESTS_SUPPORT_FAULT_SOURCE_H
#define TESTS_SUPPORT_FAULT_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "io/source.h"

struct fault_plan {
    uint64_t bad_from; /* a read that touches [bad_from, bad_to) fails there */
    uint64_t bad_to;   /* equal to bad_from: none does */
    uint64_t fail_nth; /* the n-th read of all fails, once; 0: none */
    bool break_off;    /* failing reads first fill what lies before the fault */
    int code;          /* 0: ERR_IO */
    int errnum;
    unsigned sleep_us;
    uint64_t count; /* reads seen so far */
};

/* Closing it closes `inner` too. ERR_NOMEM: inner stays open. */
int fault_source_open(struct io_source *inner, struct fault_plan *plan, struct io_source **out);

#endif
