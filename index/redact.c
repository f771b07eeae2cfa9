/*
 * redact.c: see redact.h.
 *
 * A line is read token by token and written anew. `context` of a value is the key of the object or
 * array around it, at the top the record's type; context and key lead to what is done with a text.
 *
 * The token of a text is "hmac-" and 26 digits of base 32, 130 bits of the HMAC of the text as
 * comparisons see it: rid of white space at its ends, NFC, ASCII in lower case. Where the text
 * itself is another, letters of the token are capitals, chosen by the HMAC of the text itself. So
 * two tokens are the same if the texts are, and the same but for case if the texts are, to whoever
 * compares one way or the other.
 *
 * A token may be longer than its text. So a list ends where record.c would have ended it, had it
 * written tokens, and what is left out is added to its "_more": no line outgrows what holds lines.
 *
 * All HMACs begin with a byte that says of what: texts, ids and digests never share one by chance.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "index/redact.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <openssl/hmac.h>

#include "index/dup_item.h"
#include "index/hash.h"
#include "index/json_read.h"
#include "index/record.h"
#include "index/text.h"
#include "io/err.h"
#include "io/mem.h"
#include "scanner/finding.h"

enum {
    MAC_SIZE = IDX_REDACT_SUM,
    TOKEN_DIGITS = 26,
    KEYED_HEX_BYTES = 16,
    ENDINGS_MOST = 40,
    PATH_SUM = 8
};

static const char token_prefix[] = "hmac-";

enum domain { OF_ID, OF_TEXT, OF_EXACT_TEXT, OF_HEX, OF_DIGEST, OF_PATH, OF_OWN };

enum action {
    KEEP,
    TEXT,         /* a token */
    PATH,         /* of the file system: a token for each component */
    FOLDER_PATH,  /* of a folder record: likewise, each component that of the folder's name */
    HEX,          /* an id in hex: as many digits whatever its size */
    MID,          /* … of counter and replica, either for itself */
    DIGEST,       /* of the same form */
    OPTION,       /* "name=value" */
    FINDING_TEXT, /* a finding's sentence without its detail */
    REASON,       /* such a sentence, or one of our own */
    DROP_OF_SUM,  /* evidence that is a checksum of content */
};

struct rule {
    const char *context; /* NULL: any */
    const char *key;     /* NULL: an array's element */
    enum action action;
};

/* What is not here is TEXT if it is a string, and kept if it is none. */
static const struct rule rules[] = {
    {NULL, "type", KEEP},
    {"scan", "tool", KEEP},
    {"scan", "engine", KEEP},
    {"scan", "io", KEEP},
    {"scan", "started", KEEP},
    {"options", NULL, OPTION},
    {"image", "path", PATH},
    {"image", "mtime", KEEP},
    {"image", "content", KEEP},
    {"image", "format", KEEP},
    {"image", "crypt", KEEP},
    {"image", "account", KEEP},
    {"image", "manifest", KEEP}, /* made by idx_redact_manifest_name */
    {"image", "state", KEEP},
    {"image", "reason", REASON},
    {"image", "remedy", KEEP},
    {"image", "export_first", KEEP},
    {"skipped", "path", PATH},
    {"skipped", "reason", KEEP},
    {"skipped", "detail", KEEP}, /* of the operating system */
    {"skipped", "same_as", PATH},
    {"folder", "path", FOLDER_PATH},
    {"folder", "class", KEEP},
    {"folder", "role", KEEP},
    {"item", "kind", KEEP},
    {"item", "class", KEEP},
    {"item", "mih", HEX},
    {"item", "search_key", HEX},
    {"item", "change_key", HEX},
    {"item", "pcl", HEX},
    {"item", "mid", MID},
    {"item", "submitted", KEEP},
    {"item", "delivered", KEEP},
    {"item", "created", KEEP},
    {"item", "modified", KEEP},
    {"digest", "exact", DIGEST},
    {"digest", "core", DIGEST},
    {"digest", "state", DIGEST},
    {"body", "text", DIGEST},
    {"body", "html", DIGEST},
    {"body", "rtf", DIGEST},
    {"attachments", "digest", DIGEST},
    {"attachments", "embedded", DIGEST},
    {"damage", "code", KEEP},
    {"finding", "code", KEEP},
    {"finding", "layer", KEEP},
    {"finding", "severity", KEEP},
    {"finding", "expected", DROP_OF_SUM},
    {"finding", "actual", DROP_OF_SUM},
    {"finding", "text", FINDING_TEXT},
    {"verdict", "remedy", KEEP},
    {"verdict", "export_first", KEEP},
    {"folders", "remedy", KEEP},
    {"reasons", "text", KEEP}, /* constants of verdict.c */
    {"reasons", "about", KEEP},
    {"reasons", "strength", KEEP},
    {"errors", "code", KEEP}, /* of Outlook */
    {"errors", "first", KEEP},
    {"errors", "last", KEEP},
    {"codes", NULL, KEEP},
};

