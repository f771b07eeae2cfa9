/*
 * err.h: the one list of result codes.
 *
 * Functions that can fail return int: 0, or one of these negative codes. Outputs are written on
 * success only. Damage inside an image is no code here: it is a finding (scanner/finding.h). A code
 * says that the environment (device, memory, user) kept something from being done; a broken
 * invariant of our own is an assert.
 *
 * Threads: pure functions, callable anywhere.
 */
#ifndef IO_ERR_H
#define IO_ERR_H

#include <stdint.h>

enum err {
    ERR_NOMEM = -1,       /* an allocation or a credit limit refused */
    ERR_IO = -2,          /* the device or file system failed a read or write (EIO and kin) */
    ERR_BUSY = -3,        /* in use elsewhere: EACCES, EBUSY, EAGAIN, ETXTBSY on opening an image */
    ERR_NOENT = -4,       /* no such file or folder, or it vanished */
    ERR_ACCESS = -5,      /* not permitted (on anything but an image) */
    ERR_NOSPACE = -6,     /* ENOSPC, EDQUOT, EROFS, EFBIG on output */
    ERR_RANGE = -7,       /* a read beyond the end of the source */
    ERR_UNSUPPORTED = -8, /* the kernel, file system or engine cannot do it */
    ERR_DAMAGED = -9,     /* the bytes given are not well-formed; the caller makes it a finding */
    ERR_LIMIT = -10,      /* a named bound of limits.h was reached */
    ERR_CANCELLED = -11,  /* the user interrupted */
    ERR_TIMEOUT = -12,    /* no answer in the time allowed */
    ERR_USAGE = -13,      /* wrong arguments */
    ERR_EXISTS = -14,     /* the target exists and may not be replaced */
    ERR_CHILD = -15,      /* a child process died or spoke nonsense */
    ERR_MFILE = -16,      /* out of file descriptors or processes */
    ERR_SYS = -17,        /* any other system failure; errno has been kept in a fault */
};

/* A short English phrase for a code, e.g. "input/output error". Static; never NULL. */
const char *err_text(int code);

/* The same for a person, by the errno behind the code where there is one (else 0). */
const char *err_why(int code, int errnum);

/* The code for an errno value (positive). Never 0. EAGAIN/EINTR are ERR_SYS: loops handle them. */
int err_from_errno(int errnum);

/*
 * Where and how the environment failed; zeroed when nothing did. `code` is an enum err, `errnum`
 * the errno behind it or 0, `offset`/`length` the byte range of the file concerned (length 0: the
 * file as a whole), `what` a static word for the action ("read", "open", "rename").
 */
struct fault {
    int code;
    int errnum;
    uint64_t offset;
    uint64_t length;
    const char *what;
};

#endif
