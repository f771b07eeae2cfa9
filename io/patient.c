/*
 * patient.c: see patient.h.
 *
 *   caller ──▶ call ──▶ a helper, idle or new ──▶ the system call ──▶ done ──▶ caller
 *                                                      │
 *                                                      └─ too long: given up; when it returns, the
 *                                                         helper undoes it and is idle again
 *
 * A call is memory of its own with all that goes into the system call and comes out of it, for one
 * that was given up may still be written to. `mutex` guards the idle helpers and each call's state.
 * It is given up at the second look that finds it overdue, for at the first the whole process may
 * have stood still. Helpers are never joined: those that hang would keep the program from ending.
 */
#include "io/patient.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "io/clock.h"
#include "io/mem.h"

enum { LOOK_NS = 250000000, SECOND_NS = 1000000000, SHARES = 64 };
enum { FOLDER_FLAGS = O_RDONLY | O_DIRECTORY | O_CLOEXEC };

enum call_kind {
    DO_OPEN,
    DO_FOLDER,
    DO_FSTAT,
    DO_FSTATAT,
    DO_GETDENTS,
    DO_STATFS,
    DO_REALPATH,
    DO_TRY_READ,
    DO_CLOSE
};

struct call {
    enum call_kind kind;
    uint64_t share;
    bool done, given_up, noted;
    int errnum; /* 0: it went well */

    int fd; /* the file's, or that of the folder of `path` */
    int flags;
    size_t size, align;

    ssize_t result; /* a descriptor, a size */
    struct stat st;
    struct statfs fs;
    char *real;

    char bytes[]; /* the path, or what is listed */
};

struct helper {
    struct helper *next; /* among the idle ones */
    pthread_cond_t wake, finished;
    struct call *call;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct helper *idle;
static struct owed {
    uint64_t share;
    unsigned answers; /* 0: the entry is free */
} owed[SHARES];
static uint64_t patience_ns;
static const atomic_bool *patience_cancel;
static bool all_may_hang;

void io_patience(uint64_t timeout_ns, const atomic_bool *cancel)
{
    patience_ns = timeout_ns;
    patience_cancel = cancel;
}

void io_patience_test(bool all)
{
    all_may_hang = all;
}

/* Which may not hang: linux/magic.h has some of them, the others belong to modules of their own. */
uint64_t io_share_of(uint64_t type, uint64_t device)
{
    static const uint32_t local[] = {
        0xEF53,     /* ext2, ext3, ext4 */
        0x58465342, /* XFS */
        0x9123683E, /* btrfs */
        0x01021994, /* tmpfs */
        0x858458F6, /* ramfs */
        0x2FC12FC1, /* ZFS */
        0xF2F52010, /* F2FS */
        0xCA451A4E, /* bcachefs */
        0x7366746E, /* NTFS */
        0x2011BAB0, /* exFAT */
        0x4D44,     /* FAT */
        0x9660,     /* ISO 9660 */
        0x15013346, /* UDF */
        0x73717368, /* squashfs */
        0xE0F5E1E2, /* EROFS */
        0x3153464A, /* JFS */
        0x794C7630, /* overlay: of file systems like these */
    };

    for (unsigned i = 0; i < sizeof local / sizeof *local && !all_may_hang; i++)
        if ((uint32_t)type == local[i])
            return 0;
    return device ? device : SHARE_UNKNOWN;
}

/* ---- the calls themselves ---- */

/* fs->f_type 0: nobody knows. */
static int open_folder(int at, const char *path, int flags, struct stat *st, struct statfs *fs)
{
    int fd, errnum;

    do
        fd = openat(at, path, flags | FOLDER_FLAGS);
    while (fd < 0 && errno == EINTR);
    if (fd < 0)
        return -1;
    if (fstat(fd, st) == 0) {
        if (fstatfs(fd, fs) != 0)
            fs->f_type = 0;
        return fd;
    }
    errnum = errno;
    close(fd);
    errno = errnum;
    return -1;
}

static ssize_t try_read(int fd, size_t size, size_t align)
{
    void *into = mem_aligned(align, size);
    ssize_t n = into ? pread(fd, into, size, 0) : -1;
    const int errnum = into ? errno : ENOMEM;

    mem_free(into);
    errno = errnum;
    return n;
}

static bool list(struct call *c)
{
    do
        c->result = getdents64(c->fd, c->bytes, c->size);
    while (c->result < 0 && errno == EINTR);
    return c->result >= 0;
}

static bool do_call(struct call *c)
{
    switch (c->kind) {
    case DO_OPEN:
        c->result = open(c->bytes, c->flags);
        return c->result >= 0;
    case DO_FOLDER:
        c->result = open_folder(c->fd, c->bytes, c->flags, &c->st, &c->fs);
        return c->result >= 0;
    case DO_FSTAT:
        return fstat(c->fd, &c->st) == 0;
    case DO_FSTATAT:
        return fstatat(c->fd, c->bytes, &c->st, c->flags) == 0;
    case DO_GETDENTS:
        return list(c);
    case DO_STATFS:
        return statfs(c->bytes, &c->fs) == 0;
    case DO_REALPATH:
        c->real = realpath(c->bytes, NULL);
        return c->real != NULL;
    case DO_TRY_READ:
        c->result = try_read(c->fd, c->size, c->align);
        return c->result >= 0;
    case DO_CLOSE:
        return close(c->fd) == 0;
    }
    return false;
}

/* Of one that nobody waits for any more. */
static void undo(struct call *c)
{
    if (!c->errnum && (c->kind == DO_OPEN || c->kind == DO_FOLDER))
        close((int)c->result);
    free(c->real);
    mem_free(c);
}

/* ---- what shares owe; with the lock held ---- */

/* NULL: it owes nothing. */
static struct owed *owed_by(uint64_t share)
{
    for (unsigned i = 0; i < SHARES; i++)
        if (owed[i].answers && owed[i].share == share)
            return &owed[i];
    return NULL;
}

/* That of more shares than the table holds is not noted. */
static void note_owed(struct call *c)
{
    struct owed *o = owed_by(c->share);

    for (unsigned i = 0; i < SHARES && !o; i++)
        if (!owed[i].answers)
            o = &owed[i];
    c->given_up = true;
    c->noted = o != NULL;
    if (o)
        *o = (struct owed){c->share, o->answers + 1};
}

static void note_answered(const struct call *c)
{
    struct owed *o = c->noted ? owed_by(c->share) : NULL;

    if (o)
        o->answers--;
}

static bool owes_enough(uint64_t share)
{
    const struct owed *o = share == SHARE_UNKNOWN ? NULL : owed_by(share);

    return o && o->answers >= PATIENT_OWED;
}

/* ---- helpers ---- */

static void *help(void *arg)
{
    struct helper *h = arg;

    pthread_mutex_lock(&mutex);
    for (;;) {
        struct call *c;

        while (!h->call)
            pthread_cond_wait(&h->wake, &mutex);
        c = h->call;
        pthread_mutex_unlock(&mutex);
        c->errnum = do_call(c) ? 0 : errno;
        pthread_mutex_lock(&mutex);
        h->call = NULL;
        c->done = true;
        if (c->given_up) {
            note_answered(c);
            pthread_mutex_unlock(&mutex);
            undo(c);
            pthread_mutex_lock(&mutex);
            h->next = idle;
            idle = h;
        }
        pthread_cond_signal(&h->finished);
    }
    return NULL;
}

static bool start_helper(struct helper *h)
{
    pthread_attr_t how;
    sigset_t all, before;
    pthread_t thread;
    int errnum;

    pthread_attr_init(&how);
    pthread_attr_setdetachstate(&how, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    errnum = pthread_create(&thread, &how, help, h);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&how);
    return errnum == 0;
}

/* NULL: no thread is to be had. */
static struct helper *make_helper(void)
{
    struct helper *h = mem_zalloc(sizeof *h);
    pthread_condattr_t monotonic;

