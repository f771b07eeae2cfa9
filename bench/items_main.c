/*
 * items_main.c: bench-items: what an item costs, stage by stage, on one core: the bare walk
 * (walk.h), the native engine with nobody listening, with digests, with records, with a manifest.
 *
 * The stages take turns in every round, so that whatever else the machine does hits all of them; of
 * each the least processor time counts, for that is what the machine's other work changes least.
 * Each later stage does all that the one before does. Items and properties of the walk and of the
 * engine must be the same, or the comparison says nothing. One stage alone (--only) is for
 * profiles.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "bench/walk.h"
#include "index/digest.h"
#include "index/hash.h"
#include "index/manifest.h"
#include "index/record.h"
#include "io/arena.h"
#include "io/clock.h"
#include "io/file.h"
#include "io/mem.h"
#include "scanner/engine_native.h"

enum { MEMORY_BYTES = 256 << 20, ARENA_BYTES = 256 << 20 };

enum stage { WALK, ENGINE, DIGEST, RECORD, MANIFEST, STAGES };

static const char *const stage_names[STAGES] = {"walk", "engine", "digest", "record", "manifest"};

struct result {
    uint64_t cpu_ns, ns; /* each the least of the rounds */
};

struct bench {
    const char *image, *folder;
    const char *only; /* NULL: all stages */
    unsigned rounds;
    struct io_file file;
    const uint8_t *bytes;
    struct ost_header header;
    struct idx_hash *hash;
    struct ost_hasher hasher_view;

    enum stage stage; /* at hand */
    struct idx_digester *digester;
    struct idx_text *text;
    struct arena arena;
    struct buf line;
    struct idx_manifest_writer *manifest;
    struct walk_count walked;
    uint64_t items, props, line_bytes;
    struct result results[STAGES];
};

static uint64_t cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Properties of an item and of all that hangs below it, attachment data included. */
static uint64_t count_props(const struct ost_item *item)
{
    const struct ost_item *stack[64];
    unsigned depth = 0;
    uint64_t n = 0;

    stack[depth++] = item;
    while (depth) {
        const struct ost_item *at = stack[--depth];

        n += at->props.count;
        for (size_t i = 0; i < at->recipient_count; i++)
            n += at->recipients[i].count;
        for (size_t i = 0; i < at->attachment_count; i++) {
            const struct ost_attachment *a = &at->attachments[i];

            n += a->props.count + (a->has_data || a->embedded);
            if (a->embedded && depth < sizeof stack / sizeof *stack)
                stack[depth++] = a->embedded;
        }
    }
    return n;
}

static int on_item(void *ctx, const struct ost_item *item)
{
    struct bench *b = ctx;
    struct idx_digests digests;
    struct idx_view view;
    int rc;

    b->items++;
    b->props += count_props(item);
    if (b->stage < DIGEST)
        return 0;
    arena_reset(&b->arena);
    rc = idx_view_make(b->text, &b->arena, item, &view);
    if (!rc)
        rc = idx_digest_item(b->digester, &b->arena, item, &view, &digests);
    if (rc || b->stage < RECORD)
        return rc;
    buf_reset(&b->line);
    idx_record_item(&b->line, item, &view, &digests, NULL);
    b->line_bytes += b->line.size;
    if (b->line.failed)
        return ERR_NOMEM;
    if (b->stage < MANIFEST)
        return 0;
    return idx_manifest_line(b->manifest, RECORD_ITEM, b->line.data, b->line.size);
}

static int on_failed(void *ctx, uint32_t nid, uint32_t folder, bool assoc)
{
    struct bench *b = ctx;

    (void)nid;
    (void)folder;
    (void)assoc;
    b->items++;
    return 0;
}

static int run_engine(struct bench *b)
{
    const struct engine_sink sink = {
        .ctx = b,
        .item = on_item,
        .failed = on_failed,
    };
    const struct engine_job job = {
        .file = &b->file,
        .header = &b->header,
        .io = IO_BACKEND_PREAD,
        .memory_bytes = MEMORY_BYTES,
        .hasher = b->stage >= DIGEST ? &b->hasher_view : NULL,
    };

    b->items = b->props = b->line_bytes = 0;
    return engine_native.run(&job, &sink);
}

