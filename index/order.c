/*
 * order.c: see order.h.
 *
 *   run ─┐             pieces of       frames
 *   run ─┼─▶ merge ─▶ whole lines ─▶ (compressed) ─▶ in turn: findings, entries, lines
 *   run ─┘
 *
 * A run's lines stand in pieces of about a frame; where a slot has one run, and nearly all have,
 * its pieces become frames as they are. Lines stay beside their frame until they are delivered,
 * since the manifest's digest is over the lines, in order.
 */
#include "index/order.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "io/buf.h"
#include "io/err.h"
#include "io/mem.h"

enum { PIECE_BYTES = FRAMES_BYTES, FIRST = 16, SPARE_BYTES = 8 << 20 };

struct piece {
    struct buf lines, frame;
    uint64_t count; /* lines */
};

/* A finding, and where its lists begin in `nids`. */
struct told {
    struct finding finding;
    size_t entry; /* that it is about */
    size_t items, folders;
};

struct idx_run {
    struct idx_order *order;
    uint64_t slot;
    struct idx_run *next; /* of the same slot, or of the order's */
    struct piece *pieces;
    size_t piece_count, piece_room; /* behind the count: empty, with the memory of earlier ones */
    struct idx_entry *entries;
    size_t entry_count, entry_room;
    struct told *told;
    size_t told_count, told_room;
    struct buf nids, notes;
};

/* A slot that has runs, until it is delivered. */
struct slot {
    uint64_t number;
    struct idx_run *runs;
    bool packed; /* it has one run, whose pieces are frames */
    struct slot *next;
};

struct idx_order {
    struct idx_order_sink sink;
    uint64_t wait_bytes;
    _Atomic uint64_t waiting; /* bytes of lines and notes */
    atomic_int result;
    pthread_mutex_t mutex;
    pthread_cond_t moved; /* a slot was delivered, or all is over */
    struct slot *slots;   /* ascending */
    struct slot *spare_slots;
    struct idx_run *spare_runs; /* emptied: their memory is for the next ones */
    uint64_t turn;              /* the first that is not delivered */
    bool delivering;
};

int idx_order_create(const struct idx_order_sink *sink, uint64_t wait_bytes, struct idx_order **out)
{
    struct idx_order *o = mem_zalloc(sizeof *o);

    if (!o)
        return ERR_NOMEM;
    o->sink = *sink;
    o->wait_bytes = wait_bytes;
    pthread_mutex_init(&o->mutex, NULL);
    pthread_cond_init(&o->moved, NULL);
    *out = o;
    return 0;
}

static void free_run(struct idx_run *r)
{
    for (size_t i = 0; i < r->piece_room; i++) {
        buf_done(&r->pieces[i].lines);
        buf_done(&r->pieces[i].frame);
    }
    mem_free(r->pieces);
    mem_free(r->entries);
    mem_free(r->told);
    buf_done(&r->nids);
    buf_done(&r->notes);
    mem_free(r);
}

static void free_slots(struct slot *list)
{
    while (list) {
        struct slot *s = list;

        list = s->next;
        while (s->runs) {
            struct idx_run *r = s->runs;

            s->runs = r->next;
            free_run(r);
        }
        mem_free(s);
    }
}

void idx_order_destroy(struct idx_order *o)
{
    if (!o)
        return;
    free_slots(o->slots);
    free_slots(o->spare_slots);
    while (o->spare_runs) {
        struct idx_run *r = o->spare_runs;

        o->spare_runs = r->next;
        free_run(r);
    }
    pthread_cond_destroy(&o->moved);
    pthread_mutex_destroy(&o->mutex);
    mem_free(o);
}

void idx_order_stop(struct idx_order *o, int code)
{
    int none = 0;

    atomic_compare_exchange_strong(&o->result, &none, code);
    pthread_mutex_lock(&o->mutex);
    pthread_cond_broadcast(&o->moved);
    pthread_mutex_unlock(&o->mutex);
}

/* Keeps the first code, and wakes whoever waits. */
static int fail(struct idx_order *o, int code)
{
    if (code)
        idx_order_stop(o, code);
    return o->result;
}

