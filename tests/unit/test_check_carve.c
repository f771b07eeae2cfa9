/*
 * test_check_carve.c: nodes of destroyed B-tree pages, found again. Whatever is destroyed, a node
 * that is not marked as maybe stale is one of the whole image, word for word.
 *
 * OSTSCAN_CARVE names another image to do the same with (and prints how much was found again).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "io/mem.h"
#include "scanner/ost/amap.h"
#include "tests/support/samples.h"
#include "tests/support/world.h"

struct seen {
    const struct ost_plan *whole;
    size_t good, stale, wrong;
};

static int recovered(void *ctx, const struct ost_node *n, bool maybe_stale)
{
    struct seen *seen = ctx;
    const struct ost_node *real = ost_plan_node(seen->whole, n->nid);
    bool same = real && real->data == n->data && real->sub == n->sub && real->parent == n->parent;

    seen->good += !maybe_stale;
    seen->stale += maybe_stale;
    seen->wrong += !maybe_stale && !same;
    if (!maybe_stale && !same)
        print_message("node %#x: data %#llx, sub %#llx, parent %#x is not real\n", n->nid,
                      (unsigned long long)n->data, (unsigned long long)n->sub, n->parent);
    return 0;
}

static int ignore(void *ctx, const struct finding *f)
{
    (void)ctx, (void)f;
    return 0;
}

/* Checks the damaged copy; of the whole image's nodes, `*left` are still in the plan. */
static struct seen check_carved(struct world *w, struct chk_result *result)
{
    struct seen seen = {.whole = &w->plan};
    struct chk_sink sink = {.ctx = &seen, .finding = ignore, .recovered = recovered};
    struct chk_job job = {.source_count = 1, .memory_bytes = 64 << 20};
    struct ost_header header;
    struct ost_header_report report;
    struct io_source *source;

    assert_int_equal(io_source_open_mem(w->data, w->size, &source), 0);
    ost_header_check((struct bytes){w->data, OST_HEADER_SIZE}, w->size, &header, &report);
    job.sources = &source;
    job.header = &header;
    job.report = &report;
    assert_int_equal(chk_run(&job, &sink, result), 0);
    io_source_close(source);
    assert_int_equal(seen.wrong, 0);
    assert_int_equal(seen.good, result->recovered);
    assert_int_equal(seen.stale, result->maybe_stale);
    return seen;
}

static void wipe(struct world *w, uint64_t offset)
{
    memset(w->data + offset, 0, w->v->page_size);
}

/* The leaves below a root are allocated and whole: nothing is lost. */
static void roots(const char *path)
{
    struct chk_result result;
    struct seen seen;
    struct world w;

    world_open(&w, path);
    wipe(&w, w.file.header.nbt.offset);
    seen = check_carved(&w, &result);
    if (w.plan.trees[OST_TREE_NBT].page_count > 1) {
        assert_int_equal(seen.good, w.plan.node_count);
        assert_int_equal(result.nodes, w.plan.node_count);
        assert_int_equal(result.corrupt, 1);
    }
    wipe(&w, w.file.header.bbt.offset);
    seen = check_carved(&w, &result);
    if (w.plan.trees[OST_TREE_NBT].page_count > 1 && w.plan.trees[OST_TREE_BBT].page_count > 1) {
        assert_int_equal(seen.good, w.plan.node_count);
        assert_true(result.blocks >= w.plan.block_count);
        assert_int_equal(result.corrupt, 2);
    }
    /* a root whose place is lost with it */
    world_restore(&w);
    memset(w.data + OFF_U_BREF_BBT, 0xFF, 16);
    check_carved(&w, &result);
    world_seal_header(&w);
    seen = check_carved(&w, &result);
    assert_int_equal(result.nodes, w.plan.node_count);
    world_close(&w);
}

static void lost_roots(void **state)
{
    (void)state;
    roots(sample_or_skip(SAMPLE_OST));
    roots(sample_or_skip(SAMPLE_OST2));
    roots(sample_or_skip(SAMPLE_ENRON));
}

/* Every page alone, and every third, with its leaf's last version gone. */
static void pages(const char *path, unsigned step)
{
    struct chk_result result;
    struct world w;

    world_open(&w, path);
    for (size_t i = 0; i < w.plan.page_count; i++) {
        wipe(&w, w.plan.pages[i].offset);
        check_carved(&w, &result);
        world_restore(&w);
    }
    for (size_t i = 0; i < w.plan.page_count; i += step)
        wipe(&w, w.plan.pages[i].offset);
    check_carved(&w, &result);
    world_close(&w);
}

static void lost_pages(void **state)
{
    (void)state;
    pages(sample_or_skip(SAMPLE_OST), 3);
    pages(sample_or_skip(SAMPLE_OST2), 2);
    pages(sample_or_skip(SAMPLE_ENRON), 3);
}

/* Without allocation maps nothing tells a former page from a current one but its blocks. */
static void no_maps(void **state)
{
    struct chk_result result;
    struct seen seen;
    struct world w;

    (void)state;
    world_open(&w, sample_or_skip(SAMPLE_OST));
    for (uint64_t k = 0; k < ost_amap_count(w.v, w.size); k++)
        wipe(&w, ost_amap_offset(w.v, k));
    for (size_t i = 0; i < w.plan.page_count; i++)
        if (w.plan.pages[i].level > 0)
            wipe(&w, w.plan.pages[i].offset);
    seen = check_carved(&w, &result);
    assert_int_equal(seen.good, 0);
    assert_true(seen.stale >= w.plan.node_count);
    world_close(&w);
}

static void shares(const char *path, unsigned percent, uint64_t seed)
{
    struct chk_result result;
    struct seen seen;
    struct world w;
    size_t wiped = 0;

    world_open(&w, path);
    for (size_t i = 0; i < w.plan.page_count; i++) {
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        if (seed >> 33 >= (UINT64_C(1) << 31) / 100 * percent)
            continue;
        wipe(&w, w.plan.pages[i].offset);
        wiped++;
    }
    seen = check_carved(&w, &result);
    print_message(
        "%u %% (%zu of %zu pages): %zu of %zu nodes, %zu of them found again, %zu maybe\n", percent,
        wiped, w.plan.page_count, (size_t)result.nodes, w.plan.node_count, seen.good, seen.stale);
    world_close(&w);
}

static void another_image(void **state)
{
    const char *path = getenv("OSTSCAN_CARVE");

    (void)state;
    if (!path)
        skip();
    roots(path);
    for (uint64_t seed = 1; seed <= 5; seed++) {
        shares(path, 1, seed);
        shares(path, 5, seed);
        shares(path, 20, seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lost_roots),
        cmocka_unit_test(lost_pages),
        cmocka_unit_test(no_maps),
        cmocka_unit_test(another_image),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
