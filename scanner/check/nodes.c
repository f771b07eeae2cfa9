/*
 * nodes.c: see nodes.h.
 *
 * Notes are at the leaf page that holds the node's entry. What names keys that are in doubt is not
 * judged.
 */
#include "scanner/check/nodes.h"

#include "io/err.h"
#include "scanner/check/carve.h"

enum { PARENTS_KEPT = 256 };

enum seen { UNSEEN, ON_PATH, GOOD };

struct nodes {
    struct chk_state *state;
    struct {
        uint32_t nid;
        bool known, exists;
    } parents[PARENTS_KEPT];       /* of the last look-ups: messages have few folders */
    uint32_t highest[RGNID_COUNT]; /* by NID type: the highest index in use */
};

static int note(struct chk_state *s, size_t i, enum finding_code code, uint64_t bid,
                uint64_t actual)
{
    uint32_t nid = s->plan.nodes[i].nid;
    struct chk_note n = chk_note_at(code, ost_plan_leaf(&s->plan, OST_TREE_NBT, nid)->offset);

    n.length = s->variant->page_size;
    n.nid = nid;
    n.bid = bid;
    n.actual = actual;
    n.has |= CHK_NOTE_LENGTH | CHK_NOTE_NID | (bid ? CHK_NOTE_BID : CHK_NOTE_ACTUAL);
    chk_note_about(&n, CHK_ON_NODE, i);
    return chk_notes_add(&s->notes, &n);
}

/* A node's reference to a data tree or (sub) a subnode tree. */
static int check_tree(struct chk_state *s, size_t i, uint64_t bid, bool sub, bool doubted)
{
    uint32_t block = chk_bids_find(&s->bids, bid);
    enum chk_kind kind;
    bool subnodes;

    if (block == CHK_NO_BLOCK) {
        s->links.lost++;
        if (doubted)
            return 0;
        if (bid < s->next_bid || chk_taint_key(&s->taint, OST_TREE_BBT, bid))
            return chk_links_dangle(&s->links, &s->budget, bid, (uint32_t)i | CHK_OWNER_NODE);
        return note(s, i, F_node_dangling, bid, 0);
    }
    kind = chk_kind_of(s, block);
    subnodes = kind == CHK_KIND_SL || kind == CHK_KIND_SI;
    if (doubted || (sub && !ost_bid_internal(bid)))
        return doubted ? 0 : note(s, i, F_node_kind, bid, 0);
    if (kind != CHK_KIND_DATA && subnodes != sub)
        return note(s, i, F_node_kind, bid, 0);
    return 0;
}

static bool exists(struct nodes *w, uint32_t nid)
{
    unsigned slot = (nid >> 5) % PARENTS_KEPT;

    if (!w->parents[slot].known || w->parents[slot].nid != nid) {
        w->parents[slot].known = true;
        w->parents[slot].nid = nid;
        w->parents[slot].exists = ost_plan_node(&w->state->plan, nid) != NULL;
    }
    return w->parents[slot].exists;
}

static int check_parent(struct nodes *w, size_t i)
{
    struct chk_state *s = w->state;
    uint32_t parent = s->plan.nodes[i].parent;

    if (!chk_nid_is_folder(parent))
        return note(s, i, F_node_parent_kind, 0, parent);
    if (!exists(w, parent) && !chk_taint_key(&s->taint, OST_TREE_NBT, parent))
        return note(s, i, F_node_parent_missing, 0, parent);
    return 0;
}

static int check_node(struct nodes *w, size_t i)
{
    struct chk_state *s = w->state;
    const struct ost_node *n = &s->plan.nodes[i];
    bool doubted = chk_node_doubted(s, i);
    unsigned type = chk_nid_type(n->nid);
    int rc = 0;

    if (!(n->flags & CHK_ENTRY_CARVED)) {
        s->result.items += chk_nid_is_message(n->nid);
        s->result.folders += chk_nid_is_folder(n->nid);
    }
    if (!doubted && n->nid >> 5 > w->highest[type])
        w->highest[type] = n->nid >> 5;
    if (n->data)
        rc = check_tree(s, i, n->data, false, doubted);
    if (!rc && n->sub)
        rc = check_tree(s, i, n->sub, true, doubted);
    if (!rc && !doubted && (chk_nid_is_folder(n->nid) || chk_nid_is_message(n->nid)))
        rc = check_parent(w, i);
    return rc;
}

