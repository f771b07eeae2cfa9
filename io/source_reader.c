/*
 * source_reader.c: a source over a reader: a table of chunks, some read, some in flight ahead.
 *
 * The file is cut into chunks of one size; a slot of the table holds one chunk, its memory and the
 * request that fetches it. Slots are found by chunk number through `buckets`.
 *
 *   free ──▶ in flight ──▶ landed (all of it, or as much as could be had)
 *                ▲           │ taken over for another chunk: first the one used longest ago
 *                └───────────┘
 *
 * A slot fetched because a read wants it is `used` at once; one fetched ahead becomes so when a
 * read comes to it. Ahead of the reader there are at most `ahead_max` slots not used yet, and they
 * take over only what the current read does not need; a read takes what it must. What was fetched
 * ahead and left aside while twice the table's chunks went by is stale and may be taken over too.
 *
 * After RANDOM only what is asked for is read, past the table: from the page cache, else from the
 * device, and while it is from there the kernel is told what will be asked for next.
 *
 * A chunk that failed keeps what it got. A read that needs more of it reads its own range apart
 * (fetch.h): only what is really unreadable fails, and a failing device is not asked for the whole
 * chunk again and again.
 *
 * Lending goes past the table. What the page cache has is read into the caller's memory when it is
 * asked for (RWF_NOWAIT): that stays in the processor's cache, as memory filled ahead would not. A
 * range that was not there begins the reads of all ranges announced, in memory of their own, and of
 * those announced next, the more the oftener it happens on end; then the page cache is tried again.
 */
#include "io/source.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/uio.h>

#include "io/cached.h"
#include "io/clock.h"
#include "io/fetch.h"
#include "io/file.h"
#include "io/mem.h"
#include "io/rate.h"
#include "io/reader.h"

enum {
    CHUNK_BYTES = 256 * 1024,
    CHUNK_MIN_BYTES = 4096,
    SLOTS_MIN = 4,
    SLOTS_MAX = 32768, /* half of what a reader takes at once */
    RANGES_MAX = 64,
    LOANS = 256,
    LOAN_BYTES = 1024 * 1024,     /* the most that is lent */
    LOANS_BYTES = 8 * LOAN_BYTES, /* of all of them */
    LOANS_COLD = 16,
    LOANS_COLD_MAX = 1024,
    WINDOW_LEAST = 4 * 1024 * 1024, /* with less memory nothing is looked at */
    LOOKS_A_TRIAL = 8,
    LOOKS_A_PERIOD = 256,
    LOOKS_A_PERIOD_MAX = 2048, /* while the same way is the better one */
};
#define NO_SLOT UINT32_MAX

struct slot {
    struct fetch fetch;
    bool held;
    uint32_t next; /* of the same bucket, or NO_SLOT */
    uint64_t chunk;
    uint64_t since;   /* turn in which it was begun */
    uint64_t used_at; /* turn of its last use; 0: fetched ahead and not used yet */
};

/* Chunks of a WILLNEED still to be begun. */
struct range {
    uint64_t next;
    uint64_t end;
};

/* A range announced to be lent. */
struct loan {
    struct fetch fetch;
    bool begun;
    uint8_t *memory; /* the source's loan_memory, as it was then */
    size_t at;       /* its memory in that of all, once begun */
    uint64_t call;   /* the lending that it was claimed by; 0: none yet */
    uint64_t offset;
    size_t size;
};

/* How bytes are shown to who need not keep them. */
enum way { WAY_VIEW, WAY_COPY, WAYS };

