/*
 * compare_answer.h: what a comparison means, in sentences for the person who asked.
 *
 * Each has a word that programs may look for. They say what is proven and no more; none says that
 * anything may be deleted.
 *
 * Threads: pure function.
 */
#ifndef INDEX_COMPARE_ANSWER_H
#define INDEX_COMPARE_ANSWER_H

#include "index/compare.h"

/* Calls `say` for each sentence; what it returns other than 0 ends it. ERR_NOMEM. */
int cmp_answer(const struct cmp_result *r,
               int (*say)(void *ctx, const char *word, const char *text), void *ctx);

#endif
