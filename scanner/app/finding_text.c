/* finding_text.c: see finding_text.h. */
#include "scanner/app/finding_text.h"

#include <inttypes.h>

#include "index/terminal.h"

void finding_text(struct buf *out, const struct finding *f)
{
    const struct finding_info *info = finding_info(f->code);

    buf_printf(out, "    %s %s", finding_severity_name(f->severity), info->name);
    if (f->has_offset)
        buf_printf(out, " at %" PRIu64, f->offset);
    if (f->has_bid)
        buf_printf(out, " bid 0x%" PRIx64, f->bid);
    if (f->has_nid)
        buf_printf(out, " nid 0x%" PRIx32, f->nid);
    if (f->has_expected && f->has_actual)
        buf_printf(out, " (found 0x%" PRIx64 ", expected 0x%" PRIx64 ")", f->actual, f->expected);
    buf_printf(out, ": %s", info->text);
    if (f->detail)
        buf_puts(out, ": ");
    if (f->detail)
        terminal_quote(bytes_text(f->detail), out);
    if (f->item_count)
        buf_printf(out, "; %zu item%s hit", f->item_count, f->item_count == 1 ? "" : "s");
    buf_putc(out, '\n');
}
