/* fault_source.c: see fault_source.h. */
#include "tests/support/fault_source.h"

#include <unistd.h>

#include "io/mem.h"

struct fault_source {
    struct io_source base;
    struct io_source *inner;
    struct fault_plan *plan;
};

static int forward(struct fault_source *f, uint64_t offset, void *into, size_t size)
{
    uint64_t before = f->inner->bytes_read;
    int code = io_source_read(f->inner, offset, into, size);

    f->base.fault = f->inner->fault;
    f->base.bytes_read += f->inner->bytes_read - before;
    return code;
}

static int fault_read(struct io_source *s, uint64_t offset, void *into, size_t size)
{
    struct fault_source *f = (struct fault_source *)s;
    struct fault_plan *p = f->plan;
    bool bad = offset < p->bad_to && offset + size > p->bad_from;
    uint64_t from = bad && offset < p->bad_from ? p->bad_from : offset;

    if (p->sleep_us)
        usleep(p->sleep_us);
    if (++p->count != p->fail_nth && !bad)
        return forward(f, offset, into, size);
    if (p->break_off && from > offset) {
        int code = forward(f, offset, into, (size_t)(from - offset));

        if (code)
            return code;
    }
    return io_source_fail(s, p->code ? p->code : ERR_IO, p->errnum, from, offset + size - from);
}

static void fault_hint(struct io_source *s, enum io_hint hint, uint64_t offset, uint64_t length)
{
    io_source_hint(((struct fault_source *)s)->inner, hint, offset, length);
}

static void fault_close(struct io_source *s)
{
    io_source_close(((struct fault_source *)s)->inner);
    mem_free(s);
}

int fault_source_open(struct io_source *inner, struct fault_plan *plan, struct io_source **out)
{
    static const struct io_source_ops ops = {
        .read = fault_read, .hint = fault_hint, .close = fault_close};
    struct fault_source *f = mem_zalloc(sizeof *f);

    if (!f)
        return ERR_NOMEM;
    f->base.ops = &ops;
    f->base.size_bytes = inner->size_bytes;
    f->inner = inner;
    f->plan = plan;
    *out = &f->base;
    return 0;
}
