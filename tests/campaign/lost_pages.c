/*
 * lost_pages.c: B-tree pages of an image destroyed: the roots, and random shares of all pages. What
 * the check finds again without a mark is true: each node is one of the whole image with the same
 * data, subnode tree and parent, and none that was deleted.
 *
 *   lost_pages SEEDS IMAGE
 *
 * The whole image's nodes are those of its undamaged node B-tree, which have to be all that
 * IMAGE.truth.jsonl, as ostgen writes it, names; it also names the deleted ones, of which stale
 * pages must be in the image. Each share is destroyed SEEDS times: zeros in turn with noise. Prints
 * a table of sums over the seeds: pages destroyed; nodes lost with them; those of them whose own
 * page is gone, so that at best an earlier version of it is left; nodes found again, of all and of
 * those whose page is still there (recall, in percent); nodes that may be stale; wrong ones; blocks
 * found, in percent of all. Exits with 1 if any is wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "index/json_read.h"
#include "io/mem.h"
#include "tests/support/world.h"

enum { WRONG_SHOWN = 5 };

struct campaign {
    struct world world;
    uint64_t random;
    uint32_t *deleted;
    size_t deleted_count;
    size_t wrong; /* nodes, over all */
};

struct tally {
    size_t runs, pages, lost, gone, good, good_gone, stale, wrong, blocks;
};

struct seen {
    struct campaign *campaign;
    struct tally *tally;
    uint64_t good, stale;
};

static uint64_t next_random(struct campaign *c)
{
    c->random ^= c->random << 13;
    c->random ^= c->random >> 7;
    c->random ^= c->random << 17;
    return c->random;
}

/* The truth. */

static bool is_type(struct bytes record, const char *type)
{
    struct json_token token;
    struct bytes value;

    return json_find(record, "type", &value) == 1 && json_scalar(value, &token) &&
           json_token_is(&token, type);
}

static uint32_t nid_of(struct bytes record)
{
    struct json_token token;
    struct bytes value;
    uint64_t nid = 0;

    assert_int_equal(json_find(record, "nid", &value), 1);
    assert_true(json_scalar(value, &token) && json_token_u64(&token, &nid));
    return (uint32_t)nid;
}

static void read_record(struct campaign *c, struct bytes record)
{
    const struct ost_plan *plan = &c->world.plan;

    if (is_type(record, "item") || is_type(record, "folder"))
        assert_non_null(ost_plan_node(plan, nid_of(record)));
    if (!is_type(record, "deleted"))
        return;
    c->deleted = mem_realloc(c->deleted, (c->deleted_count + 1) * sizeof *c->deleted);
    assert_non_null(c->deleted);
    c->deleted[c->deleted_count++] = nid_of(record);
    assert_null(ost_plan_node(plan, nid_of(record)));
}

static void read_truth(struct campaign *c, const char *image)
{
    char path[4096], *line = NULL;
    size_t room = 0;
    ssize_t length;
    FILE *file;

    assert_in_range(snprintf(path, sizeof path, "%s.truth.jsonl", image), 1, sizeof path - 1);
    file = fopen(path, "re");
    assert_non_null(file);
    while ((length = getline(&line, &room, file)) > 0)
        read_record(c, (struct bytes){(const uint8_t *)line, (size_t)length});
    free(line);
    fclose(file);
    assert_true(c->deleted_count > 0);
}

/* Checking a damaged copy. */

/* Whether the page that held the node was destroyed. */
static bool is_gone(const struct campaign *c, uint32_t nid)
{
    const struct world *w = &c->world;
    uint64_t at = ost_plan_leaf(&w->plan, OST_TREE_NBT, nid)->offset;

    return memcmp(w->data + at, w->file.bytes.data + at, w->v->page_size) != 0;
}

static bool is_true(const struct campaign *c, const struct ost_node *n)
{
    const struct ost_node *real = ost_plan_node(&c->world.plan, n->nid);

    for (size_t i = 0; i < c->deleted_count; i++)
        if (c->deleted[i] == n->nid)
            return false;
    return real && real->data == n->data && real->sub == n->sub && real->parent == n->parent;
}

static int recovered(void *ctx, const struct ost_node *n, bool maybe_stale)
{
    struct seen *seen = ctx;
    struct campaign *c = seen->campaign;

    seen->good += !maybe_stale;
    seen->stale += maybe_stale;
    seen->tally->good_gone += !maybe_stale && is_gone(c, n->nid);
    if (maybe_stale || is_true(c, n))
        return 0;
    seen->tally->wrong++;
    if (c->wrong++ < WRONG_SHOWN)
        printf("# node %#x, data %#llx, sub %#llx, parent %#x is not true\n", n->nid,
               (unsigned long long)n->data, (unsigned long long)n->sub, n->parent);
    return 0;
}

