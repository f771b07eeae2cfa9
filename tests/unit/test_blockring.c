/* test_blockring.c: decoded blocks in one piece of memory: found, held, given up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "io/err.h"
#include "io/mem.h"
#include "scanner/ost/blockring.h"

static uint8_t *add(struct ost_blockring *r, uint64_t bid, size_t size)
{
    uint8_t *p = ost_blockring_add(r, bid, size);

    if (p)
        memset(p, (int)(bid / 4 & 0xFF), size);
    return p;
}

static bool is_whole(const uint8_t *p, uint64_t bid, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (p[i] != (bid / 4 & 0xFF))
            return false;
    return true;
}

static void what_was_added_is_found(void **state)
{
    struct ost_blockring *r;

    (void)state;
    assert_int_equal(ost_blockring_create(OST_BLOCKRING_SOFT, &r), 0);
    assert_null(ost_blockring_find(r, 4));
    for (uint64_t bid = 4; bid < 400; bid += 4)
        ost_blockring_put(r, add(r, bid, bid));
    for (uint64_t bid = 4; bid < 400; bid += 4) {
        const uint8_t *p = ost_blockring_find(r, bid);

        assert_non_null(p);
        assert_true(is_whole(p, bid, bid));
        assert_int_equal((uintptr_t)p % 16, 0);
        ost_blockring_put(r, p);
    }
    assert_null(ost_blockring_find(r, 400));
    ost_blockring_destroy(r);
}

/* A long run of blocks of all sizes, some held for a while; a model knows what is held. */
static void held_blocks_stay_and_the_oldest_go(void **state)
{
    enum { HELD = 20 };
    struct ost_blockring *r;
    struct {
        uint8_t *data;
        uint64_t bid;
        size_t size;
    } held[HELD] = {{0}};
    uint64_t seed = 1, bid = 0;

    (void)state;
    assert_int_equal(ost_blockring_create(4 << 20, &r), 0);
    for (unsigned i = 0; i < 20000; i++) {
        size_t size = (seed = seed * 6364136223846793005u + 1) >> 33 & (i % 7 ? 0x3FF : 0xFFFF);
        unsigned at = seed >> 50 & 31;
        uint8_t *p = add(r, bid += 4, size);

        assert_non_null(p);
        if (at >= HELD) {
            ost_blockring_put(r, p);
            continue;
        }
        if (held[at].data) {
            assert_true(is_whole(held[at].data, held[at].bid, held[at].size));
            assert_ptr_equal(ost_blockring_find(r, held[at].bid), held[at].data);
            ost_blockring_put(r, held[at].data);
            ost_blockring_put(r, held[at].data);
        }
        held[at].data = p;
        held[at].bid = bid;
        held[at].size = size;
    }
    assert_null(ost_blockring_find(r, 4)); /* long gone */
    ost_blockring_destroy(r);
}

static void it_grows_only_for_what_is_held(void **state)
{
    enum { SIZE = 60000, MOST = (8 << 20) / SIZE };
    struct ost_blockring *r;
    uint8_t *held[MOST + 1];
    unsigned count = 0;
    uint64_t before = mem_test_count();
    uint8_t *p;

    (void)state;
    assert_int_equal(ost_blockring_create(8 << 20, &r), 0);
    before = mem_test_count();
    while ((p = add(r, 4 * (count + 1), SIZE)) != NULL) {
        assert_true(count <= MOST);
        held[count++] = p;
    }
    assert_true(count >= MOST - 4);
    for (unsigned i = 0; i < count; i++)
        assert_true(is_whole(held[i], 4 * (i + 1), SIZE));
    /* what is given back makes room again */
    ost_blockring_put(r, held[count / 2]);
    p = add(r, 4000, SIZE);
    assert_non_null(p);
    assert_null(ost_blockring_find(r, 4 * (count / 2 + 1)));
    assert_int_equal(mem_test_count(), before);
    ost_blockring_destroy(r);
}

static void what_is_forgotten_is_not_found(void **state)
{
    struct ost_blockring *r;
    uint8_t *first, *second;

    (void)state;
    assert_int_equal(ost_blockring_create(OST_BLOCKRING_SOFT, &r), 0);
    first = add(r, 8, 100);
    ost_blockring_forget(r, first);
    assert_null(ost_blockring_find(r, 8));
    second = add(r, 8, 100);
    assert_ptr_not_equal(first, second);
    assert_ptr_equal(ost_blockring_find(r, 8), second);
    ost_blockring_forget(r, first); /* twice does no harm */
    assert_true(is_whole(first, 8, 100));
    ost_blockring_destroy(r);
}

/* Bids that a multiplication by 2^64 over the golden ratio sends to one place, as an image can
 * choose them: they are found in the time that it takes to find any. */
static void chosen_bids_cost_no_more(void **state)
{
    enum { CHOSEN = 100000, SECONDS = 10 };
    const uint64_t inverse = UINT64_C(0xF1DE83E19937733D); /* of 0x9E3779B97F4A7C15 */
    struct ost_blockring *r;
    clock_t start = clock();

    (void)state;
    assert_true(inverse * UINT64_C(0x9E3779B97F4A7C15) == 1);
    assert_int_equal(ost_blockring_create(64 << 20, &r), 0);
    for (uint64_t i = 1; i <= CHOSEN; i++)
        (void)add(r, i * inverse << 1, 64); /* held: all are there at once */
    for (uint64_t i = 1; i <= CHOSEN; i++)
        assert_non_null(ost_blockring_find(r, i * inverse << 1));
    assert_true((double)(clock() - start) / CLOCKS_PER_SEC < SECONDS);
    ost_blockring_destroy(r);
}

static void creation_fails_cleanly(void **state)
{
    struct ost_blockring *r = NULL;
    uint64_t nth = 0;
    int rc;

    (void)state;
    do {
        mem_test_fail(++nth, 0);
        rc = ost_blockring_create(OST_BLOCKRING_SOFT, &r);
        mem_test_fail(0, 0);
    } while (rc == ERR_NOMEM);
    assert_int_equal(rc, 0);
    assert_int_equal(nth, 3);
    ost_blockring_destroy(r);
    ost_blockring_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_added_is_found),
        cmocka_unit_test(held_blocks_stay_and_the_oldest_go),
        cmocka_unit_test(it_grows_only_for_what_is_held),
        cmocka_unit_test(what_is_forgotten_is_not_found),
        cmocka_unit_test(chosen_bids_cost_no_more),
        cmocka_unit_test(creation_fails_cleanly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