/* ---- memory used again ---- */

static bool is_large(const struct idx_run *r)
{
    size_t bytes =
        r->entry_room * sizeof *r->entries + r->told_room * sizeof *r->told + r->notes.capacity;

    for (size_t i = 0; i < r->piece_room; i++)
        bytes += r->pieces[i].lines.capacity + r->pieces[i].frame.capacity;
    return bytes > SPARE_BYTES;
}

static void empty_run(struct idx_run *r)
{
    for (size_t i = 0; i < r->piece_count; i++) {
        buf_reset(&r->pieces[i].lines);
        buf_reset(&r->pieces[i].frame);
        r->pieces[i].count = 0;
    }
    buf_reset(&r->nids);
    buf_reset(&r->notes);
    r->piece_count = r->entry_count = r->told_count = 0;
}

static void give_run(struct idx_order *o, struct idx_run *r)
{
    if (is_large(r)) {
        free_run(r);
        return;
    }
    empty_run(r);
    pthread_mutex_lock(&o->mutex);
    r->next = o->spare_runs;
    o->spare_runs = r;
    pthread_mutex_unlock(&o->mutex);
}

/* NULL: no memory. */
static struct idx_run *take_run(struct idx_order *o, uint64_t slot)
{
    struct idx_run *r;

    pthread_mutex_lock(&o->mutex);
    r = o->spare_runs;
    if (r)
        o->spare_runs = r->next;
    pthread_mutex_unlock(&o->mutex);
    if (!r)
        r = mem_zalloc(sizeof *r);
    if (!r)
        return NULL;
    r->order = o;
    r->slot = slot;
    r->next = NULL;
    return r;
}

static void give_slot(struct idx_order *o, struct slot *s)
{
    while (s->runs) {
        struct idx_run *r = s->runs;

        s->runs = r->next;
        give_run(o, r);
    }
    pthread_mutex_lock(&o->mutex);
    s->next = o->spare_slots;
    o->spare_slots = s;
    pthread_mutex_unlock(&o->mutex);
}

/* ---- runs ---- */

/* The slot, made where it is not there yet; with the lock held. NULL: no memory. */
static struct slot *slot_of(struct idx_order *o, uint64_t number)
{
    struct slot **at = &o->slots, *made;

    while (*at && (*at)->number < number)
        at = &(*at)->next;
    if (*at && (*at)->number == number)
        return *at;
    made = o->spare_slots;
    if (made)
        o->spare_slots = made->next;
    else
        made = mem_alloc(sizeof *made);
    if (!made)
        return NULL;
    *made = (struct slot){.number = number, .next = *at};
    *at = made;
    return made;
}

int idx_run_begin(struct idx_order *o, uint64_t slot, struct idx_run **out)
{
    struct idx_run *r = take_run(o, slot);
    struct slot *s;

    if (!r)
        return fail(o, ERR_NOMEM);
    pthread_mutex_lock(&o->mutex);
    s = slot_of(o, slot);
    if (s) {
        assert(!s->packed && slot >= o->turn);
        r->next = s->runs;
        s->runs = r;
    }
    pthread_mutex_unlock(&o->mutex);
    if (!s) {
        free_run(r);
        return fail(o, ERR_NOMEM);
    }
    *out = r;
    return o->result;
}

/* Room for one more in a list, zeroed. False: no memory. */
static bool make_room(void *list, size_t size, size_t count, size_t *room)
{
    void **at = list;
    size_t more = *room ? 2 * *room : FIRST;
    char *grown;

    if (count < *room)
        return true;
    grown = mem_realloc(*at, more * size);
    if (!grown)
        return false;
    memset(grown + *room * size, 0, (more - *room) * size);
    *at = grown;
    *room = more;
    return true;
}

static size_t keep_nids(struct buf *nids, const uint32_t *list, size_t count)
{
    size_t at = nids->size / sizeof *list;

    if (count)
        buf_append(nids, list, count * sizeof *list);
    return at;
}

