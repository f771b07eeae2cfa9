/*
 * compare_images.c: prints where the two engines differ about images, as lines to begin a list of
 * exceptions with; and, for their proofs, the decoded bytes of the blocks of a node.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/diff/cells.h"
#include "tests/diff/compare.h"

static void show(void *ctx, const struct difference *d)
{
    compare_print(ctx, d);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static void compare(const char *path)
{
    struct compare_counts counts = {0};
    struct facts native, libpff;

    facts_init(&native);
    facts_init(&libpff);
    if (compare_run(path, OSTSCAN_EXE, &native, &libpff))
        compare_facts(&native, &libpff, &counts, show, (void *)(uintptr_t)base_name(path));
    printf("# %s: %" PRIu64 " facts, %" PRIu64 " differences, %" PRIu64 " facts of lost nodes\n",
           base_name(path), counts.facts, counts.differences, counts.alone);
    for (unsigned i = 0; i < FINDING_CODES; i++)
        if (native.codes[i] || libpff.codes[i])
            printf("#   %s: native %u, libpff %u\n", finding_info(i)->name, native.codes[i],
                   libpff.codes[i]);
    facts_done(&native);
    facts_done(&libpff);
}

/* The data blocks of a tree, each with its bid and bytes. */
static void print_tree(struct cells *c, const char *what, uint64_t root)
{
    struct ost_extent extent;

    printf("%s %" PRIx64 "\n", what, root);
    if (!root || ost_reading_extent(&c->reading, root, &extent))
        return;
    for (size_t i = 0; i < extent.count; i++) {
        struct bytes bytes = {0};

        if (extent.blocks[i])
            bytes = cells_block(c, extent.blocks[i]->bid);
        for (size_t at = 0; at < bytes.size; at++) {
            if (at % 16 == 0)
                printf("%s%" PRIx64 " %04zx ", at ? "\n" : "", extent.blocks[i]->bid, at);
            printf("%02x", bytes.data[at]);
        }
        printf("\n");
    }
}

static void print_node(const char *path, uint32_t nid)
{
    struct cells c;
    const struct ost_node *node;

    cells_open(&c, path);
    node = ost_plan_node(&c.plan, nid);
    if (node) {
        printf("node %x, subnodes %" PRIx64 "\n", nid, node->sub);
        print_tree(&c, "data", node->data);
    }
    cells_done(&c);
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "--node") == 0) {
        print_node(argv[3], (uint32_t)strtoul(argv[2], NULL, 16));
        return 0;
    }
    if (argc < 2 || argv[1][0] == '-') {
        fputs("usage: compare_images IMAGE...\n       compare_images --node NID IMAGE\n", stderr);
        return 2;
    }
    for (int i = 1; i < argc; i++)
        compare(argv[i]);
    return 0;
}
