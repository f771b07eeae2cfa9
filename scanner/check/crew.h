/*
 * crew.h: one function run by several threads, the caller's among them.
 */
#ifndef SCANNER_CHECK_CREW_H
#define SCANNER_CHECK_CREW_H

enum { CHK_CREW_MAX = 64 };

/*
 * Calls work(ctx, i) for each i below count (1 to CHK_CREW_MAX), each in a thread of its own as far
 * as threads can be had, and returns when all have returned. Whatever one waits for another to do
 * may therefore never come: they are to be independent.
 */
void chk_crew_run(unsigned count, void (*work)(void *ctx, unsigned i), void *ctx);

#endif
