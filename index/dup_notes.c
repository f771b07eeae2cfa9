/*
 * dup_notes.c: see dup_notes.h.
 *
 *   note:  size of what follows 4 | offset of the item's line 8, 0 of a folder | line or item
 *   item:  fate 1 | assoc 1 | unless it takes no part: its entry by class 158 | its attachments
 *
 * An image's notes are gathered in chunks of whole notes, which go to the spill that all images
 * share.
 */
#include "index/dup_notes.h"

#include <pthread.h>
#include <string.h>

#include "io/mem.h"
#include "io/sort.h"
#include "io/spill.h"

enum { CHUNK_BYTES = 64 << 10, HEAD = 12, ITEM_HEAD = 2 };

struct chunk {
    uint64_t at; /* in the spill */
    size_t size;
};

/* Kept of each image to the end of a run: no larger than need be. */
struct dup_noted {
    struct dup_noted *next;
    const char *manifest; /* behind the chunks */
    size_t chunk_count;
    struct chunk chunks[];
};

struct dup_note {
    struct dup_notes *notes;
    struct chunk *chunks;
    size_t chunk_count, chunk_room;
    struct buf chunk;
    bool lost; /* not all was noted */
};

struct dup_notes {
    pthread_mutex_t mutex;
    struct io_spill *spill;
    bool failed; /* the spill did */
    struct dup_noted *first;
    size_t count;
    struct dup_noted **by_name; /* once settled; NULL: none */
};

int dup_notes_create(const char *temp_dir, size_t keep_bytes, struct dup_notes **out)
{
    struct dup_notes *n = mem_zalloc(sizeof *n);
    int code;

    if (!n)
        return ERR_NOMEM;
    code = io_spill_create(temp_dir, keep_bytes, &n->spill);
    if (code) {
        mem_free(n);
        return code;
    }
    pthread_mutex_init(&n->mutex, NULL);
    *out = n;
    return 0;
}

void dup_notes_destroy(struct dup_notes *n)
{
    if (!n)
        return;
    while (n->first) {
        struct dup_noted *noted = n->first;

        n->first = noted->next;
        mem_free(noted);
    }
    mem_free(n->by_name);
    io_spill_destroy(n->spill);
    pthread_mutex_destroy(&n->mutex);
    mem_free(n);
}

struct dup_note *dup_note_begin(struct dup_notes *n)
{
    struct dup_note *note = mem_zalloc(sizeof *note);

    if (!note)
        return NULL;
    note->notes = n;
    if (!buf_reserve(&note->chunk, CHUNK_BYTES)) {
        dup_note_end(note, NULL);
        return NULL;
    }
    return note;
}

static bool room_for_chunk(struct dup_note *note)
{
    size_t room = note->chunk_room ? 2 * note->chunk_room : 4;
    struct chunk *grown;

    if (note->chunk_count < note->chunk_room)
        return true;
    grown = mem_realloc(note->chunks, room * sizeof *grown);
    if (!grown)
        return false;
    note->chunks = grown;
    note->chunk_room = room;
    return true;
}

/* The chunk at hand goes to the spill. */
static void put_chunk(struct dup_note *note)
{
    struct dup_notes *n = note->notes;
    struct chunk *c;

    if (note->lost || !note->chunk.size)
        return;
    note->lost = note->chunk.failed || !room_for_chunk(note);
    if (note->lost)
        return;
    c = &note->chunks[note->chunk_count++];
    c->size = note->chunk.size;
    pthread_mutex_lock(&n->mutex);
    n->failed = n->failed || io_spill_append(n->spill, note->chunk.data, c->size, &c->at);
    note->lost = n->failed;
    pthread_mutex_unlock(&n->mutex);
    buf_reset(&note->chunk);
}

static void put_note(struct dup_note *note, uint64_t offset, struct bytes what)
{
    uint8_t head[HEAD];

    if (!note || note->lost)
        return;
    if (note->chunk.size && note->chunk.size + HEAD + what.size > CHUNK_BYTES)
        put_chunk(note);
    put_le32(head, (uint32_t)what.size);
    put_le64(head + 4, offset);
    buf_append(&note->chunk, head, HEAD);
    buf_append(&note->chunk, what.data, what.size);
}

void dup_note_folder(struct dup_note *note, struct bytes line)
{
    put_note(note, 0, line);
}

void dup_note_item(struct dup_note *note, uint64_t offset, struct bytes packed)
{
    put_note(note, offset, packed);
}

/* NULL: no memory. */
static struct dup_noted *noted_of(const struct dup_note *note, const char *manifest_name)
{
    const size_t chunk_bytes = note->chunk_count * sizeof *note->chunks;
    const size_t name_bytes = strlen(manifest_name) + 1;
    struct dup_noted *noted = mem_alloc(sizeof *noted + chunk_bytes + name_bytes);
    char *name;

