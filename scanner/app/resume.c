/*
 * resume.c: see resume.h. The state is a SHA-256 over all of it, each part behind its length. An
 * option that is not named here as harmless is part of it, so that one to come cannot be forgotten.
 * Where records are redacted it is an HMAC under their key instead, so that nobody without the key
 * can try out on it what the path is.
 */
#include "scanner/app/resume.h"

#include <string.h>
#include <sys/stat.h>

#include "index/digest.h"
#include "index/json_read.h"
#include "io/mem.h"

struct resume {
    struct journal *journal;
    const char *manifest_dir;
    bool force;
    struct buf run; /* what all images of a run share of their state */
};

/* Options that do not change what is written of an image, or that stand in the state themselves. */
static bool is_harmless(const char *given)
{
    static const char *const names[] = {
        "output",    "jobs",       "memory", "io",     "direct",     "progress",     "quiet",
        "verbose",   "json",       "null",   "recall", "fail-on",    "force",        "shard",
        "all-files", "files-from", "engine", "digest", "crosscheck", "read-timeout",
    };
    size_t size = strcspn(given, "=");

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strlen(names[i]) == size && memcmp(names[i], given, size) == 0)
            return true;
    return false;
}

static void put(struct buf *b, const void *data, size_t size)
{
    const uint64_t length = size;

    buf_append(b, &length, sizeof length);
    buf_append(b, data, size);
}

static void put_run(struct buf *b, const struct image_run *run)
{
    const struct options *o = run->options;
    const uint32_t numbers[] = {IDX_DIGEST_VERSION, o->digest, o->crosscheck};

    put(b, OSTSCAN_VERSION, strlen(OSTSCAN_VERSION));
    put(b, run->engine->name, strlen(run->engine->name));
    put(b, numbers, sizeof numbers);
    for (size_t i = 0; i < o->given_count; i++)
        if (!is_harmless(o->given[i]))
            put(b, o->given[i], strlen(o->given[i]));
}

/* What the journal belongs to: the key that its lines are redacted by. */
static int owner_of(const struct image_run *run, char out[IDX_REDACT_ID])
{
    struct idx_redactor *redactor = NULL;
    int err = run->redact_key.size ? idx_redactor_create(run->redact_key, &redactor) : 0;

    out[0] = '\0';
    if (!err && redactor)
        idx_redactor_id(redactor, out);
    idx_redactor_destroy(redactor);
    return err;
}

int resume_open(const struct image_run *run, const char *journal, struct resume **out,
                struct fault *fault)
{
    struct resume *r = mem_zalloc(sizeof *r);
    char owner[IDX_REDACT_ID];
    int err;

    *fault = (struct fault){.code = ERR_NOMEM, .what = "open"};
    if (!r)
        return ERR_NOMEM;
    r->manifest_dir = run->manifest_dir;
    r->force = run->options->force;
    put_run(&r->run, run);
    err = r->run.failed ? ERR_NOMEM : owner_of(run, owner);
    if (!err)
        err = journal_open(run->options->out, journal, owner, &r->journal, fault);
    if (err)
        resume_close(r);
    else
        *out = r;
    return err;
}

void resume_close(struct resume *r)
{
    if (!r)
        return;
    journal_close(r->journal);
    buf_done(&r->run);
    mem_free(r);
}

int resume_identify(const struct resume *r, const char *path, const char *manifest,
                    const struct io_identity *id, struct bytes header,
                    struct idx_redactor *redactor, struct resume_image *image)
{
    const uint64_t numbers[] = {id->device, id->inode, id->size_bytes, (uint64_t)id->mtime_ns};
    struct ost_digest digest = {0};
    struct buf all = BUF_INIT;
    int err;

    put(&all, r->run.data, r->run.size);
    put(&all, path, strlen(path));
    put(&all, manifest, strlen(manifest));
    put(&all, numbers, sizeof numbers);
    put(&all, header.data, header.size);
    err = all.failed ? ERR_NOMEM : 0;
    if (!err && redactor)
        idx_redact_sum(redactor, (struct bytes){all.data, all.size}, digest.bytes);
    else if (!err)
        err = idx_hash_bytes(IDX_SHA256, all.data, all.size, &digest);
    buf_done(&all);
    if (err)
        return err;
    image->key = journal_key(manifest);
    memcpy(image->state, digest.bytes, sizeof image->state);
    return 0;
}

/* Size and time of a manifest; false: it is not there. */
static bool stat_manifest(const struct resume *r, const char *manifest, struct journal_entry *e)
{
    struct buf path = BUF_INIT;
    struct stat st;
    bool there;

    buf_printf(&path, "%s/%s", r->manifest_dir, manifest);
    there = buf_cstr(&path) && lstat((const char *)path.data, &st) == 0 && S_ISREG(st.st_mode);
    buf_done(&path);
    if (!there)
        return false;
    e->manifest_bytes = (uint64_t)st.st_size;
    e->manifest_mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    return true;
}

