/* server_input.c: see server_input.h. */
#include "index/server_input.h"

#include <string.h>

#include "index/compare_manifest.h"
#include "index/server_graph.h"
#include "index/server_table.h"
#include "index/text_input.h"
#include "io/file.h"
#include "io/source.h"

const char server_accepted[] =
    "a manifest of ostscan; a PST or OST; the CSV of Get-MailboxFolderStatistics or "
    "Get-EXOMailboxFolderStatistics with FolderPath and VisibleItemsInFolder or ItemsInFolder; "
    "JSON or JSON Lines of Microsoft Graph (message, mailboxItem, mailFolder); the CSV of the "
    "items "
    "of an eDiscovery export with Internet message ID";

struct open_file {
    struct io_file file;
    struct io_source *source;
};

static int open_file(const char *path, struct open_file *f, struct fault *fault)
{
    int code = io_file_open(path, IO_FILE_FOLLOW, &f->file, fault);

    if (code)
        return code;
    code = io_source_open_pread(f->file.fd, f->file.id.size_bytes, &f->source);
    if (code)
        io_file_close(&f->file);
    return code;
}

static void close_file(struct open_file *f)
{
    io_source_close(f->source);
    io_file_close(&f->file);
}

/* The first character that is not white space; 0: there is none in the first piece. */
static int first_character(struct io_source *source, uint8_t *out)
{
    struct text_input in = {0};
    struct bytes piece;
    int code = text_input_init(&in, source), got = 0;

    *out = 0;
    if (!code)
        got = text_input_next(&in, &piece);
    for (size_t i = 0; got == 1 && i < piece.size && !*out; i++)
        if (piece.data[i] > ' ')
            *out = piece.data[i];
    text_input_done(&in);
    return code ? code : got < 0 ? got : 0;
}

static int kind_of_text(struct io_source *source, enum server_kind *kind, const char **missing)
{
    static const enum server_kind kinds[] = {[TABLE_UNKNOWN] = SERVER_UNKNOWN,
                                             [TABLE_STATISTICS] = SERVER_STATISTICS,
                                             [TABLE_EDISCOVERY] = SERVER_EDISCOVERY,
                                             [TABLE_MAPPING] = SERVER_MAPPING};
    enum server_table table = TABLE_UNKNOWN;
    uint8_t first;
    int code = first_character(source, &first);

    if (code || !first)
        return code;
    if (first == '{' || first == '[') {
        *kind = SERVER_GRAPH;
        return 0;
    }
    code = server_table_kind(source, &table, missing);
    *kind = kinds[table];
    return code == ERR_DAMAGED || code == ERR_LIMIT ? 0 : code;
}

int server_kind_of(const char *path, enum server_kind *kind, const char **missing,
                   struct fault *fault)
{
    static const uint8_t zstd[] = {0x28, 0xB5, 0x2F, 0xFD}, image[] = {'!', 'B', 'D', 'N'};
    struct open_file f = {0};
    uint8_t head[4] = {0};
    int code = open_file(path, &f, fault);

    *kind = SERVER_UNKNOWN;
    *missing = NULL;
    if (code)
        return code;
    if (f.source->size_bytes >= sizeof head)
        code = io_source_read(f.source, 0, head, sizeof head);
    if (!code && memcmp(head, zstd, sizeof head) == 0)
        *kind = SERVER_MANIFEST;
    else if (!code && memcmp(head, image, sizeof head) == 0)
        *kind = SERVER_IMAGE;
    else if (!code && f.source->size_bytes)
        code = kind_of_text(f.source, kind, missing);
    if (code && f.source->fault.code)
        *fault = f.source->fault;
    close_file(&f);
    return code;
}

int server_read(struct cmp_side *side, const char *path, enum server_kind kind,
                const atomic_bool *cancel, struct fault *fault)
{
    struct open_file f = {0};
    int code = side->path ? 0 : cmp_set_text(&side->path, bytes_text(path));

    if (code)
        return code;
    if (kind == SERVER_MANIFEST)
        return cmp_read_manifest(side, path, cancel, fault);
    code = open_file(path, &f, fault);
    if (code)
        return code;
    if (kind == SERVER_GRAPH)
        code = server_graph_read(side, f.source);
    else
        code = server_table_read(side, f.source,
                                 kind == SERVER_STATISTICS ? TABLE_STATISTICS : TABLE_EDISCOVERY);
    if (code && f.source->fault.code)
        *fault = f.source->fault;
    else if (code && cmp_side_fault(side)->code)
        *fault = *cmp_side_fault(side);
    close_file(&f);
    return code;
}
