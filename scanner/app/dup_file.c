/* dup_file.c: see dup_file.h. */
#include "scanner/app/dup_file.h"

#include <string.h>

#include "io/mem.h"

static int write_line(void *ctx, const void *line, size_t size)
{
    return frames_line(ctx, line, size);
}

int dup_file_open(struct dup_file *f, const char *path, struct fault *fault)
{
    const char *slash = strrchr(path, '/');
    char *dir = mem_strdup(slash ? path : ".");
    int code;

    if (!dir) {
        *fault = (struct fault){.code = ERR_NOMEM, .what = "allocate"};
        return ERR_NOMEM;
    }
    if (slash)
        dir[slash == path ? 1 : slash - path] = '\0';
    code = frames_create(dir, slash ? slash + 1 : path, &f->frames, fault);
    mem_free(dir);
    if (code)
        return code;
    return dup_lines_init(&f->lines, "ostscan " OSTSCAN_VERSION, write_line, f->frames);
}

struct dup_sink dup_file_sink(struct dup_file *f)
{
    return dup_lines_sink(&f->lines);
}

int dup_file_close(struct dup_file *f, int code, struct fault *fault)
{
    if (f->frames && !code) {
        code = frames_commit(f->frames, fault);
    } else if (f->frames) {
        frames_abort(f->frames);
    }
    dup_lines_done(&f->lines);
    *f = (struct dup_file){0};
    return code;
}
