/*
 * test_native_scan.c: check and items in one sweep say what the check and the engine say in turn,
 * whatever the number of threads, the regions and the room for what is carried; and where blocks
 * lie in any order, none is read more than twice.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "index/hash.h"
#include "io/err.h"
#include "io/mem.h"
#include "scanner/engine_native.h"
#include "scanner/native_scan.h"
#include "scanner/ost/amap.h"
#include "scanner/ost/crc.h"
#include "scanner/ost/folder.h"
#include "scanner/ost/offsets.h"
#include "tests/gen/run.h"
#include "tests/support/enginelog.h"
#include "tests/support/forge.h"
#include "tests/support/images.h"
#include "tests/support/samples.h"
#include "tests/support/tempdir.h"
#include "tests/support/tinymessage.h"

enum { THREADS_MOST = 3, MEMORY = 64 << 20 };

enum { UNIT = 64 };

/* How often each unit of an image was read. */
struct reads {
    bool naps; /* reads take long now and then, so that threads overtake each other */
    uint8_t *count;
    size_t units;
    pthread_mutex_t mutex;
};

/* A source over memory that counts. */
struct counting {
    struct io_source base;
    struct io_source *inner;
    struct reads *reads;
};

static int counting_read(struct io_source *base, uint64_t offset, void *into, size_t size)
{
    struct counting *c = (struct counting *)base;

    pthread_mutex_lock(&c->reads->mutex);
    for (uint64_t i = offset / UNIT; i < (offset + size + UNIT - 1) / UNIT; i++)
        if (c->reads->count[i] < UINT8_MAX)
            c->reads->count[i]++;
    pthread_mutex_unlock(&c->reads->mutex);
    if (c->reads->naps && offset / UNIT % 16 == 0)
        usleep(500);
    return io_source_read(c->inner, offset, into, size);
}

static void counting_hint(struct io_source *base, enum io_hint hint, uint64_t offset,
                          uint64_t length)
{
    (void)base, (void)hint, (void)offset, (void)length;
}

static void counting_close(struct io_source *base)
{
    io_source_close(((struct counting *)base)->inner);
    free(base);
}

static struct io_source *counting_open(struct io_source *inner, struct reads *reads)
{
    static const struct io_source_ops ops = {
        .read = counting_read, .hint = counting_hint, .close = counting_close};
    struct counting *c = calloc(1, sizeof *c);

    assert_non_null(c);
    *c = (struct counting){{.ops = &ops, .size_bytes = inner->size_bytes}, inner, reads};
    return &c->base;
}

/* What was said of an item. */
struct said {
    uint64_t slot, order;
    uint32_t nid;
    char *text;
};

struct told {
    pthread_mutex_t mutex;
    struct said *list;
    size_t count, room;
    uint64_t closed;                 /* slots, in their order */
    unsigned runs_after_closing;     /* there must be none */
    unsigned codes[FINDING_CODES];   /* of the engine's findings */
    unsigned checked[FINDING_CODES]; /* of the check's */
    struct enginelog folders;
    unsigned lanes;
    struct reads *reads; /* begin anew with the first lane; or NULL */
};

/* A thread's: the log makes the text of an item. */
struct lane {
    struct told *told;
    struct enginelog log;
    uint64_t slot, order;
    uint32_t nid;
    bool first; /* of a run */
    uint64_t last_order;
    uint32_t last_nid;
};

static int on_join(void *ctx, void *kit, void **lane, const struct ost_hasher **hasher)
{
    struct lane *l = mem_zalloc(sizeof *l);

    assert_null(kit);
    assert_non_null(*hasher);
    if (!l)
        return ERR_NOMEM;
    l->told = ctx;
    enginelog_init(&l->log);
    l->log.images = 1;
    pthread_mutex_lock(&l->told->mutex);
    if (!l->told->lanes && l->told->reads)
        memset(l->told->reads->count, 0, l->told->reads->units);
    l->told->lanes++;
    pthread_mutex_unlock(&l->told->mutex);
    *lane = l;
    return 0;
}

