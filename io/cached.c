/*
 * cached.c: see cached.h.
 *
 * The whole file is mapped, which costs nothing until it is touched; what was touched is given back
 * when the looks leave a window, so a look at a whole file holds no more of it than that.
 * A look is allowed only at what is in the page cache, for a page that is not would be waited for
 * one by one: RWF_NOWAIT reads of the bytes at its ends tell.
 *
 *   SIGBUS ──▶ in a mapping of the table? ── no ──▶ the handler that was there before
 *                      │ yes
 *                      └──▶ zeros are mapped over the page, `torn` is set, the touch is done again
 *
 * The table of mappings is of a fixed size and its entries never move: the handler, which runs in
 * the thread that touched, finds its own entry without a lock.
 */
#include "io/cached.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "io/err.h"
#include "io/mem.h"

enum {
    VIEWS_MAX = 256,
    AROUND_BYTES = 2 << 20, /* the most that the kernel maps around a touch: a large folio */
};

/* A mapping that a touch may fail in. */
struct entry {
    atomic_bool taken;
    _Atomic uintptr_t first, end; /* 0, 0: none */
    atomic_bool torn;
};

struct io_cached {
    struct entry *entry;
    int fd;
    size_t window;
    uint8_t *base;
    size_t size;        /* of the mapping */
    size_t from, to;    /* what was touched lies in there; empty: nothing */
    uint64_t cached_to; /* where the look before ended */
};

static struct entry entries[VIEWS_MAX];
static struct sigaction before;
static size_t page_bytes;
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;

static struct entry *entry_of(uintptr_t at)
{
    for (size_t i = 0; i < VIEWS_MAX; i++)
        if (at >= atomic_load(&entries[i].first) && at < atomic_load(&entries[i].end))
            return &entries[i];
    return NULL;
}

static void on_sigbus(int signal, siginfo_t *info, void *context)
{
    int saved = errno;
    uintptr_t at = (uintptr_t)info->si_addr;
    struct entry *e = entry_of(at);

    (void)signal, (void)context;
    if (!e || mmap((void *)(at & ~(page_bytes - 1)), page_bytes, PROT_READ,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
        sigaction(SIGBUS, &before, NULL);
    else
        atomic_store(&e->torn, true);
    errno = saved;
}

/* With every view that is opened, for who sets a handler of his own takes ours off. */
static bool set_guard(void)
{
    struct sigaction action = {.sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO | SA_NODEFER};
    struct sigaction now;
    bool set;

    pthread_mutex_lock(&guard);
    sigemptyset(&action.sa_mask);
    page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    set = sigaction(SIGBUS, NULL, &now) == 0;
    if (set && now.sa_sigaction != on_sigbus) {
        before = now;
        set = sigaction(SIGBUS, &action, NULL) == 0;
    }
    pthread_mutex_unlock(&guard);
    return set;
}

static struct entry *take_entry(void)
{
    for (size_t i = 0; i < VIEWS_MAX; i++)
        if (!atomic_exchange(&entries[i].taken, true))
            return &entries[i];
    return NULL;
}

static void give_entry(struct entry *e)
{
    atomic_store(&e->torn, false);
    atomic_store(&e->taken, false);
}

int io_cached_open(int fd, uint64_t size_bytes, size_t window_bytes, struct io_cached **out)
{
    struct io_cached *c;
    void *base = MAP_FAILED;

    if (size_bytes == 0 || size_bytes > SIZE_MAX / 2 || !set_guard())
        return ERR_UNSUPPORTED;
    c = mem_zalloc(sizeof *c);
    if (!c)
        return ERR_NOMEM;
    *c = (struct io_cached){
        .entry = take_entry(), .fd = fd, .window = window_bytes, .size = (size_t)size_bytes};
    if (c->entry)
        base = mmap(NULL, c->size, PROT_READ, MAP_SHARED, fd, 0);
    if (base == MAP_FAILED) {
        if (c->entry)
            give_entry(c->entry);
        mem_free(c);
        return ERR_UNSUPPORTED;
    }
    c->base = base;
    atomic_store(&c->entry->first, (uintptr_t)base);
    atomic_store(&c->entry->end, (uintptr_t)base + c->size);
    *out = c;
    return 0;
}

void io_cached_close(struct io_cached *c)
{
    if (!c)
        return;
    atomic_store(&c->entry->end, 0);
    atomic_store(&c->entry->first, 0);
    munmap(c->base, c->size);
    give_entry(c->entry);
    mem_free(c);
}

static bool is_byte_cached(struct io_cached *c, uint64_t at)
{
    uint8_t byte;
    struct iovec v = {&byte, 1};

    return preadv2(c->fd, &v, 1, (off_t)at, RWF_NOWAIT) == 1;
}

/* Whether the ends of a range are in the page cache; where the look before ended is known to be. */
static bool is_cached(struct io_cached *c, uint64_t offset, size_t size)
{
    uint64_t last = offset + size - 1;

    if ((offset != c->cached_to && size > 1 && !is_byte_cached(c, offset)) ||
        !is_byte_cached(c, last))
        return false;
    c->cached_to = last + 1;
    return true;
}

void io_cached_drop(struct io_cached *c)
{
    if (c->to > c->from)
        (void)madvise(c->base + c->from, c->to - c->from, MADV_DONTNEED);
    c->from = c->to = 0;
}

/* Gives back what was touched before, once it is a window. Addresses are what the kernel rounds. */
static void move_window(struct io_cached *c, size_t from, size_t to)
{
    size_t before_from = ((uintptr_t)c->base + from) % AROUND_BYTES;
    size_t behind_to = AROUND_BYTES - ((uintptr_t)c->base + to) % AROUND_BYTES;

    from -= before_from < from ? before_from : from;
    to = behind_to < c->size - to ? to + behind_to : c->size;
    if (from < c->from || to - c->from > c->window) {
        io_cached_drop(c);
        c->from = from;
        c->to = to;
    } else if (to > c->to) {
        c->to = to;
    }
}

const uint8_t *io_cached_look(struct io_cached *c, uint64_t offset, size_t size)
{
    if (io_cached_torn(c) || !is_cached(c, offset, size))
        return NULL;
    move_window(c, (size_t)offset, (size_t)offset + size);
    return c->base + offset;
}

bool io_cached_torn(const struct io_cached *c)
{
    return atomic_load_explicit(&c->entry->torn, memory_order_relaxed);
}
