/* compare.c: the command `compare`. */
#include "scanner/app/commands.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "index/advice.h"
#include "index/compare.h"
#include "index/compare_lines.h"
#include "index/record.h"
#include "index/sharpen.h"
#include "io/patient.h"
#include "scanner/app/compare_match.h"
#include "scanner/app/compare_pair.h"
#include "scanner/app/compare_print.h"
#include "scanner/app/dup_print.h"
#include "scanner/app/interrupt.h"
#include "scanner/app/outfolder.h"

struct comparing {
    const struct options *options;
    struct buf redact_key;
    const atomic_bool *cancel;
    struct match match;
    struct compare_print print;
    struct cmp_lines lines;
    bool trouble, different;
    uint64_t compared, differing;
};

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

/* What the verdict is, now that this is known. */
static int tell_verdict(struct comparing *c, struct idx_sharpen *sharpen)
{
    struct buf line = BUF_INIT;
    struct chk_verdict v;
    int code = idx_sharpen_verdict(sharpen, &v);

    if (!code && c->options->output == OUTPUT_JSON) {
        idx_record_verdict(&line, &v);
        code = line.failed ? ERR_NOMEM : dup_print_line(NULL, line.data, line.size);
    } else if (!code && c->options->output == OUTPUT_TEXT) {
        buf_printf(&line, "verdict  remedy %s, export first: %s (ostscan advice)\n",
                   chk_remedy_name(v.remedy), chk_export_name(v.export_first));
        code = line.failed ? ERR_NOMEM : dup_print_line(NULL, line.data, line.size);
    }
    buf_done(&line);
    return code;
}

static int compare_one(struct comparing *c, const struct match_image *i)
{
    const struct options *o = c->options;
    const uint64_t before = c->compared;
    struct cmp_sink sinks[3] = {{0}, {.ctx = c, .end = note_result}};
    struct idx_sharpen *sharpen = NULL;
    struct fault fault = {0};
    struct advice a;
    int code;

    advice_init(&a);
    /* What is wrong with the manifest, comparing tells. */
    code = advice_read(&a, i->manifest, false, c->cancel, &fault);
    if (code != ERR_NOMEM && code != ERR_CANCELLED)
        code = idx_sharpen_create(&a.verdict, &sharpen);
    if (!code) {
        sinks[0] = o->output == OUTPUT_JSON  ? cmp_lines_sink(&c->lines, o->verbose > 0)
                   : o->output == OUTPUT_CSV ? compare_print_csv_sink(&c->print)
                                             : compare_print_sink(&c->print);
        sinks[2] = idx_sharpen_sink(sharpen);
        code = compare_pair(o, (struct bytes){c->redact_key.data, c->redact_key.size}, c->cancel, i,
                            sinks, 3, &c->trouble);
    }
    if (!code && c->compared > before && a.has_verdict)
        code = tell_verdict(c, sharpen);
    idx_sharpen_destroy(sharpen);
    advice_done(&a);
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

static const char *why_unmatched(const struct match_image *i)
{
    return i->several  ? "several of the server's files could be its: see --map"
           : i->mapped ? "the file that is mapped to it is not among the server's"
                       : "no file of the server's belongs to it: see --map";
}

static int compare_all(struct comparing *c)
{
    const struct match *m = &c->match;
    int code = 0;

    for (size_t i = 0; !code && i < m->image_count; i++) {
        if (m->images[i].file)
            code = compare_one(c, &m->images[i]);
        else
            code = tell_unmatched(c, m->images[i].image, NULL, why_unmatched(&m->images[i]));
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
    const bool folder = is_folder(o->paths[1]);
    int code = match_add_images(&c->match, o->paths[0]);

    if (!code)
        code = match_add_files(&c->match, o->paths[1]);
    if (!code && o->map)
        code = match_add_mapping(&c->match, o->map);
    if (!code)
        code = match_settle(&c->match, !folder);
    c->trouble = c->match.trouble;
    if (!code && o->output == OUTPUT_JSON)
        code = cmp_lines_init(&c->lines, "ostscan " OSTSCAN_VERSION, dup_print_line, NULL);
    else if (!code && o->output == OUTPUT_CSV)
        code = compare_print_csv_header(&c->print);
    if (!code && c->match.image_count && (c->match.file_count || folder))
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

    io_patience(options_read_timeout_ns(o), c.cancel);
    code = o->redact_key ? outfolder_read_key(o->redact_key, &c.redact_key) : EXIT_DONE;
    if (code)
        return code;
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
    outfolder_forget_key(&c.redact_key);
    return status;
}
