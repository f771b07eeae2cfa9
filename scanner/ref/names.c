/*
 * names.c: see names.h. An entry is u32 value, u16 set << 1 | is_text, u16 index; the id is 0x8000
 * + index. Set 0 is none, 1 PS_MAPI, 2 PS_PUBLIC_STRINGS, k the GUID number k - 3. A number is the
 * value itself; a text stands in the strings at offset value, as u32 size and UTF-16LE.
 */
#include "scanner/ref/names.h"

#include <string.h>

#include "io/err.h"
#include "io/mem.h"
#include "scanner/ref/wire.h"

enum { IDS = 0x8000, ENTRY = 8, GUID = 16, FIRST_GUID = 3 };

static const uint8_t well_known[FIRST_GUID][GUID] = {
    {0},
    {0x28, 0x03, 0x02, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46}, /* PS_MAPI */
    {0x29, 0x03, 0x02, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46}, /* PS_PUBLIC_STRINGS */
};

static bool read_entry(const uint8_t *entry, struct bytes guids, struct bytes strings,
                       struct ost_name *name)
{
    uint32_t value = le32(entry);
    uint16_t set = le16(entry + 4) >> 1;
    struct bytes guid = {well_known[set < FIRST_GUID ? set : 0], GUID}, size;

    if (set >= FIRST_GUID && !bytes_slice(guids, (size_t)(set - FIRST_GUID) * GUID, GUID, &guid))
        return false;
    *name = (struct ost_name){.is_text = le16(entry + 4) & 1};
    memcpy(name->guid, guid.data, GUID);
    if (!name->is_text) {
        name->number = value;
        return true;
    }
    return bytes_slice(strings, value, 4, &size) && le32(size.data) <= WIRE_NAME_MAX &&
           le32(size.data) % 2 == 0 &&
           bytes_slice(strings, (size_t)value + 4, le32(size.data), &name->text);
}

int names_init(struct names *n, struct bytes guids, struct bytes entries, struct bytes strings)
{
    size_t count = entries.size / ENTRY, used = 0;

    *n = (struct names){
        .by_id = mem_zalloc(IDS * sizeof *n->by_id),
        .list = mem_alloc_array(count, sizeof *n->list),
        .strings = mem_alloc(strings.size),
    };
    if (!n->by_id || !n->list || !n->strings) {
        names_done(n);
        return ERR_NOMEM;
    }
    if (strings.size)
        memcpy(n->strings, strings.data, strings.size);
    strings.data = n->strings;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *entry = entries.data + i * ENTRY;
        uint16_t index = le16(entry + 6);

        if (index < IDS && !n->by_id[index] && read_entry(entry, guids, strings, &n->list[used]))
            n->by_id[index] = &n->list[used++];
    }
    return 0;
}

void names_done(struct names *n)
{
    mem_free(n->by_id);
    mem_free(n->list);
    mem_free(n->strings);
    *n = (struct names){0};
}

const struct ost_name *names_find(const struct names *n, uint16_t id)
{
    return n->by_id && id >= IDS ? n->by_id[id - IDS] : NULL;
}
