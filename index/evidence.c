/*
 * evidence.c: see evidence.h.
 *
 * A log names folders as people see them. Folders are looked up by a hash of their names, sorted
 * once when the first log asks; a name that several folders have is none's.
 *
 * Items are read by several threads. Marks are taken down in the order of the output, since of them
 * the first are kept; logs as they come, one at a time, since what the tally keeps of them is the
 * same in any order.
 */
#include "index/evidence.h"

#include <pthread.h>
#include <string.h>

#include "index/rtf.h"
#include "index/rtf_text.h"
#include "index/sync_log.h"
#include "io/err.h"
#include "io/mem.h"
#include "io/sort.h"

enum {
    PID_BODY = 0x1000,
    PID_RTF = 0x1009,
    PID_MID = 0x67F4,
    PID_MODIFIED = 0x3008,
    NAMES_FIRST = 64,
};

struct name {
    uint64_t hash;
    uint32_t nid;
};

struct idx_evidence {
    struct chk_tally *tally;
    struct name *names;
    size_t name_count, name_capacity;
    uint32_t logs;         /* folder with the role sync_issues; 0: none */
    pthread_mutex_t mutex; /* of `sorted`, and of `names` and the tally's logs once items come */
    bool sorted;
};

/* A log in hand. */
struct log {
    struct idx_evidence *evidence;
    uint32_t nid;
    uint64_t time;
};

int idx_evidence_create(struct idx_evidence **out)
{
    struct idx_evidence *e = mem_zalloc(sizeof *e);

    if (!e)
        return ERR_NOMEM;
    pthread_mutex_init(&e->mutex, NULL);
    *out = e;
    return 0;
}

void idx_evidence_destroy(struct idx_evidence *e)
{
    if (!e)
        return;
    mem_free(e->names);
    pthread_mutex_destroy(&e->mutex);
    mem_free(e);
}

void idx_evidence_start(struct idx_evidence *e, struct chk_tally *tally)
{
    e->tally = tally;
    e->name_count = 0;
    e->sorted = false;
    e->logs = 0;
}

/* FNV-1a: a name that an image was made to share with another is no worse than one it shares. */
static uint64_t hash_of(struct bytes name)
{
    uint64_t hash = 0xCBF29CE484222325u;

    for (size_t i = 0; i < name.size; i++)
        hash = (hash ^ name.data[i]) * 0x100000001B3u;
    return hash;
}

static int add_name(struct idx_evidence *e, struct bytes name, uint32_t nid)
{
    if (e->name_count == e->name_capacity) {
        size_t capacity = e->name_capacity ? 2 * e->name_capacity : NAMES_FIRST;
        struct name *names = mem_realloc(e->names, capacity * sizeof *names);

        if (!names)
            return ERR_NOMEM;
        e->names = names;
        e->name_capacity = capacity;
    }
    e->names[e->name_count++] = (struct name){hash_of(name), nid};
    return 0;
}

static bool has_local_id(const struct ost_folder *folder)
{
    const struct ost_prop *mid = ost_props_find(folder->props, PID_MID, OST_I64);

    return mid && mid->value.size == 8 && le16(mid->value.data) == 0;
}

int idx_evidence_folder(struct idx_evidence *e, const struct ost_folder *folder, struct bytes name)
{
    const struct chk_folder_place place = {.nid = folder->nid,
                                           .parent = folder->parent,
                                           .role = folder->role,
                                           .local_id = has_local_id(folder)};
    int err = chk_tally_place(e->tally, &place);

    if (folder->role && strcmp(folder->role, "sync_issues") == 0)
        e->logs = folder->nid;
    if (!err && name.size)
        err = add_name(e, name, folder->nid);
    return err;
}

static int compare_names(const void *a, const void *b)
{
    const struct name *x = a, *y = b;

    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return (x->nid > y->nid) - (x->nid < y->nid);
}

