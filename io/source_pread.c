/*
 * source_pread.c: a source over a file by pread, one call at a time; see source.h. Short reads and
 * retries are those of a reader's request, run in the calling thread.
 */
#include "io/source.h"

#include <fcntl.h>

#include "io/file.h"
#include "io/mem.h"
#include "io/rate.h"
#include "io/reader_backend.h"

enum { PART_BYTES = 1 << 30 }; /* a request's length has 32 bits */

struct pread_source {
    struct io_source base;
    int fd;
};

static int pread_read(struct io_source *s, uint64_t offset, void *into, size_t size)
{
    static const struct io_reader_options plain;
    struct pread_source *p = (struct pread_source *)s;
    size_t done = 0;

    while (done < size) {
        size_t left = size - done;
        struct io_request q = {.fd = p->fd,
                               .offset = offset + done,
                               .length = left < PART_BYTES ? (uint32_t)left : PART_BYTES,
                               .into = (uint8_t *)into + done};

        io_rate_wait(q.length);
        if (io_request_begin(&q))
            io_request_pread(&plain, &q);
        done += q.received;
        s->bytes_read += q.received;
        if (q.result)
            return io_source_fail(s, q.result, q.errnum, offset + done, size - done);
    }
    return 0;
}

static void pread_hint(struct io_source *s, enum io_hint hint, uint64_t offset, uint64_t length)
{
    static const int advice[] = {
        [IO_HINT_WILLNEED] = POSIX_FADV_WILLNEED, [IO_HINT_SEQUENTIAL] = POSIX_FADV_SEQUENTIAL,
        [IO_HINT_RANDOM] = POSIX_FADV_RANDOM,     [IO_HINT_DONTNEED] = POSIX_FADV_DONTNEED,
        [IO_HINT_LEND] = POSIX_FADV_WILLNEED,
    };
    struct pread_source *p = (struct pread_source *)s;

    (void)posix_fadvise(p->fd, (off_t)offset, (off_t)length, advice[hint]);
}

static void pread_close(struct io_source *s)
{
    mem_free(s);
}

int io_source_open_pread(int fd, uint64_t size_bytes, struct io_source **out)
{
    static const struct io_source_ops ops = {
        .read = pread_read, .hint = pread_hint, .close = pread_close};
    struct pread_source *p;

    if (io_file_direct_align(fd) > 1)
        return ERR_UNSUPPORTED;
    p = mem_zalloc(sizeof *p);
    if (!p)
        return ERR_NOMEM;
    p->base.ops = &ops;
    p->base.size_bytes = size_bytes;
    p->fd = fd;
    *out = &p->base;
    return 0;
}
