/*
 * test_dup_lines.c: what the duplicate index reads and writes: item records, well-formed and not,
 * manifests whole, cut and altered, images given twice, sums of pairs, and the lines of groups.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "index/dup_index.h"
#include "index/dup_lines.h"
#include "index/dup_pairs.h"
#include "index/fields.h"
#include "index/json_read.h"
#include "io/mem.h"
#include "tests/support/manifests.h"
#include "tests/support/tempdir.h"

#define EXACT "\"exact\":\"xxh3:00112233445566778899aabbccddeeff\""
#define GOOD                                                                                       \
    "{\"type\":\"item\",\"nid\":2097188,\"folder\":32962,\"orphan\":true,\"kind\":\"mail\","       \
    "\"class\":\"IPM.Note\",\"mih\":\"d0b38ce5ceb35c6a627e606da8ed768a\",\"search_key\":\"c8\","   \
    "\"size\":653764,\"bcc\":[{\"name\":\"x\"}],\"attachments\":[{\"nid\":32805,\"name\":\"a\","   \
    "\"method\":1,\"size\":53760,\"digest\":\"xxh3:4d48d9a5f37b4965a1ca871e7af09a64\"},"           \
    "{\"nid\":32806}],\"digest\":{" EXACT ",\"core\":\"xxh3:f708f4ec5844b5917aea8e2869f06f0c\","   \
    "\"body\":{\"text\":\"xxh3:5caf27e0b3a1cfd6d2ee6bb64579f09e\"},\"state\":\"s\"},\"new\":{}}\n"

static int parse(const char *line, struct dup_item *item)
{
    return dup_item_parse(bytes_text(line), item);
}

static void an_item_is_read(void **state)
{
    struct dup_item item = {0};
    const struct dup_entry *e = &item.entry;
    const struct dup_attachment *list;

    (void)state;
    assert_int_equal(parse(GOOD, &item), 0);
    assert_int_equal(item.fate, FATE_INDEXED);
    assert_false(item.assoc);
    assert_true(e->orphan && e->has_folder && e->has_size && e->has_mih && e->by_core);
    assert_int_equal(e->nid, 2097188);
    assert_int_equal(e->folder, 32962);
    assert_int_equal(e->size_bytes, 653764);
    assert_int_equal(e->kind, KIND_MAIL);
    assert_int_equal(e->mih[0], 0xd0);
    assert_int_equal(e->joint.bytes[0], 0xf7);
    assert_int_equal(e->exact.bytes[1], 0x11);
    for (unsigned i = 0; i < DUP_MARKS; i++)
        assert_true((e->marks[i] != 0) == (i == MARK_CLASS || i == MARK_TEXT || i == MARK_BCC ||
                                           i == MARK_SEARCH_KEY || i == MARK_STATE));
    assert_int_equal(item.attachment_count, 2);
    list = (const struct dup_attachment *)item.attachments.data;
    assert_int_equal(list[0].size_bytes, 53760);
    assert_int_equal(list[0].digest.size, 16);
    assert_int_equal(list[1].digest.size, 0);
    assert_int_equal(parse("{\"type\":\"item\",\"nid\":5,\"size\":-1}", &item), 0);
    assert_int_equal(item.fate, FATE_UNDIGESTED);
    assert_int_equal(item.attachment_count, 0);
    assert_false(e->has_size || e->has_mih || e->by_core || e->has_folder || e->orphan);
    assert_int_equal(e->kind, IDX_KINDS);
    assert_int_equal(parse("{\"nid\":5,\"maybe_stale\":true,\"digest\":{" EXACT "}}", &item), 0);
    assert_int_equal(item.fate, FATE_RECOVERED);
    dup_item_done(&item);
}

static void other_lines_are_no_items(void **state)
{
    static const char *const bad[] = {
        "",
        "[]",
        "7",
        "{\"nid\":5",
        "{\"nid\":5}{}",
        "{\"type\":\"item\"}",
        "{\"nid\":\"5\"}",
        "{\"nid\":4294967296}",
        "{\"nid\":5,\"folder\":-1}",
        "{\"nid\":5,\"assoc\":1}",
        "{\"nid\":5,\"kind\":3}",
        "{\"nid\":5,\"mih\":\"00\"}",
        "{\"nid\":5,\"mih\":\"zz112233445566778899aabbccddeeff\"}",
        "{\"nid\":5,\"mih\":null}",
        "{\"nid\":5,\"size\":1.5}",
        "{\"nid\":5,\"attachments\":{}}",
        "{\"nid\":5,\"attachments\":[5]}",
        "{\"nid\":5,\"attachments\":[{\"size\":-1}]}",
        "{\"nid\":5,\"attachments\":[{\"digest\":\"md5:00\"}]}",
        "{\"nid\":5,\"digest\":[]}",
        "{\"nid\":5,\"digest\":{\"exact\":\"xxh3:00\"}}",
        "{\"nid\":5,\"digest\":{\"core\":5}}",
        "{\"nid\":5,\"digest\":{\"body\":[]}}",
        "{\"nid\":5,\"digest\":{\"exact\":\"sha256:00112233445566778899aabbccddeeff\"}}",
    };
    struct dup_item item = {0};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(parse(bad[i], &item), ERR_DAMAGED);
    dup_item_done(&item);
}

/* Each byte of a record altered in each bit: an item or none, but nothing else. */
static void altered_items_do_no_harm(void **state)
{
    struct dup_item item = {0};
    const size_t size = strlen(GOOD);
    char *line = malloc(size);
    unsigned good = 0;

    (void)state;
    assert_non_null(line);
    for (size_t at = 0; at < size; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            int code;

            memcpy(line, GOOD, size);
            line[at] = (char)(line[at] ^ 1 << bit);
            code = dup_item_parse((struct bytes){(const uint8_t *)line, size}, &item);
            assert_true(code == 0 || code == ERR_DAMAGED);
            good += code == 0;
        }
    }
    assert_true(good > size && good < 8 * size);
    free(line);
    dup_item_done(&item);
}

