/* advice_print.c: see advice_print.h. */
#include "scanner/app/advice_print.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "index/advice_steps.h"
#include "index/json.h"
#include "index/terminal.h"
#include "io/clock.h"
#include "scanner/app/dup_print.h"
#include "scanner/app/tty.h"

enum { SHOWN = 10 };

struct printer {
    const struct advice *advice;
    struct buf out, path;
    unsigned step;
    size_t shown; /* of a list, at most */
    struct json json;
};

static int flush(struct printer *p)
{
    int code = p->out.failed ? ERR_NOMEM : dup_print_line(NULL, p->out.data, p->out.size);

    buf_reset(&p->out);
    return code;
}

static void quote(struct printer *p, const char *text)
{
    terminal_quote(bytes_text(text), &p->out);
}

/* The folder's path, or its nid where it has none. */
static struct bytes path_of(struct printer *p, uint32_t nid)
{
    buf_reset(&p->path);
    if (p->advice->folders)
        idx_folders_path(p->advice->folders, nid, &p->path);
    if (!p->path.size)
        buf_printf(&p->path, "0x%" PRIx32, nid);
    return (struct bytes){p->path.data, p->path.size};
}

static void put_folder(struct printer *p, uint32_t nid)
{
    terminal_quote(path_of(p, nid), &p->out);
}

static void put_more(struct printer *p, size_t count, const char *what)
{
    if (count > p->shown)
        buf_printf(&p->out, "       … and %zu more %s (-v shows all)\n", count - p->shown, what);
}

static void put_item(struct printer *p, uint32_t nid)
{
    const struct advice_item *item = advice_item_of(p->advice, nid);

    buf_puts(&p->out, "       ");
    if (!item) {
        buf_printf(&p->out, "0x%" PRIx32 "\n", nid);
        return;
    }
    if (*item->date)
        buf_printf(&p->out, "%.10s  ", item->date);
    if (*item->subject)
        quote(p, item->subject);
    else
        buf_printf(&p->out, "0x%" PRIx32 " (no subject)", nid);
    if (*item->from) {
        buf_puts(&p->out, ", from ");
        quote(p, item->from);
    }
    if (item->folder) {
        buf_puts(&p->out, ", in ");
        put_folder(p, item->folder);
    }
    buf_putc(&p->out, '\n');
}

static void put_items(struct printer *p, const struct chk_reason *r)
{
    for (size_t i = 0; i < r->item_count && i < p->shown; i++)
        put_item(p, r->items[i]);
    put_more(p, r->item_count, "items");
}

static void put_folders(struct printer *p)
{
    const struct chk_verdict *v = &p->advice->verdict;

    for (size_t i = 0; i < v->folder_count && i < p->shown; i++) {
        const struct chk_folder_state *f = &v->folders[i];

        buf_puts(&p->out, "       ");
        put_folder(p, f->nid);
        if (f->remedy != v->remedy)
            buf_printf(&p->out, " (%s)", chk_remedy_name(f->remedy));
        if (f->failed)
            buf_printf(&p->out, "; %" PRIu64 " failed", f->failed);
        if (f->orphaned)
            buf_printf(&p->out, "; %" PRIu64 " not listed", f->orphaned);
        if (f->unaccounted + f->rows_without_item)
            buf_printf(&p->out, "; %" PRIu64 " missing", f->unaccounted + f->rows_without_item);
        if (v->has_download && f->remedy == REMEDY_RESYNC_FOLDERS)
            buf_printf(&p->out, "; %" PRIu64 " items, %s to download", f->download.items,
                       tty_bytes(f->download.bytes));
        buf_putc(&p->out, '\n');
    }
    put_more(p, v->folder_count, "folders");
}

static void put_codes(struct printer *p, const struct chk_reason *r)
{
    for (size_t i = 0; i < r->code_count; i++)
        buf_printf(&p->out, "%s%s", i ? ", " : " (", finding_info(r->codes[i])->name);
    if (r->code_count)
        buf_putc(&p->out, ')');
}

/* The days between which it was logged. */
static void put_times(struct printer *p, const struct chk_sync_error *e)
{
    const uint64_t times[] = {e->first, e->last};
    char text[2][CLOCK_TEXT_SIZE];

    if (!e->first)
        return;
    for (int i = 0; i < 2; i++)
        clock_format((int64_t)(times[i] / 10000000) - INT64_C(11644473600), 0, 0, text[i]);
    buf_printf(&p->out, ", %.16s", text[0]);
    if (strncmp(text[0], text[1], 16) != 0)
        buf_printf(&p->out, " to %.16s", text[1]);
}

