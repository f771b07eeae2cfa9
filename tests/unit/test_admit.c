/*
 * test_admit.c: which image is begun when, step by step: devices, sizes, memory. And whatever comes
 * in any order, all images are begun once, and no bound is broken.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "io/err.h"
#include "io/mem.h"
#include "scanner/app/admit.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

enum { NOTHING = 999 };

/* A step of a story: ADD number, size, device (odd ones are read by one at a time); NEXT the number
 * that is to be begun, or NOTHING; END number; CLOSE. */
struct step {
    enum { STEP_STOP, STEP_ADD, STEP_NEXT, STEP_END, STEP_CLOSE } kind;
    size_t number;
    uint64_t size_bytes, device;
};

#define ADD(n, size, on)                                                                           \
    {                                                                                              \
        .kind = STEP_ADD, .number = (n), .size_bytes = (size), .device = (on)                      \
    }
#define NEXT(n)                                                                                    \
    {                                                                                              \
        .kind = STEP_NEXT, .number = (n)                                                           \
    }
#define END(n)                                                                                     \
    {                                                                                              \
        .kind = STEP_END, .number = (n)                                                            \
    }
#define CLOSE                                                                                      \
    {                                                                                              \
        .kind = STEP_CLOSE                                                                         \
    }
#define STOP                                                                                       \
    {                                                                                              \
        .kind = STEP_STOP                                                                          \
    }

static void tell(const char *what, unsigned workers, uint64_t memory, const struct step *steps)
{
    struct admitted got;
    struct admit *a;

    assert_int_equal(admit_create(workers, memory, &a), 0);
    for (const struct step *s = steps; s->kind; s++) {
        bool any;

        switch (s->kind) {
        case STEP_ADD:
            assert_int_equal(admit_add(a, s->number, s->size_bytes, s->device, s->device % 2 == 1),
                             0);
            break;
        case STEP_NEXT:
            any = admit_can(a);
            got.number = NOTHING;
            assert_int_equal(admit_next(a, &got), any);
            if (got.number != s->number)
                fail_msg("%s: step %td: %zu is begun, not %zu", what, s - steps, got.number,
                         s->number);
            assert_true(!any || (got.memory_bytes > 0 && got.memory_bytes <= memory));
            break;
        case STEP_END:
            admit_end(a, s->number);
            break;
        case STEP_CLOSE:
            admit_close(a);
            break;
        case STEP_STOP:
            break;
        }
    }
    assert_true(admit_is_over(a));
    admit_destroy(a);
}

static void large_and_small_ones(void **state)
{
    static const struct step spread[] = {
        ADD(0, 50 * GIB, 2),
        ADD(1, 3 * MIB, 2),
        ADD(2, 20 * GIB, 2),
        ADD(3, 2 * MIB, 2),
        ADD(4, 1 * MIB, 2),
        CLOSE,
        NEXT(0), /* the largest first, */
        NEXT(4), /* and the last worker from the small end */
        NEXT(NOTHING),
        END(4),
        NEXT(3),
        END(0),
        NEXT(2), /* the other one goes on with large ones */
        END(3),
        NEXT(1),
        END(1),
        END(2),
        NEXT(NOTHING),
        STOP,
    };
    static const struct step single[] = {
        ADD(0, 50 * GIB, 2),
        ADD(1, 3 * MIB, 2),
        ADD(2, 2 * MIB, 2),
        CLOSE,
        NEXT(2),
        NEXT(NOTHING),
        END(2),
        NEXT(1),
        END(1),
        NEXT(0),
        END(0),
        STOP,
    };
    static const struct step equal[] = {
        ADD(3, MIB, 2), ADD(4, MIB, 2), ADD(5, MIB, 2), CLOSE,  NEXT(3), NEXT(4),
        NEXT(5),        END(3),         END(4),         END(5), STOP,
    };

    (void)state;
    tell("small ones beside a large one", 2, GIB, spread);
    tell("one worker", 1, GIB, single);
    tell("equal sizes", 4, GIB, equal);
}

