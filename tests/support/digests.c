/* digests.c: see digests.h. */
#include "tests/support/digests.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

void digest_bench_init(struct digest_bench *b, enum idx_algorithm algorithm)
{
    assert_int_equal(idx_text_create(&b->text), 0);
    assert_int_equal(idx_digester_create(algorithm, &b->digester), 0);
    arena_init(&b->arena, 1 << 28);
}

void digest_bench_done(struct digest_bench *b)
{
    idx_text_destroy(b->text);
    idx_digester_destroy(b->digester);
    arena_done(&b->arena);
}

int digest_try(struct digest_bench *b, const struct ost_item *item, struct idx_digests *out)
{
    struct idx_view view;
    int rc = idx_view_make(b->text, &b->arena, item, &view);

    return rc ? rc : idx_digest_item(b->digester, &b->arena, item, &view, out);
}

struct idx_digests digest_of(struct digest_bench *b, const struct ost_item *item)
{
    struct idx_digests d;

    arena_reset(&b->arena);
    assert_int_equal(digest_try(b, item, &d), 0);
    return d;
}

bool digest_same(const struct ost_digest *a, const struct ost_digest *b)
{
    return a->size == b->size && !memcmp(a->bytes, b->bytes, a->size);
}

unsigned digest_difference(const struct idx_digests *a, const struct idx_digests *b)
{
    unsigned d = 0;

    d |= digest_same(&a->exact, &b->exact) ? 0 : D_EXACT;
    d |= digest_same(&a->core, &b->core) ? 0 : D_CORE;
    d |= digest_same(&a->state, &b->state) ? 0 : D_STATE;
    if (!digest_same(&a->body_text, &b->body_text) || !digest_same(&a->body_html, &b->body_html) ||
        !digest_same(&a->body_rtf, &b->body_rtf))
        d |= D_BODY;
    if (a->has_mih != b->has_mih || (a->has_mih && memcmp(a->mih, b->mih, 16)))
        d |= D_MIH;
    return d;
}