static void on_leave(void *ctx, void *lane)
{
    struct lane *l = lane;
    struct told *t = ctx;

    pthread_mutex_lock(&t->mutex);
    for (unsigned i = 0; i < FINDING_CODES; i++)
        t->codes[i] += l->log.codes[i];
    pthread_mutex_unlock(&t->mutex);
    enginelog_done(&l->log);
    mem_free(l);
}

static int on_run(void *lane, uint64_t slot)
{
    struct lane *l = lane;

    l->slot = slot;
    l->first = true;
    pthread_mutex_lock(&l->told->mutex);
    l->told->runs_after_closing += slot < l->told->closed;
    pthread_mutex_unlock(&l->told->mutex);
    return 0;
}

static int on_next(void *lane, uint64_t order, uint32_t nid)
{
    struct lane *l = lane;

    assert_true(l->first || order > l->last_order || (order == l->last_order && nid > l->last_nid));
    l->first = false;
    l->last_order = l->order = order;
    l->last_nid = l->nid = nid;
    return 0;
}

/* Keeps the text that the log has made. */
static int keep(struct lane *l)
{
    struct told *t = l->told;
    const char *made = buf_cstr(&l->log.text);
    char *text = made ? strdup(made) : NULL;

    if (!text)
        return ERR_NOMEM;
    buf_reset(&l->log.text);
    pthread_mutex_lock(&t->mutex);
    if (t->count == t->room) {
        t->room = t->room ? 2 * t->room : 256;
        t->list = realloc(t->list, t->room * sizeof *t->list);
    }
    t->list[t->count++] = (struct said){l->slot, l->order, l->nid, text};
    pthread_mutex_unlock(&t->mutex);
    return 0;
}

static int on_item(void *lane, const struct ost_item *item)
{
    struct lane *l = lane;
    int rc = l->log.sink.item(&l->log, item);

    assert_int_equal(item->order, l->order);
    return rc ? rc : keep(l);
}

static int on_failed(void *lane, uint32_t nid, uint32_t folder, bool assoc)
{
    struct lane *l = lane;
    int rc = l->log.sink.failed(&l->log, nid, folder, assoc);

    return rc ? rc : keep(l);
}

static int on_finding(void *lane, const struct finding *f)
{
    struct lane *l = lane;

    return l->log.sink.finding(&l->log, f);
}

static int on_close(void *lane, uint64_t slot)
{
    struct told *t = ((struct lane *)lane)->told;

    pthread_mutex_lock(&t->mutex);
    t->closed = slot + 1 > t->closed ? slot + 1 : t->closed;
    pthread_mutex_unlock(&t->mutex);
    return 0;
}

static void on_stop(void *ctx, int code)
{
    (void)ctx, (void)code;
}

static int on_checked(void *ctx, const struct finding *f)
{
    ((unsigned *)ctx)[f->code]++;
    return 0;
}

static int compare(const void *a, const void *b)
{
    const struct said *x = a, *y = b;

    if (x->slot != y->slot)
        return x->slot < y->slot ? -1 : 1;
    if (x->order != y->order)
        return x->order < y->order ? -1 : 1;
    return (x->nid > y->nid) - (x->nid < y->nid);
}

/* An image in memory, and what is said of it in turn. */
struct subject {
    const uint8_t *data;
    size_t size;
    struct ost_header header;
    struct ost_header_report report;
    struct enginelog log;
    unsigned checked[FINDING_CODES];
    struct chk_result result;
    struct ost_hasher hasher;
};

struct how {
    unsigned threads;
    uint64_t region_bytes, carry_bytes;
    uint64_t fail_nth; /* allocation; 0: none */
    struct native_carried *carried;
};

static void subject_open(struct subject *s, const void *data, size_t size,
                         const struct ost_header *header)
{
    const struct chk_sink sink = {.ctx = s->checked, .finding = on_checked};
    struct io_source *source;
    struct engine_job job;
    struct chk_job check;

    *s = (struct subject){.data = data, .size = size, .hasher = idx_hasher(IDX_XXH3)};
    ost_header_check((struct bytes){data, size < OST_HEADER_SIZE ? size : OST_HEADER_SIZE}, size,
                     &s->header, &s->report);
    if (header) {
        s->header = *header;
        s->report = (struct ost_header_report){.state = OST_HEADER_SOUND};
    }
    assert_int_equal(io_source_open_mem(data, size, &source), 0);
    check = (struct chk_job){.sources = &source,
                             .source_count = 1,
                             .header = &s->header,
                             .report = &s->report,
                             .memory_bytes = MEMORY};
    assert_int_equal(chk_run(&check, &sink, &s->result), 0);
    job = (struct engine_job){.header = &s->header, .memory_bytes = MEMORY, .hasher = &s->hasher};
    enginelog_init(&s->log);
    assert_int_equal(native_run_source(&job, &s->log.sink, source), 0);
    io_source_close(source);
}

