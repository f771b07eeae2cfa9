/*
 * engine_native.c: see engine_native.h.
 *
 *   plan ──> store, names, receive folder ──> folders and contents rows ──> reach of every message
 *                                                                             │ sort
 *   sink: image                               folders                        items
 *
 * Until the sweep reads blocks in the order of the file, they are read as items ask for them.
 */
#include "scanner/engine_native.h"

#include <string.h>

#include "io/err.h"
#include "io/mem.h"
#include "scanner/check/carve.h"
#include "scanner/native_run.h"
#include "scanner/ost/account.h"
#include "scanner/ost/block.h"
#include "scanner/ost/limits.h"
#include "scanner/ost/props.h"

enum {
    MEMORY_LEAST = 16 << 20,
    CACHE_LEAST = 4 << 20,
    CACHE_MOST = 256 << 20,
    READER_CACHE = 4 << 20,
    PID_MESSAGE_CLASS = 0x001A,
    PID_RECEIVE_FOLDER = 0x6605,
};

bool native_cancelled(const struct native_run *n)
{
    return n->job->cancel && atomic_load_explicit(n->job->cancel, memory_order_relaxed);
}

/*
 * Whether what a code says was seen to hold on real files of this kind (tests/FINDINGS.md). Of 4k
 * images no XXBLOCK and no SIBLOCK ever was, and which block of a tree a finding is about is not
 * known here: none of theirs is called corrupt.
 */
static bool is_proven(const struct native_run *n, enum finding_code code)
{
    switch (n->job->header->version) {
    case 14:
    case 21:
    case 23:
        return true;
    case 36:
        break;
    default:
        return false;
    }
    switch (code) {
    case F_xblock_total:
    case F_xblock_leaf_size:
    case F_xblock_child:
    case F_subnode_child:
    case F_subnode_order:
    case F_subnode_range:
    case F_block_missing:
        return false;
    default:
        return true;
    }
}

int native_tell(void *ctx, const struct finding *finding)
{
    struct native_run *n = ctx;
    struct finding f = *finding;

    if (f.severity == SEVERITY_CORRUPT && !is_proven(n, f.code))
        f.severity = SEVERITY_WARNING;
    /* A table of tiny rows makes many. */
    if (n->blocks)
        ost_sourceblocks_charge(n->blocks, OST_LIMIT_BLOCK_COST);
    return engine_tell_finding(n->sink, &f);
}

int native_find(struct native_run *n, enum finding_code code, uint32_t nid, uint32_t folder,
                const char *detail)
{
    struct finding f = finding_of(code);

    if (n->reading.sink_code)
        return n->reading.sink_code;
    f.has_nid = true;
    f.nid = nid;
    f.items = &nid;
    f.item_count = ost_nid_is_message(nid);
    f.folders = &folder;
    f.folder_count = folder != 0;
    f.detail = detail;
    return native_tell(n, &f);
}

int native_end_object(struct native_run *n)
{
    ost_reading_end(&n->reading);
    ost_sourceblocks_charge(n->blocks, n->scratch.used_bytes / OST_LIMIT_BUILT_PART);
    arena_reset(&n->scratch);
    return n->reading.sink_code;
}

/* The allowance of an image: see limits.h. */
uint64_t native_allowance(const struct ost_plan *plan, uint64_t file_bytes)
{
    uint64_t decoded = 0, most;

    for (size_t i = 0; i < plan->block_count; i++)
        decoded += plan->blocks[i].inflated;
    /* Beyond that their entries lie over each other. */
    if (!plan->variant->deflates && decoded > file_bytes)
        decoded = file_bytes;
    decoded += plan->block_count * (uint64_t)OST_LIMIT_BLOCK_COST;
    if (__builtin_mul_overflow(file_bytes, (uint64_t)OST_LIMIT_MULTIPLE, &most))
        most = UINT64_MAX / 2;
    if (decoded < most / OST_LIMIT_HANDED_OUT)
        most = OST_LIMIT_HANDED_OUT * decoded;
    return most + OST_LIMIT_HANDED_OUT_ANYWAY;
}

static uint64_t clamp(uint64_t value, uint64_t least, uint64_t most)
{
    return value < least ? least : value > most ? most : value;
}

