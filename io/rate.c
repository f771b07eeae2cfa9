/* rate.c: see rate.h. Whoever waits looks up now and then, for a part that was lent may be back,
 * and the user may have had enough. */
#include "io/rate.h"


#include "io/clock.h"
#include "io/reader_backend.h"

enum {
    BURST_PART = 8, /* of a second */
    BURST_LEAST = 64 << 10,
    SECOND_NS = 1000000000,
    LOOK_UP_NS = 20000000,
};

static struct io_rate process = {.mutex = PTHREAD_MUTEX_INITIALIZER};
static unsigned process_parts;
static const atomic_bool *process_cancel;

void io_rate_init(struct io_rate *r, uint64_t bytes_s, uint64_t now_ns)
{
    pthread_mutex_init(&r->mutex, NULL);
    r->bytes_s = bytes_s;
    r->lent = 0;
    r->tokens = 0;
    r->last_ns = now_ns;
}

/* What is left of it is always something: nobody may starve. */
static uint64_t own(const struct io_rate *r)
{
    return r->bytes_s > r->lent ? r->bytes_s - r->lent : 1;
}

/* With the lock held. Time that brings less than a byte is not lost. */
static void refill(struct io_rate *r, uint64_t now_ns)
{
    uint64_t rate = own(r), burst = rate / BURST_PART;
    unsigned __int128 more;

    if (now_ns <= r->last_ns)
        return;
    if (burst < BURST_LEAST)
        burst = BURST_LEAST;
    more = (unsigned __int128)(now_ns - r->last_ns) * rate / SECOND_NS;
    if (!more)
        return;
    if (more >= (unsigned __int128)((int64_t)burst - r->tokens)) {
        r->tokens = (int64_t)burst;
        r->last_ns = now_ns;
        return;
    }
    r->tokens += (int64_t)more;
    r->last_ns += (uint64_t)(more * SECOND_NS / rate);
}

uint64_t io_rate_take(struct io_rate *r, uint64_t bytes, uint64_t now_ns)
{
    uint64_t wait = 0;

    if (!r->bytes_s)
        return 0;
    pthread_mutex_lock(&r->mutex);
    refill(r, now_ns);
    r->tokens -= (int64_t)bytes;
    if (r->tokens < 0) {
        unsigned __int128 ns = (unsigned __int128)(uint64_t)-r->tokens * SECOND_NS / own(r) + 1;

        wait = ns < UINT64_MAX ? (uint64_t)ns : UINT64_MAX;
    }
    pthread_mutex_unlock(&r->mutex);
    return wait;
}

uint64_t io_rate_lend(struct io_rate *r, unsigned parts, uint64_t now_ns)
{
    uint64_t part;

    if (!r->bytes_s)
        return 0;
    pthread_mutex_lock(&r->mutex);
    refill(r, now_ns);
    part = r->bytes_s / parts;
    part += part == 0;
    r->lent += part;
    pthread_mutex_unlock(&r->mutex);
    return part;
}

void io_rate_return(struct io_rate *r, uint64_t bytes_s, uint64_t now_ns)
{
    if (!r->bytes_s)
        return;
    pthread_mutex_lock(&r->mutex);
    refill(r, now_ns);
    r->lent -= bytes_s;
    pthread_mutex_unlock(&r->mutex);
}

void io_rate_limit(uint64_t bytes_s, unsigned parts, const atomic_bool *cancel)
{
    process_parts = parts;
    io_rate_init(&process, bytes_s, clock_monotonic_ns());
    process_cancel = cancel;
}

static bool is_cancelled(void)
{
    return process_cancel && atomic_load_explicit(process_cancel, memory_order_relaxed);
}

void io_rate_wait(uint64_t bytes)
{
    uint64_t wait;

    if (!process.bytes_s)
        return;
    wait = io_rate_take(&process, bytes, clock_monotonic_ns());
    while (wait && !is_cancelled()) {
        io_nap(wait < LOOK_UP_NS ? wait : LOOK_UP_NS);
        wait = io_rate_take(&process, 0, clock_monotonic_ns());
    }
}

uint64_t io_rate_lend_process(void)
{
    return io_rate_lend(&process, process_parts, clock_monotonic_ns());
}

void io_rate_return_process(uint64_t bytes_s)
{
    io_rate_return(&process, bytes_s, clock_monotonic_ns());
}
