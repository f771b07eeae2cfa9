/*
 * test_order.c: lines made in any order by several threads leave in one order, each with what was
 * told of it; and what waits is bounded.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "index/manifest.h"
#include "index/order.h"
#include "io/err.h"
#include "io/mem.h"
#include "tests/support/tempdir.h"

enum { SLOTS = 40, RUNS = 3, ENTRIES = 900, HANGS_S = 120 };

/* Entry k of a slot has nid slot * ENTRIES + k and goes to the run k % RUNS. */
struct gathered {
    struct idx_order *order;
    struct idx_manifest_writer *manifest;
    uint32_t next;     /* entry that is to come */
    uint32_t told;     /* findings about it so far */
    unsigned findings; /* of all */
    int fail_at, fail_code;
};

static unsigned findings_of(uint32_t nid)
{
    return nid % 50 == 7 ? 2 : nid % 50 == 8;
}

static int on_finding(void *ctx, const struct finding *f)
{
    struct gathered *g = ctx;

    assert_int_equal(f->nid, g->next);
    assert_int_equal(f->expected, g->told++);
    assert_int_equal(f->item_count, 2);
    assert_int_equal(f->items[0], f->nid);
    assert_int_equal(f->items[1], f->nid + 1);
    assert_int_equal(f->folder_count, 1);
    assert_int_equal(f->folders[0], f->nid / 7);
    assert_string_equal(f->detail, "why");
    g->findings++;
    return 0;
}

static int on_entry(void *ctx, const struct idx_entry *e, const void *note)
{
    struct gathered *g = ctx;
    uint32_t noted;

    assert_int_equal(e->nid, g->next);
    assert_int_equal(e->folder, e->nid / 7);
    assert_int_equal(g->told, findings_of(e->nid));
    assert_int_equal(e->failed, e->nid % 11 == 0);
    assert_int_equal(note != NULL, e->nid % 3 > 0);
    if (note)
        memcpy(&noted, note, sizeof noted);
    assert_true(!note || noted == e->nid);
    g->next++;
    g->told = 0;
    return (int)g->next == g->fail_at ? g->fail_code : 0;
}

static size_t make_line(char *line, size_t room, uint32_t nid)
{
    return (size_t)snprintf(line, room, "{\"type\":\"item\",\"nid\":%u,\"fill\":\"%*s\"}\n", nid,
                            (int)(nid * 37 % 2000), "");
}

static int add_entry(struct idx_run *r, uint64_t slot, uint32_t k)
{
    uint32_t nid = (uint32_t)slot * ENTRIES + k, items[] = {nid, nid + 1}, folder = nid / 7;
    struct idx_entry e = {
        .order = slot << 20 | k / 2, .nid = nid, .folder = folder, .failed = nid % 11 == 0};
    char line[2200];
    int rc = 0;

    for (unsigned i = 0; i < findings_of(nid) && !rc; i++) {
        struct finding f = finding_of(F_item_partial);

        f.nid = nid;
        f.expected = i;
        f.items = items;
        f.item_count = 2;
        f.folders = &folder;
        f.folder_count = 1;
        f.detail = "why";
        rc = idx_run_finding(r, &f);
    }
    e.size = (uint32_t)make_line(line, sizeof line, nid);
    e.note_size = nid % 3 * (uint32_t)sizeof nid; /* nid, and whatever */
    return rc ? rc : idx_run_add(r, &e, line, items);
}

/* runs: 1 or RUNS. */
static int make_slot(struct idx_order *o, struct packer *packer, uint64_t slot, unsigned runs)
{
    int rc = 0;

    for (unsigned run = 0; run < runs && !rc; run++) {
        struct idx_run *r;

        rc = idx_run_begin(o, slot, &r);
        for (uint32_t k = run; k < ENTRIES && !rc; k += runs)
            rc = add_entry(r, slot, k);
    }
    return rc ? rc : idx_order_close(o, slot, packer);
}

static void begin(struct gathered *g, const char *dir, uint64_t wait_bytes)
{
    static const char first[] = "{\"type\":\"scan\"}\n";
    struct idx_order_sink sink = {g, on_finding, on_entry, NULL};
    struct fault fault;

    *g = (struct gathered){0};
    assert_int_equal(idx_manifest_create(dir, "m", &g->manifest, &fault), 0);
    assert_int_equal(idx_manifest_line(g->manifest, RECORD_SCAN, first, sizeof first - 1), 0);
    sink.manifest = g->manifest;
    assert_int_equal(idx_order_create(&sink, wait_bytes, &g->order), 0);
}

/* All lines are in the manifest, in their order. */
static void end(struct gathered *g, const char *dir)
{
    struct idx_manifest_reader *r;
    enum idx_manifest_state how;
    enum idx_record type;
    struct bytes line;
    char path[4096], want[2200];
    uint32_t nid = 0;

    assert_int_equal(g->next, SLOTS * ENTRIES);
    assert_int_equal(g->findings, SLOTS * ENTRIES / 50 * 3);
    idx_order_destroy(g->order);
    assert_int_equal(idx_manifest_count(g->manifest, RECORD_ITEM), SLOTS * ENTRIES);
    assert_int_equal(idx_manifest_commit(g->manifest, NULL), 0);
    snprintf(path, sizeof path, "%s/m", dir);
    assert_int_equal(idx_manifest_open(path, &r, NULL), 0);
    while (idx_manifest_next(r, &type, &line, &how) == 1) {
        size_t size;

        if (type != RECORD_ITEM)
            continue;
        size = make_line(want, sizeof want, nid++);
        assert_int_equal(line.size, size);
        assert_memory_equal(line.data, want, size);
    }
    assert_int_equal(how, MANIFEST_COMPLETE);
    assert_int_equal(nid, SLOTS * ENTRIES);
    idx_manifest_close(r);
}