int native_open_blocks(struct native_run *n)
{
    struct ost_sourceblocks_options options = {
        .source = n->source,
        .at_hand = n->ahead ? native_ahead_view(n->ahead) : NULL,
        .plan = &n->plan,
        .crypt = n->job->header->crypt,
        .memory_bytes = (size_t)clamp(n->memory_bytes / 4, CACHE_LEAST, CACHE_MOST),
        .exact = true,
        .allowance_bytes = native_allowance(&n->plan, n->source->size_bytes),
        .ctx = &n->reading,
        .trouble = ost_reading_block_trouble,
    };
    int rc = ost_sourceblocks_create(&options, &n->blocks);

    if (rc)
        return rc;
    n->reading = (struct ost_reading){
        .variant = n->variant,
        .blocks = ost_sourceblocks_view(n->blocks),
        .arena = &n->scratch,
        .ctx = n,
        .finding = native_tell,
    };
    return ost_rows_create(&n->plan, n->memory_bytes / 8, &n->rows);
}

/* The image */

/* Begins the reading of a node that is neither folder nor item. NULL: there is none. */
static const struct ost_node *begin(struct native_run *n, uint32_t nid, struct ost_subnode *roots)
{
    const struct ost_node *node = ost_plan_node(&n->plan, nid);

    ost_reading_begin(&n->reading, nid, 0, false);
    if (node)
        *roots = (struct ost_subnode){nid, node->data, node->sub};
    return node;
}

/* Whether a node that is nowhere may have stood on a page that was lost or changed. */
static bool may_be_lost(const struct ost_plan *plan)
{
    for (size_t i = 0; i < plan->page_count; i++)
        if (plan->pages[i].tree == OST_TREE_NBT && plan->pages[i].trust != OST_TRUST_SOUND)
            return true;
    return false;
}

/* Whether the node at hand, now read, may hold other than was written. */
static bool is_suspect(const struct native_run *n, uint32_t nid)
{
    const struct ost_node *node = ost_plan_node(&n->plan, nid);

    return n->reading.damages.count ||
           (node ? node->flags & OST_ENTRY_SUSPECT : may_be_lost(&n->plan));
}

static int read_names(struct native_run *n)
{
    struct bytes streams[3] = {{0}};
    struct ost_object object = {0};
    struct ost_subnode roots;
    int rc;

    if (!begin(n, OST_NODE_NAMES, &roots)) {
        n->names.suspect = is_suspect(n, OST_NODE_NAMES);
        return native_end_object(n);
    }
    rc = ost_object_read(&n->reading, &n->names, roots, 0, &object);
    if (rc == ERR_DAMAGED || rc == ERR_LIMIT) {
        ost_reading_damage(&n->reading, F_property_failed, "the map of named properties");
        rc = 0;
    }
    for (uint16_t i = 0; i < 3; i++) {
        const struct ost_prop *p =
            ost_props_find(object.props, (uint16_t)(OST_NAMEMAP_GUIDS + i), OST_BINARY);

        if (p)
            streams[i] = p->value;
        else if (!rc && !n->reading.damages.count)
            ost_reading_damage(&n->reading, F_property_failed,
                               "the map of named properties lacks a part");
    }
    if (!rc)
        rc = ost_namemap_init(&n->names, streams[0], streams[1], streams[2]);
    if (!rc && n->names.left_out)
        ost_reading_damage_of(&n->reading, F_property_failed, n->names.left_out,
                              "entries of the map of named properties");
    n->names.suspect = is_suspect(n, OST_NODE_NAMES);
    return rc ? rc : native_end_object(n);
}

static int read_store(struct native_run *n)
{
    struct ost_object object = {0};
    struct ost_subnode roots;
    int rc = ERR_DAMAGED;

    if (begin(n, OST_NODE_STORE, &roots))
        rc = ost_object_read(&n->reading, &n->names, roots, 0, &object);
    if (rc == ERR_DAMAGED || rc == ERR_LIMIT) {
        ost_reading_damage(&n->reading, F_property_failed, "the message store");
        rc = 0;
    }
    if (!rc)
        rc = ost_props_copy(&n->keep, object.props, &n->image.store);
    n->store_suspect = is_suspect(n, OST_NODE_STORE);
    return rc ? rc : native_end_object(n);
}

/* The folder that the table of receive folders names for the empty message class. */
static int read_receive_folder(struct native_run *n)
{
    struct ost_small_table table;
    struct ost_subnode roots;
    struct ost_props props;
    struct bytes row;
    int rc = ERR_DAMAGED;

    if (begin(n, OST_NODE_RECEIVE_FOLDERS, &roots))
        rc = ost_small_table_open(&n->reading, roots, &table);
    for (size_t leaf = 0, i = 0; !rc && ost_small_table_next(&table, &leaf, &i, &row);) {
        const struct ost_prop *class;

        rc = ost_small_table_row(&n->reading, &n->names, &table, row, &props);
        class = rc ? NULL : ost_props_find(props, PID_MESSAGE_CLASS, OST_UNICODE);
        if (class && class->value.size == 0 && !n->receive_folder)
            n->receive_folder = ost_props_u32(props, PID_RECEIVE_FOLDER, 0);
    }
    return rc && rc != ERR_DAMAGED && rc != ERR_LIMIT ? rc : native_end_object(n);
}

