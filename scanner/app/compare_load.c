/* compare_load.c: see compare_load.h. */
#include "scanner/app/compare_load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "index/manifest_name.h"
#include "index/redact.h"
#include "io/mem.h"
#include "io/patient.h"
#include "io/reader.h"
#include "scanner/app/image.h"
#include "scanner/engine_native.h"
#include "scanner/ref/pff.h"

static int make_folder(struct buf *dir, struct fault *fault)
{
    const char *base = getenv("TMPDIR");

    buf_printf(dir, "%s/ostscan-compare-XXXXXX", base && *base ? base : "/var/tmp");
    if (!buf_cstr(dir))
        return ERR_NOMEM;
    if (mkdtemp((char *)dir->data))
        return 0;
    *fault = (struct fault){.errnum = errno, .what = "temporary folder"};
    fault->code = err_from_errno(errno);
    buf_reset(dir);
    return fault->code;
}

static enum io_backend backend_of(const struct options *o)
{
    const struct io_reader_options wanted = {.backend = o->io,
                                             .timeout_ns = options_read_timeout_ns(o)};
    struct io_reader *reader = NULL;
    enum io_backend io = IO_BACKEND_PREAD;

    if (io_reader_create(&wanted, &reader) == 0 && strcmp(io_reader_backend(reader), "uring") == 0)
        io = IO_BACKEND_URING;
    io_reader_destroy(reader);
    return io;
}

static int scan(const struct compare_load *how, const char *path, const char *dir,
                struct image_outcome *outcome)
{
    struct progress_counters counters = {0};
    struct options options = *how->options;
    const struct image_run run = {
        .options = &options,
        .engine = strcmp(options.engine, "native") == 0 ? &engine_native : &engine_libpff,
        .io = backend_of(&options),
        .manifest_dir = dir,
        .memory_bytes = options.memory_bytes / 2,
        .cancel = how->cancel,
        .counters = &counters,
        .redact_key = how->redact_key,
    };
    const struct work work = {
        .path = (char *)(uintptr_t)path, .named = true, .by_name = true, .share = SHARE_UNKNOWN};
    struct image_worker *worker = NULL;
    int code;

    options.digest = how->digest;
    code = image_worker_create(&run, &worker);
    if (!code)
        image_scan(worker, &work, outcome);
    image_worker_destroy(worker);
    return code ? code : outcome->cancelled ? ERR_CANCELLED : 0;
}

static int name_of(const struct compare_load *how, const char *path, char out[IDX_MANIFEST_NAME])
{
    struct idx_redactor *r = NULL;
    struct buf absolute = BUF_INIT;
    int code = idx_absolute_path(path, SHARE_UNKNOWN, &absolute);
    const struct bytes name = {absolute.data, absolute.size};

    if (!code && how->redact_key.size)
        code = idx_redactor_create(how->redact_key, &r);
    if (!code && r)
        code = idx_redact_manifest_name(r, name, out);
    else if (!code)
        idx_manifest_name(name, out);
    idx_redactor_destroy(r);
    buf_done(&absolute);
    return code;
}

static int load_image(const struct compare_load *how, const char *path, struct cmp_side *side,
                      struct fault *fault)
{
    struct image_outcome outcome = {0};
    struct buf dir = BUF_INIT, manifest = BUF_INIT;
    char name[IDX_MANIFEST_NAME];
    int code = make_folder(&dir, fault);

    if (code) {
        buf_done(&dir);
        return code;
    }
    code = scan(how, path, (const char *)dir.data, &outcome);
    if (!code && outcome.err) {
        *fault = outcome.fault;
        code = outcome.err;
    }
    if (!code)
        code = name_of(how, path, name);
    if (!code) {
        buf_printf(&manifest, "%s/%s", (const char *)dir.data, name);
        if (!buf_cstr(&manifest))
            code = ERR_NOMEM;
    }
    if (!code)
        code = server_read(side, (const char *)manifest.data, SERVER_MANIFEST, how->cancel, fault);
    if (!code && outcome.state < IMAGE_DAMAGED)
        cmp_side_incomplete(side, "%s",
                            outcome.reason ? outcome.reason : idx_image_state_name(outcome.state));
    if (buf_cstr(&manifest))
        unlink((const char *)manifest.data);
    rmdir((const char *)dir.data);
    image_outcome_done(&outcome);
    buf_done(&manifest);
    buf_done(&dir);
    return code;
}

int compare_load(const struct compare_load *how, const char *path, enum server_kind kind,
                 struct cmp_side *side, struct fault *fault)
{
    int code = cmp_set_text(&side->path, bytes_text(path));

    if (code)
        return code;
    return kind == SERVER_IMAGE ? load_image(how, path, side, fault)
                                : server_read(side, path, kind, how->cancel, fault);
}
