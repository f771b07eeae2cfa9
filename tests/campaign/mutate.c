/*
 * mutate.c: an image damaged many times over, each time scanned as a whole by the program itself in
 * a child process.
 *
 *   mutate COUNT SEED IMAGE FOLDER [KEEP]
 *
 * The image is healthy. COUNT times, one of these is done to a copy of it in FOLDER: bits flipped
 * or fields set to values that are seldom right; a sector, or a page or block, filled with zeros,
 * with noise, or with another one; the file cut off. Every other time all checksums that cover the
 * place are made right again (and the end of file in the header for a cut), so that what reads the
 * structures must bear them.
 *
 * Each scan must end by itself with its manifest complete, within 10 s of processor time and 512
 * MiB, without a report of a sanitizer, and so must a check; where that finds corruption, so did
 * the scan. Items that do not rest on the damaged bytes (tests/support/owners) must be there, whole
 * and with the digests that they had. Where checksums were left wrong, so must every other item
 * that is handed out as whole. What fails is told; with KEEP its image is kept there.
 *
 * Prints a line: image, damages, misses, items not touched and touched over all, most seconds, most
 * MiB. Exits with 1 if there are misses.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "io/mem.h"
#include "scanner/ost/amap.h"
#include "scanner/ost/block.h"
#include "scanner/ost/crc.h"
#include "tests/support/owners.h"
#include "tests/support/scanned.h"
#include "tests/support/tempdir.h"

enum { SECTOR = 512, SECONDS = 10, MEBIBYTES = 512, RANGES = 8 };

struct range {
    uint64_t from, to;
};

struct campaign {
    const char *image, *folder, *keep;
    struct ndbfile file;
    struct owners owners;
    struct scanned whole;
    uint64_t random;

    /* The damage in hand. */
    unsigned number;
    uint8_t *data;
    size_t size;
    struct range ranges[RANGES];
    unsigned range_count;
    bool sealed; /* checksums made right */
    bool *touched;
    const char *kind;

    unsigned long misses, untouched, hurt;
    double most_seconds;
    long most_kib;
};

static uint64_t next_random(struct campaign *c, uint64_t below)
{
    c->random ^= c->random << 13;
    c->random ^= c->random >> 7;
    c->random ^= c->random << 17;
    return c->random % below;
}

/* Places */

static struct range any_page(struct campaign *c)
{
    const struct ost_plan *plan = &c->owners.plan;
    uint64_t at = plan->pages[next_random(c, plan->page_count)].offset;

    return (struct range){at, at + plan->variant->page_size};
}

static struct range any_block(struct campaign *c)
{
    const struct ost_plan *plan = &c->owners.plan;
    const struct ost_block *b = &plan->blocks[next_random(c, plan->block_count)];

    /* internal blocks are few and decide much */
    for (unsigned i = 0; i < 3 && !ost_bid_internal(b->bid); i++)
        b = &plan->blocks[next_random(c, plan->block_count)];
    return (struct range){b->offset, b->offset + ost_block_extent(plan->variant, b->stored)};
}

/* A structure to be hit: blocks, pages, header; seldom any bytes at all. */
static struct range any_structure(struct campaign *c)
{
    uint64_t dice = next_random(c, 16);

    if (dice == 0)
        return (struct range){0, OST_HEADER_SIZE};
    if (dice <= 2)
        return (struct range){0, c->size};
    return dice <= 5 ? any_page(c) : any_block(c);
}

static void hit(struct campaign *c, uint64_t from, uint64_t to)
{
    if (to > c->size)
        to = c->size;
    assert_true(c->range_count < RANGES && from < to);
    c->ranges[c->range_count++] = (struct range){from, to};
}

/* Kinds of damage */

static void damage_bits(struct campaign *c)
{
    unsigned count = 1 + (unsigned)next_random(c, RANGES);
    struct range where = any_structure(c);

    c->kind = "bits";
    for (unsigned i = 0; i < count; i++) {
        uint64_t at = where.from + next_random(c, where.to - where.from);

        c->data[at] ^= (uint8_t)(1u << next_random(c, 8));
        hit(c, at, at + 1);
    }
}

