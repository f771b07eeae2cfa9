/*
 * manifest_read.c: the reader of manifests; see manifest.h, MANIFEST.md.
 *
 *   input (source, 64 KiB at a time) ──▶ frame content (whole, its checksum verified by zstd)
 *       ──▶ lines ──▶ `end` ──▶ seal ──▶ seek table ──▶ end of file
 *
 * Nothing is believed that is not read anyway: the seek table is made anew from the frames passed
 * and compared byte for byte, and so is the seal. What zstd lets through (bits of a frame that no
 * decoder looks at, another way to say the same content) the seal catches. A frame's content is
 * bounded by the longest line, its window by WINDOW_LOG, so memory is too.
 */
#include "index/manifest.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "index/json_read.h"
#include "index/seektable.h"
#include "io/mem.h"

enum { INPUT_BYTES = 64 * 1024, WINDOW_LOG = 23, REASON = 120, FRAME_HEAD = 18 };

/* Frame header descriptor (RFC 8878, 3.1.1.1.1): no dictionary, reserved and unused bits 0, a
 * content checksum. */
enum { DESCRIPTOR_MASK = 0x1F, DESCRIPTOR_WANTED = 0x04 };

/* A window on the file: what was read and not used yet is data[at .. end). */
struct input {
    struct io_source *source;
    uint8_t *data;
    size_t at, end;
    uint64_t offset; /* in the file, of data[end] */
};

struct idx_manifest_reader {
    struct io_source *source, *owned;
    int fd; /* of `owned` */
    struct input in;
    ZSTD_DCtx *zstd;
    struct buf frame;                   /* content of the frame at hand */
    size_t line_at;                     /* in it */
    uint64_t frame_offset, line_offset; /* decompressed */
    struct seektable table;
    struct idx_hash *body, *all;
    struct ost_digest scan_digest;
    uint64_t counts[IDX_RECORDS];
    enum idx_record last;
    int error; /* of the environment: no line follows it */
    bool done;
    enum idx_manifest_state state;
    char reason[REASON];

    bool have_index; /* for idx_manifest_read_at */
    struct seektable index;
    struct buf at_frame;
    uint32_t at_number; /* of the frame in at_frame, + 1 */
};

static int prepare(struct idx_manifest_reader *r)
{
    int code;

    r->in = (struct input){.source = r->source, .data = mem_alloc(INPUT_BYTES)};
    r->zstd = ZSTD_createDCtx();
    if (!r->in.data || !r->zstd ||
        ZSTD_isError(ZSTD_DCtx_setParameter(r->zstd, ZSTD_d_windowLogMax, WINDOW_LOG)))
        return ERR_NOMEM;
    code = idx_hash_create(IDX_XXH3, &r->body);
    return code ? code : idx_hash_create(IDX_XXH3, &r->all);
}

int idx_manifest_open_source(struct io_source *source, struct idx_manifest_reader **out)
{
    struct idx_manifest_reader *r = mem_zalloc(sizeof *r);
    int code;

    if (!r)
        return ERR_NOMEM;
    r->source = source;
    r->fd = -1;
    code = prepare(r);
    if (code) {
        idx_manifest_close(r);
        return code;
    }
    *out = r;
    return 0;
}

static int open_regular(const char *path, struct stat *st, int *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0)
        return err_from_errno(errno);
    if (fstat(fd, st) == 0 && S_ISREG(st->st_mode)) {
        *out = fd;
        return 0;
    }
    close(fd);
    errno = 0;
    return ERR_UNSUPPORTED;
}

int idx_manifest_open(const char *path, struct idx_manifest_reader **out, struct fault *fault)
{
    struct idx_manifest_reader *r = NULL;
    struct io_source *source = NULL;
    struct stat st;
    int fd = -1;
    int code = open_regular(path, &st, &fd);

    if (code) {
        *fault = (struct fault){.code = code, .errnum = errno, .what = "open"};
        return code;
    }
    code = io_source_open_pread(fd, (uint64_t)st.st_size, &source);
    if (!code)
        code = idx_manifest_open_source(source, &r);
    if (code) {
        *fault = (struct fault){.code = code, .what = "allocate"};
        io_source_close(source);
        close(fd);
        return code;
    }
    r->owned = source;
    r->fd = fd;
    *out = r;
    return 0;
}