struct reader_source {
    struct io_source base;
    struct fetcher fetcher;
    uint32_t chunk_bytes;
    uint32_t n_slots;
    uint64_t n_chunks;
    uint32_t ahead_max;
    uint32_t n_ahead; /* slots held and not used yet */
    uint64_t turn;    /* counts the changes from one chunk to another */
    uint64_t keep;    /* what was used in this turn or later is the current read's */
    bool sequential;
    bool random;
    uint64_t sequential_next;
    struct range ranges[RANGES_MAX]; /* in order of asking */
    uint32_t n_ranges;
    bool cacheless;         /* reads of the page cache alone cannot be had */
    bool cached;            /* the last one of them had what it wanted */
    bool viewless;          /* the file cannot be looked at */
    size_t window;          /* of it: as much as the table may take, which is not touched then */
    struct io_cached *view; /* NULL until it is wanted */
    unsigned looks, period; /* so far in this period, and how many it has */
    bool viewed;            /* the better way of the last look was the view */
    enum way way;           /* of the last look, */
    uint64_t looked_ns, look_bytes; /* when it began, and of what: 0 if it tells nothing */
    struct {
        uint64_t ns, bytes;
    } ways[WAYS];    /* in this period */
    unsigned cold;   /* loans to be begun when they are announced */
    unsigned misses; /* reads of the page cache in a row that found too little */
    uint64_t lendings;
    unsigned loan_first, loan_count;
    unsigned loans_lent;      /* of them, the first ones: claimed, or passed over */
    struct loan loans[LOANS]; /* a ring */
    size_t loan_next;         /* where the memory of the next begins, if there is room */
    uint8_t *loan_memory;     /* of all, used as a ring; NULL until it is needed */
    uint8_t *memory;          /* of the slots; NULL until one is needed */
    uint32_t *buckets;
    uint32_t bucket_mask;
    struct slot slots[];
};

static uint32_t *bucket_of(struct reader_source *r, uint64_t chunk)
{
    return &r->buckets[chunk & r->bucket_mask];
}

static struct slot *find(struct reader_source *r, uint64_t chunk)
{
    uint32_t i = *bucket_of(r, chunk);

    while (i != NO_SLOT && r->slots[i].chunk != chunk)
        i = r->slots[i].next;
    return i == NO_SLOT ? NULL : &r->slots[i];
}

static uint8_t *memory_of(const struct reader_source *r, const struct slot *s)
{
    return r->memory + (size_t)(s - r->slots) * r->chunk_bytes;
}

static void drop(struct reader_source *r, struct slot *s)
{
    uint32_t *link = bucket_of(r, s->chunk);

    while (&r->slots[*link] != s)
        link = &r->slots[*link].next;
    *link = s->next;
    s->held = false;
    r->n_ahead -= s->used_at == 0;
}

static struct slot *fetch_chunk(struct reader_source *r, struct slot *s, uint64_t chunk)
{
    uint64_t offset = chunk * r->chunk_bytes;
    uint64_t left = r->base.size_bytes - offset;
    size_t length = left < r->chunk_bytes ? (size_t)left : r->chunk_bytes;

    if (s->held)
        drop(r, s);
    s->held = true;
    s->chunk = chunk;
    s->since = r->turn;
    s->used_at = 0;
    r->n_ahead++;
    s->next = *bucket_of(r, chunk);
    *bucket_of(r, chunk) = (uint32_t)(s - r->slots);
    fetch_begin(&r->fetcher, &s->fetch, offset, memory_of(r, s),
                (length + r->fetcher.align - 1) & ~(size_t)(r->fetcher.align - 1));
    return s;
}

/* Most of who lends, or reads here and there, never needs the table. */
static bool has_table(struct reader_source *r)
{
    uint32_t align = r->fetcher.align > CHUNK_MIN_BYTES ? r->fetcher.align : CHUNK_MIN_BYTES;

    if (!r->memory)
        r->memory = mem_aligned(align, (size_t)r->n_slots * r->chunk_bytes);
    return r->memory != NULL;
}

/* A slot to fetch into: for reading ahead only what nobody will miss. NULL: none now. */
static struct slot *spare_slot(struct reader_source *r, bool ahead)
{
    struct slot *used = NULL, *unused = NULL;
    bool room = !ahead || r->n_ahead < r->ahead_max;

