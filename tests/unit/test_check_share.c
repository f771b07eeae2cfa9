/*
 * test_check_share.c: parts are all done once, whoever helps, fails to, or is called away.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "io/crew.h"
#include "io/err.h"
#include "scanner/check/share.h"

enum { PARTS = 40, SECONDS = 20 };

/* A caller and one helper. */
struct pair {
    struct crew *crew;
    struct io_source *own; /* the caller's */
    atomic_uint done[PARTS], foreign;
    atomic_bool over, helped;
    bool waits;      /* the caller's first part, for one of the helper's */
    bool calls_away; /* the helper's first part does that to itself */
    int refusal;     /* the helper's source cannot be had */
};

static const uint8_t image[4096];

static void part(void *arg, unsigned i, struct io_source *source)
{
    struct pair *p = arg;
    uint8_t bytes[100];

    atomic_fetch_add(&p->done[i], 1);
    assert_int_equal(io_source_read(source, 0, bytes, sizeof bytes), 0);
    if (source != p->own) {
        if (p->calls_away)
            crew_wake(p->crew);
        atomic_fetch_add(&p->foreign, 1);
        atomic_store(&p->helped, true);
    }
    while (source == p->own && p->waits && !atomic_load(&p->helped))
        usleep(100);
}

static int open_source(void *ctx, void *kit, struct io_source **out)
{
    const struct pair *p = ctx;

    (void)kit;
    return p->refusal ? p->refusal : io_source_open_mem(image, sizeof image, out);
}

static bool is_over(void *ctx)
{
    return atomic_load(&((struct pair *)ctx)->over);
}

static void *idle(void *ctx)
{
    struct pair *p = ctx;

    crew_idle(p->crew, NULL, is_over, p);
    return NULL;
}

/* Shares PARTS out; how many of them the helper did. */
static unsigned share(struct pair *p)
{
    struct chk_help help = {.threads = 2, .ctx = p, .open = open_source};
    struct chk_job job = {.sources = &p->own, .source_count = 1, .help = &help};
    struct chk_state state = {.job = &job};
    pthread_t thread;

    assert_int_equal(crew_create(&p->crew), 0);
    assert_int_equal(io_source_open_mem(image, sizeof image, &p->own), 0);
    assert_int_equal(chk_share_threads(&job), 1);
    help.crew = p->crew;
    assert_int_equal(chk_share_threads(&job), 2);
    assert_int_equal(pthread_create(&thread, NULL, idle, p), 0);
    alarm(SECONDS); /* in place of waiting for ever */
    chk_share(&state, PARTS, part, p);
    alarm(0);
    atomic_store(&p->over, true);
    crew_wake(p->crew);
    assert_int_equal(pthread_join(thread, NULL), 0);
    for (unsigned i = 0; i < PARTS; i++)
        assert_int_equal(atomic_load(&p->done[i]), 1);
    assert_int_equal(state.helped_bytes, 100 * atomic_load(&p->foreign));
    assert_int_equal(p->own->bytes_read, 100 * (PARTS - atomic_load(&p->foreign)));
    io_source_close(p->own);
    crew_destroy(p->crew);
    return atomic_load(&p->foreign);
}

static void a_helper_does_its_share(void **state)
{
    static struct pair p = {.waits = true};

    (void)state;
    assert_true(share(&p) > 0);
}

static void who_is_called_away_leaves_the_rest(void **state)
{
    static struct pair p = {.waits = true, .calls_away = true};

    (void)state;
    assert_in_range(share(&p), 1, PARTS - 1);
}

static void who_has_no_source_does_nothing(void **state)
{
    static struct pair p = {.refusal = ERR_NOMEM};

    (void)state;
    assert_int_equal(share(&p), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_helper_does_its_share),
        cmocka_unit_test(who_is_called_away_leaves_the_rest),
        cmocka_unit_test(who_has_no_source_does_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
