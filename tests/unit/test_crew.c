/* test_crew.c: threads that work together: all parts done once, called away and back, ended. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "io/crew.h"
#include "io/mem.h"

enum { HELPERS = 3, PARTS = 500, HANGS_S = 120 };

struct work {
    struct crew *crew;
    atomic_uint next, done, within, most, away;
    bool heeds_calls;
};

static bool take_parts(void *ctx, void *kit)
{
    struct work *w = ctx;
    unsigned within = atomic_fetch_add(&w->within, 1) + 1, most = w->most;

    while (within > most && !atomic_compare_exchange_weak(&w->most, &most, within))
        ;
    while (atomic_fetch_add(&w->next, 1) < PARTS) {
        if (kit)
            atomic_fetch_add((atomic_uint *)kit, 1);
        atomic_fetch_add(&w->done, 1);
        usleep(50);
        if (w->heeds_calls && crew_called(w->crew)) {
            atomic_fetch_add(&w->away, 1);
            atomic_fetch_sub(&w->within, 1);
            return true;
        }
    }
    atomic_fetch_sub(&w->within, 1);
    return false;
}

struct helper {
    struct crew *crew;
    pthread_t thread;
    atomic_bool *over;
    atomic_uint parts;
};

static bool is_over(void *ctx)
{
    return atomic_load((atomic_bool *)ctx);
}

static void *idle(void *arg)
{
    struct helper *h = arg;

    crew_idle(h->crew, &h->parts, is_over, h->over);
    return NULL;
}

static void start(struct helper *helpers, struct crew *crew, atomic_bool *over)
{
    for (unsigned i = 0; i < HELPERS; i++) {
        helpers[i].crew = crew;
        helpers[i].over = over;
        helpers[i].parts = 0;
        assert_int_equal(pthread_create(&helpers[i].thread, NULL, idle, &helpers[i]), 0);
    }
}

static void end(struct helper *helpers, struct crew *crew, atomic_bool *over)
{
    atomic_store(over, true);
    crew_wake(crew);
    for (unsigned i = 0; i < HELPERS; i++)
        pthread_join(helpers[i].thread, NULL);
    crew_destroy(crew);
}

static void all_parts_are_done_once(void **state)
{
    struct helper helpers[HELPERS];
    atomic_bool over = false;
    struct crew *crew;

    (void)state;
    assert_int_equal(crew_create(&crew), 0);
    start(helpers, crew, &over);
    for (unsigned turn = 0; turn < 10; turn++) {
        struct work w = {.crew = crew};
        struct crew_job job = {.ctx = &w, .work = take_parts, .most = HELPERS};

        crew_offer(crew, &job);
        while (!w.within)
            usleep(100); /* somebody comes without being called by name */
        take_parts(&w, NULL);
        crew_withdraw(crew, &job);
        assert_int_equal(w.within, 0);
        assert_int_equal(w.done, PARTS);
    }
    end(helpers, crew, &over);
    assert_true(helpers[0].parts + helpers[1].parts + helpers[2].parts > 0);
}

static void no_more_join_than_may(void **state)
{
    struct helper helpers[HELPERS];
    atomic_bool over = false;
    struct crew *crew;
    struct work w = {0};
    struct crew_job job = {.ctx = &w, .work = take_parts, .most = 1};

    (void)state;
    assert_int_equal(crew_create(&crew), 0);
    w.crew = crew;
    start(helpers, crew, &over);
    crew_offer(crew, &job);
    take_parts(&w, NULL);
    crew_withdraw(crew, &job);
    assert_int_equal(w.done, PARTS);
    assert_true(w.most <= 2);
    end(helpers, crew, &over);
}

/* Helpers that are called leave, see that nothing is new, and come back to the same job. */
static void called_away_and_back(void **state)
{
    struct helper helpers[HELPERS];
    atomic_bool over = false;
    struct crew *crew;
    struct work w = {.heeds_calls = true};
    struct crew_job job = {.ctx = &w, .work = take_parts, .most = HELPERS};

    (void)state;
    assert_int_equal(crew_create(&crew), 0);
    w.crew = crew;
    start(helpers, crew, &over);
    crew_offer(crew, &job);
    while (w.away < 5) {
        if (w.done >= PARTS) {
            atomic_store(&w.next, 0);
            atomic_store(&w.done, 0);
            crew_withdraw(crew, &job);
            crew_offer(crew, &job);
        }
        crew_wake(crew);
        usleep(500);
    }
    crew_withdraw(crew, &job);
    assert_int_equal(w.within, 0);
    end(helpers, crew, &over);
}

static void without_memory_there_is_none(void **state)
{
    struct crew *crew = NULL;

    (void)state;
    mem_test_fail(1, 0);
    assert_int_not_equal(crew_create(&crew), 0);
    mem_test_fail(0, 0);
    assert_null(crew);
    crew_destroy(NULL);
}

static void count_call(void *ctx, unsigned i)
{
    atomic_fetch_add(&((atomic_uint *)ctx)[i], 1);
}

static void a_run_calls_each_once(void **state)
{
    static const unsigned counts[] = {1, 2, 7, CREW_RUN_MAX};

    (void)state;
    for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
        atomic_uint calls[CREW_RUN_MAX] = {0};

        crew_run(counts[k], count_call, calls);
        for (unsigned i = 0; i < CREW_RUN_MAX; i++)
            assert_int_equal(calls[i], i < counts[k]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_parts_are_done_once),
        cmocka_unit_test(no_more_join_than_may),
        cmocka_unit_test(called_away_and_back),
        cmocka_unit_test(without_memory_there_is_none),
        cmocka_unit_test(a_run_calls_each_once),
    };

    alarm(HANGS_S);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
