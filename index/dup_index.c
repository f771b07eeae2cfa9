/*
 * dup_index.c: reading manifests into the index; see dup_index.h. dup_groups.c makes the groups.
 *
 *   manifest ─▶ folder records ─▶ the image's folders, their paths in the lane's spill
 *            ─▶ item records ───▶ entries of the item and its attachments ─▶ sorter by class
 *                              └▶ `exact` ─▶ the lane's sorter ─(end)─▶ digest of the image, entry
 *
 * Where the manifest's folders and items were noted as they were written, they come from there.
 *
 * The budget: half for the entries, and while manifests are read an eighth for the digests of the
 * images at hand; afterwards a quarter for members, the rest for the group at hand, pairs and
 * paths.
 */
#include "index/dup_index.h"

#include <string.h>
#include <xxhash.h>

#include "index/dup_index_private.h"
#include "index/json_read.h"
#include "io/mem.h"

enum {
    CONTENT = 34,             /* assoc 1 | digest 32 | its size 1 */
    FOLDER_PATH_MOST = 65536, /* as the writer of manifests bounds it */
    CANCEL_LINES = 1024,
};

#define IMAGE_DOMAIN "ostscan.image.1"

static int create_lane(struct dup_index *x, struct dup_lane *l)
{
    const struct sorter_options contents = {CONTENT, x->options.memory_bytes / 8 / x->options.lanes,
                                            1, x->options.temp_dir};
    int code = sorter_create(&contents, &l->contents);

    if (code)
        return code;
    return io_spill_create(x->options.temp_dir,
                           (size_t)(x->options.memory_bytes / 32 / x->options.lanes), &l->paths);
}

static int create_parts(struct dup_index *x)
{
    const uint64_t memory = x->options.memory_bytes;
    const char *temp = x->options.temp_dir;
    const struct sorter_options classed = {DUP_CLASSED, memory / 2, x->options.lanes, temp};
    const struct sorter_options grouped = {DUP_GROUPED, memory / 4, 1, temp};
    const struct sorter_options group = {DUP_GROUPED, memory / 16, 1, temp};
    int code = 0;

    x->lanes = mem_zalloc(x->options.lanes * sizeof *x->lanes);
    x->stamps = mem_zalloc((x->images->count + 1) * sizeof *x->stamps);
    if (!x->lanes || !x->stamps)
        return ERR_NOMEM;
    for (unsigned i = 0; !code && i < x->options.lanes; i++)
        code = create_lane(x, &x->lanes[i]);
    if (!code)
        code = sorter_create(&classed, &x->classed);
    if (!code)
        code = sorter_create(&grouped, &x->grouped);
    if (!code)
        code = sorter_create(&group, &x->group);
    return code ? code : dup_pairs_create(memory / 32, temp, &x->pairs);
}

int dup_index_create(const struct dup_index_options *options, struct dup_images *images,
                     struct dup_index **out)
{
    struct dup_index *x = mem_zalloc(sizeof *x);
    int code;

    if (!x)
        return ERR_NOMEM;
    x->options = *options;
    x->images = images;
    code = create_parts(x);
    if (code) {
        dup_index_destroy(x);
        return code;
    }
    *out = x;
    return 0;
}

void dup_index_destroy(struct dup_index *x)
{
    if (!x)
        return;
    for (unsigned i = 0; x->lanes && i < x->options.lanes; i++) {
        dup_item_done(&x->lanes[i].item);
        buf_done(&x->lanes[i].text);
        io_spill_destroy(x->lanes[i].paths);
        sorter_destroy(x->lanes[i].contents);
    }
    mem_free(x->lanes);
    mem_free(x->stamps);
    sorter_destroy(x->classed);
    sorter_destroy(x->grouped);
    sorter_destroy(x->group);
    dup_pairs_destroy(x->pairs);
    idx_manifest_close(x->reader);
    buf_done(&x->path);
    mem_free(x);
}

bool dup_index_cancelled(const struct dup_index *x)
{
    return x->options.cancel && atomic_load(x->options.cancel);
}

const struct fault *dup_index_fault(const struct dup_index *x)
{
    static const struct fault none;
    const struct sorter *const sorters[] = {x->classed, x->grouped, x->group};

    for (size_t i = 0; i < sizeof sorters / sizeof *sorters; i++)
        if (sorter_fault(sorters[i])->code)
            return sorter_fault(sorters[i]);
    for (unsigned i = 0; i < x->options.lanes; i++) {
        if (io_spill_fault(x->lanes[i].paths)->code)
            return io_spill_fault(x->lanes[i].paths);
        if (sorter_fault(x->lanes[i].contents)->code)
            return sorter_fault(x->lanes[i].contents);
        if (x->lanes[i].notes_fault.code)
            return &x->lanes[i].notes_fault;
    }
    return dup_pairs_fault(x->pairs)->code ? dup_pairs_fault(x->pairs) : &none;
}