/* Options whose values tell of nothing but the run. */
static const char *const plain_options[] = {
    "jobs",      "memory", "engine",  "crosscheck", "io",       "direct", "digest",
    "all-files", "null",   "recall",  "fail-on",    "progress", "json",   "csv",
    "type",      "quiet",  "verbose", "redact",     "follow",   "force",  "read-timeout",
    "max-rate",  "shard",  "window",  "deep"};

struct idx_redactor {
    HMAC_CTX *mac;
    struct buf out, text, folded;
};

struct level {
    struct bytes context;
    bool in_array, has_member;
    size_t from;   /* where it begins in the output */
    uint64_t lost; /* elements left out */
};

/* A line under way. */
struct pass {
    struct idx_redactor *r;
    struct buf *out;
    struct bytes record, key;
    char more[32]; /* the member that tells what was left out of a list, where it is written */
    struct level levels[JSON_READ_DEPTH + 1];
    unsigned depth;
};

static void must(int ok)
{
    assert(ok == 1);
    (void)ok;
}

int idx_redactor_create(struct bytes key, struct idx_redactor **out)
{
    struct idx_redactor *r = mem_zalloc(sizeof *r);

    assert(key.size >= IDX_REDACT_KEY_LEAST && key.size <= IDX_REDACT_KEY_MOST);
    if (!r)
        return ERR_NOMEM;
    r->mac = HMAC_CTX_new();
    if (!r->mac || HMAC_Init_ex(r->mac, key.data, (int)key.size, EVP_sha256(), NULL) != 1) {
        idx_redactor_destroy(r);
        return ERR_NOMEM;
    }
    *out = r;
    return 0;
}

void idx_redactor_destroy(struct idx_redactor *r)
{
    if (!r)
        return;
    HMAC_CTX_free(r->mac);
    buf_done(&r->out);
    buf_done(&r->text);
    buf_done(&r->folded);
    mem_free(r);
}

static void mac(struct idx_redactor *r, enum domain domain, struct bytes value,
                uint8_t out[MAC_SIZE])
{
    const uint8_t first = (uint8_t)domain;
    unsigned size;

    must(HMAC_Init_ex(r->mac, NULL, 0, NULL, NULL));
    must(HMAC_Update(r->mac, &first, 1));
    if (value.size)
        must(HMAC_Update(r->mac, value.data, value.size));
    must(HMAC_Final(r->mac, out, &size));
    assert(size == MAC_SIZE);
}

void idx_redactor_id(struct idx_redactor *r, char out[IDX_REDACT_ID])
{
    uint8_t sum[MAC_SIZE];

    mac(r, OF_ID, (struct bytes){0}, sum);
    hex_encode(sum, (IDX_REDACT_ID - 1) / 2, out);
    out[IDX_REDACT_ID - 1] = '\0';
}

/* Texts. */

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\0';
}

static struct bytes trimmed(struct bytes text)
{
    while (text.size && is_space(text.data[0]))
        text = (struct bytes){text.data + 1, text.size - 1};
    while (text.size && is_space(text.data[text.size - 1]))
        text.size--;
    return text;
}

/* What comparisons see of a text, in r->folded. */
static struct bytes fold(struct idx_redactor *r, struct bytes text)
{
    buf_reset(&r->folded);
    idx_text_nfc(trimmed(text), &r->folded);
    for (size_t i = 0; i < r->folded.size; i++)
        if (r->folded.data[i] >= 'A' && r->folded.data[i] <= 'Z')
            r->folded.data[i] |= 0x20;
    return (struct bytes){r->folded.data, r->folded.size};
}

