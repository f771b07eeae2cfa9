/* capture.c: see capture.h. */
#include "tests/support/capture.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

int capture_replace(int fd, int to)
{
    int saved;

    fflush(NULL);
    saved = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (saved < 0 || dup2(to, fd) < 0)
        fail_msg("descriptor %d cannot be replaced", fd);
    return saved;
}

void capture_restore(int fd, int saved)
{
    fflush(NULL);
    dup2(saved, fd);
    close(saved);
}

void capture_begin(struct capture *c, int fd)
{
    c->fd = fd;
    c->file = memfd_create("capture", MFD_CLOEXEC);
    if (c->file < 0)
        fail_msg("no memory file");
    c->saved = capture_replace(fd, c->file);
}

size_t capture_size(const struct capture *c)
{
    off_t size = lseek(c->file, 0, SEEK_END);

    return size < 0 ? 0 : (size_t)size;
}

const char *capture_end(struct capture *c)
{
    ssize_t got;

    capture_restore(c->fd, c->saved);
    got = pread(c->file, c->text, sizeof c->text - 1, 0);
    c->text[got < 0 ? 0 : got] = '\0';
    close(c->file);
    return c->text;
}

void capture_terminal(unsigned short columns, int *master, int *slave)
{
    struct winsize size = {.ws_row = 24, .ws_col = columns};

    *slave = -1;
    *master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (*master >= 0 && grantpt(*master) == 0 && unlockpt(*master) == 0)
        *slave = open(ptsname(*master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (*slave < 0 || ioctl(*slave, TIOCSWINSZ, &size) < 0) {
        print_message("skipped: no pseudo-terminals here\n");
        skip();
    }
}
