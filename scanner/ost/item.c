/* item.c: see item.h. */
#include "scanner/ost/item.h"

/* Bit 0x2000 says nothing about the value (FORMAT.md section 9); string8 stands for Unicode. */
static uint16_t comparable(uint16_t type)
{
    type = (uint16_t)(type & ~0x2000);
    return (type & ~OST_MULTI) == OST_STRING8 ? (uint16_t)(type + 1) : type;
}

/* By halves without a branch on what is compared: no order of ids can be foretold. */
const struct ost_prop *ost_props_find(struct ost_props props, uint16_t id, uint16_t type)
{
    const struct ost_prop *p = props.list;
    size_t count = props.count;

    while (count > 1) {
        size_t half = count / 2;

        p += p[half].id <= id ? half : 0;
        count -= half;
    }
    if (!count || p->id != id)
        return NULL;
    return !type || comparable(p->type) == comparable(type) ? p : NULL;
}