/* A field of two or four bytes: its neighbour, an extreme, a place in the file, a bid. */
static void damage_field(struct campaign *c)
{
    struct range where = any_structure(c);
    uint64_t at = where.from + next_random(c, (where.to - where.from) / 2) * 2;
    uint32_t old, values[8];
    unsigned width = next_random(c, 2) ? 4 : 2;

    c->kind = "field";
    if (at + 4 > where.to)
        at = where.to - 4;
    old = le32(c->data + at);
    values[0] = old + 1;
    values[1] = old - 1;
    values[2] = 0;
    values[3] = 0xFFFFFFFF;
    values[4] = old << 1;
    values[5] = (uint32_t)next_random(c, c->size);
    values[6] = (uint32_t)c->owners.plan.blocks[next_random(c, c->owners.plan.block_count)].bid;
    values[7] = c->owners.plan.nodes[next_random(c, c->owners.plan.node_count)].nid;
    old = values[next_random(c, 8)];
    if (width == 4)
        put_le32(c->data + at, old);
    else
        put_le16(c->data + at, (uint16_t)old);
    hit(c, at, at + width);
}

/* Zeros, noise, or what stands at `other`. */
static void fill(struct campaign *c, struct range at, uint64_t other)
{
    uint64_t size = at.to - at.from, how = next_random(c, 3);

    if (other + size > c->size)
        other = 0;
    if (how == 0)
        memset(c->data + at.from, 0, size);
    else if (how == 1)
        memmove(c->data + at.from, c->data + other, size);
    else
        for (uint64_t i = 0; i < size; i++)
            c->data[at.from + i] = (uint8_t)next_random(c, 256);
    hit(c, at.from, at.to);
}

static void damage_sector(struct campaign *c)
{
    uint64_t at = any_structure(c).from / SECTOR * SECTOR;
    uint64_t other = next_random(c, c->size / SECTOR) * SECTOR;

    c->kind = "sector";
    if (next_random(c, 4) == 0)
        at = next_random(c, c->size / SECTOR) * SECTOR;
    fill(c, (struct range){at, at + SECTOR < c->size ? at + SECTOR : c->size}, other);
}

static void damage_structure(struct campaign *c)
{
    bool page = next_random(c, 2);
    struct range at = page ? any_page(c) : any_block(c);

    c->kind = page ? "page" : "block";
    fill(c, at, page ? any_page(c).from : any_block(c).from);
}

static void damage_cut(struct campaign *c)
{
    uint64_t size = next_random(c, 8) ? next_random(c, c->size) : next_random(c, 2000);

    c->kind = "cut";
    if (next_random(c, 2))
        size = size / SECTOR * SECTOR;
    hit(c, size, c->size);
    c->size = size;
    if (c->sealed && size >= OST_HEADER_SIZE) {
        if (c->owners.plan.variant->id_size == 4)
            put_le32(c->data + OFF_A_EOF, (uint32_t)size);
        else
            put_le64(c->data + OFF_U_EOF, size);
    }
}

/* Checksums made right again */

static bool is_hit(const struct campaign *c, uint64_t offset, uint64_t size)
{
    for (unsigned i = 0; i < c->range_count; i++)
        if (c->ranges[i].from < offset + size && offset < c->ranges[i].to)
            return offset + size <= c->size;
    return false;
}

static void seal_page(struct campaign *c, uint64_t offset)
{
    const struct ost_variant *v = c->owners.plan.variant;
    uint8_t *page = c->data + offset;

    if (!is_hit(c, offset, v->page_size))
        return;
    memcpy(page + v->page_trailer, c->file.bytes.data + offset + v->page_trailer,
           v->page_size - v->page_trailer);
    put_le32(page + v->page_crc, ost_crc(page, v->page_trailer));
}

static void seal_block(struct campaign *c, const struct ost_block *b)
{
    const struct ost_variant *v = c->owners.plan.variant;
    uint32_t extent = ost_block_extent(v, b->stored), trailer = extent - v->block_trailer;
    uint8_t *at = c->data + b->offset;

    if (!is_hit(c, b->offset, extent))
        return;
    memcpy(at + trailer, c->file.bytes.data + b->offset + trailer, v->block_trailer);
    put_le32(at + trailer + v->block_crc, ost_crc(at, b->stored));
}

