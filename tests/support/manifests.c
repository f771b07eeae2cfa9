/*
 * manifests.c: see manifests.h. An item's number decides its content; three in eight have an
 * attachment, out of a quarter as many as there are items.
 */
#include "tests/support/manifests.h"

#include <stdio.h>
#include <string.h>

#include "index/manifest.h"
#include "index/record.h"
#include "io/bytes.h"

/* What is the same for all items; the rest is filled in for each. */
struct shape {
    const struct manifests_options *o;
    struct buf line;
    struct ost_item item;
    struct ost_attachment attachment;
    struct idx_view view;
    struct idx_digests digests;
    struct ost_digest embedded; /* none */
    struct idx_address to;
    struct idx_str attachment_name;
    char subject[64], message_id[64], name[32];
    uint8_t search_key[16];
};

static uint64_t mix(uint64_t v)
{
    v = (v ^ v >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    v = (v ^ v >> 27) * UINT64_C(0x94D049BB133111EB);
    return v ^ v >> 31;
}

static struct ost_digest digest(uint64_t number, uint64_t what)
{
    struct ost_digest d = {.size = 16};

    put_le64(d.bytes, mix(number * 16 + what));
    put_le64(d.bytes + 8, mix(~number * 16 + what));
    return d;
}

static struct idx_str text(const char *s)
{
    return (struct idx_str){.data = s, .size = strlen(s), .whole = true};
}

/* The number of item `i` of manifest `m`: its own, or one of an earlier place. */
static uint64_t number_of(const struct manifests_options *o, uint64_t m, uint64_t i)
{
    const uint64_t own = m * o->items + i;
    const uint64_t dice = mix(own ^ o->seed);

    return own && dice % 100 < o->repeat_percent ? mix(dice) % own : own;
}

static void shape_item(struct shape *s, uint64_t number, uint64_t i)
{
    const uint64_t attached = number % (s->o->items / 4 + 1);

    s->item.nid = (uint32_t)(0x200004 + 32 * i);
    s->item.folder = (uint32_t)(0x8022 + 32 * (i % s->o->folders));
    s->item.attachment_count = number % 8 < 3;
    snprintf(s->subject, sizeof s->subject, "Subject of message %llu", (unsigned long long)number);
    snprintf(s->message_id, sizeof s->message_id, "<%016llx@example.org>",
             (unsigned long long)mix(number));
    snprintf(s->name, sizeof s->name, "report %llu.pdf", (unsigned long long)attached);
    s->view.subject = text(s->subject);
    s->view.message_id = text(s->message_id);
    s->attachment_name = text(s->name);
    put_le64(s->search_key, mix(number));
    s->view.submitted = (struct idx_time){true, 130000000000000000 + number * 10000000};
    s->view.delivered = s->view.submitted;
    s->view.size = (int64_t)(2000 + number % 60000);
    put_le64(s->digests.mih, mix(number));
    put_le64(s->digests.mih + 8, number);
    s->digests.exact = digest(number, 1);
    s->digests.core = digest(number, 2);
    s->digests.body_text = digest(number, 3);
    s->digests.state = digest(number, 4);
    s->attachment.data_digest = digest(attached, 5);
    s->attachment.data_bytes = 1000 + attached % 100000;
}

static void shape_init(struct shape *s, const struct manifests_options *o)
{
    *s = (struct shape){.o = o};
    s->attachment = (struct ost_attachment){.nid = 0x8025, .method = 1, .has_data = true};
    s->item.attachments = &s->attachment;
    s->to = (struct idx_address){text("Lorraine Example"), text("lorraine@example.org")};
    s->view.kind = KIND_MAIL;
    s->view.message_class = text("IPM.Note");
    s->view.search_key = (struct bytes){s->search_key, sizeof s->search_key};
    s->view.has_size = s->view.has_flags = true;
    s->view.flags = 17;
    s->view.from = (struct idx_address){text("Dennis Example"), text("dennis@example.org")};
    s->view.to = &s->to;
    s->view.to_count = 1;
    s->view.attachment_names = &s->attachment_name;
    s->digests.has_mih = true;
    s->digests.embedded = &s->embedded;
}

static int put(struct shape *s, struct idx_manifest_writer *w, enum idx_record type)
{
    int code = s->line.failed ? ERR_NOMEM : idx_manifest_line(w, type, s->line.data, s->line.size);

    buf_reset(&s->line);
    return code;
}

static int write_head(struct shape *s, struct idx_text *t, struct idx_manifest_writer *w,
                      unsigned m)
{
    const struct idx_scan_record scan = {.tool = "synthetic", .engine = "none", .io = "pread"};
    struct idx_image_record image = {.size_bytes = s->o->items * 40000};
    char path[64], name[32];
    int code;

    snprintf(path, sizeof path, "/synthetic/mailbox %05u.ost", m);
    image.path = path;
    idx_record_scan(&s->line, &scan);
    code = put(s, w, RECORD_SCAN);
    idx_record_image(&s->line, t, &image);
    code = code ? code : put(s, w, RECORD_IMAGE);
    for (unsigned f = 0; !code && f < s->o->folders; f++) {
        const struct ost_folder folder = {.nid = 0x8022 + 32 * f, .parent = 0x122};

        snprintf(name, sizeof name, "Top/Folder %u", f);
        idx_record_folder(&s->line, t, &folder, name, strlen(name));
        code = put(s, w, RECORD_FOLDER);
    }
    return code;
}

static int make_one(struct shape *s, struct idx_text *t, unsigned m, struct fault *fault)
{
    struct chk_verdict verdict = {0};
    struct idx_manifest_writer *w = NULL;
    char name[32];
    int code;

    snprintf(name, sizeof name, "%05u.jsonl.zst", m);
    code = idx_manifest_create(s->o->dir, name, &w, fault);
    if (code)
        return code;
    code = write_head(s, t, w, m);
    for (uint64_t i = 0; !code && i < s->o->items; i++) {
        shape_item(s, number_of(s->o, m, i), i);
        idx_record_item(&s->line, &s->item, &s->view, &s->digests, NULL);
        code = put(s, w, RECORD_ITEM);
    }
    idx_record_verdict(&s->line, &verdict);
    code = code ? code : put(s, w, RECORD_VERDICT);
    if (code) {
        idx_manifest_abort(w);
        return code;
    }
    return idx_manifest_commit(w, fault);
}

int manifests_make(const struct manifests_options *o, struct fault *fault)
{
    struct idx_text *t = NULL;
    struct shape s;
    int code = idx_text_create(&t);

    shape_init(&s, o);
    for (unsigned m = 0; !code && m < o->count; m++)
        code = make_one(&s, t, m, fault);
    buf_done(&s.line);
    idx_text_destroy(t);
    return code;
}
