/*
 * test_allocations.c: a scan takes no heap for an item.
 *
 * Images of one kind with N and with 4 N items are scanned whole (structure, engine, digests,
 * records, manifest, by the program's own main), and every allocation of the process is counted:
 * by malloc itself, so that what libraries take is seen too, and by io/mem. What may differ are
 * arrays that double as they grow (twice more each for four times the items), a few for each
 * folder whose contents table outgrows one block, the bookkeeping of a file four times as large
 * (a step for each MiB of it at most), and buffers that grow to the largest item met.
 *
 * Under a sanitizer or Valgrind, which have a malloc of their own, io/mem alone counts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "io/mem.h"
#include "tests/gen/run.h"
#include "tests/support/scanned.h"
#include "tests/support/tempdir.h"

enum { ITEMS = 1000, FACTOR = 4, MAY_DIFFER = 100 };

struct counts {
    _Atomic uint64_t heap; /* calls of malloc and its like */
    uint64_t mem;          /* of io/mem's functions */
};

static struct counts *counts; /* shared with the child that scans */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(OSTSCAN_FUZZ)
enum { COUNTS_HEAP = 0 };
#else
enum { COUNTS_HEAP = 1 };

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t align, size_t size);

static void count(void)
{
    if (counts)
        atomic_fetch_add_explicit(&counts->heap, 1, memory_order_relaxed);
}

void *malloc(size_t size)
{
    count();
    return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    count();
    return __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
    count();
    return __libc_realloc(old, size);
}

void *aligned_alloc(size_t align, size_t size)
{
    count();
    return __libc_memalign(align, size);
}

void *memalign(size_t align, size_t size)
{
    count();
    return __libc_memalign(align, size);
}

int posix_memalign(void **out, size_t align, size_t size)
{
    count();
    *out = __libc_memalign(align, size);
    return *out ? 0 : 12;
}
#endif

/* At the end of the child that scans; its threads are gone by then. */
static void note_mem(void)
{
    if (counts)
        counts->mem = mem_test_count() - counts->mem;
}

/* How many items it has, associated ones among them. */
static uint64_t make(const char *path, const char *profile, enum gen_format format, uint64_t items)
{
    struct gen_options o = {
        .image = {.path = path,
                  .format = format,
                  .crypt = GEN_CRYPT_PERMUTE,
                  .content = GEN_OST,
                  .compress = format == GEN_UNICODE4K,
                  .seed = 5},
        .profile = profile_find(profile),
        .seed = 5,
        .items = items,
        .truth = TRUTH_NONE,
    };
    struct gen_summary summary;
    unsigned missed;

    assert_int_equal(gen_run(&o, &summary, &missed), 0);
    return summary.items;
}

static struct counts scan(const char *profile, enum gen_format format, const char *digest,
                          uint64_t items)
{
    const char *const extra[] = {"--engine", "native",   "--memory", "256M", "--io",
                                 "pread",    "--digest", digest,     NULL};
    const char *dir = tempdir_make();
    struct scanned_run run;
    struct scanned s;
    struct counts got;
    char path[4096];

    snprintf(path, sizeof path, "%s/image.ost", dir);
    items = make(path, profile, format, items);
    counts = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(counts, MAP_FAILED);
    counts->mem = mem_test_count();
    run = scanned_run(path, dir, extra);
    got = *counts;
    munmap(counts, sizeof *counts);
    counts = NULL;
    assert_true(WIFEXITED(run.status) && WEXITSTATUS(run.status) == 0);
    assert_true(scanned_read(&s, dir));
    assert_int_equal(s.count, items);
    assert_int_equal(s.corrupt, 0);
    scanned_done(&s);
    tempdir_remove(dir);
    return got;
}

static void compare(const char *profile, enum gen_format format, const char *digest)
{
    struct counts few = scan(profile, format, digest, ITEMS);
    struct counts many = scan(profile, format, digest, (uint64_t)FACTOR * ITEMS);

    print_message("%s, format %d, %s: heap %llu and %llu, io/mem %llu and %llu\n", profile, format,
                  digest, (unsigned long long)few.heap, (unsigned long long)many.heap,
                  (unsigned long long)few.mem, (unsigned long long)many.mem);
    assert_true(few.mem > 50 && (!COUNTS_HEAP || few.heap >= few.mem));
    assert_true(many.mem <= few.mem + MAY_DIFFER);
    assert_true(many.heap <= few.heap + MAY_DIFFER);
}

static void an_item_takes_no_heap(void **state)
{
    (void)state;
    compare("mail", GEN_UNICODE4K, "xxh3");
    compare("mail", GEN_ANSI, "xxh3");
    compare("mixed", GEN_UNICODE, "sha256");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_item_takes_no_heap),
    };

    atexit(note_mem);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
