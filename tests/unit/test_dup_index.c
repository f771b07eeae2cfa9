/*
 * test_dup_index.c: groups against a reference that follows the definition word by word, on
 * thousands of random collections; and what may never be joined, said one by one.
 *
 * The reference knows no sorting and no digests of digests: it compares each with each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "index/dup_index.h"
#include "io/mem.h"
#include "tests/support/tempdir.h"

enum { IMAGES_MOST = 5, ITEMS_MOST = 48, ATTACHMENTS_MOST = 2, VALUES = 8 };

/* 0 in a value: absent. */
struct thing {
    unsigned exact, core, mih, kind, folder, size, state, text, bcc, key, class;
    bool assoc, partial, failed, recovered, orphan, sha256;
    unsigned attachments[ATTACHMENTS_MOST]; /* digests, 9: read in part; sizes go with them */
    unsigned names[ATTACHMENTS_MOST];
};

struct collection {
    unsigned images, folders;
    unsigned counts[IMAGES_MOST];
    bool incomplete[IMAGES_MOST];
    struct thing things[IMAGES_MOST][ITEMS_MOST];
};

static uint64_t seed_state;

static unsigned roll(unsigned sides)
{
    seed_state ^= seed_state << 13;
    seed_state ^= seed_state >> 7;
    seed_state ^= seed_state << 17;
    return (unsigned)((seed_state >> 11) % sides);
}

/* ---- what is given to the index ---- */

static void put_digest(struct buf *out, const char *key, unsigned value, unsigned salt, bool sha256)
{
    buf_printf(out, "\"%s\":\"%s%0*x\"", key, sha256 ? "sha256:" : "xxh3:", sha256 ? 64 : 32,
               value * 16 + salt);
}

static void put_item(struct buf *out, const struct thing *t, uint32_t nid)
{
    static const char *const kinds[] = {"mail", "contact", "task"};
    const char *comma = "";

    buf_reset(out);
    buf_printf(out, "{\"type\":\"item\",\"nid\":%" PRIu32, nid);
    if (t->folder)
        buf_printf(out, ",\"folder\":%u", t->folder);
    buf_printf(out, "%s%s", t->assoc ? ",\"assoc\":true" : "", t->orphan ? ",\"orphan\":true" : "");
    if (t->failed) {
        buf_puts(out, ",\"failed\":true}\n");
        return;
    }
    if (t->kind)
        buf_printf(out, ",\"kind\":\"%s\"", kinds[t->kind - 1]);
    if (t->class)
        buf_printf(out, ",\"class\":\"IPM.%u\"", t->class);
    if (t->mih)
        buf_printf(out, ",\"mih\":\"%032x\"", t->mih);
    if (t->key)
        buf_printf(out, ",\"search_key\":\"%02x\"", t->key);
    if (t->size)
        buf_printf(out, ",\"size\":%d", t->size == 1 ? -5 : (int)t->size);
    if (t->bcc)
        buf_printf(out, ",\"bcc\":[{\"name\":\"n%u\"}]", t->bcc);
    buf_puts(out, ",\"attachments\":[");
    for (unsigned i = 0; i < ATTACHMENTS_MOST; i++) {
        if (!t->attachments[i])
            continue;
        buf_printf(out, "%s{\"nid\":%u,\"name\":\"a%u\",\"size\":%u", comma, 100 + i, t->names[i],
                   t->attachments[i] == 8 ? 0 : 1000 * t->attachments[i]);
        if (t->attachments[i] != 9) {
            buf_putc(out, ',');
            put_digest(out, "digest", t->attachments[i], 3, t->sha256);
        }
        buf_putc(out, '}');
        comma = ",";
    }
    buf_puts(out, "],\"digest\":{");
    comma = "";
    if (t->exact) {
        put_digest(out, "exact", t->exact, 1, t->sha256);
        comma = ",";
    }
    if (t->core) {
        buf_puts(out, comma);
        put_digest(out, "core", t->core, 2, t->sha256);
        comma = ",";
    }
    if (t->text) {
        buf_printf(out, "%s\"body\":{", comma);
        put_digest(out, "text", t->text, 4, t->sha256);
        buf_puts(out, "}");
        comma = ",";
    }
    if (t->state) {
        buf_puts(out, comma);
        put_digest(out, "state", t->state, 5, t->sha256);
    }
    buf_printf(out, "}%s%s}\n", t->partial ? ",\"partial\":true" : "",
               t->recovered ? ",\"recovered\":true" : "");
}

