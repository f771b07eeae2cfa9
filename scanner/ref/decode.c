/*
 * decode.c: see decode.h, and wire.c for the grammar.
 *
 * Framing (decoder_feed) cuts the stream into frames, bounds each length by its kind before
 * anything is allocated, and passes attachment data on as it comes. The table `admits` says which
 * kinds may stand in which place; `rank` keeps the parts of an item in their order. The handlers
 * hand what the frames hold to build.h, and what is complete to the sink.
 *
 *   place:  TOP -> IMAGE | FOLDER | ITEM          ITEM -> RECIPIENT | ATTACHMENT
 *           ATTACHMENT -> DATA | ITEM (depth + 1) END goes back
 *
 * Folders wait until all have come, because what role a folder has is said by others (the store,
 * the inbox). Until then the arena is kept.
 */
#include "scanner/ref/decode.h"

#include <string.h>

#include "io/err.h"
#include "io/mem.h"
#include "scanner/ost/account.h"
#include "scanner/ost/roles.h"
#include "scanner/ref/build.h"
#include "scanner/ref/nidset.h"
#include "scanner/ref/wire.h"

enum place { IN_TOP, IN_IMAGE, IN_FOLDER, IN_ITEM, IN_RECIPIENT, IN_ATTACHMENT, IN_DATA, PLACES };

enum stage { BEFORE_IMAGE, AT_FOLDERS, AT_ITEMS, FINISHED };

enum {
    SMALL_MAX = 256,
    /* The smallest entry of a node B-tree: so many bytes of the image must stand behind each node,
     * so that the child cannot make us report more than the image could hold. */
    NODE_BYTES_MIN = 16,
    FINDINGS_ANYWAY = 64,
    STORE_NID = 0x21,
};

struct decoder {
    struct ost_image image;
    struct decoder_options options;
    struct build build;
    int code; /* the first failure, for ever */

    uint8_t head[WIRE_HEAD];
    uint8_t small[SMALL_MAX];
    uint8_t *payload; /* small, or in the arena; NULL: the bytes are not kept */
    uint32_t length, got;
    unsigned head_got;
    uint8_t kind;

    enum stage stage;
    enum place place;
    bool image_given;
    bool explained; /* a finding says why there is no image */
    uint32_t last_nid;
    uint64_t announced, delivered, findings;
    struct nidset folders;
    struct ost_folder folder;   /* the one at hand */
    struct ost_folder *waiting; /* those before it */
    size_t waiting_count, waiting_capacity;
    uint32_t receive_folder;
    struct build_props props; /* of image, folder or recipient */
    void *hash;               /* of the data at hand */
};

#define KIND(k) (1U << (k))

static const uint32_t admits[PLACES] = {
    [IN_TOP] = KIND(WIRE_IMAGE) | KIND(WIRE_FOLDER) | KIND(WIRE_ITEM) | KIND(WIRE_FAILED) |
               KIND(WIRE_FINDING) | KIND(WIRE_PROGRESS) | KIND(WIRE_DONE),
    [IN_IMAGE] = KIND(WIRE_PROP) | KIND(WIRE_END),
    [IN_FOLDER] = KIND(WIRE_PROP) | KIND(WIRE_END),
    [IN_ITEM] = KIND(WIRE_PROP) | KIND(WIRE_ROW) | KIND(WIRE_RECIPIENT) | KIND(WIRE_ATTACHMENT) |
                KIND(WIRE_DAMAGE) | KIND(WIRE_END),
    [IN_RECIPIENT] = KIND(WIRE_PROP) | KIND(WIRE_END),
    [IN_ATTACHMENT] = KIND(WIRE_PROP) | KIND(WIRE_DATA) | KIND(WIRE_ITEM) | KIND(WIRE_END),
    [IN_DATA] = KIND(WIRE_CHUNK) | KIND(WIRE_END),
};

