/* advice_list.c: see advice_list.h. */
#include "scanner/app/advice_list.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "index/csv.h"
#include "index/json.h"
#include "index/json_read.h"
#include "index/terminal.h"
#include "index/verdict_read.h"
#include "io/listing.h"
#include "io/mem.h"
#include "scanner/app/commands.h"
#include "scanner/app/dup_print.h"

enum { ROWS_FIRST = 64 };

static void row_done(struct advice_row *r)
{
    mem_free(r->path);
    mem_free(r->manifest);
    mem_free(r->why);
    mem_free(r->why_export);
}

void advice_list_done(struct advice_list *l)
{
    for (size_t i = 0; i < l->count; i++)
        row_done(&l->rows[i]);
    mem_free(l->rows);
    *l = (struct advice_list){0};
}

static bool copy(char **out, const char *text)
{
    size_t size = text ? strlen(text) + 1 : 0;

    *out = text ? mem_alloc(size) : NULL;
    if (*out)
        memcpy(*out, text, size);
    return *out || !text;
}

/* Takes the row over, whatever becomes of it. */
static int push(struct advice_list *l, struct advice_row *row)
{
    if (l->count == l->capacity) {
        size_t capacity = l->capacity ? 2 * l->capacity : ROWS_FIRST;
        struct advice_row *rows = mem_realloc(l->rows, capacity * sizeof *rows);

        if (!rows) {
            row_done(row);
            return ERR_NOMEM;
        }
        l->rows = rows;
        l->capacity = capacity;
    }
    l->rows[l->count++] = *row;
    return 0;
}

static void count_reasons(const struct advice *a, struct advice_row *row, const char **why,
                          const char **why_export)
{
    for (size_t i = 0; i < a->verdict.reason_count; i++) {
        const struct chk_reason *r = &a->verdict.reasons[i];

        if (r->about == CONCERN_REMEDY && !*why)
            *why = r->text;
        if (r->strength == STRENGTH_STRONG && !*why_export)
            *why_export = r->text;
        if (r->about == CONCERN_SYNC)
            row->sync_errors += r->count;
    }
}

int advice_list_add(struct advice_list *l, const struct advice *a)
{
    struct advice_row row = {.remedy = a->verdict.remedy,
                             .export_first = a->verdict.export_first,
                             .corrupt = a->corrupt,
                             .folders = a->verdict.folder_count,
                             .local_items = advice_local_items(a),
                             .has_download = a->verdict.has_download,
                             .download = a->verdict.download,
                             .incomplete = *a->incomplete != '\0'};
    const char *why = row.incomplete ? a->incomplete : NULL, *why_export = NULL;

    count_reasons(a, &row, &why, &why_export);
    if (!copy(&row.path, a->path) || !copy(&row.manifest, a->manifest) || !copy(&row.why, why) ||
        !copy(&row.why_export, why_export)) {
        row_done(&row);
        return ERR_NOMEM;
    }
    return push(l, &row);
}

/* The text of a string member; NULL: there is none (or, with *failed, no memory). */
static char *member(struct bytes line, const char *key, bool *failed)
{
    struct buf text = BUF_INIT;
    struct json_token token;
    struct bytes value;

    if (json_find(line, key, &value) != 1 || !json_scalar(value, &token) ||
        token.kind != JSON_STRING)
        return NULL;
    json_token_text(&token, &text);
    if (buf_cstr(&text))
        return (char *)text.data;
    *failed = true;
    buf_done(&text);
    return NULL;
}

/* A line of scan.jsonl. */
static int take_line(struct advice_list *l, struct bytes line)
{
    struct advice_row row = {.remedy = REMEDY_UNKNOWN};
    bool failed = false;
    char *type = member(line, "type", &failed);
    char *manifest = member(line, "manifest", &failed);
    bool is_wanted = type && strcmp(type, "image") == 0 && !manifest;
    char *remedy, *state;

    mem_free(type);
    mem_free(manifest);
    if (!is_wanted || failed)
        return failed ? ERR_NOMEM : 0;
    remedy = member(line, "remedy", &failed);
    if (remedy)
        chk_remedy_of(remedy, &row.remedy);
    mem_free(remedy);
    row.path = member(line, "path", &failed);
    row.why = member(line, "reason", &failed);
    state = member(line, "state", &failed);
    if (!row.why)
        row.why = state;
    else
        mem_free(state);
    if (!row.path || failed) {
        row_done(&row);
        return failed ? ERR_NOMEM : 0;
    }
    return push(l, &row);
}

static int take_file(struct advice_list *l, const char *path)
{
    FILE *f = fopen(path, "re");
    char *line = NULL;
    size_t capacity = 0;
    ssize_t size;
    int code = 0;

    if (!f) {
        complain_about(path, strerror(errno));
        l->trouble = true;
        return 0;
    }
    while (!code && (size = getline(&line, &capacity, f)) > 0)
        code = take_line(l, (struct bytes){(const uint8_t *)line, (size_t)size});
    if (ferror(f)) {
        complain_about(path, strerror(errno));
        l->trouble = true;
    }
    free(line);
    fclose(f);
    return code;
}

static bool is_summary(const char *name)
{
    size_t size = strlen(name);

    return strncmp(name, "scan.", 5) == 0 && size > 6 && strcmp(name + size - 6, ".jsonl") == 0;
}

