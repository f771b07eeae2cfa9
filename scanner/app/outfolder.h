/*
 * outfolder.h: what a scan asks of its OUT, and of the key it redacts with, before it begins.
 *
 * Each says on standard error what is wrong and returns the exit status: EXIT_DONE when it may go
 * on. Threads: the main thread.
 */
#ifndef SCANNER_APP_OUTFOLDER_H
#define SCANNER_APP_OUTFOLDER_H

#include "io/buf.h"
#include "scanner/app/options.h"

/* OUT lies neither in a folder that is scanned nor in that of an image named: EXIT_USAGE. PATHs of
 * a list are not looked at; discovery does not enter OUT, whichever way it is reached. */
int outfolder_is_apart(const struct options *o);

/* The bytes of --redact-key's file. EXIT_USAGE: it is too short or too long; EXIT_ENVIRONMENT. */
int outfolder_read_key(const char *path, struct buf *key);
void outfolder_forget_key(struct buf *key); /* wipes and frees */

/* That no manifest in `manifest_dir`, and no summary of a scan in `out`, is plain, or redacted
 * under another key: duplicates.jsonl.zst is made of all of them. EXIT_USAGE, EXIT_ENVIRONMENT. */
int outfolder_is_redacted(const char *out, const char *manifest_dir, struct bytes key);

#endif
