/* item.c: see item.h. */
#include "scanner/ost/item.h"

static bool is_same_type(uint16_t have, uint16_t want)
{
    if (want == 0 || have == want)
        return true;
    return ((have ^ want) & OST_MULTI) == 0 &&
           ((have & ~OST_MULTI) == OST_STRING8 || (have & ~OST_MULTI) == OST_UNICODE) &&
           ((want & ~OST_MULTI) == OST_STRING8 || (want & ~OST_MULTI) == OST_UNICODE);
}

const struct ost_prop *ost_props_find(struct ost_props props, uint16_t id, uint16_t type)
{
    size_t low = 0, high = props.count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (props.list[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == props.count || props.list[low].id != id || !is_same_type(props.list[low].type, type))
        return NULL;
    return &props.list[low];
}
