/* source.c: see source.h. What is the same for every source: bounds, counting, cutting of hints. */
#include "io/source.h"

#include "io/bytes.h"

int io_source_fail(struct io_source *s, int code, int errnum, uint64_t offset, uint64_t length)
{
    s->fault = (struct fault){.code = code,
                              .errnum = errnum,
                              .offset = offset,
                              .length = length,
                              .what = code == ERR_RANGE ? "truncated" : "read"};
    if (s->first && code != ERR_IO && code != ERR_RANGE &&
        !atomic_flag_test_and_set(&s->first->taken))
        s->first->fault = s->fault;
    return code;
}

static bool is_inside(struct io_source *s, uint64_t offset, size_t size)
{
    s->fault = (struct fault){0};
    if (range_fits(offset, size, s->size_bytes))
        return true;
    io_source_fail(s, ERR_RANGE, 0, offset, size);
    s->fault.what = "read";
    return false;
}

int io_source_read(struct io_source *s, uint64_t offset, void *into, size_t size)
{
    int code = 0;

    if (!is_inside(s, offset, size))
        return ERR_RANGE;
    if (size > 0)
        code = s->ops->read(s, offset, into, size);
    if (!code)
        s->reads++;
    return code;
}

int io_source_lend(struct io_source *s, uint64_t offset, size_t size, void *spare,
                   const uint8_t **bytes)
{
    int code;

    if (!s->ops->lend || size == 0) {
        *bytes = spare;
        return io_source_read(s, offset, spare, size);
    }
    if (!is_inside(s, offset, size))
        return ERR_RANGE;
    code = s->ops->lend(s, offset, size, spare, bytes);
    if (!code)
        s->reads++;
    return code;
}

int io_source_look(struct io_source *s, uint64_t offset, size_t size, void *spare,
                   const uint8_t **bytes, bool *fleeting)
{
    int code;

    *fleeting = false;
    if (!s->ops->look || size == 0)
        return io_source_lend(s, offset, size, spare, bytes);
    if (!is_inside(s, offset, size))
        return ERR_RANGE;
    code = s->ops->look(s, offset, size, spare, bytes, fleeting);
    if (!code)
        s->reads++;
    return code;
}

bool io_source_torn(const struct io_source *s)
{
    return s->ops->torn && s->ops->torn(s);
}

bool io_source_cached(const struct io_source *s)
{
    return s->ops->cached && s->ops->cached(s);
}

void io_source_hint(struct io_source *s, enum io_hint hint, uint64_t offset, uint64_t length)
{
    if (offset >= s->size_bytes)
        return;
    if (length > s->size_bytes - offset)
        length = s->size_bytes - offset;
    if (length > 0)
        s->ops->hint(s, hint, offset, length);
}

void io_source_close(struct io_source *s)
{
    if (s)
        s->ops->close(s);
}
