/* tty.c: see tty.h. */
#include "scanner/app/tty.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool tty_is(int fd)
{
    return isatty(fd) == 1;
}

bool tty_colour(int fd)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

    return tty_is(fd) && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
}

unsigned tty_columns(int fd)
{
    struct winsize size;

    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return 80;
}

static char *turn_buffer(void)
{
    static _Thread_local char buffers[4][32];
    static _Thread_local unsigned turn;

    return buffers[turn++ % 4];
}

const char *tty_bytes(uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    char *out = turn_buffer();
    double value = (double)bytes;
    unsigned unit = 0;

    while (value >= 1024 && unit < 6) {
        value /= 1024;
        unit++;
    }
    if (unit == 0)
        snprintf(out, 32, "%" PRIu64 " B", bytes);
    else
        snprintf(out, 32,
                 value < 10    ? "%.2f %s"
                 : value < 100 ? "%.1f %s"
                               : "%.0f %s",
                 value, units[unit]);
    return out;
}

const char *tty_duration(uint64_t ns)
{
    char *out = turn_buffer();
    uint64_t seconds = ns / 1000000000;

    if (seconds < 60)
        snprintf(out, 32, "%.1f s", (double)ns / 1e9);
    else if (seconds < 3600)
        snprintf(out, 32, "%" PRIu64 ":%02" PRIu64, seconds / 60, seconds % 60);
    else
        snprintf(out, 32, "%" PRIu64 ":%02" PRIu64 ":%02" PRIu64, seconds / 3600, seconds / 60 % 60,
                 seconds % 60);
    return out;
}
