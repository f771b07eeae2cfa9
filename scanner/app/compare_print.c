/* compare_print.c: see compare_print.h. */
#include "scanner/app/compare_print.h"

#include <inttypes.h>
#include <string.h>

#include "index/compare_answer.h"
#include "index/csv.h"
#include "index/json_read.h"
#include "index/terminal.h"
#include "io/clock.h"
#include "io/err.h"
#include "scanner/app/dup_print.h"

void compare_print_init(struct compare_print *p, bool verbose)
{
    *p = (struct compare_print){.verbose = verbose};
}

void compare_print_done(struct compare_print *p)
{
    buf_done(&p->line);
    buf_done(&p->text);
}

static int flush(struct compare_print *p)
{
    int code = p->line.failed ? ERR_NOMEM : 0;

    if (!code && p->line.size)
        code = dup_print_line(NULL, p->line.data, p->line.size);
    buf_reset(&p->line);
    return code;
}

static void quote(struct compare_print *p, struct bytes text)
{
    terminal_quote(text, &p->line);
}

static struct bytes path_of(const struct cmp_side *s)
{
    return s->image_path.size ? (struct bytes){s->image_path.data, s->image_path.size}
                              : bytes_text(s->path);
}

static struct bytes folder_path(struct compare_print *p, const struct cmp_result *r,
                                const struct cmp_folder_result *f, bool server)
{
    buf_reset(&p->text);
    cmp_folder_path(r, f, server, &p->text);
    p->line.failed |= p->text.failed;
    return (struct bytes){p->text.data, p->text.size};
}

static void quote_path(struct compare_print *p, const struct cmp_result *r,
                       const struct cmp_folder_result *f, bool server)
{
    const struct bytes path = folder_path(p, r, f, server);

    if (path.size)
        quote(p, path);
    else
        buf_puts(&p->line, "(top)");
}

static const char *input_text(const struct cmp_side *s)
{
    static const char *const texts[CMP_INPUTS] = {"an image", "folder statistics",
                                                  "answers of Microsoft Graph",
                                                  "items of an eDiscovery export"};

    return texts[s->input];
}

static void print_titles(struct compare_print *p)
{
    static const char *const titles[] = {"OST",     "SERVER",  "SAME",     "MOVED",
                                         "STATE",   "CONTENT", "ONLY-OST", "ONLY-SRV",
                                         "OUTSIDE", "HEADER",  "AMBIG",    "N/A"};

    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        buf_printf(&p->line, "%9s", titles[i]);
    buf_puts(&p->line, "  FOLDER\n");
}

static int print_begin(void *ctx, const struct cmp_result *r)
{
    struct compare_print *p = ctx;
    const char *before = ": by ";

    if (p->any)
        buf_putc(&p->line, '\n');
    p->any = true;
    p->totalled = p->listed = false;
    quote(p, path_of(r->image));
    buf_puts(&p->line, "\nagainst ");
    quote(p, path_of(r->server));
    buf_printf(&p->line, " (%s", input_text(r->server));
    for (unsigned k = 0; k < CMP_KEY_EXACT; k++) {
        if (!(r->keys >> k & 1))
            continue;
        buf_printf(&p->line, "%s%s", before, cmp_key_name((enum cmp_key)k));
        before = ", ";
    }
    buf_puts(&p->line, ")\n\n");
    print_titles(p);
    return flush(p);
}

static void print_tally(struct compare_print *p, const struct cmp_tally *t, bool has_count,
                        uint64_t count)
{
    buf_printf(&p->line, "%9" PRIu64 "%9" PRIu64, t->image, has_count ? count : t->server);
    for (unsigned o = 0; o < CMP_OUTCOMES; o++)
        buf_printf(&p->line, "%9" PRIu64, t->outcomes[o]);
    buf_puts(&p->line, "  ");
}

static int print_folder(void *ctx, const struct cmp_result *r, const struct cmp_folder_result *f)
{
    struct compare_print *p = ctx;
    const bool counts = r->server->input == CMP_INPUT_STATISTICS;

    if (!p->verbose && f->tally.outcomes[CMP_SAME] == f->tally.image &&
        !f->tally.outcomes[CMP_ONLY_SERVER] && !f->tally.outcomes[CMP_OUTSIDE_WINDOW] &&
        !f->tally.outcomes[CMP_AMBIGUOUS] && !f->tally.outcomes[CMP_NOT_COMPARABLE] &&
        !f->has_count)
        return 0;
    print_tally(p, &f->tally, counts && f->has_count, f->count);
    if (f->number == CMP_NO_FOLDER)
        buf_puts(&p->line, "(in no known folder)");
    else
        quote_path(p, r, f, false);
    if (!f->image && f->number != CMP_NO_FOLDER)
        buf_puts(&p->line, " (only on the server's side)");
    else if (f->image && !f->server)
        buf_puts(&p->line, " (only here)");
    if (f->surplus)
        buf_printf(&p->line, " (%" PRId64 " more here)", f->surplus);
    if (f->deficit)
        buf_printf(&p->line, " (%" PRId64 " fewer here)", f->deficit);
    buf_putc(&p->line, '\n');
    return flush(p);
}

static void put_member(struct compare_print *p, struct bytes object, const char *key)
{
    struct json_token t;
    struct bytes value;

    buf_reset(&p->text);
    if (json_find(object, key, &value) == 1 && json_scalar(value, &t) && t.kind == JSON_STRING)
        json_token_text(&t, &p->text);
}

