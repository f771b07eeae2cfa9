/* test_summary.c: what a scan says of each image and of all, over lists made by hand. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "io/mem.h"
#include "scanner/app/summary.h"

static struct summary sum_of(const struct image_outcome *outcomes, size_t count)
{
    struct summary s = {0};

    for (size_t i = 0; i < count; i++)
        summary_add_image(&s, &outcomes[i]);
    return s;
}

static struct image_outcome healthy(void)
{
    return (struct image_outcome){
        .state = IMAGE_OK,
        .has_manifest = true,
        .size_bytes = 1000,
        .folders = 11,
        .items = 71,
        .assoc = 5,
        .has_read = true,
        .read = {1, 20, 300, 4000},
        .remedy = REMEDY_NONE,
    };
}

static struct image_outcome hurt(void)
{
    struct image_outcome o = healthy();

    o.state = IMAGE_PARTIAL;
    o.size_bytes = 500;
    o.has_read = false;
    o.read = (struct idx_read_bytes){0};
    o.failed = 3;
    o.partial = 2;
    o.findings[SEVERITY_INFO] = 1;
    o.findings[SEVERITY_WARNING] = 20;
    o.findings[SEVERITY_CORRUPT] = 300;
    o.io_error = true;
    o.remedy = REMEDY_REBUILD;
    return o;
}

static void numbers_add_up(void **state)
{
    struct image_outcome o[] = {
        healthy(),
        hurt(),
        hurt(),
        {.state = IMAGE_IN_USE, .remedy = REMEDY_RETRY_CLOSED, .size_bytes = 9999, .items = 9999},
        {.state = IMAGE_FAILED, .has_manifest = true, .size_bytes = 7, .remedy = REMEDY_UNKNOWN},
    };
    struct summary s;

    (void)state;
    o[2].state = IMAGE_CHANGED;
    o[2].remedy = REMEDY_RETRY_CLOSED;
    o[2].io_error = false;
    o[2].has_read = true;
    o[2].read = (struct idx_read_bytes){5, 60, 700, 8000};
    s = sum_of(o, sizeof o / sizeof o[0]);
    assert_int_equal(s.images, 5);
    assert_int_equal(s.bytes, 1000 + 500 + 500 + 7);
    assert_int_equal(s.by_state[IMAGE_OK], 1);
    assert_int_equal(s.by_state[IMAGE_PARTIAL], 1);
    assert_int_equal(s.by_state[IMAGE_CHANGED], 1);
    assert_int_equal(s.by_state[IMAGE_DECLINED], 0);
    assert_int_equal(s.by_state[IMAGE_FAILED], 1);
    assert_int_equal(s.by_state[IMAGE_UNREADABLE], 0);
    assert_int_equal(s.by_state[IMAGE_IN_USE], 1);
    assert_int_equal(s.by_remedy[REMEDY_NONE], 1);
    assert_int_equal(s.by_remedy[REMEDY_REBUILD], 1);
    assert_int_equal(s.by_remedy[REMEDY_RETRY_CLOSED], 2);
    assert_int_equal(s.by_remedy[REMEDY_UNKNOWN], 1);
    assert_int_equal(s.folders, 33);
    assert_int_equal(s.items, 213);
    assert_int_equal(s.assoc, 15);
    assert_int_equal(s.failed, 6);
    assert_int_equal(s.partial, 4);
    assert_int_equal(s.findings[SEVERITY_INFO], 2);
    assert_int_equal(s.findings[SEVERITY_WARNING], 40);
    assert_int_equal(s.findings[SEVERITY_CORRUPT], 600);
    assert_int_equal(s.io_errors, 1);
    assert_int_equal(s.read_known, 2);
    assert_int_equal(s.read.plan, 6);
    assert_int_equal(s.read.sweep, 80);
    assert_int_equal(s.read.gaps, 1000);
    assert_int_equal(s.read.again, 12000);
    assert_int_equal(s.skipped + s.unreadable, 0);
}

static void what_is_no_image_is_not_counted_as_one(void **state)
{
    struct image_outcome o[] = {{.foreign = true}, hurt()};
    const struct work skipped[] = {
        {.kind = WORK_SKIPPED, .why = IO_SKIP_UNREADABLE, .skip_errnum = EACCES},
        {.kind = WORK_SKIPPED, .why = IO_SKIP_SPECIAL},
        {.kind = WORK_SKIPPED, .why = IO_SKIP_DUPLICATE},
    };
    struct summary s, zero = {0};

    (void)state;
    o[1].cancelled = true;
    s = sum_of(o, 2);
    assert_memory_equal(&s, &zero, sizeof s);
    for (size_t i = 0; i < 3; i++)
        summary_add_skipped(&s, &skipped[i]);
    assert_int_equal(s.images, 0);
    assert_int_equal(s.skipped, 3);
    assert_int_equal(s.unreadable, 1);
}

/* What is said of an image; valid until the next call. */
static const char *line_of(const char *path, const struct image_outcome *o)
{
    static char text[1024];
    struct buf line = BUF_INIT;

    summary_image_text(&line, path, o);
    assert_true(line.size < sizeof text);
    strcpy(text, buf_cstr(&line));
    buf_done(&line);
    return text;
}

