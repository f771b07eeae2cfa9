/* csv.c: see csv.h. */
#include "index/csv.h"

#include <stdbool.h>

void csv_field(struct buf *out, const uint8_t *text, size_t size)
{
    bool plain = true;

    for (size_t i = 0; i < size && plain; i++)
        plain = text[i] != ',' && text[i] != '"' && text[i] != '\r' && text[i] != '\n';
    if (plain) {
        buf_append(out, text, size);
        return;
    }
    buf_putc(out, '"');
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '"')
            buf_putc(out, '"');
        buf_putc(out, (char)text[i]);
    }
    buf_putc(out, '"');
}
