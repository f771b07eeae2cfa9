/*
 * test_discover.c: walks over trees built for the purpose. Each walk is written down as text, a
 * line a call back, and compared as a whole: what is missing or too much shows, and so does the
 * order.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "io/buf.h"
#include "io/discover.h"
#include "io/mem.h"
#include "tests/support/tempdir.h"
#include "tests/support/unprivileged.h"

static const char *root; /* of the running test */
static struct buf log_text;
static int (*at_image)(const struct io_found *found); /* what a test does in the middle */

static int make_root(void **state)
{
    (void)state;
    root = tempdir_make();
    buf_reset(&log_text);
    at_image = NULL;
    return 0;
}

static int remove_root(void **state)
{
    (void)state;
    tempdir_remove(root);
    buf_done(&log_text);
    return 0;
}

/* A path below root; eight are valid at a time. */
static const char *below(const char *name)
{
    static char paths[8][PATH_MAX];
    static unsigned turn;
    char *path = paths[turn++ % 8];

    snprintf(path, sizeof paths[0], "%s/%s", root, name);
    return path;
}

static void add_folder(const char *name)
{
    assert_int_equal(mkdir(below(name), 0755), 0);
}

static void add_file(const char *name)
{
    int fd = open(below(name), O_WRONLY | O_CREAT | O_EXCL, 0644);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, "x", 1), 1);
    close(fd);
}

static const char *shown(const char *path)
{
    size_t length = strlen(root);

    if (strncmp(path, root, length) != 0)
        return path;
    return path[length] ? path + length + 1 : ".";
}

static int note_image(void *ctx, const struct io_found *found)
{
    (void)ctx;
    buf_printf(&log_text, "%s %s\n", found->named ? "named" : "image", found->relative);
    return at_image ? at_image(found) : 0;
}

static int note_skipped(void *ctx, const char *path, enum io_skip why, const struct fault *fault,
                        const char *same_as)
{
    (void)ctx;
    buf_printf(&log_text, "%s %s", io_skip_name(why), shown(path));
    if (fault)
        buf_printf(&log_text, " %s %s", fault->what, strerrorname_np(fault->errnum));
    if (same_as)
        buf_printf(&log_text, " = %s", shown(same_as));
    buf_putc(&log_text, '\n');
    return 0;
}

static const struct io_discover_sink sink = {.image = note_image, .skipped = note_skipped};

/* Walks up to three PATHs in one go. */
static int walk(struct io_discover_options options, const char *a, const char *b, const char *c)
{
    const char *paths[] = {a, b, c};
    struct io_discover *d;
    int r = io_discover_create(&options, &sink, &d);

    if (r)
        return r;
    for (unsigned i = 0; !r && i < 3 && paths[i]; i++)
        r = io_discover_path(d, paths[i]);
    io_discover_destroy(d);
    return r;
}

static void assert_log(const char *expected)
{
    assert_string_equal(buf_cstr(&log_text), expected);
    buf_reset(&log_text);
}

