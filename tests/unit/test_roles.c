/* test_roles.c: special folders, by entry ids of both forms, and nothing by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "scanner/ost/header.h"
#include "scanner/ost/roles.h"

enum { FOLDERS = 40, PROPS = 16, POOL = 8192, UID = 0xA5, OTHER_UID = 0x5A };

/* A small image: folders with properties, their values in one pool. */
struct world {
    struct ost_image image;
    struct ost_folder folders[FOLDERS];
    size_t count;
    struct ost_prop props[FOLDERS + 1][PROPS]; /* the last: the store's */
    uint8_t pool[POOL];
    size_t used;
};

static struct bytes keep(struct world *w, const void *data, size_t size)
{
    struct bytes kept = {w->pool + w->used, size};

    assert_true(w->used + size <= POOL);
    if (size)
        memcpy(w->pool + w->used, data, size);
    w->used += size;
    return kept;
}

/* Adds in ascending order of id, as engines hand them out. */
static void set(struct ost_props *props, struct ost_prop *list, uint16_t id, uint16_t type,
                struct bytes value)
{
    size_t at = props->count;

    assert_true(props->count < PROPS);
    for (; at > 0 && list[at - 1].id > id; at--)
        list[at] = list[at - 1];
    list[at] = (struct ost_prop){.id = id, .type = type, .value = value};
    props->list = list;
    props->count++;
}

static size_t index_of(const struct world *w, uint32_t nid)
{
    size_t i = 0;

    while (i < w->count && w->folders[i].nid != nid)
        i++;
    assert_true(i < w->count);
    return i;
}

static void add(struct world *w, uint32_t nid, uint32_t parent)
{
    assert_true(w->count < FOLDERS);
    w->folders[w->count++] = (struct ost_folder){.nid = nid, .parent = parent, .role = "stale"};
}

static void set_folder(struct world *w, uint32_t nid, uint16_t id, uint16_t type,
                       struct bytes value)
{
    size_t i = index_of(w, nid);

    set(&w->folders[i].props, w->props[i], id, type, value);
}

static void set_store(struct world *w, uint16_t id, uint16_t type, struct bytes value)
{
    set(&w->image.store, w->props[FOLDERS], id, type, value);
}

static void set_class(struct world *w, uint32_t nid, const char *text)
{
    uint8_t wide[100];
    size_t length = strlen(text);

    for (size_t i = 0; i < length; i++)
        put_le16(wide + 2 * i, (uint8_t)text[i]);
    set_folder(w, nid, 0x3613, OST_UNICODE, keep(w, wide, 2 * length));
}

static struct bytes nid_form(struct world *w, uint8_t uid, uint32_t nid)
{
    uint8_t id[24] = {0};

    memset(id + 4, uid, 16);
    put_le32(id + 20, nid);
    return keep(w, id, sizeof id);
}

static struct bytes server_form(struct world *w, uint32_t counter)
{
    uint8_t id[46] = {0};

    memset(id + 4, UID, 16);
    put_le16(id + 20, 1);
    memset(id + 22, 0xB7, 16);
    for (int i = 0; i < 4; i++)
        id[43 - i] = (uint8_t)(counter >> (8 * i));
    return keep(w, id, sizeof id);
}

static void set_mid(struct world *w, uint32_t nid, uint16_t replica, uint32_t counter)
{
    uint8_t mid[8] = {0};

    put_le16(mid, replica);
    for (int i = 0; i < 4; i++)
        mid[7 - i] = (uint8_t)(counter >> (8 * i));
    set_folder(w, nid, 0x67F4, OST_I64, keep(w, mid, sizeof mid));
}

static struct bytes multi(struct world *w, const struct bytes *ids, uint32_t count)
{
    uint8_t value[1024];
    uint32_t at = 4 + 4 * count;

    put_le32(value, count);
    for (uint32_t i = 0; i < count; i++) {
        put_le32(value + 4 + 4 * i, at);
        if (ids[i].size)
            memcpy(value + at, ids[i].data, ids[i].size);
        at += (uint32_t)ids[i].size;
    }
    return keep(w, value, at);
}

