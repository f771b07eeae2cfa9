/* crew.c: see crew.h. What no thread can be had for is done by the caller's, after its own. */
#include "scanner/check/crew.h"

#include <assert.h>
#include <pthread.h>

struct hand {
    void (*work)(void *ctx, unsigned i);
    void *ctx;
    unsigned i;
};

static void *start(void *ctx)
{
    const struct hand *h = ctx;

    h->work(h->ctx, h->i);
    return NULL;
}

void chk_crew_run(unsigned count, void (*work)(void *ctx, unsigned i), void *ctx)
{
    struct hand hands[CHK_CREW_MAX];
    pthread_t threads[CHK_CREW_MAX];
    unsigned started = 1;

    assert(count > 0 && count <= CHK_CREW_MAX);
    for (unsigned i = 0; i < count; i++)
        hands[i] = (struct hand){work, ctx, i};
    while (started < count && !pthread_create(&threads[started], NULL, start, &hands[started]))
        started++;
    work(ctx, 0);
    for (unsigned i = started; i < count; i++)
        work(ctx, i);
    for (unsigned i = 1; i < started; i++)
        pthread_join(threads[i], NULL);
}