void idx_manifest_close(struct idx_manifest_reader *r)
{
    if (!r)
        return;
    ZSTD_freeDCtx(r->zstd);
    mem_free(r->in.data);
    buf_done(&r->frame);
    buf_done(&r->at_frame);
    seektable_done(&r->table);
    seektable_done(&r->index);
    idx_hash_destroy(r->body);
    idx_hash_destroy(r->all);
    io_source_close(r->owned);
    if (r->fd >= 0)
        close(r->fd);
    mem_free(r);
}

const char *idx_manifest_reason(const struct idx_manifest_reader *r)
{
    return r->reason;
}

uint64_t idx_manifest_offset(const struct idx_manifest_reader *r)
{
    return r->line_offset;
}

/* What is wrong, for people, with the frame (from 1) it was met in. 0: the lines are at their end.
 */
__attribute__((format(printf, 3, 4))) static int
finish(struct idx_manifest_reader *r, enum idx_manifest_state state, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(r->reason, sizeof r->reason, format, args);
    va_end(args);
    r->done = true;
    r->state = state;
    return 0;
}

static int truncated(struct idx_manifest_reader *r, const char *where)
{
    return finish(r, MANIFEST_TRUNCATED, "the file ends %s", where);
}

static int damaged(struct idx_manifest_reader *r, const char *what)
{
    return finish(r, MANIFEST_DAMAGED, "frame %u: %s", seektable_count(&r->table) + 1, what);
}

/* Makes at least min(want, what the file still has) bytes stand at in->at; want <= INPUT_BYTES. */
static int fill(struct input *in, size_t want)
{
    uint64_t left = in->source->size_bytes - in->offset;
    size_t room;
    int code;

    if (in->end - in->at >= want || !left)
        return 0;
    memmove(in->data, in->data + in->at, in->end - in->at);
    in->end -= in->at;
    in->at = 0;
    room = INPUT_BYTES - in->end;
    if (room > left)
        room = (size_t)left;
    code = io_source_read(in->source, in->offset, in->data + in->end, room);
    if (code)
        return code == ERR_RANGE ? ERR_IO : code; /* shorter than it was at opening */
    in->end += room;
    in->offset += room;
    return 0;
}

static size_t at_hand(const struct input *in)
{
    return in->end - in->at;
}

static int zstd_code(size_t result)
{
    return ZSTD_getErrorCode(result) == ZSTD_error_memory_allocation ? ERR_NOMEM : ERR_DAMAGED;
}

/*
 * What a frame's header says of its content; false when it is none of ours: with a checksum, a
 * size, no dictionary.
 */
static bool frame_content(const uint8_t *head, size_t size, size_t *content)
{
    unsigned long long declared;

    if (size < 5 || le32(head) != ZSTD_FRAME_MAGIC ||
        (head[4] & DESCRIPTOR_MASK) != DESCRIPTOR_WANTED)
        return false;
    declared = ZSTD_getFrameContentSize(head, size);
    if (declared == ZSTD_CONTENTSIZE_UNKNOWN || declared == ZSTD_CONTENTSIZE_ERROR || !declared ||
        declared > IDX_MANIFEST_LINE_MAX)
        return false;
    *content = (size_t)declared;
    return true;
}