static void make_table(struct dup_images *table, const struct collection *c)
{
    dup_images_init(table);
    table->list = mem_zalloc(IMAGES_MOST * sizeof *table->list);
    assert_non_null(table->list);
    for (unsigned i = 0; i < c->images; i++) {
        struct dup_image *image = mem_zalloc(sizeof *image);

        assert_non_null(image);
        image->manifest = mem_strdup("none");
        image->has_head = true;
        image->size_bytes = 7000;
        buf_printf(&image->path, "image %u", i);
        table->list[table->count++] = image;
    }
}

static void put_folder(struct buf *out, unsigned f)
{
    buf_reset(out);
    buf_printf(out, "{\"type\":\"folder\",\"nid\":%u,\"path\":\"F%u\"}\n", f, f);
}

/* By the lines of its manifest. */
static int feed_lines(struct dup_index *x, unsigned lane, const struct dup_images *table,
                      const struct collection *c, unsigned n)
{
    struct buf line = BUF_INIT;
    int code = 0;

    for (unsigned f = 1; !code && f <= c->folders; f++) {
        put_folder(&line, f);
        code = dup_index_line(x, lane, n, RECORD_FOLDER, (struct bytes){line.data, line.size}, 0);
    }
    for (unsigned i = 0; !code && i < c->counts[n]; i++) {
        put_item(&line, &c->things[n][i], 10 + i);
        code =
            dup_index_line(x, lane, n, RECORD_ITEM, (struct bytes){line.data, line.size}, 1000 + i);
    }
    table->list[n]->state = c->incomplete[n] ? DUP_INCOMPLETE : DUP_COMPLETE;
    buf_done(&line);
    return code ? code : dup_index_image_end(x, lane, n);
}

/* The images with odd numbers, as they would be noted; they are named after their numbers. */
static struct dup_notes *take_notes(const struct collection *c)
{
    struct buf line = BUF_INIT, packed = BUF_INIT;
    struct dup_item item = {0};
    struct dup_notes *notes;

    if (dup_notes_create(tempdir, c->folders * 500, &notes))
        return NULL;
    for (unsigned n = 1; n < c->images; n += 2) {
        struct dup_note *note = dup_note_begin(notes);
        char name[] = {(char)('0' + n), '\0'};
        bool whole = true;

        for (unsigned f = 1; f <= c->folders; f++) {
            put_folder(&line, f);
            dup_note_folder(note, (struct bytes){line.data, line.size});
        }
        for (unsigned i = 0; i < c->counts[n]; i++) {
            put_item(&line, &c->things[n][i], 10 + i);
            buf_reset(&packed);
            whole = whole && !dup_item_parse((struct bytes){line.data, line.size}, &item);
            dup_item_pack(&item, &packed);
            whole = whole && !packed.failed && !line.failed;
            dup_note_item(note, 1000 + i, (struct bytes){packed.data, packed.size});
        }
        dup_note_end(note, c->incomplete[n] || !whole ? NULL : name);
    }
    dup_notes_settle(notes);
    dup_item_done(&item);
    buf_done(&packed);
    buf_done(&line);
    return notes;
}

static unsigned noted_images;

/* Half of the images by their lines, half by notes. */
static int feed(struct dup_index *x, unsigned lanes, const struct dup_images *table,
                const struct collection *c)
{
    struct dup_notes *notes = take_notes(c);
    int code = 0;

    for (unsigned n = c->images; !code && n-- > 0;) {
        const char path[] = {'/', (char)('0' + n), '\0'};
        const struct dup_noted *noted = notes ? dup_notes_find(notes, path) : NULL;

        noted_images += noted != NULL;
        code = noted ? dup_index_read_notes(x, n % lanes, n, notes, noted)
                     : feed_lines(x, n % lanes, table, c, n);
    }
    dup_notes_destroy(notes);
    return code;
}

/* ---- what the index tells, as text ---- */