uint64_t dup_index_spilled_bytes(const struct dup_index *x)
{
    return sorter_spilled_bytes(x->classed) + sorter_spilled_bytes(x->grouped);
}

static int take_folder(struct dup_lane *l, struct dup_image *image, struct bytes line)
{
    struct dup_folder folder = {0};
    struct json_token token;
    struct bytes value;
    uint64_t nid;
    int got = json_find(line, "nid", &value);

    if (got != 1 || !json_scalar(value, &token) || !json_token_u64(&token, &nid) ||
        nid > UINT32_MAX)
        return ERR_DAMAGED;
    folder.nid = (uint32_t)nid;
    got = dup_stored_text(line, "path", &l->text);
    if (got < 0)
        return got == ERR_NOMEM ? got : ERR_DAMAGED;
    if (got == 1 && l->text.size <= FOLDER_PATH_MOST) {
        folder.has_path = true;
        folder.path_size = (uint32_t)l->text.size;
        folder.path_hash = XXH3_64bits(l->text.data, l->text.size);
        got = io_spill_append(l->paths, l->text.data, l->text.size, &folder.path_at);
        if (got < 0)
            return got;
    }
    return dup_image_add_folder(image, &folder);
}

/* The item among the contents of its image. */
static int add_content(struct dup_index *x, unsigned lane, const struct dup_image *image)
{
    struct dup_lane *l = &x->lanes[lane];
    const struct dup_entry *e = &l->item.entry;
    const struct dup_folder *folder = NULL;
    uint8_t content[CONTENT] = {l->item.assoc};
    uint8_t with[CONTENT + 8];

    if (l->item.fate != FATE_INDEXED) {
        l->unclear = true;
        return 0;
    }
    if (e->has_folder)
        folder = dup_image_folder(image, e->folder);
    memcpy(content + 1, e->exact.bytes, e->exact.size);
    content[CONTENT - 1] = e->exact.size;
    memcpy(with, content, CONTENT);
    put_le64(with + CONTENT, folder ? folder->path_hash : 0);
    l->folders_sum += XXH3_64bits(with, sizeof with);
    put_le64(with + CONTENT, e->marks[MARK_STATE]);
    l->states_sum += XXH3_64bits(with, sizeof with);
    return sorter_add(l->contents, 0, content);
}

static int add_entry(struct dup_index *x, unsigned lane, const struct dup_entry *e)
{
    uint8_t record[DUP_CLASSED];

    dup_entry_classed(e, record);
    return sorter_add(x->classed, lane, record);
}

static int add_attachments(struct dup_index *x, unsigned lane)
{
    const struct dup_item *item = &x->lanes[lane].item;
    const struct dup_attachment *list = (const struct dup_attachment *)item->attachments.data;

    for (size_t i = 0; i < item->attachment_count && i <= UINT32_MAX; i++) {
        struct dup_entry e = item->entry;
        int code;

        if (!list[i].digest.size || !list[i].size_bytes)
            continue;
        e.of = DUP_ATTACHMENT;
        e.by_core = e.has_mih = false;
        e.place.part = (uint32_t)i;
        e.joint = e.exact = list[i].digest;
        e.attachment_nid = list[i].nid;
        e.has_size = true;
        e.size_bytes = list[i].size_bytes;
        memset(e.marks, 0, sizeof e.marks);
        e.marks[MARK_NAME] = list[i].name;
        code = add_entry(x, lane, &e);
        if (code)
            return code;
    }
    return 0;
}

/* The lane's item. */
static int take_item(struct dup_index *x, unsigned lane, size_t number, uint64_t offset)
{
    struct dup_lane *l = &x->lanes[lane];
    struct dup_image *image = x->images->list[number];
    struct dup_entry *e = &l->item.entry;
    int code;

    dup_image_sort_folders(image);
    if (l->item.assoc)
        image->assoc++;
    else
        image->fates[l->item.fate]++;
    code = add_content(x, lane, image);
    if (code || l->item.fate != FATE_INDEXED)
        return code;
    if (!image->digest_size || e->exact.size == image->digest_size)
        image->digest_size = e->exact.size;
    else
        l->unclear = true;
    if (l->item.assoc)
        return 0;
    e->place = (struct dup_place){.image = (uint32_t)number, .offset = offset};
    code = add_entry(x, lane, e);
    return code ? code : add_attachments(x, lane);
}

int dup_index_line(struct dup_index *x, unsigned lane, size_t number, enum idx_record type,
                   struct bytes line, uint64_t offset)
{
    struct dup_lane *l = &x->lanes[lane];
    int code;

    if (type == RECORD_FOLDER)
        return take_folder(l, x->images->list[number], line);
    if (type != RECORD_ITEM)
        return 0;
    code = dup_item_parse(line, &l->item);
    return code ? code : take_item(x, lane, number, offset);
}

