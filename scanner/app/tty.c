/* tty.c: see tty.h. */
#include "scanner/app/tty.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "index/terminal.h"
#include "io/buf.h"

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

/* A line's text, without what ends it. */
static size_t text_of_line(const uint8_t *line, size_t size)
{
    if (size && line[size - 1] == '\n')
        size--;
    return size && line[size - 1] == '\r' ? size - 1 : size;
}

static bool print_quoted(const uint8_t *data, size_t size)
{
    struct buf out = BUF_INIT;
    bool written;

    while (size) {
        const uint8_t *end = memchr(data, '\n', size);
        const size_t whole = end ? (size_t)(end - data) + 1 : size,
                     text = text_of_line(data, whole);

        terminal_quote((struct bytes){data, text}, &out);
        buf_append(&out, data + text, whole - text);
        data += whole;
        size -= whole;
    }
    written = !out.failed && fwrite(out.data, 1, out.size, stdout) == out.size;
    buf_done(&out);
    return written;
}

bool tty_print(const void *data, size_t size)
{
    static atomic_int terminal = -1;

    if (atomic_load(&terminal) < 0)
        atomic_store(&terminal, tty_is(STDOUT_FILENO));
    return atomic_load(&terminal) ? print_quoted(data, size)
                                  : fwrite(data, 1, size, stdout) == size;
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

const char *tty_plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}
