/* compare_match.c: see compare_match.h. */
#include "scanner/app/compare_match.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "index/compare_manifest.h"
#include "index/server_table.h"
#include "io/file.h"
#include "io/listing.h"
#include "io/mem.h"
#include "scanner/app/commands.h"

enum { NAME_FILE, NAME_IMAGE, NAME_STORE, NAMES, HASH_DIGITS = 16 };

void match_init(struct match *m)
{
    *m = (struct match){0};
    dup_run_init(&m->manifests, false);
}

static void free_names(char *names[NAMES])
{
    for (int i = 0; i < NAMES; i++)
        mem_free(names[i]);
}

void match_done(struct match *m)
{
    for (size_t i = 0; i < m->image_count; i++) {
        mem_free(m->images[i].image);
        free_names(m->images[i].names);
    }
    for (size_t i = 0; i < m->file_count; i++) {
        mem_free(m->files[i].path);
        free_names(m->files[i].names);
    }
    for (size_t i = 0; i < m->pair_count; i++) {
        mem_free(m->pairs[i].image);
        mem_free(m->pairs[i].server);
    }
    mem_free(m->images);
    mem_free(m->files);
    mem_free(m->pairs);
    dup_run_done(&m->manifests);
}

/* Room for one more element; NULL: ERR_NOMEM. */
static void *grow(void *list, size_t count, size_t size)
{
    return count % 64 ? list : mem_realloc(list, (count + 64) * size);
}

static char *lower(struct bytes text)
{
    char *copy = mem_alloc(text.size + 1);

    for (size_t i = 0; copy && i < text.size; i++)
        copy[i] = (char)tolower(text.data[i]);
    if (copy)
        copy[text.size] = '\0';
    return copy;
}

static bool cut_ending(char *name)
{
    static const char *const endings[] = {".jsonl.zst", ".ost", ".pst",   ".old",  ".bak",
                                          ".nst",       ".csv", ".jsonl", ".json", ".txt"};
    const size_t size = strlen(name);

    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        const size_t n = strlen(endings[i]);

        if (size > n && strcmp(name + size - n, endings[i]) == 0) {
            name[size - n] = '\0';
            return true;
        }
    }
    if (size > HASH_DIGITS + 1 && name[size - HASH_DIGITS - 1] == '-' &&
        strspn(name + size - HASH_DIGITS, "0123456789abcdef") == HASH_DIGITS) {
        name[size - HASH_DIGITS - 1] = '\0';
        return true;
    }
    return false;
}

/* The file's name in lower case, without endings and what a manifest's name has behind it. */
static char *stem(struct bytes path)
{
    const uint8_t *slash = path.size ? memrchr(path.data, '/', path.size) : NULL;
    const size_t skip = slash ? (size_t)(slash - path.data) + 1 : 0;
    char *name = lower((struct bytes){path.data + skip, path.size - skip});

    while (name && cut_ending(name))
        ;
    return name;
}

/* Names of what a manifest tells of. */
static int manifest_names(const char *manifest, char *names[NAMES], char **image)
{
    struct buf path = BUF_INIT, store = BUF_INIT;
    int code = cmp_read_manifest_head(manifest, &path, &store);

    if (!code) {
        names[NAME_IMAGE] = stem((struct bytes){path.data, path.size});
        if (store.size)
            names[NAME_STORE] = lower((struct bytes){store.data, store.size});
        if (!names[NAME_IMAGE] || (store.size && !names[NAME_STORE]))
            code = ERR_NOMEM;
    }
    if (!code && image)
        code = cmp_set_text(image, (struct bytes){path.data, path.size});
    buf_done(&path);
    buf_done(&store);
    return code;
}