static void subject_close(struct subject *s)
{
    enginelog_done(&s->log);
}

static int scan(const struct subject *s, const struct how *how, struct told *t, bool *again)
{
    struct io_source *sources[THREADS_MOST];
    const struct native_lanes lanes = {t,          on_join, on_leave,  on_run,   on_next,
                                       on_finding, on_item, on_failed, on_close, on_stop};
    const struct chk_sink check_sink = {.ctx = t->checked, .finding = on_checked};
    const struct engine_job engine = {
        .header = &s->header, .memory_bytes = MEMORY, .hasher = &s->hasher};
    const struct chk_job check = {.sources = sources,
                                  .source_count = how->threads,
                                  .header = &s->header,
                                  .report = &s->report,
                                  .memory_bytes = MEMORY};
    const struct native_scan_job job = {
        .engine = &engine,
        .check = &check,
        .check_sink = &check_sink,
        .sink = &t->folders.sink,
        .lanes = &lanes,
        .stream_hasher = &s->hasher,
        .region_bytes = how->region_bytes,
        .carry_bytes = how->carry_bytes,
        .carried = how->carried,
    };
    struct chk_result result = {0};
    int rc;

    for (unsigned i = 0; i < how->threads; i++) {
        assert_int_equal(io_source_open_mem(s->data, s->size, &sources[i]), 0);
        if (t->reads)
            sources[i] = counting_open(sources[i], t->reads);
    }
    mem_test_fail(how->fail_nth, 0);
    rc = native_scan(&job, &result, again);
    mem_test_fail(0, 0);
    for (unsigned i = 0; i < how->threads; i++)
        io_source_close(sources[i]);
    if (!rc && !*again) {
        assert_int_equal(result.verified_bytes, s->result.verified_bytes);
        assert_int_equal(result.corrupt, s->result.corrupt);
    }
    return rc;
}

static void told_init(struct told *t)
{
    memset(t, 0, sizeof *t);
    pthread_mutex_init(&t->mutex, NULL);
    enginelog_init(&t->folders);
}

static void told_done(struct told *t)
{
    for (size_t i = 0; i < t->count; i++)
        free(t->list[i].text);
    free(t->list);
    enginelog_done(&t->folders);
    pthread_mutex_destroy(&t->mutex);
}

static void expect_same(const struct subject *s, struct told *t)
{
    struct buf all = BUF_INIT;

    assert_int_equal(t->runs_after_closing, 0);
    if (t->count)
        qsort(t->list, t->count, sizeof *t->list, compare);
    buf_puts(&all, buf_cstr(&t->folders.text));
    for (size_t i = 0; i < t->count; i++) {
        assert_true(i == 0 || t->list[i].order >= t->list[i - 1].order);
        buf_puts(&all, t->list[i].text);
    }
    assert_string_equal(buf_cstr(&all), buf_cstr(&((struct subject *)(uintptr_t)s)->log.text));
    for (unsigned i = 0; i < FINDING_CODES; i++) {
        assert_int_equal(t->codes[i] + t->folders.codes[i], s->log.codes[i]);
        assert_int_equal(t->checked[i], s->checked[i]);
    }
    buf_done(&all);
}

static void same_with_reads(const struct subject *s, const struct how *how, struct reads *reads)
{
    static struct told t;
    bool again = true;

    told_init(&t);
    t.reads = reads;
    assert_int_equal(scan(s, how, &t, &again), 0);
    assert_false(again);
    assert_int_equal(t.lanes, how->threads);
    expect_same(s, &t);
    told_done(&t);
}

