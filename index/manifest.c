/*
 * manifest.c: the writer of manifests, and the names of records; see manifest.h.
 *
 * Lines gather in `pending` until the next one would make it longer than FRAME_BYTES; then they
 * become one zstd frame. A longer line is alone in its frame. Three digests run along, all
 * XXH3-128: of the scan line, of the lines after it, and of the bytes of the file (for the seal).
 */
#include "index/manifest.h"

#include <assert.h>
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "index/json.h"
#include "index/seektable.h"
#include "io/mem.h"
#include "io/outfile.h"

enum { FRAME_BYTES = 256 * 1024, LEVEL = 3 };

static const char *const names[IDX_RECORDS] = {"scan",    "image",   "folder", "item",
                                               "finding", "verdict", "end"};

const char *idx_record_name(enum idx_record type)
{
    assert(type < IDX_RECORDS);
    return names[type];
}

int idx_record_by_name(const char *name, size_t size)
{
    for (int i = 0; i < IDX_RECORDS; i++) {
        if (strlen(names[i]) == size && memcmp(names[i], name, size) == 0)
            return i;
    }
    return -1;
}

int idx_record_of_line(struct bytes line)
{
    static const char start[] = "{\"type\":\"";
    const size_t skip = sizeof start - 1;
    const uint8_t *end;

    if (line.size <= skip || memcmp(line.data, start, skip) != 0)
        return -1;
    end = memchr(line.data + skip, '"', line.size - skip);
    if (!end)
        return -1;
    return idx_record_by_name((const char *)line.data + skip, (size_t)(end - line.data) - skip);
}

struct idx_manifest_writer {
    struct io_outfile *file;
    ZSTD_CCtx *zstd;
    struct buf pending;    /* lines of the frame that is being filled */
    struct buf compressed; /* scratch for one frame */
    struct seektable table;
    struct idx_hash *body, *all;
    struct ost_digest scan_digest;
    uint64_t counts[IDX_RECORDS];
    enum idx_record last;
};

static void destroy(struct idx_manifest_writer *w)
{
    ZSTD_freeCCtx(w->zstd);
    buf_done(&w->pending);
    buf_done(&w->compressed);
    seektable_done(&w->table);
    idx_hash_destroy(w->body);
    idx_hash_destroy(w->all);
    mem_free(w);
}

static int prepare(struct idx_manifest_writer *w)
{
    int code;

    w->zstd = ZSTD_createCCtx();
    if (!w->zstd || ZSTD_isError(ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_compressionLevel, LEVEL)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_checksumFlag, 1)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_contentSizeFlag, 1)))
        return ERR_NOMEM;
    code = idx_hash_create(IDX_XXH3, &w->body);
    return code ? code : idx_hash_create(IDX_XXH3, &w->all);
}

int idx_manifest_create(const char *dir, const char *name, struct idx_manifest_writer **out,
                        struct fault *fault)
{
    struct idx_manifest_writer *w = mem_zalloc(sizeof *w);
    int code = w ? prepare(w) : ERR_NOMEM;

    if (!code)
        code = io_outfile_create(dir, name, &w->file, fault);
    else
        *fault = (struct fault){.code = code, .what = "allocate"};
    if (code) {
        if (w)
            destroy(w);
        return code;
    }
    *out = w;
    return 0;
}

/* Bytes of the file, under the seal. */
static int put(struct idx_manifest_writer *w, const void *data, size_t size)
{
    idx_hash_update(w->all, data, size);
    return io_outfile_write(w->file, data, size);
}

static int write_frame(struct idx_manifest_writer *w)
{
    struct bytes content = {w->pending.data, w->pending.size};
    size_t bound = ZSTD_compressBound(content.size);
    size_t size;
    int code;

    if (!content.size)
        return 0;
    buf_reset(&w->compressed);
    if (!buf_reserve(&w->compressed, bound))
        return ERR_NOMEM;
    size = ZSTD_compress2(w->zstd, w->compressed.data, bound, content.data, content.size);
    if (ZSTD_isError(size)) {
        assert(ZSTD_getErrorCode(size) == ZSTD_error_memory_allocation);
        return ERR_NOMEM;
    }
    code = seektable_add(&w->table, size, content);
    if (!code)
        code = put(w, w->compressed.data, size);
    buf_reset(&w->pending);
    return code;
}

