/*
 * test_server_input.c: what is taken for the server's side: each format well-formed, odd and
 * hostile.
 *
 * A side is told as a transcript: a line for each folder and item, then what is wrong with it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "index/server_graph.h"
#include "index/server_input.h"
#include "index/server_table.h"
#include "io/err.h"
#include "io/mem.h"
#include "tests/support/tempdir.h"

static void tell_folders(const struct cmp_side *s, struct buf *out)
{
    static const char *const kinds[] = {"", " top", " recoverable", " archive"};

    for (uint32_t i = 0; i < s->folder_count; i++) {
        const struct cmp_folder *f = &s->folders[i];

        buf_puts(out, "folder ");
        cmp_side_path(s, i, out);
        buf_printf(out, "%s%s%s", f->role ? " " : "", f->role ? f->role : "", kinds[f->kind]);
        if (f->has_count)
            buf_printf(out, " count=%llu%s", (unsigned long long)f->count,
                       f->and_hidden ? "+" : "");
        if (f->count_bytes)
            buf_printf(out, " bytes=%llu", (unsigned long long)f->count_bytes);
        buf_putc(out, '\n');
    }
}

static void tell_items(const struct cmp_side *s, struct buf *out)
{
    for (uint64_t i = 0; i < s->items; i++) {
        struct cmp_entry e;
        char detail[2048];

        assert_int_equal(io_spill_read(s->entries, i * sizeof e, &e, sizeof e), 0);
        assert_true(e.detail_size < sizeof detail);
        assert_int_equal(io_spill_read(s->details, e.detail_at, detail, e.detail_size), 0);
        buf_puts(out, "item ");
        if (e.folder == CMP_NO_FOLDER)
            buf_puts(out, "-");
        else
            cmp_side_path(s, e.folder, out);
        for (unsigned k = 0; k < CMP_KEYS; k++)
            if (e.keys >> k & 1)
                buf_printf(out, " %s", cmp_key_name((enum cmp_key)k));
        if (e.has_date)
            buf_printf(out, " date=%lld", (long long)e.date);
        if (e.known >> CMP_MARK_READ & 1)
            buf_printf(out, " read=%llu", (unsigned long long)e.mark[CMP_MARK_READ] - 1);
        if (e.source)
            buf_printf(out, " source=%llu", (unsigned long long)e.source);
        if (e.size_bytes)
            buf_printf(out, " size=%llu", (unsigned long long)e.size_bytes);
        buf_printf(out, " %.*s\n", (int)e.detail_size, detail);
    }
}

static int read_side(const void *text, size_t size, struct buf *out)
{
    struct cmp_side *side;
    struct io_source *source;
    enum server_table table = TABLE_UNKNOWN;
    const char *missing = NULL;
    int code;

    buf_reset(out);
    assert_int_equal(cmp_side_create(true, NULL, 1 << 20, &side), 0);
    assert_int_equal(io_source_open_mem(text, size, &source), 0);
    if (size && strchr("{[", *(const char *)text)) {
        code = server_graph_read(side, source);
    } else {
        assert_int_equal(server_table_kind(source, &table, &missing), 0);
        code = server_table_read(side, source, table);
    }
    tell_folders(side, out);
    tell_items(side, out);
    if (side->removed)
        buf_printf(out, "removed %llu\n", (unsigned long long)side->removed);
    if (side->incomplete)
        buf_printf(out, "incomplete: %s\n", side->why);
    assert_false(out->failed);
    io_source_close(source);
    cmp_side_destroy(side);
    return code;
}

static void expect_code(const char *text, int code, const char *wanted)
{
    struct buf out = BUF_INIT;

    assert_int_equal(read_side(text, strlen(text), &out), code);
    assert_non_null(buf_cstr(&out));
    assert_string_equal((const char *)out.data, wanted);
    buf_done(&out);
}

static void expect(const char *text, const char *wanted)
{
    expect_code(text, 0, wanted);
}

/* ---- folder statistics ---- */