static int ignore(void *ctx, const struct finding *f)
{
    (void)ctx, (void)f;
    return 0;
}

static void judge(struct campaign *c, struct tally *t)
{
    struct world *w = &c->world;
    struct seen seen = {.campaign = c, .tally = t};
    struct chk_sink sink = {.ctx = &seen, .finding = ignore, .recovered = recovered};
    struct chk_job job = {.source_count = 1, .memory_bytes = 64 << 20};
    struct ost_header header;
    struct ost_header_report report;
    struct chk_result result;
    struct io_source *source;

    assert_int_equal(io_source_open_mem(w->data, w->size, &source), 0);
    ost_header_check((struct bytes){w->data, OST_HEADER_SIZE}, w->size, &header, &report);
    job.sources = &source;
    job.header = &header;
    job.report = &report;
    assert_int_equal(chk_run(&job, &sink, &result), 0);
    io_source_close(source);
    assert_int_equal(seen.good, result.recovered);
    assert_int_equal(seen.stale, result.maybe_stale);
    assert_true(result.nodes <= w->plan.node_count);
    t->runs++;
    t->good += result.recovered;
    t->stale += result.maybe_stale;
    t->lost += w->plan.node_count - (result.nodes - result.recovered);
    t->blocks += result.blocks;
    for (size_t i = 0; i < w->plan.node_count; i++)
        t->gone += is_gone(c, w->plan.nodes[i].nid);
}

static double percent(size_t part, size_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 100.0;
}

static void destroy(struct campaign *c, struct tally *t, uint64_t offset, bool noise)
{
    uint8_t *page = c->world.data + offset;

    for (uint32_t i = 0; i < c->world.v->page_size; i++)
        page[i] = noise ? (uint8_t)next_random(c) : 0;
    t->pages++;
}

static void print(const struct campaign *c, const char *what, const struct tally *t)
{
    const struct ost_plan *plan = &c->world.plan;

    printf("%-10s %5zu %6zu %8zu %8zu %8zu %7.2f %7.2f %8zu %6zu %7.2f\n", what, t->runs, t->pages,
           t->lost, t->gone, t->good, percent(t->good, t->lost),
           percent(t->good - t->good_gone, t->lost - t->gone), t->stale, t->wrong,
           percent(t->blocks, t->runs * plan->block_count));
}

static void lose_roots(struct campaign *c, const char *what, bool nbt, bool bbt)
{
    struct tally t = {0};

    for (unsigned noise = 0; noise < 2; noise++) {
        if (nbt)
            destroy(c, &t, c->world.file.header.nbt.offset, noise);
        if (bbt)
            destroy(c, &t, c->world.file.header.bbt.offset, noise);
        judge(c, &t);
        world_restore(&c->world);
    }
    print(c, what, &t);
}

/* Of all pages, roots included; at least one each time. */
static void lose_share(struct campaign *c, unsigned share, unsigned long seeds)
{
    const struct ost_plan *plan = &c->world.plan;
    struct tally t = {0};
    char what[16];

    for (unsigned long seed = 1; seed <= seeds; seed++) {
        size_t before = t.pages;

        c->random = 0x9E3779B97F4A7C15 * seed + share;
        for (size_t i = 0; i < plan->page_count; i++)
            if (next_random(c) % 100 < share)
                destroy(c, &t, plan->pages[i].offset, seed % 2 == 0);
        if (t.pages == before)
            destroy(c, &t, plan->pages[next_random(c) % plan->page_count].offset, seed % 2 == 0);
        judge(c, &t);
        world_restore(&c->world);
    }
    snprintf(what, sizeof what, "%u_percent", share);
    print(c, what, &t);
}

int main(int argc, char **argv)
{
    static struct campaign c;
    unsigned long seeds;

    if (argc != 3) {
        fputs("usage: lost_pages SEEDS IMAGE\n", stderr);
        return 2;
    }
    seeds = strtoul(argv[1], NULL, 10);
    c.random = 1;
    world_open(&c.world, argv[2]);
    read_truth(&c, argv[2]);
    printf("# %zu nodes, %zu blocks, %zu pages, %zu nodes deleted\n", c.world.plan.node_count,
           c.world.plan.block_count, c.world.plan.page_count, c.deleted_count);
    printf("%-10s %5s %6s %8s %8s %8s %7s %7s %8s %6s %7s\n", "lost", "runs", "pages", "nodes",
           "gone", "found", "of_all", "of_rest", "maybe", "wrong", "blocks");
    lose_roots(&c, "nbt_root", true, false);
    lose_roots(&c, "bbt_root", false, true);
    lose_roots(&c, "both_roots", true, true);
    lose_share(&c, 1, seeds);
    lose_share(&c, 5, seeds);
    lose_share(&c, 20, seeds);
    world_close(&c.world);
    mem_free(c.deleted);
    return c.wrong > 0;
}
