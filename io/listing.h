/*
 * listing.h: the entries of an open folder, as the kernel hands them out.
 *
 * For folders that are reached by descriptor: nothing is allocated, the descriptor stays the
 * caller's, and the type comes along where the file system knows it, which saves a stat.
 *
 * Threads: one listing belongs to one thread.
 */
#ifndef IO_LISTING_H
#define IO_LISTING_H

#include <dirent.h>
#include <stddef.h>
#include <stdint.h>

enum { LISTING_BYTES = 32 * 1024 };

struct listing {
    int fd;
    uint64_t share; /* of the folder (io/patient.h) */
    size_t next;
    size_t size;
    _Alignas(16) char data[LISTING_BYTES];
};

/* Opens folder `path`, relative to descriptor `at`, for listing; `flags` are added (O_NOFOLLOW).
 * Returns the descriptor, or -1 with errno. */
int listing_open(int at, const char *path, int flags);

/* Begins at the position of `fd`: a descriptor just opened stands at the first entry. `share`: that
 * the folder lies on (io/patient.h), 0: it does not hang, or may. */
void listing_start(struct listing *l, int fd, uint64_t share);

/*
 * The next entry but "." and "..", in the file system's order, valid until the next call.
 * *entry is NULL at the end. Returns 0 or the errno value of a failed read.
 */
int listing_next(struct listing *l, const struct dirent64 **entry);

#endif
