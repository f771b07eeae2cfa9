/*
 * spill.c: see spill.h.
 *
 *   0 ........ kept ........ written ........ size
 *   in blocks  | in the file | in `pending`
 *
 * What is kept lies in blocks that are never moved: one buffer that grows would be copied, and
 * touched anew, again and again. They begin small and double, up to a size:
 *
 *   block   0 | 1   | 2       | 3               | 4               | …
 *   units   1 | 2   | 4       | 8               | 8               |
 */
#include "io/spill.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/buf.h"
#include "io/bytes.h"
#include "io/fault.h"
#include "io/mem.h"

enum {
    PENDING_BYTES = 256 * 1024,
    UNIT_BYTES = 64 * 1024,
    DOUBLED = 3, /* blocks before the first of the largest */
    MOST_UNITS = 1 << DOUBLED,
};

struct io_spill {
    const char *dir;
    size_t keep_bytes, kept;
    uint8_t **blocks; /* the last may end where keep_bytes does */
    size_t block_count, block_room;
    int fd; /* -1: no file yet */
    struct buf pending;
    uint64_t written; /* bytes of the file */
    struct fault fault;
};

int io_spill_create(const char *dir, size_t keep_bytes, struct io_spill **out)
{
    struct io_spill *s = mem_zalloc(sizeof *s);
    const char *wanted = dir ? dir : getenv("TMPDIR");

    if (!s)
        return ERR_NOMEM;
    s->dir = wanted && *wanted ? wanted : "/var/tmp";
    s->keep_bytes = keep_bytes;
    s->fd = -1;
    *out = s;
    return 0;
}

void io_spill_destroy(struct io_spill *s)
{
    if (!s)
        return;
    if (s->fd >= 0)
        close(s->fd);
    for (size_t i = 0; i < s->block_count; i++)
        mem_free(s->blocks[i]);
    mem_free(s->blocks);
    buf_done(&s->pending);
    mem_free(s);
}

/* A file that had a name for a moment. */
static int open_unlinked(struct io_spill *s)
{
    struct buf path = BUF_INIT;
    int errnum = ENOMEM;

    buf_printf(&path, "%s/.ostscan.XXXXXX", s->dir);
    if (buf_cstr(&path)) {
        s->fd = mkostemp((char *)path.data, O_CLOEXEC);
        errnum = errno;
        if (s->fd >= 0)
            unlink((const char *)path.data);
    }
    buf_done(&path);
    return s->fd < 0 ? fault_errno(&s->fault, "create", errnum) : 0;
}

static int open_file(struct io_spill *s)
{
    s->fd = open(s->dir, O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    if (s->fd >= 0)
        return 0;
    if (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)
        return open_unlinked(s);
    return fault_errno(&s->fault, "create", errno);
}

static int write_at(struct io_spill *s, const uint8_t *data, size_t size)
{
    while (size) {
        ssize_t n = pwrite(s->fd, data, size, (off_t)s->written);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            fault_errno(&s->fault, "write", n ? errno : EIO);
            s->fault.offset = s->written;
            s->fault.length = size;
            return s->fault.code;
        }
        data += n;
        size -= (size_t)n;
        s->written += (uint64_t)n;
    }
    return 0;
}

static int flush(struct io_spill *s)
{
    int code = 0;

    if (s->pending.size && s->fd < 0)
        code = open_file(s);
    if (!code)
        code = write_at(s, s->pending.data, s->pending.size);
    buf_reset(&s->pending);
    return code;
}

static int no_memory(struct io_spill *s)
{
    return fault_errno(&s->fault, "allocate", ENOMEM);
}

/* A block of what is kept: bytes `first` to before `end`. */
struct block {
    size_t number, first, end;
};

static struct block block_of(size_t offset)
{
    const size_t unit = offset / UNIT_BYTES + 1;
    size_t number, first;

    if (unit < MOST_UNITS) {
        number = (size_t)(63 - __builtin_clzll(unit));
        first = ((size_t)1 << number) - 1;
        return (struct block){number, first * UNIT_BYTES, (2 * first + 1) * UNIT_BYTES};
    }
    number = DOUBLED + unit / MOST_UNITS - 1;
    first = unit - unit % MOST_UNITS - 1;
    return (struct block){number, first * UNIT_BYTES, (first + MOST_UNITS) * UNIT_BYTES};
}

