/*
 * journal.c: see journal.h.
 *
 *   <check> ostscan journal 1[ <owner>]
 *   <check> keep <key> <state> <manifest bytes> <manifest mtime> <line of scan.jsonl>
 *   <check> drop <key>
 *
 * check and key are 16 hex digits, state 64, size and time (ns since 1970) decimal; check is
 * XXH3-64 of what follows it and its space, without the newline. In memory stands for each key
 * where its line begins; lines are read when they are asked for.
 *
 * A line that could not be written whole is cut off again, so that the next one begins on its own;
 * where even that fails nothing more is written. A journal in which most lines are superseded is
 * written anew on opening. The lock belongs to the file and not to its name, so after locking the
 * name is looked at again.
 */
#include "index/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "io/fault.h"
#include "io/mem.h"
#include "io/outfile.h"

enum {
    CHECK_DIGITS = 16,
    KEY_DIGITS = 16,
    STATE_DIGITS = 2 * JOURNAL_STATE_SIZE,
    LINE_MOST = 16 << 20, /* no line of scan.jsonl comes near it */
    READ_STEP = 256 << 10,
    SUPERSEDED_LEAST = 256,  /* fewer are not worth writing the file anew */
    OPEN_TRIES = 8,
    FIRST_SLOTS = 64,
};

static const char format[] = "ostscan journal 1";

struct slot {
    uint64_t key;
    uint64_t offset; /* of its line; 0: free, for the title stands there */
    uint32_t size;   /* with the newline; 0: dropped */
};

struct journal {
    int fd;
    pthread_mutex_t mutex;
    uint64_t end; /* of the last whole line */
    uint64_t lines;
    struct slot *slots; /* open addressing; a power of two */
    size_t slot_count, used;
    uint64_t live;
    struct buf title; /* the first line's text, NUL-terminated */
    bool stuck;       /* what stands behind `end` could not be cut off */
    struct fault fault;
};

static int fail(struct journal *j, struct fault fault)
{
    if (!j->fault.code)
        j->fault = fault;
    return fault.code;
}

static int fail_errno(struct journal *j, const char *what, int errnum)
{
    struct fault fault;

    fault_errno(&fault, what, errnum);
    fault.offset = j->end;
    return fail(j, fault);
}

uint64_t journal_key(const char *manifest)
{
    return XXH3_64bits(manifest, strlen(manifest));
}

/* The table of keys */

static struct slot *place_of(struct slot *slots, size_t count, uint64_t key)
{
    size_t at = (size_t)key & (count - 1);

    while (slots[at].offset && slots[at].key != key)
        at = (at + 1) & (count - 1);
    return &slots[at];
}

static int grow(struct journal *j)
{
    size_t count = j->slot_count ? 2 * j->slot_count : FIRST_SLOTS;
    struct slot *slots = mem_alloc_array(count, sizeof *slots);

    if (!slots)
        return ERR_NOMEM;
    memset(slots, 0, count * sizeof *slots);
    for (size_t i = 0; i < j->slot_count; i++)
        if (j->slots[i].offset)
            *place_of(slots, count, j->slots[i].key) = j->slots[i];
    mem_free(j->slots);
    j->slots = slots;
    j->slot_count = count;
    return 0;
}

/* Room for one key more. */
static int make_room(struct journal *j)
{
    return 2 * (j->used + 1) > j->slot_count ? grow(j) : 0;
}

/* There is room. size 0: a drop. */
static void remember(struct journal *j, uint64_t key, uint64_t offset, uint32_t size)
{
    struct slot *s = place_of(j->slots, j->slot_count, key);

    j->used += !s->offset;
    j->live += (size != 0);
    j->live -= s->offset && s->size;
    *s = (struct slot){.key = key, .offset = offset, .size = size};
}

/* Lines */

static void put_check(struct buf *line, size_t from)
{
    char digits[CHECK_DIGITS + 1];
    size_t body = from + CHECK_DIGITS + 1;

    snprintf(digits, sizeof digits, "%016" PRIx64,
             (uint64_t)XXH3_64bits(line->data + body, line->size - body));
    memcpy(line->data + from, digits, CHECK_DIGITS);
    buf_putc(line, '\n');
}

static void begin_line(struct buf *line)
{
    buf_puts(line, "---------------- ");
}

static void build_keep(struct buf *line, const struct journal_entry *e)
{
    begin_line(line);
    buf_printf(line, "keep %016" PRIx64 " ", e->key);
    for (size_t i = 0; i < sizeof e->state; i++)
        buf_printf(line, "%02x", e->state[i]);
    buf_printf(line, " %" PRIu64 " %" PRId64 " ", e->manifest_bytes, e->manifest_mtime_ns);
    buf_append(line, e->line.data, e->line.size);
    if (!line->failed)
        put_check(line, 0);
}

