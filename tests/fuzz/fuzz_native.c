/*
 * fuzz_native.c: the native engine over a whole image in memory: folders, rows, items with all
 * their parts. What every item must be is checked by the sink (enginelog.h).
 *
 * Input: variant and crypt (u8), page numbers and bids of the roots (u16 each), then the image.
 * Wants -max_len=262144 or so.
 */
#include <assert.h>
#include <string.h>

#include "io/mem.h"
#include "scanner/engine_native.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/enginelog.h"
#include "tests/support/forge.h"
#include "tests/support/tinymessage.h"

enum { HEAD = 9 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct ost_variant *v;
    struct ost_header header = {0};
    struct io_source *source;
    struct engine_job job = {.header = &header, .memory_bytes = 1, .hasher = &enginelog_hasher};
    struct enginelog log;

    if (size < HEAD)
        return 0;
    v = ost_variant_of(forge_formats[data[0] % 3]);
    header.format = v->format;
    header.crypt = data[0] / 3 % 3;
    header.nbt = (struct ost_bref){le16(data + 5), (uint64_t)le16(data + 1) * v->page_size};
    header.bbt = (struct ost_bref){le16(data + 7), (uint64_t)le16(data + 3) * v->page_size};
    if (io_source_open_mem(data + HEAD, size - HEAD, &source))
        return 0;
    enginelog_init(&log);
    log.terse = true;
    fuzz_use((uint64_t)native_run_source(&job, &log.sink, source));
    enginelog_done(&log);
    io_source_close(source);
    return 0;
}

/* Damage of a kind that a flipped bit seldom is: some field of 16 bits, anywhere. */
static size_t hit(uint8_t *data, size_t size, unsigned seed)
{
    for (unsigned i = 0; i <= seed % 4; i++) {
        size_t at = HEAD + (seed * 2654435761u + i * 40503u) % (size - HEAD - 1);

        put_le16(data + at, (uint16_t)(seed >> (4 * i)));
    }
    return size;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    static struct tiny t;
    size_t made;

    if (seed % 4 == 1 && size > HEAD + 100)
        return hit(data, size, seed);
    if (seed % 16)
        return LLVMFuzzerMutate(data, size, max);
    tiny_mailbox(&t, forge_formats[seed / 16 % 3]);
    made = HEAD + t.size;
    if (made <= max) {
        data[0] = (uint8_t)(seed / 16 % 3);
        put_le16(data + 1, (uint16_t)(t.header.nbt.offset / t.v->page_size));
        put_le16(data + 3, (uint16_t)(t.header.bbt.offset / t.v->page_size));
        put_le16(data + 5, (uint16_t)t.header.nbt.bid);
        put_le16(data + 7, (uint16_t)t.header.bbt.bid);
        memcpy(data + HEAD, t.data, t.size);
    }
    tiny_done(&t);
    return made <= max ? made : LLVMFuzzerMutate(data, size, max);
}