static void entries_go_there_and_back(void **state)
{
    struct dup_item item = {0};
    struct dup_entry back, e;
    uint8_t classed[DUP_CLASSED], grouped[DUP_GROUPED], again[DUP_CLASSED];

    (void)state;
    assert_int_equal(parse(GOOD, &item), 0);
    e = item.entry;
    e.place = (struct dup_place){0x01020304, 0x1122334455667788, 7};
    e.attachment_nid = 99;
    dup_entry_classed(&e, classed);
    dup_entry_from_classed(classed, &back);
    dup_entry_classed(&back, again);
    assert_memory_equal(classed, again, DUP_CLASSED);
    assert_int_equal(back.place.offset, e.place.offset);
    assert_int_equal(dup_differences(&e, &back), 0);
    dup_entry_grouped(&e, &e.place, RANK_CORE, grouped);
    assert_int_equal(dup_entry_from_grouped(grouped, &back), RANK_CORE);
    dup_entry_classed(&back, again);
    assert_memory_equal(classed, again, DUP_CLASSED);
    back.has_mih = false;
    back.marks[MARK_RTF] = 5;
    assert_int_equal(dup_differences(&e, &back), 1u << DUP_MESSAGE_ID | 1u << MARK_RTF);
    dup_item_done(&item);
}

/* ---- sums of pairs ---- */

