#include "tests/gen/store.h"

#include <string.h>

#include "io/bytes.h"
#include "io/err.h"
#include "io/mem.h"
#include "tests/gen/columns.h"

/*
 * Nodes of a store beside folders and items: the store itself (21), the name-to-id map (61), the
 * templates (index 30 to 37 of several types), which empty tables of folders share, the receive
 * folder table (62B), and an OST's internals (FORMAT.md section 7).
 */

enum { NID_STORE = 0x21, NID_NAMES = 0x61, NID_RECEIVE = 0x62B };
enum { NID_REPLICAS = 0x801, NID_FOLDER_MIDS = 0x821, NID_FOLDER_STATES = 0x841 };

/* The GUID of replica 0, the same in every OST seen. */
static const uint8_t local_replica[16] = {0xC3, 0xB6, 0x8E, 0x10, 0xF7, 0x75, 0x11, 0xCE,
                                          0xB4, 0xCD, 0x00, 0xAA, 0x00, 0xBB, 0xB6, 0xE6};

static const struct {
    uint32_t nid;
    enum column_set columns;
} table_templates[] = {
    {0x60D, COLUMNS_HIERARCHY},   {0x60E, COLUMNS_CONTENTS},   {0x60F, COLUMNS_ASSOC},
    {0x610, COLUMNS_SEARCH},      {0x619, COLUMNS_OTHER},      {0x64C, COLUMNS_OUTGOING},
    {0x671, COLUMNS_ATTACHMENTS}, {0x692, COLUMNS_RECIPIENTS}, {0x6B6, COLUMNS_OTHER},
    {0x6D7, COLUMNS_OTHER},       {0x6F8, COLUMNS_OTHER},
};

static void write_templates(struct store *s)
{
    bool k_ost = s->content == GEN_OST && s->img->variant->format == GEN_UNICODE4K;
    size_t n = 0;
    for (size_t i = 0; i < sizeof table_templates / sizeof *table_templates; i++) {
        struct table t;
        struct template *made = &s->templates[n];
        uint32_t nid = table_templates[i].nid;
        if (nid == 0x619 && s->content == GEN_PST)
            continue;
        image_owner(s->img, nid);
        table_begin(&t, &s->ltp, &s->columns[table_templates[i].columns], k_ost && nid == 0x60E);
        made->nid = nid;
        table_finish(&t, &made->data, &made->sub);
        table_done(&t);
        image_node(s->img, nid, made->data, made->sub, 0);
        n++;
    }
    if (s->content == GEN_OST) {
        image_owner(s->img, 0x614);
        index_node(s, 0x614, NULL, 0);
        s->templates[n] =
            (struct template){.nid = 0x614, .data = s->img->nodes[s->img->node_count - 1].data};
    }
}

const struct template *store_template(const struct store *s, uint32_t nid)
{
    for (size_t i = 0; i < TEMPLATES; i++) {
        if (s->templates[i].nid == nid)
            return &s->templates[i];
    }
    return NULL;
}

int store_create(struct image *img, uint64_t seed, struct store **out)
{
    struct store *s = mem_zalloc(sizeof *s);
    if (s == NULL)
        return ERR_NOMEM;
    bool ost = img->options.content == GEN_OST;
    struct rng r = rng_of(seed, 8, img->options.content);
    s->img = img;
    s->content = img->options.content;
    s->seed = seed;
    s->locale = (unsigned)((seed + 3) % 4);
    s->codepage = s->locale == 3 ? 932 : 1252;
    s->mid_next = 0x10D;
    s->change_next = 0x500;
    rng_fill(&r, s->provider, 16);
    r = rng_of(seed, 13, 0); /* of the mailbox: the same on either side */
    rng_fill(&r, s->replica, 16);
    rng_fill(&r, s->client, 16);
    arena_init(&s->arena, 256 << 20);
    arena_init(&s->item_arena, (size_t)1 << 30);
    ltp_init(&s->ltp, img);
    name_map_init(&s->names, seed, (unsigned)(img->variant->format * 2 + s->content));
    columns_init(s->columns, ost, img->variant->wide);
    write_templates(s);
    int error = image_error(img);
    if (error != 0) {
        store_destroy(s);
        return error;
    }
    *out = s;
    return 0;
}