    for (struct slot *s = r->slots; s < r->slots + r->n_slots; s++) {
        if (s->fetch.q.stuck)
            continue;
        if (!s->held && room)
            return s;
        if (!s->held || s->fetch.in_flight)
            continue;
        if (!s->used_at) {
            bool stale = r->turn - s->since > 2 * (uint64_t)r->n_slots;

            if ((!ahead || stale) && (!unused || s->since < unused->since))
                unused = s;
        } else if (room && (!ahead || s->used_at < r->keep) &&
                   (!used || s->used_at < used->used_at)) {
            used = s;
        }
    }
    return used ? used : unused;
}

/* False: no slot can be had for it now. */
static bool fetch_ahead(struct reader_source *r, uint64_t chunk)
{
    struct slot *s;

    if (find(r, chunk))
        return true;
    s = spare_slot(r, true);
    if (!s)
        return false;
    fetch_chunk(r, s, chunk);
    return true;
}

/* Keeps reads in flight ahead of chunk `from`. */
static void read_ahead(struct reader_source *r, uint64_t from)
{
    uint32_t n = 0;

    if (r->sequential) {
        uint64_t end = from + r->ahead_max < r->n_chunks ? from + r->ahead_max : r->n_chunks;

        if (r->sequential_next < from || r->sequential_next > end)
            r->sequential_next = from;
        while (r->sequential_next < end && fetch_ahead(r, r->sequential_next))
            r->sequential_next++;
    }
    while (n < r->n_ranges) {
        struct range *g = &r->ranges[n];

        while (g->next < g->end && fetch_ahead(r, g->next))
            g->next++;
        if (g->next < g->end)
            break;
        n++;
    }
    r->n_ranges -= n;
    memmove(r->ranges, r->ranges + n, r->n_ranges * sizeof r->ranges[0]);
}

/* The slot of a chunk that a read wants, begun if need be; NULL when all slots are in flight. */
static struct slot *want(struct reader_source *r, uint64_t chunk)
{
    struct slot *s = find(r, chunk);
    struct io_request *q;

    if (!s) {
        while ((q = io_reader_poll(r->fetcher.reader)))
            fetch_land(&r->fetcher, q);
        s = spare_slot(r, false);
        if (!s)
            return NULL;
        fetch_chunk(r, s, chunk);
    }
    r->n_ahead -= s->used_at == 0;
    if (!s->used_at || s->used_at != r->turn)
        s->used_at = ++r->turn;
    return s;
}

/* A range within one chunk. */
static int read_chunk(struct reader_source *r, uint64_t offset, uint8_t *into, size_t size)
{
    uint32_t at = (uint32_t)(offset % r->chunk_bytes);
    struct slot *s;

    while (!(s = want(r, offset / r->chunk_bytes))) {
        struct io_request *q = io_reader_wait(r->fetcher.reader);

        if (!q) /* stuck reads have all slots */
            return fetch_apart(&r->fetcher, offset, into, size);
        fetch_land(&r->fetcher, q);
    }
    fetch_wait(&r->fetcher, &s->fetch);
    if (at + size > s->fetch.q.received)
        return fetch_apart(&r->fetcher, offset, into, size);
    memcpy(into, memory_of(r, s) + at, size);
    return 0;
}

/* Reads what the page cache has, if it has all of it. */
static bool read_cached(struct reader_source *r, uint64_t offset, void *into, size_t size)
{
    struct iovec v = {into, size};
    ssize_t n;

    r->cached = false;
    if (r->cacheless)
        return false;
    io_rate_wait(size);
    n = preadv2(r->fetcher.fd, &v, 1, (off_t)offset, RWF_NOWAIT);
    if (n < 0 && errno != EAGAIN && errno != EINTR)
        r->cacheless = true;
    if (n != (ssize_t)size)
        return false;
    r->base.bytes_read += size;
    r->misses = 0;
    r->cached = true;
    return true;
}

static bool past_the_table(struct reader_source *r, uint64_t first, uint64_t last, size_t size)
{
    if (size > (size_t)r->n_slots * r->chunk_bytes)
        return true;
    if (!r->random)
        return false;
    while (first <= last && find(r, first))
        first++;
    return first <= last;
}