static void statistics(void **state)
{
    (void)state;
    expect(
        "\"Name\",\"Identity\",\"FolderPath\",\"FolderType\",\"VisibleItemsInFolder\","
        "\"ItemsInFolder\",\"FolderSize\"\r\n"
        "\"Top\",\"u@x.com\\Top\",\"/Top of Information Store\",\"Root\",\"0\",\"3\",\"1 KB (1,024 "
        "bytes)\"\r\n"
        "\"Posteingang\",\"u@x.com\\Posteingang\",\"/Posteingang\",\"Inbox\",\"1,234\",\"1300\","
        "\"1.5 MB (1,572,864 bytes)\"\r\n"
        "\"A\",\"u@x.com\\Posteingang\\A\",\"/Posteingang/A\xEF\xA3\xBF"
        "B\",\"User Created\",\"7\",\"7\",\"0 B (0 bytes)\"\r\n"
        "\"Deletions\",\"u@x.com\\Deletions\",\"/Deletions\",\"RecoverableItemsDeletions\",\"5\","
        "\"5\",\"1 B (1 bytes)\"\r\n",
        "folder Posteingang inbox count=1234 bytes=1572864\n"
        "folder Posteingang/A%2FB count=7\n"
        "folder Deletions recoverable count=5 bytes=1\n");
}

static void statistics_oddities(void **state)
{
    static const uint8_t utf16[] = "\xFF\xFE"
                                   "F\0o\0l\0d\0e\0r\0P\0a\0t\0h\0;\0I\0t\0e\0m\0s\0I\0n\0F\0"
                                   "o\0l\0d\0e\0r\0\n\0/\0\xC9\0;\0"
                                   "2\0\n\0";
    struct buf out = BUF_INIT;

    (void)state;
    /* Hidden items are counted in where VisibleItemsInFolder is not there. */
    expect(
        "#TYPE Deserialized.Microsoft.Exchange.Data\r\nfolderpath;items in folder\n/A;3\n/B/C;4\n",
        "folder A count=3+\nfolder B\nfolder B/C count=4+\n");
    expect("FolderPath,VisibleItemsInFolder,ItemsInFolder\n/A,,9\n", "folder A count=9+\n");
    assert_int_equal(read_side(utf16, sizeof utf16 - 1, &out), 0);
    assert_string_equal(buf_cstr(&out), "folder \xC3\x89 count=2+\n");
    /* Rows that are not as they should be are passed over and named. */
    expect("FolderPath,VisibleItemsInFolder\n/A,many\n,3\n/B,1\n/B,2\n/C\n",
           "folder B count=1\nincomplete: row 2: its number of items is no number\n");
    expect("FolderPath,VisibleItemsInFolder\n/A,1\n\"/B,2\n",
           "folder A count=1\nincomplete: it ends within quotes\n");
    expect("FolderPath,VisibleItemsInFolder\n/A,99999999999999999999999\n",
           "incomplete: row 2: its number of items is no number\n");
    expect_code("Identity,FolderPath,VisibleItemsInFolder\na@x\\A,/A,1\nb@x\\A,/A,2\n", ERR_DAMAGED,
                "folder A count=1\n"
                "incomplete: it holds several mailboxes: one file for each is needed\n");
    buf_done(&out);
}

/* ---- eDiscovery ---- */