static size_t index_of(const struct chk_state *s, const struct ost_node *n)
{
    return (size_t)(n - s->plan.nodes);
}

/* Follows the parents of folder `i` until one is known to be good, or is on the way already. */
static int follow(struct chk_state *s, uint8_t *seen, size_t i)
{
    size_t at = i;
    int rc = 0;

    while (seen[at] == UNSEEN) {
        const struct ost_node *n = &s->plan.nodes[at], *parent;

        seen[at] = ON_PATH;
        parent = n->nid == n->parent || chk_node_doubted(s, at)
                     ? NULL
                     : ost_plan_node(&s->plan, n->parent);
        if (!parent || !chk_nid_is_folder(parent->nid))
            break;
        if (seen[index_of(s, parent)] == ON_PATH) {
            rc = note(s, at, F_folder_cycle, 0, n->parent);
            break;
        }
        at = index_of(s, parent);
    }
    for (at = i; seen[at] == ON_PATH;) {
        const struct ost_node *parent = ost_plan_node(&s->plan, s->plan.nodes[at].parent);

        seen[at] = GOOD;
        if (!parent)
            break;
        at = index_of(s, parent);
    }
    return rc;
}

static int check_folders(struct chk_state *s)
{
    int rc = 0;
    uint8_t *seen = chk_take_zero(&s->budget, s->plan.node_count, &rc);

    for (size_t i = 0; i < s->plan.node_count && !rc; i++) {
        const struct ost_node *n = &s->plan.nodes[i];

        if (!chk_nid_is_folder(n->nid))
            continue;
        if (n->nid == n->parent && n->nid != CHK_NID_ROOT && !chk_node_doubted(s, i))
            rc = note(s, i, F_folder_cycle, 0, n->parent);
        if (!rc)
            rc = follow(s, seen, i);
    }
    chk_give(&s->budget, seen, s->plan.node_count);
    return rc;
}

static int check_root(struct chk_state *s)
{
    const struct ost_plan_page *leaf = ost_plan_leaf(&s->plan, OST_TREE_NBT, CHK_NID_ROOT);
    struct chk_note n;

    if (ost_plan_node(&s->plan, CHK_NID_ROOT) || !leaf ||
        chk_taint_key(&s->taint, OST_TREE_NBT, CHK_NID_ROOT))
        return 0;
    n = chk_note_at(F_root_folder_missing, leaf->offset);
    n.length = s->variant->page_size;
    n.nid = CHK_NID_ROOT;
    n.has |= CHK_NOTE_LENGTH | CHK_NOTE_NID;
    return chk_notes_add(&s->notes, &n);
}

static int check_highest(const struct nodes *w)
{
    struct chk_state *s = w->state;
    uint64_t base = s->variant->format == OST_FORMAT_ANSI ? OFF_A_RGNID : OFF_U_RGNID;
    int rc = 0;

    for (unsigned type = 0; type < RGNID_COUNT && s->header_sure && !rc; type++) {
        uint32_t said = s->job->header->highest_index[type];
        struct chk_note n = chk_note_at(F_header_counter_lag, base + 4 * type);

        if (w->highest[type] <= said)
            continue;
        n.length = 4;
        n.has |= CHK_NOTE_LENGTH;
        chk_note_expect(&n, w->highest[type], said);
        rc = chk_notes_add(&s->notes, &n);
    }
    return rc;
}

int chk_nodes(struct chk_state *s)
{
    struct nodes w = {.state = s};
    int rc = 0;

    for (size_t i = 0; i < s->plan.node_count && !rc; i++)
        rc = check_node(&w, i);
    if (!rc)
        rc = check_folders(s);
    if (!rc)
        rc = check_root(s);
    if (!rc)
        rc = check_highest(&w);
    return rc;
}