static void seal(struct campaign *c)
{
    const struct ost_plan *plan = &c->owners.plan;
    const struct ost_variant *v = plan->variant;

    for (size_t i = 0; i < plan->page_count; i++)
        seal_page(c, plan->pages[i].offset);
    for (uint64_t at = v->amap_first; at + v->page_size <= c->size; at += v->amap_spacing)
        seal_page(c, at);
    for (size_t i = 0; i < plan->block_count; i++)
        seal_block(c, &plan->blocks[i]);
    if (c->size < OST_HEADER_SIZE)
        return;
    put_le32(c->data + OFF_CRC_PARTIAL, ost_crc(c->data + CRC_PARTIAL_START, CRC_PARTIAL_LENGTH));
    if (v->id_size == 8)
        put_le32(c->data + OFF_U_CRC_FULL, ost_crc(c->data + CRC_FULL_START, CRC_FULL_LENGTH));
}

static void damage(struct campaign *c)
{
    static void (*const kinds[])(struct campaign *) = {damage_bits, damage_field, damage_sector,
                                                       damage_structure, damage_cut};

    memcpy(c->data, c->file.bytes.data, c->file.bytes.size);
    c->size = c->file.bytes.size;
    c->range_count = 0;
    c->sealed = c->number % 2;
    kinds[c->number / 2 % 5](c);
    if (c->sealed)
        seal(c);
    memset(c->touched, 0, c->owners.item_count * sizeof *c->touched);
    for (unsigned i = 0; i < c->range_count; i++)
        owners_mark(&c->owners, c->ranges[i].from, c->ranges[i].to, c->touched);
}

/* What came of it */

static void miss(struct campaign *c, const char *format, ...)
{
    va_list args;

    printf("# %s damage %u (%s, checksums %s):", c->image, c->number, c->kind,
           c->sealed ? "right" : "wrong");
    for (unsigned i = 0; i < c->range_count; i++)
        printf(" %#llx-%#llx", (unsigned long long)c->ranges[i].from,
               (unsigned long long)c->ranges[i].to);
    printf(": ");
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    c->misses++;
}

/* also: an exit status that is as good as 0. */
static bool judge_run(struct campaign *c, const struct scanned_run *run, int also)
{
    const struct timeval *u = &run->usage.ru_utime, *s = &run->usage.ru_stime;
    double seconds = (double)(u->tv_sec + s->tv_sec) + (double)(u->tv_usec + s->tv_usec) / 1e6;
    unsigned long before = c->misses;

    if (WIFSIGNALED(run->status))
        miss(c, "killed by signal %d", WTERMSIG(run->status));
    else if (WEXITSTATUS(run->status) && WEXITSTATUS(run->status) != also)
        miss(c, "exit status %d", WEXITSTATUS(run->status));
    if (seconds > SECONDS)
        miss(c, "%.1f s", seconds);
    if (run->usage.ru_maxrss > MEBIBYTES * 1024L)
        miss(c, "%ld MiB", run->usage.ru_maxrss / 1024);
    if (seconds > c->most_seconds)
        c->most_seconds = seconds;
    if (run->usage.ru_maxrss > c->most_kib)
        c->most_kib = run->usage.ru_maxrss;
    return c->misses == before;
}

static void judge_items(struct campaign *c, const struct scanned *s)
{
    for (size_t i = 0; i < c->owners.item_count; i++) {
        uint32_t nid = c->owners.items[i];
        const struct scanned_item *was = scanned_find(&c->whole, nid), *is = scanned_find(s, nid);
        bool whole = is && !is->partial && !is->failed;

        /* more deeply nested than is read */
        if (was->partial)
            continue;
        *(c->touched[i] ? &c->hurt : &c->untouched) += 1;
        if (!c->touched[i] && !whole)
            miss(c, "item %#x is %s, and was not touched", nid, is ? "not whole" : "gone");
        else if (whole && !scanned_same(was, is) && !(c->sealed && c->touched[i]))
            miss(c, "item %#x is another%s\n#   %.*s\n#   %.*s", nid,
                 c->touched[i] ? "" : ", and was not touched", (int)was->line.size, was->line.data,
                 (int)is->line.size, is->line.data);
        if (c->misses > 40)
            return;
    }
}

static void write_image(const struct campaign *c, const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, c->data, c->size), c->size);
    close(fd);
}