static int hear_group(void *ctx, const struct dup_group *g)
{
    buf_printf(ctx,
               "%s of %" PRIu64 " in %" PRIu64 ": %" PRIu64 " bytes, %" PRIu64 " exact of %" PRIu64
               "%s\n",
               dup_of_name(g->of), g->count, g->images, g->bytes, g->exact, g->exact_bytes,
               g->candidate ? ", candidate" : "");
    return 0;
}

static int hear_member(void *ctx, const struct dup_group *g, const struct dup_member *m)
{
    struct buf *out = ctx;

    (void)g;
    buf_printf(out, "  %d %.*s %" PRIu32 " %" PRIu32 " in %.*s:", m->rank, (int)m->image->path.size,
               m->image->path.data, m->entry->nid, m->entry->attachment_nid,
               (int)m->folder_path.size,
               m->folder_path.data ? (const char *)m->folder_path.data : "");
    for (unsigned i = 0; i < DUP_DIFFERENCES; i++)
        if (m->differences >> i & 1)
            buf_printf(out, " %s", dup_difference_name(i));
    buf_putc(out, '\n');
    return 0;
}

static int hear_pair(void *ctx, const struct dup_pair *p)
{
    buf_printf(ctx, "pair %.*s %.*s %" PRIu64 " %" PRIu64 "\n", (int)p->kept->path.size,
               p->kept->path.data, (int)p->image->path.size, p->image->path.data, p->duplicates,
               p->bytes);
    return 0;
}

static int hear_folder(void *ctx, const struct dup_image *image, const struct dup_folder *f,
                       struct bytes path)
{
    buf_printf(ctx, "folder %.*s %.*s %" PRIu64 " %" PRIu64 "\n", (int)image->path.size,
               image->path.data, (int)path.size, path.data, f->duplicates, f->bytes);
    return 0;
}

static int hear_totals(void *ctx, const struct dup_totals *t)
{
    for (unsigned k = 0; k <= IDX_KINDS; k++)
        if (t->kinds[k].groups)
            buf_printf(ctx, "kind %u %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", k, t->kinds[k].groups,
                       t->kinds[k].duplicates, t->kinds[k].bytes);
    buf_printf(ctx, "left out %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 ", assoc %" PRIu64 "\n",
               t->fates[FATE_FAILED], t->fates[FATE_PARTIAL], t->fates[FATE_RECOVERED],
               t->fates[FATE_UNDIGESTED], t->assoc);
    return 0;
}

static int run_index(const struct collection *c, uint64_t memory, unsigned lanes, struct buf *out)
{
    const struct dup_index_options options = {memory, lanes, tempdir, NULL};
    const struct dup_sink sink = {
        .ctx = out,
        .wants_paths = true,
        .group = hear_group,
        .member = hear_member,
        .pair = hear_pair,
        .folder = hear_folder,
        .totals = hear_totals,
    };
    struct dup_images table;
    struct dup_index *x = NULL;
    int code;

    make_table(&table, c);
    code = dup_index_create(&options, &table, &x);
    code = code ? code : feed(x, lanes, &table, c);
    code = code ? code : dup_index_tell(x, &sink, 1);
    dup_index_destroy(x);
    dup_images_done(&table);
    return code;
}

/* ---- the reference ---- */

/* One that takes part: an item, or one of its attachments (part >= 0). */
struct ref {
    const struct thing *t;
    unsigned image, index;
    int part;
    bool grouped;
    unsigned nth; /* attachment number within the record */
};

static bool eligible(const struct thing *t)
{
    return !t->failed && !t->partial && !t->recovered && t->exact;
}

static unsigned size_of(const struct ref *r)
{
    if (r->part >= 0)
        return 1000 * r->t->attachments[r->part];
    return r->t->size == 1 ? 0 : r->t->size;
}

/* The value that may join it to others: of attachments the data, of items core, else exact. */
static bool same_class(const struct ref *a, const struct ref *b)
{
    if ((a->part >= 0) != (b->part >= 0) || a->t->sha256 != b->t->sha256)
        return false;
    if (a->part >= 0)
        return a->t->attachments[a->part] == b->t->attachments[b->part];
    if (a->t->core || b->t->core)
        return a->t->core == b->t->core;
    return a->t->exact == b->t->exact;
}

static unsigned id_of(const struct ref *r)
{
    return r->part >= 0 ? 0 : r->t->mih;
}