    if (!h)
        return NULL;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&h->wake, NULL);
    pthread_cond_init(&h->finished, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (start_helper(h))
        return h;
    pthread_cond_destroy(&h->finished);
    pthread_cond_destroy(&h->wake);
    mem_free(h);
    return NULL;
}

static bool is_cancelled(void)
{
    return patience_cancel && atomic_load(patience_cancel);
}

static struct timespec from_now(uint64_t ns)
{
    const uint64_t due_ns = clock_monotonic_ns() + ns;

    return (struct timespec){.tv_sec = (time_t)(due_ns / SECOND_NS),
                             .tv_nsec = (long)(due_ns % SECOND_NS)};
}

/* With the lock held. 0, or why it is not done. */
static int await(struct helper *h, const struct call *c)
{
    const uint64_t begun_ns = clock_monotonic_ns();
    const uint64_t look_ns = patience_ns / 4 < LOOK_NS ? patience_ns / 4 + 1 : LOOK_NS;
    bool overdue = false;

    while (!c->done) {
        const struct timespec due = from_now(look_ns);

        if (pthread_cond_timedwait(&h->finished, &mutex, &due) != ETIMEDOUT || c->done)
            continue;
        if (is_cancelled())
            return ECANCELED;
        if (clock_monotonic_ns() - begun_ns < patience_ns)
            continue;
        if (overdue)
            return ETIMEDOUT;
        overdue = true;
    }
    return 0;
}

/* A thread for it; NULL: there is none to be had. With the lock held. */
static struct helper *take_helper(void)
{
    struct helper *h = idle;

