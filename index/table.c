/*
 * table.c: see table.h.
 *
 * Widths: each column as wide as its widest cell of the first rows. Too wide together: columns are
 * left out by their rank until the rest fits with every text at its minimum, and what is then left
 * goes to the columns of text, each as much as it has use for. Later cells that are wider are cut
 * if they are text and may be, or else push their row.
 */
#include "index/table.h"

#include <string.h>

#include "index/terminal.h"

enum { GAP = 2 };

void idx_table_init(struct idx_table *t, const struct idx_table_column *columns, size_t count,
                    size_t width)
{
    *t = (struct idx_table){.columns = columns, .count = count, .width = width};
}

void idx_table_done(struct idx_table *t)
{
    buf_done(&t->text);
    buf_done(&t->cells);
}

void idx_table_add(struct idx_table *t, const struct idx_fields *f)
{
    struct buf plain = BUF_INIT;

    for (size_t i = 0; i < t->count; i++) {
        const struct idx_table_column *c = &t->columns[i];
        struct idx_cell cell = {.at = t->text.size};

        buf_reset(&plain);
        idx_fields_text(f, c->path, c->form, NULL, &plain);
        t->text.failed |= plain.failed;
        terminal_quote((struct bytes){plain.data, plain.size}, &t->text);
        cell.size = t->text.size - cell.at;
        buf_append(&t->cells, &cell, sizeof cell);
    }
    buf_done(&plain);
    t->rows++;
}

static struct bytes cell_text(const struct idx_table *t, size_t row, size_t column)
{
    struct idx_cell cell;

    memcpy(&cell, t->cells.data + (row * t->count + column) * sizeof cell, sizeof cell);
    return cell.size ? (struct bytes){t->text.data + cell.at, cell.size} : (struct bytes){0};
}

/* What the table takes with each text at its minimum, or as wide as it is. */
static size_t total(const struct idx_table *t, bool at_minimum)
{
    size_t sum = 0;

    for (size_t i = 0; i < t->count; i++) {
        size_t width = t->widths[i], min = t->columns[i].min;

        if (t->dropped[i])
            continue;
        sum += (sum ? GAP : 0) + (at_minimum && min && min < width ? min : width);
    }
    return sum;
}

/* Leaves out the column of the highest rank; false: none is left that may go. */
static bool drop_one(struct idx_table *t)
{
    size_t which = t->count;

    for (size_t i = 0; i < t->count; i++) {
        if (!t->dropped[i] && t->columns[i].drop &&
            (which == t->count || t->columns[i].drop > t->columns[which].drop))
            which = i;
    }
    if (which == t->count)
        return false;
    t->dropped[which] = true;
    return true;
}

/* Takes the excess from the widest texts, down to their minimum. */
static void shrink(struct idx_table *t)
{
    while (total(t, false) > t->width) {
        size_t which = t->count;

        for (size_t i = 0; i < t->count; i++) {
            if (!t->dropped[i] && t->columns[i].min && t->widths[i] > t->columns[i].min &&
                (which == t->count || t->widths[i] > t->widths[which]))
                which = i;
        }
        if (which == t->count)
            return;
        t->widths[which]--;
    }
}

static void decide(struct idx_table *t)
{
    for (size_t i = 0; i < t->count; i++) {
        t->widths[i] = strlen(t->columns[i].title);
        for (size_t row = 0; row < t->rows; row++) {
            size_t width = terminal_width(cell_text(t, row, i));

            /* Beyond the terminal a text is cut anyway; so shrink takes few steps. */
            if (t->width && t->columns[i].min && width > t->width)
                width = t->width;
            if (width > t->widths[i])
                t->widths[i] = width;
        }
    }
    if (!t->width)
        return;
    while (total(t, true) > t->width && drop_one(t))
        ;
    shrink(t);
}

static void spaces(struct buf *out, size_t n)
{
    while (n--)
        buf_putc(out, ' ');
}

/* One cell; `owed` is the space that stands between it and what was written before. */
static size_t put_cell(const struct idx_table *t, size_t column, struct bytes text, size_t owed,
                       struct buf *out)
{
    const size_t width = t->widths[column];
    size_t taken = terminal_width(text), size = text.size;
    const char *mark = "";

    if (taken > width && t->columns[column].min) {
        size = terminal_fit(text, width - 1, &taken);
        mark = "\xE2\x80\xA6";
        taken++;
    }
    if (t->columns[column].right && taken < width)
        owed += width - taken;
    if (!size && !*mark)
        return owed + (t->columns[column].right ? 0 : width);
    spaces(out, owed);
    buf_append(out, text.data, size);
    buf_puts(out, mark);
    return t->columns[column].right || taken > width ? 0 : width - taken;
}

static void put_row(const struct idx_table *t, const struct bytes *cells, struct buf *out)
{
    size_t owed = 0;
    bool first = true;

    for (size_t i = 0; i < t->count; i++) {
        if (t->dropped[i])
            continue;
        owed = put_cell(t, i, cells[i], owed + (first ? 0 : GAP), out);
        first = false;
    }
    buf_putc(out, '\n');
}

void idx_table_flush(struct idx_table *t, struct buf *out)
{
    struct bytes cells[IDX_TABLE_COLUMNS];

    if (!t->rows || t->text.failed || t->cells.failed)
        return;
    if (!t->decided) {
        decide(t);
        t->decided = true;
        for (size_t i = 0; i < t->count; i++)
            cells[i] =
                (struct bytes){(const uint8_t *)t->columns[i].title, strlen(t->columns[i].title)};
        put_row(t, cells, out);
    }
    for (size_t row = 0; row < t->rows; row++) {
        for (size_t i = 0; i < t->count; i++)
            cells[i] = cell_text(t, row, i);
        put_row(t, cells, out);
    }
    buf_reset(&t->text);
    buf_reset(&t->cells);
    t->rows = 0;
}