static void print_parts(struct compare_print *p, unsigned bits)
{
    const char *before = "  differs: ";

    for (unsigned i = 0; i < CMP_PARTS; i++) {
        if (!(bits >> i & 1))
            continue;
        buf_printf(&p->line, "%s%s", before, cmp_part_name((enum cmp_part)i));
        before = ", ";
    }
}

/* Below the folders, above the items. */
static void print_total(struct compare_print *p, const struct cmp_result *r)
{
    if (p->totalled)
        return;
    p->totalled = true;
    print_tally(p, &r->total, false, 0);
    buf_puts(&p->line, "total\n\n");
}

static int print_item(void *ctx, const struct cmp_result *r, const struct cmp_item_result *i)
{
    struct compare_print *p = ctx;
    const struct cmp_entry *e = i->image ? i->image : i->server;
    char date[CLOCK_TEXT_SIZE] = "";

    print_total(p, r);
    if (e->has_date)
        clock_format(e->date, 0, 0, date);
    buf_printf(&p->line, "%-15s %9" PRIu32 "  %-20s  ", cmp_outcome_name(i->outcome), e->nid, date);
    if (i->folder)
        quote_path(p, r, i->folder, false);
    put_member(p, i->detail, "subject");
    buf_puts(&p->line, "  \"");
    quote(p, (struct bytes){p->text.data, p->text.size});
    buf_putc(&p->line, '"');
    if (i->why)
        buf_printf(&p->line, "  (%s)", cmp_why_text(i->why));
    if (i->other) {
        buf_puts(&p->line, "  there in ");
        quote_path(p, r, i->other, true);
    }
    print_parts(p, i->differs);
    if (i->copy)
        buf_puts(&p->line, "  (an exact copy is there)");
    p->listed = true;
    buf_putc(&p->line, '\n');
    return flush(p);
}

static int print_statement(void *ctx, const char *word, const char *text)
{
    struct compare_print *p = ctx;

    (void)word;
    buf_puts(&p->line, "- ");
    quote(p, bytes_text(text));
    buf_putc(&p->line, '\n');
    return 0;
}

static int print_end(void *ctx, const struct cmp_result *r)
{
    struct compare_print *p = ctx;
    int code;

    print_total(p, r);
    if (p->listed)
        buf_putc(&p->line, '\n');
    code = cmp_answer(r, print_statement, p);
    return code ? code : flush(p);
}

struct cmp_sink compare_print_sink(struct compare_print *p)
{
    return (struct cmp_sink){.ctx = p,
                             .begin = print_begin,
                             .folder = print_folder,
                             .item = p->verbose ? print_item : NULL,
                             .end = print_end};
}

int compare_print_csv_header(struct compare_print *p)
{
    buf_puts(&p->line,
             "row,image,server,folder,server_folder,role,window,window_from,ost,server_items,"
             "found,found_server");
    for (unsigned o = 0; o < CMP_OUTCOMES; o++)
        buf_printf(&p->line, ",%s", cmp_outcome_name((enum cmp_outcome)o));
    buf_puts(&p->line, ",server_count,surplus,deficit,only_ost_bytes,only_server_bytes\r\n");
    return flush(p);
}

static void csv_text(struct compare_print *p, struct bytes text)
{
    buf_putc(&p->line, ',');
    csv_field(&p->line, text.data, text.size);
}

static void csv_number(struct compare_print *p, bool has, uint64_t value)
{
    buf_putc(&p->line, ',');
    if (has)
        buf_printf(&p->line, "%" PRIu64, value);
}

static void csv_window(struct compare_print *p, const struct cmp_window *w)
{
    char date[CLOCK_TEXT_SIZE] = "";

    if (w->basis != CMP_WINDOW_ALL && w->basis != CMP_WINDOW_NONE)
        clock_format(w->from, 0, 0, date);
    buf_printf(&p->line, ",%s,%s", cmp_window_name(w->basis), date);
}

static int csv_row(struct compare_print *p, const struct cmp_result *r,
                   const struct cmp_folder_result *f)
{
    static const struct cmp_folder_result none;
    const struct cmp_folder_result *folder = f ? f : &none;
    const struct cmp_tally *t = f ? &f->tally : &r->total;
    const char *role = folder->image ? folder->image->role : NULL;

    buf_puts(&p->line, f ? "folder" : "total");
    csv_text(p, path_of(r->image));
    csv_text(p, path_of(r->server));
    csv_text(p, folder_path(p, r, folder, false));
    csv_text(p, folder_path(p, r, folder, true));
    csv_text(p, bytes_text(role ? role : ""));
    csv_window(p, f ? &f->window : &r->window);
    csv_number(p, true, t->image);
    csv_number(p, true, t->server);
    csv_number(p, true, t->found);
    csv_number(p, true, t->found_server);
    for (unsigned o = 0; o < CMP_OUTCOMES; o++)
        csv_number(p, true, t->outcomes[o]);
    csv_number(p, folder->has_count, folder->count);
    csv_number(p, folder->has_count, (uint64_t)folder->surplus);
    csv_number(p, folder->has_count, (uint64_t)folder->deficit);
    csv_number(p, true, t->only_image_bytes);
    csv_number(p, true, t->only_server_bytes);
    buf_puts(&p->line, "\r\n");
    return flush(p);
}

static int csv_folder(void *ctx, const struct cmp_result *r, const struct cmp_folder_result *f)
{
    return csv_row(ctx, r, f);
}

static int csv_end(void *ctx, const struct cmp_result *r)
{
    return csv_row(ctx, r, NULL);
}

struct cmp_sink compare_print_csv_sink(struct compare_print *p)
{
    return (struct cmp_sink){.ctx = p, .folder = csv_folder, .end = csv_end};
}