/* One block of 36D9 with a header element before the entry id, as [MS-OXOSFLD] allows. */
static size_t block(uint8_t *out, uint16_t persist_id, struct bytes id)
{
    put_le16(out, persist_id);
    put_le16(out + 2, (uint16_t)(12 + id.size));
    put_le16(out + 4, 2);
    put_le16(out + 6, 4);
    put_le32(out + 8, 0);
    put_le16(out + 12, 1);
    put_le16(out + 14, (uint16_t)id.size);
    memcpy(out + 16, id.data, id.size);
    return 16 + id.size;
}

static const char *role(const struct world *w, uint32_t nid)
{
    const char *text = w->folders[index_of(w, nid)].role;

    return text ? text : "(none)";
}

static void assign(struct world *w, uint32_t receive_folder)
{
    ost_roles_assign(&w->image, receive_folder, w->folders, w->count);
}

enum {
    ROOT = 0x122,
    TOP = 0x8022,
    FINDER = 0x8042,
    DELETED = 0x8062,
    INBOX = 0x8082,
    OUTBOX = 0x80A2,
    SENT = 0x80C2,
    CALENDAR = 0x8122,
    JUNK = 0x8142,
    RSS = 0x8162,
    PLAIN = 0x8182,
    TODO = 0x80023,
    SPAM = 0x2223
};

static void pst_folders(struct world *w)
{
    uint8_t uid[16];

    *w = (struct world){.image = {.content = OST_CONTENT_PST}};
    memset(uid, UID, sizeof uid);
    set_store(w, 0x0FF9, OST_BINARY, keep(w, uid, sizeof uid));
    add(w, ROOT, ROOT);
    add(w, TOP, ROOT);
    add(w, FINDER, ROOT);
    add(w, SPAM, ROOT);
    add(w, TODO, ROOT);
    for (uint32_t nid = DELETED; nid <= PLAIN; nid += 0x20)
        add(w, nid, TOP);
    set_store(w, 0x35E0, OST_BINARY, nid_form(w, UID, TOP));
    set_store(w, 0x35E2, OST_BINARY, nid_form(w, UID, OUTBOX));
    set_store(w, 0x35E3, OST_BINARY, nid_form(w, UID, DELETED));
    set_store(w, 0x35E4, OST_BINARY, nid_form(w, UID, SENT));
    set_store(w, 0x35E7, OST_BINARY, nid_form(w, UID, FINDER));
}

static void set_inbox_places(struct world *w, uint32_t nid, uint8_t uid)
{
    struct bytes ren[5] = {[4] = nid_form(w, uid, JUNK)};
    uint8_t ex[200];
    size_t size;

    set_folder(w, nid, 0x36D0, OST_BINARY, nid_form(w, uid, CALENDAR));
    set_folder(w, nid, 0x36D8, OST_BINARY | OST_MULTI, multi(w, ren, 5));
    size = block(ex, 0x8004, nid_form(w, uid, TODO));
    size += block(ex + size, 0x8001, nid_form(w, uid, RSS));
    memset(ex + size, 0, 4);
    set_folder(w, nid, 0x36D9, OST_BINARY, keep(w, ex, size + 4));
}

static void pst_by_node_ids(void **state)
{
    struct world w;

    (void)state;
    pst_folders(&w);
    set_inbox_places(&w, INBOX, UID);
    for (int hint = 0; hint < 2; hint++) {
        assign(&w, hint ? INBOX : 0);
        assert_string_equal(role(&w, ROOT), "root");
        assert_string_equal(role(&w, TOP), "ipm_subtree");
        assert_string_equal(role(&w, FINDER), "finder");
        assert_string_equal(role(&w, DELETED), "deleted");
        assert_string_equal(role(&w, INBOX), "inbox");
        assert_string_equal(role(&w, OUTBOX), "outbox");
        assert_string_equal(role(&w, SENT), "sent");
        assert_string_equal(role(&w, CALENDAR), "calendar");
        assert_string_equal(role(&w, JUNK), "junk");
        assert_string_equal(role(&w, RSS), "rss_feeds");
        assert_string_equal(role(&w, TODO), "todo_search");
        assert_string_equal(role(&w, SPAM), "search");
        assert_string_equal(role(&w, PLAIN), "(none)");
    }
}

