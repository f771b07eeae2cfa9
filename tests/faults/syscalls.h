/*
 * syscalls.h: the system calls of this process, counted, recorded, and made to fail.
 *
 * Stands in for libc's functions in the program it is linked to, sanitizers' own behind it. Only
 * armed calls count: of the thread that asked and all others of the process.
 *
 * Threads: arm and disarm while no other thread runs.
 */
#ifndef TESTS_FAULTS_SYSCALLS_H
#define TESTS_FAULTS_SYSCALLS_H

#include <stdbool.h>
#include <stdint.h>

enum syscall_kind {
    CALL_OPEN,
    CALL_OPENAT,
    CALL_READ,
    CALL_PREAD,
    CALL_PREADV,
    CALL_WRITE,
    CALL_PWRITE,
    CALL_FSYNC,
    CALL_FDATASYNC,
    CALL_FTRUNCATE,
    CALL_RENAMEAT,
    CALL_UNLINKAT,
    CALL_MKDIR,
    CALL_STAT,
    CALL_FSTAT,
    CALL_FSTATAT,
    CALL_GETDENTS,
    CALL_GETRANDOM,
    CALL_FLOCK,
    CALL_FCNTL,
    CALL_THREAD,
    CALL_MALLOC, /* and its kin, of everyone; none under a sanitizer, whose own these are */
    /* Of readers, not of libc: */
    CALL_COMPLETION,
    CALL_SUBMISSION,
    CALL_RING, /* its set-up */
    CALL_LOST, /* a completion that never comes; errnum is nothing */
    CALL_KINDS
};

const char *syscall_name(enum syscall_kind kind);

struct syscall_plan {
    uint64_t fail_nth; /* the n-th call of `kind`, from 1; 0: none */
    bool all_after;    /* and all later ones */
    enum syscall_kind kind;
    int errnum;        /* 0: a short answer: half of what was asked for, at least a byte */
    void (*act)(void); /* instead of failing, this is done before the call */
    bool of_images;    /* only of a folder `images` and what is in it */
    /* Reads of readers' that touch [stuck_from, stuck_to) never return. */
    uint64_t stuck_from, stuck_to;
    /* The n-th read that touches [torn_from, torn_to) gives noise in it, all others the bytes. */
    uint64_t torn_from, torn_to;
    unsigned torn_nth;
};

/* Shared with children that are forked later, so that what they counted can be read. */
struct syscall_counts {
    _Atomic uint64_t calls[CALL_KINDS];
    _Atomic uint64_t hit; /* calls that were made to fail */
    _Atomic uint64_t allocations;
    /* Of the first that failed: what it was about ("": no file), and where in it (-1: nowhere). */
    char path[1024];
    int64_t offset;
};

void syscalls_arm(const struct syscall_plan *plan, struct syscall_counts *counts);
void syscalls_disarm(void);

/* While armed, what changes files is written to this descriptor, a line each; -1: nothing. */
void syscalls_record(int fd);

#endif
