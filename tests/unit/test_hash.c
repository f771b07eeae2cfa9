/* test_hash.c: known answers of the three algorithms, and the hasher that engines get. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "index/hash.h"
#include "index/hash_pool.h"
#include "io/err.h"
#include "io/mem.h"

/* XXH3 of the plain library call (no dispatch), SHA-256 and MD5 of the system tools. */
static const struct {
    enum idx_algorithm algorithm;
    const char *data, *text;
} known[] = {
    {IDX_XXH3, "", "xxh3:99aa06d3014798d86001c324468d497f"},
    {IDX_XXH3, "abc", "xxh3:06b05ab6733a618578af5f94892f3950"},
    {IDX_SHA256, "", "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {IDX_SHA256, "abc", "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
};

static void known_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct ost_digest one, streamed;
        char text[IDX_DIGEST_TEXT];
        struct idx_hash *h;

        assert_int_equal(
            idx_hash_bytes(known[i].algorithm, known[i].data, strlen(known[i].data), &one), 0);
        idx_digest_text(&one, text);
        assert_string_equal(text, known[i].text);
        assert_int_equal(idx_hash_create(known[i].algorithm, &h), 0);
        idx_hash_update(h, "left over", 9);
        idx_hash_reset(h);
        for (const char *c = known[i].data; *c; c++)
            idx_hash_update(h, c, 1);
        idx_hash_update(h, NULL, 0);
        idx_hash_final(h, &streamed);
        assert_memory_equal(&streamed, &one, sizeof one);
        idx_hash_reset(h);
        idx_hash_update(h, known[i].data, strlen(known[i].data));
        idx_hash_final(h, &streamed);
        assert_memory_equal(&streamed, &one, sizeof one);
        idx_hash_destroy(h);
    }
    idx_hash_destroy(NULL);
}

static void md5_known_answer(void **state)
{
    static const uint8_t expected[16] = {0x90, 0x01, 0x50, 0x98, 0x3c, 0xd2, 0x4f, 0xb0,
                                         0xd6, 0x96, 0x3f, 0x7d, 0x28, 0xe1, 0x7f, 0x72};
    uint8_t md5[16];

    (void)state;
    assert_int_equal(idx_md5("abc", 3, md5), 0);
    assert_memory_equal(md5, expected, 16);
}

/* Around the sizes where XXH3 changes its way: 16, 128, 240 bytes, its buffer of 256, a block. */
static void streams_equal_one_shots(void **state)
{
    static uint8_t data[5000];

    (void)state;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 131 + (i >> 8));
    for (size_t size = 0; size < sizeof data; size += size < 300 ? 1 : 117) {
        struct ost_digest one, streamed;
        struct idx_hash *h;

        assert_int_equal(idx_hash_bytes(IDX_XXH3, data, size, &one), 0);
        assert_int_equal(idx_hash_create(IDX_XXH3, &h), 0);
        for (size_t at = 0; at < size; at += 37)
            idx_hash_update(h, data + at, size - at < 37 ? size - at : 37);
        idx_hash_final(h, &streamed);
        assert_memory_equal(&streamed, &one, sizeof one);
        idx_hash_destroy(h);
    }
}

static void hasher_gives_the_same(void **state)
{
    static const enum idx_algorithm algorithms[] = {IDX_XXH3, IDX_SHA256};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct ost_hasher hasher = idx_hasher(algorithms[i]);
        struct ost_digest one, other;
        void *s = hasher.begin(hasher.ctx);

        assert_non_null(s);
        hasher.update(s, "ab", 2);
        hasher.update(s, "c", 1);
        hasher.end(s, &other);
        assert_int_equal(idx_hash_bytes(algorithms[i], "abc", 3, &one), 0);
        assert_memory_equal(&one, &other, sizeof one);
        s = hasher.begin(hasher.ctx);
        hasher.update(s, "x", 1);
        hasher.abort(s);
        mem_test_fail(1, 0);
        assert_null(hasher.begin(hasher.ctx));
        mem_test_fail(0, 0);
    }
}

static void streams_over_one_state(void **state)
{
    static const enum idx_algorithm algorithms[] = {IDX_XXH3, IDX_SHA256};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct ost_digest one, other;
        struct ost_hasher hasher;
        struct idx_hash *h;
        uint64_t before;

        assert_int_equal(idx_hash_create(algorithms[i], &h), 0);
        assert_int_equal(idx_hash_bytes(algorithms[i], "abc", 3, &one), 0);
        hasher = idx_hasher_of(h);
        before = mem_test_count();
        for (int turn = 0; turn < 3; turn++) {
            void *s = hasher.begin(hasher.ctx);

            hasher.update(s, "x", 1);
            hasher.abort(s);
            s = hasher.begin(hasher.ctx);
            hasher.update(s, "ab", 2);
            hasher.update(s, "c", 1);
            hasher.end(s, &other);
            assert_memory_equal(&one, &other, sizeof one);
        }
        assert_int_equal(mem_test_count(), before);
        idx_hash_destroy(h);
    }
}

static void creation_fails_cleanly(void **state)
{
    struct idx_hash *h;

    (void)state;
    mem_test_fail(1, 1);
    assert_int_equal(idx_hash_create(IDX_XXH3, &h), ERR_NOMEM);
    assert_int_equal(idx_hash_create(IDX_SHA256, &h), ERR_NOMEM);
    mem_test_fail(0, 0);
}

/* Several are open at once; one that has ended is taken again, and takes no memory. */
static void a_pool_keeps_its_states(void **state)
{
    enum { OPEN = 3 };
    static const enum idx_algorithm algorithms[] = {IDX_XXH3, IDX_SHA256};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct idx_hash_pool *pool;
        struct ost_hasher hasher;
        struct ost_digest one, digest;
        void *open[OPEN];
        uint64_t before = 0;

        assert_int_equal(idx_hash_bytes(algorithms[i], "abc", 3, &one), 0);
        assert_int_equal(idx_hash_pool_create(algorithms[i], &pool), 0);
        hasher = idx_hash_pool_hasher(pool);
        for (unsigned turn = 0; turn < 3; turn++) {
            for (unsigned k = 0; k < OPEN; k++) {
                open[k] = hasher.begin(hasher.ctx);
                assert_non_null(open[k]);
                hasher.update(open[k], "ab", 2);
            }
            hasher.abort(open[0]);
            for (unsigned k = 1; k < OPEN; k++)
                hasher.update(open[k], "c", 1);
            for (unsigned k = 1; k < OPEN; k++) {
                hasher.end(open[k], &digest);
                assert_memory_equal(&digest, &one, sizeof one);
            }
            assert_true(turn == 0 || mem_test_count() == before);
            before = mem_test_count();
        }
        for (unsigned nth = 1; nth <= 2; nth++) {
            for (unsigned k = 0; k < OPEN; k++)
                open[k] = hasher.begin(hasher.ctx);
            mem_test_fail(nth, 0);
            assert_null(hasher.begin(hasher.ctx));
            mem_test_fail(0, 0);
            for (unsigned k = 0; k < OPEN; k++)
                hasher.abort(open[k]);
        }
        idx_hash_pool_destroy(pool);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),           cmocka_unit_test(md5_known_answer),
        cmocka_unit_test(streams_equal_one_shots), cmocka_unit_test(hasher_gives_the_same),
        cmocka_unit_test(a_pool_keeps_its_states), cmocka_unit_test(streams_over_one_state),
        cmocka_unit_test(creation_fails_cleanly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
