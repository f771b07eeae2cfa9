/*
 * fuzz_check.c: any bytes as a whole image, through the structural check; with checksums that pass
 * (OSTSCAN_FUZZ). Inputs of one file: its bytes, up to what the fuzzer makes.
 *
 * Whatever the image, the check ends, what it says is consistent, and findings come in order.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "io/err.h"
#include "scanner/check/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
