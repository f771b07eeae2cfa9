/*
 * outfile.c: see outfile.h.
 *
 * A temporary is told from one of a killed run by its lock: io_outfile_create holds flock on it
 * until the descriptor is closed, which death does too, and the sweep removes only what it can
 * lock. Between creating and locking it a sweep may get in; the file has no name any more then, and
 * another is tried.
 *
 * The name of a temporary keeps as much of the target's as fits into NAME_MAX, cut between UTF-8
 * characters, since some file systems refuse a name that is no UTF-8.
 */
#include "io/outfile.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/fault.h"
#include "io/listing.h"
#include "io/mem.h"

enum {
    TAIL_SIZE = 13, /* ".xxxxxxxx.tmp" */
    KEPT_MAX = NAME_MAX - 1 - TAIL_SIZE,
    CREATE_TRIES = 100,
};

struct io_outfile {
    int dir_fd;
    int fd;
    uint64_t size;
    struct fault fault;
    char name[NAME_MAX + 1];
    char current[NAME_MAX + 1]; /* the temporary's name, after the rename the target's */
};

static int make_temporary_name(struct io_outfile *f)
{
    size_t kept = strlen(f->name);
    uint32_t random;

    if (kept > KEPT_MAX) {
        kept = KEPT_MAX;
        while (kept && ((unsigned char)f->name[kept] & 0xc0) == 0x80)
            kept--;
    }
    if (TEMP_FAILURE_RETRY(getrandom(&random, sizeof random, 0)) != sizeof random)
        return errno;
    snprintf(f->current, sizeof f->current, ".%.*s.%08x.tmp", (int)kept, f->name, random);
    return 0;
}