static void ediscovery(void **state)
{
    (void)state;
    expect(
        "Internet message ID,Subject/Title,Sender/Author,Received,Original path,Size\n"
        "<a@x>,Hello,Ann,2019-07-17T15:54:40Z,\"u@x.com, Primary, 1\\u@x.com (Primary)\\Top of "
        "Information Store\\Inbox\\Sub\",2048\n"
        "b@x,\"Second, one\",Bob,7/17/2019 3:54:40 PM,u@x.com\\Inbox\\Second.msg,\"1,000\"\n"
        ",No id,Bob,,,\n",
        "folder Inbox\nfolder Inbox/Sub\n"
        "item Inbox/Sub message_id date=1563378880 size=2048 "
        "{\"subject\":\"Hello\",\"message_id\":\"<a@x>\",\"delivered\":\"2019-07-17T15:54:40Z\"}\n"
        "item Inbox message_id date=1563378880 size=1000 "
        "{\"subject\":\"Second, one\",\"message_id\":\"b@x\",\"delivered\":\"7/17/2019 3:54:40 "
        "PM\"}\n"
        "item - {\"subject\":\"No id\"}\n");
}

static void ediscovery_oddities(void **state)
{
    (void)state;
    expect("InternetMessageId\tSubject\tPath\n<a@x>\tA\t/Inbox/A\n",
           "folder Inbox\nfolder Inbox/A\n"
           "item Inbox/A message_id {\"subject\":\"A\",\"message_id\":\"<a@x>\"}\n");
    expect(
        "Internet Message ID,Subject,Original Path\n<a@x>,A,u@x.com (Archive)\\Top of Information "
        "Store\\Old\n<b@x>,B,u@x\\Recoverable Items\\Deletions\n",
        "folder Old archive\nfolder Recoverable Items recoverable\n"
        "folder Recoverable Items/Deletions recoverable\n"
        "item Old message_id {\"subject\":\"A\",\"message_id\":\"<a@x>\"}\n"
        "item Recoverable Items/Deletions message_id "
        "{\"subject\":\"B\",\"message_id\":\"<b@x>\"}\n");
    /* An id with and without brackets is one id. */
    expect("Message ID,Subject\n<a@x>\n", "incomplete: row 2: it has one field alone\n");
    expect_code("Location,Message ID,Subject\na@x,<1>,A\nb@x,<2>,B\n", ERR_DAMAGED,
                "item - message_id {\"subject\":\"A\",\"message_id\":\"<1>\"}\n"
                "incomplete: it holds several mailboxes: one file for each is needed\n");
}

/* ---- Graph ---- */

#define EXT(id, value) "{\"id\":\"" id "\",\"value\":\"" value "\"}"

static void graph(void **state)
{
    (void)state;
    expect("{\"@odata.context\":\"c\",\"value\":["
           "{\"id\":\"T\",\"displayName\":\"Top of Information Store\",\"childFolderCount\":2},"
           "{\"id\":\"I\",\"displayName\":\"Inbox\",\"parentFolderId\":\"T\",\"totalItemCount\":2,"
           "\"wellKnownName\":\"inbox\",\"sizeInBytes\":77,\"childFolders\":[{\"id\":\"J\","
           "\"displayName\":\"Sub\",\"parentFolderId\":\"I\",\"totalItemCount\":0}]}]}\n"
           "{\"value\":[{\"id\":\"m1\",\"parentFolderId\":\"I\",\"subject\":\"Hi\","
           "\"internetMessageId\":\"<a@x>\",\"receivedDateTime\":\"2019-07-17T15:54:40Z\","
           "\"isRead\":true,\"body\":{\"content\":\"}]{[\\\"\"},\"singleValueExtendedProperties\":"
           "[" EXT("Binary 0x300B", "AAEC") "," EXT("binary 0x65e2", "AAEC") "," EXT(
               "Binary 0x065E0",
               "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAQ==") "," EXT("String "
                                                           "{00020386-0000-0000-c000-000000000046} "
                                                           "Name x",
                                                           "y") "]}],"
                                                                "\"@odata.nextLink\":\"https://"
                                                                "graph/next\"}\n"
                                                                "{\"value\":[{\"id\":\"m2\","
                                                                "\"parentFolderId\":\"I\",\"type\":"
                                                                "\"IPM.Note\",\"size\":9,"
                                                                "\"lastModifiedDateTime\":\"2019-"
                                                                "07-17T15:54:40Z\","
                                                                "\"singleValueExtendedProperties\":"
                                                                "[" EXT("String 0x1035",
                                                                        "<b@x>") "]}]}\n",
           "folder  top\nfolder Inbox inbox count=2 bytes=77\nfolder Inbox/Sub count=0\n"
           "item Inbox change_key search_key message_id date=1563378880 read=1 source=1 "
           "{\"subject\":\"Hi\",\"message_id\":\"<a@x>\",\"delivered\":\"2019-07-17T15:54:40Z\","
           "\"id\":\"m1\"}\n"
           "item Inbox message_id date=1563378880 size=9 {\"id\":\"m2\"}\n");
}