static void sums_of_pairs_are_whole(void **state)
{
    enum { IMAGES = 60, TIMES = 40000 };
    static uint64_t count[IMAGES][IMAGES], bytes[IMAGES][IMAGES];
    uint64_t seed = 1;

    (void)state;
    for (uint64_t memory = 0; memory <= 1 << 20; memory += 1 << 19) {
        struct dup_pairs *p;
        struct dup_pair_sum sum;

        memset(count, 0, sizeof count);
        memset(bytes, 0, sizeof bytes);
        assert_int_equal(dup_pairs_create(memory, tempdir, &p), 0);
        for (int i = 0; i < TIMES; i++) {
            uint32_t a, b;

            seed = seed * 6364136223846793005u + 1442695040888963407u;
            a = (uint32_t)(seed >> 33) % IMAGES;
            b = (uint32_t)(seed >> 48) % IMAGES;
            assert_int_equal(dup_pairs_add(p, a, b, seed >> 50), 0);
            count[a][b]++;
            bytes[a][b] += seed >> 50;
        }
        assert_int_equal(dup_pairs_start(p), 0);
        for (uint32_t a = 0; a < IMAGES; a++) {
            for (uint32_t b = 0; b < IMAGES; b++) {
                if (!count[a][b])
                    continue;
                assert_int_equal(dup_pairs_next(p, &sum), 1);
                assert_int_equal(sum.kept, a);
                assert_int_equal(sum.image, b);
                assert_int_equal(sum.duplicates, count[a][b]);
                assert_int_equal(sum.bytes, bytes[a][b]);
            }
        }
        assert_int_equal(dup_pairs_next(p, &sum), 0);
        dup_pairs_destroy(p);
    }
    assert_int_equal(dup_add(UINT64_MAX, 1), UINT64_MAX);
}

/* ---- manifests ---- */

enum { MADE = 3, ITEMS = 400 };

static void make_manifests(uint64_t seed)
{
    const struct manifests_options o = {tempdir, MADE, ITEMS, 30, 5, seed};
    struct fault fault;

    assert_int_equal(manifests_make(&o, &fault), 0);
}

static int keep_line(void *ctx, const void *line, size_t size)
{
    buf_append(ctx, line, size);
    return 0;
}

struct run {
    uint64_t memory;
    unsigned lanes;
    const char *temp_dir;
    struct fault fault;
    enum dup_image_state states[8]; /* in the order of the table */
    uint64_t spilled;
};

/* All lines about these manifests. */
static int run_lines(struct run *r, const char *const names[], size_t count, struct buf *out)
{
    const struct dup_index_options options = {r->memory, r->lanes, r->temp_dir, NULL};
    struct dup_images images;
    struct dup_index *x = NULL;
    struct dup_lines lines = {0};
    struct dup_sink sink;
    int code = 0;

    dup_images_init(&images);
    for (size_t i = 0; !code && i < count; i++)
        code = dup_images_add(&images, tempdir_path(names[i]));
    code = code ? code : dup_images_settle(&images);
    code = code ? code : dup_index_create(&options, &images, &x);
    for (size_t i = 0; !code && i < images.count; i++)
        code = dup_index_read(x, (unsigned)(i % r->lanes), i);
    code = code ? code : dup_lines_init(&lines, "test 1", keep_line, out);
    sink = dup_lines_sink(&lines);
    code = code ? code : dup_index_tell(x, &sink, 1);
    for (size_t i = 0; i < images.count && i < 8; i++)
        r->states[i] = images.list[i]->state;
    if (x) {
        r->fault = *dup_index_fault(x);
        r->spilled = dup_index_spilled_bytes(x);
    }
    dup_lines_done(&lines);
    dup_index_destroy(x);
    dup_images_done(&images);
    if (!code && out->failed)
        code = ERR_NOMEM;
    return code;
}

static const char *const three[] = {"00000.jsonl.zst", "00001.jsonl.zst", "00002.jsonl.zst"};

static struct buf lines_of(uint64_t memory, unsigned lanes, const char *const names[], size_t count)
{
    struct run r = {.memory = memory, .lanes = lanes, .temp_dir = tempdir};
    struct buf out = BUF_INIT;

    assert_int_equal(run_lines(&r, names, count, &out), 0);
    assert_true((r.spilled > 0) == (memory < 100000));
    return out;
}