static void pst_by_the_root_alone(void **state)
{
    struct world w;

    (void)state;
    pst_folders(&w);
    set_inbox_places(&w, ROOT, UID);
    assign(&w, 0);
    assert_string_equal(role(&w, ROOT), "root");
    assert_string_equal(role(&w, INBOX), "(none)");
    assert_string_equal(role(&w, CALENDAR), "calendar");
    assert_string_equal(role(&w, JUNK), "junk");
    assign(&w, ROOT); /* PSTs nothing is delivered to name the root */
    assert_string_equal(role(&w, ROOT), "root");
    assign(&w, INBOX);
    assert_string_equal(role(&w, INBOX), "inbox");
    assert_string_equal(role(&w, CALENDAR), "calendar");
    assign(&w, 0x9992); /* no such folder */
    assert_string_equal(role(&w, INBOX), "(none)");
}

static void two_that_might_be_the_inbox_are_none(void **state)
{
    struct world w;

    (void)state;
    pst_folders(&w);
    set_inbox_places(&w, INBOX, UID);
    set_inbox_places(&w, PLAIN, UID);
    assign(&w, 0);
    assert_string_equal(role(&w, INBOX), "(none)");
    assert_string_equal(role(&w, PLAIN), "(none)");
    assign(&w, PLAIN);
    assert_string_equal(role(&w, PLAIN), "inbox");
    assert_string_equal(role(&w, INBOX), "(none)");
}

/* Entry ids of another store count where the folder's class bears them out. */
static void other_stores_ids_need_the_class(void **state)
{
    struct world w;

    (void)state;
    pst_folders(&w);
    set_inbox_places(&w, INBOX, OTHER_UID);
    set_class(&w, CALENDAR, "ipf.appointment.Birthday");
    set_class(&w, JUNK, "IPF.Contact");
    assign(&w, INBOX);
    assert_string_equal(role(&w, INBOX), "inbox");
    assert_string_equal(role(&w, CALENDAR), "calendar");
    assert_string_equal(role(&w, JUNK), "(none)");
    assert_string_equal(role(&w, RSS), "(none)");
    assert_string_equal(role(&w, TODO), "search");
    pst_folders(&w);
    set_store(&w, 0x35E5, OST_BINARY, nid_form(&w, OTHER_UID, PLAIN));
    assign(&w, 0);
    assert_string_equal(role(&w, PLAIN), "(none)");
}

static void no_role_is_given_twice(void **state)
{
    struct world w;

    (void)state;
    pst_folders(&w);
    set_folder(&w, INBOX, 0x36D0, OST_BINARY, nid_form(&w, UID, CALENDAR));
    set_folder(&w, ROOT, 0x36D0, OST_BINARY, nid_form(&w, UID, PLAIN));
    set_folder(&w, INBOX, 0x36D1, OST_BINARY, nid_form(&w, UID, SENT)); /* taken by the store */
    assign(&w, INBOX);
    assert_string_equal(role(&w, CALENDAR), "calendar");
    assert_string_equal(role(&w, PLAIN), "(none)");
    assert_string_equal(role(&w, SENT), "sent");
}

enum {
    MAILBOX = 0x20A2,
    OST_TOP = 0x2142,
    OST_DELETED = 0x2162,
    OST_INBOX = 0x2182,
    OST_OUTBOX = 0x21A2,
    OST_SENT = 0x21C2,
    DRAFTS = 0x8022,
    CONFLICTS = 0x8382
};

