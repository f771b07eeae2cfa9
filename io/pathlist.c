/*
 * pathlist.c: see pathlist.h. The list may be a pipe that is still being written, or have millions
 * of lines, or be no list at all: it is read a chunk at a time, and since no path longer than
 * PATH_MAX can be opened, one buffer of that size holds any entry. Waiting is cut into slices, as
 * the signal that sets *cancel may interrupt another thread than this.
 */
#include "io/pathlist.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "io/fault.h"
#include "io/mem.h"

enum { LIST_CHUNK = 64 * 1024, LIST_SLICE_MS = 100 };

struct pathlist {
    char text[PATH_MAX];
    size_t size;
    bool too_long;
    char chunk[LIST_CHUNK];
};

static bool cancelled(const atomic_bool *cancel)
{
    return cancel && atomic_load_explicit(cancel, memory_order_relaxed);
}

static int read_chunk(struct pathlist *l, int fd, const atomic_bool *cancel, size_t *received,
                      struct fault *fault)
{
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        ssize_t n;

        if (cancelled(cancel))
            return ERR_CANCELLED;
        if (poll(&p, 1, LIST_SLICE_MS) <= 0)
            continue;
        n = read(fd, l->chunk, sizeof l->chunk);
        if (n >= 0) {
            *received = (size_t)n;
            return 0;
        }
        if (errno != EINTR && errno != EAGAIN)
            return fault_errno(fault, "read", errno);
    }
}

static void add(struct pathlist *l, const char *data, size_t size)
{
    size_t room = sizeof l->text - 1 - l->size;

    if (size > room) {
        l->too_long = true;
        size = room;
    }
    memcpy(l->text + l->size, data, size);
    l->size += size;
}

static int hand_out(struct pathlist *l, int (*entry)(void *ctx, const char *path, int errnum),
                    void *ctx)
{
    int errnum = 0;
    int r;

    if (!l->size)
        return 0;
    l->text[l->size] = '\0';
    if (memchr(l->text, '\0', l->size))
        errnum = EINVAL;
    else if (l->too_long)
        errnum = ENAMETOOLONG;
    r = entry(ctx, l->text, errnum);
    l->size = 0;
    l->too_long = false;
    return r;
}

int pathlist_read(int fd, char separator, const atomic_bool *cancel,
                  int (*entry)(void *ctx, const char *path, int errnum), void *ctx,
                  struct fault *fault)
{
    struct pathlist *l = mem_zalloc(sizeof *l);
    size_t received = 0;
    int r;

    if (!l)
        return ERR_NOMEM;
    while ((r = read_chunk(l, fd, cancel, &received, fault)) == 0 && received) {
        const char *at = l->chunk, *end = at + received, *stop;

        while (!r && (stop = memchr(at, separator, (size_t)(end - at)))) {
            add(l, at, (size_t)(stop - at));
            r = hand_out(l, entry, ctx);
            at = stop + 1;
        }
        if (r)
            break;
        add(l, at, (size_t)(end - at));
    }
    if (!r)
        r = hand_out(l, entry, ctx);
    mem_free(l);
    return r;
}
