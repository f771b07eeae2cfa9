/* test_record.c: each record, full, empty and over its bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "index/json_read.h"
#include "index/manifest.h"
#include "index/record.h"
#include "io/mem.h"

#define FFFD "\xEF\xBF\xBD"
#define D16  "xxh3:01000000000000000000000000000000"
#define D32  "sha256:0200000000000000000000000000000000000000000000000000000000000000"

static struct idx_text *text;
static struct buf out;

static int setup(void **state)
{
    (void)state;
    return idx_text_create(&text);
}

static int teardown(void **state)
{
    (void)state;
    idx_text_destroy(text);
    buf_done(&out);
    return 0;
}

static void expect(const char *line)
{
    assert_string_equal(buf_cstr(&out), line);
    buf_reset(&out);
}

static struct bytes bytes_of(const char *s, size_t size)
{
    return (struct bytes){(const uint8_t *)s, size};
}

#define UTF16(s) bytes_of(s, sizeof(s) - 1)

static struct idx_str str(const char *s)
{
    return (struct idx_str){s, strlen(s), true, {(const uint8_t *)s, strlen(s)}};
}

static void scan_record(void **state)
{
    static const char *const options[] = {"jobs=4", "digest=sha256"};
    const struct idx_scan_record r = {
        "ostscan 0.1.0", "libpff", "uring", INT64_C(1700000000123456789), options, 2};

    (void)state;
    idx_record_scan(&out, &r);
    expect("{\"type\":\"scan\",\"schema\":1,\"digest_version\":1,\"tool\":\"ostscan 0.1.0\","
           "\"engine\":\"libpff\",\"io\":\"uring\",\"started\":\"2023-11-14T22:13:20.123456789Z\","
           "\"options\":[\"jobs=4\",\"digest=sha256\"]}\n");
}

static void image_record(void **state)
{
    const struct ost_prop name = {0x3001, OST_UNICODE, NULL, UTF16("M\0\0\xD8")};
    const struct ost_header header = {.content = OST_CONTENT_OST,
                                      .format = OST_FORMAT_UNICODE4K,
                                      .version = 36,
                                      .crypt = OST_CRYPT_PERMUTE,
                                      .unique = 7};
    const struct ost_image image = {.store = {&name, 1},
                                    .account = "exchange",
                                    .has_blocks = true,
                                    .blocks = 10,
                                    .has_nodes = true,
                                    .has_allocated = true,
                                    .allocated_bytes = UINT64_C(1) << 40};
    struct idx_image_record r = {"/x/\xFF.ost", 16, 1500000000, &image, &header};

    (void)state;
    idx_record_image(&out, text, &r);
    expect("{\"type\":\"image\",\"path\":\"/x/" FFFD ".ost\",\"path_hex\":\"2f782fff2e6f7374\","
           "\"size\":16,\"mtime\":\"1970-01-01T00:00:01.5Z\",\"content\":\"ost\","
           "\"format\":\"unicode4k\",\"version\":36,\"crypt\":\"permute\",\"unique\":7,"
           "\"store_name\":\"M" FFFD "\",\"store_name_hex\":\"4d0000d8\",\"account\":\"exchange\","
           "\"blocks\":10,\"nodes\":0,\"allocated\":1099511627776}\n");
}

static void image_record_of_no_image(void **state)
{
    const struct ost_header nothing = {0};
    struct idx_image_record r = {"a", 0, 0, NULL, NULL};

    (void)state;
    idx_record_image(&out, text, &r);
    expect("{\"type\":\"image\",\"path\":\"a\",\"size\":0,\"mtime\":\"1970-01-01T00:00:00Z\"}\n");
    r.header = &nothing;
    idx_record_image(&out, text, &r);
    expect("{\"type\":\"image\",\"path\":\"a\",\"size\":0,\"mtime\":\"1970-01-01T00:00:00Z\"}\n");
}

static void folder_record(void **state)
{
    const struct ost_prop props[] = {
        {0x3001, OST_STRING8, NULL,
         UTF16("\xC4"
               "a")},
        {0x3613, OST_UNICODE, NULL, UTF16("I\0P\0")},
    };
    struct ost_folder f = {.nid = 0x8022,
                           .parent = 0x122,
                           .codepage = 1252,
                           .role = "inbox",
                           .props = {props, 2},
                           .has_rows = true,
                           .has_assoc_rows = true,
                           .rows = 3,
                           .assoc_rows = 1,
                           .items = 2,
                           .assoc = 4};

    (void)state;
    idx_record_folder(&out, text, &f,
                      "Top/\xC3\x84"
                      "a",
                      7);
    expect("{\"type\":\"folder\",\"nid\":32802,\"parent\":290,\"path\":\"Top/\xC3\x84"
           "a\","
           "\"name\":\"\xC3\x84"
           "a\",\"class\":\"IP\",\"role\":\"inbox\",\"rows\":3,"
           "\"assoc_rows\":1,\"items\":2,\"assoc\":4}\n");
    f = (struct ost_folder){.nid = 290, .codepage = 1252};
    idx_record_folder(&out, text, &f, NULL, 0);
    expect("{\"type\":\"folder\",\"nid\":290,\"items\":0,\"assoc\":0}\n");
}

static const struct ost_digest d16 = {{1}, 16}, d32 = {{2}, 32};

static void full_item(struct ost_item *item, struct idx_view *v, struct idx_digests *d)
{
    static const struct ost_attachment attachments[] = {
        {.nid = 0x8025, .method = 1, .has_data = true, .data_bytes = 5, .data_digest = {{1}, 16}},
        {.nid = 0x8045, .method = 5},
        {.method = -1},
    };
    static const struct ost_damage damage[] = {
        {.code = F_property_failed, .has_bid = true, .bid = 6},
        {.code = F_item_partial, .has_offset = true, .offset = 512},
    };
    static struct idx_address people[4];
    static struct idx_str names[3];
    static struct ost_digest embedded[3];

    people[0] = (struct idx_address){str("A"), str("a@x")};
    people[1] = (struct idx_address){.address = str("b@x")};
    people[2] = (struct idx_address){.name = str("C")};
    names[0] = str("n.txt");
    embedded[1] = d32;
    *item = (struct ost_item){.nid = 0x200024,
                              .folder = 0x8022,
                              .assoc = true,
                              .orphan = true,
                              .recovered = true,
                              .attachments = attachments,
                              .attachment_count = 3,
                              .damage = damage,
                              .damage_count = 2};
    *v = (struct idx_view){.kind = KIND_MAIL,
                           .message_class = str("IPM.Note"),
                           .subject = {"S"
                                       "\xED\xA0\x80",
                                       4, true, UTF16("S\0\0\xD8")},
                           .message_id = str("<i@x>"),
                           .search_key = UTF16("\x01\x02"),
                           .change_key = UTF16("\x03"),
                           .pcl = UTF16("\x04"),
                           .has_mid = true,
                           .mid = 0x0102,
                           .submitted = {true, UINT64_C(116444736000000000)},
                           .delivered = {true, UINT64_C(116444736010000001)},
                           .created = {true, 0},
                           .modified = {true, UINT64_C(116444736005000000)},
                           .has_size = true,
                           .size = -1,
                           .has_flags = true,
                           .flags = 9,
                           .from = people[0],
                           .to = people,
                           .to_count = 2,
                           .cc = people + 2,
                           .cc_count = 1,
                           .bcc = people + 3,
                           .bcc_count = 1,
                           .attachment_names = names};
    *d = (struct idx_digests){.has_mih = true,
                              .mih = {0xab},
                              .exact = d16,
                              .core = d32,
                              .state = d16,
                              .body_text = d16,
                              .body_rtf = d32,
                              .embedded = embedded};
}

static void item_record(void **state)
{
    struct ost_item item;
    struct idx_view view;
    struct idx_digests digests;

    (void)state;
    full_item(&item, &view, &digests);
    idx_record_item(&out, &item, &view, &digests, NULL);
    expect("{\"type\":\"item\",\"nid\":2097188,\"folder\":32802,\"assoc\":true,\"orphan\":true,"
           "\"kind\":\"mail\",\"class\":\"IPM.Note\","
           "\"subject\":\"S" FFFD "\",\"subject_hex\":\"530000d8\",\"message_id\":\"<i@x>\","
           "\"mih\":\"ab000000000000000000000000000000\",\"search_key\":\"0102\","
           "\"mid\":\"0000000000000102\",\"change_key\":\"03\",\"pcl\":\"04\","
           "\"submitted\":\"1970-01-01T00:00:00Z\",\"delivered\":\"1970-01-01T00:00:01.0000001Z\","
           "\"created\":\"1601-01-01T00:00:00Z\",\"modified\":\"1970-01-01T00:00:00.5Z\","
           "\"size\":-1,\"flags\":9,\"from\":{\"name\":\"A\",\"address\":\"a@x\"},"
           "\"to\":[{\"name\":\"A\",\"address\":\"a@x\"},{\"address\":\"b@x\"}],"
           "\"cc\":[{\"name\":\"C\"}],\"bcc\":[{}],"
           "\"attachments\":[{\"nid\":32805,\"name\":\"n.txt\",\"method\":1,\"size\":5,"
           "\"digest\":\"" D16 "\"},{\"nid\":32837,\"method\":5,\"embedded\":\"" D32 "\"},{}],"
           "\"digest\":{\"exact\":\"" D16 "\",\"core\":\"" D32 "\","
           "\"body\":{\"text\":\"" D16 "\",\"rtf\":\"" D32 "\"},\"state\":\"" D16 "\"},"
           "\"partial\":true,\"damage\":[{\"code\":\"property_failed\",\"bid\":6},"
           "{\"code\":\"item_partial\",\"offset\":512}],\"recovered\":true}\n");
}

static void what_an_item_lacks_is_absent(void **state)
{
    const struct ost_item item = {.nid = 4};
    const struct idx_view view = {.kind = KIND_OTHER};
    const struct idx_digests digests = {0};

    (void)state;
    idx_record_item(&out, &item, &view, &digests, NULL);
    expect("{\"type\":\"item\",\"nid\":4,\"kind\":\"other\"}\n");
    idx_record_failed_item(&out, 4, 0, false);
    expect("{\"type\":\"item\",\"nid\":4,\"failed\":true}\n");
    idx_record_failed_item(&out, 4, 5, true);
    expect("{\"type\":\"item\",\"nid\":4,\"folder\":5,\"assoc\":true,\"failed\":true}\n");
}

static uint64_t number_in(struct bytes line, const char *key)
{
    struct bytes value;
    struct json_token t;
    uint64_t n = UINT64_MAX;

    assert_int_equal(json_find(line, key, &value), 1);
    assert_true(json_scalar(value, &t) && json_token_u64(&t, &n));
    return n;
}

/* The worst that an image can hold stays one line that the container takes. */
static void an_item_of_monsters_stays_bounded(void **state)
{
    enum { MONSTER = 20 << 20, PEOPLE = 300000, ATTACHMENTS = 1 << 17 };
    char *controls = malloc(MONSTER);
    struct idx_address *people = calloc(PEOPLE, sizeof *people);
    struct ost_attachment *attachments = calloc(ATTACHMENTS, sizeof *attachments);
    struct idx_str *names = calloc(ATTACHMENTS, sizeof *names);
    struct ost_digest *embedded = calloc(ATTACHMENTS, sizeof *embedded);
    struct ost_damage *damage = calloc(ATTACHMENTS, sizeof *damage);
    struct idx_str monster = {controls, MONSTER, false, {(uint8_t *)controls, MONSTER}};
    struct ost_item item = {.nid = 4,
                            .attachments = attachments,
                            .attachment_count = ATTACHMENTS,
                            .damage = damage,
                            .damage_count = ATTACHMENTS};
    struct idx_view v = {.message_class = monster,
                         .subject = monster,
                         .message_id = monster,
                         .search_key = monster.raw,
                         .change_key = monster.raw,
                         .pcl = monster.raw,
                         .from = {monster, monster},
                         .to = people,
                         .cc = people,
                         .bcc = people,
                         .to_count = PEOPLE,
                         .cc_count = PEOPLE,
                         .bcc_count = PEOPLE,
                         .attachment_names = names};
    const struct idx_digests digests = {.embedded = embedded};
    struct bytes line;

    (void)state;
    memset(controls, 1, MONSTER);
    for (size_t i = 0; i < PEOPLE; i++)
        people[i] = (struct idx_address){monster, monster};
    for (size_t i = 0; i < ATTACHMENTS; i++)
        names[i] = monster;
    idx_record_item(&out, &item, &v, &digests, NULL);
    assert_false(out.failed);
    assert_true(out.size <= IDX_MANIFEST_LINE_MAX);
    line = (struct bytes){out.data, out.size};
    assert_int_equal(number_in(line, "subject_size"), MONSTER);
    assert_int_equal(number_in(line, "pcl_size"), MONSTER);
    assert_true(number_in(line, "to_more") < PEOPLE);
    assert_true(number_in(line, "attachments_more") < ATTACHMENTS);
    assert_int_equal(number_in(line, "damage_more"), ATTACHMENTS - IDX_AFFECTED_MAX);
    buf_reset(&out);
    free(controls);
    free(people);
    free(attachments);
    free(names);
    free(embedded);
    free(damage);
}