static void one_device_and_several(void **state)
{
    static const struct step devices[] = {
        ADD(0, 8 * MIB, 2),
        ADD(1, 7 * MIB, 2),
        ADD(2, 6 * MIB, 4),
        ADD(3, 5 * MIB, 4),
        CLOSE,
        NEXT(0),
        NEXT(2), /* each device before any device twice */
        NEXT(1),
        NEXT(3),
        END(0),
        END(1),
        END(2),
        END(3),
        STOP,
    };
    static const struct step seeking[] = {
        ADD(0, 8 * MIB, 1),
        ADD(1, 7 * MIB, 1),
        ADD(2, 6 * MIB, 1),
        CLOSE,
        NEXT(0),
        NEXT(NOTHING), /* one at a time, whoever is free */
        END(0),
        NEXT(1),
        NEXT(NOTHING),
        END(1),
        NEXT(2),
        END(2),
        STOP,
    };
    static const struct step both[] = {
        ADD(0, 8 * MIB, 1),
        ADD(1, 7 * MIB, 1),
        ADD(2, 6 * MIB, 2),
        CLOSE,
        NEXT(0),
        NEXT(2), /* a disk in use does not hold up another device */
        NEXT(NOTHING),
        END(0),
        NEXT(1),
        END(1),
        END(2),
        STOP,
    };

    (void)state;
    tell("devices in turn", 4, GIB, devices);
    tell("a device that seeks", 3, GIB, seeking);
    tell("a disk and flash", 3, GIB, both);
}

static void images_that_come_late_or_never(void **state)
{
    static const struct step late[] = {
        NEXT(NOTHING), ADD(5, 1 * MIB, 2), NEXT(5), NEXT(NOTHING), ADD(6, 1, 2),
        NEXT(6),       NEXT(NOTHING),      END(6),  END(5),        CLOSE,
        STOP,
    };
    static const struct step none[] = {NEXT(NOTHING), CLOSE, NEXT(NOTHING), STOP};

    (void)state;
    tell("images that come late", 2, GIB, late);
    tell("no image", 2, GIB, none);
}

static uint64_t begin(struct admit *a, size_t number)
{
    struct admitted got = {.number = NOTHING};

    assert_true(admit_next(a, &got));
    assert_int_equal(got.number, number);
    return got.memory_bytes;
}

/* One image alone has all of the memory if it may need it; beside others a part is left. */
static void memory_is_shared(void **state)
{
    uint64_t large, small;
    struct admit *a;

    (void)state;
    assert_int_equal(admit_create(2, 256 * MIB, &a), 0);
    admit_add(a, 0, 50 * GIB, 2, false);
    admit_close(a);
    assert_int_equal(begin(a, 0), 256 * MIB);
    admit_destroy(a);

    assert_int_equal(admit_create(2, 256 * MIB, &a), 0);
    admit_add(a, 0, 50 * GIB, 2, false);
    admit_add(a, 1, 4 * MIB, 2, false);
    admit_add(a, 2, 40 * GIB, 2, false);
    admit_close(a);
    large = begin(a, 0);
    assert_int_equal(large, 192 * MIB);
    small = begin(a, 1);
    assert_int_equal(small, 28 * MIB);
    admit_end(a, 1);
    assert_int_equal(begin(a, 2), 256 * MIB - large);
    admit_end(a, 0);
    admit_end(a, 2);
    assert_true(admit_is_over(a));
    admit_destroy(a);
}

/* What does not fit waits until something ends; one always goes. */
static void without_memory_images_wait(void **state)
{
    struct admitted got;
    struct admit *a;

    (void)state;
    assert_int_equal(admit_create(4, 64 * MIB, &a), 0);
    for (size_t i = 0; i < 8; i++)
        admit_add(a, i, 50 * GIB, 2, false);
    admit_close(a);
    assert_int_equal(begin(a, 0), 48 * MIB);
    assert_int_equal(begin(a, 1), 12 * MIB);
    assert_false(admit_can(a));
    assert_false(admit_next(a, &got));
    admit_end(a, 0);
    assert_true(admit_next(a, &got));
    admit_destroy(a);

    assert_int_equal(admit_create(3, 1, &a), 0);
    admit_add(a, 0, GIB, 2, false);
    admit_add(a, 1, GIB, 2, false);
    assert_int_equal(begin(a, 0), 1);
    assert_false(admit_can(a));
    admit_end(a, 0);
    assert_int_equal(begin(a, 1), 1);
    admit_destroy(a);
}

