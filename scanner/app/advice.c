/*
 * advice.c: the command `advice`. One manifest: what to do with its image, step by step. An OUT, or
 * several: a line an image, the worst first.
 */
#include "scanner/app/commands.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "index/advice.h"
#include "scanner/app/advice_list.h"
#include "scanner/app/advice_print.h"
#include "scanner/app/dup_run.h"
#include "scanner/app/interrupt.h"

struct advising {
    const struct options *options;
    const atomic_bool *cancel;
    struct dup_run manifests;
    struct advice_list list;
    bool trouble;
};

static bool is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* A manifest that cannot be used is named; the others go on. */
static int refused(struct advising *w, const char *path, const struct fault *fault, int code)
{
    if (code == ERR_NOMEM || code == ERR_CANCELLED)
        return code;
    w->trouble = true;
    complain_about(path, fault->errnum         ? strerror(fault->errnum)
                         : code == ERR_DAMAGED ? "no manifest, or cut short before its first line"
                                               : err_text(code));
    return 0;
}

static int print_one(const struct options *o, const struct advice *a)
{
    return o->output == OUTPUT_JSON ? advice_print_json(a) : advice_print_text(a, o->verbose > 0);
}

static int advise(struct advising *w, const char *manifest, bool whole)
{
    struct fault fault = {0};
    struct advice a;
    int code;

    advice_init(&a);
    code = advice_read(&a, manifest, whole, w->cancel, &fault);
    if (code)
        code = refused(w, manifest, &fault, code);
    else
        code = whole ? print_one(w->options, &a) : advice_list_add(&w->list, &a);
    if (!code && *a.incomplete) {
        w->trouble = true;
        complain_about(manifest, a.incomplete);
    }
    advice_done(&a);
    return code;
}

static int list_all(struct advising *w)
{
    const struct options *o = w->options;
    int code = 0;

    for (size_t i = 0; i < o->path_count && !code; i++) {
        code = dup_run_add(&w->manifests, o->paths[i]);
        if (!code && is_folder(o->paths[i]))
            code = advice_list_add_unread(&w->list, o->paths[i]);
    }
    for (size_t i = 0; i < w->manifests.images.count && !code; i++)
        code = advise(w, w->manifests.images.list[i]->manifest, false);
    if (code)
        return code;
    w->trouble |= w->manifests.trouble || w->list.trouble;
    advice_list_sort(&w->list);
    return advice_list_print(&w->list, o->output);
}

static int run(struct advising *w)
{
    const struct options *o = w->options;
    bool whole = o->path_count == 1 && !is_folder(o->paths[0]) && o->output != OUTPUT_CSV;

    return whole ? advise(w, o->paths[0], true) : list_all(w);
}

int command_advice(const struct options *o)
{
    struct advising w = {.options = o, .cancel = interrupt_install()};
    int code;

    dup_run_init(&w.manifests, o->quiet);
    w.manifests.may_be_empty = true;
    code = run(&w);
    if (!code && fflush(stdout) != 0 && errno != EPIPE)
        code = ERR_NOSPACE;
    dup_run_done(&w.manifests);
    advice_list_done(&w.list);
    if (atomic_load(w.cancel))
        return EXIT_INTERRUPTED;
    if (code && code != ERR_CANCELLED) {
        complain("%s", err_text(code));
        return code == ERR_NOMEM ? EXIT_PROGRAM : EXIT_ENVIRONMENT;
    }
    return w.trouble ? EXIT_ENVIRONMENT : EXIT_DONE;
}
