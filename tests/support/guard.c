/* guard.c: see guard.h. */
#include "tests/support/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

void guard_init(struct guard *g, size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t used = (size + page - 1) / page * page;

    g->size = size;
    g->map_size = used + page;
    g->map = mmap(NULL, g->map_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(g->map, MAP_FAILED);
    assert_int_equal(mprotect((uint8_t *)g->map + used, page, PROT_NONE), 0);
    g->data = (uint8_t *)g->map + used - size;
}

void guard_done(struct guard *g)
{
    munmap(g->map, g->map_size);
}