/* A line into its frame, whole. */
static int add(struct idx_manifest_writer *w, const void *line, size_t size)
{
    int code = w->pending.size + size > FRAME_BYTES ? write_frame(w) : 0;

    if (code)
        return code;
    buf_append(&w->pending, line, size);
    return w->pending.failed ? ERR_NOMEM : 0;
}

int idx_manifest_line(struct idx_manifest_writer *w, enum idx_record type, const void *line,
                      size_t size)
{
    int code;

    assert(type < RECORD_END && type >= w->last);
    assert((type == RECORD_SCAN) == !w->counts[RECORD_SCAN]);
    assert(size && ((const char *)line)[size - 1] == '\n');
    if (size > IDX_MANIFEST_LINE_MAX)
        return ERR_LIMIT;
    code = type == RECORD_SCAN ? idx_hash_bytes(IDX_XXH3, line, size, &w->scan_digest) : 0;
    if (!code)
        code = add(w, line, size);
    if (code)
        return code;
    if (type != RECORD_SCAN)
        idx_hash_update(w->body, line, size);
    w->counts[type]++;
    w->last = type;
    return 0;
}

uint64_t idx_manifest_count(const struct idx_manifest_writer *w, enum idx_record type)
{
    return w->counts[type];
}

static int write_end(struct idx_manifest_writer *w)
{
    struct buf line = BUF_INIT;
    struct ost_digest digest;
    struct json j;
    int code;

    w->counts[RECORD_END]++;
    idx_hash_final(w->body, &digest);
    json_record(&j, &line, idx_record_name(RECORD_END));
    json_object(&j, "counts");
    for (unsigned type = 0; type < IDX_RECORDS; type++)
        json_u64(&j, names[type], w->counts[type]);
    json_close_object(&j);
    json_digest(&j, "digest", &digest);
    json_digest(&j, "scan_digest", &w->scan_digest);
    json_bool(&j, "complete", true);
    json_end_record(&j);
    code = line.failed ? ERR_NOMEM : add(w, line.data, line.size);
    buf_done(&line);
    return code ? code : write_frame(w);
}

static int write_tail(struct idx_manifest_writer *w)
{
    struct ost_digest so_far;
    uint8_t seal[SEAL_SIZE];
    int code;

    idx_hash_final(w->all, &so_far);
    seektable_seal(&so_far, seal);
    code = seektable_add(&w->table, sizeof seal, (struct bytes){0});
    if (code)
        return code;
    buf_reset(&w->compressed);
    buf_append(&w->compressed, seal, sizeof seal);
    seektable_write(&w->table, &w->compressed);
    if (w->compressed.failed)
        return ERR_NOMEM;
    return io_outfile_write(w->file, w->compressed.data, w->compressed.size);
}

int idx_manifest_commit(struct idx_manifest_writer *w, struct fault *fault)
{
    struct fault none, *f = fault ? fault : &none;
    int code;

    assert(w->counts[RECORD_SCAN]);
    code = write_end(w);
    if (!code)
        code = write_tail(w);
    if (!code) {
        code = io_outfile_commit(w->file, f);
        w->file = NULL;
    } else if (io_outfile_fault(w->file)->code) {
        *f = *io_outfile_fault(w->file);
    } else {
        *f = (struct fault){.code = code, .what = "allocate"};
    }
    idx_manifest_abort(w);
    return code;
}

void idx_manifest_abort(struct idx_manifest_writer *w)
{
    if (!w)
        return;
    io_outfile_abort(w->file);
    destroy(w);
}