static void line_of_an_image(void **state)
{
    struct image_outcome o = healthy();
    char reason[] = "the file is \033[2Jshort";

    (void)state;
    assert_string_equal(line_of("/s/a.ost", &o), "/s/a.ost: ok, 11 folders, 71 items, 5 associated;"
                                                 " 0 findings; remedy none\n");
    o.remedy_why = "all was seen";
    o.folders = o.items = 1;
    o.findings[SEVERITY_INFO] = 1;
    assert_string_equal(line_of("a", &o), "a: ok, 1 folder, 1 item, 5 associated; 1 finding;"
                                          " remedy none (all was seen)\n");
    o = hurt();
    assert_string_equal(line_of("a", &o),
                        "a: partial, 11 folders, 71 items, 5 associated (3 failed, 2 partial);"
                        " 321 findings (300 corrupt); remedy rebuild\n");
    o.failed = 0;
    assert_non_null(strstr(line_of("a", &o), " associated (0 failed, 2 partial);"));
    o.state = IMAGE_FAILED; /* of which there is nothing to count */
    o.reason = reason;
    o.remedy_why = "not said beside a reason";
    assert_string_equal(line_of("a\033[31m\n", &o),
                        "a\\u{1b}[31m\\n: failed; 321 findings (300 corrupt);"
                        " remedy rebuild: the file is \\u{1b}[2Jshort\n");
    o = (struct image_outcome){.state = IMAGE_IN_USE, .remedy = REMEDY_RETRY_CLOSED};
    assert_string_equal(line_of("a", &o), "a: in_use; remedy retry_closed\n");
}

/* The totals, as printed; valid until the next call. */
static const char *totals(const struct summary *s, uint64_t elapsed_ns)
{
    static char text[2048];
    FILE *to = fmemopen(text, sizeof text, "w");

    assert_non_null(to);
    memset(text, 0, sizeof text);
    summary_print(to, s, "OUT", "scan.jsonl", elapsed_ns);
    fclose(to);
    return text;
}

static void totals_of_a_run(void **state)
{
    struct summary s = {
        .images = 6,
        .bytes = 3 << 20,
        .by_state = {[IMAGE_OK] = 3, [IMAGE_PARTIAL] = 2, [IMAGE_IN_USE] = 1},
        .by_remedy = {[REMEDY_NONE] = 3, [REMEDY_REPAIR_COPY] = 2, [REMEDY_RETRY_CLOSED] = 1},
        .folders = 1,
        .items = 90,
        .assoc = 10,
        .failed = 4,
        .partial = 5,
        .findings = {[SEVERITY_INFO] = 7, [SEVERITY_WARNING] = 8, [SEVERITY_CORRUPT] = 9},
        .skipped = 2,
        .unreadable = 1,
    };

    (void)state;
    assert_string_equal(totals(&s, 2000000000),
                        "images    6: 3 ok, 2 partial, 1 in_use\n"
                        "items     90 in 1 folder, 10 associated, 4 failed, 5 partial\n"
                        "findings  9 corrupt, 8 warning, 7 info\n"
                        "remedies  3 none, 2 repair_copy, 1 retry_closed\n"
                        "skipped   2 paths, 1 of them unreadable\n"
                        "time      2.0 s, 1.50 MiB/s, 50 items/s\n"
                        "written   OUT/manifests, OUT/scan.jsonl\n");
    s.skipped = 0;
    assert_null(strstr(totals(&s, 1), "skipped"));
    s = (struct summary){.skipped = 3};
    assert_string_equal(totals(&s, 1), "no images found (3 paths passed over)\n");
}

