/* columns.c: see columns.h. */
#include "index/columns.h"

#include <assert.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

static const struct idx_csv_column scan_columns[] = {
    {"schema", FORM_VALUE, NULL}, {"digest_version", FORM_VALUE, NULL},
    {"tool", FORM_VALUE, NULL},   {"engine", FORM_VALUE, NULL},
    {"io", FORM_VALUE, NULL},     {"started", FORM_VALUE, NULL},
    {"options", FORM_LIST, NULL}, {"redacted", FORM_VALUE, NULL},
};

static const struct idx_csv_column image_columns[] = {
    {"path", FORM_VALUE, NULL},    {"path_hex", FORM_VALUE, NULL},   {"size", FORM_VALUE, NULL},
    {"mtime", FORM_VALUE, NULL},   {"content", FORM_VALUE, NULL},    {"format", FORM_VALUE, NULL},
    {"version", FORM_VALUE, NULL}, {"crypt", FORM_VALUE, NULL},      {"unique", FORM_VALUE, NULL},
    {"account", FORM_VALUE, NULL}, {"store_name", FORM_VALUE, NULL}, {"blocks", FORM_VALUE, NULL},
    {"nodes", FORM_VALUE, NULL},   {"allocated", FORM_VALUE, NULL},
};

static const struct idx_csv_column folder_columns[] = {
    {"nid", FORM_VALUE, NULL},   {"parent", FORM_VALUE, NULL},     {"path", FORM_VALUE, NULL},
    {"name", FORM_VALUE, NULL},  {"class", FORM_VALUE, NULL},      {"role", FORM_VALUE, NULL},
    {"rows", FORM_VALUE, NULL},  {"assoc_rows", FORM_VALUE, NULL}, {"items", FORM_VALUE, NULL},
    {"assoc", FORM_VALUE, NULL},
};

static const struct idx_csv_column item_columns[] = {
    {"nid", FORM_VALUE, NULL},
    {"folder", FORM_VALUE, NULL},
    {"assoc", FORM_VALUE, NULL},
    {"orphan", FORM_VALUE, NULL},
    {"kind", FORM_VALUE, NULL},
    {"class", FORM_VALUE, NULL},
    {"subject", FORM_VALUE, NULL},
    {"message_id", FORM_VALUE, NULL},
    {"mih", FORM_VALUE, NULL},
    {"search_key", FORM_VALUE, NULL},
    {"mid", FORM_VALUE, NULL},
    {"change_key", FORM_VALUE, NULL},
    {"pcl", FORM_VALUE, NULL},
    {"submitted", FORM_VALUE, NULL},
    {"delivered", FORM_VALUE, NULL},
    {"created", FORM_VALUE, NULL},
    {"modified", FORM_VALUE, NULL},
    {"size", FORM_VALUE, NULL},
    {"flags", FORM_VALUE, NULL},
    {"from.name", FORM_VALUE, NULL},
    {"from.address", FORM_VALUE, NULL},
    {"to", FORM_PEOPLE, NULL},
    {"cc", FORM_PEOPLE, NULL},
    {"bcc", FORM_PEOPLE, NULL},
    {"attachments", FORM_LIST, "name"},
    {"digest.exact", FORM_VALUE, NULL},
    {"digest.core", FORM_VALUE, NULL},
    {"digest.body.text", FORM_VALUE, NULL},
    {"digest.body.html", FORM_VALUE, NULL},
    {"digest.body.rtf", FORM_VALUE, NULL},
    {"digest.state", FORM_VALUE, NULL},
    {"partial", FORM_VALUE, NULL},
    {"damage", FORM_LIST, "code"},
    {"recovered", FORM_VALUE, NULL},
    {"failed", FORM_VALUE, NULL},
};

static const struct idx_csv_column finding_columns[] = {
    {"n", FORM_VALUE, NULL},
    {"count", FORM_VALUE, NULL},
    {"code", FORM_VALUE, NULL},
    {"layer", FORM_VALUE, NULL},
    {"severity", FORM_VALUE, NULL},
    {"offset", FORM_VALUE, NULL},
    {"length", FORM_VALUE, NULL},
    {"bid", FORM_VALUE, NULL},
    {"nid", FORM_VALUE, NULL},
    {"expected", FORM_VALUE, NULL},
    {"actual", FORM_VALUE, NULL},
    {"items", FORM_LIST, NULL},
    {"items_more", FORM_VALUE, NULL},
    {"folders", FORM_LIST, NULL},
    {"folders_more", FORM_VALUE, NULL},
    {"text", FORM_VALUE, NULL},
};

