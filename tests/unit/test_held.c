/*
 * test_held.c: what a scan holds of the images that it is done with.
 *
 * Stands in for malloc's functions and counts what of them is not freed yet, in allocations that
 * are no buffers; looks at it whenever a manifest gets its name. Images of two sizes: the larger
 * ones are read first, so most of them are done with long before their turn in the output comes.
 */
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <dlfcn.h>

#include <cmocka.h>

#include "scanner/app/app.h"
#include "tests/gen/run.h"
#include "tests/support/tempdir.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

static void held_of_an_image(void **state)
{
    (void)state;
    skip(); /* malloc is the sanitizer's */
}

#else

enum { IMAGES = 120, SMALL = 4096, HELD_MOST = 160, PATHS = 512 };

/* Shared with the scan's process. */
struct held {
    _Atomic unsigned count;
    long at[IMAGES];
};

static struct held *held; /* NULL: nothing is counted */
static atomic_long live;

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *at);

static long size_of(void *at)
{
    size_t size = malloc_usable_size(at);

    return size < SMALL ? (long)size : 0;
}

static void *counted(void *at)
{
    atomic_fetch_add(&live, size_of(at));
    return at;
}

void *malloc(size_t size)
{
    return counted(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
    return counted(__libc_calloc(count, size));
}

void *realloc(void *old, size_t size)
{
    const long before = size_of(old);
    void *at = __libc_realloc(old, size);

    if (at || !size)
        atomic_fetch_sub(&live, before);
    return counted(at);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return counted(__libc_memalign(alignment, size));
}

void free(void *at)
{
    atomic_fetch_sub(&live, size_of(at));
    __libc_free(at);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    typedef int (*fn)(int, const char *, int, const char *);
    const size_t length = strlen(to);

    if (held && length > 4 && strcmp(to + length - 4, ".zst") == 0) {
        unsigned n = atomic_fetch_add(&held->count, 1);

        if (n < IMAGES)
            held->at[n] = atomic_load(&live);
    }
    return ((fn)(uintptr_t)dlsym(RTLD_NEXT, "renameat"))(from_dir, from, to_dir, to);
}

static void make_image(const char *path, enum gen_format format)
{
    const struct gen_options o = {
        .image = {.path = path, .format = format, .content = GEN_OST, .seed = 5},
        .profile = profile_find("mail"),
        .seed = 5,
        .items = 4,
        .truth = TRUTH_NONE,
    };
    struct gen_summary summary;
    unsigned missed;

    assert_int_equal(gen_run(&o, &summary, &missed), 0);
}

/* Sparse where it is empty. */
static void copy_file(const char *from, const char *to)
{
    static const uint8_t empty[SMALL];
    uint8_t bytes[SMALL];
    int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_EXCL, 0600);
    off_t at = 0;
    ssize_t n;

    assert_true(in >= 0 && out >= 0);
    for (; (n = read(in, bytes, sizeof bytes)) > 0; at += n)
        if (memcmp(bytes, empty, (size_t)n) != 0)
            assert_int_equal(pwrite(out, bytes, (size_t)n, at), n);
    assert_int_equal(n, 0);
    assert_int_equal(ftruncate(out, at), 0);
    close(in);
    close(out);
}

static void make_images(const char *dir)
{
    static const enum gen_format formats[] = {GEN_ANSI, GEN_UNICODE};
    char path[PATHS], kinds[2][PATHS];

    for (int i = 0; i < 2; i++) {
        snprintf(kinds[i], PATHS, "%s/%d", dir, i);
        make_image(kinds[i], formats[i]);
    }
    snprintf(path, sizeof path, "%s/images", dir);
    assert_int_equal(mkdir(path, 0700), 0);
    for (unsigned i = 0; i < IMAGES; i++) {
        snprintf(path, sizeof path, "%s/images/%u.ost", dir, i);
        copy_file(kinds[i % 2], path);
    }
}

static int scan(const char *dir)
{
    char out[PATHS], images[PATHS];
    char *argv[] = {"ostscan", "scan",     "-q",  "--progress", "never", "--io", "pread", "--jobs",
                    "1",       "--memory", "64M", "-o",         out,     images, NULL};

    snprintf(out, sizeof out, "%s/out", dir);
    snprintf(images, sizeof images, "%s/images", dir);
    return app_main((int)(sizeof argv / sizeof argv[0]) - 1, argv);
}

static long most(const long *at, unsigned count)
{
    long result = at[0];

    for (unsigned i = 1; i < count; i++)
        result = at[i] > result ? at[i] : result;
    return result;
}

static void held_of_an_image(void **state)
{
    const char *dir = tempdir_make();
    struct held *h =
        mmap(NULL, sizeof *h, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    long early, late;
    int status;
    pid_t pid;

    (void)state;
    assert_ptr_not_equal(h, MAP_FAILED);
    make_images(dir);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        held = h;
        exit(scan(dir));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(h->count, IMAGES + 1); /* and that of the duplicates */
    early = most(h->at + IMAGES / 4, IMAGES / 4);
    late = most(h->at + 3 * (IMAGES / 4), IMAGES / 4);
    print_message("%ld bytes, then %ld: %ld an image\n", early, late,
                  (late - early) / (IMAGES / 2));
    assert_true(early > 0);
    assert_true(late - early <= IMAGES / 2 * HELD_MOST);
    munmap(h, sizeof *h);
    tempdir_remove(dir);
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(held_of_an_image)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
