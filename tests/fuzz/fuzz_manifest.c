/*
 * fuzz_manifest.c: any bytes as a manifest: the bytes as they are, and, as checksums would keep
 * most inputs from getting far, as the content of a frame under a tail that is right for it.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <zstd.h>

#include "index/manifest.h"
#include "index/seektable.h"
#include "index/show.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int ignore(void *ctx, const void *data, size_t size)
{
    *(size_t *)ctx += size;
    return data ? 0 : -1;
}

static void read_through(const uint8_t *data, size_t size)
{
    const struct idx_show_options options = {SHOW_TABLE, SHOW_ALL_TYPES, 80};
    struct idx_manifest_reader *r;
    struct io_source *source;
    enum idx_manifest_state state;
    enum idx_record type;
    struct idx_show *show;
    struct bytes line;
    size_t shown = 0;
    int got;

    if (io_source_open_mem(data, size, &source))
        return;
    assert(idx_manifest_open_source(source, &r) == 0);
    assert(idx_show_create(&options, ignore, &shown, &show) == 0);
    while ((got = idx_manifest_next(r, &type, &line, &state)) == 1)
        idx_show_line(show, type, line);
    assert(got == 0);
    idx_show_end(show);
    for (uint64_t at = 0; at < size && at < 64; at++)
        idx_manifest_read_at(r, at, &type, &line);
    idx_show_destroy(show);
    idx_manifest_close(r);
    io_source_close(source);
}

static void wrap(const uint8_t *data, size_t size, struct buf *file)
{
    ZSTD_CCtx *zstd = ZSTD_createCCtx();
    struct seektable table = {0};
    struct ost_digest digest;
    uint8_t seal[SEAL_SIZE];

    ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, 1);
    buf_reserve(file, ZSTD_compressBound(size));
    file->size = ZSTD_compress2(zstd, file->data, file->capacity, data, size);
    ZSTD_freeCCtx(zstd);
    seektable_add(&table, file->size, (struct bytes){data, size});
    idx_hash_bytes(IDX_XXH3, file->data, file->size, &digest);
    seektable_seal(&digest, seal);
    buf_append(file, seal, sizeof seal);
    seektable_add(&table, sizeof seal, (struct bytes){0});
    seektable_write(&table, file);
    seektable_done(&table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf file = BUF_INIT;

    read_through(data, size);
    wrap(data, size, &file);
    read_through(file.data, file.size);
    buf_done(&file);
    return 0;
}