static bool add_block(struct io_spill *s, struct block b)
{
    const size_t room = s->block_room ? 2 * s->block_room : 4;
    const size_t left = s->keep_bytes - b.first, size = b.end - b.first;
    uint8_t *block, **grown;

    if (s->block_count == s->block_room) {
        grown = mem_realloc(s->blocks, room * sizeof *grown);
        if (!grown)
            return false;
        s->blocks = grown;
        s->block_room = room;
    }
    block = mem_alloc(left < size ? left : size);
    if (block)
        s->blocks[s->block_count++] = block;
    return block != NULL;
}

static int keep(struct io_spill *s, const uint8_t *data, size_t size)
{
    while (size) {
        const struct block b = block_of(s->kept);
        const size_t n = size < b.end - s->kept ? size : b.end - s->kept;

        if (b.number == s->block_count && !add_block(s, b))
            return no_memory(s);
        memcpy(s->blocks[b.number] + (s->kept - b.first), data, n);
        s->kept += n;
        data += n;
        size -= n;
    }
    return 0;
}

int io_spill_append(struct io_spill *s, const void *data, size_t size, uint64_t *offset)
{
    const uint64_t at = io_spill_size(s);
    int code = s->fault.code;

    if (code)
        return code;
    if (!s->written && !s->pending.size && size <= s->keep_bytes - s->kept) {
        code = keep(s, data, size);
    } else {
        if (s->pending.size + size > PENDING_BYTES)
            code = flush(s);
        if (!code && size >= PENDING_BYTES) {
            if (s->fd < 0)
                code = open_file(s);
            if (!code)
                code = write_at(s, data, size);
        } else if (!code) {
            buf_append(&s->pending, data, size);
            if (s->pending.failed)
                return no_memory(s);
        }
    }
    if (!code && offset)
        *offset = at;
    return code;
}

uint64_t io_spill_size(const struct io_spill *s)
{
    return s->kept + s->written + s->pending.size;
}

static int read_file(const struct io_spill *s, uint64_t offset, uint8_t *into, size_t size,
                     struct fault *fault)
{
    while (size) {
        ssize_t n = pread(s->fd, into, size, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return fault_errno(fault, "read", n ? errno : EIO);
        into += n;
        offset += (uint64_t)n;
        size -= (size_t)n;
    }
    return 0;
}

int io_spill_read_any(const struct io_spill *s, uint64_t offset, void *into, size_t size,
                      struct fault *fault)
{
    uint8_t *to = into;

    assert(range_fits(offset, size, s->kept + s->written));
    while (size && offset < s->kept) {
        const struct block b = block_of((size_t)offset);
        const size_t end = b.end < s->kept ? b.end : s->kept;
        const size_t n = size < end - offset ? size : end - (size_t)offset;

        memcpy(to, s->blocks[b.number] + (offset - b.first), n);
        to += n;
        offset += n;
        size -= n;
    }
    return size ? read_file(s, offset - s->kept, to, size, fault) : 0;
}

int io_spill_settle(struct io_spill *s)
{
    return s->fault.code ? s->fault.code : flush(s);
}

int io_spill_read(struct io_spill *s, uint64_t offset, void *into, size_t size)
{
    int code = s->fault.code;

    assert(range_fits(offset, size, io_spill_size(s)));
    if (!code && !range_fits(offset, size, s->kept + s->written))
        code = flush(s);
    return code ? code : io_spill_read_any(s, offset, into, size, &s->fault);
}

int io_spill_clear(struct io_spill *s)
{
    s->fault = (struct fault){0};
    s->kept = 0;
    buf_reset(&s->pending);
    s->written = 0;
    if (s->fd >= 0 && ftruncate(s->fd, 0) < 0)
        return fault_errno(&s->fault, "truncate", errno);
    return 0;
}

const struct fault *io_spill_fault(const struct io_spill *s)
{
    return &s->fault;
}
