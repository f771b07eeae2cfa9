/* native_plan.c: loading the plan, and its events as findings. See native_run.h. */
#include "io/err.h"
#include "scanner/native_run.h"
#include "scanner/ost/defect_code.h"
#include "scanner/ost/page.h"

static int tell(struct native_run *n, const struct ost_plan_event *e, enum finding_code code,
                const struct ost_defect *d)
{
    struct finding f = finding_of(code);

    f.has_offset = f.has_bid = true;
    f.offset = e->offset;
    f.length = n->variant->page_size;
    f.bid = e->bid;
    f.has_expected = f.has_actual = d != NULL;
    f.expected = d ? d->expected : 0;
    f.actual = d ? d->actual : 0;
    f.detail = e->tree == OST_TREE_NBT ? "node B-tree" : "block B-tree";
    return native_tell(n, &f);
}

int native_plan_event(void *ctx, const struct ost_plan_event *e)
{
    enum ost_trust trust = ost_page_trust(e->defects);
    struct native_run *n = ctx;
    int rc = 0;

    /* Another page, or none: what is wrong with it in detail says nothing. */
    if (trust == OST_TRUST_NONE)
        return tell(n, e, F_btree_page_lost, NULL);
    for (unsigned i = 0; i < e->defects->count && !rc; i++) {
        const struct ost_defect *d = &e->defects->list[i];

        if (d->kind == OST_PAGE_UNREADABLE)
            rc = tell(n, e, d->actual == (uint64_t)-ERR_IO ? F_read_failed : F_truncated_while_read,
                      NULL);
        else
            rc = tell(n, e, ost_defect_code(d->kind, false), d);
    }
    return rc;
}

int native_load_plan(struct native_run *n)
{
    struct ost_plan_options options = {
        .variant = n->variant,
        .nbt = n->job->header->nbt,
        .bbt = n->job->header->bbt,
        /* Entries take no more than four times the bytes of their pages, which are in the file. */
        .memory_bytes = n->memory_bytes + 4 * n->source->size_bytes,
        .cancel = n->job->cancel,
        .ctx = n,
        .event = native_plan_event,
    };

    return ost_plan_load(n->source, &options, &n->plan);
}
