/*
 * patient.h: system calls on files that may never return, made so that their caller goes on.
 *
 * A share whose server has gone answers neither an open nor a listing nor a question about a file,
 * and cannot be made to. Such a call is made by a thread of its own; when it takes too long the
 * thread is given up, with what the call may yet bring, and the caller is told ETIMEDOUT. A share
 * that owes PATIENT_OWED answers is not asked again until one has come.
 *
 * `share` is the number (st_dev) of a file system that may hang, or SHARE_UNKNOWN; 0: of one that
 * lies on a device of this machine, whose driver answers in the end. For 0, in a process that has
 * set no patience, and where memory or a thread is not to be had, these are the calls themselves.
 *
 * Errors: as the call of that name, by errno; ETIMEDOUT: given up; ECANCELED: the user had enough.
 * Threads: any; io_patience is called before they start.
 */
#ifndef IO_PATIENT_H
#define IO_PATIENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/vfs.h>

enum { PATIENT_OWED = 8 };
#define SHARE_UNKNOWN UINT64_MAX /* it may owe any number */

/* The process's: how long a call may take; 0: for ever. `cancel`: nobody waits any more once it is
 * set; may be NULL. */
void io_patience(uint64_t timeout_ns, const atomic_bool *cancel);

int patient_open(uint64_t share, const char *path, int flags);
int patient_fstat(uint64_t share, int fd, struct stat *out);
int patient_fstatat(uint64_t share, int at, const char *path, struct stat *out, int flags);
ssize_t patient_getdents(uint64_t share, int fd, void *into, size_t size);
int patient_statfs(uint64_t share, const char *path, struct statfs *out);
char *patient_realpath(uint64_t share, const char *path); /* free() it */
/* Reads a file's first bytes, which nobody wants, into memory of that alignment. */
ssize_t patient_try_read(uint64_t share, int fd, size_t size, size_t align);
/* Also when it is given up the descriptor is the caller's no more. */
void patient_close(uint64_t share, int fd);

/* Opens a folder and looks at it; what lies in a folder of share 0 may still be one that another
 * file system is mounted over. *inner: the share that what is in it lies on. Returns the
 * descriptor, or -1. */
int patient_open_folder(uint64_t share, int at, const char *path, int flags, struct stat *out,
                        uint64_t *inner);

/* The same of a file system: of type `type` (f_type of statfs) and number `device`. */
uint64_t io_share_of(uint64_t type, uint64_t device);

/* For tests: every file system may hang. */
void io_patience_test(bool all);

#endif