/* A read of a few bytes anywhere, which the page cache gives without the reader's ado. */
static bool read_at_once(struct reader_source *r, uint64_t offset, void *into, size_t size)
{
    return r->random && !io_reader_is_tested(r->fetcher.reader) &&
           read_cached(r, offset, into, size);
}

static int reader_read(struct io_source *base, uint64_t offset, void *into, size_t size)
{
    struct reader_source *r = (struct reader_source *)base;
    uint64_t first = offset / r->chunk_bytes;
    uint64_t last = (offset + size - 1) / r->chunk_bytes;
    uint64_t turn = r->turn;
    struct slot *s;
    int code = 0;

    if (past_the_table(r, first, last, size))
        return read_at_once(r, offset, into, size) ? 0
                                                   : fetch_apart(&r->fetcher, offset, into, size);
    if (!has_table(r))
        return io_source_fail(base, ERR_NOMEM, 0, offset, size);
    s = want(r, first);
    if (s)
        r->keep = s->used_at;
    for (uint64_t c = first + 1; s && c <= last; c++)
        s = want(r, c);
    if (r->turn != turn) {
        read_ahead(r, last + 1);
        io_reader_flush(r->fetcher.reader);
    }
    for (size_t done = 0; done < size && !code;) {
        size_t room = r->chunk_bytes - (size_t)((offset + done) % r->chunk_bytes);
        size_t n = size - done < room ? size - done : room;

        code = read_chunk(r, offset + done, (uint8_t *)into + done, n);
        done += n;
    }
    if (code)
        base->fault.length = offset + size - base->fault.offset;
    return code;
}

static void give_back(struct reader_source *r, uint64_t offset, uint64_t length)
{
    for (struct slot *s = r->slots; s < r->slots + r->n_slots; s++) {
        uint64_t start = s->chunk * r->chunk_bytes;
        uint64_t end = start + r->chunk_bytes;

        if (end > r->base.size_bytes)
            end = r->base.size_bytes;
        if (s->held && !s->fetch.in_flight && start >= offset && end <= offset + length)
            drop(r, s);
    }
    (void)posix_fadvise(r->fetcher.fd, (off_t)offset, (off_t)length, POSIX_FADV_DONTNEED);
}

static uint8_t *loan_into(const struct loan *l)
{
    return l->memory + l->at;
}

static struct loan *loan_at(struct reader_source *r, unsigned i)
{
    return &r->loans[(r->loan_first + i) % LOANS];
}

/* Memory for the next loan, on end; those begun before are given back in their order. */
static bool find_room(struct reader_source *r, size_t room, size_t *at)
{
    unsigned i = 0;
    size_t oldest;

    while (i < r->loan_count && !loan_at(r, i)->begun)
        i++;
    oldest = i < r->loan_count ? loan_at(r, i)->at : 0;
    if (i == r->loan_count)
        r->loan_next = 0;
    *at = r->loan_next;
    if (i == r->loan_count || r->loan_next > oldest) {
        if (room <= LOANS_BYTES - r->loan_next)
            return true;
        *at = 0;
        return room < oldest;
    }
    return room < oldest - r->loan_next;
}

/* Where there is no memory for it, it is read when it is asked for. */
static void begin_loan(struct reader_source *r, unsigned i)
{
    struct loan *l = loan_at(r, i);
    uint32_t align = r->fetcher.align > CHUNK_MIN_BYTES ? r->fetcher.align : CHUNK_MIN_BYTES;
    uint64_t from = l->offset - l->offset % r->fetcher.align;
    size_t length = ((size_t)(l->offset - from) + l->size + r->fetcher.align - 1) &
                    ~(size_t)(r->fetcher.align - 1);
    size_t room = (length + align - 1) & ~(size_t)(align - 1);

    if (l->begun || l->size > LOAN_BYTES)
        return;
    for (unsigned k = i + 1; k < r->loan_count; k++)
        if (loan_at(r, k)->begun) /* memory is given back in order */
            return;
    if (!r->loan_memory)
        r->loan_memory = mem_aligned(align, LOANS_BYTES);
    if (!r->loan_memory || !find_room(r, room, &l->at))
        return;
    r->loan_next = l->at + room;
    l->begun = true;
    l->memory = r->loan_memory;
    fetch_begin(&r->fetcher, &l->fetch, from, loan_into(l), length);
}

