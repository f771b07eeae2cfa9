/*
 * crew.h: threads that work together: for one call, or as a crew that help each other.
 *
 * A thread with work that several can do at once offers it as a job and does it together with those
 * that join: threads of the crew that have nothing else to do. What a thread needs for any job (its
 * buffers, its reader) it brings along as its kit.
 *
 * Ownership: a job belongs to the thread that offers it and lives until it is withdrawn.
 * Threads: any.
 */
#ifndef IO_CREW_H
#define IO_CREW_H

#include <stdbool.h>

enum { CREW_RUN_MAX = 64 };

/*
 * Calls work(ctx, i) for each i below count (1 to CREW_RUN_MAX), each in a thread of its own as far
 * as threads can be had, the caller's among them, and returns when all have returned. Whatever one
 * waits for another to do may therefore never come: they are to be independent.
 */
void crew_run(unsigned count, void (*work)(void *ctx, unsigned i), void *ctx);

struct crew;

struct crew_job {
    void *ctx;
    /* Does what there is to do, waiting for more while there may be more. True: some may be left,
     * but this thread was called away (crew_called). */
    bool (*work)(void *ctx, void *kit);
    unsigned most; /* threads at once, beside the one that offers it */

    /* The crew's own. */
    unsigned working;
    bool offered, finished;
    struct crew_job *next;
};

int crew_create(struct crew **out); /* ERR_NOMEM */
void crew_destroy(struct crew *c);  /* no thread is in it; NULL is allowed */

void crew_offer(struct crew *c, struct crew_job *job);
/* Nobody joins any more; returns when all who joined have left. */
void crew_withdraw(struct crew *c, struct crew_job *job);

/* Of a thread without work of its own: joins jobs, the one offered first before others, until
 * `over` says so, which is asked before each job and after each crew_wake. */
void crew_idle(struct crew *c, void *kit, bool (*over)(void *ctx), void *ctx);

/* There is something new for threads that are idle: they leave jobs for it. */
void crew_wake(struct crew *c);
/* Whether a thread that has joined a job should leave it. */
bool crew_called(const struct crew *c);

#endif