static void finding_record(void **state)
{
    uint32_t nids[IDX_AFFECTED_MAX + 2];
    struct finding f = finding_of(F_item_partial);
    struct bytes line, list;

    (void)state;
    idx_record_finding(&out, 1, 1, &f);
    expect("{\"type\":\"finding\",\"n\":1,\"code\":\"item_partial\",\"layer\":\"item\","
           "\"severity\":\"warning\",\"text\":\"an item could only be read in part\"}\n");
    for (uint32_t i = 0; i < IDX_AFFECTED_MAX + 2; i++)
        nids[i] = i;
    f = finding_of(F_file_empty);
    f.has_offset = f.has_bid = f.has_nid = f.has_expected = f.has_actual = true;
    f.length = 4;
    f.bid = UINT64_MAX;
    f.nid = 33;
    f.expected = 1;
    f.items = nids;
    f.item_count = 2;
    f.folders = nids;
    f.folder_count = 1;
    f.detail = "so\nit is";
    idx_record_finding(&out, 2, 3, &f);
    expect("{\"type\":\"finding\",\"n\":2,\"count\":3,\"code\":\"file_empty\",\"layer\":\"header\","
           "\"severity\":\"corrupt\",\"offset\":0,\"length\":4,\"bid\":18446744073709551615,"
           "\"nid\":33,\"expected\":1,\"actual\":0,\"items\":[0,1],\"folders\":[0],"
           "\"text\":\"the file has no bytes: so\\nit is\"}\n");
    f.item_count = IDX_AFFECTED_MAX;
    f.folder_count = IDX_AFFECTED_MAX + 2;
    idx_record_finding(&out, 3, 1, &f);
    line = (struct bytes){out.data, out.size};
    assert_int_equal(json_find(line, "items_more", &list), 0);
    assert_int_equal(number_in(line, "folders_more"), 2);
    buf_reset(&out);
}