static int run_with_manifest(struct bench *b)
{
    static const char name[] = "bench-items.jsonl.zst";
    const struct idx_scan_record scan = {.tool = "bench-items", .engine = "native", .io = "pread"};
    struct fault fault;
    int rc = idx_manifest_create(b->folder, name, &b->manifest, &fault);

    if (rc)
        return rc;
    buf_reset(&b->line);
    idx_record_scan(&b->line, &scan);
    rc = idx_manifest_line(b->manifest, RECORD_SCAN, b->line.data, b->line.size);
    if (!rc)
        rc = run_engine(b);
    if (rc)
        idx_manifest_abort(b->manifest);
    else
        rc = idx_manifest_commit(b->manifest, &fault);
    return rc;
}

static int run_stage(struct bench *b)
{
    struct result *r = &b->results[b->stage];
    uint64_t cpu = cpu_ns(), wall = clock_monotonic_ns();
    int rc;

    if (b->stage == WALK)
        rc = walk_image(b->bytes, (size_t)b->file.id.size_bytes, &b->walked);
    else
        rc = b->stage == MANIFEST ? run_with_manifest(b) : run_engine(b);
    cpu = cpu_ns() - cpu;
    wall = clock_monotonic_ns() - wall;
    if (rc)
        return rc;
    if (!r->cpu_ns || cpu < r->cpu_ns)
        r->cpu_ns = cpu;
    if (!r->ns || wall < r->ns)
        r->ns = wall;
    if (b->only && b->stage != WALK) {
        b->walked.items = b->items;
        b->walked.props = b->props;
    }
    if (b->stage == WALK || (b->items == b->walked.items && b->props == b->walked.props))
        return 0;
    fprintf(stderr,
            "bench-items: the walk met %" PRIu64 " items and %" PRIu64
            " properties, the engine %" PRIu64 " and %" PRIu64 "\n",
            b->walked.items, b->walked.props, b->items, b->props);
    return ERR_DAMAGED;
}

static int measure(struct bench *b)
{
    int rc = 0;

    for (unsigned r = 0; r < b->rounds && !rc; r++)
        for (int s = WALK; s < STAGES && !rc; s++) {
            b->stage = (enum stage)s;
            if (!b->only || !strcmp(b->only, stage_names[s]))
                rc = run_stage(b);
        }
    return rc;
}

static double each(uint64_t count, uint64_t ns)
{
    return ns ? (double)count * 1e9 / (double)ns : 0;
}

static void print_text(const struct bench *b)
{
    const struct walk_count *w = &b->walked;

    printf("%s, crypt %s: %" PRIu64 " items, %" PRIu64 " properties (%.0f an item), %" PRIu64
           " bytes allocated (%.0f an item), %.0f bytes of JSON an item\n\n",
           ost_format_name(b->header.format), ost_crypt_name(b->header.crypt), w->items, w->props,
           (double)w->props / (double)w->items, w->bytes, (double)w->bytes / (double)w->items,
           (double)b->line_bytes / (double)w->items);
    printf("stage      CPU ms  us/item  ns/property   items/s  properties/s    MB/s  of walk\n");
    for (int s = WALK; s < STAGES; s++) {
        uint64_t ns = b->results[s].cpu_ns;

        if (!ns)
            continue;
        printf("%-9s %7.0f %8.2f %12.1f %9.0f %13.0f %7.0f %8.2f\n", stage_names[s],
               (double)ns / 1e6, (double)ns / 1e3 / (double)w->items, (double)ns / (double)w->props,
               each(w->items, ns), each(w->props, ns), each(w->bytes, ns) / 1e6,
               (double)b->results[WALK].cpu_ns / (double)ns);
    }
}

