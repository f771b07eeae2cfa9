/*
 * fuzz_json_read.c: any bytes through the reader, the finder and the fields of `show`.
 *
 * Also holds the writer to it: a string that was read is written as JSON that reads back the same.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "index/fields.h"
#include "index/json.h"
#include "index/json_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void string_goes_round(const struct json_token *t)
{
    struct buf text = BUF_INIT, line = BUF_INIT, back = BUF_INIT;
    struct json_token again;
    struct bytes value;
    struct json j;
    int got;

    json_token_text(t, &text);
    json_record(&j, &line, "x");
    json_text(&j, "t", text.data, text.size);
    json_end_record(&j);
    got = json_find((struct bytes){line.data, line.size}, "t", &value);
    assert(got == 1 && json_scalar(value, &again));
    json_token_text(&again, &back);
    got = json_find((struct bytes){line.data, line.size}, "t_hex", &value);
    assert(got == 1 || (got == 0 && back.size == text.size));
    assert(got == 1 || !text.size || memcmp(back.data, text.data, text.size) == 0);
    buf_done(&text);
    buf_done(&line);
    buf_done(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const paths[] = {"a", "digest.body.text", "from|to", "items"};
    struct buf out = BUF_INIT;
    struct idx_fields fields;
    struct json_reader r;
    struct json_token t;
    struct bytes in = {data, size}, value;
    int found = json_find(in, "a", &value);
    int got;

    json_read_start(&r, in);
    while ((got = json_read_next(&r, &t)) == 1)
        if (t.kind == JSON_STRING || t.kind == JSON_KEY)
            string_goes_round(&t);
    assert(found != 0 || got == 0);
    if (idx_fields_parse(in, &fields) == 0) {
        assert(got == 0);
        for (unsigned i = 0; i < sizeof paths / sizeof *paths; i++)
            for (int form = FORM_VALUE; form <= FORM_MARKS; form++)
                idx_fields_text(&fields, paths[i], (enum idx_form)form, "text", &out);
    }
    buf_done(&out);
    return 0;
}
