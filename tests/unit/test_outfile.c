/* test_outfile.c: files that appear whole or not at all, what is left of killed runs, folders. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "io/mem.h"
#include "io/outfile.h"
#include "tests/support/tempdir.h"
#include "tests/support/unprivileged.h"

static const char *root;

static int make_root(void **state)
{
    (void)state;
    root = tempdir_make();
    return 0;
}

static int remove_root(void **state)
{
    (void)state;
    tempdir_remove(root);
    return 0;
}

/* A path below root; four are valid at a time. */
static const char *below(const char *name)
{
    static char paths[4][PATH_MAX];
    static unsigned turn;
    char *path = paths[turn++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", root, name);
    return path;
}

static void put(const char *name, const char *text)
{
    int fd = open(below(name), O_WRONLY | O_CREAT | O_TRUNC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void assert_content(const char *name, const char *expected)
{
    char text[100] = "";
    int fd = open(below(name), O_RDONLY);

    assert_true(fd >= 0);
    assert_true(read(fd, text, sizeof text - 1) >= 0);
    close(fd);
    assert_string_equal(text, expected);
}

/* How many entries root has; the name of the last that begins with a dot goes to `hidden`. */
static unsigned entries(char hidden[NAME_MAX + 1])
{
    DIR *dir = opendir(root);
    struct dirent *e;
    unsigned n = 0;

    hidden[0] = '\0';
    while ((e = readdir(dir))) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        n++;
        if (e->d_name[0] == '.')
            strcpy(hidden, e->d_name);
    }
    closedir(dir);
    return n;
}

static void a_file_appears_on_commit(void **state)
{
    char hidden[NAME_MAX + 1];
    struct io_outfile *f;
    struct fault fault;
    struct stat st;

    (void)state;
    put("name", "old");
    assert_int_equal(io_outfile_create(root, "name", &f, &fault), 0);
    assert_int_equal(io_outfile_write(f, "new ", 4), 0);
    assert_int_equal(io_outfile_write(f, "", 0), 0);
    assert_int_equal(io_outfile_write(f, "text", 4), 0);
    assert_int_equal(io_outfile_size(f), 8);
    assert_int_equal(io_outfile_fault(f)->code, 0);
    assert_content("name", "old");
    assert_int_equal(entries(hidden), 2);
    assert_int_equal(strlen(hidden), strlen(".name.00000000.tmp"));
    assert_int_equal(strncmp(hidden, ".name.", 6), 0);
    assert_string_equal(hidden + 14, ".tmp");
    assert_int_equal(strspn(hidden + 6, "0123456789abcdef"), 8);
    assert_int_equal(stat(below(hidden), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(io_outfile_commit(f, NULL), 0);
    assert_content("name", "new text");
    assert_int_equal(entries(hidden), 1);
}

static void an_aborted_file_leaves_nothing(void **state)
{
    char hidden[NAME_MAX + 1];
    struct io_outfile *f;
    struct fault fault;

    (void)state;
    put("name", "old");
    assert_int_equal(io_outfile_create(root, "name", &f, &fault), 0);
    assert_int_equal(io_outfile_write(f, "new", 3), 0);
    io_outfile_abort(f);
    io_outfile_abort(NULL);
    assert_content("name", "old");
    assert_int_equal(entries(hidden), 1);
}

static void names_may_be_as_long_as_names_can_be(void **state)
{
    char hidden[NAME_MAX + 1], name[NAME_MAX + 2];
    struct io_outfile *f;
    struct fault fault;
    struct stat st;

    (void)state;
    for (unsigned shift = 0; shift < 3; shift++) {
        memset(name, 'n', sizeof name);
        for (unsigned i = shift; i + 3 <= NAME_MAX; i += 3)
            memcpy(name + i, "\xe2\x82\xac", 3);
        name[NAME_MAX] = '\0';
        assert_int_equal(io_outfile_create(root, name, &f, &fault), 0);
        assert_int_equal(entries(hidden), 1 + shift);
        assert_in_range(strlen(hidden), NAME_MAX - 2, NAME_MAX);
        /* Cut between characters: before the tail stands the end of one. */
        assert_true((hidden[strlen(hidden) - 14] & 0xff) == 0xac);
        assert_int_equal((strlen(hidden) - 14 - shift) % 3, 0);
        assert_int_equal(io_outfile_commit(f, &fault), 0);
        assert_int_equal(stat(below(name), &st), 0);
    }
    memset(name, 'n', sizeof name);
    name[NAME_MAX + 1] = '\0';
    assert_int_equal(io_outfile_create(root, name, &f, &fault), ERR_SYS);
    assert_int_equal(fault.errnum, ENAMETOOLONG);
}

static bool write_beyond_the_limit(void *ctx)
{
    static const char data[65536];
    struct rlimit limit = {.rlim_cur = 10000, .rlim_max = 10000};
    struct io_outfile *f;
    struct fault fault = {0};
    const struct fault *inside;

    (void)ctx;
    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) < 0 || io_outfile_create(root, "name", &f, &fault) < 0)
        return false;
    if (io_outfile_write(f, data, 100) != 0 || io_outfile_write(f, data, 65536) != ERR_NOSPACE)
        return false;
    inside = io_outfile_fault(f);
    if (io_outfile_size(f) != 10000 || inside->errnum != EFBIG || inside->offset != 10000 ||
        inside->length != 65536 - 9900 || strcmp(inside->what, "write") != 0)
        return false;
    return io_outfile_write(f, data, 1) == ERR_NOSPACE &&
           io_outfile_commit(f, &fault) == ERR_NOSPACE && fault.offset == 10000;
}

static void a_failed_write_is_remembered(void **state)
{
    char hidden[NAME_MAX + 1];

    (void)state;
    assert_int_equal(chmod(root, 0777), 0);
    assert_true(unprivileged(write_beyond_the_limit, NULL));
    assert_int_equal(entries(hidden), 0);
}

static bool is_denied(void *ctx)
{
    struct io_outfile *f;
    struct fault fault;

    (void)ctx;
    return io_outfile_create(below("locked"), "name", &f, &fault) == ERR_ACCESS &&
           fault.errnum == EACCES && strcmp(fault.what, "create") == 0 &&
           io_make_folder(below("locked/new"), &fault) == ERR_ACCESS &&
           io_make_folder(below("locked"), &fault) == 0;
}

static void folders_that_cannot_take_it_are_told(void **state)
{
    char hidden[NAME_MAX + 1];
    struct io_outfile *f;
    struct fault fault;

    (void)state;
    assert_int_equal(chmod(root, 0755), 0);
    assert_int_equal(mkdir(below("locked"), 0755), 0);
    assert_int_equal(chmod(below("locked"), 0555), 0);
    assert_true(unprivileged(is_denied, NULL));
    assert_int_equal(io_outfile_create(below("none"), "name", &f, &fault), ERR_NOENT);
    assert_string_equal(fault.what, "open folder");
    put("file", "x");
    assert_int_equal(io_outfile_create(below("file"), "name", &f, &fault), ERR_NOENT);
    assert_int_equal(fault.errnum, ENOTDIR);

    assert_int_equal(io_outfile_create(root, "locked", &f, &fault), 0);
    assert_int_equal(io_outfile_commit(f, &fault), ERR_SYS);
    assert_int_equal(fault.errnum, EISDIR);
    assert_string_equal(fault.what, "rename");
    assert_int_equal(entries(hidden), 2);

    assert_int_equal(io_outfile_create(root, "gone", &f, &fault), 0);
    entries(hidden);
    assert_int_equal(unlink(below(hidden)), 0);
    assert_int_equal(io_outfile_commit(f, &fault), ERR_NOENT);
    assert_int_equal(entries(hidden), 2);
}

static void die_while_writing(const char *name)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        struct io_outfile *f;
        struct fault fault;

        _exit(io_outfile_create(root, name, &f, &fault) || io_outfile_write(f, "x", 1));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void the_sweep_takes_what_dead_runs_left(void **state)
{
    static const char *const kept[] = {
        ".n.1234567.tmp",   ".n.123456789.tmp", ".n.1234567g.tmp",
        ".n.1234ABCD.tmp",  "n.12345678.tmp",   ".12345678.tmp",
        ".n.12345678.tmpx", ".n.12345678",      "..12345678.tmp",
    };
    char hidden[NAME_MAX + 1], longest[NAME_MAX + 1];
    struct io_outfile *f;
    struct fault fault;
    struct stat st;

    (void)state;
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        put(kept[i], "x");
    assert_int_equal(mkdir(below(".folder.12345678.tmp"), 0755), 0);
    assert_int_equal(symlink(kept[0], below(".link.12345678.tmp")), 0);
    assert_int_equal(mkfifo(below(".fifo.12345678.tmp"), 0644), 0);
    assert_int_equal(io_outfile_sweep(root), 0);
    assert_int_equal(entries(hidden), 12);

    memset(longest, 'n', sizeof longest);
    longest[NAME_MAX] = '\0';
    die_while_writing("name");
    die_while_writing("n");
    die_while_writing(longest);
    assert_int_equal(io_outfile_create(root, "alive", &f, &fault), 0);
    assert_int_equal(entries(hidden), 16);
    assert_int_equal(io_outfile_sweep(root), 3);
    assert_int_equal(entries(hidden), 13);
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        assert_int_equal(stat(below(kept[i]), &st), 0);
    assert_int_equal(io_outfile_commit(f, &fault), 0);
    assert_int_equal(stat(below("alive"), &st), 0);
    assert_int_equal(io_outfile_sweep(below("none")), ERR_NOENT);
}

static void folders_are_made_with_their_parents(void **state)
{
    struct fault fault;
    struct stat st;
    mode_t mask = umask(0);

    (void)state;
    assert_int_equal(io_make_folder(below("a/b//c/"), &fault), 0);
    assert_int_equal(io_make_folder(below("a/b/c"), &fault), 0);
    umask(mask);
    assert_int_equal(stat(below("a"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(stat(below("a/b/c"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(symlink("a", below("link")), 0);
    assert_int_equal(io_make_folder(below("link/d"), &fault), 0);
    assert_int_equal(stat(below("a/d"), &st), 0);
    put("file", "x");
    assert_int_equal(io_make_folder(below("file"), &fault), ERR_NOENT);
    assert_int_equal(io_make_folder(below("file/under"), &fault), ERR_NOENT);
    assert_int_equal(fault.errnum, ENOTDIR);
    assert_int_equal(io_make_folder("/", &fault), 0);
    assert_int_equal(io_make_folder("", &fault), ERR_NOENT);
    assert_int_equal(chdir(root), 0);
    assert_int_equal(io_make_folder("relative/path", NULL), 0);
    assert_int_equal(stat(below("relative/path"), &st), 0);
    assert_int_equal(chdir("/"), 0);
}

static void every_refused_allocation_is_reported(void **state)
{
    char hidden[NAME_MAX + 1];
    struct io_outfile *f;
    struct fault fault = {0};

    (void)state;
    die_while_writing("dead");
    mem_test_fail(1, 0);
    assert_int_equal(io_outfile_create(root, "name", &f, &fault), ERR_NOMEM);
    assert_int_equal(fault.code, ERR_NOMEM);
    mem_test_fail(1, 0);
    assert_int_equal(io_outfile_sweep(root), ERR_NOMEM);
    mem_test_fail(1, 0);
    assert_int_equal(io_make_folder(below("x"), &fault), ERR_NOMEM);
    mem_test_fail(0, 0);
    assert_int_equal(entries(hidden), 1);
    assert_int_equal(io_outfile_sweep(root), 1);
}

#define folder_test(f) cmocka_unit_test_setup_teardown(f, make_root, remove_root)

int main(void)
{
    const struct CMUnitTest tests[] = {
        folder_test(a_file_appears_on_commit),
        folder_test(an_aborted_file_leaves_nothing),
        folder_test(names_may_be_as_long_as_names_can_be),
        folder_test(a_failed_write_is_remembered),
        folder_test(folders_that_cannot_take_it_are_told),
        folder_test(the_sweep_takes_what_dead_runs_left),
        folder_test(folders_are_made_with_their_parents),
        folder_test(every_refused_allocation_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
