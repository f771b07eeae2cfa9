/* err.c: see err.h. */
#include "io/err.h"

#include <errno.h>
#include <string.h>

const char *err_text(int code)
{
    switch (code) {
    case 0:
        return "done";
    case ERR_NOMEM:
        return "out of memory";
    case ERR_IO:
        return "input/output error";
    case ERR_BUSY:
        return "in use by another program";
    case ERR_NOENT:
        return "no such file or folder";
    case ERR_ACCESS:
        return "permission denied";
    case ERR_NOSPACE:
        return "no space left or not writable";
    case ERR_RANGE:
        return "beyond the end of the file";
    case ERR_UNSUPPORTED:
        return "not supported";
    case ERR_DAMAGED:
        return "damaged";
    case ERR_LIMIT:
        return "over a limit";
    case ERR_CANCELLED:
        return "interrupted";
    case ERR_TIMEOUT:
        return "timed out";
    case ERR_USAGE:
        return "wrong usage";
    case ERR_EXISTS:
        return "exists already";
    case ERR_CHILD:
        return "the helper process failed";
    case ERR_MFILE:
        return "too many open files or processes";
    default:
        return "system error";
    }
}

const char *err_why(int code, int errnum)
{
    if (code == ERR_BUSY && errnum == EACCES) /* as servers of files answer for either */
        return "Permission denied (on a share: or open in another program)";
    return errnum && code != ERR_BUSY && code != ERR_TIMEOUT ? strerror(errnum) : err_text(code);
}

int err_from_errno(int errnum)
{
    switch (errnum) {
    case ENOMEM:
        return ERR_NOMEM;
    case EIO:
    case ENXIO:
    case ENODEV:
    case ESTALE:
    case EREMOTEIO:
    case ECONNRESET:
    case EHOSTDOWN:
        return ERR_IO;
    case EBUSY:
    case ETXTBSY:
        return ERR_BUSY;
    case ENOENT:
    case ENOTDIR:
        return ERR_NOENT;
    case EACCES:
    case EPERM:
        return ERR_ACCESS;
    case ENOSPC:
    case EDQUOT:
    case EROFS:
    case EFBIG:
        return ERR_NOSPACE;
    case ENOSYS:
    case EOPNOTSUPP:
        return ERR_UNSUPPORTED;
    case EEXIST:
        return ERR_EXISTS;
    case EMFILE:
    case ENFILE:
        return ERR_MFILE;
    case ETIMEDOUT:
        return ERR_TIMEOUT;
    case ECANCELED:
        return ERR_CANCELLED;
    default:
        return ERR_SYS;
    }
}