static void graph_oddities(void **state)
{
    (void)state;
    /* JSON Lines, a bare array, decimal numbers, nulls, items before folders and without. */
    expect(
        "{\"id\":\"1\",\"subject\":null,\"parentFolderId\":\"F\",\"singleValueExtendedProperties\":"
        "[" EXT("Binary 12299", "AAEC") "," EXT("Binary 0x300C", "AAEC") "," EXT(
            "Binary",
            "x") "]}\n"
                 "[{\"id\":\"2\",\"subject\":\"x\",\"singleValueExtendedProperties\":null}]",
        "folder ?\nitem ? search_key {\"id\":\"1\"}\nitem - {\"subject\":\"x\",\"id\":\"2\"}\n");
    expect("[{\"id\":\"1\",\"@removed\":{\"reason\":\"deleted\"}}]", "removed 1\n");
    expect("{\"value\":[{\"id\":\"1\",\"subject\":\"a\"}],\"@odata.nextLink\":\"x\"}",
           "item - {\"subject\":\"a\",\"id\":\"1\"}\n"
           "incomplete: its last page names another that is not in the file\n");
    expect("{\"id\":\"1\",\"subject\":\"a\"}\n{\"error\":{\"code\":\"TooManyRequests\"}}",
           "item - {\"subject\":\"a\",\"id\":\"1\"}\n"
           "incomplete: object 2: an error message in place of an answer\n");
    expect("[{\"id\":\"1\",\"subject\":\"a\",\"singleValueExtendedProperties\":[" EXT(
               "Binary 0x300B", "*") "]}]",
           "item - {\"subject\":\"a\",\"id\":\"1\"}\n"
           "incomplete: object 1: the value of a binary property is not in base 64\n");
}

static void graph_hostile(void **state)
{
    (void)state;
    expect("[{\"id\":\"1\",\"subject\":\"a\"},{\"id\":\"2\"",
           "item - {\"subject\":\"a\",\"id\":\"1\"}\n"
           "incomplete: byte 35 of its text: it ends within a value\n");
    expect_code("{\"id\":\"1\"", ERR_DAMAGED,
                "incomplete: byte 9 of its text: it ends within a value\n");
    expect_code("[{\"a\":1},{\"b\":2}]", ERR_DAMAGED,
                "incomplete: object 1: neither an item nor a folder\n");
    expect("[{\"id\":\"1\",\"subject\":\"a\"},{bad},7,\"x\"]",
           "item - {\"subject\":\"a\",\"id\":\"1\"}\n"
           "incomplete: object 2: it is not well-formed JSON\n");
    /* Folders in a circle, and one that is its own parent. */
    expect("[{\"id\":\"a\",\"displayName\":\"A\",\"parentFolderId\":\"b\",\"totalItemCount\":0},"
           "{\"id\":\"b\",\"displayName\":\"B\",\"parentFolderId\":\"b\",\"totalItemCount\":0}]",
           "folder B/A count=0\nfolder B count=0\n");
}

/* ---- telling apart ---- */

