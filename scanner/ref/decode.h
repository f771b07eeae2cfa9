/*
 * decode.h: the parent's side of the wire: bytes of the child, all taken as hostile, in; sink calls
 * out.
 *
 * Nothing here knows of processes: a stream may come from a pipe, a test or a fuzzer. Lengths,
 * nesting, order of frames, ids, enums and widths are checked; the first violation ends the stream.
 * What was complete before it has been handed to the sink.
 *
 * Memory: one item at a time stands in an arena of at most `memory_bytes`; an item that does not
 * fit is reported as failed. Attachment data goes to the hasher in passing. Threads: one thread
 * feeds a decoder and makes its sink calls.
 */
#ifndef SCANNER_REF_DECODE_H
#define SCANNER_REF_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scanner/engine.h"

struct decoder;

/* All pointers outlive the decoder. */
struct decoder_options {
    const struct ost_image
        *image; /* what the parent knows: content, format, crypt, version, unique */
    const struct engine_sink *sink;
    const struct ost_hasher *hasher; /* NULL: data gets no digest */
    uint64_t memory_bytes;
    uint64_t size_bytes; /* of the image: no progress goes beyond it */
};

int decoder_create(const struct decoder_options *options, struct decoder **out); /* ERR_NOMEM */
void decoder_destroy(struct decoder *d); /* NULL is allowed */

/*
 * Takes the next bytes of the stream. ERR_DAMAGED: the stream broke its grammar (decoder_violation
 * says how). ERR_NOMEM. Any other code is the sink's. After a code the decoder takes no more.
 */
int decoder_feed(struct decoder *d, const void *data, size_t size);

/* The stream is over, well or not: hands out what was complete and still held back. The sink's
 * code. */
int decoder_end(struct decoder *d);

/* The stream ended well: WIRE_DONE was its last frame, and everything announced was delivered. */
bool decoder_finished(const struct decoder *d);

/* Which rule was broken, as static text; NULL when none was. */
const char *decoder_violation(const struct decoder *d);

/* True once the sink was given the image. */
bool decoder_has_image(const struct decoder *d);

/* Messages that the child announced, and those handed out or reported as failed so far. */
uint64_t decoder_announced(const struct decoder *d);
uint64_t decoder_delivered(const struct decoder *d);

#endif
