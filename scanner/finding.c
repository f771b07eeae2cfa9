/* finding.c: see finding.h. The table is made from the one list of codes. */
#include "scanner/finding.h"

#include <assert.h>
#include <string.h>

static const struct finding_info infos[FINDING_CODES] = {
#define FINDING(name, layer, severity, evidence, text) {#name, layer, severity, evidence, text},
#include "scanner/finding_codes.h"
#undef FINDING
};

const struct finding_info *finding_info(enum finding_code code)
{
    assert(code < FINDING_CODES);
    return &infos[code];
}

const char *finding_layer_name(enum finding_layer layer)
{
    static const char *const names[] = {"io",    "header", "page",  "block",  "btree",
                                        "alloc", "heap",   "table", "object", "item"};

    assert(layer <= LAYER_ITEM);
    return names[layer];
}

const char *finding_severity_name(enum finding_severity severity)
{
    static const char *const names[] = {"info", "warning", "corrupt"};

    assert(severity <= SEVERITY_CORRUPT);
    return names[severity];
}

struct finding finding_of(enum finding_code code)
{
    return (struct finding){.code = code, .severity = finding_info(code)->severity};
}

static int compare_u64(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

/* Absent sorts behind everything. */
static int compare_optional(bool has_a, uint64_t a, bool has_b, uint64_t b)
{
    if (has_a != has_b)
        return has_a ? -1 : 1;
    return has_a ? compare_u64(a, b) : 0;
}

int finding_compare(const struct finding *a, const struct finding *b)
{
    int order = compare_optional(a->has_offset, a->offset, b->has_offset, b->offset);

    if (!order)
        order = strcmp(finding_info(a->code)->name, finding_info(b->code)->name);
    if (!order)
        order = compare_optional(a->has_bid, a->bid, b->has_bid, b->bid);
    if (!order)
        order = compare_optional(a->has_nid, a->nid, b->has_nid, b->nid);
    if (!order)
        order = compare_optional(a->has_expected, a->expected, b->has_expected, b->expected);
    if (!order)
        order = compare_optional(a->has_actual, a->actual, b->has_actual, b->actual);
    return order;
}
