/* summary.c: see summary.h. */
#include "scanner/app/summary.h"

#include <inttypes.h>
#include <string.h>

#include "index/record.h"
#include "index/terminal.h"
#include "scanner/app/tty.h"

void summary_add_image(struct summary *s, const struct image_outcome *o)
{
    if (o->foreign || o->cancelled)
        return;
    s->images++;
    s->by_state[o->state]++;
    s->by_remedy[o->remedy]++;
    s->io_errors += o->io_error;
    if (!o->has_manifest)
        return;
    s->bytes += o->size_bytes;
    s->folders += o->folders;
    s->items += o->items;
    s->assoc += o->assoc;
    s->failed += o->failed;
    s->partial += o->partial;
    if (o->kept) {
        s->kept++;
        s->kept_bytes += o->size_bytes;
        s->kept_items += o->items + o->assoc;
    }
    for (int i = 0; i <= SEVERITY_CORRUPT; i++)
        s->findings[i] += o->findings[i];
    s->read_known += o->has_read;
    s->read.plan += o->read.plan;
    s->read.sweep += o->read.sweep;
    s->read.gaps += o->read.gaps;
    s->read.again += o->read.again;
}

void summary_add_skipped(struct summary *s, const struct work *w)
{
    s->skipped++;
    s->unreadable += w->why == IO_SKIP_UNREADABLE;
}

static void describe_content(struct buf *out, const struct image_outcome *o)
{
    buf_printf(out, ", %" PRIu64 " folder%s, %" PRIu64 " item%s, %" PRIu64 " associated",
               o->folders, tty_plural(o->folders), o->items, tty_plural(o->items), o->assoc);
    if (o->failed || o->partial)
        buf_printf(out, " (%" PRIu64 " failed, %" PRIu64 " partial)", o->failed, o->partial);
}

static void describe_findings(struct buf *out, const uint64_t findings[])
{
    uint64_t all = 0;

    for (int i = 0; i <= SEVERITY_CORRUPT; i++)
        all += findings[i];
    buf_printf(out, "; %" PRIu64 " finding%s", all, tty_plural(all));
    if (findings[SEVERITY_CORRUPT])
        buf_printf(out, " (%" PRIu64 " corrupt)", findings[SEVERITY_CORRUPT]);
}

void summary_image_text(struct buf *text, const char *path, const struct image_outcome *o)
{
    terminal_quote(bytes_text(path), text);
    buf_printf(text, ": %s", idx_image_state_name(o->state));
    if (o->has_manifest && o->state != IMAGE_FAILED)
        describe_content(text, o);
    if (o->has_manifest)
        describe_findings(text, o->findings);
    buf_printf(text, "; remedy %s", chk_remedy_name(o->remedy));
    if (o->reason) {
        buf_puts(text, ": ");
        terminal_quote(bytes_text(o->reason), text);
    } else if (o->remedy_why) {
        buf_printf(text, " (%s)", o->remedy_why);
    }
    if (o->export_first == EXPORT_REQUIRED)
        buf_printf(text, "; export first: %" PRIu64 " %s", o->export_count, o->export_why);
    if (o->kept)
        buf_puts(text, "; as an earlier run left it");
    buf_putc(text, '\n');
    if (o->details)
        buf_puts(text, o->details);
}

static void print_states(FILE *to, const struct summary *s)
{
    for (int i = IMAGE_DAMAGED; i >= 0; i--)
        if (s->by_state[i])
            fprintf(to, ", %" PRIu64 " %s", s->by_state[i],
                    idx_image_state_name((enum idx_image_state)i));
    fputc('\n', to);
}

void summary_print(FILE *to, const struct summary *s, const char *out, const char *name,
                   uint64_t elapsed_ns)
{
    double seconds = (double)elapsed_ns / 1e9;
    struct buf quoted = BUF_INIT;
    bool any = false;

    if (!s->images) {
        fprintf(to, "no images found (%" PRIu64 " paths passed over)\n", s->skipped);
        return;
    }
    fprintf(to, "images    %" PRIu64 ": %" PRIu64 " ok", s->images, s->by_state[IMAGE_OK]);
    print_states(to, s);
    fprintf(to, "items     %" PRIu64 " in %" PRIu64 " folder%s, %" PRIu64 " associated", s->items,
            s->folders, tty_plural(s->folders), s->assoc);
    fprintf(to, ", %" PRIu64 " failed, %" PRIu64 " partial\n", s->failed, s->partial);
    fprintf(to, "findings  %" PRIu64 " corrupt, %" PRIu64 " warning, %" PRIu64 " info\n",
            s->findings[SEVERITY_CORRUPT], s->findings[SEVERITY_WARNING],
            s->findings[SEVERITY_INFO]);
    fputs("remedies  ", to);
    for (int i = 0; i <= REMEDY_UNKNOWN; i++) {
        if (!s->by_remedy[i])
            continue;
        fprintf(to, "%s%" PRIu64 " %s", any ? ", " : "", s->by_remedy[i],
                chk_remedy_name((enum chk_remedy)i));
        any = true;
    }
    fputc('\n', to);
    if (s->skipped)
        fprintf(to, "skipped   %" PRIu64 " path%s, %" PRIu64 " of them unreadable\n", s->skipped,
                tty_plural(s->skipped), s->unreadable);
    if (s->kept)
        fprintf(to,
                "kept      %" PRIu64 " image%s of an earlier run, unchanged since (--force reads "
                "them again)\n",
                s->kept, tty_plural(s->kept));
    fprintf(to, "time      %s, %s/s, %.0f items/s\n", tty_duration(elapsed_ns),
            tty_bytes((uint64_t)((double)(s->bytes - s->kept_bytes) / seconds)),
            (double)(s->items + s->assoc - s->kept_items) / seconds);
    terminal_quote(bytes_text(out), &quoted);
    out = buf_cstr(&quoted) ? (const char *)quoted.data : "OUT";
    fprintf(to, "written   %s/manifests, %s/%s\n", out, out, name);
    buf_done(&quoted);
}

void summary_skip_line(struct buf *text, const struct work *w, struct idx_redactor *redactor)
{
    const size_t from = text->size;

    idx_record_skip_line(text, w->path, io_skip_name(w->why),
                         w->skip_errnum ? err_why(err_from_errno(w->skip_errnum), w->skip_errnum)
                                        : NULL,
                         w->same_as);
    if (redactor)
        idx_redact_line(redactor, text, from);
}

void summary_end_line(struct buf *text, const struct summary *s, struct idx_redactor *redactor,
                      bool complete, uint64_t elapsed_ns)
{
    char id[IDX_REDACT_ID];
    struct idx_scan_totals totals = {
        .complete = complete,
        .skipped = s->skipped,
        .bytes = s->bytes,
        .folders = s->folders,
        .items = s->items,
        .assoc = s->assoc,
        .partial = s->partial,
        .failed = s->failed,
        .has_timing = true,
        .timing = {.seconds = (double)elapsed_ns / 1e9,
                   .has_read = s->read_known > 0,
                   .read = s->read},
    };

    memcpy(totals.images, s->by_state, sizeof totals.images);
    memcpy(totals.findings, s->findings, sizeof totals.findings);
    if (redactor) {
        idx_redactor_id(redactor, id);
        totals.redacted = id;
    }
    idx_record_close_line(text, &totals);
}
