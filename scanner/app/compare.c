/* compare.c: the command `compare`. */
#include "scanner/app/commands.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "index/compare.h"
#include "index/compare_lines.h"
#include "index/compare_manifest.h"
#include "index/times.h"
#include "scanner/app/compare_load.h"
#include "scanner/app/compare_match.h"
#include "scanner/app/compare_print.h"
#include "scanner/app/dup_print.h"
#include "scanner/app/interrupt.h"

struct comparing {
    const struct options *options;
    const atomic_bool *cancel;
    struct match match;
    struct compare_print print;
    struct cmp_lines lines;
    bool trouble, different;
    uint64_t compared, differing;
};

static const char *reason_of(const struct fault *fault, int code)
{
    return fault->errnum ? strerror(fault->errnum) : err_text(code);
}

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

static int note_result(void *ctx, const struct cmp_result *r)
{
    struct comparing *c = ctx;

    c->compared++;
    c->differing += r->different;
    c->different |= r->different;
    /* Statistics of a server are what they are; a manifest cut short, or pages missing, is trouble.
     */
    c->trouble |= r->image->incomplete || r->server->incomplete;
    return 0;
}

static int compare_sides(struct comparing *c, struct cmp_side *image, struct cmp_side *server,
                         struct fault *fault)
{
    const struct options *o = c->options;
    struct cmp_options options = {.memory_bytes = o->memory_bytes / 4 * 3, .cancel = c->cancel};
    struct cmp_sink sinks[2] = {{0}, {.ctx = c, .end = note_result}};

    if (o->output == OUTPUT_JSON)
        sinks[0] = cmp_lines_sink(&c->lines, o->verbose > 0);
    else if (o->output == OUTPUT_CSV)
        sinks[0] = compare_print_csv_sink(&c->print);
    else
        sinks[0] = compare_print_sink(&c->print);
    choose_window(o, image, &options);
    return cmp_compare(image, server, &options, sinks, 2, fault);
}

/* A side that gave nothing is named; the others go on. */
static int refused(struct comparing *c, const char *path, const struct cmp_side *side,
                   const struct fault *fault, int code)
{
    struct buf why = BUF_INIT;

    if (code == ERR_CANCELLED || code == ERR_NOMEM)
        return code;
    c->trouble = true;
    if (code == ERR_DAMAGED && !fault->errnum)
        buf_printf(&why, "nothing in it can be compared%s%s. Accepted is %s",
                   *side->why ? ": " : "", side->why, server_accepted);
    else
        buf_puts(&why, reason_of(fault, code));
    complain_about(path, buf_cstr(&why) ? (const char *)why.data : err_text(code));
    buf_done(&why);
    return 0;
}

static int compare_one(struct comparing *c, const struct match_image *i)
{
    const uint64_t memory = c->options->memory_bytes / 8;
    struct compare_load how = {.options = c->options, .cancel = c->cancel};
    struct cmp_side *image = NULL, *server = NULL;
    struct fault fault = {0};
    int code = cmp_side_create(false, NULL, memory, &image);

    if (!code)
        code = cmp_side_create(true, NULL, memory, &server);
    if (!code) {
        code = cmp_read_manifest(image, i->manifest, c->cancel, &fault);
        if (code) {
            code = refused(c, i->manifest, image, &fault, code);
            goto out;
        }
        how.digest = image->digest_size == 32 ? IDX_SHA256 : IDX_XXH3;
        code = compare_load(&how, i->file->path, i->file->kind, server, &fault);
        if (code) {
            code = refused(c, i->file->path, server, &fault, code);
            goto out;
        }
        code = compare_sides(c, image, server, &fault);
    }
    if (code && code != ERR_CANCELLED && fault.code && fault.code != ERR_NOMEM)
        complain("temporary file: %s", reason_of(&fault, code));
out:
    cmp_side_destroy(image);
    cmp_side_destroy(server);
    return code;
}

static int tell_unmatched(struct comparing *c, const char *image, const char *server,
                          const char *what)
{
    c->trouble = true;
    if (!c->options->quiet)
        complain_about(image ? image : server, what);
    return c->options->output == OUTPUT_JSON ? cmp_lines_unmatched(&c->lines, image, server) : 0;
}

static int compare_all(struct comparing *c)
{
    const struct match *m = &c->match;
    int code = 0;

    for (size_t i = 0; !code && i < m->image_count; i++) {
        if (m->images[i].file)
            code = compare_one(c, &m->images[i]);
        else
            code = tell_unmatched(c, m->images[i].image, NULL,
                                  m->images[i].several
                                      ? "several of the server's files could be its: see --map"
                                      : "no file of the server's belongs to it: see --map");
    }
    for (size_t f = 0; !code && f < m->file_count; f++)
        if (!m->files[f].used)
            code = tell_unmatched(c, NULL, m->files[f].path, "belongs to none of the images");
    return code;
}

static bool is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int run(struct comparing *c)
{
    const struct options *o = c->options;
    int code = match_add_images(&c->match, o->paths[0]);

    if (!code)
        code = match_add_files(&c->match, o->paths[1]);
    if (!code && o->map)
        code = match_add_mapping(&c->match, o->map);
    if (!code)
        code = match_settle(&c->match, !is_folder(o->paths[1]));
    c->trouble = c->match.trouble;
    if (!code && o->output == OUTPUT_JSON)
        code = cmp_lines_init(&c->lines, "ostscan " OSTSCAN_VERSION, dup_print_line, NULL);
    else if (!code && o->output == OUTPUT_CSV)
        code = compare_print_csv_header(&c->print);
    if (!code && c->match.image_count && c->match.file_count)
        code = compare_all(c);
    if (!code && o->output == OUTPUT_JSON)
        code = cmp_lines_end(&c->lines, c->compared, c->differing, !c->trouble);
    return code;
}

static int status_of(const struct comparing *c, int code)
{
    if (atomic_load(c->cancel))
        return EXIT_INTERRUPTED;
    if (code && code != ERR_CANCELLED)
        return code == ERR_NOMEM ? EXIT_PROGRAM : EXIT_ENVIRONMENT;
    if (c->options->fail_on == FAIL_DIFFERENCE && c->different)
        return EXIT_FOUND;
    return c->trouble ? EXIT_ENVIRONMENT : EXIT_DONE;
}

int command_compare(const struct options *o)
{
    struct comparing c = {.options = o, .cancel = interrupt_install()};
    int code, status;

    match_init(&c.match);
    compare_print_init(&c.print, o->verbose > 0);
    code = run(&c);
    if (!code && fflush(stdout) != 0 && errno != EPIPE)
        code = ERR_NOSPACE;
    if (code == ERR_NOMEM || code == ERR_NOSPACE)
        complain("%s", err_text(code));
    status = status_of(&c, code);
    match_done(&c.match);
    compare_print_done(&c.print);
    cmp_lines_done(&c.lines);
    return status;
}