static bool exact_same(const struct ref *a, const struct ref *b)
{
    return a->part >= 0 || a->t->exact == b->t->exact;
}

/* Message-IDs among the class of r. */
static unsigned ids_of_class(const struct ref *all, size_t count, const struct ref *r)
{
    unsigned seen[256] = {0}, n = 0;

    for (size_t i = 0; i < count; i++) {
        if (!same_class(&all[i], r) || !id_of(&all[i]) || seen[id_of(&all[i])])
            continue;
        seen[id_of(&all[i])] = 1;
        n++;
    }
    return n;
}

/* May `b` be held against the representative `a`? */
static bool joins(const struct ref *all, size_t count, const struct ref *a, const struct ref *b)
{
    if (!same_class(a, b))
        return false;
    if (id_of(a) == id_of(b))
        return true;
    return id_of(a) && !id_of(b) && b->t->core && ids_of_class(all, count, a) == 1;
}

static void tell_differences(struct buf *out, const struct ref *a, const struct ref *b)
{
    const struct thing *s = a->t, *t = b->t;

    if (a->part >= 0) {
        buf_puts(out, s->names[a->part] != t->names[b->part] ? " name\n" : "\n");
        return;
    }
    buf_printf(out, "%s%s%s%s%s%s\n", s->class != t->class ? " class" : "",
               s->text != t->text ? " text" : "", s->bcc != t->bcc ? " bcc" : "",
               s->key != t->key ? " search_key" : "", s->state != t->state ? " state" : "",
               s->mih != t->mih ? " message_id" : "");
}

struct tallies {
    uint64_t pairs[IMAGES_MOST][IMAGES_MOST][2], folders[IMAGES_MOST][VALUES][2], kinds[4][3];
    unsigned folder_count;
};

static int exact_order(const void *left, const void *right)
{
    const struct ref *a = *(const struct ref *const *)left, *b = *(const struct ref *const *)right;

    if (a->part < 0 && a->t->exact != b->t->exact)
        return a->t->exact < b->t->exact ? -1 : 1;
    return a < b ? -1 : a > b;
}

static void tell_reference_group(struct buf *out, const struct ref **members, size_t count,
                                 struct tallies *t)
{
    const struct ref *first = members[0];
    uint64_t bytes = 0, exact = 0, exact_bytes = 0, images = 0;
    size_t same = 1;

    /* exact copies of the representative in their order, the others by exact digest */
    for (size_t i = 1; i < count; i++) {
        if (exact_same(first, members[i])) {
            const struct ref *m = members[i];

            memmove(members + same + 1, members + same, (i - same) * sizeof *members);
            members[same++] = m;
        }
    }
    qsort(members + same, count - same, sizeof *members, exact_order);
    for (size_t i = 0; i < count; i++) {
        bool known = false;

        for (size_t k = 0; k < i; k++)
            known |= members[k]->image == members[i]->image;
        images += !known;
        bytes += i ? size_of(members[i]) : 0;
        if (i && exact_same(members[i], members[i - 1])) {
            exact++;
            exact_bytes += size_of(members[i]);
        }
    }
    buf_printf(out,
               "%s of %zu in %" PRIu64 ": %" PRIu64 " bytes, %" PRIu64 " exact of %" PRIu64 "%s\n",
               first->part >= 0 ? "attachment" : "item", count, images, bytes, exact, exact_bytes,
               first->t->sha256 ? "" : ", candidate");
    for (size_t i = 0; i < count; i++) {
        const struct ref *m = members[i];
        const unsigned folder = m->t->folder <= t->folder_count ? m->t->folder : 0;

        buf_printf(out, "  %d image %u %u %u in ",
                   !i                     ? 0
                   : exact_same(first, m) ? 1
                                          : 2,
                   m->image, 10 + m->index, m->part >= 0 ? 100 + (unsigned)m->part : 0);
        if (folder)
            buf_printf(out, "F%u", folder);
        buf_putc(out, ':');
        tell_differences(out, first, m);
        if (!i || m->part >= 0)
            continue;
        t->pairs[first->image][m->image][0]++;
        t->pairs[first->image][m->image][1] += size_of(m);
        t->folders[m->image][folder][0]++;
        t->folders[m->image][folder][1] += size_of(m);
        t->kinds[first->t->kind][1]++;
        t->kinds[first->t->kind][2] += size_of(m);
    }
    if (first->part < 0)
        t->kinds[first->t->kind][0]++;
}

