/*
 * fuzz_server_table.c: any bytes as a CSV of the server's side; the first byte chooses whether they
 * are taken as they are or behind a header of each kind, for the fuzzer would long look for one.
 *
 * Afterwards the side holds what it says it holds, and comparing it with itself ends.
 */
#include <assert.h>
#include <stdlib.h>

#include "index/compare.h"
#include "index/server_table.h"
#include "tests/fuzz/fuzz.h"

static const char *const headers[] = {
    "",
    "Identity,FolderPath,FolderType,VisibleItemsInFolder,ItemsInFolder,FolderSize\n",
    "Location,Internet message ID,Subject/Title,Sender/Author,Received,Original path,Size\n",
    "FolderPath;ItemsInFolder\n",
    "image,server\n",
};

static int ignore_pair(void *ctx, struct bytes image, struct bytes server)
{
    *(size_t *)ctx += image.size + server.size;
    return 0;
}

static struct cmp_side *read_side(struct buf *text, bool on_server, enum server_table kind)
{
    struct cmp_side *side;
    struct io_source *source;
    int code;

    if (cmp_side_create(on_server, NULL, 1 << 20, &side))
        abort();
    if (io_source_open_mem(text->data, text->size, &source))
        abort();
    code = server_table_read(side, source, kind);
    io_source_close(source);
    if (!code) {
        uint64_t in_folders = 0;

        for (size_t i = 0; i < side->folder_count; i++)
            in_folders += side->folders[i].items;
        assert(in_folders <= side->items);
        assert(io_spill_size(side->entries) == side->items * sizeof(struct cmp_entry));
        cmp_set_text(&side->path, bytes_text("x"));
        return side;
    }
    cmp_side_destroy(side);
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct cmp_options options = {.memory_bytes = 1 << 20};
    struct cmp_side *sides[2] = {NULL, NULL};
    enum server_table kind = TABLE_UNKNOWN;
    struct buf text = BUF_INIT;
    struct io_source *source;
    struct fault fault;
    size_t sum = 0;

    if (!size)
        return 0;
    buf_puts(&text, headers[data[0] % (sizeof headers / sizeof *headers)]);
    buf_append(&text, data + 1, size - 1);
    if (!text.size || io_source_open_mem(text.data, text.size, &source))
        goto out;
    if (server_table_kind(source, &kind, NULL) == 0 && kind == TABLE_MAPPING)
        server_table_mapping(source, ignore_pair, &sum);
    io_source_close(source);
    if (kind == TABLE_STATISTICS || kind == TABLE_EDISCOVERY) {
        sides[0] = read_side(&text, false, kind);
        sides[1] = read_side(&text, true, kind);
    }
    if (sides[0] && sides[1])
        cmp_compare(sides[0], sides[1], &options, NULL, 0, &fault);
    cmp_side_destroy(sides[0]);
    cmp_side_destroy(sides[1]);
out:
    fuzz_use(sum);
    buf_done(&text);
    return 0;
}
