/* test_wire.c: the child's wire and its decoder: round trips, and streams that lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "io/err.h"
#include "io/mem.h"
#include "scanner/ost/limits.h"
#include "scanner/ref/decode.h"
#include "scanner/ref/nidset.h"
#include "scanner/ref/wire.h"
#include "tests/support/transcript.h"

enum { MEMORY = 1 << 20, IMAGE_SIZE = 1 << 20 };

/* Feeding */

struct session {
    struct transcript transcript;
    struct engine_sink sink;
    struct ost_hasher hasher;
    struct ost_image image;
    struct decoder *decoder;
};

static int open_session(struct session *s, uint64_t memory_bytes)
{
    struct decoder_options options = {&s->image, &s->sink, &s->hasher, memory_bytes, IMAGE_SIZE};

    *s = (struct session){.hasher = transcript_hasher(), .image = {.account = "unknown"}};
    s->sink = transcript_sink(&s->transcript);
    return decoder_create(&options, &s->decoder);
}

static void close_session(struct session *s)
{
    decoder_destroy(s->decoder);
    transcript_done(&s->transcript);
}

/* Feeds in pieces of `piece` bytes. */
static int feed(struct session *s, const struct buf *stream, size_t piece)
{
    int code = 0;

    for (size_t at = 0; at < stream->size && !code; at += piece)
        code = decoder_feed(s->decoder, stream->data + at,
                            stream->size - at < piece ? stream->size - at : piece);
    return code;
}

/* A rich item: text, names of both kinds, rows, recipients, two attachments with data, and an item
 * in an item in an item. */

#define BYTES(literal)                                                                             \
    {                                                                                              \
        (const uint8_t *)(literal), sizeof(literal) - 1                                            \
    }

static const struct ost_name number_name = {.guid = {1, 2, 3}, .number = 0x8205};
static const struct ost_name text_name = {.guid = {4}, .is_text = true, .text = BYTES("K\0e\0y\0")};

static const struct ost_prop item_props[] = {
    {0x0017, OST_I32, NULL, BYTES("\1\0\0\0")},
    {0x001A, OST_UNICODE, NULL, BYTES("I\0P\0M\0")},
    {0x0029, OST_BOOL, NULL, BYTES("\1")},
    {0x0039, OST_TIME, NULL, BYTES("\1\2\3\4\5\6\7\x8")},
    {0x1000, OST_UNICODE, NULL, {NULL, 0}},
    {0x8001, OST_I32, &number_name, BYTES("\2\0\0\0")},
    {0x8002, OST_MULTI | OST_I32, &text_name, BYTES("\1\0\0\0\2\0\0\0")},
    {0x8003, OST_BINARY, NULL, BYTES("nameless")},
};
static const struct ost_prop row_props[] = {
    {0x3008, OST_TIME, NULL, BYTES("\1\2\3\4\5\6\7\x8")},
    {0x65E2, OST_BINARY, NULL, BYTES("change key")},
};
static const struct ost_prop recipient_props[] = {
    {0x0C15, OST_I32, NULL, BYTES("\1\0\0\0")},
    {0x3001, OST_STRING8, NULL, BYTES("Someone")},
};
static const struct ost_prop attachment_props[] = {{0x3707, OST_STRING8, NULL, BYTES("a.txt")}};
static const struct ost_props recipients[] = {{recipient_props, 2}, {recipient_props, 1}, {0}};
static const char data[] = "the attachment's data";

#define PROPS(array)                                                                               \
    {                                                                                              \
        array, sizeof(array) / sizeof *(array)                                                     \
    }

static const struct ost_item deepest = {
    .nid = 0x200064, .codepage = 1252, .props = PROPS(item_props)};
static const struct ost_attachment inner_attachment[] = {
    {.nid = 0x8025, .method = 5, .embedded = &deepest}};
