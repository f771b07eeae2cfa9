/* lanes.c: see lanes.h. */
#include "scanner/app/lanes.h"

#include "index/record.h"
#include "io/err.h"
#include "io/mem.h"

/* A thread's. */
struct lane {
    struct lanes *lanes;
    struct kit *kit;
    struct idx_run *run;
    struct idx_entry entry; /* the item at hand */
};

static int on_join(void *ctx, void *kit, void **lane, const struct ost_hasher **hasher)
{
    struct lanes *lanes = ctx;
    struct lane *l = mem_zalloc(sizeof *l);

    if (!l)
        return ERR_NOMEM;
    l->lanes = lanes;
    l->kit = kit ? kit : lanes->own;
    *hasher = &l->kit->hasher;
    *lane = l;
    return 0;
}

static void on_leave(void *ctx, void *lane)
{
    (void)ctx;
    mem_free(lane);
}

static int on_run(void *lane, uint64_t slot)
{
    struct lane *l = lane;

    return idx_run_begin(l->lanes->order, slot, &l->run);
}

static int on_next(void *lane, uint64_t order, uint32_t nid)
{
    struct lane *l = lane;

    l->entry = (struct idx_entry){.order = order, .nid = nid};
    return 0;
}

static int on_finding(void *lane, const struct finding *f)
{
    return idx_run_finding(((struct lane *)lane)->run, f);
}

static int put_line(struct lane *l)
{
    struct buf *line = &l->kit->line, *note = &l->kit->note;
    int err = ERR_NOMEM;

    l->entry.size = (uint32_t)line->size;
    l->entry.note_size = (uint32_t)note->size;
    if (!line->failed)
        err = idx_run_add(l->run, &l->entry, line->data, note->data);
    buf_reset(line);
    buf_reset(note);
    atomic_fetch_add(l->lanes->items, 1);
    return err;
}

static int on_item(void *lane, const struct ost_item *item)
{
    struct lane *l = lane;
    struct crosscheck *cross = l->lanes->cross;
    struct idx_view view;
    int err = kit_item_line(l->kit, item, &view);

    if (!err)
        err = idx_evidence_log(l->lanes->evidence, &l->kit->log, item, &view);
    if (!err && cross)
        err = crosscheck_item(cross, item);
    if (err)
        return err;
    l->entry.folder = item->folder;
    l->entry.assoc = item->assoc;
    l->entry.orphan = item->orphan;
    l->entry.partial = item->damage_count > 0;
    idx_evidence_mark(item, &view, &l->entry.mark);
    if (l->lanes->noted)
        kit_note(l->kit, item, &view);
    return put_line(l);
}

static int on_failed(void *lane, uint32_t nid, uint32_t folder, bool assoc)
{
    struct crosscheck *cross = ((struct lane *)lane)->lanes->cross;
    struct lane *l = lane;
    int err = cross ? crosscheck_failed(cross, nid, folder) : 0;

    if (err)
        return err;
    idx_record_failed_item(&l->kit->line, nid, folder, assoc);
    l->entry.folder = folder;
    l->entry.assoc = assoc;
    l->entry.failed = true;
    if (l->lanes->noted)
        kit_note_line(l->kit);
    return put_line(l);
}

static int on_close(void *lane, uint64_t slot)
{
    struct lane *l = lane;

    return idx_order_close(l->lanes->order, slot, l->kit->packer);
}

static void on_stop(void *ctx, int code)
{
    idx_order_stop(((struct lanes *)ctx)->order, code);
}

int lanes_init(struct lanes *l, const struct idx_order_sink *sink, struct kit *own,
               uint64_t wait_bytes, atomic_uint_fast64_t *items)
{
    *l = (struct lanes){.own = own, .items = items};
    l->native = (struct native_lanes){
        .ctx = l,
        .join = on_join,
        .leave = on_leave,
        .run = on_run,
        .next = on_next,
        .finding = on_finding,
        .item = on_item,
        .failed = on_failed,
        .close = on_close,
        .stop = on_stop,
    };
    return idx_order_create(sink, wait_bytes, &l->order);
}

void lanes_done(struct lanes *l)
{
    idx_order_destroy(l->order);
    *l = (struct lanes){0};
}
