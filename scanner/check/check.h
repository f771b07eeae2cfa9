/*
 * check.h: the structural check of an image.
 *
 * Both B-trees are loaded (where pages of them are lost, others are carved, see carve.h), then one
 * sweep in ascending order of offset reads and verifies every block and allocation page that they
 * and the format name; then everything that the format says twice is reconciled. Damage is told as
 * findings, each at the structure that is damaged: what follows from one damage elsewhere is not
 * told again.
 *
 * Memory: --memory's share + 64 MiB + 48 bytes a block + 32 a node.
 * Threads: chk_run returns when all is done; it runs a thread for each source, lets those of a crew
 * help, and makes all sink calls from the calling one.
 * Errors: damage never is one. ERR_LIMIT (memory), ERR_NOMEM, ERR_CANCELLED, a code of the source
 * that is about more than one range, what the sink returned.
 */
#ifndef SCANNER_CHECK_CHECK_H
#define SCANNER_CHECK_CHECK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/source.h"
#include "scanner/finding.h"
#include "scanner/ost/btree.h"
#include "scanner/ost/header.h"

enum { CHK_SOURCES_MAX = 64, CHK_AFFECTED_MAX = 1000 };

struct chk_tap;
struct crew;

/* Threads that may help with the plan and the sweep. */
struct chk_help {
    struct crew *crew; /* NULL: there are none */
    void *kit;         /* of the thread that calls chk_run (crew.h) */
    unsigned threads;  /* the crew's, the caller among them; 0: unknown */
    void *ctx;
    /* A source of its own for a thread that joins, closed when it leaves. */
    int (*open)(void *ctx, void *kit, struct io_source **out);
};

struct chk_job {
    struct io_source *const *sources; /* of the same bytes, one for each thread; at least one */
    unsigned source_count;
    const struct chk_help *help; /* may be NULL */
    const struct chk_tap *tap;   /* may be NULL */
    const struct ost_header *header;
    const struct ost_header_report *report; /* from ost_header_check over those bytes */
    uint64_t memory_bytes;                  /* the share of --memory that is this job's */
    size_t chunk_bytes;                     /* the most a read takes; 0: 256 or 512 KiB */
    bool deep;                              /* inflate every block */
    const atomic_bool *cancel;              /* may be NULL */
};

struct chk_sink {
    void *ctx;
    /* In the order of manifests (finding_compare). Non-zero ends the check with that result. */
    int (*finding)(void *ctx, const struct finding *finding);
    /* Of a damaged node B-tree, each node that was found again by carving, by nid; maybe_stale: it
     * may be a former version or deleted, and counts for nothing. May be NULL. */
    int (*recovered)(void *ctx, const struct ost_node *node, bool maybe_stale);
    /* Bytes of the image dealt with so far. May be NULL. */
    void (*progress)(void *ctx, uint64_t bytes);
};

struct chk_result {
    bool complete; /* false: the image could not be gone through (its header, or a root) */
    uint64_t allocated_bytes; /* of all blocks and pages that the trees name */
    uint64_t verified_bytes;  /* those of them that were read and judged */
    uint64_t blocks, nodes, pages;
    uint64_t inner_blocks;             /* XBLOCK, XXBLOCK, SLBLOCK, SIBLOCK */
    uint64_t deflated_blocks;          /* zlib streams */
    uint64_t items, folders;           /* nodes of messages (both kinds), of folders (both kinds) */
    uint64_t recovered;                /* nodes found again by carving; they are counted above */
    uint64_t maybe_stale;              /* others found so; they are not */
    uint64_t unreferenced;             /* blocks that nothing names */
    uint64_t unreachable;              /* blocks named only by such ones */
    uint64_t unjudged;                 /* blocks whose count of references could not be judged */
    uint64_t unused_bytes;             /* allocated, but used by nothing */
    uint64_t corrupt, warnings, infos; /* findings told */
    uint64_t plan_bytes;               /* asked of the sources before the sweep */
    uint64_t read_bytes;               /* by the sweep, gaps included: */
    uint64_t gap_bytes;                /* what lies between blocks and pages */
    uint64_t again_bytes;              /* beside and after the sweep, the tap's reads included */
    uint64_t peak_bytes;               /* of heap */
};

/* Checks an image. *out is filled when 0 is returned. */
int chk_run(const struct chk_job *job, const struct chk_sink *sink, struct chk_result *out);

#endif
