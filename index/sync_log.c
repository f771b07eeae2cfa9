/* sync_log.c: see sync_log.h. */
#include "index/sync_log.h"

#include <stdbool.h>
#include <string.h>

enum { QUOTED_MAX = 1024, GROUP_MAX = 8 };

struct log {
    struct bytes quoted[SYNC_LOG_QUOTED];
    size_t count;
};

static int hex_of(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Bytes of a quotation mark at `at`, of any language, 0: it is none. */
static size_t quote_at(struct bytes line, size_t at)
{
    static const char *const marks[] = {"'",
                                        "\"",
                                        "\xC2\xAB",
                                        "\xC2\xBB",
                                        "\xE2\x80\x98",
                                        "\xE2\x80\x99",
                                        "\xE2\x80\x9A",
                                        "\xE2\x80\x9C",
                                        "\xE2\x80\x9D",
                                        "\xE2\x80\x9E",
                                        "\xE2\x80\xB9",
                                        "\xE2\x80\xBA",
                                        "\xE3\x80\x8C",
                                        "\xE3\x80\x8D"};

    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        size_t size = strlen(marks[i]);

        if (line.size - at >= size && memcmp(line.data + at, marks[i], size) == 0)
            return size;
    }
    return 0;
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct bytes trim(struct bytes text)
{
    while (text.size && is_space(text.data[text.size - 1]))
        text.size--;
    while (text.size && is_space(*text.data)) {
        text.data++;
        text.size--;
    }
    return text;
}

/* From the first quotation mark to the last: a name may hold some itself. */
static void note_quoted(struct log *l, struct bytes line)
{
    size_t begin = 0, end = 0;
    struct bytes name;

    for (size_t at = 0; at < line.size;) {
        size_t size = quote_at(line, at);

        if (size && !begin)
            begin = at + size;
        else if (size)
            end = at;
        at += size ? size : 1;
    }
    if (!begin || end <= begin || end - begin > QUOTED_MAX)
        return;
    name = trim((struct bytes){line.data + begin, end - begin});
    memmove(l->quoted + 1, l->quoted, (SYNC_LOG_QUOTED - 1) * sizeof *l->quoted);
    l->quoted[0] = name;
    l->count += l->count < SYNC_LOG_QUOTED;
}

/* A group of 1 to 8 hex digits at *at. */
static bool group(struct bytes line, size_t *at, uint32_t *value)
{
    size_t begin = *at;

    *value = 0;
    for (; *at < line.size && hex_of(line.data[*at]) >= 0; ++*at) {
        if (*at - begin == GROUP_MAX)
            return false;
        *value = *value << 4 | (uint32_t)hex_of(line.data[*at]);
    }
    return *at > begin;
}

/* The line ends in [code-more…]. */
static bool code_in_brackets(struct bytes line, uint32_t *code)
{
    size_t at = line.size;
    uint32_t more;

    if (!line.size || line.data[line.size - 1] != ']')
        return false;
    while (at > 0 && line.data[at - 1] != '[')
        at--;
    if (at == 0 || !group(line, &at, code) || line.data[at] != '-')
        return false;
    while (line.data[at] == '-') {
        at++;
        if (!group(line, &at, &more))
            return false;
    }
    return at == line.size - 1;
}

/* 0x and eight hex digits, the first 8 or more: a failure. */
static bool code_in_words(struct bytes line, uint32_t *code)
{
    for (size_t at = 0; at + 10 <= line.size; at++) {
        size_t end = at + 2;

        if (line.data[at] == '0' && (line.data[at + 1] | 0x20) == 'x' && group(line, &end, code) &&
            end - at == 10 && *code >> 31)
            return true;
    }
    return false;
}

void sync_log_read(struct bytes text, const struct sync_log_sink *sink)
{
    struct log l = {.count = 0};

    if (text.size > SYNC_LOG_BYTES)
        text.size = SYNC_LOG_BYTES;
    while (text.size) {
        const uint8_t *end = memchr(text.data, '\n', text.size);
        size_t size = end ? (size_t)(end - text.data) : text.size;
        struct bytes line = trim((struct bytes){text.data, size});
        uint32_t code;

        if (code_in_brackets(line, &code)) {
            sink->entry(sink->ctx, code, l.quoted, l.count);
        } else {
            note_quoted(&l, line);
            if (code_in_words(line, &code))
                sink->entry(sink->ctx, code, l.quoted, l.count);
        }
        size += end != NULL;
        text.data += size;
        text.size -= size;
    }
}