static void base32(const uint8_t *sum, char digits[TOKEN_DIGITS])
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

    for (unsigned i = 0; i < TOKEN_DIGITS; i++) {
        const unsigned bit = 5 * i;
        const unsigned two = (unsigned)sum[bit / 8] << 8 | sum[bit / 8 + 1];

        digits[i] = alphabet[two >> (11 - bit % 8) & 31];
    }
}

/* Letters become capitals by the bits of `sum`; the first letter where that would give none. */
static void capitalise(const uint8_t *sum, char digits[TOKEN_DIGITS])
{
    unsigned first = TOKEN_DIGITS;
    bool any = false;

    for (unsigned i = TOKEN_DIGITS; i-- > 0;) {
        if (digits[i] < 'a')
            continue;
        first = i;
        if (sum[i / 8] >> i % 8 & 1) {
            digits[i] = (char)(digits[i] - 0x20);
            any = true;
        }
    }
    if (!any && first < TOKEN_DIGITS)
        digits[first] = (char)(digits[first] - 0x20);
}

/* Appends the token of a text; nothing for one of white space alone. */
static void put_token(struct idx_redactor *r, struct buf *out, struct bytes text)
{
    const struct bytes folded = fold(r, text);
    char digits[TOKEN_DIGITS];
    uint8_t sum[MAC_SIZE];

    if (r->folded.failed) {
        out->failed = true;
        return;
    }
    if (!folded.size)
        return;
    mac(r, OF_TEXT, folded, sum);
    base32(sum, digits);
    if (text.size != folded.size || memcmp(text.data, folded.data, text.size) != 0) {
        mac(r, OF_EXACT_TEXT, text, sum);
        capitalise(sum, digits);
    }
    buf_puts(out, token_prefix);
    buf_append(out, digits, sizeof digits);
}

/* Endings by which images are known, and which comparisons take off to find what belongs together:
 * no secret. */
static size_t ending_of(struct bytes name)
{
    static const char *const endings[] = {".ost", ".pst", ".old", ".bak", ".nst"};
    size_t ending = 0;

    for (size_t i = 0; i < sizeof endings / sizeof *endings;) {
        const size_t n = 4, rest = name.size - ending;

        if (rest > n && ending < ENDINGS_MOST &&
            strncasecmp((const char *)name.data + rest - n, endings[i], n) == 0) {
            ending += n;
            i = 0;
        } else {
            i++;
        }
    }
    return ending;
}

static void put_file_name(struct idx_redactor *r, struct buf *out, struct bytes name)
{
    const size_t ending = ending_of(name);

    put_token(r, out, (struct bytes){name.data, name.size - ending});
    buf_append(out, name.data + name.size - ending, ending);
}

static bool is_dots(struct bytes name)
{
    return name.size && name.size <= 2 && name.data[0] == '.' && name.data[name.size - 1] == '.';
}

/* Calls `put` for each component that is not empty, slashes as they are. */
static void put_components(struct idx_redactor *r, struct buf *out, struct bytes path,
                           void (*put)(struct idx_redactor *r, struct buf *out, struct bytes name))
{
    size_t at = 0;

    while (at < path.size) {
        const uint8_t *slash = memchr(path.data + at, '/', path.size - at);
        const size_t end = slash ? (size_t)(slash - path.data) : path.size;

        if (end > at)
            put(r, out, (struct bytes){path.data + at, end - at});
        if (slash)
            buf_putc(out, '/');
        at = end + 1;
    }
}

static void put_path_part(struct idx_redactor *r, struct buf *out, struct bytes name)
{
    if (is_dots(name))
        buf_append(out, name.data, name.size);
    else
        put_file_name(r, out, name);
}