static bool has_content(const struct collection *c, unsigned image)
{
    bool sha256 = false;

    for (unsigned i = 0; i < c->counts[image]; i++) {
        if (!eligible(&c->things[image][i]) || (i && c->things[image][i].sha256 != sha256))
            return false;
        sha256 = c->things[image][i].sha256;
    }
    return c->counts[image] && !c->incomplete[image];
}

/* How often `b`'s image has an item as this one, by exact and what `how` adds. */
static unsigned content_count(const struct collection *c, unsigned image, const struct thing *t,
                              char how)
{
    unsigned n = 0;

    for (unsigned i = 0; i < c->counts[image]; i++) {
        const struct thing *o = &c->things[image][i];
        const unsigned folder = t->folder <= c->folders ? t->folder : 0;

        n += o->exact == t->exact && o->assoc == t->assoc && o->sha256 == t->sha256 &&
             (how != 's' || o->state == t->state) &&
             (how != 'f' || (o->folder <= c->folders ? o->folder : 0) == folder);
    }
    return n;
}

static bool same_content(const struct collection *c, unsigned a, unsigned b, char how)
{
    if (c->counts[a] != c->counts[b])
        return false;
    for (unsigned i = 0; i < c->counts[a]; i++)
        if (content_count(c, a, &c->things[a][i], how) !=
            content_count(c, b, &c->things[a][i], how))
            return false;
    return true;
}

static void reference_images(const struct collection *c, struct buf *out)
{
    bool grouped[IMAGES_MOST] = {false};

    for (unsigned a = 0; a < c->images; a++) {
        unsigned n = 1;

        if (grouped[a] || !has_content(c, a))
            continue;
        for (unsigned b = a + 1; b < c->images; b++)
            n += has_content(c, b) && same_content(c, a, b, 'e');
        if (n == 1)
            continue;
        buf_printf(out, "image of %u in %u: %u bytes, %u exact of %u%s\n", n, n, 7000 * (n - 1),
                   n - 1, 7000 * (n - 1), c->things[a][0].sha256 ? "" : ", candidate");
        for (unsigned b = a; b < c->images; b++) {
            if (!has_content(c, b) || !same_content(c, a, b, 'e'))
                continue;
            grouped[b] = true;
            buf_printf(out, "  %d image %u 0 0 in :%s%s\n", b > a, b,
                       same_content(c, a, b, 's') ? "" : " state",
                       same_content(c, a, b, 'f') ? "" : " folders");
        }
    }
}

/* Everything of one sort that takes part, in the order of places. */
static size_t collect(const struct collection *c, bool attachments, struct ref *all)
{
    size_t count = 0;

    for (unsigned m = 0; m < c->images; m++) {
        for (unsigned i = 0; i < c->counts[m]; i++) {
            const struct thing *t = &c->things[m][i];

            if (!eligible(t) || t->assoc)
                continue;
            if (!attachments)
                all[count++] = (struct ref){t, m, i, -1, false, 0};
            for (int p = 0; attachments && p < ATTACHMENTS_MOST; p++)
                if (t->attachments[p] && t->attachments[p] < 8)
                    all[count++] = (struct ref){t, m, i, p, false, 0};
        }
    }
    return count;
}

static void reference_groups(const struct collection *c, bool attachments, struct buf *out,
                             struct tallies *t)
{
    static struct ref all[IMAGES_MOST * ITEMS_MOST * ATTACHMENTS_MOST];
    static const struct ref *members[IMAGES_MOST * ITEMS_MOST * ATTACHMENTS_MOST];
    const size_t count = collect(c, attachments, all);