static void same_as_in_turn(const struct subject *s, const struct how *how)
{
    same_with_reads(s, how, NULL);
}

/* In every way that there is. */
static void same_in_all_ways(const struct subject *s)
{
    static const uint64_t regions[] = {1, 1 << 20, 0};
    static const uint64_t carries[] = {1, 4 << 20, 0};

    for (unsigned threads = 1; threads <= THREADS_MOST; threads++)
        for (unsigned r = 0; r < 3; r++) {
            struct how how = {threads, regions[r], carries[(threads + r) % 3], 0, NULL};

            same_as_in_turn(s, &how);
        }
}

/* Without room for one allocation map nobody knows where blocks may be: not at once. */
static void tiny_images(void **state)
{
    static const struct how how = {1, 0, 0, 0, NULL};
    unsigned at_once = 0;

    (void)state;
    for (unsigned f = 0; f < 3; f++) {
        static struct told told;
        bool again = false;
        struct subject s;
        struct tiny t;

        tiny_mailbox(&t, forge_formats[f]);
        subject_open(&s, t.data, t.size, &t.header);
        told_init(&told);
        assert_int_equal(scan(&s, &how, &told, &again), 0);
        assert_int_equal(again, ost_amap_count(t.v, t.size) == 0);
        told_done(&told);
        if (!again)
            same_in_all_ways(&s);
        at_once += !again;
        subject_close(&s);
        tiny_done(&t);
    }
    assert_int_equal(at_once, 2);
}

static void real_images(void **state)
{
    static const char *const names[] = {SAMPLE_OST, SAMPLE_OST2, SAMPLE_ENRON};

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct ndbfile f;
        struct subject s;

        ndbfile_open(&f, sample_or_skip(names[i]));
        subject_open(&s, f.bytes.data, f.bytes.size, NULL);
        assert_true(s.log.items > 0);
        same_in_all_ways(&s);
        subject_close(&s);
        ndbfile_close(&f);
    }
}

/* Mails whose blocks lie in any order, written to `path`. */
static void make_permuted(char path[4096], const char *profile, enum gen_format format,
                          bool compress)
{
    struct gen_summary summary;
    unsigned missed;
    const struct gen_options o = {
        .image = {.path = path,
                  .format = format,
                  .content = GEN_PST,
                  .compress = compress,
                  .seed = 5,
                  .fragment_percent = 100},
        .profile = profile_find(profile),
        .seed = 5,
        .items = 400,
        .truth = TRUTH_NONE,
    };

    snprintf(path, 4096, "%s/permuted.pst", tempdir_make());
    assert_int_equal(gen_run(&o, &summary, &missed), 0);
}

/* Of each byte: in the sweep, and when its item is read. */
static void at_most_twice(const struct subject *s, const struct how *how)
{
    struct reads reads = {.units = s->size / UNIT + 1, .naps = how->threads > 1};
    size_t twice = 0;

    pthread_mutex_init(&reads.mutex, NULL);
    reads.count = calloc(1, reads.units);
    assert_non_null(reads.count);
    same_with_reads(s, how, &reads);
    for (size_t i = 0; i < reads.units; i++) {
        assert_true(reads.count[i] <= 2);
        twice += reads.count[i] == 2;
    }
    assert_true(twice * 50 > reads.units);
    assert_true(twice * 10 < reads.units * 9);
    free(reads.count);
    pthread_mutex_destroy(&reads.mutex);
}

static void permuted_images(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct ndbfile f;
        struct subject s;
        char path[4096];

        make_permuted(path, "mail", i ? GEN_UNICODE4K : GEN_UNICODE, i == 2);
        ndbfile_open(&f, path);
        subject_open(&s, f.bytes.data, f.bytes.size, NULL);
        same_in_all_ways(&s);
        for (unsigned threads = 1; threads <= THREADS_MOST; threads++) {
            const struct how how = {threads, 0, s.result.allocated_bytes / 4, 0, NULL};

            at_most_twice(&s, &how);
        }
        subject_close(&s);
        ndbfile_close(&f);
    }
}