static int add_image(struct match *m, const struct dup_image *from)
{
    struct match_image *grown;
    struct match_image image = {.manifest = from->manifest};
    int code;

    if (from->state == DUP_REPEATED)
        return 0;
    if (from->state == DUP_UNREADABLE) {
        complain_about(from->manifest, from->reason);
        m->trouble = true;
        return 0;
    }
    code = manifest_names(from->manifest, image.names, &image.image);
    grown = code ? NULL : grow(m->images, m->image_count, sizeof *grown);
    if (!grown) {
        free_names(image.names);
        mem_free(image.image);
        if (code && code != ERR_NOMEM) {
            complain_about(from->manifest, "its head cannot be read");
            m->trouble = true;
            return 0;
        }
        return ERR_NOMEM;
    }
    m->images = grown;
    m->images[m->image_count++] = image;
    return 0;
}

int match_add_images(struct match *m, const char *path)
{
    int code = dup_run_add(&m->manifests, path);

    if (!code)
        code = dup_images_settle(&m->manifests.images);
    for (size_t i = 0; !code && i < m->manifests.images.count; i++)
        code = add_image(m, m->manifests.images.list[i]);
    m->trouble |= m->manifests.trouble;
    return code;
}

static int on_pair(void *ctx, struct bytes image, struct bytes server)
{
    struct match *m = ctx;
    struct match_pair *grown = grow(m->pairs, m->pair_count, sizeof *grown);
    struct match_pair pair;

    if (!grown)
        return ERR_NOMEM;
    m->pairs = grown;
    pair = (struct match_pair){lower(image), lower(server)};
    if (!pair.image || !pair.server) {
        mem_free(pair.image);
        mem_free(pair.server);
        return ERR_NOMEM;
    }
    m->pairs[m->pair_count++] = pair;
    return 0;
}

int match_add_mapping(struct match *m, const char *path)
{
    enum server_kind kind;
    struct io_file file = {0};
    struct io_source *source = NULL;
    struct fault fault = {0};
    const char *missing;
    int code = server_kind_of(path, &kind, &missing, &fault);

    if (!code && kind != SERVER_MAPPING)
        code = ERR_DAMAGED;
    if (!code)
        code = io_file_open(path, IO_FILE_FOLLOW, &file, &fault);
    if (!code)
        code = io_source_open_pread(file.fd, file.id.size_bytes, &source);
    if (!code)
        code = server_table_mapping(source, on_pair, m);
    io_source_close(source);
    io_file_close(&file);
    if (code && code != ERR_NOMEM) {
        complain_about(path, code == ERR_DAMAGED ? "not a CSV with the columns image,server"
                                                 : err_why(code, fault.errnum));
        m->trouble = true;
        code = 0;
    }
    return code;
}

static void refuse_file(struct match *m, const char *path, const char *missing)
{
    struct buf why = BUF_INIT;

    if (missing)
        buf_printf(&why, "a column is missing: %s. Accepted is %s", missing, server_accepted);
    else
        buf_printf(&why, "not the server's side of a mailbox. Accepted is %s", server_accepted);
    complain_about(path, buf_cstr(&why) ? (const char *)why.data : "not accepted");
    buf_done(&why);
    m->trouble = true;
}

static int add_file(struct match *m, const char *path)
{
    struct match_file file = {0}, *grown;
    struct fault fault = {0};
    const char *missing;
    int code = server_kind_of(path, &file.kind, &missing, &fault);

    if (code == ERR_NOMEM)
        return code;
    if (code) {
        complain_about(path, err_why(code, fault.errnum));
        m->trouble = true;
        return 0;
    }
    if (file.kind == SERVER_UNKNOWN || missing) {
        refuse_file(m, path, missing);
        return 0;
    }
    if (file.kind == SERVER_MAPPING)
        return match_add_mapping(m, path);
    grown = grow(m->files, m->file_count, sizeof *grown);
    if (!grown)
        return ERR_NOMEM;
    m->files = grown;
    file.path = mem_strdup(path);
    file.names[NAME_FILE] = stem(bytes_text(path));
    if (!file.path || !file.names[NAME_FILE])
        code = ERR_NOMEM;
    else if (file.kind == SERVER_MANIFEST)
        code = manifest_names(path, file.names, NULL);
    m->files[m->file_count++] = file;
    return code == ERR_NOMEM ? code : 0;
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(((const struct match_file *)a)->path, ((const struct match_file *)b)->path);
}

