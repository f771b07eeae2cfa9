/* fault_reader.c: see fault_reader.h. */
#include "tests/support/fault_reader.h"

#include <errno.h>
#include <unistd.h>

static int take_one(atomic_uint *count)
{
    unsigned n = atomic_load(count);

    while (n && !atomic_compare_exchange_weak(count, &n, n - 1))
        ;
    return n > 0;
}

int fault_reader_outcome(void *ctx, const struct io_request *r, uint64_t offset, int outcome)
{
    struct fault_reader *f = ctx;
    unsigned call = atomic_fetch_add(&f->calls, 1) + 1;

    (void)r;
    if (f->sleep_us)
        usleep(f->sleep_us);
    if (take_one(&f->once))
        return -EIO;
    if (f->every && call % f->every == 0)
        return -f->every_errno;
    if (outcome <= 0)
        return outcome;
    if (f->short_bytes && outcome > f->short_bytes)
        outcome = f->short_bytes;
    if (offset >= f->bad_to || offset + (uint64_t)outcome <= f->bad_from)
        return outcome;
    return offset >= f->bad_from ? -EIO : (int)(f->bad_from - offset);
}