static enum server_kind kind_of(const char *dir, const void *text, size_t size,
                                const char **missing)
{
    enum server_kind kind = SERVER_MAPPING;
    struct fault fault = {0};
    char path[4096];
    FILE *f;

    snprintf(path, sizeof path, "%s/x", dir);
    f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(server_kind_of(path, &kind, missing, &fault), 0);
    return kind;
}

static void told_apart_by_content(void **state)
{
    static const struct {
        const char *text;
        enum server_kind kind;
        const char *missing;
    } cases[] = {
        {"", SERVER_UNKNOWN, NULL},
        {"   \n", SERVER_UNKNOWN, NULL},
        {"hello, world\n1,2\n", SERVER_UNKNOWN, NULL},
        {"!BDN\0", SERVER_IMAGE, NULL},
        {"\x28\xB5\x2F\xFD....", SERVER_MANIFEST, NULL},
        {"  {\"a\":1}", SERVER_GRAPH, NULL},
        {"\xEF\xBB\xBF[]", SERVER_GRAPH, NULL},
        {"FolderPath,ItemsInFolder\n", SERVER_STATISTICS, NULL},
        {"FolderPath,Name\n", SERVER_STATISTICS, "VisibleItemsInFolder or ItemsInFolder"},
        {"Name,ItemsInFolder\n", SERVER_STATISTICS, "FolderPath"},
        {"Internet message ID,Subject/Title\n", SERVER_EDISCOVERY, NULL},
        {"Subject/Title,Original path\n", SERVER_EDISCOVERY, "Internet message ID"},
        {"image;server\n", SERVER_MAPPING, NULL},
        {"\x7F"
         "ELF\x02\x01\x01",
         SERVER_UNKNOWN, NULL},
    };
    const char *dir = tempdir_make();
    struct fault fault = {0};
    enum server_kind kind;
    const char *missing;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (kind_of(dir, cases[i].text, strlen(cases[i].text), &missing) != cases[i].kind)
            fail_msg("%s: another kind", cases[i].text);
        if (cases[i].missing)
            assert_string_equal(missing, cases[i].missing);
        else
            assert_null(missing);
    }
    assert_int_equal(server_kind_of("/nowhere/x", &kind, &missing, &fault), ERR_NOENT);
    tempdir_remove(dir);
}

static void allocations_fail(void **state)
{
    static const char *const texts[] = {
        "FolderPath,VisibleItemsInFolder,FolderType\n/A/B,1,Inbox\n",
        "Message ID,Subject,Path\n<a>,A,/B\n",
        "[{\"id\":\"1\",\"subject\":\"a\",\"parentFolderId\":\"F\"},{\"id\":\"F\",\"displayName\":"
        "\"x\","
        "\"totalItemCount\":1,\"childFolders\":[{\"id\":\"G\",\"displayName\":\"y\","
        "\"totalItemCount\":1}]}]"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        int code = ERR_NOMEM;

        for (uint64_t n = 1; code; n++) {
            struct cmp_side *side;
            struct io_source *source;

            assert_int_equal(cmp_side_create(true, NULL, 1 << 20, &side), 0);
            assert_int_equal(io_source_open_mem(texts[i], strlen(texts[i]), &source), 0);
            mem_test_fail(n, 0);
            code = i == 2
                       ? server_graph_read(side, source)
                       : server_table_read(side, source, i ? TABLE_EDISCOVERY : TABLE_STATISTICS);
            mem_test_fail(0, 0);
            assert_true(code == 0 || code == ERR_NOMEM);
            io_source_close(source);
            cmp_side_destroy(side);
            assert_true(n < 10000);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statistics),
        cmocka_unit_test(statistics_oddities),
        cmocka_unit_test(ediscovery),
        cmocka_unit_test(ediscovery_oddities),
        cmocka_unit_test(graph),
        cmocka_unit_test(graph_oddities),
        cmocka_unit_test(graph_hostile),
        cmocka_unit_test(told_apart_by_content),
        cmocka_unit_test(allocations_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
