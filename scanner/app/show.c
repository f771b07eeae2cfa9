/*
 * show.c: the command `show`. Lines go from the manifest's reader to index/show; a manifest that
 * is not whole is told after the lines before the damage were shown.
 */
#include "scanner/app/commands.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "index/manifest.h"
#include "index/show.h"
#include "scanner/app/interrupt.h"
#include "scanner/app/tty.h"

/* Standard output went away or is full: an error for all but a pipe that was closed. */
static int write_out(void *ctx, const void *data, size_t size)
{
    (void)ctx;
    if (tty_print(data, size))
        return 0;
    return errno == EPIPE ? ERR_CANCELLED : ERR_NOSPACE;
}

static const char *state_text(enum idx_manifest_state state)
{
    return state == MANIFEST_TRUNCATED ? "incomplete: it ends early" : "damaged, or no manifest";
}

static int show_lines(struct idx_manifest_reader *reader, const struct options *o,
                      struct idx_show *show, const char *path)
{
    enum idx_manifest_state state = MANIFEST_COMPLETE;
    unsigned types = o->types ? o->types : SHOW_ALL_TYPES;
    struct buf why = BUF_INIT;
    enum idx_record type;
    struct bytes line;
    int got;

    while ((got = idx_manifest_next(reader, &type, &line, &state)) == 1) {
        int err = types & 1u << type ? idx_show_line(show, type, line) : 0;

        if (err == ERR_DAMAGED)
            state = MANIFEST_DAMAGED;
        else if (err)
            return err;
    }
    if (got < 0)
        return got;
    if (state == MANIFEST_COMPLETE)
        return 0;
    buf_printf(&why, "%s (%s)", state_text(state), idx_manifest_reason(reader));
    complain_about(path, buf_cstr(&why) ? (const char *)why.data : state_text(state));
    buf_done(&why);
    return ERR_DAMAGED;
}

static int show_one(const char *path, const struct options *o, struct idx_show *show)
{
    struct idx_manifest_reader *reader = NULL;
    struct fault fault = {0};
    int err = idx_manifest_open(path, &reader, &fault);

    if (!err)
        err = show_lines(reader, o, show, path);
    if (err && err != ERR_DAMAGED && err != ERR_CANCELLED)
        complain_about(path, err_why(err, fault.errnum));
    idx_manifest_close(reader);
    return err;
}

int command_show(const struct options *o)
{
    const struct idx_show_options how = {
        .format = o->output == OUTPUT_JSON  ? SHOW_JSON
                  : o->output == OUTPUT_CSV ? SHOW_CSV
                                            : SHOW_TABLE,
        .types = o->types ? o->types : SHOW_ALL_TYPES,
        .width = tty_is(STDOUT_FILENO) ? tty_columns(STDOUT_FILENO) : 0,
    };
    struct idx_show *show = NULL;
    int err, status = EXIT_DONE;

    interrupt_ignore_output();
    err = idx_show_create(&how, write_out, NULL, &show);
    if (err) {
        complain("%s", err_text(err));
        return EXIT_PROGRAM;
    }
    for (size_t i = 0; i < o->path_count && err != ERR_CANCELLED; i++) {
        err = show_one(o->paths[i], o, show);
        if (err && err != ERR_CANCELLED)
            status = EXIT_ENVIRONMENT;
    }
    if (err != ERR_CANCELLED)
        err = idx_show_end(show);
    if (err != ERR_CANCELLED && (fflush(stdout) != 0 && errno != EPIPE))
        status = EXIT_ENVIRONMENT;
    idx_show_destroy(show);
    return status;
}
