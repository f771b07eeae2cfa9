/*
 * file.h: an image opened for reading, with what identifies it.
 *
 * Opened read-only, O_NOATIME where the kernel allows it (owner or CAP_FOWNER), O_CLOEXEC,
 * O_NONBLOCK (a FIFO that took the place of a file must not hang us; taken off again once the file
 * is known to be regular) and O_NOFOLLOW unless told. Only regular files are accepted. Lives until
 * io_file_close; owned by one thread at a time.
 */
#ifndef IO_FILE_H
#define IO_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "io/err.h"

struct io_identity {
    uint64_t device; /* st_dev */
    uint64_t inode;
    uint64_t size_bytes;
    int64_t mtime_ns; /* since 1970, UTC */
};

struct io_file {
    int fd;
    bool direct;          /* O_DIRECT is in force */
    uint64_t share;       /* what it was opened with */
    uint32_t align_bytes; /* for direct reads: of offset, length and memory; else 1 */
    struct io_identity id;
};

enum { IO_FILE_DIRECT = 1, IO_FILE_FOLLOW = 2 };

/*
 * Opens `path`. With IO_FILE_DIRECT and a file system that refuses it, the file is opened buffered
 * and `direct` stays false (the app says so once). ERR_BUSY for EACCES, EBUSY, EAGAIN, ETXTBSY: on
 * an image these mean that another program holds it. ERR_NOENT, ERR_MFILE, ERR_IO, ERR_UNSUPPORTED
 * (not a regular file, or a symlink without IO_FILE_FOLLOW). *fault is filled on failure.
 */
int io_file_open(const char *path, unsigned flags, struct io_file *out, struct fault *fault);
/* The same of a file on that share (io/patient.h): what it does not answer is given up, here and in
 * the functions below. ERR_TIMEOUT, ERR_CANCELLED too. */
int io_file_open_shared(const char *path, unsigned flags, uint64_t share, struct io_file *out,
                        struct fault *fault);
void io_file_close(struct io_file *f); /* an all-zero or already closed file is allowed */

/*
 * Another descriptor of the same open file, buffered or direct as that, for another thread: the
 * kernel counts the uses of each, and threads that share one wait for that count. The file's own
 * where there can be none; to be given back by io_file_untwin.
 */
int io_file_twin(const struct io_file *f);
void io_file_untwin(const struct io_file *f, int fd);

/* Reads the identity again; tells a changed, truncated or replaced file from an unchanged one. */
int io_file_identity(const struct io_file *f, struct io_identity *out);

/* What direct reads of fd must be aligned to, a power of two; 1 when O_DIRECT is not in force. */
uint32_t io_file_direct_align(int fd);

#endif