/* A line of scan.jsonl, taken apart */

static uint64_t number_of(struct bytes line, const char *key)
{
    struct json_token token;
    struct bytes value;
    uint64_t n = 0;

    if (json_find(line, key, &value) == 1 && json_scalar(value, &token))
        (void)json_token_u64(&token, &n);
    return n;
}

static bool text_of(struct bytes line, const char *key, struct json_token *token)
{
    struct bytes value;

    return json_find(line, key, &value) == 1 && json_scalar(value, token) &&
           token->kind == JSON_STRING;
}

static bool take_state(struct bytes line, struct image_outcome *o)
{
    struct json_token token;

    if (!text_of(line, "state", &token))
        return false;
    for (int i = 0; i <= IMAGE_OK; i++) {
        if (!json_token_is(&token, idx_image_state_name((enum idx_image_state)i)))
            continue;
        o->state = (enum idx_image_state)i;
        return true;
    }
    return false;
}

static bool take_remedy(struct bytes line, struct image_outcome *o)
{
    struct json_token token;

    if (!text_of(line, "remedy", &token))
        return false;
    for (int i = 0; i <= REMEDY_UNKNOWN; i++) {
        if (!json_token_is(&token, chk_remedy_name((enum chk_remedy)i)))
            continue;
        o->remedy = (enum chk_remedy)i;
        return true;
    }
    return false;
}

static char *own_text(const char *text, size_t size)
{
    char *copy = mem_alloc(size + 1);

    if (copy) {
        memcpy(copy, text, size);
        copy[size] = '\0';
    }
    return copy;
}

static bool take_texts(struct bytes line, struct image_outcome *o)
{
    struct json_token token;
    struct buf reason = BUF_INIT;

    if (text_of(line, "reason", &token)) {
        json_token_text(&token, &reason);
        o->reason = (char *)(uintptr_t)buf_cstr(&reason);
        if (!o->reason) {
            buf_done(&reason);
            return false;
        }
    }
    o->line = own_text((const char *)line.data, line.size + 1);
    if (!o->line)
        return false;
    o->line[line.size] = '\n';
    return true;
}

/* All that is to be said of an image stands in its line. */
static bool take_line(struct bytes line, struct image_outcome *o)
{
    struct bytes findings;

    if (!take_state(line, o) || !take_remedy(line, o) ||
        json_find(line, "findings", &findings) != 1)
        return false;
    for (int i = 0; i <= SEVERITY_CORRUPT; i++)
        o->findings[i] = number_of(findings, finding_severity_name((enum finding_severity)i));
    o->size_bytes = number_of(line, "size");
    o->folders = number_of(line, "folders");
    o->items = number_of(line, "items");
    o->assoc = number_of(line, "assoc");
    o->partial = number_of(line, "partial");
    o->failed = number_of(line, "failed");
    o->has_manifest = true;
    o->kept = true;
    return take_texts(line, o);
}

/* True if *outcome is filled; what is not to be had is not kept. */
static bool can_keep(struct resume *r, const struct resume_image *image, const char *manifest,
                     struct image_outcome *outcome)
{
    struct image_outcome found = {0};
    struct journal_entry kept, now;
    struct buf line = BUF_INIT;
    bool can;

    can = !r->force && journal_find(r->journal, image->key, &line, &kept) == 1 &&
          memcmp(kept.state, image->state, sizeof kept.state) == 0 &&
          stat_manifest(r, manifest, &now) && now.manifest_bytes == kept.manifest_bytes &&
          now.manifest_mtime_ns == kept.manifest_mtime_ns && take_line(kept.line, &found);
    if (can) {
        found.direct_refused = outcome->direct_refused;
        *outcome = found;
    } else {
        image_outcome_done(&found);
    }
    buf_done(&line);
    return can;
}

int resume_find(struct resume *r, const struct resume_image *image, const char *manifest,
                struct image_outcome *outcome)
{
    if (can_keep(r, image, manifest, outcome))
        return 1;
    return journal_drop(r->journal, image->key);
}

static bool is_worth_keeping(const struct image_outcome *o)
{
    return !o->err && o->has_manifest && !o->kept && !o->io_error && o->line &&
           o->remedy != REMEDY_RETRY_CLOSED && o->state != IMAGE_DECLINED;
}

void resume_note(struct resume *r, const struct resume_image *image, const char *manifest,
                 const struct image_outcome *outcome)
{
    struct journal_entry e = {.key = image->key};

    if (!is_worth_keeping(outcome) || !stat_manifest(r, manifest, &e))
        return;
    memcpy(e.state, image->state, sizeof e.state);
    e.line = (struct bytes){(const uint8_t *)outcome->line, strlen(outcome->line) - 1};
    (void)journal_keep(r->journal, &e); /* resume_fault tells */
}

struct fault resume_fault(struct resume *r)
{
    return journal_fault(r->journal);
}