static const struct {
    uint32_t min, max;
} lengths[] = {
    [WIRE_IMAGE] = {24, 24},
    [WIRE_FOLDER] = {45, 45},
    [WIRE_ITEM] = {13, 13},
    [WIRE_PROP] = {5, WIRE_PROP_HEAD_MAX + OST_LIMIT_VALUE_BYTES},
    [WIRE_ROW] = {5, WIRE_PROP_HEAD_MAX + OST_LIMIT_VALUE_BYTES},
    [WIRE_RECIPIENT] = {0, 0},
    [WIRE_ATTACHMENT] = {9, 9},
    [WIRE_DATA] = {0, 0},
    [WIRE_CHUNK] = {1, WIRE_CHUNK_MAX},
    [WIRE_DAMAGE] = {2, 2},
    [WIRE_END] = {1, 1},
    [WIRE_FAILED] = {9, 9 + WIRE_TEXT_MAX},
    [WIRE_FINDING] = {26, 26 + WIRE_TEXT_MAX},
    [WIRE_PROGRESS] = {8, 8},
    [WIRE_DONE] = {0, 0},
};

static_assert(26 + WIRE_TEXT_MAX <= SMALL_MAX, "frames other than properties fit");

static int on_prop(struct decoder *d, struct bytes payload)
{
    struct build_level *l = build_level(&d->build);

    if (d->build.too_large)
        return 0;
    switch (d->place) {
    case IN_ITEM:
        return build_prop(&d->build, d->kind == WIRE_ROW ? &l->row : &l->props, payload);
    case IN_ATTACHMENT:
        return build_prop(&d->build, &l->attachment_props, payload);
    default:
        return build_prop(&d->build, &d->props, payload);
    }
}

/* Findings that the decoder makes of what it sees */

static int report(struct decoder *d, enum finding_code code, uint32_t nid, const char *detail)
{
    struct finding finding = finding_of(code);

    finding.has_nid = true;
    finding.nid = nid;
    finding.detail = detail;
    if (finding_info(code)->layer == LAYER_ITEM && code != F_folder_failed && nid != STORE_NID) {
        finding.items = &nid;
        finding.item_count = 1;
    }
    return engine_tell_finding(d->options.sink, &finding);
}

static const char too_large_text[] = "larger than the memory that an item may take";

/* Beginnings */

static int on_image(struct decoder *d, struct bytes payload)
{
    if (d->stage != BEFORE_IMAGE)
        return build_violate(&d->build, "the image comes twice");
    d->stage = AT_FOLDERS;
    d->image.has_nodes = true;
    d->image.nodes = le64(payload.data);
    d->announced = le64(payload.data + 8);
    if (d->announced > d->options.size_bytes / NODE_BYTES_MIN)
        return build_violate(&d->build, "more items than the image can hold");
    d->image.codepage = le32(payload.data + 16);
    d->receive_folder = le32(payload.data + 20);
    d->place = IN_IMAGE;
    return 0;
}

static int on_folder(struct decoder *d, struct bytes payload)
{
    uint8_t flags = payload.data[12];
    int code;

    if (d->stage != AT_FOLDERS || flags > (WIRE_FLAG_ROWS | WIRE_FLAG_ASSOC_ROWS) ||
        d->folders.count > d->options.size_bytes / NODE_BYTES_MIN)
        return build_violate(&d->build, "a folder out of order");
    d->folder = (struct ost_folder){
        .nid = le32(payload.data),
        .parent = le32(payload.data + 4),
        .codepage = le32(payload.data + 8),
        .has_rows = flags & WIRE_FLAG_ROWS,
        .has_assoc_rows = flags & WIRE_FLAG_ASSOC_ROWS,
        .rows = le64(payload.data + 13),
        .assoc_rows = le64(payload.data + 21),
        .items = le64(payload.data + 29),
        .assoc = le64(payload.data + 37),
    };
    if (!d->folder.nid || (d->folder.parent && d->folder.parent != d->folder.nid &&
                           !nidset_has(&d->folders, d->folder.parent)))
        return build_violate(&d->build, "a folder before its parent");
    code = nidset_add(&d->folders, d->folder.nid);
    if (code == ERR_EXISTS)
        return build_violate(&d->build, "a folder twice");
    d->place = IN_FOLDER;
    return code;
}

