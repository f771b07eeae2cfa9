/*
 * source.h: bytes that can be read at an offset, whatever lies behind them.
 *
 * Everything above io/ reads an image through this contract: memory (source_mem.c), a file by pread
 * (source_pread.c), a file through a reader with reads kept in flight ahead of the one who asks
 * (source_reader.c), and in tests a source that fails or delays reads.
 *
 * Ownership: a source is opened by one of the io_source_open_* functions and ended by
 * io_source_close; it does not own the file descriptor or memory it was opened over.
 * Threads: one thread at a time uses a source.
 * Errors: io_source_read gives all bytes asked for or a code; a failed range leaves the source
 * usable for other ranges, with the details in `fault` until the next call.
 */
#ifndef IO_SOURCE_H
#define IO_SOURCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/err.h"

enum io_hint {
    IO_HINT_WILLNEED,   /* [offset, offset+length) will be read soon: start now */
    IO_HINT_SEQUENTIAL, /* the whole source will be read in ascending order */
    IO_HINT_RANDOM,
    IO_HINT_DONTNEED, /* will not be read again: give buffers and cache back */
    IO_HINT_LEND,     /* as WILLNEED; exactly this range will be asked of io_source_lend */
};

struct io_source;

/* Where the first failure is noted that is not one of a range alone (all but ERR_IO and ERR_RANGE),
 * of all sources that share it. */
struct io_first_fault {
    atomic_flag taken;
    struct fault fault; /* written once; read when no source is in use any more */
};

struct io_source_ops {
    int (*read)(struct io_source *s, uint64_t offset, void *into, size_t size);
    void (*hint)(struct io_source *s, enum io_hint hint, uint64_t offset, uint64_t length);
    void (*close)(struct io_source *s);
    /* As io_source_lend; NULL: `spare` is read into. */
    int (*lend)(struct io_source *s, uint64_t offset, size_t size, void *spare,
                const uint8_t **bytes);
    /* As io_source_look; NULL: lends. */
    int (*look)(struct io_source *s, uint64_t offset, size_t size, void *spare,
                const uint8_t **bytes, bool *fleeting);
    bool (*torn)(const struct io_source *s);   /* NULL: never */
    bool (*cached)(const struct io_source *s); /* NULL: who knows */
};

/* Embedded first in each implementation's own struct. */
struct io_source {
    const struct io_source_ops *ops;
    uint64_t size_bytes;          /* as it was at opening; fixed */
    struct fault fault;           /* of the last failed read */
    struct io_first_fault *first; /* NULL: nobody wants to know */
    uint64_t reads;               /* calls answered with all their bytes */
    uint64_t bytes_read;          /* bytes that came from the device, those read ahead included */
};

/*
 * Reads exactly `size` bytes at `offset`. ERR_RANGE (nothing read) when the range is not wholly
 * inside size_bytes; ERR_IO and others as the device says; ERR_RANGE with fault.what "truncated"
 * when the file has become shorter than size_bytes; ERR_TIMEOUT when so many reads did not return
 * in time (reader.h) that the file was given up. `fault` names the bytes not had: from the first
 * that could not be read.
 */
int io_source_read(struct io_source *s, uint64_t offset, void *into, size_t size);

/* Loans that are good at once. */
enum { IO_SOURCE_LOANS = 8 };
/* Ranges that it makes sense to have announced at once. */
enum { IO_SOURCE_ANNOUNCED = 128 };

/*
 * The same without a copy: *bytes are the source's own or `spare` (room for `size` bytes). The
 * source's own last until IO_SOURCE_LOANS further ones were asked for. Ranges announced by
 * IO_HINT_LEND are to be asked for in that order.
 */
int io_source_lend(struct io_source *s, uint64_t offset, size_t size, void *spare,
                   const uint8_t **bytes);

/*
 * Lends, but where the bytes can be looked at without a copy they may be those of the file itself:
 * *fleeting, and then they are good until the next call, and only for what cached.h says.
 * io_source_torn: what was looked at is not to be believed, and is to be read.
 */
int io_source_look(struct io_source *s, uint64_t offset, size_t size, void *spare,
                   const uint8_t **bytes, bool *fleeting);
bool io_source_torn(const struct io_source *s);

/* Whether the last bytes were at hand in the kernel: then there is nothing to be read ahead. */
bool io_source_cached(const struct io_source *s);

/* Advice only: never fails, ranges beyond the end are cut. */
void io_source_hint(struct io_source *s, enum io_hint hint, uint64_t offset, uint64_t length);

void io_source_close(struct io_source *s); /* NULL is allowed */

/* For implementations: fills `fault` and returns `code`. */
int io_source_fail(struct io_source *s, int code, int errnum, uint64_t offset, uint64_t length);

/* Over memory that outlives the source. ERR_NOMEM. */
int io_source_open_mem(const void *data, size_t size, struct io_source **out);

/*
 * Over an open file (regular, readable), pread and posix_fadvise. ERR_NOMEM; ERR_UNSUPPORTED for a
 * direct file, whose reads must be aligned: that goes through a reader.
 */
int io_source_open_pread(int fd, uint64_t size_bytes, struct io_source **out);

struct io_reader;

/*
 * Over an open file, buffered or direct, through `reader` (reader.h; either backend; it outlives
 * the source and is used by nobody else meanwhile). Reads ahead: WILLNEED ranges, and after
 * SEQUENTIAL the next ones, are kept in flight in chunks up to `cache_bytes` of memory (at least
 * four times 4 KiB, or the alignment of direct reads). After RANDOM the exact ranges asked for are
 * read, but for the alignment of direct reads. ERR_NOMEM.
 */
int io_source_open_reader(struct io_reader *reader, int fd, uint64_t size_bytes, size_t cache_bytes,
                          struct io_source **out);

#endif