static int add_folder(struct match *m, const char *path, int fd)
{
    struct listing *listing = mem_alloc(sizeof *listing);
    const struct dirent64 *entry;
    int errnum = 0, code = listing ? 0 : ERR_NOMEM;

    if (listing)
        listing_start(listing, fd, 0);
    while (!code && (errnum = listing_next(listing, &entry)) == 0 && entry) {
        struct buf file = BUF_INIT;
        struct stat st;

        if (entry->d_name[0] == '.' || fstatat(fd, entry->d_name, &st, 0) != 0 ||
            !S_ISREG(st.st_mode))
            continue;
        buf_printf(&file, "%s/%s", path, entry->d_name);
        code = buf_cstr(&file) ? add_file(m, (const char *)file.data) : ERR_NOMEM;
        buf_done(&file);
    }
    if (errnum) {
        complain_about(path, strerror(errnum));
        m->trouble = true;
    }
    mem_free(listing);
    if (m->file_count)
        qsort(m->files, m->file_count, sizeof *m->files, compare_paths);
    return code;
}

int match_add_files(struct match *m, const char *path)
{
    struct buf inner = BUF_INIT;
    struct stat st;
    const char *folder = path;
    int fd, code;

    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
        return add_file(m, path);
    buf_printf(&inner, "%s/manifests", path);
    if (!buf_cstr(&inner))
        return ERR_NOMEM;
    fd = listing_open(AT_FDCWD, (const char *)inner.data, 0);
    if (fd >= 0)
        folder = (const char *)inner.data;
    else
        fd = listing_open(AT_FDCWD, path, 0);
    if (fd < 0) {
        complain_about(path, strerror(errno));
        m->trouble = true;
        buf_done(&inner);
        return 0;
    }
    code = add_folder(m, folder, fd);
    close(fd);
    buf_done(&inner);
    return code;
}

static bool same(const char *a, const char *b)
{
    return a && b && strcasecmp(a, b) == 0;
}

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static bool names_image(const struct match_pair *pair, const struct match_image *i)
{
    return same(pair->image, i->image) || same(pair->image, file_name(i->image)) ||
           same(pair->image, i->names[NAME_IMAGE]) || same(pair->image, i->names[NAME_STORE]);
}

static bool names_file(const struct match_pair *pair, const struct match_file *f)
{
    return same(pair->server, f->path) || same(pair->server, file_name(f->path));
}

/* How well a file fits: 3 mapped, 2 by a store name, 1 by file names, 0 not. */
static int fit(const struct match *m, const struct match_image *i, const struct match_file *f)
{
    for (size_t p = 0; p < m->pair_count; p++)
        if (names_image(&m->pairs[p], i) && names_file(&m->pairs[p], f))
            return 3;
    if (i->mapped)
        return 0;
    for (int n = 0; n < NAMES; n++)
        if (same(i->names[NAME_STORE], f->names[n]) || same(f->names[NAME_STORE], i->names[n]))
            return 2;
    return same(i->names[NAME_IMAGE], f->names[NAME_FILE]) ||
           same(i->names[NAME_IMAGE], f->names[NAME_IMAGE]);
}

static void choose(struct match *m, struct match_image *i)
{
    int best = 0;

    for (size_t p = 0; p < m->pair_count; p++)
        i->mapped |= names_image(&m->pairs[p], i);
    for (size_t f = 0; f < m->file_count; f++) {
        const int how = fit(m, i, &m->files[f]);

        if (how > best) {
            best = how;
            i->file = &m->files[f];
            i->several = false;
        } else if (how && how == best) {
            i->several = true;
        }
    }
    if (i->file && !i->several)
        i->file->used = true;
    else
        i->file = NULL;
}

int match_settle(struct match *m, bool both_named)
{
    if (both_named && m->image_count == 1 && m->file_count == 1) {
        m->images[0].file = &m->files[0];
        m->files[0].used = true;
        return 0;
    }
    for (size_t i = 0; i < m->image_count; i++)
        choose(m, &m->images[i]);
    return 0;
}
