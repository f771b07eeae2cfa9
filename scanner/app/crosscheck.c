/* crosscheck.c: see crosscheck.h. */
#include "scanner/app/crosscheck.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "io/buf.h"
#include "io/err.h"
#include "io/mem.h"
#include "scanner/app/itemprint.h"
#include "scanner/ref/pff.h"
#include "scanner/sample.h"

enum { NOTES_FIRST = 256 };

struct note {
    struct itemprint print;
    uint32_t nid, folder;
    bool whole; /* read without damage */
    bool seen;  /* libpff knows it */
};

struct crosscheck {
    pthread_mutex_t mutex; /* over the notes while they are taken */
    unsigned percent;
    struct itemprint_maker *maker;
    struct note *notes;
    size_t count, capacity;
    uint64_t compared;
    const char *gave_up; /* why libpff did not go through the image */
    struct buf why;      /* … in its own words */
    void *ctx;
    int (*finding)(void *ctx, const struct finding *f);
};

int crosscheck_create(unsigned percent, enum ost_format format, struct crosscheck **out)
{
    struct crosscheck *c = mem_zalloc(sizeof *c);
    int err;

    if (!c)
        return ERR_NOMEM;
    pthread_mutex_init(&c->mutex, NULL);
    c->percent = percent;
    err = itemprint_create(format, &c->maker);
    if (err)
        crosscheck_destroy(c);
    else
        *out = c;
    return err;
}

void crosscheck_destroy(struct crosscheck *c)
{
    if (!c)
        return;
    itemprint_destroy(c->maker);
    buf_done(&c->why);
    mem_free(c->notes);
    pthread_mutex_destroy(&c->mutex);
    mem_free(c);
}

/* The native engine's items */

static int add(struct crosscheck *c, const struct note *note)
{
    if (c->count == c->capacity) {
        size_t capacity = c->capacity ? 2 * c->capacity : NOTES_FIRST;
        struct note *notes = mem_realloc(c->notes, capacity * sizeof *notes);

        if (!notes)
            return ERR_NOMEM;
        c->notes = notes;
        c->capacity = capacity;
    }
    c->notes[c->count++] = *note;
    return 0;
}

int crosscheck_item(struct crosscheck *c, const struct ost_item *item)
{
    struct note note = {.nid = item->nid, .folder = item->folder, .whole = !item->damage_count};

    int err;

    if (!sample_has(item->nid, c->percent))
        return 0;
    pthread_mutex_lock(&c->mutex);
    itemprint_make(c->maker, item, &note.print);
    err = add(c, &note);
    pthread_mutex_unlock(&c->mutex);
    return err;
}

int crosscheck_failed(struct crosscheck *c, uint32_t nid, uint32_t folder)
{
    struct note note = {.nid = nid, .folder = folder};

    int err;

    if (!sample_has(nid, c->percent))
        return 0;
    pthread_mutex_lock(&c->mutex);
    err = add(c, &note);
    pthread_mutex_unlock(&c->mutex);
    return err;
}

static int compare_notes(const void *a, const void *b)
{
    uint32_t x = ((const struct note *)a)->nid, y = ((const struct note *)b)->nid;

    return (x > y) - (x < y);
}

static struct note *find(struct crosscheck *c, uint32_t nid)
{
    struct note key = {.nid = nid};

    return c->count ? bsearch(&key, c->notes, c->count, sizeof key, compare_notes) : NULL;
}

/* libpff's */

static int differ(struct crosscheck *c, uint32_t nid, uint32_t folder, const char *how)
{
    struct finding f = finding_of(F_engines_differ);

    f.has_nid = true;
    f.nid = nid;
    f.items = &nid;
    f.item_count = 1;
    f.folders = &folder;
    f.folder_count = folder != 0;
    f.detail = how;
    return c->finding(c->ctx, &f);
}

static int compare_parts(struct crosscheck *c, const struct note *have, const struct ost_item *item)
{
    static const char *const names[PRINT_PARTS] = {
        [PRINT_PROPERTIES] = "properties",
        [PRINT_ROW] = "the properties in its contents row",
        [PRINT_RECIPIENTS] = "recipients",
        [PRINT_ATTACHMENTS] = "attachments",
    };
    struct itemprint print;
    int err = 0;

    itemprint_make(c->maker, item, &print);
    for (unsigned part = 0; part < PRINT_PARTS && !err; part++) {
        /* Of large tables libpff loses rows without an error. */
        if (part == PRINT_ROW && !item->row.count)
            continue;
        if (print.part[part] != have->print.part[part])
            err = differ(c, item->nid, item->folder, names[part]);
    }
    return err;
}

static int on_item(void *ctx, const struct ost_item *item)
{
    struct crosscheck *c = ctx;
    struct note *have = find(c, item->nid);

    if (have)
        have->seen = true;
    if (item->damage_count)
        return 0;
    c->compared++;
    if (!have)
        return differ(c, item->nid, item->folder, "libpff alone knows of it");
    if (!have->whole)
        return differ(c, item->nid, item->folder, "libpff alone reads it whole");
    return compare_parts(c, have, item);
}

static int on_failed(void *ctx, uint32_t nid, uint32_t folder, bool assoc)
{
    struct note *have = find(ctx, nid);

    (void)folder;
    (void)assoc;
    if (have)
        have->seen = true;
    return 0;
}

/* Of what libpff finds only counts what keeps it from going through the image. */
static int on_finding(void *ctx, const struct finding *f)
{
    struct crosscheck *c = ctx;

    switch (f->code) {
    case F_engine_declined:
    case F_engine_open_failed:
    case F_engine_crashed:
    case F_engine_timeout:
    case F_engine_protocol:
    case F_read_failed:
    case F_truncated_while_read:
        if (c->gave_up)
            return 0;
        c->gave_up = finding_info(f->code)->text;
        buf_puts(&c->why, c->gave_up);
        if (f->detail)
            buf_printf(&c->why, ": %s", f->detail);
        return buf_cstr(&c->why) ? 0 : ERR_NOMEM;
    default:
        return 0;
    }
}

int crosscheck_skip(void *ctx, int (*finding)(void *ctx, const struct finding *f), const char *why)
{
    struct finding f = finding_of(F_not_cross_checked);

    f.detail = why;
    return finding(ctx, &f);
}

/* Items that libpff never mentioned, though it went through the image. */
static int tell_unseen(struct crosscheck *c)
{
    int err = 0;

    for (size_t i = 0; i < c->count && !err; i++)
        if (!c->notes[i].seen)
            err = differ(c, c->notes[i].nid, c->notes[i].folder, "libpff does not know of it");
    return err;
}

static int conclude(struct crosscheck *c)
{
    struct finding f = finding_of(F_cross_checked);
    int err;

    if (c->gave_up)
        return crosscheck_skip(c->ctx, c->finding, (const char *)c->why.data);
    err = tell_unseen(c);
    f.has_expected = f.has_actual = true;
    f.expected = c->count;
    f.actual = c->compared;
    return err ? err : c->finding(c->ctx, &f);
}

int crosscheck_run(struct crosscheck *c, const struct engine_job *job, void *ctx,
                   int (*finding)(void *ctx, const struct finding *f))
{
    const struct engine_sink sink = {
        .ctx = c, .item = on_item, .failed = on_failed, .finding = on_finding};
    int err;

    c->ctx = ctx;
    c->finding = finding;
    if (c->count)
        qsort(c->notes, c->count, sizeof *c->notes, compare_notes);
    err = ref_run_sample(job, &sink, c->percent);
    return err ? err : conclude(c);
}