static bool hex_u64(const char *text, uint64_t *out)
{
    uint64_t value = 0;

    for (int i = 0; i < 16; i++) {
        const char *digits = "0123456789abcdef", *d = text[i] ? strchr(digits, text[i]) : NULL;

        if (!d)
            return false;
        value = value << 4 | (uint64_t)(d - digits);
    }
    *out = value;
    return true;
}

static bool hex_bytes(const char *text, uint8_t *out, size_t size)
{
    for (size_t i = 0; i < size; i += 8) {
        uint64_t part;

        if (!hex_u64(text + 2 * i, &part))
            return false;
        for (size_t k = 0; k < 8; k++)
            out[i + k] = (uint8_t)(part >> (56 - 8 * k));
    }
    return true;
}

/* The line without its newline, NUL in its place; NULL if its checksum does not fit. */
static const char *checked_body(const char *line, size_t size)
{
    uint64_t check;

    if (size <= CHECK_DIGITS + 1 || line[CHECK_DIGITS] != ' ' || !hex_u64(line, &check) ||
        XXH3_64bits(line + CHECK_DIGITS + 1, size - CHECK_DIGITS - 1) != check)
        return NULL;
    return line + CHECK_DIGITS + 1;
}

static bool parse_drop(const char *body, uint64_t *key)
{
    return strncmp(body, "drop ", 5) == 0 && strlen(body) == 5 + KEY_DIGITS &&
           hex_u64(body + 5, key);
}

/* A decimal number and the space behind it. */
static bool take_number(const char **at, long long *out)
{
    char *end;

    if (**at != '-' && (**at < '0' || **at > '9'))
        return false;
    errno = 0;
    *out = strtoll(*at, &end, 10);
    *at = end + 1;
    return errno == 0 && *end == ' ';
}

/* e->line points into body. */
static bool parse_keep(const char *body, struct journal_entry *e)
{
    enum { STATE = 5 + KEY_DIGITS + 1, NUMBERS = STATE + STATE_DIGITS + 1 };
    const char *at = body + NUMBERS;
    long long bytes, mtime;

    if (strncmp(body, "keep ", 5) != 0 || strlen(body) < NUMBERS || !hex_u64(body + 5, &e->key) ||
        !hex_bytes(body + STATE, e->state, sizeof e->state) || !take_number(&at, &bytes) ||
        !take_number(&at, &mtime) || bytes < 0)
        return false;
    e->manifest_bytes = (uint64_t)bytes;
    e->manifest_mtime_ns = mtime;
    e->line = bytes_text(at);
    return true;
}

/* Takes in one line of the file; false where it is none of ours. */
static int take_line(struct journal *j, char *line, size_t size, bool *good)
{
    struct journal_entry e;
    uint64_t key;
    const char *body;
    int err = make_room(j);

    if (err)
        return err;
    line[size] = '\0';
    body = checked_body(line, size);
    *good = body && strlen(body) == size - CHECK_DIGITS - 1;
    if (!*good)
        return 0;
    if (j->lines == 0)
        *good = strcmp(body, (const char *)j->title.data) == 0;
    else if (parse_drop(body, &key))
        remember(j, key, j->end, 0);
    else if (parse_keep(body, &e))
        remember(j, e.key, j->end, (uint32_t)(size + 1));
    else
        *good = false;
    if (*good) {
        j->lines++;
        j->end += size + 1;
    }
    return 0;
}

/* Takes in the whole lines that begin in the buffer, and keeps what is left over. */
static int take_lines(struct journal *j, struct buf *text, bool *good)
{
    size_t at = 0;
    int err = 0;

    while (!err && *good) {
        uint8_t *end = text->size > at ? memchr(text->data + at, '\n', text->size - at) : NULL;
        size_t size;

        if (!end)
            break;
        size = (size_t)(end - (text->data + at));
        err = take_line(j, (char *)text->data + at, size, good);
        at += size + 1;
    }
    text->size -= at;
    memmove(text->data, text->data + at, text->size);
    *good = *good && text->size < LINE_MOST;
    return err;
}

