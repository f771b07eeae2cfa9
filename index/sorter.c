/*
 * sorter.c: see sorter.h.
 *
 *   lane:  records in chunks ──(full)──▶ references sorted ──▶ a run in the lane's spill file
 *   start: nothing spilled: the lanes' references are sorted, and merged from memory.
 *          else: what is left becomes runs too, memory is given back; while there are more runs
 *          than can be merged at once, the oldest become one; then all are merged on the way out.
 *
 * A reference holds the first eight bytes of its record, its head. References are sorted by their
 * heads byte by byte, from the last to the first, and those of one head then by whole records,
 * bottom-up by merging: so few comparisons touch a record, and it is n log n whatever the input.
 * Records stay where they are.
 */
#include "index/sorter.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "io/bytes.h"
#include "io/mem.h"
#include "io/spill.h"

enum {
    CHUNK_BYTES = 256 * 1024,
    RECORDS_LEAST = 4, /* in memory, of a lane or of a run in a merge */
    WINDOW_MOST = 1 << 20,
    WINDOW_WANTED = 16 * 1024, /* of a run in a merge; decides how many are merged at once */
    FAN_IN_LEAST = 4,
    FAN_IN_MOST = 512,
};

struct ref {
    uint64_t head;
    uint32_t index;
};

struct run;

struct lane {
    uint8_t **chunks;
    size_t chunk_count, chunk_capacity;
    size_t count; /* records in them */
    struct ref *refs, *other;
    size_t ref_capacity;
    struct io_spill *spill;
    struct run *runs; /* in it */
    size_t run_count, run_capacity;
    uint64_t added;
};

struct run {
    struct io_spill *spill; /* NULL: in memory, of `lane` */
    struct lane *lane;
    uint64_t offset, count;
};

/* A run being read: the record at hand and what was read behind it. */
struct cursor {
    struct run run;
    uint8_t *window;
    size_t at, end; /* records in the window */
    const uint8_t *record;
};

struct sorter {
    struct sorter_options options;
    size_t lane_records;  /* a lane is full with these */
    size_t chunk_records; /* a power of two */
    struct lane *lanes;
    struct io_spill *merged; /* runs made of runs */
    struct run *runs;        /* at start, all of them */
    size_t run_count;
    struct cursor *cursors;
    size_t *heap; /* indexes of cursors, the least first */
    size_t heap_count, cursor_count;
    bool advance; /* the heap's first was handed out */
    struct fault fault;
};

static int fail(struct sorter *s, int code, const struct io_spill *spill)
{
    if (spill && io_spill_fault(spill)->code)
        s->fault = *io_spill_fault(spill);
    else
        s->fault = (struct fault){.code = code, .what = "allocate"};
    return code;
}

int sorter_create(const struct sorter_options *options, struct sorter **out)
{
    struct sorter *s = mem_zalloc(sizeof *s);
    const size_t each = options->record_bytes + 2 * sizeof(struct ref);
    uint64_t records = options->memory_bytes / options->lanes / each;

    assert(options->record_bytes >= 8 && options->lanes);
    if (!s)
        return ERR_NOMEM;
    s->options = *options;
    s->lane_records = records < RECORDS_LEAST ? RECORDS_LEAST
                      : records > UINT32_MAX  ? UINT32_MAX
                                              : (size_t)records;
    s->chunk_records = 1;
    while (s->chunk_records * 2 * options->record_bytes <= CHUNK_BYTES &&
           s->chunk_records * 2 <= s->lane_records)
        s->chunk_records *= 2;
    s->lanes = mem_zalloc(options->lanes * sizeof *s->lanes);
    if (!s->lanes) {
        mem_free(s);
        return ERR_NOMEM;
    }
    *out = s;
    return 0;
}

static void free_memory(struct lane *l)
{
    for (size_t i = 0; i < l->chunk_count; i++)
        mem_free(l->chunks[i]);
    mem_free(l->chunks);
    mem_free(l->refs);
    mem_free(l->other);
    l->chunks = NULL;
    l->refs = l->other = NULL;
    l->chunk_count = l->chunk_capacity = l->ref_capacity = l->count = 0;
}