/* Hands out the folders that waited, with their roles. */
static int release_folders(struct decoder *d)
{
    const struct engine_sink *sink = d->options.sink;
    size_t count = d->waiting_count;
    int code = 0;

    d->waiting_count = 0;
    if (count)
        ost_roles_assign(&d->image, d->receive_folder, d->waiting, count);
    for (size_t i = 0; i < count && !code; i++)
        code = engine_tell_folder(sink, &d->waiting[i]);
    return code;
}

/* Items and failures: behind the folders, ascending, and no more of them than announced. */
static int admit_message(struct decoder *d, uint32_t nid)
{
    if (d->stage == BEFORE_IMAGE)
        return build_violate(&d->build, "an item before the image");
    if (nid <= d->last_nid)
        return build_violate(&d->build, "item ids do not ascend");
    if (d->delivered == d->announced)
        return build_violate(&d->build, "more items than announced");
    d->last_nid = nid;
    if (d->stage == AT_ITEMS)
        return 0;
    d->stage = AT_ITEMS;
    return release_folders(d);
}

static int on_item(struct decoder *d, struct bytes payload)
{
    struct ost_item head = {
        .nid = le32(payload.data),
        .folder = le32(payload.data + 4),
        .codepage = le32(payload.data + 8),
        .assoc = payload.data[12] & WIRE_FLAG_ASSOC,
        .orphan = payload.data[12] & WIRE_FLAG_ORPHAN,
    };
    bool embedded = d->place == IN_ATTACHMENT;
    unsigned flags = payload.data[12];
    int code = embedded ? 0 : admit_message(d, head.nid);

    if (!code &&
        (flags > (WIRE_FLAG_ASSOC | WIRE_FLAG_ORPHAN) || (embedded && (flags || head.folder))))
        code = build_violate(&d->build, "an item with a flag or folder that it cannot have");
    d->place = IN_ITEM;
    return code ? code : build_item(&d->build, &head, embedded);
}

static int on_attachment(struct decoder *d, struct bytes payload)
{
    struct build_level *l = build_level(&d->build);

    if (payload.data[8] > WIRE_FLAG_DEPTH)
        return build_violate(&d->build, "an attachment with an unknown flag");
    l->attachment = (struct ost_attachment){
        .nid = le32(payload.data),
        .method = (int32_t)le32(payload.data + 4),
        .truncated_depth = payload.data[8] & WIRE_FLAG_DEPTH,
    };
    d->build.too_deep |= l->attachment.truncated_depth;
    l->attachment_closed = false;
    d->place = IN_ATTACHMENT;
    return 0;
}

static int on_data(struct decoder *d)
{
    const struct ost_hasher *hasher = d->options.hasher;
    struct build_level *l = build_level(&d->build);

    if (l->attachment_closed)
        return build_violate(&d->build, "an attachment with two contents");
    l->attachment_closed = true;
    l->attachment.has_data = true;
    d->place = IN_DATA;
    if (!hasher)
        return 0;
    d->hash = hasher->begin(hasher->ctx);
    return d->hash ? 0 : ERR_NOMEM;
}

/* Ends */

static int end_image(struct decoder *d)
{
    int code = 0;

    d->place = IN_TOP;
    d->image.store = build_flatten(&d->build, &d->props);
    if (d->build.out_of_memory)
        return ERR_NOMEM;
    d->image.account = ost_account(d->image.store);
    d->image_given = true;
    code = engine_tell_image(d->options.sink, &d->image);
    if (!code && d->build.too_large)
        code = report(d, F_property_failed, STORE_NID, too_large_text);
    return code;
}

