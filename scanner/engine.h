/*
 * engine.h: the one interface of the engines that read an image's content.
 *
 * An engine is given a job and reports through a sink, in this order: image once, every folder
 * (parents before children, then by nid), every item in the engine's fixed order, findings at any
 * time. What it reports depends on the image alone.
 *
 * Threads: one thread runs a job and makes all sink calls. Different jobs may run at once.
 * Errors: damage is a finding and the job goes on. The result is 0 when the image was read to its
 * end or given up with a finding that says so; a code when the environment stopped it (ERR_NOMEM,
 * ERR_IO, ERR_CANCELLED, ERR_MFILE, ERR_CHILD) or when the sink returned one.
 */
#ifndef SCANNER_ENGINE_H
#define SCANNER_ENGINE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "io/file.h"
#include "io/reader.h"
#include "scanner/finding.h"
#include "scanner/ost/header.h"
#include "scanner/ost/item.h"

/* All but `item` may be NULL, where nothing is to be told of that. */
struct engine_sink {
    void *ctx;
    int (*image)(void *ctx, const struct ost_image *image);
    int (*folder)(void *ctx, const struct ost_folder *folder);
    int (*item)(void *ctx, const struct ost_item *item);
    /* An item that is known by its node but could not be read at all; a finding goes before it. */
    int (*failed)(void *ctx, uint32_t nid, uint32_t folder, bool assoc);
    int (*finding)(void *ctx, const struct finding *finding);
    /* Bytes of the image dealt with so far, for progress only. */
    void (*progress)(void *ctx, uint64_t bytes);
};

/* What engines call. */

static inline int engine_tell_image(const struct engine_sink *s, const struct ost_image *image)
{
    return s->image ? s->image(s->ctx, image) : 0;
}

static inline int engine_tell_folder(const struct engine_sink *s, const struct ost_folder *folder)
{
    return s->folder ? s->folder(s->ctx, folder) : 0;
}

static inline int engine_tell_failed(const struct engine_sink *s, uint32_t nid, uint32_t folder,
                                     bool assoc)
{
    return s->failed ? s->failed(s->ctx, nid, folder, assoc) : 0;
}

static inline int engine_tell_finding(const struct engine_sink *s, const struct finding *finding)
{
    return s->finding ? s->finding(s->ctx, finding) : 0;
}

struct engine_job {
    const struct io_file *file;
    const struct ost_header *header; /* already checked: sound enough to be read */
    enum io_backend io;
    uint64_t read_timeout_ns;     /* 0: none; libpff's child has a limit of its own */
    struct io_first_fault *first; /* see source.h; may be NULL */
    uint64_t memory_bytes;        /* the share of --memory that is this job's */
    const struct ost_hasher *hasher;
    const atomic_bool *cancel; /* may be NULL */
    const char *child_exe;     /* the program to spawn for helpers; NULL: /proc/self/exe */
};

struct engine {
    const char *name; /* "libpff", "native" */
    int (*run)(const struct engine_job *job, const struct engine_sink *sink);
};

extern const struct engine engine_libpff;

#endif