static void free_merge(struct sorter *s)
{
    for (size_t i = 0; i < s->cursor_count; i++)
        mem_free(s->cursors[i].window);
    mem_free(s->cursors);
    mem_free(s->heap);
    s->cursors = NULL;
    s->heap = NULL;
    s->cursor_count = s->heap_count = 0;
    s->advance = false;
}

void sorter_destroy(struct sorter *s)
{
    if (!s)
        return;
    free_merge(s);
    for (unsigned i = 0; i < s->options.lanes; i++) {
        free_memory(&s->lanes[i]);
        io_spill_destroy(s->lanes[i].spill);
        mem_free(s->lanes[i].runs);
    }
    io_spill_destroy(s->merged);
    mem_free(s->lanes);
    mem_free(s->runs);
    mem_free(s);
}

static uint8_t *record_at(const struct sorter *s, const struct lane *l, size_t index)
{
    return l->chunks[index / s->chunk_records] + index % s->chunk_records * s->options.record_bytes;
}

static int add_chunk(struct sorter *s, struct lane *l)
{
    if (l->chunk_count == l->chunk_capacity) {
        size_t capacity = l->chunk_capacity ? 2 * l->chunk_capacity : 16;
        uint8_t **grown = mem_realloc(l->chunks, capacity * sizeof *grown);

        if (!grown)
            return ERR_NOMEM;
        l->chunks = grown;
        l->chunk_capacity = capacity;
    }
    l->chunks[l->chunk_count] = mem_alloc(s->chunk_records * s->options.record_bytes);
    if (!l->chunks[l->chunk_count])
        return ERR_NOMEM;
    l->chunk_count++;
    return 0;
}

static bool before(const struct sorter *s, const struct lane *l, struct ref a, struct ref b)
{
    return memcmp(record_at(s, l, a.index), record_at(s, l, b.index), s->options.record_bytes) <= 0;
}

static void merge_refs(const struct sorter *s, const struct lane *l, const struct ref *a,
                       const struct ref *a_end, const struct ref *b_end, struct ref *to)
{
    const struct ref *b = a_end;

    while (a < a_end && b < b_end)
        *to++ = before(s, l, *a, *b) ? *a++ : *b++;
    while (a < a_end)
        *to++ = *a++;
    while (b < b_end)
        *to++ = *b++;
}

static int reserve_refs(struct lane *l)
{
    if (l->ref_capacity >= l->count)
        return 0;
    mem_free(l->refs);
    mem_free(l->other);
    l->ref_capacity = 0;
    l->refs = mem_alloc_array(l->count, sizeof *l->refs);
    l->other = mem_alloc_array(l->count, sizeof *l->other);
    if (!l->refs || !l->other)
        return ERR_NOMEM;
    l->ref_capacity = l->count;
    return 0;
}

/* References of one head, by their records; `other` has room for as many. */
static void sort_equal(const struct sorter *s, const struct lane *l, struct ref *list,
                       struct ref *other, size_t n)
{
    struct ref *from = list, *to = other;

    for (size_t width = 1; width < n; width *= 2) {
        struct ref *last = from;

        for (size_t at = 0; at < n; at += 2 * width) {
            size_t middle = at + width < n ? at + width : n;
            size_t end = middle + width < n ? middle + width : n;

            merge_refs(s, l, from + at, from + middle, from + end, to + at);
        }
        from = to;
        to = last;
    }
    if (from != list)
        memcpy(list, from, n * sizeof *list);
}

enum { HEAD_BYTES = 8, BYTE_VALUES = 256 };

/* Makes the references, in the order of the records, and counts the values of each byte of heads.
 */
