/* listing.c: see listing.h. */
#include "io/listing.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/types.h>

#include "io/patient.h"

int listing_open(int at, const char *path, int flags)
{
    int fd;

    do
        fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);
    while (fd < 0 && errno == EINTR);
    return fd;
}

void listing_start(struct listing *l, int fd, uint64_t share)
{
    l->fd = fd;
    l->share = share;
    l->next = 0;
    l->size = 0;
}

static int refill(struct listing *l)
{
    ssize_t n;

    do
        n = patient_getdents(l->share, l->fd, l->data, sizeof l->data);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno;
    l->next = 0;
    l->size = (size_t)n;
    return 0;
}

int listing_next(struct listing *l, const struct dirent64 **entry)
{
    for (;;) {
        const struct dirent64 *e;

        if (l->next == l->size) {
            int errnum = refill(l);

            if (errnum)
                return errnum;
            if (!l->size) {
                *entry = NULL;
                return 0;
            }
        }
        e = (const struct dirent64 *)(const void *)(l->data + l->next);
        l->next += e->d_reclen;
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        *entry = e;
        return 0;
    }
}
