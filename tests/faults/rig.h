/*
 * rig.h: a small scan that is run over and over, each time with something in its way.
 *
 * Threads: one. Failures fail the running test.
 */
#ifndef TESTS_FAULTS_RIG_H
#define TESTS_FAULTS_RIG_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/faults/syscalls.h"

enum { RIG_IMAGES = 3, RIG_PATH = 512 };

/* Under a sanitizer a scan takes ten times as long; what is tried there of what is no memory error
 * is a share. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { RIG_SHARE = 5 };
#else
enum { RIG_SHARE = 1 };
#endif

struct rig {
    char dir[RIG_PATH]; /* images in <dir>/images, the undisturbed result in <dir>/whole */
    uint64_t digest;    /* of that result */
    struct syscall_counts *counts; /* of the last run; shared with it */
};

void rig_setup(struct rig *r);
void rig_teardown(struct rig *r);

/* What is in the way of a run. */
struct rig_fault {
    struct syscall_plan calls;
    uint64_t mem_nth;         /* that allocation fails; 0: none */
    bool mem_after;           /* and all later ones */
    int record_fd;            /* -1: nothing is recorded */
    const char *io;           /* NULL: pread */
    const char *read_timeout; /* seconds; NULL: more than a test takes */
    bool may_hang;            /* images lie on what may, as a share does */
};

/* Runs `ostscan scan` over the images into <dir>/<out>, its messages into <dir>/log. Returns the
 * exit status; a signal or a sanitizer's report fails the test. */
int rig_scan(struct rig *r, const char *out, const struct rig_fault *fault);
/* `ostscan COMMAND [ARGUMENT]`, the same way. */
int rig_run(struct rig *r, const char *command, const char *argument,
            const struct rig_fault *fault);

/* All manifests in <dir>/<out> that have their name are complete; fails the test where not. Returns
 * how many there are. */
unsigned rig_manifests(struct rig *r, const char *out);
/* A scan with nothing in its way ends well, leaves no temporary file, and gives the undisturbed
 * result. */
void rig_heals(struct rig *r, const char *out);
/* The messages of the last run, and scan.jsonl of `out`, in one text; valid until the next call. */
const char *rig_said(struct rig *r, const char *out);
/* A run of that status said why, if it is not 0: naming the image or the output that a call failed
 * on, and the offset of a read of an image. */
void rig_expect_said(struct rig *r, int status, const char *what, uint64_t nth);
/*
 * Makes the first call of a kind fail, then the second …, under a sanitizer a share of the later
 * ones; all_after: and all that follow. Every run that does not get its way says so, and what it
 * leaves is gone on with. io: the scans' backend, NULL: pread; of rings' many calls a third of the
 * later ones is tried. Returns how many calls there are.
 */
unsigned rig_fail_each(struct rig *r, const char *io, enum syscall_kind kind, int errnum,
                       bool all_after);
void rig_remove(struct rig *r, const char *out);

#endif
