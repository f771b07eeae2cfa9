/* fetch.c: see fetch.h. */
#include "io/fetch.h"

#include <errno.h>
#include <string.h>

#include "io/mem.h"

enum {
    PART_BYTES = 256 * 1024,
    PARTS = 8, /* of what is read apart, in flight together */
    ALIGN_LEAST = 4096,
};

void fetcher_done(struct fetcher *f)
{
    mem_free(f->apart);
    f->apart = NULL;
}

static bool is_given_up(const struct fetcher *f)
{
    return f->stuck >= FETCH_STUCK_MOST;
}

static bool was_stuck(const struct fetcher *f, uint64_t offset, size_t length)
{
    for (unsigned i = 0; i < f->stuck && i < FETCH_STUCK_MOST; i++)
        if (offset <= f->stuck_at[i].from && f->stuck_at[i].to <= offset + length)
            return true;
    return false;
}

void fetch_begin(struct fetcher *f, struct fetch *fetch, uint64_t offset, void *into, size_t length)
{
    fetch->q = (struct io_request){
        .fd = f->fd, .offset = offset, .length = (uint32_t)length, .into = into, .user = fetch};
    fetch->in_flight = !is_given_up(f) && !was_stuck(f, offset, length);
    if (is_given_up(f)) {
        fetch->q.result = ERR_TIMEOUT;
    } else if (!fetch->in_flight) {
        fetch->q.result = ERR_IO;
        fetch->q.errnum = ETIMEDOUT;
    } else {
        io_reader_submit(f->reader, &fetch->q);
    }
}

void fetch_land(struct fetcher *f, struct io_request *q)
{
    struct fetch *fetch = q->user;

    fetch->in_flight = false;
    f->source->bytes_read += q->received;
    if (!q->stuck)
        return;
    if (f->stuck < FETCH_STUCK_MOST) {
        f->stuck_at[f->stuck].from = q->offset;
        f->stuck_at[f->stuck].to = q->offset + q->length;
    }
    f->stuck++;
}

void fetch_wait(struct fetcher *f, const struct fetch *fetch)
{
    while (fetch->in_flight)
        fetch_land(f, io_reader_wait(f->reader));
}

/* What a part holds of [offset, offset + size), to where it belongs. Returns how far into that is
 * had if the parts before it were whole. */
static size_t take_part(const struct io_request *q, uint64_t offset, uint8_t *into, size_t size)
{
    uint64_t begin = q->offset, end = begin + q->received;
    const uint8_t *bytes = q->into;

    if (end > offset + size)
        end = offset + size;
    if (end <= offset)
        return 0;
    if (begin < offset) {
        bytes += offset - begin;
        begin = offset;
    }
    memcpy(into + (begin - offset), bytes, (size_t)(end - begin));
    return (size_t)(end - offset);
}

/* Reads what fits of [from, end); returns the number of parts. */
static unsigned fetch_parts(struct fetcher *f, struct fetch parts[PARTS], uint64_t from,
                            uint64_t end)
{
    unsigned n = 0;

    for (; n < PARTS && from < end; n++) {
        size_t length = end - from < PART_BYTES ? (size_t)(end - from) : PART_BYTES;

        fetch_begin(f, &parts[n], from, f->apart + (size_t)n * PART_BYTES, length);
        from += length;
    }
    for (unsigned i = 0; i < n; i++)
        fetch_wait(f, &parts[i]);
    return n;
}

int fetch_apart(struct fetcher *f, uint64_t offset, uint8_t *into, size_t size)
{
    uint64_t from = offset - offset % f->align;
    const uint64_t end = (offset + size + f->align - 1) & ~(uint64_t)(f->align - 1);
    size_t had = 0;

    while (had < size) {
        const struct io_request *failed = NULL;
        struct fetch parts[PARTS];
        bool stuck = false;
        unsigned n;

        if (!f->apart)
            f->apart = mem_aligned(f->align > ALIGN_LEAST ? f->align : ALIGN_LEAST,
                                   (size_t)PARTS * PART_BYTES);
        if (!f->apart)
            return io_source_fail(f->source, ERR_NOMEM, 0, offset + had, size - had);
        n = fetch_parts(f, parts, from, end);
        for (unsigned i = 0; i < n; i++) {
            const struct io_request *q = &parts[i].q;

            stuck |= q->stuck;
            if (failed)
                continue;
            had = take_part(q, offset, into, size);
            from += q->length;
            if (q->result)
                failed = q;
        }
        if (stuck) {
            io_reader_abandon(f->reader, f->apart);
            f->apart = NULL;
        }
        if (failed && had < size)
            return io_source_fail(f->source, failed->result, failed->errnum, offset + had,
                                  size - had);
    }
    return 0;
}
