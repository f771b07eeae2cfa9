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
#include "index/sharpen.h"
#include "scanner/app/advice_list.h"
#include "scanner/app/advice_print.h"
#include "scanner/app/compare_match.h"
#include "scanner/app/compare_pair.h"
#include "scanner/app/dup_run.h"
#include "scanner/app/interrupt.h"
#include "scanner/app/outfolder.h"

struct advising {
    const struct options *options;
    struct buf redact_key;
    const atomic_bool *cancel;
    struct dup_run manifests;
    struct advice_list list;
    struct match match; /* with --server */
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
    complain_about(path, code == ERR_DAMAGED && !fault->errnum
                             ? "no manifest, or cut short before its first line"
                             : err_why(code, fault->errnum));
    return 0;
}

static int print_one(const struct options *o, const struct advice *a)
{
    return o->output == OUTPUT_JSON ? advice_print_json(a) : advice_print_text(a, o->verbose > 0);
}

/* The server's file that belongs to the image; NULL: none, which was said. */
static const struct match_image *server_of(struct advising *w, const char *manifest)
{
    for (size_t i = 0; i < w->match.image_count; i++)
        if (strcmp(w->match.images[i].manifest, manifest) == 0)
            return w->match.images[i].file ? &w->match.images[i] : NULL;
    return NULL;
}

/* Prints, or lists, what the comparison made of the verdict. */
static int sharpen_and_tell(struct advising *w, struct advice *a, bool whole)
{
    const struct match_image *image =
        w->options->server && a->has_verdict ? server_of(w, a->manifest) : NULL;
    const struct chk_verdict before = a->verdict;
    struct idx_sharpen *sharpen = NULL;
    struct cmp_sink sink;
    int code = 0;

    if (w->options->server && !image) {
        w->trouble = true;
        complain_about(a->path, "no file of the server's belongs to it: its advice is without one");
    }
    if (image) {
        code = idx_sharpen_create(&before, &sharpen);
        if (!code) {
            sink = idx_sharpen_sink(sharpen);
            code = compare_pair(w->options, (struct bytes){w->redact_key.data, w->redact_key.size},
                                w->cancel, image, &sink, 1, &w->trouble);
        }
        if (!code)
            code = idx_sharpen_verdict(sharpen, &a->verdict);
        if (!code && whole)
            code = advice_name_items(a, w->cancel);
    }
    if (!code)
        code = whole ? print_one(w->options, a) : advice_list_add(&w->list, a);
    idx_sharpen_destroy(sharpen);
    return code;
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
        code = sharpen_and_tell(w, &a, whole);
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

static int match_server(struct advising *w)
{
    const struct options *o = w->options;
    bool both_named = o->path_count == 1 && !is_folder(o->paths[0]) && !is_folder(o->server);
    int code = 0;

    for (size_t i = 0; i < o->path_count && !code; i++)
        code = match_add_images(&w->match, o->paths[i]);
    if (!code)
        code = match_add_files(&w->match, o->server);
    if (!code && o->map)
        code = match_add_mapping(&w->match, o->map);
    if (!code)
        code = match_settle(&w->match, both_named);
    w->trouble |= w->match.trouble;
    return code;
}

static int run(struct advising *w)
{
    const struct options *o = w->options;
    bool whole = o->path_count == 1 && !is_folder(o->paths[0]) && o->output != OUTPUT_CSV;
    int code = o->server ? match_server(w) : 0;

    if (code)
        return code;
    return whole ? advise(w, o->paths[0], true) : list_all(w);
}

int command_advice(const struct options *o)
{
    struct advising w = {.options = o, .cancel = interrupt_install()};
    int code = o->redact_key ? outfolder_read_key(o->redact_key, &w.redact_key) : EXIT_DONE;

    if (code)
        return code;
    dup_run_init(&w.manifests, o->quiet);
    w.manifests.may_be_empty = true;
    match_init(&w.match);
    code = run(&w);
    if (!code && fflush(stdout) != 0 && errno != EPIPE)
        code = ERR_NOSPACE;
    dup_run_done(&w.manifests);
    match_done(&w.match);
    advice_list_done(&w.list);
    outfolder_forget_key(&w.redact_key);
    if (atomic_load(w.cancel))
        return EXIT_INTERRUPTED;
    if (code && code != ERR_CANCELLED) {
        complain("%s", err_text(code));
        return code == ERR_NOMEM ? EXIT_PROGRAM : EXIT_ENVIRONMENT;
    }
    return w.trouble ? EXIT_ENVIRONMENT : EXIT_DONE;
}
