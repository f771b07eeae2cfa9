/*
 * flips.c: single-bit flips in an image held in memory. One in a byte that a check covers must give
 * a finding with a code allowed there, at that structure, and nothing else corrupt; one in any
 * other byte must give nothing corrupt.
 *
 *   flips COUNT SEED IMAGE [KIND…]
 *
 * Makes COUNT flips at covered bytes and COUNT at others, an equal share for each kind of structure
 * that the image has; the KINDs have to be among them. What is covered says IMAGE.truth.jsonl as
 * ostgen writes it; where there is none, the image is a healthy real one and tests/support/places
 * finds it out. Prints a table: kind, flips, misses. Exits with 1 if there are misses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "io/mem.h"
#include "tests/support/images.h"
#include "tests/support/places.h"
#include "tests/support/targets.h"

enum { MISSES_SHOWN = 5 };

struct campaign {
    struct ndbfile file;
    uint8_t *data;
    size_t size;
    uint64_t random;
    struct targets targets;
    unsigned long count;
    unsigned long misses;
};

static struct images_check check;

static uint64_t next_random(struct campaign *c, uint64_t below)
{
    c->random ^= c->random << 13;
    c->random ^= c->random >> 7;
    c->random ^= c->random << 17;
    return c->random % below;
}

static bool is_here(const struct target *t, const struct finding *f)
{
    return f->has_offset && f->offset >= t->start && f->offset - t->start < t->structure;
}

static bool is_allowed(const struct target *t, enum finding_code code)
{
    return t->codes[code / 64] >> (code % 64) & 1;
}

/* No finding can be beside its structure when nothing is covered: then the codes are none. */
static bool is_good(const struct target *t, bool covered)
{
    bool found = false;

    if (check.rc || check.count > IMAGES_FINDINGS)
        return false;
    for (size_t i = 0; i < check.count; i++) {
        const struct finding *f = &check.findings[i].f;
        bool allowed = is_allowed(t, f->code);

        if (f->severity == SEVERITY_CORRUPT && !(allowed && is_here(t, f)))
            return false;
        found = found || (allowed && (is_here(t, f) || f->severity == SEVERITY_INFO));
    }
    return found == covered;
}

static bool flip(struct campaign *c, const struct target *t, bool covered)
{
    uint64_t at = t->offset + next_random(c, t->length);
    unsigned bit = (unsigned)next_random(c, 8);
    bool good;

    c->data[at] ^= (uint8_t)(1u << bit);
    images_check(c->data, c->size, NULL, &check);
    c->data[at] ^= (uint8_t)(1u << bit);
    good = is_good(t, covered);
    if (!good && c->misses++ < MISSES_SHOWN) {
        printf("# bit %u of byte %#llx, %s at %#llx, result %d\n", bit, (unsigned long long)at,
               target_kind_names[t->kind], (unsigned long long)t->start, check.rc);
        images_print(&check);
    }
    return good;
}

/* An equal share for each kind; what remains of a division is made up for by the first ones. */
static void flip_kinds(struct campaign *c, bool covered)
{
    unsigned kinds = 0, done = 0;

    for (unsigned kind = 0; kind < TARGET_KINDS; kind++)
        kinds += c->targets.lists[covered][kind].count > 0;
    for (unsigned kind = 0; kind < TARGET_KINDS; kind++) {
        const struct target_list *l = &c->targets.lists[covered][kind];
        unsigned long share = kinds ? c->count / kinds + (done < c->count % kinds) : 0, missed = 0;

        if (!l->count)
            continue;
        for (unsigned long i = 0; i < share; i++)
            missed += !flip(c, &l->list[next_random(c, l->count)], covered);
        printf("%-9s %-15s %7lu %5lu\n", covered ? "covered" : "uncovered", target_kind_names[kind],
               share, missed);
        done++;
    }
}

static bool has_kind(const struct campaign *c, const char *name)
{
    for (unsigned kind = 0; kind < TARGET_KINDS; kind++)
        if (!strcmp(target_kind_names[kind], name) && c->targets.lists[true][kind].count)
            return true;
    printf("# no flip reached %s\n", name);
    return false;
}

int main(int argc, char **argv)
{
    struct campaign c = {.size = SIZE_MAX};
    bool reached = true;

    if (argc < 4) {
        fputs("usage: flips COUNT SEED IMAGE [KIND...]\n", stderr);
        return 2;
    }
    c.count = strtoul(argv[1], NULL, 10);
    c.random = 0x9E3779B97F4A7C15 * (strtoull(argv[2], NULL, 10) + 1);
    ndbfile_open(&c.file, argv[3]);
    c.data = images_copy(&c.file, &c.size);
    targets_init(&c.targets, argv[3], &c.file);
    images_check(c.data, c.size, NULL, &check);
    if (check.rc || check.result.corrupt) {
        printf("# the image is not sound to begin with\n");
        images_print(&check);
        c.misses++;
    } else {
        flip_kinds(&c, true);
        flip_kinds(&c, false);
    }
    for (int i = 4; i < argc; i++)
        reached = has_kind(&c, argv[i]) && reached;
    targets_done(&c.targets);
    mem_free(c.data);
    ndbfile_close(&c.file);
    return c.misses || !reached;
}
