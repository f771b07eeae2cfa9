/*
 * micro_items.c: what is made of an item, step by step, as the native engine hands it out: the view
 * of it, its digests, its record; then the container around all records, written and read.
 *
 * An item is good during the engine's call alone, so the steps are timed there, each item once a
 * round, by the processor's clock.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/micro.h"
#include "index/digest.h"
#include "index/manifest.h"
#include "index/record.h"
#include "io/arena.h"
#include "io/err.h"
#include "io/mem.h"
#include "scanner/engine_native.h"

enum { ITEMS = 20000, ARENA = 256 << 20, MEMORY = 256 << 20, ENOUGH = 1 };

enum step { VIEW, DIGEST, RECORD, STEPS };

struct items {
    struct micro *m;
    struct idx_digester *digester;
    struct idx_text *text;
    struct ost_hasher hasher;
    struct arena arena;
    struct buf lines; /* of the last round */
    uint64_t count;
    uint64_t ns[STEPS];
};

static uint64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static int on_item(void *ctx, const struct ost_item *item)
{
    struct items *x = ctx;
    uint64_t at[STEPS + 1];
    struct idx_digests digests;
    struct idx_view view;
    int rc;

    arena_reset(&x->arena);
    at[VIEW] = now();
    rc = idx_view_make(x->text, &x->arena, item, &view);
    at[DIGEST] = now();
    if (!rc)
        rc = idx_digest_item(x->digester, &x->arena, item, &view, &digests);
    at[RECORD] = now();
    if (rc)
        return rc;
    idx_record_item(&x->lines, item, &view, &digests, NULL);
    at[STEPS] = now();
    for (int s = 0; s < STEPS; s++)
        x->ns[s] += at[s + 1] - at[s];
    if (x->lines.failed)
        return ERR_NOMEM;
    return ++x->count == ITEMS ? ENOUGH : 0;
}

static int round_of_items(struct items *x)
{
    static const char *const names[STEPS] = {"view of an item", "digests of an item",
                                             "record of an item, JSON"};
    const struct engine_sink sink = {.ctx = x, .item = on_item};
    const struct engine_job job = {.file = &x->m->file,
                                   .header = &x->m->image.header,
                                   .io = IO_BACKEND_PREAD,
                                   .memory_bytes = MEMORY,
                                   .hasher = &x->hasher};
    int rc;

    buf_reset(&x->lines);
    x->count = 0;
    memset(x->ns, 0, sizeof x->ns);
    rc = engine_native.run(&job, &sink);
    if (rc && rc != ENOUGH)
        return rc;
    for (int s = 0; s < STEPS && x->count; s++)
        micro_add(x->m, &(struct micro_result){.name = names[s],
                                               .each = "item",
                                               .ops = x->count,
                                               .bytes = x->lines.size,
                                               .ns = x->ns[s]});
    return 0;
}

static const char container[] = "bench-micro.jsonl.zst";

static int write_all(void *ctx, struct micro_pass *pass)
{
    static const struct idx_scan_record scan = {.tool = "bench", .engine = "native", .io = "pread"};
    struct items *x = ctx;
    struct idx_manifest_writer *w;
    struct buf first = BUF_INIT;
    struct fault fault;
    int rc = idx_manifest_create(x->m->folder, container, &w, &fault);

    if (rc)
        return rc;
    idx_record_scan(&first, &scan);
    rc = first.failed ? ERR_NOMEM : idx_manifest_line(w, RECORD_SCAN, first.data, first.size);
    buf_done(&first);
    for (size_t at = 0; at < x->lines.size && !rc; pass->ops++) {
        const uint8_t *line = x->lines.data + at;
        const uint8_t *end = memchr(line, '\n', x->lines.size - at);
        size_t size = (size_t)(end - line) + 1;

        rc = idx_manifest_line(w, RECORD_ITEM, line, size);
        at += size;
    }
    pass->bytes = x->lines.size;
    if (!rc)
        return idx_manifest_commit(w, &fault);
    idx_manifest_abort(w);
    return rc;
}

static int read_all(void *ctx, struct micro_pass *pass)
{
    struct items *x = ctx;
    struct idx_manifest_reader *r;
    enum idx_manifest_state state;
    enum idx_record type;
    struct bytes line;
    struct fault fault;
    char path[4096];
    int rc;

    snprintf(path, sizeof path, "%s/%s", x->m->folder, container);
    rc = idx_manifest_open(path, &r, &fault);
    if (rc)
        return rc;
    while ((rc = idx_manifest_next(r, &type, &line, &state)) == 1) {
        pass->ops++;
        pass->bytes += line.size;
    }
    if (!rc && state != MANIFEST_COMPLETE)
        rc = ERR_DAMAGED;
    idx_manifest_close(r);
    return rc;
}

static int measure(struct items *x)
{
    char path[4096];
    int rc = 0;

    for (unsigned i = 0; i < x->m->rounds && !rc; i++)
        rc = round_of_items(x);
    if (!rc)
        rc = micro_time(x->m, "container, written", "line", write_all, x);
    if (!rc)
        rc = micro_time(x->m, "container, read", "line", read_all, x);
    snprintf(path, sizeof path, "%s/%s", x->m->folder, container);
    unlink(path);
    return rc;
}

int micro_items(struct micro *m)
{
    struct items x = {.m = m, .hasher = idx_hasher(IDX_XXH3)};
    int rc = idx_text_create(&x.text);

    arena_init(&x.arena, ARENA);
    if (!rc)
        rc = idx_digester_create(IDX_XXH3, &x.digester);
    if (!rc)
        rc = measure(&x);
    idx_digester_destroy(x.digester);
    idx_text_destroy(x.text);
    buf_done(&x.lines);
    arena_done(&x.arena);
    return rc;
}