static void announce_loan(struct reader_source *r, uint64_t offset, uint64_t size)
{
    struct loan *l = loan_at(r, r->loan_count);

    if (r->loan_count == LOANS)
        return;
    r->loan_count++;
    l->fetch.in_flight = l->begun = false;
    l->call = 0;
    l->offset = offset;
    l->size = (size_t)size;
    if (!r->cold && !r->cacheless)
        return;
    r->cold -= r->cold > 0;
    begin_loan(r, r->loan_count - 1);
    io_reader_flush(r->fetcher.reader);
}

static void begin_loans(struct reader_source *r, unsigned first)
{
    for (unsigned i = first; i < r->loan_count; i++)
        begin_loan(r, i);
    io_reader_flush(r->fetcher.reader);
}

/* The memory of all is used for no further loan: those begun keep it, others begin with new. */
static void wait_for_loan(struct reader_source *r, struct loan *l)
{
    fetch_wait(&r->fetcher, &l->fetch);
    if (!l->begun || !l->fetch.q.stuck || l->memory != r->loan_memory)
        return;
    io_reader_abandon(r->fetcher.reader, r->loan_memory);
    r->loan_memory = NULL;
}

static void drop_loan(struct reader_source *r)
{
    wait_for_loan(r, loan_at(r, 0));
    r->loan_first = (r->loan_first + 1) % LOANS;
    r->loan_count--;
    r->loans_lent -= r->loans_lent > 0;
}

/* claimed: the last of the loans that are lent is the one that was missed. */
static void missed(struct reader_source *r, bool claimed)
{
    r->cold = (unsigned)LOANS_COLD << r->misses;
    if (r->cold < LOANS_COLD_MAX)
        r->misses++;
    begin_loans(r, r->loans_lent - claimed);
}

/* Takes back what was lent long ago, and what was passed over. */
static void drop_loans(struct reader_source *r)
{
    while (r->loans_lent) {
        uint64_t call = loan_at(r, 0)->call;

        if (call && r->lendings - call < IO_SOURCE_LOANS)
            break;
        drop_loan(r);
    }
}

/* The loan of that range; NULL: it was not announced. */
static struct loan *claim_loan(struct reader_source *r, uint64_t offset, size_t size)
{
    unsigned i = r->loans_lent;

    while (i < r->loan_count && (loan_at(r, i)->offset != offset || loan_at(r, i)->size != size))
        i++;
    if (i == r->loan_count)
        return NULL;
    r->loans_lent = i + 1;
    loan_at(r, i)->call = r->lendings;
    return loan_at(r, i);
}

/* The file's own bytes, where they can be had; a view is opened when it is wanted first. */
static const uint8_t *look_at(struct reader_source *r, uint64_t offset, size_t size)
{
    const uint8_t *bytes;

    if (r->cacheless || r->viewless)
        return NULL;
    io_rate_wait(size);
    if (!r->view && io_cached_open(r->fetcher.fd, r->base.size_bytes, r->window, &r->view)) {
        r->viewless = true;
        return NULL;
    }
    bytes = io_cached_look(r->view, offset, size);
    if (bytes) {
        io_rate_wait(size);
        r->base.bytes_read += size;
        r->misses = 0;
    }
    return bytes;
}

/* What a look costs depends on how the kernel keeps the file: in large pieces, a look is worth half
 * a copy, in single pages more than one. So both are tried now and then, and timed from one look to
 * the next: what is looked at is fetched when it is touched. The trials are the rarer the longer
 * one way has been the better. */
static enum way choose_way(struct reader_source *r, uint64_t now_ns)
{
    unsigned n = r->looks++;
    bool view;

