/* test_sync_log.c: what is read out of logs of synchronizing, and of RTF. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "index/rtf_text.h"
#include "index/sync_log.h"
#include "tests/support/guard.h"

struct got {
    struct buf text;
    unsigned count;
};

static void on_entry(void *ctx, uint32_t code, const struct bytes *quoted, size_t count)
{
    struct got *g = ctx;

    g->count++;
    buf_printf(&g->text, "%08x", code);
    for (size_t i = 0; i < count; i++) {
        buf_puts(&g->text, i ? "|" : " ");
        buf_append(&g->text, quoted[i].data, quoted[i].size);
    }
    buf_putc(&g->text, ';');
}

static void reads(const char *log, const char *want)
{
    struct got g = {.text = BUF_INIT};
    const struct sync_log_sink sink = {.ctx = &g, .entry = on_entry};

    sync_log_read(bytes_text(log), &sink);
    assert_string_equal(buf_cstr(&g.text), want);
    buf_done(&g.text);
}

static void entries(void **state)
{
    (void)state;
    reads("", "");
    reads("9:01:03 Synchronizing local changes in folder 'Inbox'\r\n"
          "9:01:04 \t\t [80004005-501-4B9-560]\r\n9:01:05 Done\r\n",
          "80004005 Inbox;");
    reads("Ordner \xE2\x80\x9EPosteingang\xE2\x80\x9C wird synchronisiert\n[8004010f-1]",
          "8004010f Posteingang;");
    reads("[0-0]", "00000000;");
    reads("Mailbox 'A'\nfolder 'B'\nserver 'C'\nfolder 'D'\nfolder 'E'\n [80040102-1-2-3] ",
          "80040102 E|D|C|B;");
    reads("folder 'Bob's'\n[80040102-0]", "80040102 Bob's;");
    reads("Task 'Work': error (0x8004010F): 'The object was not found'",
          "8004010f Work': error (0x8004010F): 'The object was not found;");
    reads("\xE3\x80\x8C\xE5\x8F\x97\xE4\xBF\xA1\xE3\x80\x8D\n[80040102-0]",
          "80040102 \xE5\x8F\x97\xE4\xBF\xA1;");
}

/* What looks like a code and is none. */
static void no_entries(void **state)
{
    (void)state;
    reads("[80040102]", "");
    reads("[80040102-]", "");
    reads("[-1]", "");
    reads("[800401020-1]", "");
    reads("[80040102-1] and more", "");
    reads("80040102-1]", "");
    reads("[hello-1]", "");
    reads("]", "");
    reads("[", "");
    reads("0x1234 0x00000000 0x7FFFFFFF 0x800401020", "");
    reads("?err=80004005-501-4b9-560", "");
    reads("'", "");
    reads("''\n[1-1]", "00000001;");
}

/* A page with nothing behind it: every cut of a log stays within. */
static void cut_anywhere(void **state)
{
    static const char log[] =
        "folder \xE2\x80\x9EX\xE2\x80\x9C\n[80004005-501]\n0x8004010F \xE2\x80";
    struct got g = {.text = BUF_INIT};
    const struct sync_log_sink sink = {.ctx = &g, .entry = on_entry};

    (void)state;
    for (size_t size = 1; size < sizeof log; size++) {
        struct guard guard;

        guard_init(&guard, size);
        memcpy(guard.data, log, size);
        sync_log_read((struct bytes){guard.data, size}, &sink);
        guard_done(&guard);
    }
    assert_true(g.count > 10);
    buf_done(&g.text);
}

static struct idx_text *text;

static void rtf_is(const char *rtf, const char *want)
{
    struct buf out = BUF_INIT;

    idx_rtf_text(text, bytes_text(rtf), 1252, &out);
    assert_string_equal(buf_cstr(&out), want);
    buf_done(&out);
}

static void rtf_becomes_text(void **state)
{
    (void)state;
    rtf_is("{\\rtf1\\ansi{\\fonttbl{\\f0 Arial;}}{\\colortbl;\\red1;}\\f0 a\\par\r\nb\\tab c}",
           "a\nb\tc");
    rtf_is("folder '\\f1 Calendar\\f0 '\\par", "folder 'Calendar'\n");
    rtf_is("{\\*\\generator x;}y", "y");
    rtf_is("{\\*\\a{\\b c}d}e{f}", "ef");
    rtf_is("\\'e9\\'E9\\'zz.", "\xC3\xA9\xC3\xA9.");
    rtf_is("\\ansicpg932\\'8e\\'f3\\'90\\'4d", "\xE5\x8F\x97\xE4\xBF\xA1");
    rtf_is("\\u233?b", "\xC3\xA9"
                       "b");
    rtf_is("\\uc2\\u233\\'3f?b", "\xC3\xA9"
                                 "b");
    rtf_is("\\uc0\\u-3913 b", "\xEF\x82\xB7"
                              "b");
    rtf_is("\\u-10179?\\u-8704?", "\xF0\x9F\x98\x80");
    rtf_is("\\uc0\\u-10179\\u-8704 .", "\xF0\x9F\x98\x80.");
    rtf_is("\\u-10179?a\\u-8704?", "\xED\xA0\xBD"
                                   "a\xED\xB8\x80");
    rtf_is("\\u-10179?\\u-10179?\\par", "\xED\xA0\xBD\xED\xA0\xBD\n");
    rtf_is("\\u-10179", "\xED\xA0\xBD");
    rtf_is("\\{\\}\\\\\\~|", "{}\\ |");
    rtf_is("a{\\pict 0102\\bin3 }}}z}b", "ab");
    rtf_is("}}}a{{{", "a");
    rtf_is("\\", "");
    rtf_is("\\'", "");
    rtf_is("\\'4", "4");
    rtf_is("\\u", "");
    rtf_is("\\bin99999999999 x", "");
}

static int setup(void **state)
{
    (void)state;
    return idx_text_create(&text);
}

static int teardown(void **state)
{
    (void)state;
    idx_text_destroy(text);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries),
        cmocka_unit_test(no_entries),
        cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(rtf_becomes_text),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
