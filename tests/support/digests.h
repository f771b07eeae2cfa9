/*
 * digests.h: a digester with what it needs around it, for tests that compare digests.
 *
 * Failures fail the running test, but in digest_try.
 */
#ifndef TESTS_SUPPORT_DIGESTS_H
#define TESTS_SUPPORT_DIGESTS_H

#include <stdbool.h>

#include "index/digest.h"

struct digest_bench {
    struct idx_text *text;
    struct idx_digester *digester;
    struct arena arena;
};

void digest_bench_init(struct digest_bench *b, enum idx_algorithm algorithm);
void digest_bench_done(struct digest_bench *b);

int digest_try(struct digest_bench *b, const struct ost_item *item, struct idx_digests *out);
/* Valid until the next call (the digests of embedded items). */
struct idx_digests digest_of(struct digest_bench *b, const struct ost_item *item);

bool digest_same(const struct ost_digest *a, const struct ost_digest *b);

enum { D_EXACT = 1, D_CORE = 2, D_BODY = 4, D_STATE = 8, D_MIH = 16 };

/* Which digests differ. */
unsigned digest_difference(const struct idx_digests *a, const struct idx_digests *b);

#endif