static int end_folder(struct decoder *d)
{
    d->place = IN_TOP;
    d->folder.props = build_flatten(&d->build, &d->props);
    if (d->build.out_of_memory)
        return ERR_NOMEM;
    if (d->waiting_count == d->waiting_capacity) {
        size_t capacity = d->waiting_capacity ? d->waiting_capacity * 2 : 64;
        struct ost_folder *waiting = mem_realloc(d->waiting, capacity * sizeof *waiting);

        if (!waiting)
            return ERR_NOMEM;
        d->waiting = waiting;
        d->waiting_capacity = capacity;
    }
    d->waiting[d->waiting_count++] = d->folder;
    return d->build.too_large ? report(d, F_folder_failed, d->folder.nid, too_large_text) : 0;
}

static int end_data(struct decoder *d, bool whole)
{
    const struct ost_hasher *hasher = d->options.hasher;

    d->place = IN_ATTACHMENT;
    if (!d->hash)
        return 0;
    if (whole)
        hasher->end(d->hash, &build_level(&d->build)->attachment.data_digest);
    else
        hasher->abort(d->hash);
    d->hash = NULL;
    return 0;
}

static int deliver(struct decoder *d, const struct ost_item *item)
{
    const struct engine_sink *sink = d->options.sink;
    int code = 0;

    d->delivered++;
    if (d->build.too_large) {
        code = report(d, F_item_failed, item->nid, too_large_text);
        return code ? code : engine_tell_failed(sink, item->nid, item->folder, item->assoc);
    }
    if (item->orphan)
        code = report(d, F_item_orphan, item->nid, NULL);
    if (!code && item->damage_count)
        code = report(d, F_item_partial, item->nid, NULL);
    if (!code && d->build.too_deep)
        code = report(d, F_embedded_depth, item->nid, NULL);
    return code ? code : sink->item(sink->ctx, item);
}

static int end_item(struct decoder *d)
{
    bool embedded = d->build.depth > 0;
    int code = build_end_item(&d->build);

    d->place = embedded ? IN_ATTACHMENT : IN_TOP;
    return code || embedded ? code : deliver(d, &d->build.levels[0].item);
}

static int on_end(struct decoder *d, struct bytes payload)
{
    if (payload.data[0] > 1 || (!payload.data[0] && d->place != IN_DATA))
        return build_violate(&d->build, "an end that says neither yes nor no");
    switch (d->place) {
    case IN_IMAGE:
        return end_image(d);
    case IN_FOLDER:
        return end_folder(d);
    case IN_ITEM:
        return end_item(d);
    case IN_RECIPIENT:
        d->place = IN_ITEM;
        return build_add_recipient(&d->build, &d->props);
    case IN_ATTACHMENT:
        d->place = IN_ITEM;
        return build_add_attachment(&d->build);
    default:
        return end_data(d, payload.data[0]);
    }
}

/* Frames that stand alone */

/* Copies the text behind `skip` bytes into `text`; false when it is not printable. */
static bool read_text(struct bytes payload, size_t skip, char text[WIRE_TEXT_MAX + 1])
{
    size_t size = payload.size - skip;

    for (size_t i = 0; i < size; i++) {
        text[i] = (char)payload.data[skip + i];
        if (text[i] < ' ' || text[i] > '~')
            return false;
    }
    text[size] = '\0';
    return true;
}

static int on_failed(struct decoder *d, struct bytes payload)
{
    const struct engine_sink *sink = d->options.sink;
    uint32_t nid = le32(payload.data);
    char text[WIRE_TEXT_MAX + 1];
    int code = admit_message(d, nid);

    if (code)
        return code;
    if (payload.data[8] > WIRE_FLAG_ASSOC)
        return build_violate(&d->build, "a failure with an unknown flag");
    if (!read_text(payload, 9, text))
        return build_violate(&d->build, "text that is not printable");
    d->delivered++;
    code = report(d, F_item_failed, nid, text[0] ? text : NULL);
    if (code)
        return code;
    return engine_tell_failed(sink, nid, le32(payload.data + 4), payload.data[8] & WIRE_FLAG_ASSOC);
}