/* The digest over the digests of all items, in ascending order. */
static int digest_contents(struct dup_lane *l, struct dup_image *image)
{
    struct idx_hash *hash = NULL;
    const uint8_t *content;
    uint8_t count[8];
    int got = idx_hash_create(image->digest_size == 32 ? IDX_SHA256 : IDX_XXH3, &hash);

    if (!got)
        got = sorter_start(l->contents);
    if (!got) {
        put_le64(count, sorter_count(l->contents));
        idx_hash_update(hash, IMAGE_DOMAIN, sizeof IMAGE_DOMAIN);
        idx_hash_update(hash, count, sizeof count);
        while ((got = sorter_next(l->contents, &content)) == 1)
            idx_hash_update(hash, content, 1u + image->digest_size);
    }
    if (!got)
        idx_hash_final(hash, &image->digest);
    idx_hash_destroy(hash);
    return got;
}

static uint32_t folded(uint64_t sum)
{
    return dup_mark_of((struct bytes){(const uint8_t *)&sum, sizeof sum});
}

int dup_index_image_end(struct dup_index *x, unsigned lane, size_t number)
{
    struct dup_lane *l = &x->lanes[lane];
    struct dup_image *image = x->images->list[number];
    struct dup_entry e = {.of = DUP_IMAGE,
                          .place.image = (uint32_t)number,
                          .has_size = true,
                          .size_bytes = image->size_bytes,
                          .kind = IDX_KINDS};
    int code = 0;

    image->lane = lane;
    dup_image_sort_folders(image);
    if (image->state == DUP_COMPLETE && !l->unclear && sorter_count(l->contents)) {
        code = digest_contents(l, image);
        e.joint = e.exact = image->digest;
        e.marks[MARK_FOLDERS] = folded(l->folders_sum);
        e.marks[MARK_STATE] = folded(l->states_sum);
        code = code ? code : add_entry(x, lane, &e);
    }
    l->unclear = false;
    l->folders_sum = l->states_sum = 0;
    return code ? code : sorter_reset(l->contents);
}

/* The lines up to the manifest's end, which its state then tells. */
static int read_lines(struct dup_index *x, unsigned lane, size_t number,
                      struct idx_manifest_reader *r)
{
    struct dup_image *image = x->images->list[number];
    enum idx_manifest_state state;
    enum idx_record type;
    struct bytes line;
    unsigned lines = 0;
    int got, code;

    image->state = DUP_COMPLETE;
    while ((got = idx_manifest_next(r, &type, &line, &state)) == 1) {
        code = dup_index_line(x, lane, number, type, line, idx_manifest_offset(r));
        if (code == ERR_DAMAGED)
            dup_image_fail(image, DUP_INCOMPLETE, "a record is not well-formed");
        else if (code)
            return code;
        if (++lines % CANCEL_LINES == 0 && dup_index_cancelled(x))
            return ERR_CANCELLED;
    }
    if (got == ERR_NOMEM)
        return got;
    if (got < 0)
        dup_image_fail(image, DUP_INCOMPLETE, "%s", err_text(got));
    else if (state != MANIFEST_COMPLETE)
        dup_image_fail(image, DUP_INCOMPLETE, "%s", idx_manifest_reason(r));
    return 0;
}

int dup_index_read(struct dup_index *x, unsigned lane, size_t number)
{
    struct dup_image *image = x->images->list[number];
    struct idx_manifest_reader *r = NULL;
    struct fault fault = {0};
    int code;

    if (image->state != DUP_UNREAD)
        return 0;
    code = idx_manifest_open(image->manifest, &r, &fault);
    if (code && code != ERR_NOMEM) {
        dup_image_fail(image, DUP_UNREADABLE, "%s", err_why(code, fault.errnum));
        return 0;
    }
    if (!code)
        code = read_lines(x, lane, number, r);
    idx_manifest_close(r);
    return code ? code : dup_index_image_end(x, lane, number);
}

static int take_notes(struct dup_index *x, unsigned lane, size_t number, struct dup_notes_reader *r)
{
    struct dup_lane *l = &x->lanes[lane];
    struct bytes folder;
    unsigned notes = 0;
    int code = 0, got;

    while (!code && (got = dup_notes_next(r, &folder, &l->item)) == 1) {
        code = folder.data ? take_folder(l, x->images->list[number], folder)
                           : take_item(x, lane, number, l->item.entry.place.offset);
        if (++notes % CANCEL_LINES == 0 && dup_index_cancelled(x))
            return ERR_CANCELLED;
    }
    l->notes_fault = r->fault;
    return code ? code : got;
}

int dup_index_read_notes(struct dup_index *x, unsigned lane, size_t number,
                         const struct dup_notes *notes, const struct dup_noted *noted)
{
    struct dup_image *image = x->images->list[number];
    struct dup_notes_reader r;
    int code;

    if (image->state != DUP_UNREAD)
        return 0;
    image->state = DUP_COMPLETE;
    dup_notes_open(&r, notes, noted);
    code = take_notes(x, lane, number, &r);
    dup_notes_close(&r);
    return code ? code : dup_index_image_end(x, lane, number);
}
