/* record_scan.c: the lines of scan.jsonl; see record.h. */
#include "index/record.h"

#include <assert.h>

#include "index/json.h"

static const char *const state_names[] = {"in_use",  "unreadable", "unwritten",
                                          "failed",  "declined",   "changed",
                                          "partial", "damaged",    "ok"};

const char *idx_image_state_name(enum idx_image_state state)
{
    assert(state <= IMAGE_OK);
    return state_names[state];
}

static void by_severity(struct json *j, const uint64_t counts[SEVERITY_CORRUPT + 1])
{
    json_object(j, "findings");
    for (int s = SEVERITY_CORRUPT; s >= 0; s--)
        json_u64(j, finding_severity_name((enum finding_severity)s), counts[s]);
    json_close_object(j);
}

/* Last in a line, so that whoever compares two runs can cut it off. */
static void finish(struct json *j, const struct idx_timing *timing)
{
    if (timing) {
        json_object(j, "timing");
        json_double(j, "seconds", timing->seconds);
        if (timing->has_read) {
            json_object(j, "read");
            json_u64(j, "plan", timing->read.plan);
            json_u64(j, "sweep", timing->read.sweep);
            json_u64(j, "gaps", timing->read.gaps);
            json_u64(j, "again", timing->read.again);
            json_close_object(j);
        }
        json_close_object(j);
    }
    json_end_record(j);
}

void idx_record_image_line(struct buf *out, const struct idx_image_line *r)
{
    struct json j;

    json_record(&j, out, "image");
    json_cstr(&j, "path", r->path);
    json_cstr(&j, "manifest", r->manifest);
    if (r->has_identity) {
        json_u64(&j, "size", r->size_bytes);
        json_time_ns(&j, "mtime", r->mtime_ns);
    }
    if (r->header) {
        json_cstr(&j, "content", ost_content_name(r->header->content));
        json_cstr(&j, "format", ost_format_name(r->header->format));
    }
    json_cstr(&j, "state", idx_image_state_name(r->state));
    json_cstr(&j, "reason", r->reason);
    if (r->has_counts) {
        json_u64(&j, "folders", r->folders);
        json_u64(&j, "items", r->items);
        json_u64(&j, "assoc", r->assoc);
        json_u64(&j, "partial", r->partial);
        json_u64(&j, "failed", r->failed);
        by_severity(&j, r->findings);
    }
    if (r->verdict) {
        json_cstr(&j, "remedy", chk_remedy_name(r->verdict->remedy));
        json_cstr(&j, "export_first", chk_export_name(r->verdict->export_first));
    }
    finish(&j, r->has_timing ? &r->timing : NULL);
}

void idx_record_skip_line(struct buf *out, const char *path, const char *reason, const char *detail,
                          const char *same_as)
{
    struct json j;

    json_record(&j, out, "skipped");
    json_cstr(&j, "path", path);
    json_cstr(&j, "reason", reason);
    json_cstr(&j, "detail", detail);
    json_cstr(&j, "same_as", same_as);
    finish(&j, NULL);
}

void idx_record_close_line(struct buf *out, const struct idx_scan_totals *t)
{
    struct json j;

    json_record(&j, out, "end");
    json_object(&j, "images");
    for (int s = IMAGE_OK; s >= 0; s--)
        json_u64(&j, idx_image_state_name((enum idx_image_state)s), t->images[s]);
    json_close_object(&j);
    json_u64(&j, "skipped", t->skipped);
    json_u64(&j, "bytes", t->bytes);
    json_u64(&j, "folders", t->folders);
    json_u64(&j, "items", t->items);
    json_u64(&j, "assoc", t->assoc);
    json_u64(&j, "partial", t->partial);
    json_u64(&j, "failed", t->failed);
    by_severity(&j, t->findings);
    json_bool(&j, "complete", t->complete);
    json_cstr(&j, "redacted", t->redacted);
    finish(&j, t->has_timing ? &t->timing : NULL);
}