void store_destroy(struct store *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->folder_count; i++) {
        for (int a = 0; a < 2; a++) {
            if (s->folders[i].tables[a] != NULL)
                table_done(s->folders[i].tables[a]);
            mem_free(s->folders[i].tables[a]);
            mem_free(s->folders[i].mids[a]);
        }
    }
    mem_free(s->folders);
    mem_free(s->found);
    ltp_done(&s->ltp);
    arena_done(&s->arena);
    arena_done(&s->item_arena);
    mem_free(s);
}

void store_pc_node(struct store *s, uint32_t nid, struct bag *bag, uint32_t parent)
{
    struct subnodes subs = {0};
    image_owner(s->img, nid);
    bag_sort(bag);
    uint64_t data = pc_write(&s->ltp, bag, s->codepage, &subs);
    image_node(s->img, nid, data, subnodes_write(s->img, &subs), parent);
    subnodes_done(&subs);
}

/* Client 8C: MID -> NID without its type. Keys ascend as bytes, not as numbers. */
void index_node(struct store *s, uint32_t nid, const struct mid_entry *list, size_t count)
{
    struct heap h;
    uint32_t header = 0;
    uint8_t *records = mem_alloc_array(count + 1, 12);
    if (records == NULL) {
        image_fail(s->img, ERR_NOMEM);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        memcpy(records + 12 * i, list[i].mid, 8);
        put_le32(records + 12 * i + 8, list[i].nid & ~0x1Fu);
    }
    image_owner(s->img, nid);
    heap_init(&h, s->img);
    heap_begin(&h, HEAP_MID_INDEX);
    heap_alloc(&h, 8, &header);
    bth_fill(&h, header, (struct bth_shape){8, 4}, records, count);
    image_node(s->img, nid, heap_finish(&h, header), 0, 0);
    heap_done(&h);
    mem_free(records);
}

/* Flags 0, the provider's GUID, then the folder: by MID in an OST, by NID in a PST. */
uint32_t store_folder_entry_id(const struct store *s, const struct folder *f, uint8_t out[46])
{
    memset(out, 0, 46);
    memcpy(out + 4, s->provider, 16);
    if (s->content == GEN_PST) {
        put_le32(out + 20, f->nid);
        return 24;
    }
    put_le16(out + 20, 1);
    memcpy(out + 22, le16(f->mid) == 0 ? local_replica : s->replica, 16);
    memcpy(out + 38, f->mid + 2, 6);
    return 46;
}

static void entry_prop(struct store *s, struct bag *b, uint16_t id, enum role role)
{
    uint8_t entry[46];
    if (s->by_role[role] == 0)
        return;
    uint32_t size = store_folder_entry_id(s, &s->folders[s->by_role[role] - 1], entry);
    bag_data(b, id, T_BIN, entry, size);
}

static void write_store(struct store *s)
{
    struct bag b;
    struct rng r = rng_of(s->seed, 9, s->content);
    uint8_t blob[84];
    bag_init(&b, &s->item_arena, 32);
    bag_text(&b, 0x3001, "owner@contoso.com");
    bag_i32(&b, 0x3FFD, s->codepage);
    bag_bool(&b, 0x6633, true);
    bag_i32(&b, 0x66FA, 917521);
    bag_i32(&b, 0x66FC, 164266);
    bag_data(&b, 0x0FF9, T_BIN, s->provider, 16);
    if (s->content == GEN_OST) {
        rng_fill(&r, blob, sizeof blob);
        bag_fixed(&b, 0x0E08, T_I64, image_bytes(s->img));
        bag_bool(&b, 0x0E5C, true);
        if (s->exchange)
            entry_prop(s, &b, 0x3416, ROLE_INBOX);
        bag_data(&b, 0x6615, T_GUID, s->provider, 16);
        bag_fixed(&b, 0x661F, T_I64, 0xAD75000000000001u);
        bag_i32(&b, 0x6620, 502);
        bag_i32(&b, 0x67FF, UINT32_MAX);
        bag_data(&b, 0x7C04, T_BIN, blob, 20);
        bag_data(&b, 0x7C06, T_MULTI_TEXT, "\\Offline Global Address List", 29);
        bag_data(&b, 0x7C07, T_BIN, blob, 81);
        bag_i32(&b, 0x7C0C, 0);
        bag_bool(&b, 0x7C11, true);
        bag_i32(&b, 0x7C13, 1193732);
    } else {
        bag_i32(&b, 0x0E38, 0);
        bag_i32(&b, 0x35DF, 255);
        bag_i32(&b, 0x67FF, 0);
        entry_prop(s, &b, 0x35E0, ROLE_IPM);
        entry_prop(s, &b, 0x35E2, ROLE_OUTBOX);
        entry_prop(s, &b, 0x35E3, ROLE_DELETED);
        entry_prop(s, &b, 0x35E4, ROLE_SENT);
        entry_prop(s, &b, 0x35E5, ROLE_VIEWS);
        entry_prop(s, &b, 0x35E6, ROLE_COMMON_VIEWS);
        entry_prop(s, &b, 0x35E7, ROLE_FINDER);
    }
    store_pc_node(s, NID_STORE, &b, 0);
}