static void verdict_record(void **state)
{
    const uint32_t nids[] = {4, 36};
    const struct chk_reason reasons[] = {
        {.text = "a", .codes = {F_item_failed, F_table_failed}, .code_count = 2},
        {.text = "b", .items = nids, .item_count = 2},
    };
    const struct chk_folder_state folders[] = {{.nid = 0x8022,
                                                .failed = 1,
                                                .orphaned = 2,
                                                .unaccounted = 3,
                                                .remedy = REMEDY_RESYNC_FOLDERS,
                                                .rows_without_item = 7}};
    struct chk_verdict v = {.remedy = REMEDY_REBUILD,
                            .export_first = EXPORT_REQUIRED,
                            .reasons = reasons,
                            .reason_count = 2,
                            .folders = folders,
                            .folder_count = 1,
                            .coverage = {true, 100, 90, 10, 8, 2, 3, 11, 4}};

    (void)state;
    idx_record_verdict(&out, &v);
    expect(
        "{\"type\":\"verdict\",\"remedy\":\"rebuild\",\"folders\":[{\"nid\":32802,\"failed\":1,"
        "\"orphaned\":2,\"unaccounted\":3,\"rows_without_item\":7,\"remedy\":\"resync_folders\"}],"
        "\"export_first\":\"required\",\"reasons\":[{\"text\":\"a\",\"codes\":[\"item_failed\","
        "\"table_failed\"]},{\"text\":\"b\",\"items\":[4,36]}],"
        "\"coverage\":{\"allocated\":100,\"verified\":90,\"items_expected\":10,"
        "\"items_read\":8,\"items_failed\":2,\"items_orphaned\":3,\"rows\":11,"
        "\"rows_without_item\":4}}\n");
    v = (struct chk_verdict){.remedy = REMEDY_UNKNOWN, .export_first = EXPORT_UNKNOWN};
    idx_record_verdict(&out, &v);
    expect("{\"type\":\"verdict\",\"remedy\":\"unknown\",\"export_first\":\"unknown\","
           "\"reasons\":[],\"coverage\":{\"verified\":0,\"items_expected\":0,\"items_read\":0,"
           "\"items_failed\":0,\"items_orphaned\":0,\"rows\":0,\"rows_without_item\":0}}\n");
}