/* A folder's name as a component: of the name that %2F and %25 stand in. */
static void put_folder_part(struct idx_redactor *r, struct buf *out, struct bytes part)
{
    struct buf name = BUF_INIT;

    for (size_t i = 0; i < part.size; i++) {
        const bool escaped = part.data[i] == '%' && part.size - i > 2 && part.data[i + 1] == '2';

        if (escaped && (part.data[i + 2] == 'F' || part.data[i + 2] == '5')) {
            buf_putc(&name, part.data[i + 2] == 'F' ? '/' : '%');
            i += 2;
        } else {
            buf_putc(&name, (char)part.data[i]);
        }
    }
    put_token(r, out, (struct bytes){name.data, name.size});
    out->failed |= name.failed;
    buf_done(&name);
}

/* Values of a line. */

static bool is_text(struct bytes text, const char *wanted)
{
    return text.size == strlen(wanted) && memcmp(text.data, wanted, text.size) == 0;
}

static enum action action_of(const struct pass *p, bool element)
{
    const struct bytes context = p->levels[p->depth].context;

    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        const struct rule *rule = &rules[i];

        if ((!rule->context || is_text(context, rule->context)) && !rule->key == element &&
            (element || is_text(p->key, rule->key)))
            return rule->action;
    }
    return TEXT;
}

/* The text behind a token; for a path all its bytes, where it is no UTF-8. */
static struct bytes text_of(struct pass *p, const struct json_token *value, bool path)
{
    struct buf *text = &p->r->text;

    buf_reset(text);
    if (path) {
        char key[16];

        snprintf(key, sizeof key, "%.*s", (int)p->key.size, (const char *)p->key.data);
        if (dup_stored_text(p->record, key, text) != 1)
            p->out->failed = true;
    } else {
        json_token_text(value, text);
    }
    p->out->failed |= text->failed;
    return (struct bytes){text->data, text->size};
}

static void put_keyed_hex(struct pass *p, struct bytes hex)
{
    char digits[2 * KEYED_HEX_BYTES + 1];
    uint8_t sum[MAC_SIZE];

    if (!hex.size)
        return;
    mac(p->r, OF_HEX, hex, sum);
    hex_encode(sum, KEYED_HEX_BYTES, digits);
    buf_append(p->out, digits, 2 * KEYED_HEX_BYTES);
}

/* Six bytes of counter, two of replica. */
static void put_mid(struct pass *p, struct bytes hex)
{
    enum { COUNTER = 12, ALL = 16 };
    uint8_t sums[2][MAC_SIZE];
    char digits[ALL + 1];

    if (hex.size != ALL) {
        put_keyed_hex(p, hex);
        return;
    }
    mac(p->r, OF_HEX, (struct bytes){hex.data, COUNTER}, sums[0]);
    mac(p->r, OF_HEX, (struct bytes){hex.data + COUNTER, ALL - COUNTER}, sums[1]);
    hex_encode(sums[0], COUNTER / 2, digits);
    hex_encode(sums[1], (ALL - COUNTER) / 2, digits + COUNTER);
    buf_append(p->out, digits, ALL);
}

static void put_digest(struct pass *p, struct bytes text)
{
    char keyed[IDX_DIGEST_TEXT];
    struct ost_digest digest;
    uint8_t sum[MAC_SIZE];

    if (!dup_digest_parse(text, &digest)) {
        put_token(p->r, p->out, text);
        return;
    }
    mac(p->r, OF_DIGEST, text, sum);
    memcpy(digest.bytes, sum, digest.size);
    idx_digest_text(&digest, keyed);
    buf_puts(p->out, keyed);
}

/* Option names hold nothing that JSON escapes. */
static void put_option(struct pass *p, const struct json_token *value, struct bytes whole)
{
    const struct bytes text = value->text;
    const uint8_t *equals = memchr(text.data, '=', text.size);
    const size_t name = equals ? (size_t)(equals - text.data) : text.size;

    for (size_t i = 0; i < sizeof plain_options / sizeof *plain_options; i++) {
        if (is_text((struct bytes){text.data, name}, plain_options[i])) {
            buf_append(p->out, text.data, text.size);
            return;
        }
    }
    buf_append(p->out, text.data, name);
    buf_putc(p->out, '=');
    if (name < text.size)
        put_token(p->r, p->out, (struct bytes){whole.data + name + 1, whole.size - name - 1});
}

