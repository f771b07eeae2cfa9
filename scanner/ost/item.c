/* item.c: see item.h. */
#include "scanner/ost/item.h"

/* Bit 0x2000 says nothing about the value (FORMAT.md section 9); string8 stands for Unicode. */
static uint16_t comparable(uint16_t type)
{
    type = (uint16_t)(type & ~0x2000);
    return (type & ~OST_MULTI) == OST_STRING8 ? (uint16_t)(type + 1) : type;
}

bool ost_prop_is(const struct ost_prop *p, uint16_t type)
{
    return p && comparable(p->type) == comparable(type);
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
    return !type || ost_prop_is(p, type) ? p : NULL;
}

void ost_props_pick(struct ost_props props, const uint16_t *ids, size_t count,
                    const struct ost_prop **out)
{
    const struct ost_prop *p = props.list, *end = p + props.count;

    for (size_t i = 0; i < count; i++) {
        while (p < end && p->id < ids[i])
            p++;
        out[i] = p < end && p->id == ids[i] ? p : NULL;
    }
}
