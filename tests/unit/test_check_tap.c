/*
 * test_check_tap.c: a thread that is told to wait for another goes on when there is none; what a
 * tap has is judged as it has it, and not read.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "io/crew.h"
#include "scanner/check/check.h"
#include "scanner/check/tap.h"
#include "scanner/ost/block.h"
#include "tests/gen/run.h"
#include "tests/support/ndbfile.h"
#include "tests/support/tempdir.h"

enum { SECONDS = 20 };

/* Two threads: the one that runs the check, and a helper that is called away. */
struct two {
    struct crew *crew;
    struct bytes bytes; /* of the image */
    pthread_t owner;
    atomic_bool helps, called, left, over, held;
    _Atomic unsigned regions;
};

static void until(const atomic_bool *flag)
{
    while (!atomic_load(flag))
        usleep(100);
}

static bool is_owner(const struct two *t)
{
    return pthread_equal(pthread_self(), t->owner);
}

static int on_join(void *ctx, struct io_source *source, void *kit, void **lane)
{
    (void)source, (void)kit;
    *lane = ctx;
    return 0;
}

static int on_leave(void *lane)
{
    struct two *t = lane;

    if (!is_owner(t))
        atomic_store(&t->left, true);
    return 0;
}

/* The helper is at its first region until it is called away. */
static int on_begin(void *lane, uint64_t region)
{
    struct two *t = lane;

    (void)region;
    atomic_fetch_add(&t->regions, 1);
    if (!is_owner(t)) {
        atomic_store(&t->helps, true);
        until(&t->called);
    }
    return 0;
}

/* Who asks finds the helper at a region; it has left by the time that the answer is there. */
static int on_other(void *lane)
{
    struct two *t = lane;

    if (!is_owner(t) || atomic_exchange(&t->held, true))
        return 0;
    until(&t->helps);
    atomic_store(&t->over, true);
    crew_wake(t->crew);
    atomic_store(&t->called, true);
    until(&t->left);
    return CHK_TAP_HOLD;
}

static int on_event(void *ctx, const struct ost_plan_event *e)
{
    (void)ctx, (void)e;
    return 0;
}

static int on_planned(void *ctx, const struct chk_view *view)
{
    (void)ctx;
    assert_true(view->regions > 2);
    return 0;
}

static int on_chunk(void *lane, const struct chk_chunk *chunk, const uint8_t *bytes,
                    const struct chk_links *links, size_t first)
{
    (void)lane, (void)chunk, (void)bytes, (void)links, (void)first;
    return 0;
}

static int on_end(void *lane, uint64_t region)
{
    (void)lane, (void)region;
    return 0;
}

static void on_stop(void *ctx, int code)
{
    (void)ctx, (void)code;
}

static int on_finding(void *ctx, const struct finding *f)
{
    (void)ctx, (void)f;
    return 0;
}

static bool is_over(void *ctx)
{
    return atomic_load(&((struct two *)ctx)->over);
}

static void *help(void *ctx)
{
    struct two *t = ctx;

    crew_idle(t->crew, NULL, is_over, t);
    return NULL;
}

static int open_source(void *ctx, void *kit, struct io_source **out)
{
    const struct two *t = ctx;

    (void)kit;
    return io_source_open_mem(t->bytes.data, t->bytes.size, out);
}

static void make(char path[4096])
{
    struct gen_summary summary;
    unsigned missed;
    const struct gen_options o = {
        .image = {.path = path, .format = GEN_UNICODE, .content = GEN_PST, .seed = 5},
        .profile = profile_find("mail"),
        .seed = 5,
        .items = 80,
        .truth = TRUTH_NONE,
    };

    snprintf(path, 4096, "%s/mail.pst", tempdir_make());
    assert_int_equal(gen_run(&o, &summary, &missed), 0);
}