    for (size_t i = 0; i < count; i++) {
        size_t n = 0;

        if (all[i].grouped)
            continue;
        /* one without a Message-ID is nobody's representative while one with one is to be had */
        if (!id_of(&all[i])) {
            bool waits = false;

            for (size_t k = 0; k < count; k++)
                waits |= id_of(&all[k]) && joins(all, count, &all[k], &all[i]);
            if (waits)
                continue;
        }
        members[n++] = &all[i];
        for (size_t k = 0; k < count; k++) {
            if (k == i || all[k].grouped || !joins(all, count, &all[i], &all[k]))
                continue;
            members[n++] = &all[k];
            all[k].grouped = true;
        }
        all[i].grouped = true;
        if (n > 1)
            tell_reference_group(out, members, n, t);
    }
}

static void reference(const struct collection *c, struct buf *out)
{
    struct tallies t = {.folder_count = c->folders};
    uint64_t fates[DUP_FATES] = {0}, assoc = 0;
    static const unsigned kinds[4] = {IDX_KINDS, KIND_MAIL, KIND_CONTACT, KIND_TASK};

    reference_images(c, out);
    reference_groups(c, false, out, &t);
    reference_groups(c, true, out, &t);
    for (unsigned a = 0; a < IMAGES_MOST; a++)
        for (unsigned b = 0; b < IMAGES_MOST; b++)
            if (t.pairs[a][b][0])
                buf_printf(out, "pair image %u image %u %" PRIu64 " %" PRIu64 "\n", a, b,
                           t.pairs[a][b][0], t.pairs[a][b][1]);
    for (unsigned a = 0; a < IMAGES_MOST; a++)
        for (unsigned f = 1; f <= c->folders; f++)
            if (t.folders[a][f][0])
                buf_printf(out, "folder image %u F%u %" PRIu64 " %" PRIu64 "\n", a, f,
                           t.folders[a][f][0], t.folders[a][f][1]);
    for (unsigned k = 1; k <= 4; k++)
        if (t.kinds[k % 4][0])
            buf_printf(out, "kind %u %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", kinds[k % 4],
                       t.kinds[k % 4][0], t.kinds[k % 4][1], t.kinds[k % 4][2]);
    for (unsigned m = 0; m < c->images; m++) {
        for (unsigned i = 0; i < c->counts[m]; i++) {
            const struct thing *o = &c->things[m][i];

            assoc += o->assoc;
            if (!o->assoc)
                fates[o->failed      ? FATE_FAILED
                      : o->partial   ? FATE_PARTIAL
                      : o->recovered ? FATE_RECOVERED
                      : o->exact     ? FATE_INDEXED
                                     : FATE_UNDIGESTED]++;
        }
    }
    buf_printf(out, "left out %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 ", assoc %" PRIu64 "\n",
               fates[FATE_FAILED], fates[FATE_PARTIAL], fates[FATE_RECOVERED],
               fates[FATE_UNDIGESTED], assoc);
}

/* ---- random collections ---- */

static struct thing random_thing(unsigned spread, bool rare)
{
    struct thing t = {
        .exact = roll(20) ? 1 + roll(spread * 2) : 0,
        .core = roll(4) ? 1 + roll(spread) : 0,
        .mih = roll(2) ? 1 + roll(3) : 0,
        .kind = roll(4),
        .folder = roll(VALUES),
        .size = roll(6),
        .state = roll(3),
        .text = roll(3),
        .bcc = !roll(5),
        .key = roll(3),
        .class = roll(2),
        .orphan = !roll(9),
    };

    for (unsigned i = 0; i < ATTACHMENTS_MOST; i++)
        if (!roll(3)) {
            t.attachments[i] = 1 + roll(9);
            t.names[i] = roll(3);
        }
    if (rare) {
        t.assoc = !roll(8);
        t.partial = !roll(12);
        t.failed = !roll(16);
        t.recovered = !roll(12);
        t.sha256 = !roll(10);
    }
    return t;
}

static void random_collection(struct collection *c, uint64_t seed)
{
    const bool rare = seed % 3 != 0;
    unsigned spread;

    seed_state = seed * 0x9E3779B97F4A7C15u + 1;
    *c = (struct collection){.images = 1 + roll(IMAGES_MOST), .folders = roll(VALUES - 1)};
    spread = 1 + roll(12);
    for (unsigned m = 0; m < c->images; m++) {
        c->counts[m] = roll(4) ? roll(12) : roll(ITEMS_MOST);
        c->incomplete[m] = rare && !roll(6);
        for (unsigned i = 0; i < c->counts[m]; i++)
            c->things[m][i] = random_thing(spread, rare);
        if (m && !roll(3)) { /* a copy of another image, in part in other folders and states */
            unsigned from = roll(m);

            c->counts[m] = c->counts[from];
            memcpy(c->things[m], c->things[from], sizeof c->things[m]);
            if (c->counts[m] && !roll(2))
                c->things[m][roll(c->counts[m])].folder = 1;
            if (c->counts[m] && !roll(2))
                c->things[m][roll(c->counts[m])].state = 2;
        }
    }
}

