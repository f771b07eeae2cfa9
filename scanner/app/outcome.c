/* outcome.c: see outcome.h. */
#include "scanner/app/outcome.h"

#include <inttypes.h>
#include <string.h>

#include "io/buf.h"
#include "io/mem.h"

void image_outcome_done(struct image_outcome *o)
{
    mem_free(o->reason);
    mem_free(o->details);
    mem_free(o->line);
    *o = (struct image_outcome){0};
}

bool outcome_is_given_up(enum finding_code code)
{
    return code == F_engine_declined || code == F_engine_open_failed || code == F_engine_crashed ||
           code == F_engine_timeout || code == F_engine_protocol;
}

bool outcome_is_unread(enum finding_code code)
{
    return code == F_table_failed || code == F_folder_failed || code == F_property_failed ||
           code == F_attachment_failed || code == F_item_failed || code == F_read_failed;
}

int outcome_set_reason(struct image_outcome *o, const struct finding *f)
{
    struct buf text = BUF_INIT;

    if (o->reason)
        return 0;
    buf_puts(&text, finding_info(f->code)->text);
    if (f->detail)
        buf_printf(&text, ": %s", f->detail);
    if (f->code == F_read_failed && f->has_offset)
        buf_printf(&text, " at offset %" PRIu64, f->offset);
    o->reason = buf_cstr(&text) ? (char *)text.data : NULL;
    return o->reason ? 0 : ERR_NOMEM;
}

void outcome_fail(struct image_outcome *o, int err, bool output_failed)
{
    struct buf why = BUF_INIT;

    o->err = err;
    o->cancelled = err == ERR_CANCELLED;
    o->state = err == ERR_BUSY ? IMAGE_IN_USE : output_failed ? IMAGE_UNWRITTEN : IMAGE_UNREADABLE;
    if (output_failed)
        buf_puts(&why, "its manifest: ");
    if (o->fault.what)
        buf_printf(&why, "%s: ", o->fault.what);
    buf_puts(&why, err_why(err, o->fault.errnum));
    if (o->fault.length)
        buf_printf(&why, " at offset %" PRIu64, o->fault.offset);
    mem_free(o->reason);
    o->reason = (char *)(uintptr_t)buf_cstr(&why);
    if (!o->reason)
        buf_done(&why);
}

void outcome_export(struct image_outcome *o, const struct chk_verdict *v)
{
    o->export_first = v->export_first;
    for (size_t i = 0; i < v->reason_count; i++)
        if (v->reasons[i].strength == STRENGTH_STRONG && !o->export_why) {
            o->export_why = v->reasons[i].text;
            o->export_count = v->reasons[i].count;
        }
}

void outcome_write(struct image_outcome *o, struct idx_image_line *line,
                   struct idx_redactor *redactor, uint64_t elapsed_ns)
{
    struct buf text = BUF_INIT;

    line->state = o->state;
    line->reason = o->reason;
    line->has_counts = o->has_manifest;
    line->folders = o->folders;
    line->items = o->items;
    line->assoc = o->assoc;
    line->partial = o->partial;
    line->failed = o->failed;
    memcpy(line->findings, o->findings, sizeof line->findings);
    line->has_timing = true;
    line->timing.seconds = (double)elapsed_ns / 1e9;
    line->timing.has_read = o->has_read;
    line->timing.read = o->read;
    idx_record_image_line(&text, line);
    if (redactor)
        idx_redact_line(redactor, &text, 0);
    o->line = (char *)(uintptr_t)buf_cstr(&text);
    if (!o->line)
        buf_done(&text);
}
