/* dup_print.c: see dup_print.h. */
#include "scanner/app/dup_print.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "index/csv.h"
#include "index/dup_lines.h"
#include "index/hash.h"
#include "index/terminal.h"
#include "io/err.h"
#include "io/mem.h"
#include "scanner/app/tty.h"

void dup_print_init(struct dup_print *p, bool verbose)
{
    *p = (struct dup_print){.verbose = verbose};
}

static void free_top(struct dup_top *top, size_t count)
{
    for (size_t i = 0; i < count; i++)
        mem_free(top[i].text);
}

void dup_print_done(struct dup_print *p)
{
    free_top(p->pairs, p->pair_count);
    free_top(p->folders, p->folder_count);
    buf_done(&p->line);
    buf_done(&p->text);
}

int dup_print_line(void *ctx, const void *line, size_t size)
{
    (void)ctx;
    if (tty_print(line, size))
        return 0;
    return errno == EPIPE ? ERR_CANCELLED : ERR_NOSPACE;
}

static int flush(struct dup_print *p)
{
    int code = p->line.failed ? ERR_NOMEM : 0;

    if (!code && p->line.size)
        code = dup_print_line(NULL, p->line.data, p->line.size);
    buf_reset(&p->line);
    return code;
}

static const char *plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

static void quote(struct dup_print *p, const struct buf *text)
{
    terminal_quote((struct bytes){text->data, text->size}, &p->line);
}

/* Subject of an item, name of an attachment. */
static int read_name(struct dup_print *p, const struct dup_group *g)
{
    buf_reset(&p->text);
    if (!g->record.size)
        return 0;
    if (g->of == DUP_ATTACHMENT)
        return dup_attachment_name(g->record, g->representative.place.part, &p->text);
    return dup_record_text(g->record, "subject", &p->text);
}

static int print_group(void *ctx, const struct dup_group *g)
{
    struct dup_print *p = ctx;
    int code = read_name(p, g);

    if (code)
        return code;
    buf_printf(&p->line, "%s", dup_of_name(g->of));
    if (g->of == DUP_ITEM && g->representative.kind < IDX_KINDS)
        buf_printf(&p->line, " (%s)", idx_kind_name((enum idx_kind)g->representative.kind));
    if (p->text.size) {
        buf_puts(&p->line, " \"");
        quote(p, &p->text);
        buf_putc(&p->line, '"');
    }
    buf_printf(&p->line, ": %" PRIu64 " copies in %" PRIu64 " image%s, %s could be saved\n",
               g->count, g->images, plural(g->images), tty_bytes(g->bytes));
    return flush(p);
}

static void print_differences(struct dup_print *p, unsigned bits)
{
    const char *before = "  differs: ";

    for (unsigned i = 0; i < DUP_DIFFERENCES; i++) {
        if (!(bits >> i & 1))
            continue;
        buf_printf(&p->line, "%s%s", before, dup_difference_name(i));
        before = ", ";
    }
}

static int print_member(void *ctx, const struct dup_group *g, const struct dup_member *m)
{
    static const char marks[] = {' ', '=', '~'};
    struct dup_print *p = ctx;

    (void)g;
    buf_printf(&p->line, "  %c ", marks[m->rank]);
    quote(p, &m->image->path);
    if (m->folder_path.data) {
        buf_puts(&p->line, ": ");
        terminal_quote(m->folder_path, &p->line);
    }
    if (m->entry->of != DUP_IMAGE)
        buf_printf(&p->line, ": %" PRIu32, m->entry->nid);
    if (m->entry->of == DUP_ATTACHMENT)
        buf_printf(&p->line, "/%" PRIu32, m->entry->attachment_nid);
    print_differences(p, m->differences);
    buf_putc(&p->line, '\n');
    return flush(p);
}

