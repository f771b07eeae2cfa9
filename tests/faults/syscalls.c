/*
 * syscalls.c: see syscalls.h. The functions are defined here under libc's names, which takes
 * precedence over every library's, and go on to the next definition. Descriptors of the standard
 * streams are left alone, and so are files outside of what a scan touches by itself: what glibc
 * opens from within does not come by here.
 */
#include "tests/faults/syscalls.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include "io/reader.h"

static struct syscall_plan plan;
static struct syscall_counts *_Atomic counts; /* threads that were given up may look yet */
static atomic_uint touching;                  /* reads that touched the torn range */
static int record_fd = -1;

const char *syscall_name(enum syscall_kind kind)
{
    static const char *const names[CALL_KINDS] = {
        "open",   "openat",     "read",       "pread",     "preadv",         "write", "pwrite",
        "fsync",  "fdatasync",  "ftruncate",  "renameat",  "unlinkat",       "mkdir", "stat",
        "fstat",  "fstatat",    "getdents",   "getrandom", "flock",          "fcntl", "thread",
        "malloc", "completion", "submission", "ring",      "lost completion"};

    return names[kind];
}

/* What the call at hand is about. */
static _Thread_local struct {
    int fd;           /* the file's, or that of the folder of `path` */
    const char *path; /* NULL: it is the file's */
    int64_t offset;   /* -1: of no place in it */
} about;

static void about_file(int fd, int64_t offset)
{
    about.fd = fd;
    about.path = NULL;
    about.offset = offset;
}

static void about_name(int dir, const char *path)
{
    about.fd = dir;
    about.path = path;
    about.offset = -1;
}

static void path_of_file(int fd, char *to, size_t room)
{
    char link[64];
    ssize_t n;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, to, room - 1);
    to[n < 0 ? 0 : n] = '\0';
}

static void put_about(char *to, size_t room)
{
    size_t n;

    to[0] = '\0';
    if (about.fd >= 0 && !(about.path && about.path[0] == '/'))
        path_of_file(about.fd, to, room);
    n = strlen(to);
    if (about.path)
        snprintf(to + n, room - n, "%s%s", n ? "/" : "", about.path);
}

static bool is_about_images(void)
{
    char path[1024];

    put_about(path, sizeof path);
    return strstr(path, "/images") != NULL;
}

/* Of the first call that fails. */
static void note_about(void)
{
    if (atomic_fetch_add(&counts->hit, 1))
        return;
    counts->offset = about.offset;
    put_about(counts->path, sizeof counts->path);
}

/* Whether this call is one that fails; errno is set then (0: it is to be short). */
static bool fails(enum syscall_kind kind)
{
    uint64_t n;

    if (!counts || (plan.of_images && kind == plan.kind && !is_about_images()))
        return false;
    n = atomic_fetch_add(&counts->calls[kind], 1) + 1;
    if (!plan.fail_nth || kind != plan.kind ||
        (plan.all_after ? n < plan.fail_nth : n != plan.fail_nth))
        return false;
    note_about();
    if (plan.act) {
        plan.act();
        return false;
    }
    errno = plan.errnum;
    return true;
}

/* What readers ask (io/reader.h). */

static int on_outcome(void *ctx, const struct io_request *r, uint64_t offset, int outcome)
{
    (void)ctx;
    about_file(r->fd, (int64_t)offset);
    if (outcome <= 0 || !fails(CALL_COMPLETION))
        return outcome;
    return plan.errnum ? -plan.errnum : outcome > 1 ? outcome / 2 : outcome;
}

static bool is_stuck(uint64_t offset, uint64_t size)
{
    bool stuck = counts && offset < plan.stuck_to && offset + size > plan.stuck_from;

    if (stuck)
        atomic_fetch_add(&counts->hit, 1);
    return stuck;
}

static bool on_end(void *ctx, const struct io_request *r, uint64_t offset)
{
    (void)ctx;
    about_file(r->fd, (int64_t)offset);
    return is_stuck(offset, r->length) || fails(CALL_LOST);
}

static int on_submit(void *ctx)
{
    (void)ctx;
    about_file(-1, -1);
    return fails(CALL_SUBMISSION) ? plan.errnum : 0;
}

static int on_setup(void *ctx)
{
    (void)ctx;
    about_file(-1, -1);
    return fails(CALL_RING) ? plan.errnum : 0;
}

void syscalls_arm(const struct syscall_plan *p, struct syscall_counts *c)
{
    static const struct io_reader_options hooks = {.test_outcome = on_outcome,
                                                   .test_lost = on_end,
                                                   .test_submit = on_submit,
                                                   .test_setup = on_setup};

    plan = *p;
    counts = c;
    atomic_store(&touching, 0);
    io_reader_test_all(&hooks);
}

void syscalls_disarm(void)
{
    counts = NULL;
    io_reader_test_all(NULL);
}

void syscalls_record(int fd)
{
    record_fd = fd;
}

#define NEXT(type, name) ((type)(uintptr_t)dlsym(RTLD_NEXT, name))