static void put_errors(struct printer *p, const struct chk_reason *r)
{
    for (size_t i = 0; i < r->error_count && i < p->shown; i++) {
        const struct chk_sync_error *e = &r->errors[i];

        buf_printf(&p->out, "       0x%08" PRIx32 ", %" PRIu64 " time%s", e->code, e->count,
                   e->count == 1 ? "" : "s");
        if (e->folder) {
            buf_puts(&p->out, ", in ");
            put_folder(p, e->folder);
        }
        put_times(p, e);
        buf_putc(&p->out, '\n');
    }
    put_more(p, r->error_count, "kinds");
}

static void put_reason(struct printer *p, const struct chk_reason *r)
{
    buf_puts(&p->out, "     ");
    if (r->count)
        buf_printf(&p->out, "%" PRIu64 " ", r->count);
    quote(p, r->text);
    put_codes(p, r);
    if (r->strength)
        buf_printf(&p->out, " [%s sign]", chk_strength_name(r->strength));
    buf_putc(&p->out, '\n');
    put_errors(p, r);
}

static void put_reasons(struct printer *p, enum chk_concern about)
{
    for (size_t i = 0; i < p->advice->verdict.reason_count; i++)
        if (p->advice->verdict.reasons[i].about == about)
            put_reason(p, &p->advice->verdict.reasons[i]);
}

static bool has_reason(const struct advice *a, enum chk_concern about)
{
    for (size_t i = 0; i < a->verdict.reason_count; i++)
        if (a->verdict.reasons[i].about == about)
            return true;
    return false;
}

static int put_step(void *ctx, const struct advice_step *step)
{
    struct printer *p = ctx;
    const struct chk_verdict *v = &p->advice->verdict;

    buf_printf(&p->out, "%3u. ", ++p->step);
    quote(p, step->text);
    buf_putc(&p->out, '\n');
    if (step->lists_folders)
        put_folders(p);
    for (size_t i = 0; step->lists_items && i < v->reason_count; i++)
        if (v->reasons[i].strength == STRENGTH_STRONG)
            put_items(p, &v->reasons[i]);
    return 0;
}

int advice_print_text(const struct advice *a, bool verbose)
{
    struct printer p = {.advice = a, .shown = verbose ? SIZE_MAX : SHOWN};
    int code;

    quote(&p, a->path);
    buf_printf(&p.out, "\n   remedy: %s\n", chk_remedy_name(a->verdict.remedy));
    if (*a->incomplete) {
        buf_puts(&p.out, "     the manifest is incomplete: ");
        quote(&p, a->incomplete);
        buf_putc(&p.out, '\n');
    }
    put_reasons(&p, CONCERN_REMEDY);
    buf_printf(&p.out, "   export first: %s\n", chk_export_name(a->verdict.export_first));
    put_reasons(&p, CONCERN_EXPORT);
    if (has_reason(a, CONCERN_SYNC))
        buf_puts(&p.out, "   synchronization:\n");
    put_reasons(&p, CONCERN_SYNC);
    buf_puts(&p.out, "   steps:\n");
    code = advice_steps(a, &p, put_step);
    if (!code)
        code = flush(&p);
    buf_done(&p.out);
    buf_done(&p.path);
    return code;
}

static void json_path(struct printer *p, uint32_t nid)
{
    buf_reset(&p->path);
    if (p->advice->folders && nid)
        idx_folders_path(p->advice->folders, nid, &p->path);
    if (p->path.size)
        json_text(&p->json, "path", p->path.data, p->path.size);
}

static void json_nids(struct json *j, const char *key, const uint32_t *list, size_t count)
{
    if (!count)
        return;
    json_array(j, key);
    for (size_t i = 0; i < count; i++)
        json_u64(j, NULL, list[i]);
    json_close_array(j);
}