/* The line at hand among the largest, or printed at once where all are wanted. */
static int rank(struct dup_print *p, const char *title, bool *any, struct dup_top *top,
                size_t *count, uint64_t *more, uint64_t duplicates, uint64_t bytes)
{
    struct dup_top entry = {.duplicates = duplicates, .bytes = bytes};
    size_t at = *count;

    if (p->verbose) {
        struct buf text = p->line;

        p->line = BUF_INIT;
        if (!*any)
            buf_printf(&p->line, "\n%s\n", title);
        buf_printf(&p->line, "  %10" PRIu64 "  %10s  ", duplicates, tty_bytes(bytes));
        buf_append(&p->line, text.data, text.size);
        buf_putc(&p->line, '\n');
        p->line.failed |= text.failed;
        buf_done(&text);
        *any = true;
        return flush(p);
    }
    while (at && (top[at - 1].bytes < bytes ||
                  (top[at - 1].bytes == bytes && top[at - 1].duplicates < duplicates)))
        at--;
    *more += *count == DUP_PRINT_TOP;
    if (at < DUP_PRINT_TOP) {
        entry.text = buf_cstr(&p->line) ? mem_strdup((const char *)p->line.data) : NULL;
        if (!entry.text)
            return ERR_NOMEM;
        if (*count == DUP_PRINT_TOP)
            mem_free(top[--*count].text);
        memmove(top + at + 1, top + at, (*count - at) * sizeof *top);
        top[at] = entry;
        ++*count;
    }
    buf_reset(&p->line);
    return 0;
}

#define PAIRS_TITLE   "by image pair (kept in the first, duplicates in the second)"
#define FOLDERS_TITLE "by folder that holds the duplicates"

static int print_pair(void *ctx, const struct dup_pair *pair)
{
    struct dup_print *p = ctx;

    quote(p, &pair->kept->path);
    if (pair->kept == pair->image) {
        buf_puts(&p->line, ", within");
    } else {
        buf_puts(&p->line, ", ");
        quote(p, &pair->image->path);
    }
    return rank(p, PAIRS_TITLE, &p->any_pair, p->pairs, &p->pair_count, &p->pairs_more,
                pair->duplicates, pair->bytes);
}

static int print_folder(void *ctx, const struct dup_image *image, const struct dup_folder *folder,
                        struct bytes path)
{
    struct dup_print *p = ctx;

    quote(p, &image->path);
    buf_puts(&p->line, ": ");
    if (path.data)
        terminal_quote(path, &p->line);
    else
        buf_printf(&p->line, "%" PRIu32, folder->nid);
    return rank(p, FOLDERS_TITLE, &p->any_folder, p->folders, &p->folder_count, &p->folders_more,
                folder->duplicates, folder->bytes);
}

static void print_top(struct dup_print *p, const char *title, const struct dup_top *top,
                      size_t count, uint64_t more)
{
    if (!count)
        return;
    buf_printf(&p->line, "\n%s\n", title);
    for (size_t i = 0; i < count; i++)
        buf_printf(&p->line, "  %10" PRIu64 "  %10s  %s\n", top[i].duplicates,
                   tty_bytes(top[i].bytes), top[i].text);
    if (more)
        buf_printf(&p->line, "  and %" PRIu64 " more (-v shows all)\n", more);
}

static void print_kinds(struct dup_print *p, const struct dup_totals *t)
{
    if (!t->of[DUP_ITEM].groups)
        return;
    buf_puts(&p->line, "\nby kind\n");
    for (unsigned k = 0; k <= IDX_KINDS; k++)
        if (t->kinds[k].duplicates)
            buf_printf(&p->line, "  %10" PRIu64 "  %10s  %s\n", t->kinds[k].duplicates,
                       tty_bytes(t->kinds[k].bytes),
                       k < IDX_KINDS ? idx_kind_name((enum idx_kind)k) : "of no known kind");
}

static void print_tally(struct dup_print *p, const char *what, const struct dup_tally *t,
                        bool by_core)
{
    buf_printf(&p->line, "%-14s%" PRIu64 " group%s, %" PRIu64 " duplicate%s", what, t->groups,
               plural(t->groups), t->duplicates, plural(t->duplicates));
    if (by_core && t->duplicates)
        buf_printf(&p->line, " (%" PRIu64 " exact, %" PRIu64 " by core alone)", t->exact,
                   t->duplicates - t->exact);
    buf_printf(&p->line, ", %s\n", tty_bytes(t->bytes));
}