/* Contents tables lie anywhere, and were read before the sweep: nobody waits for their blocks. */
static void what_folders_were_read_from_is_not_carried(void **state)
{
    struct native_carried carried = {0};
    const struct how how = {.threads = 1, .carried = &carried};
    struct ndbfile f;
    struct subject s;
    char path[4096];

    (void)state;
    make_permuted(path, "notes", GEN_UNICODE, false);
    ndbfile_open(&f, path);
    subject_open(&s, f.bytes.data, f.bytes.size, NULL);
    same_as_in_turn(&s, &how);
    /* A note has a block of its own and a row in such a table: with these it would be 43,072 bytes.
     */
    assert_in_range(carried.put_bytes, 1, s.result.allocated_bytes / 30);
    subject_close(&s);
    ndbfile_close(&f);
}

/* Mails with attachments of up to 20 MB, written to `path`. */
static void make_large(char path[4096], const struct gen_options *how)
{
    struct gen_summary summary;
    struct gen_options o = *how;
    unsigned missed;

    o.image.path = path;
    o.image.content = GEN_PST;
    o.image.seed = o.seed = o.image.seed ? o.image.seed : 5;
    o.profile = profile_find("attach");
    o.truth = TRUTH_NONE;
    snprintf(path, 4096, "%s/large.pst", tempdir_make());
    assert_int_equal(gen_run(&o, &summary, &missed), 0);
}

/* As they lie in order, at permuted places, enciphered, compressed; and damaged here and there. */
static void large_values(void **state)
{
    static const struct gen_options images[] = {
        {.image = {.format = GEN_UNICODE}, .items = 3, .attachment_bytes = 10 << 20},
        {.image = {.format = GEN_UNICODE, .crypt = GEN_CRYPT_PERMUTE, .fragment_percent = 100},
         .items = 4},
        {.image = {.format = GEN_ANSI, .crypt = GEN_CRYPT_CYCLIC, .fragment_percent = 30},
         .items = 4},
        {.image = {.format = GEN_UNICODE4K, .compress = true, .fragment_percent = 10}, .items = 5},
    };

    (void)state;
    srand(3);
    for (unsigned i = 0; i < sizeof images / sizeof *images; i++) {
        struct ndbfile f;
        char path[4096];

        make_large(path, &images[i]);
        ndbfile_open(&f, path);
        for (unsigned damage = 0; damage < 3; damage++) {
            struct ost_plan_options options = ndbfile_options(&f);
            size_t size = f.bytes.size;
            uint8_t *data = images_copy(&f, &size);
            struct ost_plan plan;
            struct subject s;

            assert_int_equal(ost_plan_load(f.source, &options, &plan), 0);
            for (unsigned k = 0; k < 8 * damage; k++) {
                const struct ost_block *b = &plan.blocks[(size_t)rand() % plan.block_count];

                data[b->offset + b->stored / 2] ^= 1;
            }
            subject_open(&s, data, size, NULL);
            assert_true(!damage == !s.log.partial);
            same_in_all_ways(&s);
            subject_close(&s);
            ost_plan_done(&plan);
            free(data);
        }
        ndbfile_close(&f);
    }
}

/* Of a value ten times as large as what may be carried no block is read again. */
static void large_value_in_little_memory(void **state)
{
    static const struct gen_options image = {
        .image = {.format = GEN_UNICODE}, .items = 2, .attachment_bytes = 40 << 20};
    struct ost_plan_options options;
    struct ost_plan plan;
    struct ndbfile f;
    struct subject s;
    char path[4096];

    (void)state;
    make_large(path, &image);
    ndbfile_open(&f, path);
    options = ndbfile_options(&f);
    assert_int_equal(ost_plan_load(f.source, &options, &plan), 0);
    subject_open(&s, f.bytes.data, f.bytes.size, NULL);
    for (unsigned threads = 1; threads <= THREADS_MOST; threads++) {
        const struct how how = {threads, 0, 4 << 20, 0, NULL};
        struct reads reads = {.units = s.size / UNIT + 1, .naps = threads > 1};
        unsigned large = 0, again = 0;

        pthread_mutex_init(&reads.mutex, NULL);
        reads.count = calloc(1, reads.units);
        assert_non_null(reads.count);
        same_with_reads(&s, &how, &reads);
        for (size_t i = 0; i < plan.block_count; i++) {
            const struct ost_block *b = &plan.blocks[i];

            if (b->inflated != f.variant->data_max)
                continue;
            large++;
            again += reads.count[b->offset / UNIT] > 1;
        }
        print_message("%u threads: %u of %u blocks again\n", threads, again, large);
        assert_true(large > 5000);
        assert_int_equal(again, 0);
        free(reads.count);
        pthread_mutex_destroy(&reads.mutex);
    }
    subject_close(&s);
    ost_plan_done(&plan);
    ndbfile_close(&f);
}

