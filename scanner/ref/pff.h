/*
 * pff.h: the libpff engine's two sides: the engine (engine.h: engine_libpff) in our process, and
 * the child process in which alone libpff runs.
 */
#ifndef SCANNER_REF_PFF_H
#define SCANNER_REF_PFF_H

#include "scanner/engine.h"

/* The hidden first argument that makes the program the child. */
#define REF_CHILD_ARGUMENT "--libpff-child"

/* What engine_libpff.run does, but of the items only that share (sample.h) is read. */
int ref_run_sample(const struct engine_job *job, const struct engine_sink *sink, unsigned percent);

/* The child's main: argv[1] is REF_CHILD_ARGUMENT. Its exit status is no part of any promise. */
int ref_child_main(int argc, char **argv);

#endif
