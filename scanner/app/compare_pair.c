/* compare_pair.c: see compare_pair.h. */
#include "scanner/app/compare_pair.h"

#include <string.h>

#include "index/compare_manifest.h"
#include "index/times.h"
#include "scanner/app/commands.h"
#include "scanner/app/compare_load.h"

/* So many units before a time; months and years by the calendar, to the last day there is. */
static int64_t before(int64_t time, unsigned count, char unit)
{
    const int64_t of_day = (time % 86400 + 86400) % 86400;
    unsigned month, day, check;
    int64_t year, days = (time - of_day) / 86400, back;

    if (unit == 'd' || unit == 'w')
        return time - (int64_t)count * (unit == 'w' ? 7 : 1) * 86400;
    idx_date_of(days, &year, &month, &day);
    back = year * 12 + month - 1 - (int64_t)count * (unit == 'y' ? 12 : 1);
    do {
        int64_t y = back / 12;

        days = idx_days_of(y, (unsigned)(back % 12) + 1, day);
        idx_date_of(days, &y, &month, &check);
    } while (check != day && --day);
    return days * 86400 + of_day;
}

static void choose_window(const struct options *o, const struct cmp_side *image,
                          struct cmp_options *out)
{
    const struct window_option *w = &o->window;

    out->window_given = w->kind != WINDOW_INFER;
    if (w->kind == WINDOW_ALL)
        out->window = (struct cmp_window){CMP_WINDOW_ALL, 0};
    else if (w->kind == WINDOW_SINCE)
        out->window = (struct cmp_window){CMP_WINDOW_GIVEN, w->since};
    else if (w->kind == WINDOW_LAST && image->has_time)
        out->window = (struct cmp_window){CMP_WINDOW_GIVEN, before(image->time, w->count, w->unit)};
    else
        out->window_given = false;
}

/* A side that gave nothing is named; the others go on. */
static int refused(bool *trouble, const char *path, const struct cmp_side *side,
                   const struct fault *fault, int code)
{
    struct buf why = BUF_INIT;

    if (code == ERR_CANCELLED || code == ERR_NOMEM)
        return code;
    *trouble = true;
    if (code == ERR_DAMAGED && !fault->errnum)
        buf_printf(&why, "nothing in it can be compared%s%s. Accepted is %s",
                   *side->why ? ": " : "", side->why, server_accepted);
    else
        buf_puts(&why, err_why(code, fault->errnum));
    complain_about(path, buf_cstr(&why) ? (const char *)why.data : err_text(code));
    buf_done(&why);
    return 0;
}

int compare_pair(const struct options *o, struct bytes redact_key, const atomic_bool *cancel,
                 const struct match_image *i, const struct cmp_sink *sinks, size_t sink_count,
                 bool *trouble)
{
    const uint64_t memory = o->memory_bytes / 8;
    struct cmp_options options = {.memory_bytes = o->memory_bytes / 4 * 3, .cancel = cancel};
    struct compare_load how = {.options = o, .cancel = cancel};
    struct cmp_side *image = NULL, *server = NULL;
    struct fault fault = {0};
    int code = cmp_side_create(false, NULL, memory, &image);

    if (!code)
        code = cmp_side_create(true, NULL, memory, &server);
    if (!code) {
        code = cmp_read_manifest(image, i->manifest, cancel, &fault);
        if (code) {
            code = refused(trouble, i->manifest, image, &fault, code);
            goto out;
        }
        if (*image->redacted)
            how.redact_key = redact_key;
        how.digest = image->digest_size == 32 ? IDX_SHA256 : IDX_XXH3;
        code = compare_load(&how, i->file->path, i->file->kind, server, &fault);
        if (code) {
            code = refused(trouble, i->file->path, server, &fault, code);
            goto out;
        }
        if (strcmp(image->redacted, server->redacted) != 0) {
            *trouble = true;
            complain_about(i->file->path,
                           "not redacted as the image's manifest is: they cannot be compared (a "
                           "server's PST can, with --redact-key)");
            goto out;
        }
        choose_window(o, image, &options);
        code = cmp_compare(image, server, &options, sinks, sink_count, &fault);
    }
    if (code && code != ERR_CANCELLED && fault.code && fault.code != ERR_NOMEM)
        complain("temporary file: %s", err_why(code, fault.errnum));
out:
    cmp_side_destroy(image);
    cmp_side_destroy(server);
    return code;
}