/* Decompresses the frame at hand into r->frame and counts its bytes. ERR_RANGE: the file ends. */
static int decompress(struct idx_manifest_reader *r, size_t content, size_t *compressed)
{
    ZSTD_outBuffer out = {NULL, 0, 0};
    size_t used = 0, left = 1;
    int code;

    ZSTD_DCtx_reset(r->zstd, ZSTD_reset_session_only);
    buf_reset(&r->frame);
    if (!buf_reserve(&r->frame, content))
        return ERR_NOMEM;
    out = (ZSTD_outBuffer){r->frame.data, content, 0};
    while (left) {
        ZSTD_inBuffer in;
        size_t before = out.pos;

        code = fill(&r->in, 1);
        if (code)
            return code;
        in = (ZSTD_inBuffer){r->in.data + r->in.at, at_hand(&r->in), 0};
        left = ZSTD_decompressStream(r->zstd, &out, &in);
        if (ZSTD_isError(left))
            return zstd_code(left);
        if (left && !in.pos && out.pos == before)
            return at_hand(&r->in) ? ERR_DAMAGED : ERR_RANGE;
        idx_hash_update(r->all, in.src, in.pos);
        r->in.at += in.pos;
        used += in.pos;
    }
    if (out.pos != content)
        return ERR_DAMAGED;
    r->frame.size = content;
    *compressed = used;
    return 0;
}

/* 1: the next frame's lines are at hand. 0: done. */
static int next_frame(struct idx_manifest_reader *r)
{
    size_t content, compressed = 0;
    int code = fill(&r->in, FRAME_HEAD);

    if (code)
        return code;
    if (!at_hand(&r->in))
        return truncated(r, "before the `end` record");
    if (!frame_content(r->in.data + r->in.at, at_hand(&r->in), &content)) {
        if (at_hand(&r->in) < FRAME_HEAD)
            return truncated(r, "within the head of a frame");
        return damaged(r, "not a frame of a manifest");
    }
    r->frame_offset += r->frame.size;
    r->line_at = 0;
    code = decompress(r, content, &compressed);
    if (code == ERR_RANGE)
        return truncated(r, "within a frame");
    if (code == ERR_DAMAGED)
        return damaged(r, "its content or checksum is wrong");
    if (code)
        return code;
    code = seektable_add(&r->table, compressed, (struct bytes){r->frame.data, r->frame.size});
    if (code == ERR_LIMIT)
        return damaged(r, "too many frames");
    return code ? code : 1;
}

/* True if the member of `end` is that digest's text. */
static bool digest_is(struct bytes line, const char *key, const struct ost_digest *d)
{
    char text[IDX_DIGEST_TEXT];
    struct json_token token;
    struct bytes found;

    idx_digest_text(d, text);
    return json_find(line, key, &found) == 1 && json_scalar(found, &token) &&
           json_token_is(&token, text);
}

static bool counts_are(struct bytes line, const uint64_t counts[IDX_RECORDS])
{
    struct bytes object, found;
    struct json_token token;
    uint64_t n;

    if (json_find(line, "counts", &object) != 1)
        return false;
    for (unsigned type = 0; type < IDX_RECORDS; type++) {
        if (json_find(object, idx_record_name(type), &found) != 1 || !json_scalar(found, &token) ||
            !json_token_u64(&token, &n) || n != counts[type])
            return false;
    }
    return true;
}

/* What is wrong with the `end` record; NULL: nothing. */
static const char *end_fault(struct idx_manifest_reader *r, struct bytes line)
{
    struct ost_digest digest;
    struct json_token token;
    struct bytes found;

    idx_hash_final(r->body, &digest);
    if (json_find(line, "complete", &found) != 1 || !json_scalar(found, &token) ||
        token.kind != JSON_TRUE)
        return "`end` does not say complete";
    if (!counts_are(line, r->counts))
        return "the counts of `end` are not those of the records";
    if (!digest_is(line, "digest", &digest))
        return "the digest of `end` is not that of the records";
    if (!digest_is(line, "scan_digest", &r->scan_digest))
        return "the scan_digest of `end` is not that of the `scan` record";
    if (r->line_at != r->frame.size)
        return "text after the `end` record";
    return NULL;
}

/* The file's next bytes are exactly these: 1. 0: they are not, and that is said. */
static int expect(struct idx_manifest_reader *r, const void *wanted, size_t size, const char *name)
{
    const uint8_t *p = wanted;

    while (size) {
        size_t n = size < INPUT_BYTES ? size : INPUT_BYTES;
        int code = fill(&r->in, n);
        size_t have = at_hand(&r->in) < n ? at_hand(&r->in) : n;

        if (code)
            return code;
        if (memcmp(r->in.data + r->in.at, p, have) != 0)
            return finish(r, MANIFEST_DAMAGED, "the %s is wrong", name);
        if (have < n)
            return finish(r, MANIFEST_TRUNCATED, "the file ends before the %s does", name);
        r->in.at += n;
        p += n;
        size -= n;
    }
    return 1;
}