static const struct ost_damage inner_damage[] = {{.code = F_property_failed}};
static const struct ost_item inner = {.nid = 0x200044,
                                      .codepage = 932,
                                      .props = PROPS(recipient_props),
                                      .recipients = recipients,
                                      .recipient_count = 1,
                                      .attachments = inner_attachment,
                                      .attachment_count = 1,
                                      .damage = inner_damage,
                                      .damage_count = 1};
static const struct ost_attachment attachments[] = {
    {.nid = 0x8025, .method = 1, .props = PROPS(attachment_props), .has_data = true},
    {.nid = 0x8045, .method = 5, .props = PROPS(attachment_props), .embedded = &inner},
    {.nid = 0x8065, .method = -1, .has_data = true},
};
static const struct ost_damage damage[] = {{.code = F_attachment_failed}, {.code = F_item_partial}};
static const struct ost_item rich = {.nid = 0x200024,
                                     .folder = 0x8022,
                                     .orphan = true,
                                     .codepage = 1251,
                                     .props = PROPS(item_props),
                                     .row = PROPS(row_props),
                                     .recipients = recipients,
                                     .recipient_count = 3,
                                     .attachments = attachments,
                                     .attachment_count = 3,
                                     .damage = damage,
                                     .damage_count = 2};
static const struct ost_item plain = {.nid = 0x200048, .folder = 0x8022, .assoc = true};

static void send_props(struct wire *w, enum wire_kind kind, struct ost_props props)
{
    for (size_t i = 0; i < props.count; i++)
        wire_prop(w, kind, &props.list[i]);
}

static void send_data(struct wire *w, bool whole)
{
    wire_begin(w, WIRE_DATA);
    wire_chunk(w, (struct bytes){(const uint8_t *)data, 5});
    wire_chunk(w, (struct bytes){(const uint8_t *)data + 5, sizeof data - 5});
    wire_end(w, whole);
}

/* The test's data is three deep at most: plain recursion will do. */
static void send_item(struct wire *w, const struct ost_item *item)
{
    wire_item(w, item);
    send_props(w, WIRE_PROP, item->props);
    send_props(w, WIRE_ROW, item->row);
    for (size_t i = 0; i < item->recipient_count; i++) {
        wire_begin(w, WIRE_RECIPIENT);
        send_props(w, WIRE_PROP, item->recipients[i]);
        wire_end(w, true);
    }
    for (size_t i = 0; i < item->attachment_count; i++) {
        const struct ost_attachment *a = &item->attachments[i];

        wire_attachment(w, a->nid, a->method, false);
        send_props(w, WIRE_PROP, a->props);
        if (a->has_data)
            send_data(w, a->method == 1);
        if (a->embedded)
            send_item(w, a->embedded);
        wire_end(w, true);
    }
    for (size_t i = 0; i < item->damage_count; i++)
        wire_damage(w, (enum finding_code)item->damage[i].code);
    wire_end(w, true);
}

static void send_image(struct wire *w, uint64_t messages)
{
    wire_image(w, 20, messages, 1252, 0);
    send_props(w, WIRE_PROP, (struct ost_props)PROPS(recipient_props));
    wire_end(w, true);
}

static void send_folder(struct wire *w, uint32_t nid, uint32_t parent)
{
    struct ost_folder folder = {.nid = nid, .parent = parent, .has_rows = true, .rows = 7};

    wire_folder(w, &folder);
    send_props(w, WIRE_PROP, (struct ost_props)PROPS(attachment_props));
    wire_end(w, true);
}

/* Everything once: 3 messages. */
static void send_all(struct wire *w)
{
    struct finding finding = finding_of(F_table_failed);
    uint32_t folder = 0x8022;

    send_image(w, 3);
    send_folder(w, 0x122, 0x122);
    finding.has_nid = true;
    finding.nid = 0x802E;
    finding.folders = &folder;
    finding.folder_count = 1;
    finding.detail = "no value array";
    wire_finding(w, &finding);
    send_folder(w, 0x8022, 0x122);
    send_item(w, &rich);
    wire_progress(w, 4096);
    wire_failed(w, 0x200044, 0x8022, false, "a type that\nlibpff does not know");
    send_item(w, &plain);
    wire_finish(w);
}

