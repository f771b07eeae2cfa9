/* source_mem.c: a source over memory; see source.h. */
#include "io/source.h"

#include <string.h>

#include "io/mem.h"

struct mem_source {
    struct io_source base;
    const uint8_t *data;
};

static int mem_read(struct io_source *s, uint64_t offset, void *into, size_t size)
{
    const struct mem_source *m = (const struct mem_source *)s;

    memcpy(into, m->data + offset, size);
    s->bytes_read += size;
    return 0;
}

static int mem_look(struct io_source *s, uint64_t offset, size_t size, void *spare,
                    const uint8_t **bytes, bool *fleeting)
{
    (void)spare;
    *bytes = ((const struct mem_source *)s)->data + offset;
    *fleeting = true;
    s->bytes_read += size;
    return 0;
}

static void mem_hint(struct io_source *s, enum io_hint hint, uint64_t offset, uint64_t length)
{
    (void)s;
    (void)hint;
    (void)offset;
    (void)length;
}

static void mem_close(struct io_source *s)
{
    mem_free(s);
}

int io_source_open_mem(const void *data, size_t size, struct io_source **out)
{
    static const struct io_source_ops ops = {
        .read = mem_read, .look = mem_look, .hint = mem_hint, .close = mem_close};
    struct mem_source *m = mem_zalloc(sizeof *m);

    if (!m)
        return ERR_NOMEM;
    m->base.ops = &ops;
    m->base.size_bytes = size;
    m->data = data;
    *out = &m->base;
    return 0;
}