static const struct idx_csv_column verdict_columns[] = {
    {"remedy", FORM_VALUE, NULL},
    {"folders", FORM_LIST, "nid"},
    {"export_first", FORM_VALUE, NULL},
    {"reasons", FORM_LIST, "text"},
    {"coverage.allocated", FORM_VALUE, NULL},
    {"coverage.verified", FORM_VALUE, NULL},
    {"coverage.items_expected", FORM_VALUE, NULL},
    {"coverage.items_read", FORM_VALUE, NULL},
    {"coverage.items_failed", FORM_VALUE, NULL},
    {"coverage.items_orphaned", FORM_VALUE, NULL},
    {"coverage.rows", FORM_VALUE, NULL},
    {"coverage.rows_without_item", FORM_VALUE, NULL},
    {"download.items", FORM_VALUE, NULL},
    {"download.bytes", FORM_VALUE, NULL},
};

static const struct idx_csv_column end_columns[] = {
    {"counts.scan", FORM_VALUE, NULL},    {"counts.image", FORM_VALUE, NULL},
    {"counts.folder", FORM_VALUE, NULL},  {"counts.item", FORM_VALUE, NULL},
    {"counts.finding", FORM_VALUE, NULL}, {"counts.verdict", FORM_VALUE, NULL},
    {"counts.end", FORM_VALUE, NULL},     {"digest", FORM_VALUE, NULL},
    {"scan_digest", FORM_VALUE, NULL},    {"complete", FORM_VALUE, NULL},
};

const struct idx_csv_column *idx_csv_columns(enum idx_record type, size_t *count)
{
    static const struct {
        const struct idx_csv_column *columns;
        size_t count;
    } all[IDX_RECORDS] = {
        [RECORD_SCAN] = {scan_columns, COUNT(scan_columns)},
        [RECORD_IMAGE] = {image_columns, COUNT(image_columns)},
        [RECORD_FOLDER] = {folder_columns, COUNT(folder_columns)},
        [RECORD_ITEM] = {item_columns, COUNT(item_columns)},
        [RECORD_FINDING] = {finding_columns, COUNT(finding_columns)},
        [RECORD_VERDICT] = {verdict_columns, COUNT(verdict_columns)},
        [RECORD_END] = {end_columns, COUNT(end_columns)},
    };

    assert(type < IDX_RECORDS);
    *count = all[type].count;
    return all[type].columns;
}

static const struct idx_table_column folder_table[] = {
    {"NID", "nid", FORM_HEX, true, 0, 0},      {"ITEMS", "items", FORM_VALUE, true, 0, 0},
    {"ROWS", "rows", FORM_VALUE, true, 0, 2},  {"ASSOC", "assoc", FORM_VALUE, true, 0, 1},
    {"ROLE", "role", FORM_VALUE, false, 0, 3}, {"PATH", "path|name", FORM_VALUE, false, 16, 0},
};

static const struct idx_table_column item_table[] = {
    {"NID", "nid", FORM_HEX, true, 0, 0},
    {"FOLDER", "folder", FORM_HEX, true, 0, 5},
    {"KIND", "kind", FORM_VALUE, false, 0, 0},
    {"DATE", "submitted|delivered|created|modified", FORM_MINUTE, false, 0, 1},
    {"SIZE", "size", FORM_VALUE, true, 0, 4},
    {"ATT", "attachments", FORM_COUNT, true, 0, 3},
    {"FROM", "from", FORM_WHO, false, 12, 2},
    {"NOTE", "", FORM_MARKS, false, 0, 0},
    {"SUBJECT", "subject", FORM_VALUE, false, 12, 0},
};

static const struct idx_table_column finding_table[] = {
    {"N", "n", FORM_VALUE, true, 0, 4},         {"SEVERITY", "severity", FORM_VALUE, false, 0, 0},
    {"CODE", "code", FORM_VALUE, false, 0, 0},  {"OFFSET", "offset", FORM_HEX, true, 0, 1},
    {"BID", "bid", FORM_HEX, true, 0, 3},       {"NID", "nid", FORM_HEX, true, 0, 2},
    {"TEXT", "text", FORM_VALUE, false, 12, 0},
};

_Static_assert(COUNT(item_table) <= IDX_TABLE_COLUMNS, "the widest table fits");

const struct idx_table_column *idx_table_columns(enum idx_record type, size_t *count)
{
    switch (type) {
    case RECORD_FOLDER:
        *count = COUNT(folder_table);
        return folder_table;
    case RECORD_ITEM:
        *count = COUNT(item_table);
        return item_table;
    case RECORD_FINDING:
        *count = COUNT(finding_table);
        return finding_table;
    default:
        return NULL;
    }
}
