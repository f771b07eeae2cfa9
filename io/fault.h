/*
 * fault.h: filling in a struct fault from an errno value.
 *
 * Threads: pure function.
 */
#ifndef IO_FAULT_H
#define IO_FAULT_H

#include "io/err.h"

/* Writes *fault (NULL is allowed) about a file as a whole; returns the code for errnum. */
static inline int fault_errno(struct fault *fault, const char *what, int errnum)
{
    int code = err_from_errno(errnum);

    if (fault)
        *fault = (struct fault){.code = code, .errnum = errnum, .what = what};
    return code;
}

#endif
