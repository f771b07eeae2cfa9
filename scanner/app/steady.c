/*
 * steady.c: see steady.h. The file is opened a second time by its path, through the page cache,
 * which has what others write now; a range is dropped from it before it is read, for on a network
 * share it may be old. A path that has gone, or that another program holds by now, is a change.
 * That the storage refuses what is asked for again is none: then nobody knows.
 */
#include "scanner/app/steady.h"

#include <string.h>

#include "io/mem.h"
#include "io/source.h"
#include "scanner/ost/block.h"
#include "scanner/ost/page.h"

enum { EXTENT_MOST = 128 << 10 /* more than any block has */, READ_AHEAD = 16 << 10 };

static bool is_of_block(enum finding_code code)
{
    return code == F_block_crc || code == F_block_lost || code == F_block_bid ||
           code == F_block_signature;
}

static bool is_of_page(const struct finding *f)
{
    return f->code == F_page_crc || f->code == F_amap_crc || f->code == F_page_signature ||
           (f->has_bid && (f->code == F_btree_page_lost || f->code == F_page_bid));
}

void steady_suspect(struct steady *s, const struct finding *f)
{
    bool block = is_of_block(f->code);

    if ((!block && !is_of_page(f)) || s->count == STEADY_SUSPECTS || !f->has_offset || !f->length ||
        f->length > EXTENT_MOST)
        return;
    s->suspects[s->count++] = (struct steady_suspect){
        .offset = f->offset,
        .bid = f->bid,
        .length = (uint32_t)f->length,
        .block = block,
        .has_bid = f->has_bid,
    };
}

static int read_again(struct io_source *again, uint64_t offset, uint8_t *into, size_t size)
{
    io_source_hint(again, IO_HINT_DONTNEED, offset, size);
    return io_source_read(again, offset, into, size);
}

static bool is_another_file(const struct io_identity *a, const struct io_identity *b)
{
    return a->device != b->device || a->inode != b->inode || a->size_bytes != b->size_bytes ||
           a->mtime_ns != b->mtime_ns;
}

/* The place of the trailer follows from the extent, whatever size the block has. */
static bool is_right_block(const struct steady_suspect *s, const struct ost_variant *v,
                           const uint8_t *extent)
{
    const struct ost_block_trailer t = ost_block_trailer(v, extent, s->length - v->block_trailer);
    const struct ost_block entry = {.bid = s->has_bid ? s->bid : t.bid,
                                    .offset = s->offset,
                                    .stored = t.stored,
                                    .inflated = v->deflates ? t.inflated : t.stored};
    struct ost_defects defects = {.count = 0};

    if (ost_block_extent(v, t.stored) != s->length)
        return false;
    ost_block_check(v, &entry, extent, &defects);
    return defects.count == 0;
}

static bool is_right_page(const struct steady_suspect *s, const struct ost_variant *v,
                          const uint8_t *page)
{
    const struct ost_page_trailer t = ost_page_trailer(v, page);
    struct ost_defects defects = {.count = 0};

    ost_page_check(v, page, t.type, s->has_bid ? s->bid : t.bid, s->offset, &defects);
    return defects.count == 0;
}

static bool is_right_now(const struct steady_suspect *s, const struct ost_variant *v,
                         const uint8_t *bytes)
{
    return s->block ? is_right_block(s, v, bytes) : is_right_page(s, v, bytes);
}

/* What cannot be read again stays what it was taken for. */
static int check_suspects(const struct steady *s, struct io_source *again,
                          const struct ost_variant *v, enum steady_state *state)
{
    uint8_t *bytes = s->count && v ? mem_alloc(EXTENT_MOST) : NULL;

    if (!s->count || !v)
        return 0;
    if (!bytes)
        return ERR_NOMEM;
    for (unsigned i = 0; i < s->count && *state == STEADY_STILL; i++) {
        const struct steady_suspect *one = &s->suspects[i];

        if ((one->block ? one->length >= v->block_trailer : one->length == v->page_size) &&
            read_again(again, one->offset, bytes, one->length) == 0 && is_right_now(one, v, bytes))
            *state = STEADY_CHANGED;
    }
    mem_free(bytes);
    return 0;
}

/* Of the header: it counts every change. */
static int check_head(struct io_source *again, struct bytes head, enum steady_state *state)
{
    uint8_t now[OST_HEADER_SIZE];
    int rc = head.size > sizeof now ? ERR_RANGE : read_again(again, 0, now, head.size);

    if (rc && rc != ERR_RANGE)
        return rc;
    *state = rc || memcmp(now, head.data, head.size) != 0 ? STEADY_CHANGED : STEADY_STILL;
    return 0;
}

static int check_bytes(const struct steady *s, struct io_source *again, struct bytes head,
                       enum ost_format format, enum steady_state *state)
{
    int rc;

    io_source_hint(again, IO_HINT_RANDOM, 0, again->size_bytes);
    rc = check_head(again, head, state);
    return rc || *state != STEADY_STILL || format == OST_FORMAT_UNKNOWN
               ? rc
               : check_suspects(s, again, ost_variant_of(format), state);
}

static bool is_refusal(int code)
{
    return code == ERR_IO || code == ERR_TIMEOUT || code == ERR_SYS;
}

int steady_check(const struct steady *s, struct io_reader *reader, const char *path, unsigned flags,
                 const struct io_file *file, struct bytes head, enum ost_format format,
                 enum steady_state *state)
{
    struct io_identity now;
    struct io_source *source = NULL;
    struct io_file again = {0};
    struct fault fault;
    int err = io_file_identity(file, &now), failed = 0;

    *state = err ? STEADY_UNKNOWN : STEADY_CHANGED;
    if (err || is_another_file(&now, &file->id))
        return 0;
    err = io_file_open_shared(path, flags & ~(unsigned)IO_FILE_DIRECT, file->share, &again, &fault);
    if (err == ERR_NOMEM || err == ERR_MFILE || err == ERR_CANCELLED)
        return err;
    if (is_refusal(err))
        *state = STEADY_UNKNOWN;
    if (err || is_another_file(&again.id, &file->id))
        goto out;
    err = io_source_open_reader(reader, again.fd, again.id.size_bytes, READ_AHEAD, &source);
    if (!err)
        err = check_bytes(s, source, head, format, state);
    if (err && !is_refusal(err))
        failed = err;
    else if (err)
        *state = STEADY_UNKNOWN;
out:
    io_source_close(source);
    io_file_close(&again);
    return failed;
}

struct finding steady_finding(enum steady_state state, struct bytes head)
{
    struct finding f = finding_of(state == STEADY_CHANGED ? F_changed_while_read : F_read_failed);

    if (state == STEADY_CHANGED)
        return f;
    f.has_offset = true;
    f.length = head.size;
    f.detail = "whether it changed meanwhile";
    return f;
}