/* Half of a size, for a short answer; the whole where the call does not fail; 0 where it does with
 * an errno. */
static bool cut(enum syscall_kind kind, size_t *size)
{
    if (!fails(kind))
        return true;
    if (plan.errnum)
        return false;
    *size = *size > 1 ? *size / 2 : *size;
    return true;
}

static void tear(void *into, ssize_t size, off64_t offset)
{
    uint64_t from = plan.torn_from, to = plan.torn_to;

    if (!counts || from == to || size <= 0 || (uint64_t)offset >= to ||
        (uint64_t)(offset + size) <= from || atomic_fetch_add(&touching, 1) + 1 != plan.torn_nth)
        return;
    for (uint64_t at = from; at < to; at++)
        if (at >= (uint64_t)offset && at < (uint64_t)(offset + size))
            ((uint8_t *)into)[at - (uint64_t)offset] ^= 0x5a;
}

static void record(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void record(const char *format, ...)
{
    typedef ssize_t (*fn)(int, const void *, size_t);
    char line[1024];
    va_list list;
    int n;

    if (!counts || record_fd < 0)
        return;
    va_start(list, format);
    n = vsnprintf(line, sizeof line, format, list);
    va_end(list);
    (void)!NEXT(fn, "write")(record_fd, line, (size_t)n);
}

int open64(const char *path, int flags, ...)
{
    typedef int (*fn)(const char *, int, ...);
    va_list list;
    mode_t mode = 0;
    int fd;

    if (flags & O_CREAT) {
        va_start(list, flags);
        mode = va_arg(list, mode_t);
        va_end(list);
    }
    about_name(-1, path);
    if (fails(CALL_OPEN))
        return -1;
    fd = NEXT(fn, "open64")(path, flags, mode);
    if (fd >= 0 && (flags & O_CREAT))
        record("create %d %s\n", fd, path);
    else if (fd >= 0 && (flags & O_DIRECTORY))
        record("folder %d %s\n", fd, path);
    return fd;
}

int openat64(int dir, const char *path, int flags, ...)
{
    typedef int (*fn)(int, const char *, int, ...);
    va_list list;
    mode_t mode = 0;
    int fd;

    if (flags & O_CREAT) {
        va_start(list, flags);
        mode = va_arg(list, mode_t);
        va_end(list);
    }
    about_name(dir, path);
    if (fails(CALL_OPENAT))
        return -1;
    fd = NEXT(fn, "openat64")(dir, path, flags, mode);
    if (fd >= 0 && (flags & O_CREAT))
        record("create %d %s\n", fd, path);
    else if (fd >= 0 && (flags & O_DIRECTORY))
        record("folder %d %s\n", fd, path);
    return fd;
}

ssize_t read(int fd, void *into, size_t size)
{
    typedef ssize_t (*fn)(int, void *, size_t);

    about_file(fd, -1);
    return cut(CALL_READ, &size) ? NEXT(fn, "read")(fd, into, size) : -1;
}

static bool is_image(int fd)
{
    char path[1024];

    path_of_file(fd, path, sizeof path);
    return strstr(path, "/images/") != NULL;
}

ssize_t pread64(int fd, void *into, size_t size, off64_t offset)
{
    typedef ssize_t (*fn)(int, void *, size_t, off64_t);
    bool fine;
    ssize_t n;

    about_file(fd, offset);
    fine = cut(CALL_PREAD, &size);
    while (is_stuck((uint64_t)offset, size) && is_image(fd))
        pause();
    n = fine ? NEXT(fn, "pread64")(fd, into, size, offset) : -1;

    tear(into, n, offset);
    return n;
}

ssize_t preadv64v2(int fd, const struct iovec *parts, int count, off64_t offset, int flags)
{
    typedef ssize_t (*fn)(int, const struct iovec *, int, off64_t, int);
    struct iovec first;
    ssize_t n, all;

    about_file(fd, offset);
    if (fails(CALL_PREADV)) {
        if (plan.errnum)
            return -1;
        first = parts[0];
        first.iov_len = first.iov_len > 1 ? first.iov_len / 2 : first.iov_len;
        return NEXT(fn, "preadv64v2")(fd, &first, 1, offset, flags);
    }
    n = all = NEXT(fn, "preadv64v2")(fd, parts, count, offset, flags);
    for (int i = 0; i < count && n > 0; i++) {
        ssize_t part = n < (ssize_t)parts[i].iov_len ? n : (ssize_t)parts[i].iov_len;

        tear(parts[i].iov_base, part, offset);
        offset += part;
        n -= part;
    }
    return all;
}

ssize_t write(int fd, const void *from, size_t size)
{
    typedef ssize_t (*fn)(int, const void *, size_t);
    ssize_t n;

    if (fd <= STDERR_FILENO)
        return NEXT(fn, "write")(fd, from, size);
    about_file(fd, -1);
    n = cut(CALL_WRITE, &size) ? NEXT(fn, "write")(fd, from, size) : -1;
    if (n > 0)
        record("write %d %zd\n", fd, n);
    return n;
}

ssize_t pwrite64(int fd, const void *from, size_t size, off64_t offset)
{
    typedef ssize_t (*fn)(int, const void *, size_t, off64_t);
    ssize_t n;

    about_file(fd, offset);
    n = cut(CALL_PWRITE, &size) ? NEXT(fn, "pwrite64")(fd, from, size, offset) : -1;
    if (n > 0)
        record("pwrite %d %zd %lld\n", fd, n, (long long)offset);
    return n;
}

int fsync(int fd)
{
    typedef int (*fn)(int);

    about_file(fd, -1);
    if (fails(CALL_FSYNC))
        return -1;
    record("sync %d\n", fd);
    return NEXT(fn, "fsync")(fd);
}

int fdatasync(int fd)
{
    typedef int (*fn)(int);

    about_file(fd, -1);
    if (fails(CALL_FDATASYNC))
        return -1;
    record("sync %d\n", fd);
    return NEXT(fn, "fdatasync")(fd);
}

int ftruncate64(int fd, off64_t size)
{
    typedef int (*fn)(int, off64_t);

    about_file(fd, -1);
    if (fails(CALL_FTRUNCATE))
        return -1;
    record("truncate %d %lld\n", fd, (long long)size);
    return NEXT(fn, "ftruncate64")(fd, size);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    typedef int (*fn)(int, const char *, int, const char *);

    about_name(to_dir, to);
    if (fails(CALL_RENAMEAT))
        return -1;
    record("rename %d %s\t%s\n", from_dir, from, to);
    return NEXT(fn, "renameat")(from_dir, from, to_dir, to);
}

int unlinkat(int dir, const char *name, int flags)
{
    typedef int (*fn)(int, const char *, int);

    about_name(dir, name);
    if (fails(CALL_UNLINKAT))
        return -1;
    record("unlink %d %s\n", dir, name);
    return NEXT(fn, "unlinkat")(dir, name, flags);
}

int mkdir(const char *path, mode_t mode)
{
    typedef int (*fn)(const char *, mode_t);

    about_name(-1, path);
    return fails(CALL_MKDIR) ? -1 : NEXT(fn, "mkdir")(path, mode);
}

int stat64(const char *path, struct stat64 *out)
{
    typedef int (*fn)(const char *, struct stat64 *);

    about_name(-1, path);
    return fails(CALL_STAT) ? -1 : NEXT(fn, "stat64")(path, out);
}

int lstat64(const char *path, struct stat64 *out)
{
    typedef int (*fn)(const char *, struct stat64 *);

    about_name(-1, path);
    return fails(CALL_STAT) ? -1 : NEXT(fn, "lstat64")(path, out);
}

int fstat64(int fd, struct stat64 *out)
{
    typedef int (*fn)(int, struct stat64 *);

    about_file(fd, -1);
    return fails(CALL_FSTAT) ? -1 : NEXT(fn, "fstat64")(fd, out);
}

int fstatat64(int dir, const char *path, struct stat64 *out, int flags)
{
    typedef int (*fn)(int, const char *, struct stat64 *, int);

    about_name(dir, path);
    return fails(CALL_FSTATAT) ? -1 : NEXT(fn, "fstatat64")(dir, path, out, flags);
}

ssize_t getdents64(int fd, void *into, size_t size)
{
    typedef ssize_t (*fn)(int, void *, size_t);

    about_file(fd, -1);
    return fails(CALL_GETDENTS) ? -1 : NEXT(fn, "getdents64")(fd, into, size);
}

ssize_t getrandom(void *into, size_t size, unsigned flags)
{
    typedef ssize_t (*fn)(void *, size_t, unsigned);

    about_file(-1, -1);
    return fails(CALL_GETRANDOM) ? -1 : NEXT(fn, "getrandom")(into, size, flags);
}

int flock(int fd, int how)
{
    typedef int (*fn)(int, int);

    about_file(fd, -1);
    return fails(CALL_FLOCK) ? -1 : NEXT(fn, "flock")(fd, how);
}

int fcntl64(int fd, int command, ...)
{
    typedef int (*fn)(int, int, ...);
    va_list list;
    void *argument;

    va_start(list, command);
    argument = va_arg(list, void *);
    va_end(list);
    about_file(fd, -1);
    return fails(CALL_FCNTL) ? -1 : NEXT(fn, "fcntl64")(fd, command, argument);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*start)(void *), void *arg)
{
    typedef int (*fn)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

    about_file(-1, -1);
    if (fails(CALL_THREAD))
        return plan.errnum;
    return NEXT(fn, "pthread_create")(thread, how, start, arg);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

/* glibc's own, under the names that it keeps for those who stand in for them. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static bool is_refused(void)
{
    about_file(-1, -1);
    return fails(CALL_MALLOC);
}

void *malloc(size_t size)
{
    return is_refused() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return is_refused() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return is_refused() ? NULL : __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return is_refused() ? NULL : __libc_memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    void *p = is_refused() ? NULL : __libc_memalign(alignment, size);

    if (!p)
        return ENOMEM;
    *out = p;
    return 0;
}

#endif
