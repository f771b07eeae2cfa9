/* scan_lines.c: see scan_lines.h. */
#include "scanner/app/scan_lines.h"

#include "io/mem.h"
#include "io/spill.h"

enum { KEPT_BYTES = 256 << 10, STEP_BYTES = 64 << 10, FIRST_LINES = 64 };

struct scan_lines {
    struct io_spill *spill;
    struct scan_line *order;
    size_t count, room;
    int err; /* the first failure */
};

int scan_lines_create(const char *dir, struct scan_lines **out)
{
    struct scan_lines *l = mem_zalloc(sizeof *l);
    int err;

    if (!l)
        return ERR_NOMEM;
    err = io_spill_create(dir, KEPT_BYTES, &l->spill);
    if (err)
        mem_free(l);
    else
        *out = l;
    return err;
}

void scan_lines_destroy(struct scan_lines *l)
{
    if (!l)
        return;
    io_spill_destroy(l->spill);
    mem_free(l->order);
    mem_free(l);
}

struct scan_line scan_lines_keep(struct scan_lines *l, const struct buf *text)
{
    struct scan_line line = {.size = (uint32_t)text->size};

    if (!l->err && (text->failed || text->size > UINT32_MAX))
        l->err = ERR_NOMEM;
    if (!l->err && text->size)
        l->err = io_spill_append(l->spill, text->data, text->size, &line.offset);
    return l->err ? (struct scan_line){0} : line;
}

void scan_lines_next(struct scan_lines *l, struct scan_line line)
{
    if (l->err || !line.size)
        return;
    if (l->count == l->room) {
        size_t room = l->room ? 2 * l->room : FIRST_LINES;
        struct scan_line *grown = mem_realloc(l->order, room * sizeof *grown);

        if (!grown) {
            l->err = ERR_NOMEM;
            return;
        }
        l->order = grown;
        l->room = room;
    }
    l->order[l->count++] = line;
}

/* The lines from number *at on, as many as a step holds, one at least; *at: behind them. */
static int read_lines(struct scan_lines *l, size_t *at, struct buf *lines)
{
    buf_reset(lines);
    do {
        struct scan_line line = l->order[*at];
        int err = buf_reserve(lines, line.size) ? 0 : ERR_NOMEM;

        if (!err)
            err = io_spill_read(l->spill, line.offset, lines->data + lines->size, line.size);
        if (err)
            return err;
        lines->size += line.size;
    } while (++*at < l->count && lines->size + l->order[*at].size <= STEP_BYTES);
    return 0;
}

int scan_lines_each(struct scan_lines *l, int (*put)(void *ctx, const void *lines, size_t size),
                    void *ctx, struct fault *fault)
{
    struct buf lines = BUF_INIT;
    int err = l->err;
    size_t at = 0;

    while (!err && at < l->count) {
        l->err = read_lines(l, &at, &lines);
        err = l->err ? l->err : put(ctx, lines.data, lines.size);
    }
    buf_done(&lines);
    if (l->err)
        *fault = *io_spill_fault(l->spill);
    return err;
}
