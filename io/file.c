/*
 * file.c: see file.h.
 *
 * Opening is a ladder: what the kernel refuses for a reason that has a remedy is taken off and
 * tried again (O_NOATIME on EPERM, O_DIRECT on EINVAL). O_NONBLOCK comes off once the file is known
 * to be regular, for with it io_uring answers EAGAIN instead of waiting for the device on file
 * systems without non-blocking reads. Some file systems take O_DIRECT at opening and refuse the
 * read: one aligned read tells.
 */
#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/mem.h"
#include "io/patient.h"

enum { OPEN_TRIES = 64, ALIGN_UNKNOWN = 4096, ALIGN_MAX = 1 << 20, LOWEST_FD = 3 };

static int fail(struct fault *fault, int code, int errnum, const char *what)
{
    *fault = (struct fault){.code = code, .errnum = errnum, .what = what};
    return code;
}

static int open_code(int errnum)
{
    switch (errnum) {
    case EACCES:
    case EBUSY:
    case EAGAIN:
    case ETXTBSY:
        return ERR_BUSY;
    case ELOOP:
    case ENXIO:
        return ERR_UNSUPPORTED;
    default:
        return err_from_errno(errnum);
    }
}

/* A descriptor above the standard ones, or -errno. */
static int open_ladder(const char *path, unsigned flags, uint64_t share)
{
    int base = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    int extra = O_NOATIME;
    int fd, moved;

    if (!(flags & IO_FILE_FOLLOW))
        base |= O_NOFOLLOW;
    if (flags & IO_FILE_DIRECT)
        extra |= O_DIRECT;
    for (int tries = 0; (fd = patient_open(share, path, base | extra)) < 0; tries++) {
        if (errno == EPERM && (extra & O_NOATIME))
            extra &= ~O_NOATIME;
        else if (errno == EINVAL && (extra & O_DIRECT))
            extra &= ~O_DIRECT;
        else if (errno != EINTR || tries == OPEN_TRIES)
            return -errno;
    }
    if (fd >= LOWEST_FD)
        return fd;
    moved = fcntl(fd, F_DUPFD_CLOEXEC, LOWEST_FD);
    if (moved < 0)
        moved = -errno;
    patient_close(share, fd);
    return moved;
}

static int64_t time_ns(struct timespec t)
{
    int64_t ns;

    if (__builtin_mul_overflow((int64_t)t.tv_sec, (int64_t)1000000000, &ns) ||
        __builtin_add_overflow(ns, (int64_t)t.tv_nsec, &ns))
        return t.tv_sec < 0 ? INT64_MIN : INT64_MAX;
    return ns;
}

static struct io_identity identity_of(const struct stat *st)
{
    return (struct io_identity){.device = st->st_dev,
                                .inode = st->st_ino,
                                .size_bytes = (uint64_t)st->st_size,
                                .mtime_ns = time_ns(st->st_mtim)};
}

uint32_t io_file_direct_align(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    uint32_t align = ALIGN_UNKNOWN;

    if (flags < 0 || !(flags & O_DIRECT))
        return 1;
#ifdef STATX_DIOALIGN
    struct statx stx;

    /* What is known here will do: no server need be asked. */
    if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_DIOALIGN, &stx) == 0 &&
        (stx.stx_mask & STATX_DIOALIGN) && stx.stx_dio_offset_align) {
        align = stx.stx_dio_offset_align;
        if (align < stx.stx_dio_mem_align)
            align = stx.stx_dio_mem_align;
    }
#endif
    return align <= ALIGN_MAX && (align & (align - 1)) == 0 ? align : ALIGN_UNKNOWN;
}

/* Whether one aligned read is refused as such; any other trouble is left to the reads to come. */
static int direct_refused(const struct io_file *f, bool *refused)
{
    const size_t align = f->align_bytes < sizeof(void *) ? sizeof(void *) : f->align_bytes;
    const bool failed = patient_try_read(f->share, f->fd, f->align_bytes, align) < 0;

    if (failed && errno == ENOMEM)
        return ERR_NOMEM;
    *refused = failed && (errno == EINVAL || errno == EOPNOTSUPP);
    return 0;
}

/* Settles the flags of a regular file that was just opened. */
static int settle(struct io_file *f)
{
    int flags = fcntl(f->fd, F_GETFL);
    bool refused;
    int code;

    if (flags < 0)
        return err_from_errno(errno);
    flags &= ~O_NONBLOCK;
    f->align_bytes = io_file_direct_align(f->fd);
    if (flags & O_DIRECT) {
        code = direct_refused(f, &refused);
        if (code)
            return code;
        if (refused) {
            flags &= ~O_DIRECT;
            f->align_bytes = 1;
        }
    }
    f->direct = (flags & O_DIRECT) != 0;
    return fcntl(f->fd, F_SETFL, flags) < 0 ? err_from_errno(errno) : 0;
}

int io_file_open_shared(const char *path, unsigned flags, uint64_t share, struct io_file *out,
                        struct fault *fault)
{
    struct io_file f = {.fd = open_ladder(path, flags, share), .share = share};
    struct stat st;
    int code;

    if (f.fd < 0)
        return fail(fault, open_code(-f.fd), -f.fd, "open");
    if (patient_fstat(f.share, f.fd, &st) < 0) {
        code = fail(fault, err_from_errno(errno), errno, "stat");
        goto out;
    }
    if (!S_ISREG(st.st_mode)) {
        code = fail(fault, ERR_UNSUPPORTED, 0, "open");
        goto out;
    }
    f.id = identity_of(&st);
    code = settle(&f);
    if (code)
        fail(fault, code, 0, "open");
    else
        *out = f;
out:
    if (code)
        patient_close(f.share, f.fd);
    return code;
}

int io_file_open(const char *path, unsigned flags, struct io_file *out, struct fault *fault)
{
    return io_file_open_shared(path, flags, 0, out, fault);
}

void io_file_close(struct io_file *f)
{
    if (f->fd > 0)
        patient_close(f->share, f->fd);
    *f = (struct io_file){0};
}

/* By its descriptor, so it is the same file whatever has become of its name. */
int io_file_twin(const struct io_file *f)
{
    int flags = fcntl(f->fd, F_GETFL), fd = -1;
    char path[32];

    snprintf(path, sizeof path, "/proc/self/fd/%d", f->fd);
    if (flags >= 0)
        fd = patient_open(f->share, path,
                          O_RDONLY | O_CLOEXEC | O_NOCTTY | (flags & (O_DIRECT | O_NOATIME)));
    return fd < 0 ? f->fd : fd;
}

void io_file_untwin(const struct io_file *f, int fd)
{
    if (fd != f->fd)
        patient_close(f->share, fd);
}

int io_file_identity(const struct io_file *f, struct io_identity *out)
{
    struct stat st;

    if (patient_fstat(f->share, f->fd, &st) < 0)
        return err_from_errno(errno);
    *out = identity_of(&st);
    return 0;
}