/* True if the new file is locked, or cannot be on this file system, and still has its name. */
static bool is_ours(int fd)
{
    struct stat st;

    if (flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
        return false;
    return fstat(fd, &st) == 0 && st.st_nlink > 0;
}

static int open_temporary(struct io_outfile *f)
{
    for (unsigned i = 0; i < CREATE_TRIES; i++) {
        int errnum = make_temporary_name(f);

        if (errnum)
            return errnum;
        f->fd = openat(f->dir_fd, f->current, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (f->fd < 0 && errno != EEXIST && errno != EINTR)
            return errno;
        if (f->fd >= 0 && is_ours(f->fd))
            return 0;
        if (f->fd >= 0)
            close(f->fd);
        f->fd = -1;
    }
    return EEXIST;
}

int io_outfile_create(const char *dir, const char *name, struct io_outfile **out,
                      struct fault *fault)
{
    struct io_outfile *f;
    int r, errnum;

    assert(*name && !strchr(name, '/'));
    if (strlen(name) > NAME_MAX)
        return fault_errno(fault, "create", ENAMETOOLONG);
    f = mem_zalloc(sizeof *f);
    if (!f)
        return fault_errno(fault, "create", ENOMEM);
    strcpy(f->name, name);
    f->dir_fd = listing_open(AT_FDCWD, dir, 0);
    if (f->dir_fd < 0) {
        r = fault_errno(fault, "open folder", errno);
        goto fail;
    }
    errnum = open_temporary(f);
    if (errnum) {
        r = fault_errno(fault, "create", errnum);
        close(f->dir_fd);
        goto fail;
    }
    *out = f;
    return 0;
fail:
    mem_free(f);
    return r;
}

int io_outfile_write(struct io_outfile *f, const void *data, size_t size)
{
    const char *at = data;

    if (f->fault.code)
        return f->fault.code;
    while (size) {
        ssize_t n = write(f->fd, at, size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            fault_errno(&f->fault, "write", n ? errno : EIO);
            f->fault.offset = f->size;
            f->fault.length = size;
            return f->fault.code;
        }
        at += n;
        size -= (size_t)n;
        f->size += (size_t)n;
    }
    return 0;
}

uint64_t io_outfile_size(const struct io_outfile *f)
{
    return f->size;
}

const struct fault *io_outfile_fault(const struct io_outfile *f)
{
    return &f->fault;
}

/* The folder's entry made lasting. Not every file system can: EINVAL then, and nothing is lost. */
static int sync_folder(int fd)
{
    if (TEMP_FAILURE_RETRY(fsync(fd)) == 0 || errno == EINVAL || errno == EOPNOTSUPP)
        return 0;
    return errno;
}

/*
 * The lock goes with the descriptor, so the file gets its name before it is closed; what a network
 * file system has to say about the data on closing, it has said on fsync.
 */
static int publish(struct io_outfile *f)
{
    int errnum;

    if (f->fault.code)
        return f->fault.code;
    if (TEMP_FAILURE_RETRY(fsync(f->fd)) < 0)
        return fault_errno(&f->fault, "fsync", errno);
    if (renameat(f->dir_fd, f->current, f->dir_fd, f->name) < 0)
        return fault_errno(&f->fault, "rename", errno);
    strcpy(f->current, f->name);
    errnum = sync_folder(f->dir_fd);
    return errnum ? fault_errno(&f->fault, "fsync folder", errnum) : 0;
}

static void release(struct io_outfile *f)
{
    close(f->fd);
    close(f->dir_fd);
    mem_free(f);
}

int io_outfile_commit(struct io_outfile *f, struct fault *fault)
{
    int r = publish(f);

    if (r < 0) {
        if (fault)
            *fault = f->fault;
        io_outfile_abort(f);
        return r;
    }
    release(f);
    return 0;
}

void io_outfile_abort(struct io_outfile *f)
{
    if (!f)
        return;
    unlinkat(f->dir_fd, f->current, 0);
    release(f);
}

static bool is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int make_one(const char *path, struct fault *fault)
{
    int errnum;

    if (mkdir(path, 0700) == 0 || (errnum = errno, is_folder(path)))
        return 0;
    /* What is there and no folder is told as such: "exists" would send the reader looking for a
     * folder. */
    if (errnum == EEXIST)
        errnum = ENOTDIR;
    return fault_errno(fault, "make folder", errnum);
}

int io_make_folder(const char *path, struct fault *fault)
{
    char *part = mem_strdup(path);
    int r = 0;

    if (!part)
        return fault_errno(fault, "make folder", ENOMEM);
    for (char *at = part; !r && *at;) {
        char *slash = strchr(at + 1, '/');

        if (!slash)
            break;
        *slash = '\0';
        r = make_one(part, fault);
        *slash = '/';
        at = slash;
    }
    if (!r)
        r = make_one(path, fault);
    mem_free(part);
    return r;
}

static bool is_temporary_name(const char *name)
{
    size_t length = strlen(name);
    const char *tail;

    if (length < TAIL_SIZE + 2 || name[0] != '.')
        return false;
    tail = name + length - TAIL_SIZE;
    return tail[0] == '.' && strspn(tail + 1, "0123456789abcdef") == 8 &&
           strcmp(tail + 9, ".tmp") == 0;
}

/* 1 if it was removed, 0 if it is none of ours or still written, or a negative code. */
static int remove_leftover(int dir_fd, const char *name)
{
    struct stat st;
    int fd, r = 0;

    if (!is_temporary_name(name))
        return 0;
    if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
        return 0;
    fd = openat(dir_fd, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return 0;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        r = unlinkat(dir_fd, name, 0) == 0 ? 1 : err_from_errno(errno);
    close(fd);
    return r;
}

int io_outfile_sweep(const char *dir)
{
    int fd = listing_open(AT_FDCWD, dir, 0);
    struct listing *listing;
    const struct dirent64 *e;
    int removed = 0;
    int errnum, r;

    if (fd < 0)
        return err_from_errno(errno);
    listing = mem_alloc(sizeof *listing);
    if (!listing) {
        r = ERR_NOMEM;
        goto out;
    }
    listing_start(listing, fd, 0);
    r = 0;
    while ((errnum = listing_next(listing, &e)) == 0 && e) {
        int one = remove_leftover(fd, e->d_name);

        if (one < 0)
            r = one;
        else
            removed += one;
    }
    if (errnum)
        r = err_from_errno(errnum);
out:
    mem_free(listing);
    close(fd);
    return r < 0 ? r : removed;
}