static void lines_of_a_scan(void **state)
{
    const struct chk_verdict verdict = {.remedy = REMEDY_NONE, .export_first = EXPORT_UNKNOWN};
    const struct ost_header header = {.content = OST_CONTENT_PST, .format = OST_FORMAT_ANSI};
    struct idx_image_line image = {.path = "/a.pst",
                                   .manifest = "a.pst-0.jsonl.zst",
                                   .has_identity = true,
                                   .size_bytes = 9,
                                   .header = &header,
                                   .state = IMAGE_PARTIAL,
                                   .has_counts = true,
                                   .folders = 1,
                                   .items = 2,
                                   .assoc = 3,
                                   .partial = 4,
                                   .failed = 5,
                                   .findings = {6, 7, 8},
                                   .verdict = &verdict,
                                   .has_timing = true,
                                   .timing = {0.25, true, {10, 20, 30, 40}}};
    struct idx_scan_totals totals = {.complete = true,
                                     .images = {[IMAGE_OK] = 2, [IMAGE_IN_USE] = 1},
                                     .skipped = 3,
                                     .bytes = 4,
                                     .folders = 5,
                                     .items = 6};

    (void)state;
    idx_record_image_line(&out, &image);
    expect("{\"type\":\"image\",\"path\":\"/a.pst\",\"manifest\":\"a.pst-0.jsonl.zst\",\"size\":9,"
           "\"mtime\":\"1970-01-01T00:00:00Z\",\"content\":\"pst\",\"format\":\"ansi\","
           "\"state\":\"partial\",\"folders\":1,\"items\":2,\"assoc\":3,\"partial\":4,\"failed\":5,"
           "\"findings\":{\"corrupt\":8,\"warning\":7,\"info\":6},\"remedy\":\"none\","
           "\"export_first\":\"unknown\",\"timing\":{\"seconds\":0.25,\"read\":{\"plan\":10,"
           "\"sweep\":20,\"gaps\":30,\"again\":40}}}\n");
    image = (struct idx_image_line){.path = "b", .state = IMAGE_IN_USE, .reason = "r"};
    idx_record_image_line(&out, &image);
    expect("{\"type\":\"image\",\"path\":\"b\",\"state\":\"in_use\",\"reason\":\"r\"}\n");
    idx_record_skip_line(&out, "/p\n", "duplicate", NULL, "/q\xFF");
    expect("{\"type\":\"skipped\",\"path\":\"/p\\n\",\"reason\":\"duplicate\",\"same_as\":\"/q" FFFD
           "\",\"same_as_hex\":\"2f71ff\"}\n");
    idx_record_close_line(&out, &totals);
    expect("{\"type\":\"end\",\"images\":{\"ok\":2,\"damaged\":0,\"partial\":0,\"changed\":0,"
           "\"declined\":0,\"failed\":0,\"unwritten\":0,\"unreadable\":0,\"in_use\":1},\"skipped\":"
           "3,\"bytes\":4,\"folders\":5,"
           "\"items\":6,\"assoc\":0,\"partial\":0,\"failed\":0,"
           "\"findings\":{\"corrupt\":0,\"warning\":0,\"info\":0},\"complete\":true}\n");
}