/* The longest sentence of a finding that `text` is, or begins with before a detail; 0: none. */
static size_t sentence_of(struct bytes text)
{
    size_t longest = 0;

    for (unsigned code = 0; code < FINDING_CODES; code++) {
        const char *sentence = finding_info((enum finding_code)code)->text;
        const size_t size = strlen(sentence);

        if (size > longest && size <= text.size && memcmp(text.data, sentence, size) == 0 &&
            (size == text.size || text.data[size] == ':'))
            longest = size;
    }
    return longest;
}

static void put_sentence(struct pass *p, enum action action, struct bytes text)
{
    const size_t size = sentence_of(text);

    if (size)
        buf_append(p->out, text.data, size);
    else if (action == REASON)
        buf_append(p->out, text.data, text.size);
    else
        put_token(p->r, p->out, text);
}

/* None of what is written needs escapes but what is kept, and that is copied as it stands. */
static void put_string(struct pass *p, enum action action, const struct json_token *value)
{
    const bool path = action == PATH || action == FOLDER_PATH;
    struct bytes text = text_of(p, value, path);

    buf_putc(p->out, '"');
    switch (action) {
    case KEEP:
        buf_append(p->out, value->text.data, value->text.size);
        break;
    case PATH:
        put_components(p->r, p->out, text, put_path_part);
        break;
    case FOLDER_PATH:
        put_components(p->r, p->out, text, put_folder_part);
        break;
    case HEX:
        put_keyed_hex(p, text);
        break;
    case MID:
        put_mid(p, text);
        break;
    case DIGEST:
        put_digest(p, text);
        break;
    case OPTION:
        put_option(p, value, text);
        break;
    case FINDING_TEXT:
    case REASON:
        put_sentence(p, action, value->text);
        break;
    default:
        put_token(p->r, p->out, text);
    }
    buf_putc(p->out, '"');
}

static bool ends_with(struct bytes text, const char *ending)
{
    const size_t size = strlen(ending);

    return text.size >= size && memcmp(text.data + text.size - size, ending, size) == 0;
}

/* The bytes beside a text: of a path they are in its tokens. */
static enum action action_of_companion(const struct pass *p)
{
    return ends_with(p->key, "path_hex") || is_text(p->key, "same_as_hex") ? DROP_OF_SUM : HEX;
}

static bool is_of_sum(const struct pass *p)
{
    struct bytes code;
    struct json_token token;

    return json_find(p->record, "code", &code) == 1 && json_scalar(code, &token) &&
           memmem(token.text.data, token.text.size, "crc", 3) != NULL;
}

static void begin_value(struct pass *p)
{
    struct level *level = &p->levels[p->depth];

    if (level->has_member)
        buf_putc(p->out, ',');
    level->has_member = true;
    if (level->in_array || !p->depth)
        return;
    buf_putc(p->out, '"');
    buf_append(p->out, p->key.data, p->key.size);
    buf_append(p->out, "\":", 2);
}

static void put_scalar(struct pass *p, const struct json_token *value)
{
    const bool element = p->levels[p->depth].in_array;
    enum action action = action_of(p, element);

    if (value->kind == JSON_STRING && !element && ends_with(p->key, "_hex"))
        action = action_of_companion(p);
    if (!element && p->depth == 1 && *p->more && is_text(p->key, p->more))
        return;
    if (action == DROP_OF_SUM && (value->kind == JSON_STRING || is_of_sum(p)))
        return;
    begin_value(p);
    if (value->kind == JSON_STRING)
        put_string(p, action, value);
    else
        buf_append(p->out, value->text.data, value->text.size);
}

static void open_level(struct pass *p, const struct json_token *value)
{
    const struct level *around = &p->levels[p->depth];
    struct bytes context = around->in_array ? around->context : p->key;

    begin_value(p);
    buf_append(p->out, value->text.data, 1);
    if (!p->depth) {
        struct json_token token;
        struct bytes type;
        int found = json_find(p->record, "type", &type);

        assert(found == 1 && json_scalar(type, &token));
        (void)found;
        context = token.text;
    }
    p->levels[++p->depth] = (struct level){
        .context = context, .in_array = value->kind == JSON_ARRAY, .from = p->out->size};
}