static void order_memory_and_lanes_change_no_byte(void **state)
{
    static const char *const turned[] = {"00002.jsonl.zst", "00000.jsonl.zst", "00001.jsonl.zst"};
    struct buf first, again;

    (void)state;
    make_manifests(3);
    first = lines_of(16 << 20, 1, three, 3);
    again = lines_of(40000, 2, turned, 3);
    assert_int_equal(first.size, again.size);
    assert_memory_equal(first.data, again.data, first.size);
    assert_non_null(strstr(buf_cstr(&first), "\"subject\":\"Subject of message "));
    assert_non_null(strstr(buf_cstr(&first), "\"name\":\"report "));
    assert_non_null(strstr(buf_cstr(&first), "\"folder_path\":\"Top/Folder 3\""));
    assert_non_null(strstr(buf_cstr(&first), "\"complete\":true}\n"));
    buf_done(&first);
    buf_done(&again);
}

static void copy_file(const char *from, const char *to, size_t cut)
{
    FILE *in = fopen(tempdir_path(from), "rb"), *out = fopen(tempdir_path(to), "wb");
    char *data = malloc(10 << 20);
    size_t size;

    assert_true(in && out && data);
    size = fread(data, 1, 10 << 20, in);
    assert_true(size > cut && size < 10 << 20);
    assert_int_equal(fwrite(data, 1, size - cut, out), size - cut);
    fclose(in);
    assert_int_equal(fclose(out), 0);
    free(data);
}

static void an_image_given_twice_counts_once(void **state)
{
    static const char *const names[] = {"cut.zst", "00000.jsonl.zst", "again.zst",
                                        "00002.jsonl.zst", "00001.jsonl.zst"};
    struct run r = {.memory = 1 << 20, .lanes = 1, .temp_dir = tempdir};
    struct buf once, twice = BUF_INIT;

    (void)state;
    make_manifests(4);
    copy_file("00000.jsonl.zst", "again.zst", 0);
    copy_file("00000.jsonl.zst", "cut.zst", 300);
    once = lines_of(1 << 20, 1, three, 3);
    assert_int_equal(run_lines(&r, names, 5, &twice), 0);
    /* of the three that tell of the first image, the cut one sorts last and is not taken */
    assert_int_equal(r.states[0], DUP_COMPLETE);
    assert_int_equal(r.states[1], DUP_REPEATED);
    assert_int_equal(r.states[2], DUP_REPEATED);
    assert_int_equal(once.size, twice.size);
    assert_memory_equal(once.data, twice.data, once.size);
    buf_done(&once);
    buf_done(&twice);
}

static void what_is_incomplete_is_said(void **state)
{
    static const char *const names[] = {"cut.zst", "00001.jsonl.zst", "none.zst", "text.zst"};
    struct run r = {.memory = 1 << 20, .lanes = 1, .temp_dir = tempdir};
    struct buf out = BUF_INIT;
    FILE *text;

    (void)state;
    make_manifests(5);
    copy_file("00000.jsonl.zst", "cut.zst", 40); /* in the seek table: the items are all there */
    text = fopen(tempdir_path("text.zst"), "w");
    assert_non_null(text);
    fputs("no manifest at all\n", text);
    fclose(text);
    assert_int_equal(run_lines(&r, names, 4, &out), 0);
    assert_int_equal(r.states[0], DUP_INCOMPLETE);
    assert_int_equal(r.states[1], DUP_COMPLETE);
    assert_int_equal(r.states[2], DUP_UNREADABLE);
    assert_int_equal(r.states[3], DUP_UNREADABLE);
    assert_non_null(
        strstr(buf_cstr(&out), "\"items\":400,\"left_out\":0,\"assoc\":0,\"incomplete\":true}"));
    assert_non_null(strstr(buf_cstr(&out), "\"images\":2,\"incomplete\":1,\"unreadable\":2,"));
    assert_non_null(strstr(buf_cstr(&out), "\"complete\":false}\n"));
    buf_done(&out);
}

