/* compare.c: see compare.h: a merge of two sorted lists. */
#include "tests/diff/compare.h"

#include <assert.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "io/file.h"
#include "io/source.h"
#include "scanner/engine_native.h"

enum { SHOWN = 48 };
static_assert(COMPARE_TEXT > 2 * SHOWN + 40, "all that is shown fits");

static const uint64_t memory_bytes = UINT64_C(1) << 30;

static bool read_header(const struct io_file *file, struct ost_header *header)
{
    struct ost_header_report report;
    struct io_source *source;
    uint8_t bytes[OST_HEADER_SIZE];
    size_t size = OST_HEADER_SIZE;

    if (size > file->id.size_bytes)
        size = (size_t)file->id.size_bytes;
    assert_int_equal(io_source_open_pread(file->fd, file->id.size_bytes, &source), 0);
    assert_int_equal(io_source_read(source, 0, bytes, size), 0);
    io_source_close(source);
    ost_header_check((struct bytes){bytes, size}, file->id.size_bytes, header, &report);
    return report.state != OST_HEADER_UNUSABLE;
}

bool compare_run(const char *path, const char *child_exe, struct facts *native,
                 struct facts *libpff)
{
    struct ost_header header;
    struct io_file file;
    struct fault fault;
    struct engine_job job = {.file = &file,
                             .header = &header,
                             .io = IO_BACKEND_PREAD,
                             .memory_bytes = memory_bytes,
                             .child_exe = child_exe};
    bool readable;

    assert_int_equal(io_file_open(path, 0, &file, &fault), 0);
    readable = read_header(&file, &header);
    if (readable) {
        job.hasher = &native->hasher;
        assert_int_equal(engine_native.run(&job, &native->sink), 0);
        facts_seal(native);
    }
    if (readable && libpff) {
        job.hasher = &libpff->hasher;
        assert_int_equal(engine_libpff.run(&job, &libpff->sink), 0);
        facts_seal(libpff);
    }
    io_file_close(&file);
    return readable;
}

/* A list with the place reached in it. */
struct cursor {
    const struct facts *facts;
    size_t at;
};

static uint32_t nid_at(const struct cursor *c)
{
    return c->at < c->facts->count ? c->facts->list[c->at].nid : UINT32_MAX;
}

/* True, and beyond the node, when all that its engine says of it is that it failed. */
static bool take_failed(struct cursor *c, uint32_t nid, struct bytes *value)
{
    if (nid_at(c) != nid || strcmp(fact_key(c->facts, c->at), FACT_FAILED) != 0)
        return false;
    *value = fact_value(c->facts, c->at++);
    return true;
}

static uint64_t skip_node(struct cursor *c, uint32_t nid)
{
    size_t from = c->at;

    while (nid_at(c) == nid)
        c->at++;
    return c->at - from;
}

static int order(const struct cursor *a, const struct cursor *b, uint32_t nid)
{
    if (nid_at(a) != nid || nid_at(b) != nid)
        return nid_at(a) == nid ? -1 : 1;
    return strcmp(fact_key(a->facts, a->at), fact_key(b->facts, b->at));
}

static bool same(struct bytes a, struct bytes b)
{
    return a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

/* Past what is no fact. */
static void skip_masked(struct cursor *c)
{
    while (c->at < c->facts->count &&
           strncmp(fact_key(c->facts, c->at), FACT_MASKED, strlen(FACT_MASKED)) == 0)
        c->at++;
}

/* The next fact of the node, of one or both. */
static void take_fact(struct cursor *a, struct cursor *b, struct difference *d)
{
    int which = order(a, b, d->nid);

    d->key = which <= 0 ? fact_key(a->facts, a->at) : fact_key(b->facts, b->at);
    d->native = which <= 0 ? fact_value(a->facts, a->at++) : (struct bytes){0};
    d->libpff = which >= 0 ? fact_value(b->facts, b->at++) : (struct bytes){0};
}

void compare_facts(const struct facts *native, const struct facts *libpff,
                   struct compare_counts *counts,
                   void (*visit)(void *ctx, const struct difference *d), void *ctx)
{
    struct cursor a = {native, 0}, b = {libpff, 0};

    while (a.at < native->count || b.at < libpff->count) {
        struct difference d = {.nid = nid_at(&a) < nid_at(&b) ? nid_at(&a) : nid_at(&b)};
        bool a_failed = take_failed(&a, d.nid, &d.native);
        bool b_failed = take_failed(&b, d.nid, &d.libpff);

        if (a_failed || b_failed || nid_at(&a) != nid_at(&b)) {
            d.key = a_failed || b_failed ? FACT_FAILED : COMPARE_NODE;
            if (nid_at(&a) == d.nid && !a_failed)
                d.native = fact_value(a.facts, a.at);
            if (nid_at(&b) == d.nid && !b_failed)
                d.libpff = fact_value(b.facts, b.at);
            counts->alone += skip_node(&a, d.nid) + skip_node(&b, d.nid);
            counts->facts++;
            if (!a_failed || !b_failed || !same(d.native, d.libpff)) {
                counts->differences++;
                visit(ctx, &d);
            }
            continue;
        }
        for (;;) {
            skip_masked(&a);
            skip_masked(&b);
            if (nid_at(&a) != d.nid && nid_at(&b) != d.nid)
                break;
            take_fact(&a, &b, &d);
            counts->facts++;
            if (d.native.data && d.libpff.data && same(d.native, d.libpff))
                continue;
            counts->differences++;
            visit(ctx, &d);
        }
    }
}

void compare_text(struct bytes value, char text[COMPARE_TEXT])
{
    struct bytes bytes;
    int at;

    if (!value.data) {
        snprintf(text, COMPARE_TEXT, "-");
        return;
    }
    bytes = fact_bytes(value);
    if (!fact_type(value)) {
        snprintf(text, COMPARE_TEXT, "%.*s", (int)bytes.size, (const char *)bytes.data);
        return;
    }
    at = snprintf(text, COMPARE_TEXT, "%04x%s %zu:", fact_type(value),
                  value.data[2] ? " named" : "", bytes.size);
    for (size_t i = 0; i < bytes.size && i < SHOWN; i++)
        at += snprintf(text + at, (size_t)(COMPARE_TEXT - at), "%02x", bytes.data[i]);
}

void compare_print(const char *image, const struct difference *d)
{
    char native[COMPARE_TEXT], libpff[COMPARE_TEXT];

    compare_text(d->native, native);
    compare_text(d->libpff, libpff);
    print_message("%s\t%" PRIx32 "\t%s\t%s\t%s\n", image, d->nid, d->key, native, libpff);
}