static void print_read(struct dup_print *p, const struct dup_totals *t)
{
    uint64_t left_out = 0;

    for (int i = FATE_INDEXED + 1; i < DUP_FATES; i++)
        left_out += t->fates[i];
    buf_printf(&p->line, "read          %" PRIu64 " image%s", t->images, plural(t->images));
    if (t->incomplete)
        buf_printf(&p->line, " (%" PRIu64 " incomplete)", t->incomplete);
    buf_printf(&p->line, ", %" PRIu64 " item%s", t->fates[FATE_INDEXED],
               plural(t->fates[FATE_INDEXED]));
    if (left_out)
        buf_printf(&p->line,
                   "; left out: %" PRIu64 " failed, %" PRIu64 " partial, %" PRIu64
                   " recovered, %" PRIu64 " without digest",
                   t->fates[FATE_FAILED], t->fates[FATE_PARTIAL], t->fates[FATE_RECOVERED],
                   t->fates[FATE_UNDIGESTED]);
    buf_putc(&p->line, '\n');
}

static int print_totals(void *ctx, const struct dup_totals *t)
{
    struct dup_print *p = ctx;

    print_top(p, PAIRS_TITLE, p->pairs, p->pair_count, p->pairs_more);
    print_top(p, FOLDERS_TITLE, p->folders, p->folder_count, p->folders_more);
    print_kinds(p, t);
    if (t->of[DUP_ITEM].groups)
        buf_putc(&p->line, '\n');
    print_read(p, t);
    print_tally(p, "whole images", &t->of[DUP_IMAGE], false);
    print_tally(p, "items", &t->of[DUP_ITEM], true);
    print_tally(p, "attachments", &t->of[DUP_ATTACHMENT], false);
    return flush(p);
}

struct dup_sink dup_print_sink(struct dup_print *p)
{
    return (struct dup_sink){
        .ctx = p,
        .wants_records = p->verbose,
        .wants_paths = p->verbose,
        .group = p->verbose ? print_group : NULL,
        .member = p->verbose ? print_member : NULL,
        .pair = print_pair,
        .folder = print_folder,
        .totals = print_totals,
    };
}

int dup_print_csv_header(struct dup_print *p)
{
    buf_puts(&p->line, "group,of,tier,kind,name,image,folder,folder_path,nid,attachment,size,"
                       "differs,digest\r\n");
    return flush(p);
}

static int csv_group(void *ctx, const struct dup_group *g)
{
    return read_name(ctx, g);
}

static void csv_number(struct dup_print *p, bool has, uint64_t value)
{
    buf_putc(&p->line, ',');
    if (has)
        buf_printf(&p->line, "%" PRIu64, value);
}

static void csv_text(struct dup_print *p, const void *data, size_t size)
{
    buf_putc(&p->line, ',');
    csv_field(&p->line, data, size);
}

static void csv_place(struct dup_print *p, const struct dup_member *m)
{
    const struct dup_entry *e = m->entry;
    const bool in_image = e->of != DUP_IMAGE;

    csv_text(p, m->image->path.data, m->image->path.size);
    csv_number(p, in_image && e->has_folder, e->folder);
    csv_text(p, m->folder_path.data, m->folder_path.size);
    csv_number(p, in_image, e->nid);
    csv_number(p, e->of == DUP_ATTACHMENT, e->attachment_nid);
    csv_number(p, e->has_size, e->size_bytes);
}

static int csv_member(void *ctx, const struct dup_group *g, const struct dup_member *m)
{
    static const char *const tiers[] = {"representative", "exact", "core"};
    struct dup_print *p = ctx;
    const char *kind = g->of != DUP_IMAGE && m->entry->kind < IDX_KINDS
                           ? idx_kind_name((enum idx_kind)m->entry->kind)
                           : "";
    char digest[IDX_DIGEST_TEXT];
    const char *before = "";

    buf_printf(&p->line, "%" PRIu64 ",%s,%s,%s", g->n, dup_of_name(g->of), tiers[m->rank], kind);
    csv_text(p, p->text.data, p->text.size);
    csv_place(p, m);
    buf_putc(&p->line, ',');
    for (unsigned i = 0; i < DUP_DIFFERENCES; i++) {
        if (!(m->differences >> i & 1))
            continue;
        buf_printf(&p->line, "%s%s", before, dup_difference_name(i));
        before = "; ";
    }
    idx_digest_text(&m->entry->exact, digest);
    buf_printf(&p->line, ",%s\r\n", digest);
    return flush(p);
}

struct dup_sink dup_print_csv_sink(struct dup_print *p)
{
    return (struct dup_sink){
        .ctx = p,
        .wants_records = true,
        .wants_paths = true,
        .group = csv_group,
        .member = csv_member,
    };
}
