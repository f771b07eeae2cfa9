/* terminal.c: see terminal.h. Widths are those of utf8proc (Unicode's East Asian Width). */
#include "index/terminal.h"

#include <utf8proc.h>

#include "index/utf8.h"

static bool is_control(uint32_t c)
{
    switch (utf8proc_category((utf8proc_int32_t)c)) {
    case UTF8PROC_CATEGORY_CC: /* controls */
    case UTF8PROC_CATEGORY_CF: /* bidirectional and zero-width controls */
    case UTF8PROC_CATEGORY_ZL: /* U+2028 */
    case UTF8PROC_CATEGORY_ZP: /* U+2029 */
        return true;
    default:
        return false;
    }
}

static void append_control(struct buf *out, uint32_t c)
{
    if (c == '\t')
        buf_puts(out, "\\t");
    else if (c == '\n')
        buf_puts(out, "\\n");
    else if (c == '\r')
        buf_puts(out, "\\r");
    else
        buf_printf(out, "\\u{%x}", c);
}

void terminal_quote(struct bytes text, struct buf *out)
{
    for (size_t at = 0; at < text.size;) {
        const uint8_t *p = text.data + at;
        unsigned step;
        unsigned length = utf8_sequence(p, text.size - at, &step);

        if (!length)
            for (unsigned i = 0; i < step; i++)
                buf_printf(out, "\\x{%02x}", p[i]);
        else if (is_control(utf8_decode(p, length)))
            append_control(out, utf8_decode(p, length));
        else
            buf_append(out, p, length);
        at += step;
    }
}

size_t terminal_fit(struct bytes quoted, size_t columns, size_t *taken)
{
    size_t at = 0, width = 0;

    while (at < quoted.size) {
        const uint8_t *p = quoted.data + at;
        unsigned step;
        unsigned length = utf8_sequence(p, quoted.size - at, &step);
        int wide = length ? utf8proc_charwidth((utf8proc_int32_t)utf8_decode(p, length)) : 1;

        if (width + (size_t)wide > columns)
            break;
        width += (size_t)wide;
        at += step;
    }
    *taken = width;
    return at;
}

size_t terminal_width(struct bytes quoted)
{
    size_t width;

    terminal_fit(quoted, SIZE_MAX / 2, &width);
    return width;
}