static void list_refs(const struct sorter *s, struct lane *l,
                      uint32_t counts[HEAD_BYTES][BYTE_VALUES])
{
    memset(counts, 0, HEAD_BYTES * sizeof *counts);
    for (size_t i = 0; i < l->count; i++) {
        uint64_t head = __builtin_bswap64(le64(record_at(s, l, i)));

        l->refs[i] = (struct ref){head, (uint32_t)i};
        for (unsigned byte = 0; byte < HEAD_BYTES; byte++)
            counts[byte][(uint8_t)(head >> 8 * byte)]++;
    }
}

/* Sorts by one byte of the heads, and leaves those in order that do not differ in it. */
static void sort_by_byte(struct lane *l, unsigned byte, uint32_t counts[BYTE_VALUES])
{
    struct ref *from = l->refs, *to = l->other;
    uint32_t at = 0;

    if (counts[(uint8_t)(from[0].head >> 8 * byte)] == l->count)
        return;
    for (unsigned i = 0; i < BYTE_VALUES; i++) {
        uint32_t count = counts[i];

        counts[i] = at;
        at += count;
    }
    for (size_t i = 0; i < l->count; i++)
        to[counts[(uint8_t)(from[i].head >> 8 * byte)]++] = from[i];
    l->refs = to;
    l->other = from;
}

static int sort_lane(const struct sorter *s, struct lane *l)
{
    uint32_t counts[HEAD_BYTES][BYTE_VALUES];
    int code = reserve_refs(l);

    if (code || !l->count)
        return code;
    list_refs(s, l, counts);
    for (unsigned byte = 0; byte < HEAD_BYTES; byte++)
        sort_by_byte(l, byte, counts[byte]);
    for (size_t at = 0, end; at < l->count; at = end) {
        end = at + 1;
        while (end < l->count && l->refs[end].head == l->refs[at].head)
            end++;
        if (end - at > 1)
            sort_equal(s, l, l->refs + at, l->other, end - at);
    }
    return 0;
}

static int note_run(struct lane *l, struct run run)
{
    if (l->run_count == l->run_capacity) {
        size_t capacity = l->run_capacity ? 2 * l->run_capacity : 16;
        struct run *grown = mem_realloc(l->runs, capacity * sizeof *grown);

        if (!grown)
            return ERR_NOMEM;
        l->runs = grown;
        l->run_capacity = capacity;
    }
    l->runs[l->run_count++] = run;
    return 0;
}

/* What the lane holds becomes a run of its file. */
static int spill_lane(struct sorter *s, struct lane *l)
{
    int code = l->spill ? 0 : io_spill_create(s->options.temp_dir, 0, &l->spill);

    if (!code)
        code = sort_lane(s, l);
    if (!code)
        code = note_run(l, (struct run){l->spill, l, io_spill_size(l->spill), l->count});
    for (size_t i = 0; !code && i < l->count; i++)
        code = io_spill_append(l->spill, record_at(s, l, l->refs[i].index), s->options.record_bytes,
                               NULL);
    if (!code)
        l->count = 0;
    return code;
}

int sorter_add(struct sorter *s, unsigned lane, const void *record)
{
    struct lane *l = &s->lanes[lane];
    int code = 0;

    if (l->count == s->lane_records)
        code = spill_lane(s, l);
    if (!code && l->count == l->chunk_count * s->chunk_records)
        code = add_chunk(s, l);
    if (code)
        return code;
    memcpy(record_at(s, l, l->count), record, s->options.record_bytes);
    l->count++;
    l->added++;
    return 0;
}

uint64_t sorter_count(const struct sorter *s)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < s->options.lanes; i++)
        sum += s->lanes[i].added;
    return sum;
}

uint64_t sorter_spilled_bytes(const struct sorter *s)
{
    uint64_t sum = s->merged ? io_spill_size(s->merged) : 0;

    for (unsigned i = 0; i < s->options.lanes; i++)
        if (s->lanes[i].spill)
            sum += io_spill_size(s->lanes[i].spill);
    return sum;
}

