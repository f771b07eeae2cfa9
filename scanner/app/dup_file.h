/*
 * dup_file.h: a file of duplicate groups, duplicates.jsonl.zst.
 *
 * Threads: one. The file appears when it is closed without an error, whole or not at all.
 */
#ifndef SCANNER_APP_DUP_FILE_H
#define SCANNER_APP_DUP_FILE_H

#include "index/dup_lines.h"
#include "index/frames.h"

/* Init with all zero. */
struct dup_file {
    struct frames *frames;
    struct dup_lines lines;
};

/* `path`: of the file. ERR_NOMEM and io_outfile_create's codes, with *fault. */
int dup_file_open(struct dup_file *f, const char *path, struct fault *fault);
struct dup_sink dup_file_sink(struct dup_file *f);
/* Drops the file where `code` is not 0, which is returned then. A file that was never opened is
 * allowed. */
int dup_file_close(struct dup_file *f, int code, struct fault *fault);

#endif