    if (h)
        idle = h->next;
    else
        h = make_helper();
    return h;
}

/* 0, or why it failed; *given_up: it is not the caller's any more. */
static int make_by_helper(struct call *c, bool *given_up)
{
    struct helper *h = NULL;
    int errnum;

    *given_up = false;
    pthread_mutex_lock(&mutex);
    errnum = owes_enough(c->share) ? ETIMEDOUT : 0;
    if (!errnum)
        h = take_helper();
    if (h) {
        h->call = c;
        pthread_cond_signal(&h->wake);
        errnum = await(h, c);
        *given_up = errnum != 0;
        if (errnum) {
            note_owed(c);
        } else {
            errnum = c->errnum;
            h->next = idle;
            idle = h;
        }
    }
    pthread_mutex_unlock(&mutex);
    return h || errnum ? errnum : do_call(c) ? 0 : errno;
}

/* Makes the call. False, with errno: it failed, and is freed; or was given up. */
static bool make(struct call *c)
{
    bool given_up;
    int errnum = make_by_helper(c, &given_up);

    if (!errnum)
        return true;
    if (!given_up)
        mem_free(c);
    errno = errnum;
    return false;
}

/* NULL: it is made as it is, for it cannot hang, nobody minds, or there is no memory. */
static struct call *call_of(enum call_kind kind, uint64_t share, int fd, const char *path,
                            int flags, size_t size)
{
    const size_t room = path ? strlen(path) + 1 : size;
    struct call *c = share && patience_ns ? mem_alloc(sizeof *c + room) : NULL;

    if (!c)
        return NULL;
    *c = (struct call){.kind = kind, .share = share, .fd = fd, .flags = flags, .size = size};
    if (path)
        memcpy(c->bytes, path, room);
    return c;
}

/* ---- as they are asked for ---- */

int patient_open(uint64_t share, const char *path, int flags)
{
    struct call *c = call_of(DO_OPEN, share, -1, path, flags, 0);
    int fd;

    if (!c)
        return open(path, flags);
    if (!make(c))
        return -1;
    fd = (int)c->result;
    mem_free(c);
    return fd;
}

int patient_fstat(uint64_t share, int fd, struct stat *out)
{
    struct call *c = call_of(DO_FSTAT, share, fd, NULL, 0, 0);

    if (!c)
        return fstat(fd, out);
    if (!make(c))
        return -1;
    *out = c->st;
    mem_free(c);
    return 0;
}

int patient_fstatat(uint64_t share, int at, const char *path, struct stat *out, int flags)
{
    struct call *c = call_of(DO_FSTATAT, share, at, path, flags, 0);

    if (!c)
        return fstatat(at, path, out, flags);
    if (!make(c))
        return -1;
    *out = c->st;
    mem_free(c);
    return 0;
}

ssize_t patient_getdents(uint64_t share, int fd, void *into, size_t size)
{
    struct call *c = call_of(DO_GETDENTS, share, fd, NULL, 0, size);
    ssize_t n;

    if (!c)
        return getdents64(fd, into, size);
    if (!make(c))
        return -1;
    n = c->result;
    memcpy(into, c->bytes, (size_t)n);
    mem_free(c);
    return n;
}

int patient_statfs(uint64_t share, const char *path, struct statfs *out)
{
    struct call *c = call_of(DO_STATFS, share, -1, path, 0, 0);

    if (!c)
        return statfs(path, out);
    if (!make(c))
        return -1;
    *out = c->fs;
    mem_free(c);
    return 0;
}

char *patient_realpath(uint64_t share, const char *path)
{
    struct call *c = call_of(DO_REALPATH, share, -1, path, 0, 0);
    char *real;

    if (!c)
        return realpath(path, NULL);
    if (!make(c))
        return NULL;
    real = c->real;
    mem_free(c);
    return real;
}

ssize_t patient_try_read(uint64_t share, int fd, size_t size, size_t align)
{
    struct call *c = call_of(DO_TRY_READ, share, fd, NULL, 0, 0);
    ssize_t n;

    if (!c)
        return try_read(fd, size, align);
    c->size = size;
    c->align = align;
    if (!make(c))
        return -1;
    n = c->result;
    mem_free(c);
    return n;
}

void patient_close(uint64_t share, int fd)
{
    struct call *c = call_of(DO_CLOSE, share, fd, NULL, 0, 0);

    if (!c)
        close(fd);
    else if (make(c))
        mem_free(c);
}

/* Only if nothing is mounted there. */
static int open_same(int at, const char *path, int flags, struct stat *st)
{
    const struct open_how how = {.flags = (unsigned)(flags | FOLDER_FLAGS),
                                 .resolve = RESOLVE_NO_XDEV};
    const int fd = (int)syscall(SYS_openat2, at, path, &how, sizeof how);

    if (fd < 0 || fstat(fd, st) == 0)
        return fd;
    close(fd);
    return -1;
}

int patient_open_folder(uint64_t share, int at, const char *path, int flags, struct stat *out,
                        uint64_t *inner)
{
    const uint64_t asked = share ? share : SHARE_UNKNOWN;
    struct statfs fs;
    struct call *c;
    int fd;

    if (!share && patience_ns && (fd = open_same(at, path, flags, out)) >= 0) {
        *inner = 0;
        return fd;
    }
    c = call_of(DO_FOLDER, asked, at, path, flags, 0);
    if (!c) {
        fd = open_folder(at, path, flags, out, &fs);
    } else if (make(c)) {
        fd = (int)c->result;
        *out = c->st;
        fs = c->fs;
        mem_free(c);
    } else {
        return -1;
    }
    if (fd >= 0)
        *inner = io_share_of((uint64_t)fs.f_type, out->st_dev);
    return fd;
}
