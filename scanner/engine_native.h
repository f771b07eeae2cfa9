/*
 * engine_native.h: the engine that reads images itself, all of them, by the format's layers.
 *
 * See engine.h. Items come in sweep order: by the highest offset among their blocks, then by nid.
 * Memory: the job's share, the plan (24 bytes a block, 32 a node) and 16 bytes an item.
 */
#ifndef SCANNER_ENGINE_NATIVE_H
#define SCANNER_ENGINE_NATIVE_H

#include "scanner/engine.h"

extern const struct engine engine_native;

struct io_source;

/* The engine over any source; job->file may be NULL. For tests, and images in memory. */
int native_run_source(const struct engine_job *job, const struct engine_sink *sink,
                      struct io_source *source);

#endif