    if (!noted)
        return NULL;
    noted->chunk_count = note->chunk_count;
    name = (char *)&noted->chunks[noted->chunk_count];
    if (chunk_bytes)
        memcpy(noted->chunks, note->chunks, chunk_bytes);
    noted->manifest = memcpy(name, manifest_name, name_bytes);
    return noted;
}

void dup_note_end(struct dup_note *note, const char *manifest_name)
{
    struct dup_noted *noted = NULL;

    if (!note)
        return;
    if (manifest_name)
        put_chunk(note);
    if (manifest_name && !note->lost)
        noted = noted_of(note, manifest_name);
    if (noted) {
        struct dup_notes *n = note->notes;

        pthread_mutex_lock(&n->mutex);
        noted->next = n->first;
        n->first = noted;
        n->count++;
        pthread_mutex_unlock(&n->mutex);
    }
    mem_free(note->chunks);
    buf_done(&note->chunk);
    mem_free(note);
}

void dup_item_pack(const struct dup_item *item, struct buf *out)
{
    const uint8_t head[ITEM_HEAD] = {(uint8_t)item->fate, item->assoc};
    uint8_t entry[DUP_CLASSED];

    buf_append(out, head, ITEM_HEAD);
    if (item->fate != FATE_INDEXED)
        return;
    dup_entry_classed(&item->entry, entry);
    buf_append(out, entry, DUP_CLASSED);
    buf_append(out, item->attachments.data, item->attachments.size);
}

static int unpack(struct bytes packed, uint64_t offset, struct dup_item *out)
{
    out->fate = (enum dup_fate)packed.data[0];
    out->assoc = packed.data[1];
    buf_reset(&out->attachments);
    if (out->fate == FATE_INDEXED) {
        dup_entry_from_classed(packed.data + ITEM_HEAD, &out->entry);
        buf_append(&out->attachments, packed.data + ITEM_HEAD + DUP_CLASSED,
                   packed.size - ITEM_HEAD - DUP_CLASSED);
    } else {
        out->entry = (struct dup_entry){.of = DUP_ITEM};
    }
    out->attachment_count = out->attachments.size / sizeof(struct dup_attachment);
    out->entry.place.offset = offset;
    return out->attachments.failed ? ERR_NOMEM : 0;
}

static int compare_names(const void *a, const void *b)
{
    const struct dup_noted *const *x = a, *const *y = b;

    return strcmp((*x)->manifest, (*y)->manifest);
}

void dup_notes_settle(struct dup_notes *n)
{
    size_t i = 0;

    if (n->failed || io_spill_settle(n->spill) || !n->count)
        return;
    n->by_name = mem_alloc_array(n->count, sizeof(struct dup_noted *));
    for (struct dup_noted *noted = n->first; noted && n->by_name; noted = noted->next)
        n->by_name[i++] = noted;
    if (n->by_name)
        io_sort(n->by_name, n->count, sizeof(struct dup_noted *), compare_names);
}

const struct dup_noted *dup_notes_find(const struct dup_notes *n, const char *manifest)
{
    const char *slash = strrchr(manifest, '/'), *name = slash ? slash + 1 : manifest;
    size_t low = 0, high = n->by_name ? n->count : 0;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(n->by_name[middle]->manifest, name);

        if (order == 0)
            return n->by_name[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

void dup_notes_open(struct dup_notes_reader *r, const struct dup_notes *n,
                    const struct dup_noted *noted)
{
    *r = (struct dup_notes_reader){.notes = n, .noted = noted};
}

void dup_notes_close(struct dup_notes_reader *r)
{
    buf_done(&r->bytes);
}

static int next_chunk(struct dup_notes_reader *r)
{
    const struct chunk *c = &r->noted->chunks[r->chunk++];
    int code;

    buf_reset(&r->bytes);
    r->at = 0;
    if (!buf_reserve(&r->bytes, c->size))
        return ERR_NOMEM;
    code = io_spill_read_any(r->notes->spill, c->at, r->bytes.data, c->size, &r->fault);
    if (!code)
        r->bytes.size = c->size;
    return code;
}

int dup_notes_next(struct dup_notes_reader *r, struct bytes *folder, struct dup_item *item)
{
    struct bytes what;
    uint64_t offset;
    int code;

    if (r->at == r->bytes.size) {
        if (r->chunk == r->noted->chunk_count)
            return 0;
        code = next_chunk(r);
        if (code)
            return code;
    }
    what = (struct bytes){r->bytes.data + r->at + HEAD, le32(r->bytes.data + r->at)};
    offset = le64(r->bytes.data + r->at + 4);
    r->at += HEAD + what.size;
    *folder = offset ? (struct bytes){0} : what;
    code = offset ? unpack(what, offset, item) : 0;
    return code ? code : 1;
}