static void write_manifest(const char *name, const char *const lines[], size_t count)
{
    static const enum idx_record types[] = {RECORD_SCAN, RECORD_IMAGE, RECORD_FOLDER, RECORD_ITEM};
    struct idx_manifest_writer *w;
    struct fault fault;

    assert_int_equal(idx_manifest_create(tempdir, name, &w, &fault), 0);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(idx_manifest_line(w, types[i < 3 ? i : 3], lines[i], strlen(lines[i])), 0);
    assert_int_equal(idx_manifest_commit(w, &fault), 0);
}

#define SCAN   "{\"type\":\"scan\",\"schema\":1}\n"
#define IMAGE  "{\"type\":\"image\",\"path\":\"p\",\"size\":9,\"mtime\":\"t\"}\n"
#define FOLDER "{\"type\":\"folder\",\"nid\":1,\"path\":\"a\",\"path_hex\":\"61ff\"}\n"
#define ITEM   "{\"type\":\"item\",\"nid\":5,\"folder\":1,\"digest\":{" EXACT "}}\n"

/* A manifest whose seal is right and whose records are not. */
static void sealed_nonsense_is_incomplete(void **state)
{
    static const struct {
        const char *lines[5];
        enum dup_image_state state;
    } cases[] = {
        {{SCAN, IMAGE, FOLDER, ITEM, ITEM}, DUP_COMPLETE},
        {{SCAN, IMAGE, FOLDER, ITEM, "{\"type\":\"item\",\"nid\":[]}\n"}, DUP_INCOMPLETE},
        {{SCAN, IMAGE, "{\"type\":\"folder\",\"nid\":-1}\n", ITEM, ITEM}, DUP_INCOMPLETE},
        {{SCAN, IMAGE, "{\"type\":\"folder\",\"nid\":1,\"path_hex\":\"6\"}\n", ITEM, ITEM},
         DUP_INCOMPLETE},
        {{SCAN, "{\"type\":\"image\",\"size\":9,\"mtime\":\"t\"}\n", FOLDER, ITEM, ITEM},
         DUP_UNREADABLE},
        {{SCAN, "{\"type\":\"image\",\"path\":\"p\",\"size\":\"9\",\"mtime\":1}\n", FOLDER, ITEM,
          ITEM},
         DUP_UNREADABLE},
        {{"{\"type\":\"scan\",\"schema\":2}\n", IMAGE, FOLDER, ITEM, ITEM}, DUP_UNREADABLE},
        {{"{\"type\":\"scan\"}\n", IMAGE, FOLDER, ITEM, ITEM}, DUP_UNREADABLE},
    };
    static const char *const name[] = {"odd.zst"};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct run r = {.memory = 1 << 20, .lanes = 1, .temp_dir = tempdir};
        struct buf out = BUF_INIT;

        write_manifest("odd.zst", cases[i].lines, 5);
        assert_int_equal(run_lines(&r, name, 1, &out), 0);
        assert_int_equal(r.states[0], cases[i].state);
        if (!i) /* bytes that are no UTF-8 came through */
            assert_non_null(strstr(
                buf_cstr(&out), "\"folder_path\":\"a\xEF\xBF\xBD\",\"folder_path_hex\":\"61ff\""));
        buf_done(&out);
    }
}

