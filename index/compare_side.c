/* compare_side.c: see compare_side.h. */
#include "index/compare_side.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "index/folders.h"
#include "io/err.h"
#include "io/mem.h"

enum { FIRST_SLOTS = 256 };

const char *cmp_input_name(enum cmp_input input)
{
    static const char *const names[CMP_INPUTS] = {"manifest", "folder_statistics", "graph",
                                                  "ediscovery"};

    assert(input < CMP_INPUTS);
    return names[input];
}

int cmp_side_create(bool on_server, const char *temp_dir, uint64_t memory_bytes,
                    struct cmp_side **out)
{
    struct cmp_side *s = mem_zalloc(sizeof *s);
    int code;

    if (!s)
        return ERR_NOMEM;
    s->on_server = on_server;
    code = io_spill_create(temp_dir, (size_t)(memory_bytes / 4 * 3), &s->entries);
    if (!code)
        code = io_spill_create(temp_dir, (size_t)(memory_bytes / 4), &s->details);
    if (code) {
        cmp_side_destroy(s);
        return code;
    }
    *out = s;
    return 0;
}

void cmp_side_destroy(struct cmp_side *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->folder_count; i++) {
        mem_free(s->folders[i].name);
        mem_free(s->folders[i].role);
        mem_free(s->folders[i].class);
        mem_free((void *)s->folders[i].key.data);
    }
    mem_free(s->folders);
    mem_free(s->slots);
    mem_free(s->path);
    mem_free(s->remedy);
    buf_done(&s->image_path);
    buf_done(&s->store_name);
    io_spill_destroy(s->entries);
    io_spill_destroy(s->details);
    mem_free(s);
}

static void put_slot(struct cmp_side *s, uint32_t index)
{
    size_t at = s->folders[index].key_hash & (s->slot_count - 1);

    while (s->slots[at])
        at = (at + 1) & (s->slot_count - 1);
    s->slots[at] = index + 1;
}

static int grow_slots(struct cmp_side *s)
{
    size_t count = s->slot_count ? s->slot_count * 2 : FIRST_SLOTS;
    uint32_t *slots = mem_zalloc(count * sizeof *slots);

    if (!slots)
        return ERR_NOMEM;
    mem_free(s->slots);
    s->slots = slots;
    s->slot_count = count;
    for (size_t i = 0; i < s->folder_count; i++)
        put_slot(s, (uint32_t)i);
    return 0;
}

static int add_folder(struct cmp_side *s, struct bytes key, uint64_t hash, uint32_t *index)
{
    uint8_t *copy;

    if (s->folder_count == CMP_FOLDERS_MOST) {
        *index = CMP_NO_FOLDER;
        return 0;
    }
    if (s->folder_count == s->folder_capacity) {
        size_t capacity = s->folder_capacity ? s->folder_capacity * 2 : 64;
        struct cmp_folder *grown = mem_realloc(s->folders, capacity * sizeof *grown);

        if (!grown)
            return ERR_NOMEM;
        s->folders = grown;
        s->folder_capacity = capacity;
    }
    if (s->slot_count < (s->folder_count + 1) * 2 && grow_slots(s) != 0)
        return ERR_NOMEM;
    copy = mem_alloc(key.size + 1);
    if (!copy)
        return ERR_NOMEM;
    if (key.size)
        memcpy(copy, key.data, key.size);
    *index = (uint32_t)s->folder_count++;
    s->folders[*index] = (struct cmp_folder){.parent = CMP_NO_FOLDER,
                                             .unified = CMP_NO_FOLDER,
                                             .key_hash = hash,
                                             .key = {copy, key.size}};
    put_slot(s, *index);
    return 0;
}

int cmp_side_folder(struct cmp_side *s, struct bytes key, uint32_t *index)
{
    uint64_t hash = cmp_mark_of(key);
    size_t at = hash & (s->slot_count - 1);

    while (s->slot_count && s->slots[at]) {
        const struct cmp_folder *f = &s->folders[s->slots[at] - 1];

        if (f->key_hash == hash && f->key.size == key.size &&
            (!key.size || memcmp(f->key.data, key.data, key.size) == 0)) {
            *index = s->slots[at] - 1;
            return 0;
        }
        at = (at + 1) & (s->slot_count - 1);
    }
    return add_folder(s, key, hash, index);
}

int cmp_set_text(char **field, struct bytes text)
{
    char *copy = mem_alloc(text.size + 1);

    if (!copy)
        return ERR_NOMEM;
    if (text.size)
        memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    mem_free(*field);
    *field = copy;
    return 0;
}

static void count_in_folder(struct cmp_side *s, const struct cmp_entry *e)
{
    struct cmp_folder *f;

    if (e->folder == CMP_NO_FOLDER)
        return;
    f = &s->folders[e->folder];
    f->items++;
    if (e->has_date && (!f->has_oldest || e->date < f->oldest)) {
        f->has_oldest = true;
        f->oldest = e->date;
    }
}

int cmp_side_add(struct cmp_side *s, struct cmp_entry *e, struct bytes detail)
{
    int code = io_spill_append(s->details, detail.data, detail.size, &e->detail_at);

    if (code)
        return code;
    e->detail_size = (uint32_t)detail.size;
    e->ordinal = s->items++;
    e->on_server = s->on_server;
    s->keys |= e->keys;
    for (unsigned k = 0; k < CMP_KEYS; k++)
        s->key_counts[k] += e->keys >> k & 1;
    s->failed += (e->flags & CMP_FAILED) != 0;
    s->partial += (e->flags & CMP_PARTIAL) != 0;
    count_in_folder(s, e);
    return io_spill_append(s->entries, e, sizeof *e, NULL);
}

int cmp_walk(struct cmp_walk *w, struct cmp_entry **e)
{
    if (w->next == w->count) {
        const uint64_t left = io_spill_size(w->from) - w->at;
        const size_t size = left < sizeof w->entries ? (size_t)left : sizeof w->entries;
        int code;

        if (!left)
            return 0;
        code = io_spill_read(w->from, w->at, w->entries, size);
        if (code)
            return code;
        w->at += size;
        w->next = 0;
        w->count = size / sizeof w->entries[0];
    }
    *e = &w->entries[w->next++];
    return 1;
}

void cmp_side_path(const struct cmp_side *s, uint32_t index, struct buf *out)
{
    const size_t from = out->size;
    uint32_t chain[CMP_FOLDER_DEPTH];
    size_t depth = 0;

    for (; index != CMP_NO_FOLDER && depth < CMP_FOLDER_DEPTH; index = s->folders[index].parent) {
        if (s->folders[index].kind == CMP_FOLDER_TOP || s->folders[index].parent == index)
            break;
        chain[depth++] = index;
    }
    while (depth) {
        const char *name = s->folders[chain[--depth]].name;

        for (const char *p = name ? name : "?"; *p && out->size - from < IDX_PATH_MAX; p++) {
            if (*p == '/' || *p == '%')
                buf_printf(out, "%%%02X", *p);
            else
                buf_putc(out, *p);
        }
        if (depth)
            buf_putc(out, '/');
    }
}

void cmp_side_incomplete(struct cmp_side *s, const char *format, ...)
{
    va_list args;

    if (s->incomplete)
        return;
    s->incomplete = true;
    va_start(args, format);
    vsnprintf(s->why, sizeof s->why, format, args);
    va_end(args);
}

const struct fault *cmp_side_fault(const struct cmp_side *s)
{
    const struct fault *fault = io_spill_fault(s->entries);

    return fault->code ? fault : io_spill_fault(s->details);
}