static bool child_may_find(unsigned code)
{
    static const enum finding_code known[] = {
        F_read_failed,   F_truncated_while_read, F_item_failed,     F_engine_open_failed,
        F_folder_failed, F_table_failed,         F_property_failed, F_engine_unfiltered,
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i] == code)
            return true;
    return false;
}

static int on_finding(struct decoder *d, struct bytes payload)
{
    uint32_t nid = le32(payload.data + 2), folder = le32(payload.data + 6);
    char text[WIRE_TEXT_MAX + 1];
    struct finding finding;

    if (!child_may_find(le16(payload.data)) ||
        d->findings++ > FINDINGS_ANYWAY + d->options.size_bytes / NODE_BYTES_MIN)
        return build_violate(&d->build, "a finding that is not the child's to make");
    if (!read_text(payload, 26, text))
        return build_violate(&d->build, "text that is not printable");
    finding = finding_of((enum finding_code)le16(payload.data));
    finding.has_nid = nid != 0;
    finding.nid = nid;
    finding.offset = le64(payload.data + 10);
    finding.length = le64(payload.data + 18);
    finding.has_offset = finding.offset || finding.length;
    finding.folders = folder ? &folder : NULL;
    finding.folder_count = folder != 0;
    finding.items = &nid;
    finding.item_count = finding.code == F_item_failed;
    finding.detail = text[0] ? text : NULL;
    d->explained |= finding.code == F_engine_open_failed;
    return engine_tell_finding(d->options.sink, &finding);
}

static int on_progress(struct decoder *d, struct bytes payload)
{
    const struct engine_sink *sink = d->options.sink;
    uint64_t bytes = le64(payload.data);

    if (bytes > d->options.size_bytes)
        return build_violate(&d->build, "progress beyond the end");
    if (sink->progress)
        sink->progress(sink->ctx, bytes);
    return 0;
}

static int on_done(struct decoder *d)
{
    if (d->stage == BEFORE_IMAGE ? !d->explained : d->delivered != d->announced)
        return build_violate(&d->build, "done too early");
    d->stage = FINISHED;
    return release_folders(d);
}

/* Framing */

static int dispatch(struct decoder *d, struct bytes payload)
{
    switch ((enum wire_kind)d->kind) {
    case WIRE_IMAGE:
        return on_image(d, payload);
    case WIRE_FOLDER:
        return on_folder(d, payload);
    case WIRE_ITEM:
        return on_item(d, payload);
    case WIRE_PROP:
    case WIRE_ROW:
        return on_prop(d, payload);
    case WIRE_RECIPIENT:
        d->place = IN_RECIPIENT;
        return 0;
    case WIRE_ATTACHMENT:
        return on_attachment(d, payload);
    case WIRE_DATA:
        return on_data(d);
    case WIRE_CHUNK:
        return 0;
    case WIRE_DAMAGE:
        return build_add_damage(&d->build, le16(payload.data));
    case WIRE_END:
        return on_end(d, payload);
    case WIRE_FAILED:
        return on_failed(d, payload);
    case WIRE_FINDING:
        return on_finding(d, payload);
    case WIRE_PROGRESS:
        return on_progress(d, payload);
    case WIRE_DONE:
        return on_done(d);
    }
    return build_violate(&d->build, "a frame of no known kind");
}

