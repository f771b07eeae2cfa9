/* dups.c: the command `dups`. */
#include "scanner/app/commands.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "index/dup_lines.h"
#include "scanner/app/dup_file.h"
#include "scanner/app/dup_print.h"
#include "scanner/app/dup_run.h"
#include "scanner/app/interrupt.h"

/* Where the groups go. */
struct outputs {
    struct dup_print print;
    struct dup_lines json;
    struct dup_file file;
    struct dup_sink sinks[3]; /* the last one: totals */
    size_t count;
};

static int keep_totals(void *ctx, const struct dup_totals *totals)
{
    *(struct dup_totals *)ctx = *totals;
    return 0;
}

static int open_outputs(struct outputs *out, const struct options *o, struct dup_totals *totals,
                        struct fault *fault)
{
    int code = 0;

    dup_print_init(&out->print, o->verbose > 0);
    if (o->output == OUTPUT_JSON) {
        code = dup_lines_init(&out->json, "ostscan " OSTSCAN_VERSION, dup_print_line, NULL);
        out->sinks[out->count++] = dup_lines_sink(&out->json);
    } else if (o->output == OUTPUT_CSV) {
        code = dup_print_csv_header(&out->print);
        out->sinks[out->count++] = dup_print_csv_sink(&out->print);
    } else {
        out->sinks[out->count++] = dup_print_sink(&out->print);
    }
    if (!code && o->out) {
        code = dup_file_open(&out->file, o->out, fault);
        out->sinks[out->count++] = dup_file_sink(&out->file);
    }
    out->sinks[out->count++] = (struct dup_sink){.ctx = totals, .totals = keep_totals};
    return code;
}

static int run(struct dup_run *r, const struct options *o, const atomic_bool *cancel,
               struct dup_totals *totals)
{
    struct outputs out = {0};
    struct fault fault = {0};
    int code = 0;

    for (size_t i = 0; !code && i < o->path_count; i++)
        code = dup_run_add(r, o->paths[i]);
    if (!code)
        code = open_outputs(&out, o, totals, &fault);
    if (!code)
        code = dup_run_tell(r, o->jobs, o->memory_bytes, cancel, out.sinks, out.count);
    code = dup_file_close(&out.file, code, &fault);
    dup_lines_done(&out.json);
    dup_print_done(&out.print);
    if (fault.code)
        complain("%s: %s", o->out, err_why(fault.code, fault.errnum));
    else if (code && code != ERR_CANCELLED)
        complain("%s", err_text(code));
    return code;
}

static int status_of(const struct dup_run *r, const struct options *o,
                     const struct dup_totals *totals, int code, bool interrupted)
{
    if (interrupted)
        return EXIT_INTERRUPTED;
    if (code && code != ERR_CANCELLED)
        return code == ERR_NOMEM ? EXIT_PROGRAM : EXIT_ENVIRONMENT;
    if (o->fail_on == FAIL_DUPLICATE &&
        totals->of[DUP_IMAGE].groups + totals->of[DUP_ITEM].groups > 0)
        return EXIT_FOUND;
    return r->trouble ? EXIT_ENVIRONMENT : EXIT_DONE;
}

int command_dups(const struct options *o)
{
    const atomic_bool *cancel = interrupt_install();
    struct dup_totals totals = {0};
    struct dup_run r;
    int code, status;

    dup_run_init(&r, o->quiet);
    code = run(&r, o, cancel, &totals);
    if (!code && fflush(stdout) != 0 && errno != EPIPE)
        code = ERR_NOSPACE;
    if (totals.mixed && !o->quiet)
        complain("some manifests have xxh3 digests and some sha256: what was scanned with one is "
                 "never found to be a duplicate of what was scanned with the other");
    if (totals.mixed_keys && !o->quiet)
        complain(
            "some manifests are redacted and some not, or by other keys: what one hides is never "
            "found to be a duplicate of what another holds");
    status = status_of(&r, o, &totals, code, atomic_load(cancel));
    dup_run_done(&r);
    return status;
}
