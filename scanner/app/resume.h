/*
 * resume.h: which images an earlier run of the same scan has finished, so that they are not read
 * again.
 *
 * An image is kept if nothing changed that its result depends on: the path as it was reached and
 * the manifest's name, device, inode, size, time of change and the bytes of its header, which
 * counts every change that Outlook makes; engine, digests, key, version and those options that
 * change what is written; and its manifest is there as it was left. What the environment had a hand
 * in is not kept: images in use, that changed while they were read, that the storage refused bytes
 * of, that were declined for want of memory.
 *
 * Threads: resume_open and resume_close one; the rest any, each image with one thread.
 */
#ifndef SCANNER_APP_RESUME_H
#define SCANNER_APP_RESUME_H

#include <stdint.h>

#include "index/journal.h"
#include "index/redact.h"
#include "io/bytes.h"
#include "io/file.h"
#include "scanner/app/image.h"

struct resume;

/* What identifies an image and the state that it is in. */
struct resume_image {
    uint64_t key;
    uint8_t state[JOURNAL_STATE_SIZE];
};

/* Opens the journal of `run` in OUT. Codes of journal_open. */
int resume_open(const struct image_run *run, const char *journal, struct resume **out,
                struct fault *fault);
void resume_close(struct resume *r); /* NULL is allowed */

/* redactor: NULL, or what the image's records are redacted by. */
int resume_identify(const struct resume *r, const char *path, const char *manifest,
                    const struct io_identity *id, struct bytes header,
                    struct idx_redactor *redactor, struct resume_image *image); /* ERR_NOMEM */

/*
 * 1 and *outcome as it was left, if the image can be kept. Else 0, and whatever was kept of it is
 * forgotten, so that its manifest may be replaced; or an error, and it may not.
 */
int resume_find(struct resume *r, const struct resume_image *image, const char *manifest,
                struct image_outcome *outcome);

/* Notes that an image was finished, where it can be kept. */
void resume_note(struct resume *r, const struct resume_image *image, const char *manifest,
                 const struct image_outcome *outcome);

/* The first write of the journal that failed; code 0: none. */
struct fault resume_fault(struct resume *r);

#endif
