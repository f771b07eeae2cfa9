/*
 * test_powerloss.c: a scan, and what the disk may hold when the power goes at any moment of it.
 *
 * What a scan does to files is recorded: creating, writing, syncing, renaming, cutting. For each
 * prefix of that the folder is made as a disk may have it then: data that was not synced whole,
 * missing, in part, or zeros; names that were not synced as they were before or as they are now,
 * one independent of the other. In each of these states the manifests that have their name are
 * whole, and the next scan makes of it what an undisturbed one does.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/faults/rig.h"

enum { OPS_MOST = 4096, FILES_MOST = 64, FDS_MOST = 256, NAME = 512 };

enum op_kind { OP_CREATE, OP_WRITE, OP_SYNC, OP_SYNC_FOLDER, OP_RENAME, OP_CUT };

struct op {
    enum op_kind kind;
    int file, folder; /* indices */
    uint64_t size;    /* of the file after it */
};

/* A file that the scan made: its names within its folder, and what stands in it at the end. */
struct file {
    char name[NAME], final[NAME]; /* final empty: it has none */
    int folder;
    uint64_t size; /* while operations are read */
    uint8_t *data;
    uint64_t data_size;
    struct timespec mtime;
};

static struct rig rig;
static struct op ops[OPS_MOST];
static struct file files[FILES_MOST];
static unsigned op_count, file_count;
static int file_of[FDS_MOST], folder_of[FDS_MOST]; /* 1 + index; 0: none */

/* OUT is folder 0, OUT/manifests 1; others do not matter. */
static int folder_index(const char *path)
{
    const char *tail = strrchr(path, '/');

    if (tail && strcmp(tail, "/manifests") == 0)
        return 1;
    return tail && strcmp(tail, "/out") == 0 ? 0 : -1;
}

static void add_op(enum op_kind kind, int file, int folder)
{
    assert_true(op_count < OPS_MOST);
    ops[op_count++] = (struct op){
        .kind = kind, .file = file, .folder = folder, .size = file >= 0 ? files[file].size : 0};
}

static int find_file(int folder, const char *name)
{
    for (int i = (int)file_count - 1; i >= 0; i--)
        if (files[i].folder == folder && strcmp(files[i].name, name) == 0)
            return i;
    fail_msg("no file %s", name);
    return -1;
}

/* The journal is opened by its path, all others within the folder that was opened last. */
static void on_create(int fd, const char *path, int last_folder)
{
    const char *slash = strrchr(path, '/');
    struct file *f = &files[file_count];

    assert_true(file_count < FILES_MOST && fd < FDS_MOST);
    f->folder = slash ? 0 : last_folder;
    snprintf(f->name, sizeof f->name, "%s", slash ? slash + 1 : path);
    if (slash)
        memcpy(f->final, f->name, sizeof f->final);
    file_of[fd] = (int)++file_count;
    folder_of[fd] = 0;
    add_op(OP_CREATE, (int)file_count - 1, f->folder);
}

static void on_write(enum op_kind kind, int fd, uint64_t size)
{
    if (!file_of[fd])
        return;
    files[file_of[fd] - 1].size = size;
    add_op(kind, file_of[fd] - 1, -1);
}

static void on_rename(int fd, const char *name, const char *to)
{
    int file = find_file(folder_of[fd] - 1, name);

    snprintf(files[file].final, sizeof files[file].final, "%s", to);
    add_op(OP_RENAME, file, folder_of[fd] - 1);
}

static void on_line(const char *line)
{
    static int last_folder;
    char name[NAME], to[NAME];
    long long size, offset;
    int fd;

    if (sscanf(line, "create %d %511[^\n]", &fd, name) == 2) {
        on_create(fd, name, last_folder);
    } else if (sscanf(line, "folder %d %511[^\n]", &fd, name) == 2) {
        assert_true(fd < FDS_MOST);
        file_of[fd] = 0;
        folder_of[fd] = folder_index(name) + 1;
        last_folder = folder_index(name) >= 0 ? folder_index(name) : last_folder;
    } else if (sscanf(line, "write %d %lld", &fd, &size) == 2) {
        if (file_of[fd])
            on_write(OP_WRITE, fd, files[file_of[fd] - 1].size + (uint64_t)size);
    } else if (sscanf(line, "pwrite %d %lld %lld", &fd, &size, &offset) == 3) {
        on_write(OP_WRITE, fd, (uint64_t)(offset + size));
    } else if (sscanf(line, "truncate %d %lld", &fd, &size) == 2) {
        on_write(OP_CUT, fd, (uint64_t)size);
    } else if (sscanf(line, "sync %d", &fd) == 1) {
        if (file_of[fd])
            add_op(OP_SYNC, file_of[fd] - 1, -1);
        else if (folder_of[fd])
            add_op(OP_SYNC_FOLDER, -1, folder_of[fd] - 1);
    } else if (sscanf(line, "rename %d %511[^\t]\t%511[^\n]", &fd, name, to) == 3) {
        on_rename(fd, name, to);
    } else {
        fail_msg("not understood: %s", line);
    }
}

static void read_record(FILE *from)
{
    char line[2048];

    rewind(from);
    while (fgets(line, sizeof line, from))
        on_line(line);
}

static void out_path(char path[3 * NAME], int folder, const char *name)
{
    assert_true(snprintf(path, 3 * NAME, "%s/out%s/%s", rig.dir, folder ? "/manifests" : "", name) <
                3 * NAME);
}