    if (r->look_bytes) {
        r->ways[r->way].ns += now_ns - r->looked_ns;
        r->ways[r->way].bytes += r->look_bytes;
    }
    if (n == 0)
        memset(r->ways, 0, sizeof r->ways);
    if (n < LOOKS_A_TRIAL)
        return WAY_VIEW;
    if (n < 2 * LOOKS_A_TRIAL)
        return WAY_COPY;
    view = (double)r->ways[WAY_VIEW].ns * (double)r->ways[WAY_COPY].bytes <=
           (double)r->ways[WAY_COPY].ns * (double)r->ways[WAY_VIEW].bytes;
    if (view != r->viewed)
        r->period = LOOKS_A_PERIOD;
    if (n + 1 >= r->period) {
        r->looks = 0;
        r->period *= r->period < LOOKS_A_PERIOD_MAX ? 2 : 1;
    }
    r->viewed = view;
    return view ? WAY_VIEW : WAY_COPY;
}

/* fleeting: NULL where the bytes must last. */
static int lend(struct reader_source *r, uint64_t offset, size_t size, void *spare,
                const uint8_t **bytes, bool *fleeting)
{
    struct loan *l;

    r->lendings++;
    drop_loans(r);
    l = claim_loan(r, offset, size);
    *bytes = spare;
    if (!l || !l->begun) {
        const uint8_t *seen = fleeting ? look_at(r, offset, size) : NULL;

        if (seen) {
            *bytes = seen;
            *fleeting = true;
            return 0;
        }
        if (read_cached(r, offset, spare, size))
            return 0;
        missed(r, l != NULL);
    }
    if (l && l->begun) {
        size_t skip = (size_t)(offset % r->fetcher.align);

        begin_loans(r, r->loans_lent); /* those that there was no memory for */
        wait_for_loan(r, l);
        if (l->fetch.q.received >= skip + size) {
            *bytes = loan_into(l) + skip;
            return 0;
        }
    }
    return fetch_apart(&r->fetcher, offset, spare, size);
}

static int reader_lend(struct io_source *base, uint64_t offset, size_t size, void *spare,
                       const uint8_t **bytes)
{
    return lend((struct reader_source *)base, offset, size, spare, bytes, NULL);
}

static int reader_look(struct io_source *base, uint64_t offset, size_t size, void *spare,
                       const uint8_t **bytes, bool *fleeting)
{
    struct reader_source *r = (struct reader_source *)base;
    bool first_copy = r->looks == LOOKS_A_TRIAL;
    int code;

    if (first_copy && r->view) /* what was mapped is given back in the time of its own way */
        io_cached_drop(r->view);
    r->way = choose_way(r, clock_monotonic_ns());
    r->looked_ns = clock_monotonic_ns();
    code = lend(r, offset, size, spare, bytes, r->way == WAY_VIEW ? fleeting : NULL);
    r->look_bytes = r->cold ? 0 : size;
    return code;
}

static bool reader_torn(const struct io_source *base)
{
    const struct reader_source *r = (const struct reader_source *)base;

    return r->view && io_cached_torn(r->view);
}

static bool reader_cached(const struct io_source *base)
{
    return ((const struct reader_source *)base)->cached;
}

static void reader_hint(struct io_source *base, enum io_hint hint, uint64_t offset, uint64_t length)
{
    struct reader_source *r = (struct reader_source *)base;
    uint64_t first, end;

    if (hint == IO_HINT_LEND) {
        announce_loan(r, offset, length);
        return;
    }
    first = offset / r->chunk_bytes;
    end = (offset + length - 1) / r->chunk_bytes + 1;
    switch (hint) {
    case IO_HINT_WILLNEED:
        if (r->random) {
            if (r->fetcher.align == 1 && !r->cached)
                (void)posix_fadvise(r->fetcher.fd, (off_t)offset, (off_t)length,
                                    POSIX_FADV_WILLNEED);
            return;
        }
        if (r->n_ranges < RANGES_MAX)
            r->ranges[r->n_ranges++] = (struct range){.next = first, .end = end};
        break;
    case IO_HINT_SEQUENTIAL:
        r->sequential = true;
        r->random = false;
        (void)posix_fadvise(r->fetcher.fd, 0, 0, POSIX_FADV_SEQUENTIAL);
        break;
    case IO_HINT_RANDOM:
        r->sequential = false;
        r->random = true;
        (void)posix_fadvise(r->fetcher.fd, 0, 0, POSIX_FADV_RANDOM);
        return;
    case IO_HINT_DONTNEED:
        give_back(r, offset, length);
        return;
    case IO_HINT_LEND:
        break;
    }
    if (!has_table(r))
        return;
    read_ahead(r, first);
    io_reader_flush(r->fetcher.reader);
}