/* Puts a page of a B-tree's leaves right again. */
static void seal(uint8_t *page, const struct ost_variant *v)
{
    put_le32(page + v->page_crc, ost_crc(page, v->page_trailer));
}

/* A block is named once more. */
static void add_reference(uint8_t *data, const struct ost_plan *plan, uint64_t bid)
{
    for (size_t i = 0; i < plan->page_count; i++) {
        uint8_t *page = data + plan->pages[i].offset;

        if (plan->pages[i].tree != OST_TREE_BBT || plan->pages[i].level)
            continue;
        for (unsigned k = 0; k < page[BT_COUNTERS_U]; k++) {
            uint8_t *ref = page + (size_t)k * BBT_SIZE_U + OFF_U_BBT_REF;

            if (bid && ost_bid(le64(page + (size_t)k * BBT_SIZE_U)) == ost_bid(bid))
                put_le16(ref, (uint16_t)(le16(ref) + 1));
        }
        seal(page, plan->variant);
    }
}

/* Makes each second message a copy of the one before it, as they are made: what it names is the
 * same, and has been counted. */
static void make_copies(uint8_t *data, const struct ost_plan *plan)
{
    enum { ROOTS = OFF_U_NBT_PARENT - OFF_U_NBT_DATA };

    for (size_t i = 0; i < plan->page_count; i++) {
        uint8_t *page = data + plan->pages[i].offset, *last = NULL;

        if (plan->pages[i].tree != OST_TREE_NBT || plan->pages[i].level)
            continue;
        for (unsigned k = 0; k < page[BT_COUNTERS_U]; k++) {
            uint8_t *entry = page + (size_t)k * NBT_SIZE_U;

            if (!ost_nid_is_message(le32(entry)))
                continue;
            if (!last) {
                last = entry;
                continue;
            }
            memcpy(entry + OFF_U_NBT_DATA, last + OFF_U_NBT_DATA, ROOTS);
            add_reference(data, plan, le64(last + OFF_U_NBT_DATA));
            add_reference(data, plan, le64(last + OFF_U_NBT_SUB));
            last = NULL;
        }
        seal(page, plan->variant);
    }
}

static void same_of_copies(const char *path)
{
    struct ost_plan_options options;
    size_t size = SIZE_MAX;
    struct ost_plan plan;
    struct ndbfile f;
    struct subject s;
    uint8_t *data;

    ndbfile_open(&f, path);
    options = ndbfile_options(&f);
    assert_int_equal(ost_plan_load(f.source, &options, &plan), 0);
    data = images_copy(&f, &size);
    make_copies(data, &plan);
    subject_open(&s, data, size, NULL);
    for (unsigned threads = 1; threads <= THREADS_MOST; threads++)
        for (unsigned part = 2; part <= 64; part *= 2) {
            const struct how how = {threads, 0, s.result.allocated_bytes / part, 0, NULL};

            same_as_in_turn(&s, &how);
        }
    subject_close(&s);
    ost_plan_done(&plan);
    free(data);
    ndbfile_close(&f);
}

/* Of two items that are late together the first forgets what the second needs, too. */
static void copies(void **state)
{
    static const struct gen_options large = {
        .image = {.format = GEN_UNICODE, .fragment_percent = 30}, .items = 8};
    char path[4096];

    (void)state;
    make_permuted(path, "notes", GEN_UNICODE, false);
    same_of_copies(path);
    make_large(path, &large);
    same_of_copies(path);
}

/* Whether 512 bytes there are of a B-tree page. What is found again of lost ones is read at once
 * alone, so such images are no matter for a comparison (cli/test_recovered.sh has them). */