static int write_json(const struct bench *b, const char *path)
{
    const struct walk_count *w = &b->walked;
    FILE *f = fopen(path, "we");

    if (!f)
        return ERR_SYS;
    fprintf(f,
            "{\"format\":\"%s\",\"crypt\":\"%s\",\"items\":%" PRIu64 ",\"properties\":%" PRIu64
            ",\"allocated_bytes\":%" PRIu64 ",\"json_bytes\":%" PRIu64
            ",\"rounds\":%u,\"stages\":[",
            ost_format_name(b->header.format), ost_crypt_name(b->header.crypt), w->items, w->props,
            w->bytes, b->line_bytes, b->rounds);
    for (int s = WALK; s < STAGES; s++) {
        uint64_t ns = b->results[s].cpu_ns;

        fprintf(f,
                "%s{\"stage\":\"%s\",\"cpu_ns\":%" PRIu64 ",\"elapsed_ns\":%" PRIu64
                ",\"items_s\":%.0f,\"properties_s\":%.0f,\"mb_s\":%.0f,\"of_walk\":%.3f}",
                s ? "," : "", stage_names[s], ns, b->results[s].ns, each(w->items, ns),
                each(w->props, ns), each(w->bytes, ns) / 1e6,
                (double)b->results[WALK].cpu_ns / (double)ns);
    }
    fputs("]}\n", f);
    return fclose(f) ? ERR_SYS : 0;
}

static int parse(int argc, char **argv, struct bench *b, const char **json)
{
    static const struct option options[] = {{"rounds", required_argument, NULL, 'r'},
                                            {"folder", required_argument, NULL, 'f'},
                                            {"only", required_argument, NULL, 'o'},
                                            {"json", required_argument, NULL, 'j'},
                                            {0}};
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'r')
            b->rounds = (unsigned)strtoul(optarg, NULL, 10);
        else if (c == 'f')
            b->folder = optarg;
        else if (c == 'o')
            b->only = optarg;
        else if (c == 'j')
            *json = optarg;
        else
            return -1;
    }
    if (optind + 1 != argc || !b->rounds || !b->folder)
        return -1;
    b->image = argv[optind];
    return 0;
}

static int open_image(struct bench *b)
{
    struct ost_header_report report;
    struct fault fault;
    size_t size;
    void *bytes;
    int rc = io_file_open(b->image, IO_FILE_FOLLOW, &b->file, &fault);

    if (rc)
        return rc;
    size = (size_t)b->file.id.size_bytes;
    bytes = mmap(NULL, size ? size : 1, PROT_READ, MAP_SHARED, b->file.fd, 0);
    if (bytes == MAP_FAILED)
        return ERR_SYS;
    b->bytes = bytes;
    ost_header_check((struct bytes){bytes, size < OST_HEADER_SIZE ? size : OST_HEADER_SIZE}, size,
                     &b->header, &report);
    return report.state == OST_HEADER_UNUSABLE ? ERR_DAMAGED : 0;
}

int main(int argc, char **argv)
{
    static struct bench b = {.rounds = 3};
    const char *json = NULL;
    int rc;

    if (parse(argc, argv, &b, &json)) {
        fputs(
            "Usage: bench-items --folder FOLDER [--rounds N] [--only STAGE] [--json FILE] IMAGE\n",
            stderr);
        return 2;
    }
    arena_init(&b.arena, ARENA_BYTES);
    rc = open_image(&b);
    if (!rc)
        rc = idx_hash_create(IDX_XXH3, &b.hash);
    if (!rc)
        b.hasher_view = idx_hasher_of(b.hash);
    if (!rc)
        rc = idx_text_create(&b.text);
    if (!rc)
        rc = idx_digester_create(IDX_XXH3, &b.digester);
    if (!rc)
        rc = measure(&b);
    if (!rc)
        print_text(&b);
    if (!rc && json)
        rc = write_json(&b, json);
    if (rc)
        fprintf(stderr, "bench-items: %s: %s\n", b.image, err_text(rc));
    idx_hash_destroy(b.hash);
    idx_digester_destroy(b.digester);
    idx_text_destroy(b.text);
    buf_done(&b.line);
    arena_done(&b.arena);
    io_file_close(&b.file);
    return rc ? 3 : 0;
}