static int load(struct journal *j)
{
    struct buf text = BUF_INIT;
    uint64_t offset = 0;
    bool good = true;
    int err = 0;

    while (!err && good) {
        ssize_t n;

        if (!buf_reserve(&text, READ_STEP)) {
            err = ERR_NOMEM;
            break;
        }
        n = pread(j->fd, text.data + text.size, READ_STEP, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            err = fail_errno(j, "read", errno);
        if (n <= 0)
            break;
        offset += (uint64_t)n;
        text.size += (size_t)n;
        err = take_lines(j, &text, &good);
    }
    buf_done(&text);
    return err;
}

/* Writing */

static int cut(struct journal *j)
{
    if (TEMP_FAILURE_RETRY(ftruncate(j->fd, (off_t)j->end)) == 0)
        return 0;
    j->stuck = true;
    return fail_errno(j, "truncate", errno);
}

static int write_all(struct journal *j, const struct buf *line)
{
    size_t done = 0;

    while (done < line->size) {
        ssize_t n = pwrite(j->fd, line->data + done, line->size - done, (off_t)(j->end + done));

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return fail_errno(j, "write", n ? errno : EIO);
        done += (size_t)n;
    }
    if (TEMP_FAILURE_RETRY(fdatasync(j->fd)) < 0)
        return fail_errno(j, "fsync", errno);
    return 0;
}

static int append(struct journal *j, const struct buf *line)
{
    int err;

    if (line->failed)
        return fail(j, (struct fault){.code = ERR_NOMEM, .what = "write"});
    if (j->stuck)
        return j->fault.code;
    err = write_all(j, line);
    if (err) {
        (void)cut(j);
        return err;
    }
    j->end += line->size;
    j->lines++;
    return 0;
}

static int write_title(struct journal *j)
{
    struct buf line = BUF_INIT;
    int err;

    begin_line(&line);
    buf_append(&line, j->title.data, j->title.size);
    if (!line.failed)
        put_check(&line, 0);
    err = append(j, &line);
    buf_done(&line);
    return err;
}

/* Reads the line of a slot into *line, NUL-terminated. */
static int read_line(struct journal *j, const struct slot *s, struct buf *line)
{
    size_t from = line->size;

    if (!buf_reserve(line, s->size + 1))
        return ERR_NOMEM;
    while (line->size - from < s->size) {
        size_t have = line->size - from;
        ssize_t n =
            pread(j->fd, line->data + line->size, s->size - have, (off_t)(s->offset + have));

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return fail_errno(j, "read", n ? errno : EIO);
        line->size += (size_t)n;
    }
    return 0;
}

/* Opening */

static int copy_live(struct journal *j, struct io_outfile *to)
{
    struct buf line = BUF_INIT;
    int err = 0;

    begin_line(&line);
    buf_append(&line, j->title.data, j->title.size);
    if (!line.failed)
        put_check(&line, 0);
    if (line.failed)
        err = ERR_NOMEM;
    else
        err = io_outfile_write(to, line.data, line.size);
    for (size_t i = 0; !err && i < j->slot_count; i++) {
        if (!j->slots[i].offset || !j->slots[i].size)
            continue;
        buf_reset(&line);
        err = read_line(j, &j->slots[i], &line);
        if (!err)
            err = io_outfile_write(to, line.data, line.size);
    }
    buf_done(&line);
    return err;
}

/* Writes the file anew with what is alive in it. */
static int rewrite(struct journal *j, const char *out, const char *name)
{
    struct io_outfile *to = NULL;
    struct fault fault = {0};
    int err = io_outfile_create(out, name, &to, &fault);

    if (err)
        return fail(j, fault);
    err = copy_live(j, to);
    if (err) {
        if (io_outfile_fault(to)->code)
            fail(j, *io_outfile_fault(to));
        io_outfile_abort(to);
        return err;
    }
    err = io_outfile_commit(to, &fault);
    return err ? fail(j, fault) : 0;
}

static bool is_worth_rewriting(const struct journal *j)
{
    return j->lines > SUPERSEDED_LEAST && j->lines - j->live > SUPERSEDED_LEAST &&
           j->lines / 2 > j->live;
}

/* Whether the open file still is the one of that name. */
static bool has_name(int fd, const char *path)
{
    struct stat of_fd, of_name;

    return fstat(fd, &of_fd) == 0 && lstat(path, &of_name) == 0 && of_fd.st_dev == of_name.st_dev &&
           of_fd.st_ino == of_name.st_ino;
}

static int sync_name(struct journal *j, const char *out)
{
    int fd = open(out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int errnum = 0;

    if (fd < 0)
        return fail_errno(j, "open folder", errno);
    if (TEMP_FAILURE_RETRY(fsync(fd)) < 0 && errno != EINVAL && errno != EOPNOTSUPP)
        errnum = errno;
    close(fd);
    return errnum ? fail_errno(j, "fsync folder", errnum) : 0;
}

/* Opens and locks the file. */
static int open_file(struct journal *j, const char *path)
{
    for (int i = 0; i < OPEN_TRIES; i++) {
        struct stat st;

        j->fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
        if (j->fd < 0 && errno == EINTR)
            continue;
        if (j->fd < 0)
            return fail_errno(j, "open", errno);
        if (fstat(j->fd, &st) < 0)
            return fail_errno(j, "stat", errno);
        if (!S_ISREG(st.st_mode))
            return fail(j, (struct fault){.code = ERR_EXISTS, .what = "open"});
        if (flock(j->fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
            return fail(j, (struct fault){.code = ERR_BUSY, .what = "lock"});
        if (has_name(j->fd, path))
            return 0;
        close(j->fd);
        j->fd = -1;
    }
    return fail(j, (struct fault){.code = ERR_BUSY, .what = "lock"});
}

static void forget(struct journal *j)
{
    mem_free(j->slots);
    j->slots = NULL;
    j->slot_count = j->used = 0;
    j->live = j->lines = j->end = 0;
}

static int open_and_load(struct journal *j, const char *out, const char *path)
{
    int err = open_file(j, path);

    if (!err)
        err = load(j);
    if (!err)
        err = cut(j);
    if (!err && j->lines == 0) {
        err = write_title(j);
        if (!err)
            err = sync_name(j, out);
    }
    return err ? err : make_room(j);
}

static int open_all(struct journal *j, const char *out, const char *name)
{
    struct buf path = BUF_INIT;
    int old, err;

    buf_printf(&path, "%s/%s", out, name);
    if (!buf_cstr(&path))
        return ERR_NOMEM;
    err = open_and_load(j, out, (const char *)path.data);
    if (!err && is_worth_rewriting(j)) {
        err = rewrite(j, out, name);
        if (!err) {
            old = j->fd; /* keeps its lock until the new one is locked */
            forget(j);
            err = open_and_load(j, out, (const char *)path.data);
            close(old);
        }
    }
    buf_done(&path);
    return err;
}

int journal_open(const char *out, const char *name, const char *owner, struct journal **result,
                 struct fault *fault)
{
    struct journal *j = mem_zalloc(sizeof *j);
    int err;

    if (!j)
        return fault_errno(fault, "open", ENOMEM);
    j->fd = -1;
    pthread_mutex_init(&j->mutex, NULL);
    buf_printf(&j->title, "%s%s%s", format, *owner ? " " : "", owner);
    err = buf_cstr(&j->title) ? open_all(j, out, name) : ERR_NOMEM;
    if (err) {
        *fault = j->fault.code ? j->fault : (struct fault){.code = err, .what = "open"};
        journal_close(j);
        return err;
    }
    *result = j;
    return 0;
}

void journal_close(struct journal *j)
{
    if (!j)
        return;
    if (j->fd >= 0)
        close(j->fd);
    pthread_mutex_destroy(&j->mutex);
    buf_done(&j->title);
    mem_free(j->slots);
    mem_free(j);
}

int journal_find(struct journal *j, uint64_t key, struct buf *line, struct journal_entry *entry)
{
    struct slot slot;
    const char *body;
    int err;

    pthread_mutex_lock(&j->mutex);
    slot = *place_of(j->slots, j->slot_count, key);
    pthread_mutex_unlock(&j->mutex);
    if (!slot.offset || !slot.size)
        return 0;
    buf_reset(line);
    err = read_line(j, &slot, line);
    if (err)
        return err;
    line->data[--line->size] = '\0';
    body = checked_body((const char *)line->data, line->size);
    return body && parse_keep(body, entry) && entry->key == key;
}

static int note(struct journal *j, const struct buf *line, uint64_t key, bool keep)
{
    int err = make_room(j);

    if (err)
        return fail(j, (struct fault){.code = err, .what = "write"});
    err = append(j, line);
    if (!err)
        remember(j, key, j->end - line->size, keep ? (uint32_t)line->size : 0);
    return err;
}

int journal_keep(struct journal *j, const struct journal_entry *entry)
{
    struct buf line = BUF_INIT;
    int err;

    build_keep(&line, entry);
    pthread_mutex_lock(&j->mutex);
    err = note(j, &line, entry->key, true);
    pthread_mutex_unlock(&j->mutex);
    buf_done(&line);
    return err;
}

int journal_drop(struct journal *j, uint64_t key)
{
    struct buf line = BUF_INIT;
    const struct slot *s;
    int err = 0;

    begin_line(&line);
    buf_printf(&line, "drop %016" PRIx64, key);
    if (!line.failed)
        put_check(&line, 0);
    pthread_mutex_lock(&j->mutex);
    s = place_of(j->slots, j->slot_count, key);
    if (s->offset && s->size)
        err = note(j, &line, key, false);
    pthread_mutex_unlock(&j->mutex);
    buf_done(&line);
    return err;
}

struct fault journal_fault(struct journal *j)
{
    struct fault fault;

    pthread_mutex_lock(&j->mutex);
    fault = j->fault;
    pthread_mutex_unlock(&j->mutex);
    return fault;
}