int idx_run_finding(struct idx_run *r, const struct finding *f)
{
    struct told *t;

    if (!make_room(&r->told, sizeof *r->told, r->told_count, &r->told_room))
        return fail(r->order, ERR_NOMEM);
    t = &r->told[r->told_count++];
    *t = (struct told){.finding = *f, .entry = r->entry_count};
    t->items = keep_nids(&r->nids, f->items, f->item_count);
    t->folders = keep_nids(&r->nids, f->folders, f->folder_count);
    return fail(r->order, r->nids.failed ? ERR_NOMEM : 0);
}

/* Holds a thread up that is ahead of the turn while too much waits. */
static void wait_for_turn(struct idx_order *o, uint64_t slot)
{
    pthread_mutex_lock(&o->mutex);
    while (!o->result && slot != o->turn && o->waiting > o->wait_bytes)
        pthread_cond_wait(&o->moved, &o->mutex);
    pthread_mutex_unlock(&o->mutex);
}

/* The piece that a line of that size goes to. NULL: no memory. */
static struct piece *piece_for(struct idx_run *r, size_t size)
{
    struct piece *p = r->piece_count ? &r->pieces[r->piece_count - 1] : NULL;

    if (p && p->lines.size + size <= PIECE_BYTES)
        return p;
    if (p)
        wait_for_turn(r->order, r->slot);
    if (!make_room(&r->pieces, sizeof *r->pieces, r->piece_count, &r->piece_room))
        return NULL;
    p = &r->pieces[r->piece_count++];
    return buf_reserve(&p->lines, PIECE_BYTES) ? p : NULL;
}

static bool add(struct idx_run *r, const struct idx_entry *e, const void *line, const void *note)
{
    struct piece *p = piece_for(r, e->size);

    if (!p || !make_room(&r->entries, sizeof *r->entries, r->entry_count, &r->entry_room))
        return false;
    buf_append(&p->lines, line, e->size);
    p->count++;
    buf_append(&r->notes, note, e->note_size);
    r->entries[r->entry_count++] = *e;
    return !p->lines.failed && !r->notes.failed;
}

static bool precedes(const struct idx_entry *a, const struct idx_entry *b)
{
    return a->order != b->order ? a->order < b->order : a->nid < b->nid;
}

int idx_run_add(struct idx_run *r, const struct idx_entry *e, const void *line, const void *note)
{
    assert(!r->entry_count || precedes(&r->entries[r->entry_count - 1], e));
    atomic_fetch_add(&r->order->waiting, e->size + (uint64_t)e->note_size);
    return fail(r->order, add(r, e, line, note) ? 0 : ERR_NOMEM);
}

/* ---- merging ---- */

/* Where a run's reading stands. */
struct reader {
    struct idx_run *run;
    size_t entry, told, piece, at, note;
};

static int copy_told(struct reader *from, struct idx_run *to)
{
    const uint32_t *nids = (const uint32_t *)(const void *)from->run->nids.data;
    int rc = 0;

    for (; from->told < from->run->told_count && !rc; from->told++) {
        const struct told *t = &from->run->told[from->told];
        struct finding f = t->finding;

        if (t->entry != from->entry)
            break;
        f.items = nids + t->items;
        f.folders = nids + t->folders;
        rc = idx_run_finding(to, &f);
    }
    return rc;
}

static bool copy_entry(struct reader *from, struct idx_run *to)
{
    const struct idx_entry *e = &from->run->entries[from->entry];
    const uint8_t *line, *note;

    if (from->at == from->run->pieces[from->piece].lines.size) {
        from->piece++;
        from->at = 0;
    }
    line = from->run->pieces[from->piece].lines.data + from->at;
    note = from->run->notes.data ? from->run->notes.data + from->note : NULL;
    if (copy_told(from, to))
        return false;
    from->entry++;
    from->at += e->size;
    from->note += e->note_size;
    return add(to, e, line, note);
}

/* Merges two runs into one. NULL: no memory. */
static struct idx_run *merge(struct idx_run *a, struct idx_run *b)
{
    struct reader x = {.run = a}, y = {.run = b};
    struct idx_run *to = take_run(a->order, a->slot);
    bool good = to != NULL;