static void write_names(struct store *s)
{
    struct bag b;
    bag_init(&b, &s->item_arena, 300);
    name_map_fill(&s->names, &b);
    store_pc_node(s, NID_NAMES, &b, 0);
}

/* Message classes and the folders that receive them. */
static void write_receive(struct store *s)
{
    static const char *const classes[] = {"", "IPC", "IPM", "REPORT.IPM"};
    struct table t;
    uint64_t data, sub;
    const struct folder *inbox = &s->folders[store_role(s, ROLE_INBOX)];
    image_owner(s->img, NID_RECEIVE);
    table_begin(&t, &s->ltp, &s->columns[COLUMNS_RECEIVE], false);
    for (uint32_t i = 0; i < 4; i++) {
        size_t to = i == 1 && s->content == GEN_OST ? store_role(s, ROLE_MAILBOX)
                                                    : store_role(s, ROLE_INBOX);
        struct prop name = {
            .type = T_TEXT, .data = classes[i], .size = (uint32_t)strlen(classes[i])};
        table_row(&t, i + 1);
        table_fixed(&t, 0x66050003, s->folders[to].nid);
        table_cell(&t, 3, &name, s->codepage);
        table_fixed(&t, 0x67F40014, le64(s->folders[to].mid));
        table_row_end(&t);
    }
    (void)inbox;
    table_finish(&t, &data, &sub);
    table_done(&t);
    image_node(s->img, NID_RECEIVE, data, sub, 0);
}

/* GUIDs of replicas by number, and a BTH the other way: clients 6C, and 9C for an empty one. */
static void write_replicas(struct store *s)
{
    struct heap h;
    uint32_t root = 0, header = 0, list = 0;
    uint8_t records[36], *p;
    bool swap = memcmp(local_replica, s->replica, 16) > 0;
    for (int i = 0; i < 2; i++) {
        bool local = (i == 0) != swap;
        memcpy(records + 18 * i, local ? local_replica : s->replica, 16);
        put_le16(records + 18 * i + 16, local ? 0 : 1);
    }
    image_owner(s->img, NID_REPLICAS);
    heap_init(&h, s->img);
    heap_begin(&h, HEAP_REPLICAS);
    heap_alloc(&h, 8, &root);
    heap_alloc(&h, 8, &header);
    if ((p = heap_alloc(&h, 32, &list)) != NULL) {
        memcpy(p, local_replica, 16);
        memcpy(p + 16, s->replica, 16);
    }
    bth_fill(&h, header, (struct bth_shape){16, 2}, records, 2);
    if (image_error(s->img) == 0) {
        p = heap_patch(&h, root);
        put_le32(p, header);
        put_le32(p + 4, list);
    }
    image_node(s->img, NID_REPLICAS, heap_finish(&h, root), 0, 0);
    heap_begin(&h, HEAP_9C);
    heap_alloc(&h, 4, &root);
    heap_alloc(&h, 8, &header);
    bth_fill(&h, header, (struct bth_shape){16, 4}, NULL, 0);
    if (image_error(s->img) == 0)
        put_le32(heap_patch(&h, root), header);
    image_node(s->img, 0xC01, heap_finish(&h, root), 0, 0);
    heap_done(&h);
}