static void groups_are_those_of_the_definition(void **state)
{
    static struct collection c;

    (void)state;
    for (uint64_t seed = 1; seed <= 4000; seed++) {
        struct buf got = BUF_INIT, wanted = BUF_INIT;
        const bool spill = seed % 8 == 0;

        random_collection(&c, seed);
        assert_int_equal(run_index(&c, spill ? 0 : 1 << 20, 1 + (unsigned)(seed % 3), &got), 0);
        reference(&c, &wanted);
        if (strcmp(buf_cstr(&got), buf_cstr(&wanted)) != 0)
            print_error("seed %" PRIu64 "\n%s\nwanted\n%s\n", seed, got.data, wanted.data);
        assert_string_equal(buf_cstr(&got), buf_cstr(&wanted));
        buf_done(&got);
        buf_done(&wanted);
    }
    assert_true(noted_images > 2000);
}

static void memory_and_lanes_change_nothing(void **state)
{
    static struct collection c;

    (void)state;
    for (uint64_t seed = 5001; seed <= 5060; seed++) {
        struct buf first = BUF_INIT, again = BUF_INIT;

        random_collection(&c, seed);
        assert_int_equal(run_index(&c, 16 << 20, 1, &first), 0);
        for (unsigned i = 0; i < 6; i++) {
            buf_reset(&again);
            assert_int_equal(run_index(&c, i % 3 * 9000, 1 + i / 2, &again), 0);
            assert_string_equal(buf_cstr(&again), buf_cstr(&first));
        }
        buf_done(&first);
        buf_done(&again);
    }
}

/* ---- said one by one ---- */

static void expect(struct collection *c, const struct thing *things, unsigned count,
                   const char *wanted)
{
    struct buf got = BUF_INIT;
    char *at;

    *c = (struct collection){.images = 1, .folders = 1};
    c->counts[0] = count;
    memcpy(c->things[0], things, count * sizeof *things);
    assert_int_equal(run_index(c, 1 << 20, 1, &got), 0);
    at = strstr(buf_cstr(&got), "pair");
    if (at)
        *at = '\0';
    else
        *strstr((char *)got.data, "left out") = '\0';
    assert_string_equal((const char *)got.data, wanted);
    buf_done(&got);
}

static void what_is_joined_and_what_never(void **state)
{
    static struct collection c;

    (void)state;
    /* equal core, different Message-IDs: never; and the one without is no bridge between them */
    expect(&c,
           (const struct thing[]){{.exact = 1, .core = 1, .mih = 1},
                                  {.exact = 2, .core = 1},
                                  {.exact = 3, .core = 1, .mih = 2}},
           3, "");
    /* two without stay together beside them */
    expect(&c,
           (const struct thing[]){{.exact = 1, .core = 1, .mih = 1},
                                  {.exact = 2, .core = 1, .size = 2},
                                  {.exact = 3, .core = 1, .mih = 2},
                                  {.exact = 4, .core = 1, .size = 3}},
           4,
           "item of 2 in 1: 3 bytes, 0 exact of 0, candidate\n  0 image 0 11 0 in :\n"
           "  2 image 0 13 0 in :\n");
    /* one Message-ID in the class: those without are held against it, wherever they stand */
    expect(&c,
           (const struct thing[]){{.exact = 2, .core = 1, .size = 5},
                                  {.exact = 1, .core = 1, .mih = 1, .size = 4},
                                  {.exact = 1, .core = 1, .mih = 1, .size = 4}},
           3,
           "item of 3 in 1: 9 bytes, 1 exact of 4, candidate\n  0 image 0 11 0 in :\n"
           "  1 image 0 12 0 in :\n  2 image 0 10 0 in : message_id\n");
    /* without core, exact alone joins */
    expect(&c, (const struct thing[]){{.exact = 1}, {.exact = 1, .core = 1}, {.exact = 2}}, 3, "");
    expect(&c, (const struct thing[]){{.exact = 1}, {.exact = 2}, {.exact = 1, .size = 9}}, 3,
           "item of 2 in 1: 9 bytes, 1 exact of 9, candidate\n  0 image 0 10 0 in :\n"
           "  1 image 0 12 0 in :\n");
    /* what was not read whole, or may be stale, or is associated, merges with nothing */
    for (unsigned which = 0; which < 4; which++) {
        struct thing t[2] = {{.exact = 1, .core = 1, .attachments = {1}},
                             {.exact = 1, .core = 1, .attachments = {1}}};

        t[1].partial = which == 0;
        t[1].failed = which == 1;
        t[1].recovered = which == 2;
        t[0].assoc = t[1].assoc = which == 3;
        expect(&c, t, 2, "");
    }
    /* digests of different algorithms are different */
    expect(&c,
           (const struct thing[]){{.exact = 1, .core = 1}, {.exact = 1, .core = 1, .sha256 = true}},
           2, "");
    /* SHA-256 makes no candidates */
    expect(&c, (const struct thing[]){{.exact = 1, .sha256 = true}, {.exact = 1, .sha256 = true}},
           2,
           "item of 2 in 1: 0 bytes, 1 exact of 0\n  0 image 0 10 0 in :\n"
           "  1 image 0 11 0 in :\n");
}