static void everything_arrives(void **state)
{
    static const size_t pieces[] = {1, 3, 1000, SIZE_MAX / 2};
    struct wire w;

    (void)state;
    wire_init(&w, -1);
    send_all(&w);
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        struct session s;
        const char *text;

        assert_int_equal(open_session(&s, MEMORY), 0);
        assert_int_equal(feed(&s, &w.out, pieces[i]), 0);
        assert_true(decoder_finished(s.decoder));
        assert_true(decoder_has_image(s.decoder));
        assert_int_equal(decoder_announced(s.decoder), 3);
        assert_int_equal(decoder_delivered(s.decoder), 3);
        text = buf_cstr(&s.transcript.text);
        assert_non_null(strstr(text, "image 20 1252 unknown\nproperty 0c15 0003 01000000\n"));
        assert_non_null(strstr(text, "folder 122 122 root 1/7 0/0 0/0\n"));
        assert_non_null(strstr(text, "finding table_failed 802e no value array\n"));
        assert_non_null(strstr(text, "finding item_failed 200044 a type that?libpff"));
        assert_non_null(strstr(text, "failed 200044 8022 0\n"));
        assert_non_null(strstr(text, "item 200048 8022 1 0 0\nend\n"));
        assert_non_null(strstr(text, "property 8002 1003 0100000002000000 {04000000000000000000"
                                     "000000000000 1 0 4b0065007900}\n"));
        assert_int_equal(s.transcript.by_code[F_item_orphan], 1);
        assert_int_equal(s.transcript.by_code[F_item_partial], 1);
        assert_int_equal(s.transcript.progress, 4096);
        close_session(&s);
    }
    wire_done(&w);
}

/* What was sent and what arrived, as text; attachments' sums are the decoder's own work. */
static void items_arrive_as_they_were(void **state)
{
    static struct ost_attachment summed[3];
    struct ost_item sent = rich;
    struct ost_hasher hasher = transcript_hasher();
    struct transcript expected = {0};
    struct session s;
    struct wire w;
    void *sum = hasher.begin(NULL);

    (void)state;
    hasher.update(sum, data, sizeof data);
    memcpy(summed, attachments, sizeof summed);
    summed[0].data_bytes = summed[2].data_bytes = sizeof data;
    hasher.end(sum, &summed[0].data_digest);
    sent.attachments = summed;
    transcript_item(&expected, &sent);
    wire_init(&w, -1);
    send_image(&w, 1);
    send_item(&w, &rich);
    wire_finish(&w);
    assert_int_equal(open_session(&s, MEMORY), 0);
    assert_int_equal(feed(&s, &w.out, SIZE_MAX / 2), 0);
    assert_non_null(strstr(buf_cstr(&s.transcript.text), buf_cstr(&expected.text)));
    assert_int_equal(s.transcript.embedded, 2);
    close_session(&s);
    wire_done(&w);
    transcript_done(&expected);
}

static void every_truncation_is_noticed(void **state)
{
    struct wire w;

    (void)state;
    wire_init(&w, -1);
    send_all(&w);
    for (size_t size = 0; size < w.out.size; size++) {
        struct buf cut = {.data = w.out.data, .size = size};
        struct session s;

        assert_int_equal(open_session(&s, MEMORY), 0);
        s.transcript.silent = true;
        assert_int_equal(feed(&s, &cut, SIZE_MAX / 2), 0);
        assert_false(decoder_finished(s.decoder));
        assert_null(decoder_violation(s.decoder));
        assert_int_equal(decoder_end(s.decoder), 0);
        close_session(&s);
    }
    wire_done(&w);
}

