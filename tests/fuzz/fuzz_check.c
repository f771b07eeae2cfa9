/*
 * fuzz_check.c: any bytes as a whole image, through the structural check; with checksums that pass
 * (OSTSCAN_FUZZ). Input: the file's bytes. Wants -max_len=524288 or so, for its seeds are small
 * images by ostgen.
 *
 * Whatever the image, the check ends, what it says is consistent, and findings come in order.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "io/err.h"
#include "scanner/check/check.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/seedimage.h"

struct seen {
    struct finding last;
    uint64_t count, corrupt;
};

static int finding(void *ctx, const struct finding *f)
{
    struct seen *seen = ctx;

    assert(f->code < FINDING_CODES && f->severity <= SEVERITY_CORRUPT);
    assert(f->item_count <= CHK_AFFECTED_MAX && f->folder_count <= CHK_AFFECTED_MAX);
    for (size_t i = 1; i < f->item_count; i++)
        assert(f->items[i - 1] < f->items[i]);
    /* the nid may be filled in after sorting */
    if (seen->count)
        assert(!f->has_offset || (seen->last.has_offset && seen->last.offset <= f->offset));
    seen->last = *f;
    seen->count++;
    seen->corrupt += f->severity == SEVERITY_CORRUPT;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ost_header header;
    struct ost_header_report report;
    struct io_source *source;
    struct seen seen = {.count = 0};
    struct chk_sink sink = {.ctx = &seen, .finding = finding};
    struct chk_result result;
    struct chk_job job = {.sources = &source,
                          .source_count = 1,
                          .header = &header,
                          .report = &report,
                          .memory_bytes = 16 << 20,
                          .deep = true};
    int rc;

    ost_header_check((struct bytes){data, size < OST_HEADER_SIZE ? size : OST_HEADER_SIZE}, size,
                     &header, &report);
    if (io_source_open_mem(data, size, &source))
        return 0;
    rc = chk_run(&job, &sink, &result);
    assert(rc == 0 || rc == ERR_LIMIT || rc == ERR_NOMEM);
    if (rc == 0) {
        assert(seen.corrupt == result.corrupt);
        assert(seen.count == result.corrupt + result.warnings + result.infos);
        assert(result.verified_bytes <= result.allocated_bytes);
    }
    io_source_close(source);
    return 0;
}

static unsigned next_random(unsigned *random)
{
    *random = *random * 1664525u + 1013904223u;
    return *random >> 8;
}

/* Damage that leaves everything in its place, as inserted bytes do not: fields of 1 to 8 bytes with
 * values of the image or near what was there, and whole sectors put elsewhere. */
static void hit(uint8_t *data, size_t size, unsigned random)
{
    for (unsigned left = 1 + next_random(&random) % 4; left; left--) {
        size_t at = next_random(&random) % (size - 8), from = next_random(&random) % (size - 8);

        if (random % 4 < 2)
            at &= ~(size_t)3;
        switch (next_random(&random) % 5) {
        case 0:
            data[at] ^= (uint8_t)(1u << next_random(&random) % 8);
            break;
        case 1:
            put_le32(data + at, le32(data + at) + next_random(&random) % 17 - 8);
            break;
        case 2:
            memmove(data + at, data + (from & ~(size_t)3), 8);
            break;
        case 3:
            put_le16(data + at, (uint16_t)next_random(&random));
            break;
        default:
            memmove(data + at / 512 * 512, data + from / 512 * 512,
                    size - (at > from ? at : from) / 512 * 512 < 512 ? 8 : 512);
        }
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    size_t made = 0;

    if (seed % 512 == 0)
        made = seed_make(data, max, seed / 512, true);
    else if (seed % 32 == 0)
        made = seed_sound(data, max, seed / 32);
    if (made)
        return made;
    if (size < 1024 || seed % 8 == 1)
        return LLVMFuzzerMutate(data, size, max);
    hit(data, size, seed);
    return size;
}