/* ---- what can fail ---- */

static void failing_memory_is_reported(void **state)
{
    static struct collection c;
    struct buf wanted = BUF_INIT, got = BUF_INIT;
    int code = ERR_NOMEM;

    (void)state;
    random_collection(&c, 77);
    assert_int_equal(run_index(&c, 0, 2, &wanted), 0);
    for (uint64_t nth = 1; code; nth += 1 + nth / 50) {
        struct dup_images table;
        struct dup_index *x = NULL;
        const struct dup_index_options options = {0, 2, tempdir, NULL};
        const struct dup_sink sink = {.ctx = &got,
                                      .wants_paths = true,
                                      .group = hear_group,
                                      .member = hear_member,
                                      .pair = hear_pair,
                                      .folder = hear_folder,
                                      .totals = hear_totals};

        make_table(&table, &c);
        buf_done(&got);
        mem_test_fail(nth, 1);
        code = dup_index_create(&options, &table, &x);
        code = code ? code : feed(x, 2, &table, &c);
        code = code ? code : dup_index_tell(x, &sink, 1);
        mem_test_fail(0, 0);
        assert_true(code == 0 || code == ERR_NOMEM || code == ERR_DAMAGED);
        if (code == 0 && got.failed)
            code = ERR_NOMEM;
        dup_index_destroy(x);
        dup_images_done(&table);
    }
    assert_string_equal(buf_cstr(&got), buf_cstr(&wanted));
    buf_done(&got);
    buf_done(&wanted);
}

static int stop(void *ctx, const struct dup_group *g)
{
    (void)g;
    return --*(int *)ctx ? 0 : ERR_CANCELLED;
}

static void a_sink_can_end_it(void **state)
{
    static struct collection c;
    const struct dup_index_options options = {0, 1, tempdir, NULL};

    (void)state;
    random_collection(&c, 78);
    for (int after = 1; after < 4; after++) {
        int left = after;
        const struct dup_sink sink = {.ctx = &left, .group = stop};
        struct dup_images table;
        struct dup_index *x = NULL;

        make_table(&table, &c);
        assert_int_equal(dup_index_create(&options, &table, &x), 0);
        assert_int_equal(feed(x, 1, &table, &c), 0);
        assert_int_equal(dup_index_tell(x, &sink, 1), ERR_CANCELLED);
        dup_index_destroy(x);
        dup_images_done(&table);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_are_those_of_the_definition),
        cmocka_unit_test(memory_and_lanes_change_nothing),
        cmocka_unit_test(what_is_joined_and_what_never),
        cmocka_unit_test(failing_memory_is_reported),
        cmocka_unit_test(a_sink_can_end_it),
    };

    return cmocka_run_group_tests(tests, tempdir_set_up, tempdir_tear_down);
}
