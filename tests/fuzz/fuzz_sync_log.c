/*
 * fuzz_sync_log.c: any bytes as a log of Outlook's, as text and as RTF.
 *
 * What is told lies within the log, and lines that come later change nothing of what earlier ones
 * told. The text of RTF is no larger than it may be, and has no halves of a pair of surrogates side
 * by side.
 */
#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "index/rtf_text.h"
#include "index/sync_log.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/samples.h"

struct told {
    struct bytes log;
    struct buf entries;
};

static void on_entry(void *ctx, uint32_t code, const struct bytes *quoted, size_t count)
{
    struct told *t = ctx;

    assert(count <= SYNC_LOG_QUOTED);
    buf_append(&t->entries, &code, sizeof code);
    for (size_t i = 0; i < count; i++) {
        assert(quoted[i].data >= t->log.data &&
               quoted[i].data + quoted[i].size <= t->log.data + t->log.size);
        assert(!memchr(quoted[i].data, '\n', quoted[i].size));
        buf_append(&t->entries, quoted[i].data, quoted[i].size);
        buf_putc(&t->entries, '\n');
    }
}

static struct told read_log(struct bytes log)
{
    struct told t = {.log = log, .entries = BUF_INIT};

    sync_log_read(log, &(struct sync_log_sink){.ctx = &t, .entry = on_entry});
    return t;
}

static void later_lines_change_nothing(struct bytes log)
{
    size_t half = log.size / 2;
    struct told whole = read_log(log), begin;

    while (half && log.data[half - 1] != '\n')
        half--;
    begin = read_log((struct bytes){log.data, half});
    assert(begin.entries.size <= whole.entries.size);
    assert(!begin.entries.size ||
           memcmp(begin.entries.data, whole.entries.data, begin.entries.size) == 0);
    buf_done(&begin.entries);
    buf_done(&whole.entries);
}

static bool is_surrogate(const uint8_t *p, uint8_t from, uint8_t to)
{
    return p[0] == 0xED && p[1] >= from && p[1] <= to;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t pages[] = {1252, 932, 65001, 54936, 0};
    static struct idx_text *text;
    struct buf out = BUF_INIT;
    struct bytes log = {data + 1, size - 1};

    if (!size)
        return 0;
    if (!text && idx_text_create(&text))
        abort();
    later_lines_change_nothing(log);
    idx_rtf_text(text, log, pages[data[0] % 5], &out);
    assert(!out.failed && out.size <= 3 * log.size);
    for (size_t i = 0; i + 6 <= out.size; i++)
        assert(!is_surrogate(out.data + i, 0xA0, 0xAF) ||
               !is_surrogate(out.data + i + 3, 0xB0, 0xBF));
    later_lines_change_nothing((struct bytes){out.data, out.size});
    buf_done(&out);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    static const char *const logs[] = {
        "09:01:02 Synchronizing Mailbox 'Owner'\r\n09:01:03 Synchronizing local changes in folder "
        "'Inbox'\r\n09:01:04 Error synchronizing folder\r\n09:01:04 \t\t "
        "[80004005-501-4B9-560]\r\n",
        "x{\\rtf1\\ansi\\ansicpg1252\\deff0{\\fonttbl{\\f0 Arial;}}{\\*\\generator x;}\\uc1 a "
        "'\\f1 Caf\\'e9\\u233?\\u-10179?\\u-8704?\\f0 '\\par\r\n\\tab [8004010F-1]\\line\\bin3 "
        "abc}",
        "xfolder \xE2\x80\x9EX\xE2\x80\x9C: 0x8004010F \xC2\xABY\xC2\xBB\n[80040102-1-2]",
    };

    return samples_mutate(logs, sizeof logs / sizeof *logs, data, size, max, seed);
}