/* True if the element that `value` begins is left out, for its list has had its share. */
static bool is_beyond(struct pass *p, struct json_reader *reader, const struct json_token *value)
{
    struct level *list = &p->levels[p->depth];

    if (p->depth != 2 || !list->in_array || value->kind == JSON_CLOSE_ARRAY ||
        p->out->size - list->from <= IDX_LIST_BYTES_MAX)
        return false;
    list->lost++;
    json_read_skip(reader, value, NULL);
    return true;
}

/* Says how many elements a list lacks, those included that its record lacked already. */
static void tell_lost(struct pass *p, const struct level *list)
{
    struct json_token token;
    struct bytes value;
    uint64_t before = 0;

    snprintf(p->more, sizeof p->more, "%.*s_more", (int)list->context.size,
             (const char *)list->context.data);
    if (json_find(p->record, p->more, &value) == 1 && json_scalar(value, &token))
        json_token_u64(&token, &before);
    buf_printf(p->out, ",\"%s\":%" PRIu64, p->more, before + list->lost);
}

static void close_level(struct pass *p, const struct json_token *value)
{
    if (p->depth == 1 && is_text(p->levels[1].context, "scan")) {
        char id[IDX_REDACT_ID];

        idx_redactor_id(p->r, id);
        buf_printf(p->out, ",\"redacted\":\"%s\"", id);
    }
    buf_append(p->out, value->text.data, 1);
    if (p->levels[p->depth--].lost)
        tell_lost(p, &p->levels[p->depth + 1]);
}

void idx_redact_line(struct idx_redactor *r, struct buf *line, size_t from)
{
    struct pass p = {.r = r, .out = &r->out};
    struct json_reader reader;
    struct json_token token;
    int got;

    if (line->failed)
        return;
    p.record = (struct bytes){line->data + from, line->size - from};
    buf_reset(&r->out);
    json_read_start(&reader, p.record);
    while ((got = json_read_next(&reader, &token)) == 1) {
        if (is_beyond(&p, &reader, &token))
            continue;
        if (token.kind == JSON_KEY)
            p.key = token.text;
        else if (token.kind == JSON_OBJECT || token.kind == JSON_ARRAY)
            open_level(&p, &token);
        else if (token.kind == JSON_CLOSE_OBJECT || token.kind == JSON_CLOSE_ARRAY)
            close_level(&p, &token);
        else
            put_scalar(&p, &token);
    }
    assert(got == 0);
    buf_putc(&r->out, '\n');
    line->size = from;
    line->failed |= r->out.failed;
    buf_append(line, r->out.data, r->out.size);
}

int idx_redact_manifest_name(struct idx_redactor *r, struct bytes absolute,
                             char out[IDX_MANIFEST_NAME])
{
    const uint8_t *slash = memrchr(absolute.data, '/', absolute.size);
    const size_t skip = slash ? (size_t)(slash - absolute.data) + 1 : 0;
    struct buf name = BUF_INIT;
    uint8_t sum[MAC_SIZE];
    char digits[2 * PATH_SUM + 1];
    int err;

    put_file_name(r, &name, (struct bytes){absolute.data + skip, absolute.size - skip});
    mac(r, OF_PATH, absolute, sum);
    hex_encode(sum, PATH_SUM, digits);
    digits[2 * PATH_SUM] = '\0';
    err = buf_cstr(&name) ? 0 : ERR_NOMEM;
    if (!err)
        snprintf(out, IDX_MANIFEST_NAME, "%s-%s.jsonl.zst", (const char *)name.data, digits);
    buf_done(&name);
    return err;
}

void idx_redact_sum(struct idx_redactor *r, struct bytes data, uint8_t out[IDX_REDACT_SUM])
{
    mac(r, OF_OWN, data, out);
}

void idx_redacted_by(struct bytes scan_record, char out[IDX_REDACT_ID])
{
    struct json_token token;
    struct bytes value;

    out[0] = '\0';
    if (json_find(scan_record, "redacted", &value) != 1 || !json_scalar(value, &token) ||
        token.kind != JSON_STRING || token.text.size != IDX_REDACT_ID - 1)
        return;
    memcpy(out, token.text.data, IDX_REDACT_ID - 1);
    out[IDX_REDACT_ID - 1] = '\0';
}