enum { IMAGES = 300, DEVICES = 5 };

struct world {
    unsigned workers;
    uint64_t memory, used;
    struct admitted open[16];
    uint64_t device_of[IMAGES];
    unsigned times[IMAGES], open_count, on_device[DEVICES];
};

static void end_one(struct world *w, struct admit *a)
{
    unsigned i = (unsigned)rand() % w->open_count;

    w->used -= w->open[i].memory_bytes;
    w->on_device[w->device_of[w->open[i].number]]--;
    admit_end(a, w->open[i].number);
    w->open[i] = w->open[--w->open_count];
}

static bool begin_one(struct world *w, struct admit *a)
{
    bool can = admit_can(a);
    struct admitted got;
    uint64_t device;

    assert_int_equal(admit_next(a, &got), can);
    if (!can)
        return false;
    device = w->device_of[got.number];
    w->times[got.number]++;
    w->open[w->open_count++] = got;
    w->used += got.memory_bytes;
    w->on_device[device]++;
    assert_true(w->open_count <= w->workers);
    assert_true(w->used <= w->memory);
    assert_int_equal(got.alone, device % 2);
    assert_true(device % 2 == 0 || w->on_device[device] == 1);
    return true;
}

static void whatever_comes(void **state)
{
    (void)state;
    srand(11);
    for (unsigned turn = 0; turn < 200; turn++) {
        struct world w = {.workers = 1 + turn % 16, .memory = (1 + (uint64_t)rand() % 4096) * MIB};
        size_t added = 0;
        struct admit *a;

        assert_int_equal(admit_create(w.workers, w.memory, &a), 0);
        while (!admit_is_over(a) || w.open_count) {
            if (added < IMAGES && rand() % 2) {
                w.device_of[added] = (uint64_t)rand() % DEVICES;
                assert_int_equal(admit_add(a, added, (uint64_t)rand() << rand() % 8,
                                           w.device_of[added], w.device_of[added] % 2),
                                 0);
                if (++added == IMAGES)
                    admit_close(a);
            }
            /* Whoever is free begins one; when nothing is open, one can be, if there is one. */
            if (!begin_one(&w, a) && w.open_count && rand() % 2)
                end_one(&w, a);
            if (added == IMAGES && !w.open_count && !admit_is_over(a))
                assert_true(admit_can(a));
        }
        for (size_t i = 0; i < IMAGES; i++)
            assert_int_equal(w.times[i], 1);
        admit_destroy(a);
    }
}

static void each_allocation_may_fail(void **state)
{
    struct admitted got;
    struct admit *a = NULL;

    (void)state;
    for (unsigned n = 1; n <= 2; n++) {
        mem_test_fail(n, 0);
        assert_int_equal(admit_create(2, GIB, &a), ERR_NOMEM);
    }
    assert_int_equal(admit_create(2, GIB, &a), 0);
    for (unsigned n = 1; n <= 2; n++) {
        mem_test_fail(n, 0);
        assert_int_equal(admit_add(a, 1, MIB, 2, false), ERR_NOMEM);
        mem_test_fail(0, 0);
    }
    assert_false(admit_next(a, &got));
    assert_int_equal(admit_add(a, 1, MIB, 2, false), 0);
    assert_true(admit_next(a, &got));
    admit_destroy(a);
    admit_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(large_and_small_ones),           cmocka_unit_test(one_device_and_several),
        cmocka_unit_test(images_that_come_late_or_never), cmocka_unit_test(memory_is_shared),
        cmocka_unit_test(without_memory_images_wait),     cmocka_unit_test(whatever_comes),
        cmocka_unit_test(each_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