static void ost_folders(struct world *w)
{
    *w = (struct world){.image = {.content = OST_CONTENT_OST}};
    add(w, ROOT, ROOT);
    add(w, MAILBOX, ROOT);
    add(w, OST_TOP, MAILBOX);
    for (uint32_t nid = OST_DELETED; nid <= OST_SENT; nid += 0x20)
        add(w, nid, OST_TOP);
    add(w, DRAFTS, OST_TOP);
    add(w, CONFLICTS, OST_TOP);
    add(w, PLAIN, OST_TOP);
    set_mid(w, MAILBOX, 0, 5);
    set_mid(w, OST_TOP, 0, 0x0A);
    set_mid(w, OST_DELETED, 0, 0x0B);
    set_mid(w, OST_INBOX, 0, 0x0C);
    set_mid(w, OST_OUTBOX, 0, 0x0D);
    set_mid(w, OST_SENT, 0, 0x0E);
    set_mid(w, DRAFTS, 1, 0x10F);
    set_mid(w, CONFLICTS, 1, 0x1E27);
}

static void ost_by_counters(void **state)
{
    struct world w;
    struct bytes ren[5], message;

    (void)state;
    ost_folders(&w);
    ren[0] = server_form(&w, 0x1E27);
    for (int i = 1; i < 5; i++)
        ren[i] = server_form(&w, 0x7000u + (unsigned)i);
    set_folder(&w, OST_INBOX, 0x36D7, OST_BINARY, server_form(&w, 0x10F));
    set_folder(&w, OST_INBOX, 0x36D8, OST_BINARY | OST_MULTI, multi(&w, ren, 5));
    set_folder(&w, OST_INBOX, 0x36D0, OST_BINARY, server_form(&w, 0x0B)); /* no local folder */
    message = server_form(&w, 0x1E27);
    w.pool[message.data - w.pool + 20] = 7; /* an entry id of another type */
    set_folder(&w, OST_INBOX, 0x36D4, OST_BINARY, message);
    for (int hint = 0; hint < 2; hint++) {
        assign(&w, hint ? OST_INBOX : 0);
        assert_string_equal(role(&w, OST_TOP), "ipm_subtree");
        assert_string_equal(role(&w, OST_DELETED), "deleted");
        assert_string_equal(role(&w, OST_INBOX), "inbox");
        assert_string_equal(role(&w, OST_OUTBOX), "outbox");
        assert_string_equal(role(&w, OST_SENT), "sent");
        assert_string_equal(role(&w, DRAFTS), "drafts");
        assert_string_equal(role(&w, CONFLICTS), "conflicts");
        assert_string_equal(role(&w, MAILBOX), "(none)");
        assert_string_equal(role(&w, PLAIN), "(none)");
    }
    set_mid(&w, PLAIN, 2, 0x10F); /* the same counter of another replica */
    assign(&w, 0);
    assert_string_equal(role(&w, DRAFTS), "(none)");
    assert_string_equal(role(&w, PLAIN), "(none)");
}

static void local_counters_count_in_their_place_only(void **state)
{
    struct world w;

    (void)state;
    ost_folders(&w);
    w.image.content = OST_CONTENT_PST;
    assign(&w, 0);
    assert_string_equal(role(&w, OST_SENT), "(none)");
    w.image.content = OST_CONTENT_OST;
    w.folders[index_of(&w, OST_SENT)].parent = MAILBOX;
    assign(&w, 0);
    assert_string_equal(role(&w, OST_SENT), "(none)");
    assert_string_equal(role(&w, OST_INBOX), "inbox");
}

/* Every length of every value: parsed within its bytes (the sanitizers watch) and no wrong role. */
static void cut_values_are_harmless(void **state)
{
    static const uint16_t ids[] = {0x36D0, 0x36D8, 0x36D9};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct world w;
        struct ost_prop *p = NULL;
        size_t full;

        pst_folders(&w);
        set_inbox_places(&w, INBOX, UID);
        for (size_t k = 0; k < PROPS; k++)
            if (w.props[index_of(&w, INBOX)][k].id == ids[i])
                p = &w.props[index_of(&w, INBOX)][k];
        assert_non_null(p);
        full = p->value.size;
        for (size_t size = 0; size < full; size++) {
            uint8_t exact[256];

            assert_true(size <= sizeof exact);
            memcpy(exact + sizeof exact - size, p->value.data, size);
            {
                struct bytes whole = p->value;

                p->value = (struct bytes){exact + sizeof exact - size, size};
                assign(&w, INBOX);
                p->value = whole;
            }
            assert_string_equal(role(&w, INBOX), "inbox");
            assert_string_equal(role(&w, PLAIN), "(none)");
            if (ids[i] == 0x36D0)
                assert_string_equal(role(&w, CALENDAR), "(none)");
            if (ids[i] == 0x36D8)
                assert_string_equal(role(&w, JUNK), "(none)");
        }
    }
}