static void reader_close(struct io_source *base)
{
    struct reader_source *r = (struct reader_source *)base;
    bool stuck = false;

    for (struct slot *s = r->slots; s < r->slots + r->n_slots; s++)
        fetch_wait(&r->fetcher, &s->fetch);
    while (r->loan_count)
        drop_loan(r);
    io_cached_close(r->view);
    mem_free(r->loan_memory);
    mem_free(r->buckets);
    for (struct slot *s = r->slots; s < r->slots + r->n_slots; s++)
        stuck |= s->fetch.q.stuck;
    if (stuck)
        io_reader_abandon(r->fetcher.reader, r->memory);
    else
        mem_free(r->memory);
    fetcher_done(&r->fetcher);
    mem_free(r);
}

/* Chunk size and table size for a cache of so many bytes. */
static void measure(struct reader_source *r, size_t cache_bytes)
{
    uint32_t least = r->fetcher.align > CHUNK_MIN_BYTES ? r->fetcher.align : CHUNK_MIN_BYTES;
    uint32_t chunk = least > CHUNK_BYTES ? least : CHUNK_BYTES;
    size_t count;

    while (chunk > least && cache_bytes / chunk < SLOTS_MIN)
        chunk /= 2;
    r->chunk_bytes = chunk;
    r->n_chunks = r->base.size_bytes / chunk + (r->base.size_bytes % chunk != 0);
    count = cache_bytes / chunk;
    if (count < SLOTS_MIN)
        count = SLOTS_MIN;
    if (count > SLOTS_MAX)
        count = SLOTS_MAX;
    if (count >= r->n_chunks) {
        count = r->n_chunks ? (size_t)r->n_chunks : 1;
        r->ahead_max = (uint32_t)count;
    } else {
        r->ahead_max = (uint32_t)(count - (count + 3) / 4);
    }
    r->n_slots = (uint32_t)count;
}

int io_source_open_reader(struct io_reader *reader, int fd, uint64_t size_bytes, size_t cache_bytes,
                          struct io_source **out)
{
    static const struct io_source_ops ops = {.read = reader_read,
                                             .hint = reader_hint,
                                             .close = reader_close,
                                             .lend = reader_lend,
                                             .look = reader_look,
                                             .torn = reader_torn,
                                             .cached = reader_cached};
    struct reader_source plan = {
        .base = {.ops = &ops, .size_bytes = size_bytes},
        .fetcher = {.reader = reader, .fd = fd, .align = io_file_direct_align(fd)},
        .window = cache_bytes,
        .period = LOOKS_A_PERIOD,
        .viewless = cache_bytes < WINDOW_LEAST};
    struct reader_source *r;
    uint32_t n_buckets = 1;

    plan.cacheless = plan.fetcher.align > 1;
    measure(&plan, cache_bytes);
    while (n_buckets < plan.n_slots)
        n_buckets *= 2;
    plan.bucket_mask = n_buckets - 1;
    r = mem_zalloc(sizeof *r + plan.n_slots * sizeof r->slots[0]);
    if (!r)
        return ERR_NOMEM;
    *r = plan;
    r->fetcher.source = &r->base;
    r->buckets = mem_alloc_array(n_buckets, sizeof *r->buckets);
    if (!r->buckets) {
        reader_close(&r->base);
        return ERR_NOMEM;
    }
    memset(r->buckets, 0xff, n_buckets * sizeof *r->buckets); /* NO_SLOT */
    *out = &r->base;
    return 0;
}