static void slots_closed_in_any_order(void **state)
{
    const char *dir = tempdir_make();
    struct packer *packer;
    struct gathered g;

    (void)state;
    assert_int_equal(packer_create(&packer), 0);
    begin(&g, dir, UINT64_MAX);
    for (uint64_t i = 0; i < SLOTS; i++) {
        uint64_t slot = i * 27 % SLOTS;

        assert_int_equal(make_slot(g.order, packer, slot, slot % 2 ? RUNS : 1), 0);
    }
    end(&g, dir);
    packer_destroy(packer);
    tempdir_remove(dir);
}

struct maker {
    struct gathered *g;
    atomic_uint *next;
    pthread_t thread;
    int rc;
};

static void *make_slots(void *arg)
{
    struct maker *m = arg;
    struct packer *packer;
    unsigned slot;

    m->rc = packer_create(&packer);
    while (!m->rc && (slot = atomic_fetch_add(m->next, 1)) < SLOTS)
        m->rc = make_slot(m->g->order, packer, slot, slot % 3 ? 1 : RUNS);
    packer_destroy(packer);
    return NULL;
}

/* Threads take slots in turn; so little may wait that they hold each other up all the time. */
static void threads_wait_for_their_turn(void **state)
{
    for (uint64_t wait_bytes = 0; wait_bytes <= 1 << 20; wait_bytes += 1 << 19) {
        const char *dir = tempdir_make();
        struct maker makers[4];
        atomic_uint next = 0;
        struct gathered g;

        begin(&g, dir, wait_bytes);
        for (unsigned i = 0; i < 4; i++) {
            makers[i] = (struct maker){.g = &g, .next = &next};
            assert_int_equal(pthread_create(&makers[i].thread, NULL, make_slots, &makers[i]), 0);
        }
        for (unsigned i = 0; i < 4; i++) {
            pthread_join(makers[i].thread, NULL);
            assert_int_equal(makers[i].rc, 0);
        }
        end(&g, dir);
        tempdir_remove(dir);
    }
    (void)state;
}

static void *make_the_second(void *arg)
{
    struct maker *m = arg;
    struct packer *packer;

    m->rc = packer_create(&packer);
    for (uint64_t slot = 1; slot < SLOTS && !m->rc; slot++)
        m->rc = make_slot(m->g->order, packer, slot, 1);
    packer_destroy(packer);
    return NULL;
}

/* One that waits for a slot that never comes is told that all is over. */
static void stopped_threads_return(void **state)
{
    const char *dir = tempdir_make();
    struct maker m;
    struct gathered g;

    (void)state;
    begin(&g, dir, 0);
    m = (struct maker){.g = &g};
    assert_int_equal(pthread_create(&m.thread, NULL, make_the_second, &m), 0);
    usleep(50000);
    idx_order_stop(g.order, ERR_CANCELLED);
    pthread_join(m.thread, NULL);
    assert_int_equal(m.rc, ERR_CANCELLED);
    assert_int_equal(g.next, 0);
    idx_order_destroy(g.order);
    idx_manifest_abort(g.manifest);
    tempdir_remove(dir);
}

static void what_the_sink_says_ends_it(void **state)
{
    const char *dir = tempdir_make();
    struct packer *packer;
    struct gathered g;
    int rc = 0;

    (void)state;
    assert_int_equal(packer_create(&packer), 0);
    begin(&g, dir, UINT64_MAX);
    g.fail_at = 5 * ENTRIES + 9;
    g.fail_code = ERR_NOSPACE;
    for (uint64_t slot = 0; slot < SLOTS && !rc; slot++)
        rc = make_slot(g.order, packer, slot, 1);
    assert_int_equal(rc, ERR_NOSPACE);
    assert_int_equal(g.next, g.fail_at);
    assert_int_equal(make_slot(g.order, packer, 20, 1), ERR_NOSPACE);
    packer_destroy(packer);
    idx_order_destroy(g.order);
    idx_manifest_abort(g.manifest);
    tempdir_remove(dir);
}

static int make_two(struct gathered *g)
{
    struct packer *packer = NULL;
    int rc = packer_create(&packer);

    if (!rc)
        rc = make_slot(g->order, packer, 1, RUNS);
    if (!rc)
        rc = make_slot(g->order, packer, 0, 1);
    packer_destroy(packer);
    return rc;
}

static void each_allocation_may_fail(void **state)
{
    const char *dir = tempdir_make();
    int rc = ERR_NOMEM;
    uint64_t n = 0;

    (void)state;
    while (rc) {
        struct gathered g;

        begin(&g, dir, UINT64_MAX);
        mem_test_fail(++n, 0);
        rc = make_two(&g);
        mem_test_fail(0, 0);
        assert_true(rc == 0 || rc == ERR_NOMEM);
        assert_true(rc || g.next == 2 * ENTRIES);
        idx_order_destroy(g.order);
        idx_manifest_abort(g.manifest);
    }
    assert_true(n > 30);
    tempdir_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_closed_in_any_order), cmocka_unit_test(threads_wait_for_their_turn),
        cmocka_unit_test(stopped_threads_return),    cmocka_unit_test(what_the_sink_says_ends_it),
        cmocka_unit_test(each_allocation_may_fail),
    };

    alarm(HANGS_S);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