/* Place and order: may a frame of this kind stand here? */
static int admit(struct decoder *d)
{
    static const unsigned rank[] = {
        [WIRE_PROP] = 0,       [WIRE_ROW] = 1,    [WIRE_RECIPIENT] = 2,
        [WIRE_ATTACHMENT] = 3, [WIRE_DAMAGE] = 4, [WIRE_END] = 5,
    };
    struct build_level *l = build_level(&d->build);

    if (d->stage == FINISHED)
        return build_violate(&d->build, "bytes after the end");
    if (!d->kind || d->kind > WIRE_DONE || !(admits[d->place] & KIND(d->kind)))
        return build_violate(&d->build, "a frame that does not belong here");
    if (d->length < lengths[d->kind].min || d->length > lengths[d->kind].max)
        return build_violate(&d->build, "a frame of a wrong length");
    if (d->place == IN_ATTACHMENT && d->kind == WIRE_PROP && l->attachment_closed)
        return build_violate(&d->build, "an attachment's property after its content");
    if (d->place != IN_ITEM)
        return 0;
    if (rank[d->kind] < l->phase || (d->kind == WIRE_ROW && d->build.depth))
        return build_violate(&d->build, "an item's parts out of order");
    l->phase = rank[d->kind];
    return 0;
}

static int start_frame(struct decoder *d)
{
    int code;

    d->kind = d->head[0];
    d->length = le32(d->head + 1);
    d->got = 0;
    code = admit(d);
    if (code)
        return code;
    if (d->place == IN_TOP)
        build_reset(&d->build, d->stage == AT_FOLDERS);
    d->payload = d->small;
    if (d->kind == WIRE_CHUNK)
        d->payload = NULL;
    else if (d->kind == WIRE_PROP || d->kind == WIRE_ROW)
        d->payload = build_take(&d->build, d->length);
    return build_state(&d->build);
}

static int finish_frame(struct decoder *d)
{
    struct bytes payload = {d->payload, d->length};

    d->head_got = 0;
    return dispatch(d, payload);
}

static void take_payload(struct decoder *d, const uint8_t *data, size_t size)
{
    if (d->payload)
        memcpy(d->payload + d->got, data, size);
    if (d->kind == WIRE_CHUNK) {
        build_level(&d->build)->attachment.data_bytes += size;
        if (d->hash)
            d->options.hasher->update(d->hash, data, size);
    }
    d->got += (uint32_t)size;
}

int decoder_feed(struct decoder *d, const void *data, size_t size)
{
    const uint8_t *at = data;

    while (!d->code && size) {
        size_t part;

        if (d->head_got < WIRE_HEAD) {
            d->head[d->head_got++] = *at++;
            size--;
            if (d->head_got == WIRE_HEAD)
                d->code = start_frame(d);
        } else {
            part = d->length - d->got < size ? d->length - d->got : size;
            take_payload(d, at, part);
            at += part;
            size -= part;
        }
        if (!d->code && d->head_got == WIRE_HEAD && d->got == d->length)
            d->code = finish_frame(d);
    }
    return d->code;
}

int decoder_create(const struct decoder_options *options, struct decoder **out)
{
    struct decoder *d = mem_zalloc(sizeof *d);

    if (!d)
        return ERR_NOMEM;
    d->options = *options;
    d->image = *options->image;
    build_init(&d->build, options->memory_bytes);
    *out = d;
    return 0;
}

void decoder_destroy(struct decoder *d)
{
    if (!d)
        return;
    if (d->hash)
        d->options.hasher->abort(d->hash);
    build_done(&d->build);
    mem_free(d->waiting);
    nidset_done(&d->folders);
    mem_free(d);
}

int decoder_end(struct decoder *d)
{
    return release_folders(d);
}

bool decoder_finished(const struct decoder *d)
{
    return d->stage == FINISHED && !d->code && !d->head_got;
}

const char *decoder_violation(const struct decoder *d)
{
    return d->build.violation;
}

bool decoder_has_image(const struct decoder *d)
{
    return d->image_given;
}

uint64_t decoder_announced(const struct decoder *d)
{
    return d->announced;
}

uint64_t decoder_delivered(const struct decoder *d)
{
    return d->delivered;
}