static void write_folder_states(struct store *s)
{
    struct table t;
    uint64_t data, sub;
    struct mid_entry *mids = mem_alloc_array(s->folder_count + 1, sizeof *mids);
    if (mids == NULL) {
        image_fail(s->img, ERR_NOMEM);
        return;
    }
    size_t n = 0;
    image_owner(s->img, NID_FOLDER_STATES);
    table_begin(&t, &s->ltp, &s->columns[COLUMNS_FOLDER_STATES], false);
    uint32_t last = 0;
    for (size_t k = 0; k < s->folder_count; k++) {
        const struct folder *best = NULL;
        for (size_t i = 0; i < s->folder_count; i++) {
            const struct folder *f = &s->folders[i];
            if (f->nid > last && f->role != ROLE_ROOT && !f->search &&
                (best == NULL || f->nid < best->nid))
                best = f;
        }
        if (best == NULL)
            break;
        last = best->nid;
        memcpy(mids[n].mid, best->mid, 8);
        mids[n++].nid = best->nid;
        table_row(&t, best->nid);
        table_fixed(&t, 0x67F40014, le64(best->mid));
        table_fixed(&t, 0x66110003, 0x800);
        table_row_end(&t);
    }
    table_finish(&t, &data, &sub);
    table_done(&t);
    image_node(s->img, NID_FOLDER_STATES, data, sub, 0);
    for (size_t i = 1; i < n; i++) {
        struct mid_entry m = mids[i];
        size_t k = i;
        for (; k > 0 && memcmp(mids[k - 1].mid, m.mid, 8) > 0; k--)
            mids[k] = mids[k - 1];
        mids[k] = m;
    }
    index_node(s, NID_FOLDER_MIDS, mids, n);
    mem_free(mids);
}

static void write_raw(struct store *s, uint32_t nid, uint32_t size)
{
    struct rng r = rng_of(s->seed, 10, nid);
    uint8_t *bytes = mem_alloc(size);
    if (bytes == NULL) {
        image_fail(s->img, ERR_NOMEM);
        return;
    }
    rng_fill(&r, bytes, size);
    image_owner(s->img, nid);
    image_node(s->img, nid, data_write(s->img, bytes, size), 0, 0);
    mem_free(bytes);
}

/* NIDs of folders: those that searches look at (261), and the searches (201). */
static void write_search_lists(struct store *s)
{
    for (int searches = 0; searches < 2; searches++) {
        uint8_t list[4 * 64];
        size_t n = 0;
        for (size_t i = 0; i < s->folder_count && n < 64; i++) {
            if (s->folders[i].search == (searches != 0))
                put_le32(list + 4 * n++, s->folders[i].nid);
        }
        uint32_t nid = searches ? 0x201 : 0x261;
        image_owner(s->img, nid);
        image_node(s->img, nid, data_write(s->img, list, 4 * n), 0, 0);
    }
}

void store_finish(struct store *s)
{
    arena_reset(&s->item_arena);
    folders_finish(s);
    write_store(s);
    write_names(s);
    write_receive(s);
    write_search_lists(s);
    image_node(s->img, 0x1E1, 0, 0, 0);
    image_node(s->img, 0xE41, 0, 0, 0);
    image_node(s->img, 0xEC1, 0, 0, 0);
    if (s->content == GEN_OST) {
        write_replicas(s);
        write_folder_states(s);
        image_node(s->img, 0xF21, 0, 0, 0);
        write_raw(s, 0xEE1, 6500);
        write_raw(s, 0xF01, 104);
    } else {
        write_raw(s, 0xE61, 1960);
        write_raw(s, 0xE81, 104);
    }
}

/* What healthy files have too: blocks awaiting deletion with their children, leaked space. */
void store_oddities(struct store *s)
{
    struct subnodes subs = {0};
    uint8_t bytes[300];
    rng_fill(&s->img->rng, bytes, sizeof bytes);
    image_owner(s->img, 0);
    image_put_data(s->img, bytes, sizeof bytes);
    subnodes_add(s->img, &subs, 0x9F, image_put_data(s->img, bytes, 100), 0);
    subnodes_write(s->img, &subs);
    subnodes_done(&subs);
    if (s->img->spool_fd < 0)
        space_leak(&s->img->space, 4 * s->img->variant->unit);
}