static const char end_line[] =
    "{\"type\":\"end\",\"images\":{\"ok\":1,\"damaged\":2,\"partial\":3,\"changed\":4,\"declined\":"
    "5,"
    "\"failed\":6,\"unwritten\":7,\"unreadable\":8,\"in_use\":9},\"skipped\":8,\"bytes\":9,"
    "\"folders\":10,\"items\":11,"
    "\"assoc\":12,\"partial\":13,\"failed\":14,\"findings\":{\"corrupt\":15,\"warning\":16,"
    "\"info\":17},\"complete\":false,\"timing\":{\"seconds\":1.5}}\n";

/* The line of a skipped path; valid until the next call. */
static const char *skip_line_of(const struct work *w)
{
    static char text[1024];
    struct buf line = BUF_INIT;

    summary_skip_line(&line, w, NULL);
    assert_true(line.size < sizeof text);
    strcpy(text, buf_cstr(&line));
    buf_done(&line);
    return text;
}

static void lines_of_skipped_paths(void **state)
{
    char path[] = "s\n\"", other[] = "/a";
    struct work w = {
        .kind = WORK_SKIPPED, .path = path, .why = IO_SKIP_UNREADABLE, .skip_errnum = EACCES};

    (void)state;
    assert_string_equal(skip_line_of(&w),
                        "{\"type\":\"skipped\",\"path\":\"s\\n\\\"\",\"reason\":\"unreadable\","
                        "\"detail\":\"Permission denied\"}\n");
    w = (struct work){
        .kind = WORK_SKIPPED, .path = path, .why = IO_SKIP_DUPLICATE, .same_as = other};
    path[1] = '\0';
    assert_string_equal(
        skip_line_of(&w),
        "{\"type\":\"skipped\",\"path\":\"s\",\"reason\":\"duplicate\",\"same_as\":\"/a\"}\n");
}

static void last_line(void **state)
{
    struct summary s = {
        .by_state = {9, 8, 7, 6, 5, 4, 3, 2, 1},
        .skipped = 8,
        .bytes = 9,
        .folders = 10,
        .items = 11,
        .assoc = 12,
        .partial = 13,
        .failed = 14,
        .findings = {17, 16, 15},
    };
    struct buf text = BUF_INIT;

    (void)state;
    summary_end_line(&text, &s, NULL, false, 1500000000);
    assert_string_equal(buf_cstr(&text), end_line);
    buf_reset(&text);
    s.read_known = 1;
    s.read = (struct idx_read_bytes){1, 2, 3, 4};
    summary_end_line(&text, &s, NULL, true, 1500000000);
    assert_non_null(strstr(buf_cstr(&text), ",\"timing\":{\"seconds\":1.5,\"read\":{\"plan\":1,"
                                            "\"sweep\":2,\"gaps\":3,\"again\":4}}}\n"));
    assert_non_null(strstr(buf_cstr(&text), "\"complete\":true,"));
    buf_done(&text);
}

/* Lines are whole or known to have failed. */
static void failing_allocations(void **state)
{
    char path[] = "path";
    const struct work w = {.kind = WORK_SKIPPED, .path = path, .why = IO_SKIP_SPECIAL};
    struct image_outcome o = healthy();
    struct summary s = {0};
    unsigned nth = 0;
    bool failed;

    (void)state;
    do {
        struct buf text = BUF_INIT;

        mem_test_fail(++nth, 0);
        for (unsigned i = 0; i < 100; i++) {
            summary_skip_line(&text, &w, NULL);
            summary_image_text(&text, path, &o);
        }
        summary_end_line(&text, &s, NULL, true, 0);
        mem_test_fail(0, 0);
        failed = text.failed;
        if (!failed)
            assert_memory_equal(text.data + text.size - 2, "}\n", 2);
        buf_done(&text);
    } while (failed);
    assert_true(nth > 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_add_up),
        cmocka_unit_test(what_is_no_image_is_not_counted_as_one),
        cmocka_unit_test(line_of_an_image),
        cmocka_unit_test(totals_of_a_run),
        cmocka_unit_test(lines_of_skipped_paths),
        cmocka_unit_test(last_line),
        cmocka_unit_test(failing_allocations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