static void show_log(const char *dir, const char *name)
{
    char path[8192], line[1000];
    FILE *log;

    snprintf(path, sizeof path, "%s/%s", dir, name);
    log = fopen(path, "re");
    for (int i = 0; log && i < 40 && fgets(line, sizeof line, log); i++)
        printf("#   %s", line);
    if (log)
        fclose(log);
}

static void scan(struct campaign *c, struct scanned *s, bool *ok)
{
    static const char *const extra[] = {"--engine", "native", "--memory", "64M",
                                        "--io",     "pread",  NULL};
    char path[4096], dir[4096], command[8400];
    struct scanned_run run;

    snprintf(path, sizeof path, "%s/image.ost", c->folder);
    snprintf(dir, sizeof dir, "%s/scan", c->folder);
    snprintf(command, sizeof command, "rm -rf '%s' && mkdir '%s'", dir, dir);
    write_image(c, path);
    assert_int_equal(system(command), 0);
    run = scanned_run(path, dir, extra);
    *ok = judge_run(c, &run, 0);
    if (!scanned_read(s, dir)) {
        miss(c, "no complete manifest");
        *ok = false;
    }
    if (!*ok)
        show_log(dir, "log");
}

/* The same image through `check`, after the scan: what it calls corrupt, the scan must have told.
 */
static void check(struct campaign *c, const struct scanned *s)
{
    enum { CORRUPT = 4 }; /* the exit status */
    char path[4096], dir[4096];
    unsigned long before = c->misses;
    struct scanned_run run;

    snprintf(path, sizeof path, "%s/image.ost", c->folder);
    snprintf(dir, sizeof dir, "%s/scan", c->folder);
    run = scanned_check(path, dir);
    if (judge_run(c, &run, CORRUPT) && WEXITSTATUS(run.status) == CORRUPT && !s->corrupt)
        miss(c, "check calls it corrupt, and the scan does not");
    if (c->misses > before)
        show_log(dir, "check");
}

static void one(struct campaign *c)
{
    unsigned long before = c->misses;
    struct scanned s;
    bool ok;

    damage(c);
    scan(c, &s, &ok);
    if (ok)
        judge_items(c, &s);
    check(c, &s);
    scanned_done(&s);
    if (c->misses > before && c->keep) {
        const char *name = strrchr(c->image, '/');
        char path[4096];

        snprintf(path, sizeof path, "%s/%s.%u", c->keep, name ? name + 1 : c->image, c->number);
        write_image(c, path);
    }
    fflush(stdout);
}

static void start(struct campaign *c)
{
    bool ok;

    ndbfile_open(&c->file, c->image);
    owners_init(&c->owners, &c->file);
    c->data = mem_alloc(c->file.bytes.size);
    c->touched = mem_alloc_array(c->owners.item_count + 1, sizeof *c->touched);
    assert_true(c->data && c->touched);
    c->size = c->file.bytes.size;
    c->kind = "none";
    memcpy(c->data, c->file.bytes.data, c->size);
    scan(c, &c->whole, &ok);
    assert_true(ok && c->whole.count == c->owners.item_count);
    c->most_seconds = 0;
    c->most_kib = 0;
}

int main(int argc, char **argv)
{
    struct campaign c = {0};
    unsigned long count;

    if (argc < 5) {
        fputs("usage: mutate COUNT SEED IMAGE FOLDER [KEEP]\n", stderr);
        return 2;
    }
    count = strtoul(argv[1], NULL, 10);
    c.random = 0x9E3779B97F4A7C15 * (strtoull(argv[2], NULL, 10) + 1);
    c.image = argv[3];
    c.folder = argv[4];
    c.keep = argc > 5 ? argv[5] : NULL;
    start(&c);
    for (c.number = 0; c.number < count; c.number++)
        one(&c);
    printf("%-36s %5lu %3lu %8lu %8lu %5.1f s %4ld MiB\n", c.image, count, c.misses, c.untouched,
           c.hurt, c.most_seconds, c.most_kib / 1024);
    scanned_done(&c.whole);
    owners_done(&c.owners);
    ndbfile_close(&c.file);
    mem_free(c.touched);
    mem_free(c.data);
    return c.misses > 0;
}