/* Records in memory lie anywhere: those that come soon are fetched ahead. */
static void fetch_ahead(const struct sorter *s, const struct run *r, size_t at)
{
    enum { AHEAD = 8, LINE_BYTES = 64 };
    const uint8_t *record;

    if (at + AHEAD >= r->count)
        return;
    record = record_at(s, r->lane, r->lane->refs[at + AHEAD].index);
    for (size_t i = 0; i < s->options.record_bytes; i += LINE_BYTES)
        __builtin_prefetch(record + i);
}

/* The cursor's next record; *record NULL at the run's end. */
static int cursor_next(const struct sorter *s, struct cursor *c, size_t window)
{
    const size_t size = s->options.record_bytes;
    struct run *r = &c->run;
    int code;

    if (!r->spill) {
        fetch_ahead(s, r, c->at);
        c->record = c->at < r->count ? record_at(s, r->lane, r->lane->refs[c->at].index) : NULL;
        c->at++;
        return 0;
    }
    if (c->at == c->end && r->count) {
        c->at = 0;
        c->end = r->count < window ? (size_t)r->count : window;
        code = io_spill_read(r->spill, r->offset, c->window, c->end * size);
        if (code)
            return code;
        r->offset += c->end * size;
        r->count -= c->end;
    }
    c->record = c->at < c->end ? c->window + c->at++ * size : NULL;
    return 0;
}

static bool less(const struct sorter *s, size_t a, size_t b)
{
    return memcmp(s->cursors[a].record, s->cursors[b].record, s->options.record_bytes) < 0;
}

static void sift_down(struct sorter *s, size_t at)
{
    for (;;) {
        size_t least = at, child = 2 * at + 1, other;

        for (size_t i = child; i < child + 2 && i < s->heap_count; i++)
            if (less(s, s->heap[i], s->heap[least]))
                least = i;
        if (least == at)
            return;
        other = s->heap[at];
        s->heap[at] = s->heap[least];
        s->heap[least] = other;
        at = least;
    }
}

/* Records that the window of one of `runs` runs holds. */
static size_t window_records(const struct sorter *s, size_t runs)
{
    uint64_t bytes = s->options.memory_bytes / (runs + 1);
    size_t records =
        (size_t)((bytes < WINDOW_MOST ? bytes : WINDOW_MOST) / s->options.record_bytes);

    return records < RECORDS_LEAST ? RECORDS_LEAST : records;
}

static int begin_merge(struct sorter *s, const struct run *runs, size_t count)
{
    const size_t window = window_records(s, count);

    free_merge(s);
    s->cursors = mem_zalloc((count + 1) * sizeof *s->cursors);
    s->heap = mem_alloc_array(count + 1, sizeof *s->heap);
    if (!s->cursors || !s->heap)
        return ERR_NOMEM;
    for (; s->cursor_count < count; s->cursor_count++) {
        struct cursor *c = &s->cursors[s->cursor_count];
        int code;

        c->run = runs[s->cursor_count];
        if (c->run.spill)
            c->window = mem_alloc(window * s->options.record_bytes);
        if (c->run.spill && !c->window)
            return ERR_NOMEM;
        code = cursor_next(s, c, window);
        if (code) {
            s->cursor_count++;
            return fail(s, code, c->run.spill);
        }
        if (c->record)
            s->heap[s->heap_count++] = s->cursor_count;
    }
    for (size_t i = s->heap_count / 2; i-- > 0;)
        sift_down(s, i);
    return 0;
}

int sorter_next(struct sorter *s, const uint8_t **record)
{
    if (s->fault.code)
        return s->fault.code;
    if (s->advance) {
        struct cursor *c = &s->cursors[s->heap[0]];
        int code = cursor_next(s, c, window_records(s, s->cursor_count));

        if (code)
            return fail(s, code, c->run.spill);
        if (!c->record)
            s->heap[0] = s->heap[--s->heap_count];
        sift_down(s, 0);
        s->advance = false;
    }
    if (!s->heap_count)
        return 0;
    *record = s->cursors[s->heap[0]].record;
    s->advance = true;
    return 1;
}