/* The one folder of that name, or 0. */
static uint32_t folder_named(struct idx_evidence *e, struct bytes name)
{
    uint64_t hash = hash_of(name);
    size_t low = 0, high = e->name_count;

    if (!e->sorted)
        io_sort(e->names, e->name_count, sizeof *e->names, compare_names);
    e->sorted = true;
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (e->names[middle].hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == e->name_count || e->names[low].hash != hash ||
        (low + 1 < e->name_count && e->names[low + 1].hash == hash))
        return 0;
    return e->names[low].nid;
}

static void on_entry(void *ctx, uint32_t code, const struct bytes *quoted, size_t count)
{
    const struct log *log = ctx;
    struct idx_evidence *e = log->evidence;
    uint32_t folder = 0;

    for (size_t i = 0; i < count && !folder && e->name_count; i++)
        folder = folder_named(e, quoted[i]);
    chk_tally_sync_error(e->tally, log->nid, code, folder, log->time);
}

/* The text of a log, which Outlook stores as RTF alone or as text. */
static void read_body(struct idx_log_reader *r, const struct ost_item *item)
{
    const struct ost_prop *text = ost_props_find(item->props, PID_BODY, OST_UNICODE);
    const struct ost_prop *rtf = ost_props_find(item->props, PID_RTF, OST_BINARY);
    struct ost_prop head;

    buf_reset(&r->body);
    if (text && text->value.size) {
        head = *text;
        if (head.value.size > 2 * SYNC_LOG_BYTES)
            head.value.size = 2 * SYNC_LOG_BYTES;
        idx_text_prop(r->text, &head, item->codepage, &r->body, NULL);
    } else if (rtf && rtf->value.size <= SYNC_LOG_BYTES) {
        buf_reset(&r->rtf);
        /* What of a damaged stream could be decoded is read. */
        (void)idx_rtf_decompress(rtf->value, 4 * SYNC_LOG_BYTES, &r->rtf);
        if (!r->rtf.failed)
            idx_rtf_text(r->text, (struct bytes){r->rtf.data, r->rtf.size}, item->codepage,
                         &r->body);
        else
            r->body.failed = true;
    }
}

int idx_evidence_log(struct idx_evidence *e, struct idx_log_reader *reader,
                     const struct ost_item *item, const struct idx_view *view)
{
    struct log log = {.evidence = e, .nid = item->nid};
    const struct sync_log_sink sink = {.ctx = &log, .entry = on_entry};
    struct idx_time time = view->delivered.has   ? view->delivered
                           : view->submitted.has ? view->submitted
                                                 : view->created;

    if (!e->logs || item->folder != e->logs || item->assoc)
        return 0;
    read_body(reader, item);
    if (reader->body.failed)
        return ERR_NOMEM;
    log.time = time.has ? time.filetime : 0;
    pthread_mutex_lock(&e->mutex);
    sync_log_read((struct bytes){reader->body.data, reader->body.size}, &sink);
    pthread_mutex_unlock(&e->mutex);
    return 0;
}

void idx_evidence_mark(const struct ost_item *item, const struct idx_view *view,
                       struct idx_mark *out)
{
    size_t key = view->change_key.data ? view->change_key.size : 0;

    *out = (struct idx_mark){
        .has_size = view->has_size && view->size >= 0,
        .size_bytes = view->size >= 0 ? (uint64_t)view->size : 0,
        .has_flags = view->has_flags,
        .flags = view->flags,
        .has_row = ost_props_find(item->row, PID_MODIFIED, OST_TIME) || view->change_key.data,
        .change_key_size = key < UINT8_MAX ? (uint8_t)key : UINT8_MAX,
    };
}

int idx_evidence_put(struct idx_evidence *e, uint32_t nid, uint32_t folder, bool assoc,
                     const struct idx_mark *mark)
{
    const struct chk_item_marks marks = {
        .nid = nid,
        .folder = folder,
        .assoc = assoc,
        .has_size = mark->has_size,
        .size_bytes = mark->size_bytes,
        .has_flags = mark->has_flags,
        .flags = mark->flags,
        .has_row = mark->has_row,
        .change_key_size = mark->change_key_size,
    };

    return chk_tally_marks(e->tally, &marks);
}
