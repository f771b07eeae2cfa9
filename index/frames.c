/*
 * frames.c: see frames.h.
 *
 * Lines gather in `pending` until the next one would make it longer than FRAMES_BYTES; then they
 * become one zstd frame. A longer line is alone in its frame. A digest of the bytes of the file
 * runs along, for the seal.
 */
#include "index/frames.h"

#include <assert.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "index/hash.h"
#include "index/seektable.h"
#include "io/mem.h"
#include "io/outfile.h"

/* On records level 1 is twice as fast as 3, and smaller: what level 3 looks for besides, short
 * matches and far ones, is found in hex digits by chance. */
enum { LEVEL = 1 };

struct packer {
    ZSTD_CCtx *zstd;
};

struct frames {
    struct io_outfile *file;
    struct packer *packer;
    struct buf pending;    /* lines of the frame that is being filled */
    struct buf compressed; /* scratch for one frame */
    struct seektable table;
    struct idx_hash *all;
};

void packer_destroy(struct packer *p)
{
    if (!p)
        return;
    ZSTD_freeCCtx(p->zstd);
    mem_free(p);
}

int packer_create(struct packer **out)
{
    struct packer *p = mem_zalloc(sizeof *p);

    if (!p)
        return ERR_NOMEM;
    p->zstd = ZSTD_createCCtx();
    if (!p->zstd || ZSTD_isError(ZSTD_CCtx_setParameter(p->zstd, ZSTD_c_compressionLevel, LEVEL)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(p->zstd, ZSTD_c_checksumFlag, 1)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(p->zstd, ZSTD_c_contentSizeFlag, 1))) {
        packer_destroy(p);
        return ERR_NOMEM;
    }
    *out = p;
    return 0;
}

int packer_pack(struct packer *p, struct bytes content, struct buf *frame)
{
    size_t bound = ZSTD_compressBound(content.size);
    size_t size;

    buf_reset(frame);
    if (!buf_reserve(frame, bound))
        return ERR_NOMEM;
    size = ZSTD_compress2(p->zstd, frame->data, bound, content.data, content.size);
    if (ZSTD_isError(size)) {
        assert(ZSTD_getErrorCode(size) == ZSTD_error_memory_allocation);
        return ERR_NOMEM;
    }
    frame->size = size;
    return 0;
}

static void destroy(struct frames *f)
{
    packer_destroy(f->packer);
    buf_done(&f->pending);
    buf_done(&f->compressed);
    seektable_done(&f->table);
    idx_hash_destroy(f->all);
    mem_free(f);
}

static int prepare(struct frames *f)
{
    int code = packer_create(&f->packer);

    return code ? code : idx_hash_create(IDX_XXH3, &f->all);
}

int frames_create(const char *dir, const char *name, struct frames **out, struct fault *fault)
{
    struct frames *f = mem_zalloc(sizeof *f);
    int code = f ? prepare(f) : ERR_NOMEM;

    if (!code)
        code = io_outfile_create(dir, name, &f->file, fault);
    else
        *fault = (struct fault){.code = code, .what = "allocate"};
    if (code) {
        if (f)
            destroy(f);
        return code;
    }
    *out = f;
    return 0;
}

/* Bytes of the file, under the seal. */
static int put(struct frames *f, const void *data, size_t size)
{
    idx_hash_update(f->all, data, size);
    return io_outfile_write(f->file, data, size);
}

/* A frame of those lines: its entry, and its bytes. */
static int put_frame(struct frames *f, struct bytes lines, struct bytes frame)
{
    int code;

    /* A frame ends with the checksum that its entry has. */
    assert(frame.size >= 4 && lines.size <= UINT32_MAX && frame.size <= UINT32_MAX);
    code = seektable_add_frame(&f->table,
                               (struct seek_frame){(uint32_t)frame.size, (uint32_t)lines.size,
                                                   le32(frame.data + frame.size - 4)});
    return code ? code : put(f, frame.data, frame.size);
}

static int write_frame(struct frames *f)
{
    struct bytes content = {f->pending.data, f->pending.size};
    int code;

    if (!content.size)
        return 0;
    code = packer_pack(f->packer, content, &f->compressed);
    if (!code)
        code = put_frame(f, content, (struct bytes){f->compressed.data, f->compressed.size});
    buf_reset(&f->pending);
    return code;
}

int frames_packed(struct frames *f, struct bytes lines, struct bytes frame)
{
    int code = write_frame(f);

    return code ? code : put_frame(f, lines, frame);
}

int frames_line(struct frames *f, const void *line, size_t size)
{
    int code;

    assert(size && ((const char *)line)[size - 1] == '\n');
    if (size > FRAMES_LINE_MAX)
        return ERR_LIMIT;
    code = f->pending.size + size > FRAMES_BYTES ? write_frame(f) : 0;
    if (code)
        return code;
    buf_append(&f->pending, line, size);
    return f->pending.failed ? ERR_NOMEM : 0;
}

static int write_tail(struct frames *f)
{
    struct ost_digest so_far;
    uint8_t seal[SEAL_SIZE];
    int code;

    idx_hash_final(f->all, &so_far);
    seektable_seal(&so_far, seal);
    code = seektable_add(&f->table, sizeof seal, (struct bytes){0});
    if (code)
        return code;
    buf_reset(&f->compressed);
    buf_append(&f->compressed, seal, sizeof seal);
    seektable_write(&f->table, &f->compressed);
    if (f->compressed.failed)
        return ERR_NOMEM;
    return io_outfile_write(f->file, f->compressed.data, f->compressed.size);
}

void frames_fault(const struct frames *f, int code, struct fault *fault)
{
    if (io_outfile_fault(f->file)->code)
        *fault = *io_outfile_fault(f->file);
    else
        *fault = (struct fault){.code = code, .what = "allocate"};
}

int frames_commit(struct frames *f, struct fault *fault)
{
    struct fault none, *told = fault ? fault : &none;
    int code = write_frame(f);

    if (!code)
        code = write_tail(f);
    if (!code) {
        code = io_outfile_commit(f->file, told);
        f->file = NULL;
    } else {
        frames_fault(f, code, told);
    }
    frames_abort(f);
    return code;
}

void frames_abort(struct frames *f)
{
    if (!f)
        return;
    io_outfile_abort(f->file);
    destroy(f);
}