int advice_list_add_unread(struct advice_list *l, const char *out)
{
    struct listing *listing = mem_alloc(sizeof *listing);
    int fd = listing ? listing_open(AT_FDCWD, out, 0) : -1;
    const struct dirent64 *entry;
    int code = listing ? 0 : ERR_NOMEM;

    if (fd >= 0)
        listing_start(listing, fd, 0);
    while (fd >= 0 && !code && listing_next(listing, &entry) == 0 && entry) {
        struct buf path = BUF_INIT;

        if (!is_summary(entry->d_name))
            continue;
        buf_printf(&path, "%s/%s", out, entry->d_name);
        code = buf_cstr(&path) ? take_file(l, (const char *)path.data) : ERR_NOMEM;
        buf_done(&path);
    }
    if (fd >= 0)
        close(fd);
    mem_free(listing);
    return code;
}

static int compare(const void *a, const void *b)
{
    static const int remedies[] = {
        [REMEDY_REBUILD] = 0, [REMEDY_REPAIR_COPY] = 1,  [REMEDY_RESYNC_FOLDERS] = 2,
        [REMEDY_UNKNOWN] = 3, [REMEDY_RETRY_CLOSED] = 4, [REMEDY_NONE] = 5,
    };
    static const int exports[] = {
        [EXPORT_REQUIRED] = 0, [EXPORT_UNKNOWN] = 1, [EXPORT_NOTHING_FOUND] = 2};
    const struct advice_row *x = a, *y = b;

    if (x->remedy != y->remedy)
        return remedies[x->remedy] - remedies[y->remedy];
    if (x->export_first != y->export_first)
        return exports[x->export_first] - exports[y->export_first];
    if (x->corrupt != y->corrupt)
        return x->corrupt > y->corrupt ? -1 : 1;
    return strcmp(x->path, y->path);
}

void advice_list_sort(struct advice_list *l)
{
    if (l->count)
        qsort(l->rows, l->count, sizeof *l->rows, compare);
}

static void quote(struct buf *out, const char *text)
{
    terminal_quote(bytes_text(text), out);
}

static void put_text(const struct advice_row *r, struct buf *out)
{
    buf_printf(out, "%-14s  ", chk_remedy_name(r->remedy));
    quote(out, r->path);
    if (r->why) {
        buf_puts(out, ": ");
        quote(out, r->why);
    }
    if (r->folders)
        buf_printf(out, "; %" PRIu64 " folder%s", r->folders, r->folders == 1 ? "" : "s");
    if (r->export_first == EXPORT_REQUIRED) {
        buf_printf(out, "; export first: %" PRIu64 " item%s", r->local_items,
                   r->local_items == 1 ? "" : "s");
        if (r->why_export) {
            buf_puts(out, " (");
            quote(out, r->why_export);
            buf_putc(out, ')');
        }
    }
    buf_putc(out, '\n');
}

static void put_json(const struct advice_row *r, struct buf *out)
{
    struct json j;

    json_record(&j, out, "image");
    json_text(&j, "path", r->path, strlen(r->path));
    if (r->manifest)
        json_text(&j, "manifest", r->manifest, strlen(r->manifest));
    json_cstr(&j, "remedy", chk_remedy_name(r->remedy));
    json_cstr(&j, "export_first", chk_export_name(r->export_first));
    json_cstr(&j, "why", r->why);
    json_cstr(&j, "why_export", r->why_export);
    json_u64(&j, "corrupt", r->corrupt);
    json_u64(&j, "folders", r->folders);
    json_u64(&j, "local_items", r->local_items);
    json_u64(&j, "sync_errors", r->sync_errors);
    if (r->has_download) {
        json_u64(&j, "download_items", r->download.items);
        json_u64(&j, "download_bytes", r->download.bytes);
    }
    json_bool(&j, "incomplete", r->incomplete);
    json_end_record(&j);
}

static void csv_text(struct buf *out, const char *text)
{
    buf_putc(out, ',');
    if (text)
        csv_field(out, (const uint8_t *)text, strlen(text));
}

static void put_csv(const struct advice_row *r, struct buf *out)
{
    buf_printf(out, "%s,%s", chk_remedy_name(r->remedy), chk_export_name(r->export_first));
    csv_text(out, r->path);
    csv_text(out, r->why);
    csv_text(out, r->why_export);
    buf_printf(out, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",", r->corrupt, r->folders,
               r->local_items, r->sync_errors);
    if (r->has_download)
        buf_printf(out, "%" PRIu64 ",%" PRIu64, r->download.items, r->download.bytes);
    else
        buf_putc(out, ',');
    csv_text(out, r->manifest);
    buf_puts(out, r->incomplete ? ",true\r\n" : ",false\r\n");
}

static int flush(struct buf *line)
{
    int code = line->failed ? ERR_NOMEM
               : line->size ? dup_print_line(NULL, line->data, line->size)
                            : 0;

    buf_reset(line);
    return code;
}

int advice_list_print(const struct advice_list *l, enum output_format format)
{
    struct buf line = BUF_INIT;
    int code = 0;

    if (format == OUTPUT_CSV)
        buf_puts(&line, "remedy,export_first,path,why,why_export,corrupt,folders,local_items,"
                        "sync_errors,download_items,download_bytes,manifest,incomplete\r\n");
    for (size_t i = 0; i < l->count && !code; i++) {
        if (format == OUTPUT_CSV)
            put_csv(&l->rows[i], &line);
        else if (format == OUTPUT_JSON)
            put_json(&l->rows[i], &line);
        else
            put_text(&l->rows[i], &line);
        code = flush(&line);
    }
    if (!code)
        code = flush(&line);
    buf_done(&line);
    return code;
}