static void json_errors(struct printer *p, const struct chk_reason *r)
{
    struct json *j = &p->json;

    json_array(j, "errors");
    for (size_t i = 0; i < r->error_count; i++) {
        const struct chk_sync_error *e = &r->errors[i];
        char code[16];

        snprintf(code, sizeof code, "0x%08" PRIx32, e->code);
        json_object(j, NULL);
        json_cstr(j, "code", code);
        if (e->folder)
            json_u64(j, "folder", e->folder);
        json_path(p, e->folder);
        json_u64(j, "count", e->count);
        if (e->first) {
            json_filetime(j, "first", e->first);
            json_filetime(j, "last", e->last);
        }
        json_close_object(j);
    }
    json_close_array(j);
}

static void json_reason(struct printer *p, const struct chk_reason *r)
{
    struct json *j = &p->json;

    json_object(j, NULL);
    json_text(j, "text", r->text, strlen(r->text));
    json_cstr(j, "about", chk_concern_name(r->about));
    if (r->strength)
        json_cstr(j, "strength", chk_strength_name(r->strength));
    if (r->count)
        json_u64(j, "count", r->count);
    if (r->code_count)
        json_array(j, "codes");
    for (size_t i = 0; i < r->code_count; i++)
        json_cstr(j, NULL, finding_info(r->codes[i])->name);
    if (r->code_count)
        json_close_array(j);
    json_nids(j, "items", r->items, r->item_count);
    json_nids(j, "folders", r->folders, r->folder_count);
    if (r->error_count)
        json_errors(p, r);
    json_close_object(j);
}

static void json_folders(struct printer *p)
{
    const struct chk_verdict *v = &p->advice->verdict;
    struct json *j = &p->json;

    json_array(j, "folders");
    for (size_t i = 0; i < v->folder_count; i++) {
        const struct chk_folder_state *f = &v->folders[i];

        json_object(j, NULL);
        json_u64(j, "nid", f->nid);
        json_path(p, f->nid);
        json_cstr(j, "remedy", chk_remedy_name(f->remedy));
        json_u64(j, "failed", f->failed);
        json_u64(j, "orphaned", f->orphaned);
        json_u64(j, "unaccounted", f->unaccounted);
        json_u64(j, "rows_without_item", f->rows_without_item);
        json_close_object(j);
    }
    json_close_array(j);
}

static void json_items(struct printer *p)
{
    struct json *j = &p->json;

    json_array(j, "items");
    for (size_t i = 0; i < p->advice->item_count; i++) {
        const struct advice_item *item = &p->advice->items[i];

        json_object(j, NULL);
        json_u64(j, "nid", item->nid);
        if (item->folder)
            json_u64(j, "folder", item->folder);
        json_path(p, item->folder);
        if (*item->subject)
            json_text(j, "subject", item->subject, strlen(item->subject));
        json_cstr(j, "date", *item->date ? item->date : NULL);
        if (*item->from)
            json_text(j, "from", item->from, strlen(item->from));
        json_close_object(j);
    }
    json_close_array(j);
}

static int json_step(void *ctx, const struct advice_step *step)
{
    struct json *j = &((struct printer *)ctx)->json;

    json_object(j, NULL);
    json_cstr(j, "step", step->name);
    json_text(j, "text", step->text, strlen(step->text));
    json_close_object(j);
    return 0;
}

int advice_print_json(const struct advice *a)
{
    struct printer p = {.advice = a};
    struct json *j = &p.json;
    int code;

    json_record(j, &p.out, "advice");
    json_text(j, "path", a->path, strlen(a->path));
    json_text(j, "manifest", a->manifest, strlen(a->manifest));
    json_cstr(j, "remedy", chk_remedy_name(a->verdict.remedy));
    json_cstr(j, "export_first", chk_export_name(a->verdict.export_first));
    json_cstr(j, "incomplete", *a->incomplete ? a->incomplete : NULL);
    json_u64(j, "corrupt", a->corrupt);
    json_array(j, "reasons");
    for (size_t i = 0; i < a->verdict.reason_count; i++)
        json_reason(&p, &a->verdict.reasons[i]);
    json_close_array(j);
    json_folders(&p);
    json_items(&p);
    if (a->verdict.has_download) {
        json_object(j, "download");
        json_u64(j, "items", a->verdict.download.items);
        json_u64(j, "bytes", a->verdict.download.bytes);
        json_close_object(j);
    }
    json_array(j, "steps");
    code = advice_steps(a, &p, json_step);
    json_close_array(j);
    json_end_record(j);
    if (!code)
        code = flush(&p);
    buf_done(&p.out);
    buf_done(&p.path);
    return code;
}