/* More members than a line takes: the others follow, none is lost. */
static void large_groups_go_on_in_lines_of_their_own(void **state)
{
    enum { COPIES = 2 * DUP_MEMBERS_MOST + 5 };
    static const char *const name[] = {"many.zst"};
    struct run r = {.memory = 1 << 20, .lanes = 1, .temp_dir = tempdir};
    struct idx_manifest_writer *w;
    struct buf out = BUF_INIT;
    struct fault fault;
    unsigned members = 0, lines = 0;
    char item[200];

    (void)state;
    assert_int_equal(idx_manifest_create(tempdir, name[0], &w, &fault), 0);
    assert_int_equal(idx_manifest_line(w, RECORD_SCAN, SCAN, strlen(SCAN)), 0);
    assert_int_equal(idx_manifest_line(w, RECORD_IMAGE, IMAGE, strlen(IMAGE)), 0);
    for (int i = 0; i < COPIES; i++) {
        snprintf(item, sizeof item, "{\"type\":\"item\",\"nid\":%d,\"digest\":{" EXACT "}}\n", i);
        assert_int_equal(idx_manifest_line(w, RECORD_ITEM, item, strlen(item)), 0);
    }
    assert_int_equal(idx_manifest_commit(w, &fault), 0);
    assert_int_equal(run_lines(&r, name, 1, &out), 0);
    for (char *at = (char *)(uintptr_t)buf_cstr(&out); *at; lines++) {
        char *end = strchr(at, '\n');
        struct bytes line = {(uint8_t *)at, (size_t)(end - at)};
        struct idx_fields fields;

        assert_int_equal(idx_fields_parse(line, &fields), 0);
        for (char *nid = at; (nid = strstr(nid, "\"nid\":")) && nid < end; nid++)
            assert_int_equal(strtol(nid + 6, NULL, 10), members++);
        at = end + 1;
    }
    assert_int_equal(members, COPIES);
    assert_int_equal(lines, 1 + 1 + 3 + 1 + 1 + 1); /* image, group and two more, pair, kind, end */
    assert_non_null(strstr(buf_cstr(&out), "\"count\":2005,"));
    buf_done(&out);
}

static void failing_memory_is_reported(void **state)
{
    struct buf wanted, out = BUF_INIT;
    int code = ERR_NOMEM;

    (void)state;
    make_manifests(6);
    wanted = lines_of(30000, 1, three, 2);
    for (uint64_t nth = 1; code; nth += 1 + nth / 8) {
        struct run r = {.memory = 30000, .lanes = 1, .temp_dir = tempdir};

        buf_done(&out);
        mem_test_fail(nth, 1);
        code = run_lines(&r, three, 2, &out);
        mem_test_fail(0, 0);
        assert_true(code == 0 || code == ERR_NOMEM);
    }
    assert_int_equal(out.size, wanted.size);
    assert_memory_equal(out.data, wanted.data, out.size);
    buf_done(&out);
    buf_done(&wanted);
}

static void a_full_disk_is_reported(void **state)
{
    struct rlimit old, limit;

    (void)state;
    make_manifests(7);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    for (rlim_t most = 0; most < 250000; most += 80000) {
        struct run r = {.memory = 10000, .lanes = 1, .temp_dir = tempdir};
        struct buf out = BUF_INIT;
        int code;

        limit = (struct rlimit){most, old.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        code = run_lines(&r, three, 3, &out);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
        assert_int_equal(code, ERR_NOSPACE);
        assert_int_equal(r.fault.code, ERR_NOSPACE);
        assert_string_equal(r.fault.what, "write");
        buf_done(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_item_is_read),
        cmocka_unit_test(other_lines_are_no_items),
        cmocka_unit_test(altered_items_do_no_harm),
        cmocka_unit_test(entries_go_there_and_back),
        cmocka_unit_test(sums_of_pairs_are_whole),
        cmocka_unit_test(order_memory_and_lanes_change_no_byte),
        cmocka_unit_test(an_image_given_twice_counts_once),
        cmocka_unit_test(what_is_incomplete_is_said),
        cmocka_unit_test(sealed_nonsense_is_incomplete),
        cmocka_unit_test(large_groups_go_on_in_lines_of_their_own),
        cmocka_unit_test(failing_memory_is_reported),
        cmocka_unit_test(a_full_disk_is_reported),
    };

    return cmocka_run_group_tests(tests, tempdir_set_up, tempdir_tear_down);
}
