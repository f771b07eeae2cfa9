/*
 * test_check_cost.c: images of nothing but B-tree pages, made so that each of them asks for
 * something of all others. What the check does for them grows with their number, not its square:
 * some tens of megabytes are gone through in far less than SECONDS, as any image of that size.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "io/mem.h"
#include "scanner/check/check.h"
#include "scanner/ost/amap.h"
#include "tests/support/forge.h"

enum { LEAVES = 40000, SECONDS = 10, FILLED = 20 };

/* An image of 512-byte pages whose maps say that all is allocated. */
struct pile {
    const struct ost_variant *v;
    uint8_t *data;
    uint64_t size, at, next_bid;
};

struct heard {
    uint64_t findings, recovered, stale;
    double seconds;
    struct chk_result result;
};

static void pile_init(struct pile *p, unsigned pages)
{
    *p = (struct pile){.v = ost_variant_of(OST_FORMAT_UNICODE), .next_bid = 1};
    p->at = p->v->amap_first;
    p->size =
        p->v->amap_first + (pages / 480 + 2) * p->v->amap_spacing; /* of a span's 496, at least */
    p->data = mem_zalloc(p->size);
    assert_non_null(p->data);
    for (uint64_t k = 0; k < ost_amap_count(p->v, p->size); k++) {
        struct ost_alloc_page special[OST_ALLOC_PAGES_MAX];
        unsigned count = ost_alloc_pages(p->v, k, special);

        for (unsigned i = 0; i < count; i++) {
            uint8_t *page = p->data + special[i].offset;

            memset(page, 0xFF, p->v->page_trailer);
            forge_seal(p->v, page, special[i].type, special[i].offset, special[i].offset);
        }
    }
}

static bool is_free(const struct pile *p, uint64_t offset)
{
    return p->data[offset + p->v->page_trailer] == 0;
}

/* The next free place; the page's content is the caller's. */
static uint8_t *pile_page(struct pile *p, struct ost_bref *ref)
{
    while (!is_free(p, p->at))
        p->at += p->v->page_size;
    assert_true(range_fits(p->at, p->v->page_size, p->size));
    *ref = (struct ost_bref){p->next_bid++, p->at};
    return p->data + p->at;
}

static void pile_seal(struct pile *p, enum ost_tree tree, struct ost_bref ref)
{
    forge_seal(p->v, p->data + ref.offset, ost_tree_ptype(tree), ref.bid, ref.offset);
}

static struct ost_bref empty_root(struct pile *p, enum ost_tree tree)
{
    struct ost_bref ref;

    forge_counters(p->v, pile_page(p, &ref), tree, 0, 0);
    pile_seal(p, tree, ref);
    return ref;
}

static int on_finding(void *ctx, const struct finding *f)
{
    (void)f;
    ((struct heard *)ctx)->findings++;
    return 0;
}

static int on_recovered(void *ctx, const struct ost_node *n, bool maybe_stale)
{
    struct heard *h = ctx;

    (void)n;
    h->recovered += !maybe_stale;
    h->stale += maybe_stale;
    return 0;
}

/* Checks it, within the time, and frees it. */
static struct heard check(struct pile *p, struct ost_bref nbt, struct ost_bref bbt)
{
    struct heard h = {0};
    struct ost_header header = {.content = OST_CONTENT_PST,
                                .format = OST_FORMAT_UNICODE,
                                .version = 23,
                                .bid_next_block = UINT64_C(1) << 32,
                                .bid_next_page = UINT64_C(1) << 32,
                                .eof = p->size,
                                .amap_valid = 2,
                                .nbt = nbt,
                                .bbt = bbt};
    struct ost_header_report report = {.state = OST_HEADER_SOUND};
    struct io_source *source;
    struct chk_job job = {.sources = &source,
                          .source_count = 1,
                          .header = &header,
                          .report = &report,
                          .memory_bytes = 64 << 20};
    struct chk_sink sink = {.ctx = &h, .finding = on_finding, .recovered = on_recovered};
    clock_t start = clock();

    assert_int_equal(io_source_open_mem(p->data, p->size, &source), 0);
    assert_int_equal(chk_run(&job, &sink, &h.result), 0);
    h.seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    io_source_close(source);
    mem_free(p->data);
    print_message("%llu bytes: %llu findings, %.2f s\n", (unsigned long long)p->size,
                  (unsigned long long)h.findings, h.seconds);
    assert_true(h.seconds < SECONDS);
    return h;
}

