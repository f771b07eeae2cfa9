/* scanned.c: see scanned.h. */
#include "tests/support/scanned.h"

#include <fcntl.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "index/json_read.h"
#include "index/manifest.h"
#include "io/mem.h"
#include "scanner/app/app.h"

enum { ARGUMENTS = 24, SECONDS = 300 }; /* others may hold a process for long */

/* The program's own main, with its messages in a file. */
static void child(const char *log, int argc, char **argv)
{
    int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0)
        _exit(125);
    alarm(SECONDS);
    exit(app_main(argc, argv));
}

static struct scanned_run run_child(const char *log, int argc, char **argv)
{
    struct scanned_run run;
    pid_t pid;

    fflush(NULL);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        child(log, argc, argv);
    assert_int_equal(wait4(pid, &run.status, 0, &run.usage), pid);
    return run;
}

struct scanned_run scanned_run(const char *image, const char *dir, const char *const *extra)
{
    char log[4096], out[4096];
    char *argv[ARGUMENTS] = {"ostscan", "scan", "--all-files", "-q", "--jobs", "1", "-o", out};
    int argc = 8;

    snprintf(log, sizeof log, "%s/log", dir);
    snprintf(out, sizeof out, "%s/out", dir);
    for (; extra && *extra && argc < ARGUMENTS - 2; extra++)
        argv[argc++] = (char *)(uintptr_t)*extra;
    argv[argc++] = (char *)(uintptr_t)image;
    return run_child(log, argc, argv);
}

struct scanned_run scanned_check(const char *image, const char *dir)
{
    char log[4096];
    char *argv[] = {"ostscan",  "check", "--all-files", "--json", "--jobs", "1",
                    "--memory", "64M",   "--io",        "pread",  NULL,     NULL};
    int argc = sizeof argv / sizeof *argv - 1;

    snprintf(log, sizeof log, "%s/check", dir);
    argv[argc - 1] = (char *)(uintptr_t)image;
    return run_child(log, argc, argv);
}

struct bytes scanned_member(struct bytes object, const char *key)
{
    struct bytes value;

    return json_find(object, key, &value) == 1 ? value : (struct bytes){0};
}

uint64_t scanned_number(struct bytes object, const char *key)
{
    struct json_token token;
    uint64_t n = 0;

    assert_true(json_scalar(scanned_member(object, key), &token));
    assert_true(json_token_u64(&token, &n));
    return n;
}

static int by_nid(const void *a, const void *b)
{
    const struct scanned_item *x = a, *y = b;

    return (x->nid > y->nid) - (x->nid < y->nid);
}

/* Lines are in one buffer that has stopped growing. */
static void cut(struct scanned *s)
{
    size_t at = 0;

    s->items = mem_alloc_array(s->count + 1, sizeof *s->items);
    assert_non_null(s->items);
    for (size_t i = 0; i < s->count; i++) {
        const uint8_t *line = s->lines.data + at;
        const uint8_t *end = memchr(line, '\n', s->lines.size - at);
        struct bytes record = {line, (size_t)(end - line)};

        s->items[i] = (struct scanned_item){
            .nid = (uint32_t)scanned_number(record, "nid"),
            .partial = scanned_member(record, "partial").size > 0,
            .failed = scanned_member(record, "failed").size > 0,
            .line = record,
            .digest = scanned_member(record, "digest"),
            .attachments = scanned_member(record, "attachments"),
            .subject = scanned_member(record, "subject"),
        };
        at += record.size + 1;
    }
    qsort(s->items, s->count, sizeof *s->items, by_nid);
}

bool scanned_read(struct scanned *s, const char *dir)
{
    struct idx_manifest_reader *reader;
    enum idx_manifest_state state = MANIFEST_DAMAGED;
    enum idx_record type;
    struct bytes line;
    struct fault fault;
    char pattern[4096];
    glob_t found;
    int rc;

    *s = (struct scanned){0};
    snprintf(pattern, sizeof pattern, "%s/out/manifests/*.zst", dir);
    if (glob(pattern, 0, NULL, &found))
        return false;
    assert_int_equal(found.gl_pathc, 1);
    assert_int_equal(idx_manifest_open(found.gl_pathv[0], &reader, &fault), 0);
    globfree(&found);
    while ((rc = idx_manifest_next(reader, &type, &line, &state)) == 1) {
        if (type == RECORD_ITEM) {
            buf_append(&s->lines, line.data, line.size);
            s->count++;
        } else if (type == RECORD_FINDING) {
            s->findings++;
            s->corrupt += memmem(line.data, line.size, "\"severity\":\"corrupt\"", 20) != NULL;
        }
    }
    idx_manifest_close(reader);
    assert_false(s->lines.failed);
    cut(s);
    return rc == 0 && state == MANIFEST_COMPLETE;
}

void scanned_done(struct scanned *s)
{
    buf_done(&s->lines);
    mem_free(s->items);
    *s = (struct scanned){0};
}

const struct scanned_item *scanned_find(const struct scanned *s, uint32_t nid)
{
    struct scanned_item key = {.nid = nid};

    return s->count ? bsearch(&key, s->items, s->count, sizeof key, by_nid) : NULL;
}

static bool same(struct bytes a, struct bytes b)
{
    return a.size == b.size && (!a.size || !memcmp(a.data, b.data, a.size));
}

bool scanned_same(const struct scanned_item *a, const struct scanned_item *b)
{
    return same(a->digest, b->digest) && same(a->attachments, b->attachments) &&
           same(a->subject, b->subject);
}