static unsigned open_descriptors(void)
{
    unsigned n = 0;

    for (int fd = 0; fd < 200; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static void images_are_found_by_name_in_byte_order(void **state)
{
    (void)state;
    add_folder("b");
    add_folder("b.pst");
    add_file("Z.OST");
    add_file("a.Pst");
    add_file("b/1.old");
    add_file("b/0.bAk");
    add_file("b.pst/in.nst");
    add_file("\xff.ost");
    add_file("\xc3\xa4.ost");
    add_file("line\nbreak.ost");
    add_file(".ost");
    add_file("ost");
    add_file("a.ost.txt");
    add_file("a.osts");
    assert_int_equal(walk((struct io_discover_options){0}, root, NULL, NULL), 0);
    assert_log("image .ost\nimage Z.OST\nimage a.Pst\nimage b/0.bAk\nimage b/1.old\n"
               "image b.pst/in.nst\nimage line\nbreak.ost\nimage \xc3\xa4.ost\nimage \xff.ost\n");
    assert_int_equal(walk((struct io_discover_options){.all_files = true}, below("b"),
                          below("a.osts"), below("ost")),
                     0);
    assert_log("image 0.bAk\nimage 1.old\nnamed a.osts\nnamed ost\n");
    buf_reset(&log_text);
    add_file("b/plain");
    assert_int_equal(walk((struct io_discover_options){.all_files = true}, below("b"), NULL, NULL),
                     0);
    assert_log("image 0.bAk\nimage 1.old\nimage plain\n");
}

static int check_found(const struct io_found *found)
{
    struct stat st;

    assert_int_equal(stat(found->path, &st), 0);
    assert_int_equal(found->size_bytes, 4321);
    assert_int_equal(found->device, st.st_dev);
    assert_int_equal(found->inode, st.st_ino);
    assert_int_equal(found->mtime_ns, INT64_C(-1500000000) * 1000000000 + 5);
    buf_printf(&log_text, "%s\n", shown(found->path));
    return 0;
}

static void a_found_file_is_described(void **state)
{
    struct timespec times[2] = {{0, 5}, {-1500000000, 5}};
    char slashes[PATH_MAX];

    (void)state;
    add_folder("in");
    add_file("in/x.ost");
    assert_int_equal(truncate(below("in/x.ost"), 4321), 0);
    assert_int_equal(utimensat(AT_FDCWD, below("in/x.ost"), times, 0), 0);
    at_image = check_found;
    assert_int_equal(walk((struct io_discover_options){0}, root, NULL, NULL), 0);
    assert_log("image in/x.ost\nin/x.ost\n");
    assert_int_equal(walk((struct io_discover_options){0}, below("in/x.ost"), NULL, NULL), 0);
    assert_log("named x.ost\nin/x.ost\n");
    snprintf(slashes, sizeof slashes, "%s//", root);
    assert_int_equal(walk((struct io_discover_options){0}, slashes, NULL, NULL), 0);
    assert_log("image in/x.ost\n/in/x.ost\n");
}

static void each_file_and_folder_is_visited_once(void **state)
{
    (void)state;
    add_folder("a");
    add_folder("b");
    add_file("a/x.ost");
    assert_int_equal(link(below("a/x.ost"), below("b/y.pst")), 0);
    assert_int_equal(symlink("a", below("la")), 0);
    assert_int_equal(walk((struct io_discover_options){0}, root, root, below("a/x.ost")), 0);
    assert_log("image a/x.ost\nduplicate b/y.pst = a/x.ost\nsymlink la\nloop . = .\n"
               "duplicate a/x.ost = a/x.ost\n");
    assert_int_equal(walk((struct io_discover_options){0}, below("la"), below("a"), root), 0);
    assert_log("image x.ost\nloop a = la\nloop a = la\nduplicate b/y.pst = la/x.ost\nsymlink la\n");
}

static void symlinks_are_named_not_followed(void **state)
{
    (void)state;
    add_folder("out");
    add_file("out/secret.ost");
    add_folder("in");
    add_file("in/real.txt");
    assert_int_equal(symlink("../out", below("in/1-folder")), 0);
    assert_int_equal(symlink("../out/secret.ost", below("in/2.ost")), 0);
    assert_int_equal(symlink("../out/secret.ost", below("in/3-text")), 0);
    assert_int_equal(symlink("nowhere", below("in/4-nowhere")), 0);
    assert_int_equal(symlink("nowhere", below("in/5.pst")), 0);
    assert_int_equal(symlink("6-self", below("in/6-self")), 0);
    assert_int_equal(symlink("..", below("in/7-up")), 0);
    assert_int_equal(walk((struct io_discover_options){0}, below("in"), NULL, NULL), 0);
    assert_log("symlink in/1-folder\nsymlink in/2.ost\nsymlink in/5.pst\nsymlink in/7-up\n");
    assert_int_equal(walk((struct io_discover_options){.all_files = true}, below("in"), NULL, NULL),
                     0);
    assert_log("symlink in/1-folder\nsymlink in/2.ost\nsymlink in/3-text\nsymlink in/4-nowhere\n"
               "symlink in/5.pst\nsymlink in/6-self\nsymlink in/7-up\nimage real.txt\n");
    assert_int_equal(walk((struct io_discover_options){0}, below("in/3-text"), below("in/1-folder"),
                          below("in/6-self")),
                     0);
    assert_log("named 3-text\nduplicate in/1-folder/secret.ost = in/3-text\n"
               "unreadable in/6-self stat ELOOP\n");
}

static void special_files_are_named(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int s = socket(AF_UNIX, SOCK_STREAM, 0);

    (void)state;
    assert_int_equal(mkfifo(below("fifo.ost"), 0644), 0);
    assert_int_equal(mkfifo(below("other"), 0644), 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", below("socket.pst"));
    assert_int_equal(bind(s, (struct sockaddr *)&address, sizeof address), 0);
    close(s);
    assert_int_equal(walk((struct io_discover_options){0}, root, below("other"), "/dev/null"), 0);
    assert_log("special fifo.ost\nspecial socket.pst\nspecial other\nspecial /dev/null\n");
    assert_int_equal(walk((struct io_discover_options){.all_files = true}, root, NULL, NULL), 0);
    assert_log("special fifo.ost\nspecial other\nspecial socket.pst\n");
}

static void placeholders_wait_for_recall(void **state)
{
    struct stat st;

    (void)state;
    add_file("full.ost");
    for (unsigned i = 0; i < 2; i++) {
        const char *path = below(i ? "small.ost" : "large.ost");
        int fd = open(path, O_WRONLY | O_CREAT, 0644);

        assert_int_equal(ftruncate(fd, i ? 4096 : 4097), 0);
        close(fd);
        assert_int_equal(stat(path, &st), 0);
        if (st.st_blocks) {
            print_message("skipped: this file system gives blocks to an empty file\n");
            skip();
        }
    }
    assert_int_equal(walk((struct io_discover_options){0}, root, NULL, NULL), 0);
    assert_log("image full.ost\nplaceholder large.ost\nimage small.ost\n");
    assert_int_equal(walk((struct io_discover_options){0}, below("large.ost"), NULL, NULL), 0);
    assert_log("placeholder large.ost\n");
    assert_int_equal(walk((struct io_discover_options){.recall = true}, root, NULL, NULL), 0);
    assert_log("image full.ost\nimage large.ost\nimage small.ost\n");
}

static bool walk_without_rights(void *ctx)
{
    const char *expected = ctx;
    int r = walk((struct io_discover_options){0}, root, below("closed"), below("listed"));

    if (!r && strcmp(buf_cstr(&log_text), expected) == 0)
        return true;
    fprintf(stderr, "%d: %s", r, buf_cstr(&log_text));
    return false;
}

static void the_unreadable_is_reported_and_the_walk_goes_on(void **state)
{
    char expected[] = "unreadable closed open EACCES\nunreadable listed/in.ost stat EACCES\n"
                      "image z.ost\nunreadable closed open EACCES\nloop listed = listed\n";

    (void)state;
    assert_int_equal(chmod(root, 0755), 0);
    add_folder("closed");
    add_file("closed/in.ost");
    add_folder("listed");
    add_file("listed/in.ost");
    add_file("listed/in.txt");
    add_file("z.ost");
    assert_int_equal(chmod(below("closed"), 0), 0);
    assert_int_equal(chmod(below("listed"), 0444), 0);
    assert_true(unprivileged(walk_without_rights, expected));
    assert_int_equal(walk((struct io_discover_options){0}, below("no"), below("z.ost/"), ""), 0);
    assert_log(
        "unreadable no stat ENOENT\nunreadable z.ost/ stat ENOTDIR\nunreadable  stat ENOENT\n");
}

static void symlinks_are_followed_when_told(void **state)
{
    const struct io_discover_options follow = {.follow = true};

    (void)state;
    add_folder("far");
    add_file("far/in.ost");
    add_file("far/other.txt");
    add_file("one.ost");
    add_folder("tree");
    assert_int_equal(symlink("../far", below("tree/a")), 0);
    assert_int_equal(symlink("../one.ost", below("tree/b.ost")), 0);
    assert_int_equal(symlink("../one.ost", below("tree/c.pst")), 0);
    assert_int_equal(symlink("nowhere", below("tree/d.ost")), 0);
    assert_int_equal(symlink("nowhere", below("tree/e")), 0);
    assert_int_equal(symlink(".", below("tree/f")), 0);
    assert_int_equal(symlink("self.ost", below("tree/self.ost")), 0);
    assert_int_equal(symlink("../far/other.txt", below("tree/text")), 0);
    assert_int_equal(walk(follow, below("tree"), NULL, NULL), 0);
    assert_log("image a/in.ost\nimage b.ost\nduplicate tree/c.pst = tree/b.ost\n"
               "unreadable tree/d.ost stat ENOENT\nloop tree/f = tree\n"
               "unreadable tree/self.ost stat ELOOP\n");
}

/* From so deep behind a link the way back is not by "..", which is another folder's. */
static void the_way_back_over_a_link_is_found(void **state)
{
    enum { DEEP = 40 };
    const struct io_discover_options follow = {.follow = true};
    char path[4 * DEEP] = "far";

    (void)state;
    add_folder("far");
    for (int i = 0; i < DEEP; i++) {
        strcat(path, "/d");
        add_folder(path);
    }
    strcat(path, "/in.ost");
    add_file(path);
    add_folder("tree");
    assert_int_equal(symlink("../far", below("tree/a")), 0);
    add_file("tree/z.ost");
    assert_int_equal(walk(follow, below("tree"), NULL, NULL), 0);
    path[strlen(path) - strlen("/in.ost")] = '\0';
    assert_non_null(strstr(buf_cstr(&log_text), "/d/in.ost\nimage z.ost\n"));
}

static void the_excluded_folder_is_not_entered(void **state)
{
    struct io_discover_options options = {0};

    (void)state;
    add_folder("out");
    add_file("out/x.ost");
    add_file("y.ost");
    assert_int_equal(symlink("out", below("link")), 0);
    options.exclude = below("link");
    assert_int_equal(walk(options, root, below("out"), NULL), 0);
    assert_log("symlink link\nexcluded out\nimage y.ost\nexcluded out\n");
    options.exclude = below("missing");
    assert_int_equal(walk(options, below("out"), NULL, NULL), 0);
    assert_log("image x.ost\n");
}

static int swap_for_symlink(const struct io_found *found)
{
    if (strcmp(found->relative, "a.ost") != 0)
        return 0;
    assert_int_equal(rename(below("in/b"), below("moved")), 0);
    assert_int_equal(symlink("../out", below("in/b")), 0);
    assert_int_equal(rmdir(below("in/c")), 0);
    assert_int_equal(unlink(below("in/d.ost")), 0);
    return 0;
}

static void what_changes_during_the_walk_leads_nowhere_else(void **state)
{
    (void)state;
    add_folder("out");
    add_file("out/secret.ost");
    add_folder("in");
    add_file("in/a.ost");
    add_folder("in/b");
    add_folder("in/c");
    add_file("in/d.ost");
    add_file("in/e.ost");
    at_image = swap_for_symlink;
    assert_int_equal(walk((struct io_discover_options){0}, below("in"), NULL, NULL), 0);
    assert_log("image a.ost\nunreadable in/b open ENOTDIR\nunreadable in/c open ENOENT\n"
               "unreadable in/d.ost stat ENOENT\nimage e.ost\n");
}

/* root/d/d/d…, `z.ost` in every `every`-th folder. */
static void make_deep(unsigned levels, unsigned every)
{
    int at = open(root, O_RDONLY | O_DIRECTORY);

    for (unsigned i = 0; i <= levels; i++) {
        int next;

        if (i % every == 0) {
            int file = openat(at, "z.ost", O_WRONLY | O_CREAT, 0644);

            assert_true(file >= 0);
            close(file);
        }
        if (i == levels)
            break;
        assert_int_equal(mkdirat(at, "d", 0755), 0);
        next = openat(at, "d", O_RDONLY | O_DIRECTORY);
        assert_true(next >= 0);
        close(at);
        at = next;
    }
    close(at);
}

static unsigned count_of(const char *word)
{
    unsigned n = 0;

    for (const char *at = buf_cstr(&log_text); (at = strstr(at, word)); at += strlen(word))
        n++;
    return n;
}

static void depth_has_no_bound_but_a_path_to_open_has(void **state)
{
    struct rlimit old, few;
    unsigned descriptors = open_descriptors();
    unsigned openable;

    (void)state;
    make_deep(10000, 500);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    few = (struct rlimit){.rlim_cur = 64, .rlim_max = old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    assert_int_equal(walk((struct io_discover_options){0}, root, NULL, NULL), 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    openable = (unsigned)((PATH_MAX - 1 - strlen(below("z.ost"))) / 2 / 500) + 1;
    assert_int_equal(count_of("image "), openable);
    assert_int_equal(count_of(" open ENAMETOOLONG\n"), 21 - openable);
    assert_int_equal(count_of("\n"), 21);
    assert_int_equal(open_descriptors(), descriptors);
}

static int check_that_it_opens(const struct io_found *found)
{
    assert_int_equal(access(found->path, R_OK), 0);
    return 0;
}

static void every_path_handed_out_can_be_opened(void **state)
{
    unsigned openable;

    (void)state;
    make_deep(2100, 1);
    at_image = check_that_it_opens;
    assert_int_equal(walk((struct io_discover_options){0}, root, NULL, NULL), 0);
    openable = (unsigned)((PATH_MAX - 1 - strlen(below("z.ost"))) / 2) + 1;
    assert_int_equal(count_of("image "), openable);
    assert_int_equal(count_of(" open ENAMETOOLONG\n"), 2101 - openable);
}

static int move_the_tree_about(const struct io_found *found)
{
    if (strlen(found->relative) == 2 * 50 + strlen("z.ost"))
        assert_int_equal(rename(below("d/d/d"), below("moved")), 0);
    return 0;
}

static void what_cannot_be_gone_back_to_is_reported(void **state)
{
    (void)state;
    make_deep(50, 1);
    at_image = move_the_tree_about;
    assert_int_equal(walk((struct io_discover_options){0}, root, NULL, NULL), 0);
    assert_int_equal(count_of("image "), 48);
    assert_int_equal(count_of(" open ESTALE\n"), 3);
    assert_non_null(strstr(buf_cstr(&log_text), "unreadable d/d open ESTALE\nunreadable d open "
                                                "ESTALE\nunreadable . open ESTALE\n"));
}

static atomic_bool cancel;

static int cancel_now(const struct io_found *found)
{
    (void)found;
    atomic_store(&cancel, true);
    return 0;
}

static int stop_with_seven(const struct io_found *found)
{
    (void)found;
    return 7;
}

static void the_walk_can_be_stopped(void **state)
{
    struct io_discover_options options = {.cancel = &cancel};
    unsigned descriptors = open_descriptors();

    (void)state;
    add_folder("a");
    add_file("a/1.ost");
    add_file("a/2.ost");
    atomic_store(&cancel, false);
    at_image = cancel_now;
    assert_int_equal(walk(options, root, NULL, NULL), ERR_CANCELLED);
    assert_log("image a/1.ost\n");
    assert_int_equal(walk(options, root, NULL, NULL), ERR_CANCELLED);
    assert_log("");
    at_image = stop_with_seven;
    assert_int_equal(walk((struct io_discover_options){0}, root, NULL, NULL), 7);
    assert_log("image a/1.ost\n");
    assert_int_equal(open_descriptors(), descriptors);
}

static void write_list(const char *text, size_t size)
{
    int fd = open(below("list"), O_WRONLY | O_CREAT | O_TRUNC, 0644);

    assert_int_equal(write(fd, text, size), size);
    close(fd);
}

static int walk_list(const char *list, bool null_separated, const atomic_bool *stop,
                     struct fault *fault)
{
    struct io_discover_options options = {.cancel = stop};
    struct io_discover *d;
    int r = io_discover_create(&options, &sink, &d);

    if (r)
        return r;
    r = io_discover_list(d, list, null_separated, fault);
    io_discover_destroy(d);
    return r;
}

static void lists_name_files_and_folders(void **state)
{
    struct fault fault = {0};
    char text[4 * PATH_MAX];
    int n;

    (void)state;
    add_folder("f");
    add_file("f/in.ost");
    add_file("plain");
    add_file("cr\r");
    add_file("new\nline");
    n = snprintf(text, sizeof text, "%s\n\n%s\n%s\n%s\n%s", below("plain"), below("f"),
                 below("missing"), below("cr\r"), below("f/in.ost"));
    write_list(text, (size_t)n);
    assert_int_equal(walk_list(below("list"), false, NULL, &fault), 0);
    assert_log("named plain\nimage in.ost\nunreadable missing stat ENOENT\nnamed cr\r\n"
               "duplicate f/in.ost = f/in.ost\n");
    n = snprintf(text, sizeof text, "%s%c%c%s%c", below("new\nline"), 0, 0, below("plain"), 0);
    write_list(text, (size_t)n);
    assert_int_equal(walk_list(below("list"), true, NULL, &fault), 0);
    assert_log("named new\nline\nnamed plain\n");
    assert_int_equal(walk_list(below("no list"), false, NULL, &fault), ERR_NOENT);
    assert_int_equal(fault.errnum, ENOENT);
    assert_string_equal(fault.what, "open");
    assert_int_equal(walk_list(below("f"), false, NULL, &fault), ERR_SYS);
    assert_int_equal(fault.errnum, EISDIR);
}

static void lists_of_the_wrong_kind_are_told(void **state)
{
    struct fault fault;
    char *text = malloc(300000);
    char expected[PATH_MAX + 200];
    int n;

    (void)state;
    n = snprintf(text, 300000, "%s%cb\n", below("a"), 0);
    memset(text + n, 'x', 200000);
    memcpy(text + n + 200000, "\n/dev/null\n", 11);
    write_list(text, (size_t)n + 200011);
    assert_int_equal(walk_list(below("list"), false, NULL, &fault), 0);
    memset(text, 'x', PATH_MAX - 1);
    text[PATH_MAX - 1] = '\0';
    snprintf(expected, sizeof expected,
             "unreadable a list entry EINVAL\nunreadable %s list entry ENAMETOOLONG\n"
             "special /dev/null\n",
             text);
    assert_log(expected);
    free(text);
}

struct feeder {
    int fd;
    const char *text;
};

static void *feed_slowly(void *ctx)
{
    const struct feeder *f = ctx;

    for (const char *at = f->text; *at; at++)
        assert_int_equal(write(f->fd, at, 1), 1);
    usleep(20000);
    atomic_store(&cancel, true);
    return NULL;
}

static void a_list_may_arrive_slowly_and_be_given_up(void **state)
{
    struct feeder feeder;
    struct fault fault;
    pthread_t thread;
    char text[2 * PATH_MAX];
    int ends[2], saved = dup(STDIN_FILENO);

    (void)state;
    add_file("a");
    add_file("b");
    snprintf(text, sizeof text, "%s\n%s", below("a"), below("b"));
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    atomic_store(&cancel, false);
    feeder = (struct feeder){.fd = ends[1], .text = text};
    assert_int_equal(pthread_create(&thread, NULL, feed_slowly, &feeder), 0);
    assert_int_equal(walk_list("-", false, &cancel, &fault), ERR_CANCELLED);
    pthread_join(thread, NULL);
    assert_log("named a\n");
    assert_int_equal(write(ends[1], "/dev/null\n", 10), 10);
    close(ends[1]);
    assert_int_equal(walk_list("-", false, NULL, &fault), 0);
    assert_log("special /dev/null\n");
    close(ends[0]);
    if (saved >= 0) {
        dup2(saved, STDIN_FILENO);
        close(saved);
    } else {
        close(STDIN_FILENO);
    }
}

static void every_refused_allocation_is_reported(void **state)
{
    unsigned descriptors = open_descriptors();
    struct fault fault;
    char text[PATH_MAX];
    unsigned failures = 0;
    int r;

    (void)state;
    make_deep(40, 4);
    assert_int_equal(link(below("z.ost"), below("d/again.ost")), 0);
    snprintf(text, sizeof text, "%s\n", root);
    write_list(text, strlen(text));
    buf_reserve(&log_text, 1 << 16); /* the log itself shall not be what fails */
    for (uint64_t nth = 1;; nth++) {
        buf_reset(&log_text);
        mem_test_fail(nth, 0);
        r = walk_list(below("list"), false, NULL, &fault);
        mem_test_fail(0, 0);
        if (!r)
            break;
        assert_int_equal(r, ERR_NOMEM);
        assert_int_equal(open_descriptors(), descriptors);
        failures++;
    }
    assert_true(failures > 8);
    assert_int_equal(count_of("image "), 11);
    assert_int_equal(count_of("duplicate z.ost = d/again.ost\n"), 1);
}

#define walk_test(f) cmocka_unit_test_setup_teardown(f, make_root, remove_root)

int main(void)
{
    const struct CMUnitTest tests[] = {
        walk_test(images_are_found_by_name_in_byte_order),
        walk_test(a_found_file_is_described),
        walk_test(each_file_and_folder_is_visited_once),
        walk_test(symlinks_are_named_not_followed),
        walk_test(special_files_are_named),
        walk_test(placeholders_wait_for_recall),
        walk_test(the_unreadable_is_reported_and_the_walk_goes_on),
        walk_test(symlinks_are_followed_when_told),
        walk_test(the_way_back_over_a_link_is_found),
        walk_test(the_excluded_folder_is_not_entered),
        walk_test(what_changes_during_the_walk_leads_nowhere_else),
        walk_test(depth_has_no_bound_but_a_path_to_open_has),
        walk_test(every_path_handed_out_can_be_opened),
        walk_test(what_cannot_be_gone_back_to_is_reported),
        walk_test(the_walk_can_be_stopped),
        walk_test(lists_name_files_and_folders),
        walk_test(lists_of_the_wrong_kind_are_told),
        walk_test(a_list_may_arrive_slowly_and_be_given_up),
        walk_test(every_refused_allocation_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