/* All that follows the frame of `end`. 1: as it should be. */
static int check_tail(struct idx_manifest_reader *r)
{
    struct ost_digest so_far;
    uint8_t seal[SEAL_SIZE];
    struct buf table = BUF_INIT;
    int code;

    idx_hash_final(r->all, &so_far);
    seektable_seal(&so_far, seal);
    code = expect(r, seal, sizeof seal, "seal");
    if (code != 1)
        return code;
    code = seektable_add(&r->table, sizeof seal, (struct bytes){0});
    if (code == ERR_LIMIT)
        return damaged(r, "too many frames");
    if (code)
        return code;
    seektable_write(&r->table, &table);
    code = table.failed ? ERR_NOMEM : expect(r, table.data, table.size, "seek table");
    buf_done(&table);
    if (code != 1)
        return code;
    code = fill(&r->in, 1);
    if (!code && at_hand(&r->in))
        return finish(r, MANIFEST_DAMAGED, "bytes after the seek table");
    return code ? code : 1;
}

/* A line against the order of records, into counts and digests. 1, or 0 when it is wrong. */
static int admit(struct idx_manifest_reader *r, int type, struct bytes line)
{
    int code;

    if (type < 0)
        return damaged(r, "a line that is no record");
    if ((type == RECORD_SCAN) != !r->counts[RECORD_SCAN])
        return damaged(r, "the first line is no `scan` record, or a later one is");
    if (type < (int)r->last)
        return damaged(r, "records out of order");
    r->counts[type]++;
    r->last = (enum idx_record)type;
    if (type == RECORD_SCAN) {
        code = idx_hash_bytes(IDX_XXH3, line.data, line.size, &r->scan_digest);
        return code ? code : 1;
    }
    if (type != RECORD_END)
        idx_hash_update(r->body, line.data, line.size);
    return 1;
}

static int admit_end(struct idx_manifest_reader *r, struct bytes line)
{
    const char *fault = end_fault(r, line);
    int got;

    if (fault)
        return damaged(r, fault);
    got = check_tail(r);
    if (got == 1) {
        r->done = true;
        r->state = MANIFEST_COMPLETE;
    }
    return got;
}

static int next_line(struct idx_manifest_reader *r, enum idx_record *type, struct bytes *out)
{
    struct bytes line;
    const uint8_t *start, *end;
    int named, got = 1;

    if (r->done)
        return 0;
    if (r->line_at == r->frame.size)
        got = next_frame(r);
    if (got != 1)
        return got;
    start = r->frame.data + r->line_at;
    end = memchr(start, '\n', r->frame.size - r->line_at);
    if (!end)
        return damaged(r, "its last line is not whole");
    line = (struct bytes){start, (size_t)(end - start) + 1};
    r->line_offset = r->frame_offset + r->line_at;
    r->line_at += line.size;
    named = idx_record_of_line(line);
    got = admit(r, named, line);
    if (got == 1 && named == RECORD_END)
        got = admit_end(r, line);
    if (got != 1)
        return got;
    *type = (enum idx_record)named;
    *out = line;
    return 1;
}

int idx_manifest_next(struct idx_manifest_reader *r, enum idx_record *type, struct bytes *line,
                      enum idx_manifest_state *state)
{
    int got = r->error ? r->error : next_line(r, type, line);

    if (got < 0)
        r->error = got;
    if (got == 0)
        *state = r->state;
    return got;
}

