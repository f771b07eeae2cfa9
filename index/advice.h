/*
 * advice.h: what a manifest says to do with its image, with the names of what is concerned.
 *
 * Ownership: everything lives until advice_done. Threads: an advice belongs to one thread.
 * Memory: 24 bytes and a name a folder, and at most ADVICE_BYTES.
 */
#ifndef INDEX_ADVICE_H
#define INDEX_ADVICE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "index/folders.h"
#include "io/arena.h"
#include "io/err.h"
#include "scanner/check/verdict.h"

enum { ADVICE_BYTES = 256 << 20 };

/* An item that a reason names. */
struct advice_item {
    uint32_t nid, folder;
    const char *subject, *date, *from; /* "" where it has none, or nothing of it could be read */
};

struct advice {
    struct arena arena;
    const char *path;                           /* of the image; WTF-8 */
    const char *manifest;                       /* its path; NULL: there is none */
    const char *store_name, *content, *account; /* "" where not known */
    bool has_verdict;
    struct chk_verdict verdict;
    char incomplete[200];        /* "" or why the manifest is not whole: then nothing rests on it */
    uint64_t corrupt;            /* findings of damage */
    struct idx_folders *folders; /* NULL: not asked for, or no manifest */
    struct advice_item *items;   /* by nid; those that any reason names */
    size_t item_count;
};

void advice_init(struct advice *a);
void advice_done(struct advice *a);

/*
 * Reads a manifest into an advice that is empty. names: folders, and items that reasons name, too.
 * ERR_DAMAGED: it is no manifest, or not a line of it is left. One that is cut short or altered has
 * `incomplete` set, and its verdict counts as unknown. ERR_CANCELLED, ERR_NOMEM, codes of files
 * with *fault.
 */
int advice_read(struct advice *a, const char *manifest, bool names, const atomic_bool *cancel,
                struct fault *fault);

/* Reads, after the verdict was replaced, the items that its reasons name now. Codes as above. */
int advice_name_items(struct advice *a, const atomic_bool *cancel);

/* NULL: it is not among those read. */
const struct advice_item *advice_item_of(const struct advice *a, uint32_t nid);

/* How many items strong signs speak of. */
uint64_t advice_local_items(const struct advice *a);

#endif
