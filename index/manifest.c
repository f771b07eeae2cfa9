/*
 * manifest.c: the writer of manifests, and the names of records; see manifest.h.
 *
 * Two digests run along, both XXH3-128: of the scan line and of the lines after it.
 */
#include "index/manifest.h"

#include <assert.h>
#include <string.h>

#include "index/frames.h"
#include "index/json.h"
#include "io/mem.h"

_Static_assert((int)IDX_MANIFEST_LINE_MAX == (int)FRAMES_LINE_MAX, "one bound of a line");

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
    struct frames *frames;
    struct idx_hash *body;
    struct ost_digest scan_digest;
    uint64_t counts[IDX_RECORDS];
    enum idx_record last;
};

static void destroy(struct idx_manifest_writer *w)
{
    idx_hash_destroy(w->body);
    mem_free(w);
}

int idx_manifest_create(const char *dir, const char *name, struct idx_manifest_writer **out,
                        struct fault *fault)
{
    struct idx_manifest_writer *w = mem_zalloc(sizeof *w);
    int code = w ? idx_hash_create(IDX_XXH3, &w->body) : ERR_NOMEM;

    if (!code)
        code = frames_create(dir, name, &w->frames, fault);
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

int idx_manifest_line(struct idx_manifest_writer *w, enum idx_record type, const void *line,
                      size_t size)
{
    int code;

    assert(type < RECORD_END && type >= w->last);
    assert((type == RECORD_SCAN) == !w->counts[RECORD_SCAN]);
    if (size > IDX_MANIFEST_LINE_MAX)
        return ERR_LIMIT;
    code = type == RECORD_SCAN ? idx_hash_bytes(IDX_XXH3, line, size, &w->scan_digest) : 0;
    if (!code)
        code = frames_line(w->frames, line, size);
    if (code)
        return code;
    if (type != RECORD_SCAN)
        idx_hash_update(w->body, line, size);
    w->counts[type]++;
    w->last = type;
    return 0;
}

int idx_manifest_packed(struct idx_manifest_writer *w, enum idx_record type, uint64_t count,
                        struct bytes lines, struct bytes frame)
{
    int code = frames_packed(w->frames, lines, frame);

    assert(type > RECORD_SCAN && type < RECORD_END && type >= w->last);
    if (code)
        return code;
    idx_hash_update(w->body, lines.data, lines.size);
    w->counts[type] += count;
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
    code = line.failed ? ERR_NOMEM : frames_line(w->frames, line.data, line.size);
    buf_done(&line);
    return code;
}

int idx_manifest_commit(struct idx_manifest_writer *w, struct fault *fault)
{
    struct fault none, *f = fault ? fault : &none;
    int code;

    assert(w->counts[RECORD_SCAN]);
    code = write_end(w);
    if (code) {
        frames_fault(w->frames, code, f);
        idx_manifest_abort(w);
        return code;
    }
    code = frames_commit(w->frames, f);
    destroy(w);
    return code;
}

bool idx_manifest_refused(const struct idx_manifest_writer *w, struct fault *fault)
{
    struct fault f;

    frames_fault(w->frames, ERR_NOMEM, &f);
    if (f.code == ERR_NOMEM)
        return false;
    *fault = f;
    return true;
}

void idx_manifest_abort(struct idx_manifest_writer *w)
{
    if (!w)
        return;
    frames_abort(w->frames);
    destroy(w);
}
