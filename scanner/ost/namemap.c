/*
 * namemap.c: see namemap.h.
 *
 *   entry:   value(4) │ set << 1 | is_text (2) │ index(2); the id is 0x8000 + index
 *   set:     0 none, 1 PS_MAPI, 2 PS_PUBLIC_STRINGS, k the GUID number k - 3
 *   strings: at `value` of a text: size in bytes (4), UTF-16LE, padding to 4
 */
#include "scanner/ost/namemap.h"

#include <string.h>

#include "io/err.h"
#include "io/mem.h"
#include "scanner/ost/limits.h"

enum { IDS = 0x8000, ENTRY = 8, GUID = 16, FIRST_GUID = 3 };

static const uint8_t known_sets[FIRST_GUID][GUID] = {
    {0},
    {0x28, 0x03, 0x02, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46}, /* PS_MAPI */
    {0x29, 0x03, 0x02, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46}, /* PS_PUBLIC_STRINGS */
};

static bool read_text(struct bytes strings, uint32_t at, struct bytes *text)
{
    struct bytes size;

    return bytes_slice(strings, at, 4, &size) && le32(size.data) <= OST_LIMIT_NAME_BYTES &&
           le32(size.data) % 2 == 0 && bytes_slice(strings, (size_t)at + 4, le32(size.data), text);
}

static bool read_entry(const uint8_t *entry, struct bytes guids, struct bytes strings,
                       struct ost_name *name)
{
    uint16_t set = le16(entry + 4) >> 1;
    struct bytes guid;

    if (set < FIRST_GUID)
        guid = (struct bytes){known_sets[set], GUID};
    else if (!bytes_slice(guids, (size_t)(set - FIRST_GUID) * GUID, GUID, &guid))
        return false;
    *name = (struct ost_name){.is_text = le16(entry + 4) & 1};
    memcpy(name->guid, guid.data, GUID);
    if (name->is_text)
        return read_text(strings, le32(entry), &name->text);
    name->number = le32(entry);
    return true;
}

int ost_namemap_init(struct ost_namemap *m, struct bytes guids, struct bytes entries,
                     struct bytes strings)
{
    size_t count = entries.size / ENTRY;
    /* No more entries than ids can be of use. */
    size_t most = count < IDS ? count : IDS;

    *m = (struct ost_namemap){
        .by_id = mem_zalloc(IDS * sizeof *m->by_id),
        .list = mem_alloc_array(most ? most : 1, sizeof *m->list),
        .strings = mem_alloc(strings.size ? strings.size : 1),
    };
    if (!m->by_id || !m->list || !m->strings) {
        ost_namemap_done(m);
        return ERR_NOMEM;
    }
    if (strings.size)
        memcpy(m->strings, strings.data, strings.size);
    strings.data = m->strings;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *entry = entries.data + i * ENTRY;
        uint16_t index = le16(entry + 6);

        if (index < IDS && !m->by_id[index] &&
            read_entry(entry, guids, strings, &m->list[m->count]))
            m->by_id[index] = &m->list[m->count++];
        else
            m->left_out++;
    }
    return 0;
}

void ost_namemap_done(struct ost_namemap *m)
{
    mem_free(m->by_id);
    mem_free(m->list);
    mem_free(m->strings);
    *m = (struct ost_namemap){0};
}
