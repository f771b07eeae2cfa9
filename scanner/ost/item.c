/* item.c: see item.h. */
#include "scanner/ost/item.h"

/* Bit 0x2000 says nothing about the value (FORMAT.md section 9); string8 stands for Unicode. */
static uint16_t comparable(uint16_t type)
{
    type = (uint16_t)(type & ~0x2000);
    return (type & ~OST_MULTI) == OST_STRING8 ? (uint16_t)(type + 1) : type;
}

const struct ost_prop *ost_props_find(struct ost_props props, uint16_t id, uint16_t type)
{
    size_t low = 0, high = props.count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct ost_prop *p = &props.list[middle];

        if (p->id == id)
            return !type || comparable(p->type) == comparable(type) ? p : NULL;
        if (p->id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}