static int load_index(struct idx_manifest_reader *r)
{
    const uint64_t size = r->source->size_bytes;
    uint8_t head[SEEK_SKIPPABLE_HEAD], footer[SEEK_FOOTER];
    uint64_t table;
    uint32_t count;
    int code;

    if (size < sizeof head + sizeof footer)
        return ERR_DAMAGED;
    code = io_source_read(r->source, size - sizeof footer, footer, sizeof footer);
    if (code)
        return code;
    table = seektable_footer(footer, &count) ? (uint64_t)count * SEEK_ENTRY : UINT64_MAX;
    if (table > size - sizeof head - sizeof footer)
        return ERR_DAMAGED;
    code = io_source_read(r->source, size - sizeof footer - table - sizeof head, head, sizeof head);
    if (code)
        return code;
    if (le32(head) != SEEK_MAGIC || le32(head + 4) != table + sizeof footer)
        return ERR_DAMAGED;
    buf_reset(&r->index.entries);
    if (!buf_reserve(&r->index.entries, (size_t)table))
        return ERR_NOMEM;
    code = io_source_read(r->source, size - sizeof footer - table, r->index.entries.data,
                          (size_t)table);
    if (code)
        return code;
    r->index.entries.size = (size_t)table;
    r->have_index = true;
    return 0;
}

/* Frame `n`, which begins at `offset` of the file, into r->at_frame. */
static int load_frame(struct idx_manifest_reader *r, uint32_t n, uint64_t offset)
{
    struct seek_frame f = seektable_frame(&r->index, n);
    uint8_t *packed;
    size_t content, got;
    int code;

    r->at_number = 0;
    buf_reset(&r->at_frame);
    if (f.decompressed > IDX_MANIFEST_LINE_MAX ||
        !range_fits(offset, f.compressed, r->source->size_bytes))
        return ERR_DAMAGED;
    packed = mem_alloc(f.compressed);
    if (!packed || !buf_reserve(&r->at_frame, f.decompressed)) {
        mem_free(packed);
        return ERR_NOMEM;
    }
    code = io_source_read(r->source, offset, packed, f.compressed);
    if (!code && (!frame_content(packed, f.compressed, &content) || content != f.decompressed))
        code = ERR_DAMAGED;
    if (!code) {
        ZSTD_DCtx_reset(r->zstd, ZSTD_reset_session_only);
        got = ZSTD_decompressDCtx(r->zstd, r->at_frame.data, content, packed, f.compressed);
        code = ZSTD_isError(got) ? zstd_code(got) : got == content ? 0 : ERR_DAMAGED;
    }
    mem_free(packed);
    if (code)
        return code;
    r->at_frame.size = f.decompressed;
    if (seektable_checksum((struct bytes){r->at_frame.data, f.decompressed}) != f.checksum)
        return ERR_DAMAGED;
    r->at_number = n + 1;
    return 0;
}

/* The frame that holds a decompressed offset, and where both its sides begin; false: none does. */
static bool find_frame(const struct seektable *index, uint64_t offset, uint32_t *n,
                       uint64_t *packed_start, uint64_t *start)
{
    uint64_t packed = 0, plain = 0;

    for (uint32_t i = 0; i < seektable_count(index); i++) {
        struct seek_frame f = seektable_frame(index, i);

        if (offset - plain < f.decompressed) {
            *n = i;
            *packed_start = packed;
            *start = plain;
            return true;
        }
        packed += f.compressed;
        plain += f.decompressed;
    }
    return false;
}

int idx_manifest_read_at(struct idx_manifest_reader *r, uint64_t offset, enum idx_record *type,
                         struct bytes *line)
{
    uint64_t packed_start, start;
    const uint8_t *end;
    uint32_t n;
    size_t at;
    int named, code = r->have_index ? 0 : load_index(r);

    if (code)
        return code;
    if (!find_frame(&r->index, offset, &n, &packed_start, &start))
        return 0;
    code = r->at_number == n + 1 ? 0 : load_frame(r, n, packed_start);
    if (code)
        return code;
    at = (size_t)(offset - start);
    if (at && r->at_frame.data[at - 1] != '\n')
        return 0;
    end = memchr(r->at_frame.data + at, '\n', r->at_frame.size - at);
    if (!end)
        return ERR_DAMAGED;
    *line = (struct bytes){r->at_frame.data + at, (size_t)(end - r->at_frame.data) - at + 1};
    named = idx_record_of_line(*line);
    if (named < 0)
        return ERR_DAMAGED;
    *type = (enum idx_record)named;
    return 1;
}
