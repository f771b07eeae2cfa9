/*
 * spill.c: see spill.h.
 *
 *   0 ........ kept ........ written ........ size
 *   in `kept`  | in the file | in `pending`
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

enum { PENDING_BYTES = 256 * 1024 };

struct io_spill {
    const char *dir;
    size_t keep_bytes;
    struct buf kept;
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
    buf_done(&s->kept);
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

int io_spill_append(struct io_spill *s, const void *data, size_t size, uint64_t *offset)
{
    const uint64_t at = io_spill_size(s);
    int code = s->fault.code;

    if (code)
        return code;
    if (!s->written && !s->pending.size && size <= s->keep_bytes - s->kept.size) {
        buf_append(&s->kept, data, size);
        if (s->kept.failed)
            return no_memory(s);
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
    return s->kept.size + s->written + s->pending.size;
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
    size_t part;

    assert(range_fits(offset, size, s->kept.size + s->written));
    if (offset < s->kept.size) {
        part = size < s->kept.size - offset ? size : (size_t)(s->kept.size - offset);
        memcpy(to, s->kept.data + offset, part);
        to += part;
        offset += part;
        size -= part;
    }
    return size ? read_file(s, offset - s->kept.size, to, size, fault) : 0;
}

int io_spill_settle(struct io_spill *s)
{
    return s->fault.code ? s->fault.code : flush(s);
}

int io_spill_read(struct io_spill *s, uint64_t offset, void *into, size_t size)
{
    int code = s->fault.code;

    assert(range_fits(offset, size, io_spill_size(s)));
    if (!code && !range_fits(offset, size, s->kept.size + s->written))
        code = flush(s);
    return code ? code : io_spill_read_any(s, offset, into, size, &s->fault);
}

int io_spill_clear(struct io_spill *s)
{
    s->fault = (struct fault){0};
    buf_reset(&s->kept);
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
