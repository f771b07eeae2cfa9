/*
 * advice_steps.h: what the person at the desk does, step by step, as Microsoft describes it.
 *
 * Threads: pure function.
 */
#ifndef INDEX_ADVICE_STEPS_H
#define INDEX_ADVICE_STEPS_H

#include "index/advice.h"

struct advice_step {
    const char *name;   /* for scripts, static: "close_outlook" … (MANIFEST.md) */
    const char *text;   /* for people, until the next step; UTF-8 with parts from the image */
    bool lists_folders; /* of those of the verdict, which the reader is to be shown here */
    bool lists_items;   /* of those of reasons with a strong sign, likewise */
};

/* In order; what `step` returned, or ERR_NOMEM. */
int advice_steps(const struct advice *a, void *ctx,
                 int (*step)(void *ctx, const struct advice_step *step));

#endif
