/*
 * text_input.h: text files of other programs, as a stream of UTF-8.
 *
 * UTF-8 with or without a byte order mark, UTF-16 of either byte order with one, or without one
 * where the first character shows it. Bytes that are no UTF-8 are read as Windows-1252, which
 * PowerShell before 6 writes on request.
 *
 * Threads: one. Memory: about 1 MiB.
 */
#ifndef INDEX_TEXT_INPUT_H
#define INDEX_TEXT_INPUT_H

#include "index/text.h"
#include "io/source.h"

enum text_encoding { TEXT_UTF8, TEXT_UTF16LE, TEXT_UTF16BE };

struct text_input {
    struct io_source *source;
    uint64_t at;
    enum text_encoding encoding;
    struct idx_text *converter;
    struct buf raw; /* bytes not converted yet stand at its beginning */
    struct buf text;
};

/* The source outlives the input. ERR_NOMEM, codes of the source. */
int text_input_init(struct text_input *t, struct io_source *source);
void text_input_done(struct text_input *t);

/* The next piece, never ending within a character: 1 (valid until the next call), 0 at the end, or
 * a code. */
int text_input_next(struct text_input *t, struct bytes *piece);

#endif
