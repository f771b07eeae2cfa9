/*
 * test_check_tap.c: a thread that is told to wait for another goes on when there is none.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

#include "io/crew.h"
#include "scanner/check/check.h"
#include "scanner/check/tap.h"
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_was_waited_for_has_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
