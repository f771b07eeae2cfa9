/*
 * budget.h: heap with a bound, shared by the threads of one check.
 *
 * Threads: any; an array belongs to one.
 */
#ifndef SCANNER_CHECK_BUDGET_H
#define SCANNER_CHECK_BUDGET_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct chk_budget {
    _Atomic uint64_t limit, used, peak;
};

void chk_budget_init(struct chk_budget *b, uint64_t limit);

/* `size` bytes, uninitialised; NULL with *rc ERR_LIMIT or ERR_NOMEM. Size 0 is allowed. */
void *chk_take(struct chk_budget *b, uint64_t size, int *rc);
void *chk_take_zero(struct chk_budget *b, uint64_t size, int *rc);
/* Frees what chk_take gave for that size. NULL is allowed, and counts nothing. */
void chk_give(struct chk_budget *b, void *p, uint64_t size);

/* Counts memory that another module holds. ERR_LIMIT: counted is nothing. */
int chk_budget_count(struct chk_budget *b, uint64_t size);
void chk_budget_uncount(struct chk_budget *b, uint64_t size);

/* A growing array; all zero when empty. */
struct chk_array {
    void *data;
    size_t count, capacity; /* elements */
};

/* Room for `more` elements behind the last, which the caller then counts; NULL as of chk_take. */
void *chk_array_reserve(struct chk_budget *b, struct chk_array *a, size_t element, size_t more,
                        int *rc);
void chk_array_done(struct chk_budget *b, struct chk_array *a, size_t element);
/* Moves all of `from` behind `to`, and empties it. */
int chk_array_move(struct chk_budget *b, struct chk_array *to, struct chk_array *from,
                   size_t element);

#endif
