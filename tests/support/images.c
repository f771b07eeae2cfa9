/* images.c: see images.h. */
#include "tests/support/images.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "io/mem.h"

uint8_t *images_copy(const struct ndbfile *f, size_t *size)
{
    uint8_t *copy;

    if (*size > f->bytes.size)
        *size = f->bytes.size;
    copy = mem_alloc(*size);
    assert_non_null(copy);
    memcpy(copy, f->bytes.data, *size);
    return copy;
}

static int keep(void *ctx, const struct finding *f)
{
    struct images_check *c = ctx;
    struct images_finding *to = &c->findings[c->count];

    if (c->count++ >= IMAGES_FINDINGS)
        return 0;
    to->f = *f;
    for (size_t i = 0; i < f->item_count && i < IMAGES_AFFECTED; i++)
        to->items[i] = f->items[i];
    for (size_t i = 0; i < f->folder_count && i < IMAGES_AFFECTED; i++)
        to->folders[i] = f->folders[i];
    return 0;
}

void images_check(const uint8_t *data, size_t size, const struct chk_job *settings,
                  struct images_check *out)
{
    struct chk_job job = settings ? *settings : (struct chk_job){.memory_bytes = 64 << 20};
    struct chk_sink sink = {.ctx = out, .finding = keep};
    struct ost_header header;
    struct ost_header_report report;
    struct io_source *source;
    size_t head = size < OST_HEADER_SIZE ? size : OST_HEADER_SIZE;

    assert_int_equal(io_source_open_mem(data, size, &source), 0);
    ost_header_check((struct bytes){data, head}, size, &header, &report);
    job.sources = &source;
    job.source_count = 1;
    job.header = &header;
    job.report = &report;
    out->count = 0;
    memset(&out->result, 0, sizeof out->result);
    out->rc = chk_run(&job, &sink, &out->result);
    io_source_close(source);
}

static size_t kept(const struct images_check *c)
{
    return c->count < IMAGES_FINDINGS ? c->count : IMAGES_FINDINGS;
}

const struct images_finding *images_find(const struct images_check *c, enum finding_code code)
{
    for (size_t i = 0; i < kept(c); i++)
        if (c->findings[i].f.code == code)
            return &c->findings[i];
    return NULL;
}

size_t images_corrupt_at(const struct images_check *c, uint64_t offset, uint64_t length)
{
    size_t n = 0;

    for (size_t i = 0; i < kept(c); i++) {
        const struct finding *f = &c->findings[i].f;

        n += f->severity == SEVERITY_CORRUPT && f->has_offset && f->offset >= offset &&
             f->offset - offset < length;
    }
    return n;
}

size_t images_corrupt_elsewhere(const struct images_check *c, uint64_t offset, uint64_t length)
{
    return c->result.corrupt - images_corrupt_at(c, offset, length);
}

void images_print(const struct images_check *c)
{
    for (size_t i = 0; i < kept(c); i++) {
        const struct finding *f = &c->findings[i].f;

        print_message("%s %s at %#llx, bid %#llx, nid %#x: %#llx, not %#llx\n",
                      finding_severity_name(f->severity), finding_info(f->code)->name,
                      (unsigned long long)f->offset, (unsigned long long)f->bid, f->nid,
                      (unsigned long long)f->actual, (unsigned long long)f->expected);
    }
}
