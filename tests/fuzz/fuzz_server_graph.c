/*
 * fuzz_server_graph.c: any bytes as answers of Microsoft Graph.
 *
 * What the splitter hands out does not depend on how the input is cut, and comparing a side with
 * itself ends.
 */
#include <assert.h>
#include <stdlib.h>

#include "index/compare.h"
#include "index/hash.h"
#include "index/json_split.h"
#include "index/server_graph.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/samples.h"

static int on_object(void *ctx, struct bytes text)
{
    buf_append(ctx, text.data, text.size);
    buf_putc(ctx, '\n');
    return 0;
}

static int on_envelope(void *ctx, bool more)
{
    buf_putc(ctx, more ? 'm' : 'e');
    return 0;
}

static int on_other(void *ctx)
{
    buf_putc(ctx, 'o');
    return 0;
}

static int split(const uint8_t *data, size_t size, size_t piece, struct buf *out)
{
    const struct json_split_sink sink = {out, on_object, on_envelope, on_other};
    struct json_split s;
    int code = 0;

    json_split_init(&s, &sink);
    for (size_t at = 0; !code && at < size; at += piece)
        code =
            json_split_take(&s, (struct bytes){data + at, size - at < piece ? size - at : piece});
    json_split_done(&s);
    return code;
}

static struct cmp_side *read_side(const uint8_t *data, size_t size, bool on_server)
{
    struct cmp_side *side;
    struct io_source *source;
    int code;

    if (cmp_side_create(on_server, NULL, 1 << 20, &side) || io_source_open_mem(data, size, &source))
        abort();
    code = server_graph_read(side, source);
    io_source_close(source);
    cmp_set_text(&side->path, bytes_text("x"));
    if (!code)
        return side;
    cmp_side_destroy(side);
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct cmp_options options = {.memory_bytes = 1 << 20};
    struct buf whole = BUF_INIT, cut = BUF_INIT;
    struct cmp_side *sides[2];
    struct fault fault;
    int code;

    if (!size)
        return 0;
    code = split(data, size, size, &whole);
    assert(split(data, size, 3, &cut) == code);
    assert(whole.size == cut.size && (!cut.size || memcmp(whole.data, cut.data, cut.size) == 0));
    sides[0] = read_side(data, size, false);
    sides[1] = read_side(data, size, true);
    if (sides[0] && sides[1])
        cmp_compare(sides[0], sides[1], &options, NULL, 0, &fault);
    cmp_side_destroy(sides[0]);
    cmp_side_destroy(sides[1]);
    buf_done(&whole);
    buf_done(&cut);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    static const char *const answers[] = {
        "{\"@odata.context\":\"x\",\"value\":[{\"id\":\"f\",\"displayName\":\"Inbox\","
        "\"parentFolderId\":\"r\",\"totalItemCount\":1,\"wellKnownName\":\"inbox\"},{\"id\":\"i\","
        "\"parentFolderId\":\"f\",\"subject\":\"s\",\"isRead\":true,\"receivedDateTime\":"
        "\"2021-08-11T06:15:11Z\",\"internetMessageId\":\"<a@b>\","
        "\"singleValueExtendedProperties\":[{\"id\":\"Binary 0x300b\",\"value\":\"AAEC\"},"
        "{\"id\":\"Binary 0x65E2\",\"value\":\"AAECAwQFBgcICQoLDA0ODxAREhM=\"}]}],"
        "\"@odata.nextLink\":\"https://y\"}",
        "[{\"id\":\"i\",\"changeKey\":\"CQ==\",\"type\":\"IPM.Note\",\"size\":12,"
        "\"createdDateTime\":"
        "\"2021-08-11T06:15:11Z\",\"singleValueExtendedProperties\":[{\"id\":\"String 0x1035\","
        "\"value\":\"<a@b>\"}]}]",
    };

    return samples_mutate(answers, sizeof answers / sizeof *answers, data, size, max, seed);
}