static void lying_sizes_are_harmless(void **state)
{
    static const uint32_t counts[] = {0, 4, 0x3FFFFFFF, 0x40000000, UINT32_MAX};
    uint8_t value[64];

    (void)state;
    for (size_t i = 0; i < 5; i++) {
        struct world w;

        pst_folders(&w);
        memset(value, 0xFF, sizeof value);
        put_le32(value, counts[i]);
        set_folder(&w, INBOX, 0x36D8, OST_BINARY | OST_MULTI, keep(&w, value, sizeof value));
        set_folder(&w, INBOX, 0x36D9, OST_BINARY, keep(&w, value, sizeof value));
        set_folder(&w, INBOX, 0x36D1, OST_I32, keep(&w, value, 4));
        set_folder(&w, INBOX, 0x67F4, OST_I64, keep(&w, value, 4));
        set_folder(&w, INBOX, 0x3613, OST_UNICODE, keep(&w, value, 3));
        assign(&w, INBOX);
        assert_string_equal(role(&w, INBOX), "inbox");
    }
}

static void nothing_to_go_by(void **state)
{
    struct world w = {.image = {.content = OST_CONTENT_OST}};

    (void)state;
    assign(&w, 0);
    add(&w, PLAIN, 0);
    add(&w, TODO, 0);
    assign(&w, PLAIN + 0x20);
    assert_string_equal(role(&w, PLAIN), "(none)");
    assert_string_equal(role(&w, TODO), "search");
}

static void properties_are_found_by_id_and_type(void **state)
{
    struct ost_prop list[300];
    struct ost_props props = {list, 300};

    (void)state;
    for (size_t i = 0; i < 300; i++)
        list[i] = (struct ost_prop){.id = (uint16_t)(2 * i + 1), .type = OST_I32};
    list[7].type = OST_STRING8;
    list[8].type = OST_UNICODE | OST_MULTI;
    for (size_t i = 0; i < 300; i++) {
        assert_ptr_equal(ost_props_find(props, (uint16_t)(2 * i + 1), 0), &list[i]);
        assert_null(ost_props_find(props, (uint16_t)(2 * i), 0));
        assert_null(ost_props_find(props, (uint16_t)(2 * i + 1), OST_BOOL));
    }
    assert_null(ost_props_find(props, 601, 0));
    assert_null(ost_props_find((struct ost_props){0}, 1, 0));
    assert_ptr_equal(ost_props_find(props, 15, OST_UNICODE), &list[7]);
    assert_ptr_equal(ost_props_find(props, 15, OST_STRING8), &list[7]);
    assert_null(ost_props_find(props, 15, OST_UNICODE | OST_MULTI));
    assert_ptr_equal(ost_props_find(props, 17, OST_STRING8 | OST_MULTI), &list[8]);
    assert_null(ost_props_find(props, 17, OST_UNICODE));
    assert_null(ost_props_find(props, 1, OST_UNICODE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pst_by_node_ids),
        cmocka_unit_test(pst_by_the_root_alone),
        cmocka_unit_test(two_that_might_be_the_inbox_are_none),
        cmocka_unit_test(other_stores_ids_need_the_class),
        cmocka_unit_test(no_role_is_given_twice),
        cmocka_unit_test(ost_by_counters),
        cmocka_unit_test(local_counters_count_in_their_place_only),
        cmocka_unit_test(cut_values_are_harmless),
        cmocka_unit_test(lying_sizes_are_harmless),
        cmocka_unit_test(nothing_to_go_by),
        cmocka_unit_test(properties_are_found_by_id_and_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
