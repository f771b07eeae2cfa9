/*
 * native_run.h: one run of the native engine, shared by its parts. Internal to engine_native.c and
 * native_*.c.
 */
#ifndef SCANNER_NATIVE_RUN_H
#define SCANNER_NATIVE_RUN_H

#include "io/arena.h"
#include "io/source.h"
#include "scanner/engine.h"
#include "scanner/native_ahead.h"
#include "scanner/ost/folder.h"
#include "scanner/ost/namemap.h"
#include "scanner/ost/plan.h"
#include "scanner/ost/reading.h"
#include "scanner/ost/rows.h"
#include "scanner/ost/sourceblocks.h"

struct native_run {
    const struct engine_job *job;
    const struct engine_sink *sink;
    struct io_source *source;
    const struct ost_variant *variant;
    uint64_t memory_bytes;

    struct ost_plan plan;
    struct native_ahead *ahead; /* of who sweeps afterwards; NULL: blocks are read one by one */
    struct ost_sourceblocks *blocks;
    struct ost_namemap names;
    struct ost_rows *rows;
    struct arena keep;    /* what lives as long as the run: the store, the folders */
    struct arena scratch; /* of the object being read */
    struct ost_reading reading;

    struct ost_image image;
    bool store_suspect; /* it, and with it the code page, may be other than written */
    uint32_t receive_folder;
    struct ost_folder *folders; /* in the order of ost_folders_list */
    size_t folder_count;
    uint32_t *folders_by_nid; /* places in `folders`, by nid */
    uint8_t *hierarchy;       /* what is known of each folder's place: native_hierarchy.c */
};

void native_run_init(struct native_run *n, const struct engine_job *job,
                     const struct engine_sink *sink, struct io_source *source);
void native_run_done(struct native_run *n); /* but the plan, which may be another's */

/* Loads the plan, telling of its pages. */
int native_load_plan(struct native_run *n);
/* An event of loading it (ctx: the run) as findings. */
int native_plan_event(void *ctx, const struct ost_plan_event *e);

/* What the image may hand out (limits.h). */
uint64_t native_allowance(const struct ost_plan *plan, uint64_t file_bytes);
/* Opens the blocks of the plan. ERR_UNSUPPORTED: nobody knows how they are enciphered. */
int native_open_blocks(struct native_run *n);
int native_crypt_unknown(struct native_run *n);

/* Reads store, name map and receive folder; hands out the image. */
int native_image(struct native_run *n);

/* Tells `ahead` of the roots of a node that will be read. */
void native_expect_node(struct native_run *n, uint32_t nid);

/* Reads all folders and their contents tables; hands out the folders. */
int native_folders(struct native_run *n);
const struct ost_folder *native_find_folder(const struct native_run *n, uint32_t nid);

/* Reads the table that lists a folder's folders; `place` in the run's list. */
int native_hierarchy_read(struct native_run *n, size_t place);
/* Tells of folders that no table lists, after all tables were read. */
int native_hierarchy_compare(struct native_run *n);
/* Begins the reading of a table of a folder. NULL: the folder should have it and does not, which
 * was told. Ended by native_end_object in either case. */
const struct ost_node *native_begin_table(struct native_run *n, const struct ost_folder *folder,
                                          enum ost_nid_type type);

int native_items(struct native_run *n);
/* Reads an item and hands it out, or says that it failed. */
int native_read_item(struct native_run *n, const struct ost_node *node, uint64_t order);

bool native_cancelled(const struct native_run *n);

/* Hands a finding on; one that real files do not prove is no more than a warning. What the sink
 * returned. */
int native_tell(void *ctx, const struct finding *finding);

/* A finding about an object. detail: static or NULL. What the sink returned. */
int native_find(struct native_run *n, enum finding_code code, uint32_t nid, uint32_t folder,
                const char *detail);

/* Ends the reading of an object and gives its memory back. What the sink returned meanwhile. */
int native_end_object(struct native_run *n);

#endif