static void failed_memory_is_remembered(void **state)
{
    const struct ost_prop name = {0x3001, OST_UNICODE, NULL, UTF16("n\0")};
    const struct ost_folder folder = {.nid = 290, .props = {&name, 1}};
    struct finding finding = finding_of(F_file_empty);
    struct idx_digests digests;
    struct ost_item item;
    struct idx_view view;
    uint64_t nth = 0;
    bool failed;

    (void)state;
    finding.detail = "detail";
    full_item(&item, &view, &digests);
    do {
        buf_done(&out);
        mem_test_fail(++nth, 0);
        idx_record_item(&out, &item, &view, &digests, NULL);
        idx_record_folder(&out, text, &folder, "p", 1);
        idx_record_finding(&out, 1, 1, &finding);
        mem_test_fail(0, 0);
        failed = out.failed;
    } while (failed);
    assert_true(nth > 6);
    assert_int_equal(out.data[out.size - 1], '\n');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scan_record),
        cmocka_unit_test(image_record),
        cmocka_unit_test(image_record_of_no_image),
        cmocka_unit_test(folder_record),
        cmocka_unit_test(item_record),
        cmocka_unit_test(what_an_item_lacks_is_absent),
        cmocka_unit_test(an_item_of_monsters_stays_bounded),
        cmocka_unit_test(finding_record),
        cmocka_unit_test(verdict_record),
        cmocka_unit_test(lines_of_a_scan),
        cmocka_unit_test(failed_memory_is_remembered),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