/* The first `count` runs become one, the last of the list. */
static int merge_some(struct sorter *s, size_t count)
{
    const uint8_t *record;
    struct run made = {0};
    int code = s->merged ? 0 : io_spill_create(s->options.temp_dir, 0, &s->merged);
    int got;

    if (!code)
        code = begin_merge(s, s->runs, count);
    if (code)
        return code;
    made.spill = s->merged;
    made.offset = io_spill_size(s->merged);
    while ((got = sorter_next(s, &record)) == 1) {
        code = io_spill_append(s->merged, record, s->options.record_bytes, NULL);
        if (code)
            return fail(s, code, s->merged);
        made.count++;
    }
    if (got)
        return got;
    memmove(s->runs, s->runs + count, (s->run_count - count) * sizeof *s->runs);
    s->run_count -= count;
    s->runs[s->run_count++] = made;
    return 0;
}

static int collect_runs(struct sorter *s)
{
    size_t count = s->options.lanes;

    for (unsigned i = 0; i < s->options.lanes; i++)
        count += s->lanes[i].run_count;
    mem_free(s->runs);
    s->run_count = 0;
    s->runs = mem_alloc_array(count, sizeof *s->runs);
    if (!s->runs)
        return ERR_NOMEM;
    for (unsigned i = 0; i < s->options.lanes; i++) {
        struct lane *l = &s->lanes[i];

        for (size_t k = 0; k < l->run_count; k++)
            s->runs[s->run_count++] = l->runs[k];
        if (l->count)
            s->runs[s->run_count++] = (struct run){.lane = l, .count = l->count};
    }
    return 0;
}

/* Sorts what is still in memory: for the merge to read there, or as runs. */
static int settle(struct sorter *s, bool spill)
{
    for (unsigned i = 0; i < s->options.lanes; i++) {
        struct lane *l = &s->lanes[i];
        int code = 0;

        if (l->count)
            code = spill ? spill_lane(s, l) : sort_lane(s, l);
        if (code)
            return fail(s, code, l->spill);
        if (spill)
            free_memory(l);
    }
    return 0;
}

int sorter_start(struct sorter *s)
{
    const uint64_t wanted = s->options.memory_bytes / WINDOW_WANTED;
    const size_t fan_in = wanted < FAN_IN_LEAST  ? FAN_IN_LEAST
                          : wanted > FAN_IN_MOST ? FAN_IN_MOST
                                                 : (size_t)wanted;
    bool spilled = false;
    int code;

    for (unsigned i = 0; i < s->options.lanes; i++)
        spilled |= s->lanes[i].run_count > 0;
    code = settle(s, spilled);
    if (!code)
        code = collect_runs(s);
    while (!code && spilled && s->run_count > fan_in)
        code = merge_some(s, fan_in);
    if (!code)
        code = begin_merge(s, s->runs, s->run_count);
    return code && !s->fault.code ? fail(s, code, NULL) : code;
}

int sorter_reset(struct sorter *s)
{
    int code = 0;

    free_merge(s);
    s->fault = (struct fault){0};
    s->run_count = 0;
    for (unsigned i = 0; i < s->options.lanes; i++) {
        s->lanes[i].count = 0;
        s->lanes[i].added = 0;
        s->lanes[i].run_count = 0;
        if (s->lanes[i].spill && !code && io_spill_clear(s->lanes[i].spill))
            code = fail(s, io_spill_fault(s->lanes[i].spill)->code, s->lanes[i].spill);
    }
    if (s->merged && !code && io_spill_clear(s->merged))
        code = fail(s, io_spill_fault(s->merged)->code, s->merged);
    return code;
}

const struct fault *sorter_fault(const struct sorter *s)
{
    if (s->fault.code)
        return &s->fault;
    for (unsigned i = 0; i < s->options.lanes; i++)
        if (s->lanes[i].spill && io_spill_fault(s->lanes[i].spill)->code)
            return io_spill_fault(s->lanes[i].spill);
    return &s->fault;
}