    while (good && (x.entry < a->entry_count || y.entry < b->entry_count)) {
        bool first =
            y.entry == b->entry_count ||
            (x.entry < a->entry_count && precedes(&a->entries[x.entry], &b->entries[y.entry]));

        good = copy_entry(first ? &x : &y, to);
    }
    if (good)
        return to;
    if (to)
        free_run(to);
    return NULL;
}

/* Merges runs two by two until one is left. */
static int merge_all(struct slot *s)
{
    while (s->runs && s->runs->next) {
        struct idx_run *a = s->runs, *b = a->next, *both = merge(a, b), **end;

        if (!both)
            return ERR_NOMEM;
        s->runs = b->next;
        give_run(a->order, a);
        give_run(b->order, b);
        for (end = &s->runs; *end; end = &(*end)->next)
            ;
        *end = both;
    }
    return 0;
}

/* ---- delivery ---- */

static int tell(struct idx_order *o, const struct idx_run *r)
{
    const uint32_t *nids = (const uint32_t *)(const void *)r->nids.data;
    size_t told = 0, note = 0;
    int rc = 0;

    for (size_t i = 0; i < r->entry_count && !rc; i++) {
        const struct idx_entry *e = &r->entries[i];

        for (; told < r->told_count && r->told[told].entry == i && !rc; told++) {
            struct finding f = r->told[told].finding;

            f.items = nids + r->told[told].items;
            f.folders = nids + r->told[told].folders;
            rc = o->sink.finding(o->sink.ctx, &f);
        }
        if (!rc)
            rc = o->sink.entry(o->sink.ctx, e, e->note_size ? r->notes.data + note : NULL);
        note += e->note_size;
    }
    return rc;
}

static int deliver(struct idx_order *o, const struct idx_run *r)
{
    int rc = r ? tell(o, r) : 0;

    for (size_t i = 0; r && i < r->piece_count && !rc; i++) {
        const struct piece *p = &r->pieces[i];

        rc = idx_manifest_packed(o->sink.manifest, RECORD_ITEM, p->count,
                                 (struct bytes){p->lines.data, p->lines.size},
                                 (struct bytes){p->frame.data, p->frame.size});
        atomic_fetch_sub(&o->waiting, p->lines.size);
    }
    if (r)
        atomic_fetch_sub(&o->waiting, r->notes.size);
    return rc;
}

/* Delivers what can be, unless another thread is at it, who will see this slot too. */
static int deliver_all(struct idx_order *o)
{
    int rc = o->result;

    pthread_mutex_lock(&o->mutex);
    while (!rc && !o->delivering && o->slots && o->slots->number == o->turn && o->slots->packed) {
        struct slot *s = o->slots;

        o->slots = s->next;
        o->delivering = true;
        pthread_mutex_unlock(&o->mutex);
        rc = deliver(o, s->runs);
        give_slot(o, s);
        pthread_mutex_lock(&o->mutex);
        o->delivering = false;
        o->turn++;
        pthread_cond_broadcast(&o->moved);
    }
    pthread_mutex_unlock(&o->mutex);
    return fail(o, rc);
}

int idx_order_close(struct idx_order *o, uint64_t slot, struct packer *packer)
{
    struct slot *s;
    int rc;

    pthread_mutex_lock(&o->mutex);
    s = slot_of(o, slot);
    pthread_mutex_unlock(&o->mutex);
    if (!s)
        return fail(o, ERR_NOMEM);
    rc = o->result ? o->result : merge_all(s);
    for (size_t i = 0; !rc && s->runs && i < s->runs->piece_count; i++) {
        struct piece *p = &s->runs->pieces[i];

        rc = packer_pack(packer, (struct bytes){p->lines.data, p->lines.size}, &p->frame);
    }
    if (rc)
        return fail(o, rc);
    pthread_mutex_lock(&o->mutex);
    s->packed = true;
    pthread_mutex_unlock(&o->mutex);
    return deliver_all(o);
}