/* Leaves of one node each, in no order, below a root that is gone: each has a range of its own. */
static void lost_leaves_of_scattered_keys(void **state)
{
    struct ost_bref root, bbt, ref;
    struct heard h;
    struct pile p;

    (void)state;
    pile_init(&p, LEAVES + 2);
    bbt = empty_root(&p, OST_TREE_BBT);
    root = empty_root(&p, OST_TREE_NBT);
    memset(p.data + root.offset, 0, p.v->page_size);
    for (unsigned i = 0; i < LEAVES; i++) {
        uint32_t place = (uint32_t)((uint64_t)i * 7919 % LEAVES); /* a prime: each once */
        struct ost_node node = {.nid = (2 * place + 1) << 5 | 4, .parent = 0x122};
        uint8_t *page = pile_page(&p, &ref);

        forge_counters(p.v, page, OST_TREE_NBT, 0, 1);
        forge_node_entry(p.v, page, 0, &node);
        pile_seal(&p, OST_TREE_NBT, ref);
    }
    h = check(&p, root, bbt);
    assert_int_equal(h.recovered, LEAVES);
    assert_int_equal(h.stale, 0);
}

/* Branches of one level, whose keys descend: none of them says what lies below it. */
static unsigned add_branches(struct pile *p, enum ost_tree tree, unsigned level,
                             struct ost_bref *refs, unsigned count)
{
    unsigned made = 0;

    for (unsigned i = 0; i < count; i += FILLED) {
        unsigned n = count - i < FILLED ? count - i : FILLED;
        struct ost_bref ref;
        uint8_t *page = pile_page(p, &ref);

        forge_counters(p->v, page, tree, level, n);
        for (unsigned k = 0; k < n; k++)
            forge_branch(p->v, page, k, 4 * (uint64_t)(FILLED - k), refs[i + k]);
        pile_seal(p, tree, ref);
        refs[made++] = ref;
    }
    return made;
}

/* A tree of damaged leaves, each of which may hold any key. */
static void damaged_leaves_of_any_key(enum ost_tree tree)
{
    unsigned fill = tree == OST_TREE_BBT ? 20 : 15, count = LEAVES, level = 0;
    struct ost_bref *refs = mem_alloc_array(LEAVES, sizeof *refs), other;
    struct heard h;
    struct pile p;

    assert_non_null(refs);
    pile_init(&p, LEAVES + LEAVES / FILLED * 2 + 16);
    other = empty_root(&p, tree == OST_TREE_BBT ? OST_TREE_NBT : OST_TREE_BBT);
    for (unsigned i = 0; i < LEAVES; i++) {
        uint8_t *page = pile_page(&p, &refs[i]);

        forge_counters(p.v, page, tree, 0, fill);
        for (unsigned k = 0; k < fill; k++) {
            uint32_t key = i * fill + k + 1;
            struct ost_block block = {4 * key, p.v->amap_first + 1024, 16, 16, 2, 0};
            struct ost_node node = {.nid = key << 5 | 4, .parent = 0x122};

            if (tree == OST_TREE_BBT)
                forge_block_entry(p.v, page, k, &block);
            else
                forge_node_entry(p.v, page, k, &node);
        }
        pile_seal(&p, tree, refs[i]);
        page[p.v->page_crc] ^= 1;
    }
    while (count > 1)
        count = add_branches(&p, tree, ++level, refs, count);
    h = tree == OST_TREE_BBT ? check(&p, other, refs[0]) : check(&p, refs[0], other);
    assert_true(h.findings > LEAVES);
    mem_free(refs);
}

static void damaged_leaves_of_blocks(void **state)
{
    (void)state;
    damaged_leaves_of_any_key(OST_TREE_BBT);
}

static void damaged_leaves_of_nodes(void **state)
{
    (void)state;
    damaged_leaves_of_any_key(OST_TREE_NBT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lost_leaves_of_scattered_keys),
        cmocka_unit_test(damaged_leaves_of_blocks),
        cmocka_unit_test(damaged_leaves_of_nodes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
