/*
 * advice_list.h: the images of an OUT, a line each, the worst first.
 *
 * Memory: for each image its paths. Threads: one.
 */
#ifndef SCANNER_APP_ADVICE_LIST_H
#define SCANNER_APP_ADVICE_LIST_H

#include "index/advice.h"
#include "scanner/app/options.h"

struct advice_row {
    char *path;       /* of the image */
    char *manifest;   /* NULL: none was written */
    char *why;        /* what the remedy rests on, for people */
    char *why_export; /* the sign that requires an export; NULL: none */
    enum chk_remedy remedy;
    enum chk_export export_first;
    uint64_t corrupt;     /* findings of damage */
    uint64_t folders;     /* that are not clean */
    uint64_t local_items; /* of which strong signs speak */
    uint64_t sync_errors; /* that Outlook logged */
    bool has_download;
    struct chk_download download;
    bool incomplete; /* its manifest is */
};

struct advice_list {
    struct advice_row *rows;
    size_t count, capacity;
    bool trouble; /* something could not be used, and that was said */
};

void advice_list_done(struct advice_list *l);

/* A row of what was read. ERR_NOMEM. */
int advice_list_add(struct advice_list *l, const struct advice *a);

/*
 * Of an OUT, images that scan.jsonl (or a shard's) tells of and no manifest does: that were in use,
 * unreadable or not written. What cannot be read is said. ERR_NOMEM.
 */
int advice_list_add_unread(struct advice_list *l, const char *out);

/* The worst first: by remedy, then by export_first, damage and path. */
void advice_list_sort(struct advice_list *l);

/* On standard output. ERR_NOMEM; ERR_NOSPACE, ERR_CANCELLED as dup_print.h. */
int advice_list_print(const struct advice_list *l, enum output_format format);

#endif