/* What the trees name; what was carved is not among it. */
static void count_blocks(const struct ost_plan *plan, struct ost_image *image)
{
    image->allocated_bytes = plan->page_count * (uint64_t)plan->variant->page_size;
    for (size_t i = 0; i < plan->block_count; i++) {
        if (plan->blocks[i].flags & CHK_ENTRY_CARVED)
            continue;
        image->blocks++;
        image->allocated_bytes += ost_block_extent(plan->variant, plan->blocks[i].stored);
    }
}

int native_image(struct native_run *n)
{
    const struct ost_header *h = n->job->header;
    int rc;

    native_expect_node(n, OST_NODE_NAMES);
    native_expect_node(n, OST_NODE_STORE);
    native_expect_node(n, OST_NODE_RECEIVE_FOLDERS);
    rc = read_names(n);
    if (!rc)
        rc = read_store(n);
    if (!rc)
        rc = read_receive_folder(n);
    if (rc)
        return rc;
    n->image.content = (uint8_t)h->content;
    n->image.format = (uint8_t)h->format;
    n->image.crypt = h->crypt;
    n->image.version = h->version;
    n->image.unique = h->unique;
    n->image.codepage = ost_props_codepage(n->image.store, 1252);
    n->image.account = ost_account(n->image.store);
    n->image.has_blocks = n->image.has_nodes = n->image.has_allocated = true;
    n->image.nodes = n->plan.node_count;
    count_blocks(&n->plan, &n->image);
    return engine_tell_image(n->sink, &n->image);
}

int native_crypt_unknown(struct native_run *n)
{
    struct finding f = finding_of(F_crypt_unknown);

    f.has_actual = true;
    f.actual = n->job->header->crypt;
    return native_tell(n, &f);
}

/* The run */

static int run(struct native_run *n)
{
    int rc = native_load_plan(n);

    if (!rc)
        rc = native_open_blocks(n);
    if (rc == ERR_UNSUPPORTED)
        return native_crypt_unknown(n);
    if (!rc)
        rc = native_image(n);
    if (!rc)
        rc = native_folders(n);
    return rc ? rc : native_items(n);
}

void native_run_init(struct native_run *n, const struct engine_job *job,
                     const struct engine_sink *sink, struct io_source *source)
{
    *n = (struct native_run){
        .job = job,
        .sink = sink,
        .source = source,
        .variant = ost_variant_of(job->header->format),
        .memory_bytes = clamp(job->memory_bytes, MEMORY_LEAST, SIZE_MAX / 2),
    };
    arena_init(&n->keep, (size_t)n->memory_bytes);
    arena_init(&n->scratch, (size_t)n->memory_bytes / 2);
}

void native_run_done(struct native_run *n)
{
    ost_reading_end(&n->reading);
    ost_rows_destroy(n->rows);
    ost_namemap_done(&n->names);
    ost_sourceblocks_destroy(n->blocks);
    mem_free(n->folders_by_nid);
    mem_free(n->hierarchy);
    arena_done(&n->scratch);
    arena_done(&n->keep);
}

int native_run_source(const struct engine_job *job, const struct engine_sink *sink,
                      struct io_source *source)
{
    struct native_run n;
    int rc = ERR_UNSUPPORTED;

    native_run_init(&n, job, sink, source);
    if (n.variant)
        rc = run(&n);
    native_run_done(&n);
    ost_plan_done(&n.plan);
    return rc;
}

/* Over the job's file: through a reader where that was asked for or reads must be aligned. */
static int native_run_file(const struct engine_job *job, const struct engine_sink *sink)
{
    const struct io_file *file = job->file;
    struct io_reader_options options = {.backend = job->io, .timeout_ns = job->read_timeout_ns};
    struct io_reader *reader = NULL;
    struct io_source *source = NULL;
    int rc = 0;

    if (!file->direct && job->io != IO_BACKEND_URING && !job->read_timeout_ns) {
        rc = io_source_open_pread(file->fd, file->id.size_bytes, &source);
    } else {
        rc = io_reader_create(&options, &reader);
        if (!rc)
            rc =
                io_source_open_reader(reader, file->fd, file->id.size_bytes, READER_CACHE, &source);
    }
    if (!rc) {
        source->first = job->first;
        rc = native_run_source(job, sink, source);
    }
    io_source_close(source);
    io_reader_destroy(reader);
    return rc;
}

const struct engine engine_native = {.name = "native", .run = native_run_file};