static void who_was_waited_for_has_left(void **state)
{
    static struct two t;
    const struct chk_sink sink = {.finding = on_finding};
    const struct chk_tap tap = {
        .ctx = &t,
        .region_bytes = 1,
        .event = on_event,
        .planned = on_planned,
        .join = on_join,
        .leave = on_leave,
        .begin = on_begin,
        .chunk = on_chunk,
        .end = on_end,
        .other = on_other,
        .stop = on_stop,
    };
    struct chk_help helper = {.ctx = &t, .open = open_source};
    struct chk_result result;
    struct chk_job job;
    struct ndbfile f;
    pthread_t thread;
    char path[4096];

    (void)state;
    make(path);
    ndbfile_open(&f, path);
    t.bytes = f.bytes;
    t.owner = pthread_self();
    assert_int_equal(crew_create(&t.crew), 0);
    helper.crew = t.crew;
    job = (struct chk_job){.sources = &f.source,
                           .source_count = 1,
                           .help = &helper,
                           .tap = &tap,
                           .header = &f.header,
                           .report = &f.report,
                           .memory_bytes = 64 << 20};
    assert_int_equal(pthread_create(&thread, NULL, help, &t), 0);
    alarm(SECONDS); /* in place of waiting for ever */
    assert_int_equal(chk_run(&job, &sink, &result), 0);
    alarm(0);
    assert_true(result.complete);
    assert_true(atomic_load(&t.held) && atomic_load(&t.regions) > 2);
    assert_int_equal(pthread_join(thread, NULL), 0);
    crew_destroy(t.crew);
    ndbfile_close(&f);
}

/* ---- blocks that the tap has ---- */

enum { EVERY = 7 };

/* Every seventh block, one of them changed. */
struct having {
    const struct ndbfile *f;
    struct chk_had *list;
    size_t count, changed;
    uint8_t *extent;    /* of the changed one */
    unsigned block_crc; /* findings of that code, and all */
    unsigned findings;
    uint64_t changed_at;
};

static int on_having_planned(void *ctx, const struct chk_view *view)
{
    struct having *h = ctx;
    size_t blocks = view->plan->block_count;

    h->list = malloc((blocks / EVERY + 1) * sizeof *h->list);
    assert_non_null(h->list);
    for (size_t i = 0; i < blocks; i += EVERY) {
        const struct ost_block *b = &view->plan->blocks[i];

        h->list[h->count++] = (struct chk_had){(uint32_t)i, h->f->bytes.data + b->offset};
        if (h->extent || ost_bid_internal(b->bid))
            continue;
        h->extent = malloc(b->stored + 128u);
        assert_non_null(h->extent);
        memcpy(h->extent, h->f->bytes.data + b->offset, ost_block_extent(h->f->variant, b->stored));
        h->extent[0] ^= 1;
        h->list[h->count - 1].extent = h->extent;
        h->changed_at = b->offset;
    }
    return 0;
}

static const struct chk_had *on_had(void *ctx, size_t *count)
{
    const struct having *h = ctx;

    *count = h->count;
    return h->list;
}

static int on_having_other(void *lane)
{
    (void)lane;
    return 0;
}

static int on_having_finding(void *ctx, const struct finding *f)
{
    struct having *h = ctx;

    h->findings += f->severity != SEVERITY_INFO;
    h->block_crc += f->code == F_block_crc && f->offset == h->changed_at;
    return 0;
}

static void run_having(struct ndbfile *f, const struct chk_tap *tap, struct having *h,
                       struct chk_result *result)
{
    const struct chk_sink sink = {.ctx = h, .finding = on_having_finding};
    const struct chk_job job = {.sources = &f->source,
                                .source_count = 1,
                                .tap = tap,
                                .header = &f->header,
                                .report = &f->report,
                                .memory_bytes = 64 << 20};

    assert_int_equal(chk_run(&job, &sink, result), 0);
    assert_true(result->complete);
}

static void what_the_tap_has_is_not_read(void **state)
{
    struct chk_result having, reading;
    struct ndbfile f;
    struct having h = {.f = &f};
    struct chk_tap tap = {
        .ctx = &h,
        .event = on_event,
        .planned = on_having_planned,
        .had = on_had,
        .join = on_join,
        .leave = on_having_other,
        .begin = on_end,
        .chunk = on_chunk,
        .end = on_end,
        .other = on_having_other,
        .stop = on_stop,
    };
    char path[4096];

    (void)state;
    make(path);
    ndbfile_open(&f, path);
    run_having(&f, &tap, &h, &having);
    assert_non_null(h.extent);
    assert_int_equal(h.block_crc, 1);
    assert_int_equal(h.findings, 1);
    free(h.list);
    tap.had = NULL;
    h.count = h.findings = 0;
    run_having(&f, &tap, &h, &reading);
    assert_int_equal(h.findings, 0);
    assert_int_equal(having.verified_bytes, reading.verified_bytes);
    assert_true(having.read_bytes - having.gap_bytes <
                (reading.read_bytes - reading.gap_bytes) / 10 * 9);
    free(h.extent);
    free(h.list);
    ndbfile_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_was_waited_for_has_left),
        cmocka_unit_test(what_the_tap_has_is_not_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