static uint32_t random_next(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

/* Flips, overwrites, cuts out and repeats bytes. */
static void mutate(struct buf *stream, uint32_t seed)
{
    uint32_t state = seed, rounds = 1 + random_next(&state) % 4;

    while (rounds--) {
        size_t at = random_next(&state) % stream->size;
        size_t length = random_next(&state) % 16 % (stream->size - at);

        switch (random_next(&state) % 4) {
        case 0:
            stream->data[at] ^= (uint8_t)(1U << random_next(&state) % 8);
            break;
        case 1:
            stream->data[at] = (uint8_t)random_next(&state);
            break;
        case 2:
            memmove(stream->data + at, stream->data + at + length, stream->size - at - length);
            stream->size -= length;
            break;
        default:
            memmove(stream->data + at + length, stream->data + at, stream->size - at - length);
        }
    }
}

static void mutations_are_survived(void **state)
{
    unsigned refused = 0;
    struct wire w;

    (void)state;
    wire_init(&w, -1);
    send_all(&w);
    for (uint32_t seed = 1; seed <= 2000; seed++) {
        struct buf copy = BUF_INIT;
        struct session s;
        int code;

        buf_append(&copy, w.out.data, w.out.size);
        mutate(&copy, seed);
        assert_int_equal(open_session(&s, MEMORY), 0);
        s.transcript.silent = true;
        code = feed(&s, &copy, 1 + seed % 64);
        assert_true(code == 0 || code == ERR_DAMAGED);
        assert_int_equal(code == ERR_DAMAGED, decoder_violation(s.decoder) != NULL);
        assert_true(decoder_delivered(s.decoder) <= decoder_announced(s.decoder));
        refused += code != 0;
        close_session(&s);
        buf_done(&copy);
    }
    assert_true(refused > 1000);
    wire_done(&w);
}

static void failing_allocations_are_told(void **state)
{
    struct wire w;
    uint64_t nth = 0;
    int code;

    (void)state;
    wire_init(&w, -1);
    send_all(&w);
    do {
        struct session s;

        mem_test_fail(++nth, 0);
        code = open_session(&s, MEMORY);
        if (!code)
            code = feed(&s, &w.out, 512);
        else
            s.decoder = NULL;
        mem_test_fail(0, 0);
        if (s.transcript.text.failed) /* the sink's own memory is none of the decoder's */
            code = ERR_NOMEM;
        assert_true(code == ERR_NOMEM || (!code && decoder_finished(s.decoder)));
        close_session(&s);
        assert_true(nth < 1000);
    } while (code);
    assert_true(nth > 5);
    wire_done(&w);
}

/* Streams that break one rule each, after a good image with room for one message. */

static void row_in_embedded(struct wire *w)
{
    wire_item(w, &plain);
    wire_attachment(w, 1, 5, false);
    wire_item(w, &deepest);
    wire_prop(w, WIRE_ROW, &row_props[0]);
}

static void two_contents(struct wire *w)
{
    wire_item(w, &plain);
    wire_attachment(w, 1, 5, false);
    send_data(w, true);
    wire_item(w, &deepest);
}

static void property_after_content(struct wire *w)
{
    wire_item(w, &plain);
    wire_attachment(w, 1, 1, false);
    send_data(w, true);
    wire_prop(w, WIRE_PROP, &item_props[0]);
}

static void recipients_after_attachments(struct wire *w)
{
    wire_item(w, &plain);
    wire_attachment(w, 1, 1, false);
    wire_end(w, true);
    wire_begin(w, WIRE_RECIPIENT);
}

static void descending_properties(struct wire *w)
{
    wire_item(w, &plain);
    wire_prop(w, WIRE_PROP, &item_props[1]);
    wire_prop(w, WIRE_PROP, &item_props[0]);
}

static void property_twice(struct wire *w)
{
    wire_item(w, &plain);
    wire_prop(w, WIRE_PROP, &item_props[1]);
    wire_prop(w, WIRE_PROP, &item_props[1]);
}

static void property_zero(struct wire *w)
{
    wire_item(w, &plain);
    wire_prop(w, WIRE_PROP, &(struct ost_prop){.type = OST_BINARY});
}

static void wrong_width(struct wire *w)
{
    wire_item(w, &plain);
    wire_prop(w, WIRE_PROP, &(struct ost_prop){0x0E07, OST_I32, NULL, BYTES("\1\2\3")});
}

static void name_of_plain_id(struct wire *w)
{
    wire_item(w, &plain);
    wire_prop(w, WIRE_PROP, &(struct ost_prop){0x7FFF, OST_BINARY, &number_name, {NULL, 0}});
}

static void name_of_odd_size(struct wire *w)
{
    struct ost_name name = {.is_text = true, .text = BYTES("abc")};

    wire_item(w, &plain);
    wire_prop(w, WIRE_PROP, &(struct ost_prop){0x8000, OST_BINARY, &name, {NULL, 0}});
}

static void too_deep(struct wire *w)
{
    wire_item(w, &plain);
    for (int i = 0; i <= OST_LIMIT_EMBEDDED_DEPTH; i++) {
        wire_attachment(w, 1, 5, false);
        wire_item(w, &deepest);
    }
}

static void embedded_in_folder(struct wire *w)
{
    wire_item(w, &plain);
    wire_attachment(w, 1, 5, false);
    wire_item(w, &rich);
}

static void unknown_flags(struct wire *w)
{
    wire_item(w, &plain);
    w->out.data[w->out.size - 1] = 4;
}

static void unknown_attachment_flags(struct wire *w)
{
    wire_item(w, &plain);
    wire_attachment(w, 1, 5, false);
    w->out.data[w->out.size - 1] = 2;
}

static void unknown_folder_flags(struct wire *w)
{
    struct ost_folder folder = {.nid = 0x122};

    wire_folder(w, &folder);
    w->out.data[w->out.size - 33] = 4;
}

static void unknown_failure_flags(struct wire *w)
{
    wire_failed(w, 0x200024, 0, false, NULL);
    w->out.data[w->out.size - 1] = 2;
}

static void unknown_damage(struct wire *w)
{
    wire_item(w, &plain);
    wire_damage(w, FINDING_CODES);
}

static void half_an_end(struct wire *w)
{
    wire_item(w, &plain);
    wire_end(w, false);
}

static void image_again(struct wire *w)
{
    send_image(w, 1);
}

static void folder_before_parent(struct wire *w)
{
    send_folder(w, 0x8042, 0x8022);
}

static void folder_twice(struct wire *w)
{
    send_folder(w, 0x122, 0x122);
    send_folder(w, 0x122, 0x122);
}

static void folder_zero(struct wire *w)
{
    send_folder(w, 0, 0);
}

static void folder_after_item(struct wire *w)
{
    send_item(w, &plain);
    send_folder(w, 0x122, 0x122);
}

static void more_than_announced(struct wire *w)
{
    send_item(w, &rich);
    send_item(w, &plain);
}

static void done_too_early(struct wire *w)
{
    wire_finish(w);
}

static void bytes_after_done(struct wire *w)
{
    send_item(w, &plain);
    wire_finish(w);
    wire_progress(w, 1);
}

static void progress_beyond_end(struct wire *w)
{
    wire_progress(w, IMAGE_SIZE + 1);
}

static void stray_chunk(struct wire *w)
{
    wire_chunk(w, (struct bytes){(const uint8_t *)data, 4});
}

static void unknown_kind(struct wire *w)
{
    wire_begin(w, (enum wire_kind)(WIRE_DONE + 1));
}

static void kind_zero(struct wire *w)
{
    wire_begin(w, (enum wire_kind)0);
}

static void finding_not_the_childs(struct wire *w)
{
    struct finding finding = finding_of(F_magic_wrong);

    wire_finding(w, &finding);
}

static void text_not_printable(struct wire *w)
{
    wire_failed(w, 0x200024, 0, false, "x");
    w->out.data[w->out.size - 1] = 7;
}

static void broken_rules_end_the_stream(void **state)
{
    void (*const breaks[])(struct wire *) = {
        row_in_embedded,
        two_contents,
        property_after_content,
        descending_properties,
        property_twice,
        property_zero,
        wrong_width,
        name_of_plain_id,
        name_of_odd_size,
        too_deep,
        unknown_damage,
        half_an_end,
        image_again,
        folder_before_parent,
        folder_twice,
        folder_zero,
        folder_after_item,
        more_than_announced,
        done_too_early,
        bytes_after_done,
        progress_beyond_end,
        stray_chunk,
        unknown_kind,
        kind_zero,
        finding_not_the_childs,
        text_not_printable,
        recipients_after_attachments,
        embedded_in_folder,
        unknown_flags,
        unknown_attachment_flags,
        unknown_folder_flags,
        unknown_failure_flags,
    };

    (void)state;
    for (size_t i = 0; i < sizeof breaks / sizeof *breaks; i++) {
        struct session s;
        struct wire w;

        wire_init(&w, -1);
        send_image(&w, 1);
        breaks[i](&w);
        assert_int_equal(open_session(&s, MEMORY), 0);
        if (feed(&s, &w.out, SIZE_MAX / 2) != ERR_DAMAGED)
            fail_msg("rule %zu was not enforced", i);
        assert_non_null(decoder_violation(s.decoder));
        assert_false(decoder_finished(s.decoder));
        assert_int_equal(s.transcript.images, 1);
        assert_int_equal(decoder_feed(s.decoder, "", 1), ERR_DAMAGED);
        close_session(&s);
        wire_done(&w);
    }
}

static void lengths_are_bounded_before_memory_is(void **state)
{
    static const uint8_t kinds[] = {WIRE_IMAGE,    WIRE_FINDING, WIRE_FAILED, WIRE_FOLDER,
                                    WIRE_PROGRESS, WIRE_ITEM,    WIRE_DONE};

    (void)state;
    for (size_t i = 0; i < sizeof kinds; i++) {
        uint8_t head[WIRE_HEAD] = {kinds[i], 0xFF, 0xFF, 0xFF, 0xFF};
        struct session s;

        assert_int_equal(open_session(&s, MEMORY), 0);
        assert_int_equal(decoder_feed(s.decoder, head, sizeof head), ERR_DAMAGED);
        close_session(&s);
    }
}

static void images_cannot_announce_more_than_they_hold(void **state)
{
    struct session s;
    struct wire w;

    (void)state;
    wire_init(&w, -1);
    send_image(&w, IMAGE_SIZE / 16 + 1);
    assert_int_equal(open_session(&s, MEMORY), 0);
    assert_int_equal(feed(&s, &w.out, SIZE_MAX / 2), ERR_DAMAGED);
    close_session(&s);
    wire_done(&w);
}

static void findings_have_an_end(void **state)
{
    struct finding finding = finding_of(F_read_failed);
    struct session s;
    struct wire w;
    int code = 0;

    (void)state;
    wire_init(&w, -1);
    wire_finding(&w, &finding);
    assert_int_equal(open_session(&s, MEMORY), 0);
    s.transcript.silent = true;
    for (uint64_t i = 0; i < 2 * IMAGE_SIZE / 16 && !code; i++) {
        code = feed(&s, &w.out, SIZE_MAX / 2);
        buf_reset(&s.transcript.text);
    }
    assert_int_equal(code, ERR_DAMAGED);
    close_session(&s);
    wire_done(&w);
}

/* An image that cannot be opened: a finding says so, and there is nothing else. */
static void refusal_needs_a_reason(void **state)
{
    struct finding finding = finding_of(F_engine_open_failed);
    struct session s;
    struct wire w;

    (void)state;
    wire_init(&w, -1);
    wire_finish(&w);
    assert_int_equal(open_session(&s, MEMORY), 0);
    assert_int_equal(feed(&s, &w.out, 1), ERR_DAMAGED);
    close_session(&s);
    wire_done(&w);

    wire_init(&w, -1);
    finding.detail = "mismatch in checksum";
    wire_finding(&w, &finding);
    wire_finish(&w);
    assert_int_equal(open_session(&s, MEMORY), 0);
    assert_int_equal(feed(&s, &w.out, 1), 0);
    assert_true(decoder_finished(s.decoder));
    assert_false(decoder_has_image(s.decoder));
    assert_int_equal(s.transcript.by_code[F_engine_open_failed], 1);
    close_session(&s);
    wire_done(&w);
}

/* An item larger than the arena is a failure, and the next is read as if nothing had been. */
static void large_items_fail_alone(void **state)
{
    static const uint8_t large[100 * 1024];
    struct ost_prop prop = {0x1000, OST_BINARY, NULL, {large, sizeof large}};
    struct ost_prop last = {0x1013, OST_BINARY, NULL, {large, sizeof large}};
    struct session s;
    struct wire w;

    (void)state;
    wire_init(&w, -1);
    send_image(&w, 2);
    wire_item(&w, &rich);
    wire_prop(&w, WIRE_PROP, &prop);
    wire_prop(&w, WIRE_PROP, &last);
    wire_attachment(&w, 1, 1, false);
    send_data(&w, true);
    wire_end(&w, true);
    wire_end(&w, true);
    send_item(&w, &plain);
    wire_finish(&w);
    assert_int_equal(open_session(&s, 150 * 1024), 0);
    s.transcript.silent = true;
    assert_int_equal(feed(&s, &w.out, 777), 0);
    assert_true(decoder_finished(s.decoder));
    assert_int_equal(s.transcript.failed, 1);
    assert_int_equal(s.transcript.by_code[F_item_failed], 1);
    assert_int_equal(s.transcript.assoc, 1);
    close_session(&s);
    wire_done(&w);
}

static void sink_codes_are_forwarded(void **state)
{
    struct session s;
    struct wire w;

    (void)state;
    wire_init(&w, -1);
    send_all(&w);
    assert_int_equal(open_session(&s, MEMORY), 0);
    s.transcript.result = ERR_NOSPACE;
    assert_int_equal(feed(&s, &w.out, SIZE_MAX / 2), ERR_NOSPACE);
    assert_null(decoder_violation(s.decoder));
    assert_int_equal(s.transcript.images, 1);
    assert_int_equal(s.transcript.folders, 0);
    close_session(&s);
    wire_done(&w);
}

static void sets_of_nids_hold_what_was_added(void **state)
{
    struct nidset set = NIDSET_INIT;

    (void)state;
    assert_false(nidset_has(&set, 0x122));
    for (uint32_t i = 1; i < 5000; i++)
        assert_int_equal(nidset_add(&set, i << 5 | 2), 0);
    for (uint32_t i = 1; i < 5000; i++) {
        assert_true(nidset_has(&set, i << 5 | 2));
        assert_false(nidset_has(&set, i << 5 | 3));
    }
    assert_int_equal(nidset_add(&set, 77 << 5 | 2), ERR_EXISTS);
    assert_false(nidset_has(&set, 0));
    assert_int_equal(set.count, 4999);
    nidset_done(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_arrives),
        cmocka_unit_test(items_arrive_as_they_were),
        cmocka_unit_test(every_truncation_is_noticed),
        cmocka_unit_test(mutations_are_survived),
        cmocka_unit_test(failing_allocations_are_told),
        cmocka_unit_test(broken_rules_end_the_stream),
        cmocka_unit_test(lengths_are_bounded_before_memory_is),
        cmocka_unit_test(images_cannot_announce_more_than_they_hold),
        cmocka_unit_test(findings_have_an_end),
        cmocka_unit_test(refusal_needs_a_reason),
        cmocka_unit_test(large_items_fail_alone),
        cmocka_unit_test(sink_codes_are_forwarded),
        cmocka_unit_test(sets_of_nids_hold_what_was_added),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