static bool hits_page(const struct ost_plan *plan, uint64_t offset)
{
    for (size_t i = 0; i < plan->page_count; i++)
        if (offset + 512 > plan->pages[i].offset &&
            offset < plan->pages[i].offset + plan->variant->page_size)
            return true;
    return false;
}

static uint64_t end_of_pages(const struct ost_plan *plan)
{
    uint64_t end = 0;

    for (size_t i = 0; i < plan->page_count; i++)
        if (plan->pages[i].offset + plan->variant->page_size > end)
            end = plan->pages[i].offset + plan->variant->page_size;
    return end;
}

/* Stretches of 512 bytes overwritten here and there, with the checksums left wrong. */
static void damaged_images(void **state)
{
    struct ost_plan_options options;
    unsigned partial = 0, failed = 0;
    struct ost_plan plan;
    struct ndbfile f;

    (void)state;
    ndbfile_open(&f, sample_or_skip(SAMPLE_ENRON));
    options = ndbfile_options(&f);
    assert_int_equal(ost_plan_load(f.source, &options, &plan), 0);
    srand(1);
    for (unsigned turn = 0; turn < 12; turn++) {
        size_t size = turn % 4 == 3 ? end_of_pages(&plan) : f.bytes.size;
        uint8_t *data = images_copy(&f, &size);
        struct how how = {turn % THREADS_MOST + 1, 1, turn % 2 ? 1 : 0, 0, NULL};
        struct subject s;

        for (unsigned i = 0; i < 60u << turn % 4; i++) {
            size_t at = 0x4400 + (size_t)rand() % (size - 0x4600);

            if (!hits_page(&plan, at))
                memset(data + at, (int)turn, 512);
        }
        subject_open(&s, data, size, NULL);
        partial += s.log.partial;
        failed += s.log.failed;
        same_as_in_turn(&s, &how);
        subject_close(&s);
        free(data);
    }
    print_message("%u partial, %u failed\n", partial, failed);
    assert_true(partial > 10 && failed > 10);
    ost_plan_done(&plan);
    ndbfile_close(&f);
}

/* Some need not succeed: then what they were for is read or looked for again. */
static void allocations_may_fail(const char *path, unsigned tolerated)
{
    struct how how = {1, 1, 0, 0, NULL};
    unsigned failures = 0, borne = 0;
    struct ndbfile f;
    struct subject s;
    uint64_t all = 1;

    ndbfile_open(&f, path);
    subject_open(&s, f.bytes.data, f.bytes.size, NULL);
    for (; how.fail_nth <= all; how.fail_nth++) {
        uint64_t before = mem_test_count();
        static struct told t;
        bool again;
        int rc;

        told_init(&t);
        rc = scan(&s, &how, &t, &again);
        assert_true(rc == 0 || rc == ERR_NOMEM);
        if (!rc && buf_cstr(&t.folders.text)) /* else the log's own memory failed */
            expect_same(&s, &t);
        failures += rc != 0;
        borne += !rc;
        if (!how.fail_nth)
            all = mem_test_count() - before;
        told_done(&t);
    }
    assert_true(failures > 50 && borne > tolerated);
    subject_close(&s);
    ndbfile_close(&f);
}

static void each_allocation_may_fail(void **state)
{
    (void)state;
    allocations_may_fail(corpus_or_skip("pstsdk-submessage.pst"), 0);
}

/* All of those for values that are digested as they pass are of that kind. */
static void each_allocation_may_fail_of_large_values(void **state)
{
    static const struct gen_options image = {.image = {.format = GEN_UNICODE, .seed = 3},
                                             .items = 1};
    char path[4096];

    (void)state;
    make_large(path, &image);
    allocations_may_fail(path, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tiny_images),
        cmocka_unit_test(real_images),
        cmocka_unit_test(permuted_images),
        cmocka_unit_test(what_folders_were_read_from_is_not_carried),
        cmocka_unit_test(large_values),
        cmocka_unit_test(large_value_in_little_memory),
        cmocka_unit_test(copies),
        cmocka_unit_test(damaged_images),
        cmocka_unit_test(each_allocation_may_fail),
        cmocka_unit_test(each_allocation_may_fail_of_large_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
