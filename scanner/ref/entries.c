/*
 * entries.c: see entries.h. libpff hands a value over as the image stores it: booleans as 1 byte,
 * 16-bit integers as 2, text without a terminator, multi-values packed, objects as their 8 bytes of
 * node id and size. It refuses to copy an empty value, so the size is asked for first.
 */
#include "scanner/ref/entries.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/err.h"
#include "io/mem.h"
#include "scanner/ost/item.h"
#include "scanner/ost/limits.h"
#include "scanner/ref/wire.h"

static int compare(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;

    if (x->id != y->id)
        return x->id < y->id ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

static int reserve(struct entries *e, size_t count)
{
    struct entry *list;

    if (count <= e->capacity)
        return 0;
    list = mem_realloc(e->list, count * sizeof *list);
    if (!list)
        return ERR_NOMEM;
    e->list = list;
    e->capacity = count;
    return 0;
}

/* False: an entry without a MAPI property, which only internal tables have, or id 0. */
static bool read_entry(libpff_record_set_t *set, int place, struct entry *entry)
{
    uint32_t id, type;

    *entry = (struct entry){.place = (uint32_t)place};
    if (libpff_record_set_get_entry_by_index(set, place, &entry->record, NULL) != 1 ||
        !entry->record || libpff_record_entry_get_entry_type(entry->record, &id, NULL) != 1 ||
        libpff_record_entry_get_value_type(entry->record, &type, NULL) != 1)
        return false;
    entry->id = (uint16_t)id;
    entry->type = (uint16_t)type;
    return id && id <= UINT16_MAX && type <= UINT16_MAX;
}

static void sort(struct entries *e)
{
    size_t kept = 0;

    if (e->count)
        qsort(e->list, e->count, sizeof *e->list, compare);
    for (size_t i = 0; i < e->count; i++)
        if (!kept || e->list[kept - 1].id != e->list[i].id)
            e->list[kept++] = e->list[i];
    e->count = kept;
}

int entries_load(struct entries *e, libpff_item_t *item, int set, char *why)
{
    libpff_record_set_t *records = NULL;
    libpff_error_t *error = NULL;
    int count = 0;

    e->count = 0;
    if (libpff_item_get_record_set_by_index(item, set, &records, &error) != 1 ||
        libpff_record_set_get_number_of_entries(records, &count, &error) != 1) {
        entries_reason(&error, why);
        return ERR_DAMAGED;
    }
    if (count < 0 || count > OST_LIMIT_PROPS) {
        snprintf(why, WIRE_TEXT_MAX + 1, "more properties than ids");
        return ERR_DAMAGED;
    }
    if (reserve(e, (size_t)count))
        return ERR_NOMEM;
    for (int i = 0; i < count; i++)
        if (read_entry(records, i, &e->list[e->count]))
            e->count++;
    sort(e);
    return 0;
}

int entries_load_object(struct entries *e, libpff_item_t *item, char *why)
{
    int sets = entries_sets(item, why);

    e->count = 0;
    if (sets < 0)
        return ERR_DAMAGED;
    return sets ? entries_load(e, item, 0, why) : 0;
}

void entries_done(struct entries *e)
{
    mem_free(e->list);
    *e = ENTRIES_INIT;
}

const struct entry *entries_find(const struct entries *e, uint16_t id)
{
    size_t low = 0, high = e->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (e->list[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < e->count && e->list[low].id == id ? &e->list[low] : NULL;
}

int entry_value(const struct entry *entry, struct buf *into, struct bytes *value)
{
    size_t size = 0;

    if (libpff_record_entry_get_data_size(entry->record, &size, NULL) != 1 ||
        size > OST_LIMIT_VALUE_BYTES || !wire_width_fits(entry->type, size))
        return ERR_DAMAGED;
    buf_reset(into);
    if (!buf_reserve(into, size))
        return ERR_NOMEM;
    if (size && libpff_record_entry_get_data(entry->record, into->data, size, NULL) != 1)
        return ERR_DAMAGED;
    into->size = size;
    *value = (struct bytes){into->data, size};
    return 0;
}

bool value_is_zero(struct bytes value)
{
    for (size_t i = 0; i < value.size; i++)
        if (value.data[i])
            return false;
    return true;
}

bool entries_i32(const struct entries *e, uint16_t id, uint32_t *value)
{
    const struct entry *entry = entries_find(e, id);

    return entry && entry->type == OST_I32 &&
           libpff_record_entry_get_data_as_32bit_integer(entry->record, value, NULL) == 1;
}

int entries_sets(libpff_item_t *item, char *why)
{
    libpff_error_t *error = NULL;
    int sets = 0;

    if (libpff_item_get_number_of_record_sets(item, &sets, &error) == 1)
        return sets;
    entries_reason(&error, why);
    return -1;
}

/* A backtrace has a line a level, the deepest first: "function: reason." */
void entries_reason(libpff_error_t **error, char *why)
{
    char text[4096], *line = text, *end;

    *why = '\0';
    if (!*error)
        return;
    if (libpff_error_backtrace_sprint(*error, text, sizeof text) > 0) {
        end = strpbrk(text, "\r\n");
        if (end)
            *end = '\0';
        end = strstr(text, ": ");
        if (end)
            line = end + 2;
        snprintf(why, WIRE_TEXT_MAX + 1, "%.*s", WIRE_TEXT_MAX, line);
    }
    libpff_error_free(error);
}