static void keep_content(struct file *f)
{
    char path[3 * NAME];
    struct stat st;
    FILE *from;

    if (!f->final[0])
        return;
    out_path(path, f->folder, f->final);
    assert_int_equal(stat(path, &st), 0);
    f->mtime = st.st_mtim;
    f->data_size = (uint64_t)st.st_size;
    f->data = malloc(f->data_size + 1);
    from = fopen(path, "rb");
    assert_true(f->data && from);
    assert_int_equal(fread(f->data, 1, f->data_size, from), f->data_size);
    fclose(from);
}

/* How what was not synced came out. */
enum data_fate { DATA_WHOLE, DATA_SYNCED, DATA_HALF, DATA_ZEROS, DATA_FATES };

/* A file after the first n operations. */
struct file_state {
    bool created, created_synced, renamed, renamed_synced;
    uint64_t size, synced;
};

static void follow(unsigned n, struct file_state states[FILES_MOST])
{
    memset(states, 0, FILES_MOST * sizeof *states);
    for (unsigned i = 0; i < n; i++) {
        const struct op *op = &ops[i];
        struct file_state *s = op->file >= 0 ? &states[op->file] : NULL;

        if (op->kind == OP_CREATE)
            s->created = true;
        else if (op->kind == OP_RENAME)
            s->renamed = true;
        else if (op->kind == OP_WRITE || op->kind == OP_CUT)
            s->size = op->size;
        else if (op->kind == OP_SYNC)
            s->synced = s->size;
        for (unsigned k = 0; op->kind == OP_SYNC_FOLDER && k < file_count; k++)
            if (files[k].folder == op->folder) {
                states[k].created_synced |= states[k].created;
                states[k].renamed_synced |= states[k].renamed;
            }
    }
}

static void write_file(const struct file *f, const struct file_state *s, const char *name,
                       enum data_fate fate)
{
    uint64_t size = fate == DATA_SYNCED ? s->synced
                    : fate == DATA_HALF ? s->synced + (s->size - s->synced) / 2
                                        : s->size;
    struct timespec times[2] = {f->mtime, f->mtime};
    char path[3 * NAME];
    uint8_t *copy;
    int fd;

    assert_true(size <= f->data_size);
    copy = malloc(size + 1);
    assert_non_null(copy);
    memcpy(copy, f->data, size);
    if (fate == DATA_ZEROS && s->size > s->synced)
        memset(copy + s->synced, 0, s->size - s->synced);
    out_path(path, f->folder, name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, copy, size), size);
    assert_int_equal(futimens(fd, times), 0);
    close(fd);
    free(copy);
}

/* Makes OUT as it may be after the first n operations. names: 0: only those that were synced; 1:
 * all; else each by a bit of it. */
static void make_state(unsigned n, enum data_fate fate, unsigned names)
{
    struct file_state states[FILES_MOST];
    char path[3 * NAME];

    rig_remove(&rig, "out");
    snprintf(path, sizeof path, "%s/out", rig.dir);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/out/manifests", rig.dir);
    assert_int_equal(mkdir(path, 0700), 0);
    follow(n, states);
    for (unsigned i = 0; i < file_count; i++) {
        const struct file_state *s = &states[i];
        bool kept = names == 1 || (names > 1 && (names >> (i % 8 + 1) & 1));

        if (!s->created || (!s->created_synced && !kept) || !files[i].data)
            continue;
        write_file(&files[i], s,
                   s->renamed_synced || (s->renamed && kept) ? files[i].final : files[i].name,
                   fate);
    }
}

static void every_state_is_healed(void **state)
{
    static const unsigned names[] = {0, 1, 0x154, 0x0aa};
    unsigned states = 0;

    (void)state;
    for (unsigned n = 1; n <= op_count; n++)
        for (int fate = 0; fate < DATA_FATES; fate++)
            for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
                states++;
                if (states % RIG_SHARE)
                    continue;
                make_state(n, (enum data_fate)fate, names[k]);
                rig_manifests(&rig, "out");
                rig_heals(&rig, "out");
            }
    print_message("%u operations, %u files, %u states\n", op_count, file_count, states);
    assert_true(op_count >= 40 && file_count >= RIG_IMAGES + 3 && states >= 640);
}

/* A name is given to synced data alone, and the journal speaks of no manifest whose name could
 * still be lost. */
static void the_order_is_right(void **state)
{
    struct file_state states[FILES_MOST];
    unsigned renames = 0, lines = 0;

    (void)state;
    for (unsigned n = 0; n < op_count; n++) {
        follow(n, states);
        if (ops[n].kind == OP_RENAME) {
            assert_true(states[ops[n].file].synced == states[ops[n].file].size);
            assert_true(states[ops[n].file].size > 0);
            renames++;
        }
        if (ops[n].kind != OP_WRITE || strcmp(files[ops[n].file].final, "scan.journal") != 0)
            continue;
        for (unsigned i = 0; i < file_count; i++)
            assert_true(files[i].folder != 1 || !states[i].renamed || states[i].renamed_synced);
        lines++;
    }
    assert_true(renames == RIG_IMAGES + 2 && lines == RIG_IMAGES + 1);
}

static int setup(void **state)
{
    struct rig_fault fault = {.record_fd = -1};
    FILE *record;

    (void)state;
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 1);
    rig_setup(&rig);
    record = tmpfile();
    assert_non_null(record);
    fault.record_fd = fileno(record);
    assert_int_equal(rig_scan(&rig, "out", &fault), 0);
    read_record(record);
    fclose(record);
    for (unsigned i = 0; i < file_count; i++)
        keep_content(&files[i]);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (unsigned i = 0; i < file_count; i++)
        free(files[i].data);
    rig_teardown(&rig);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_state_is_healed),
        cmocka_unit_test(the_order_is_right),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
