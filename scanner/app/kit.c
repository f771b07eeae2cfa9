/* kit.c: see kit.h. */
#include "scanner/app/kit.h"

#include "index/dup_notes.h"
#include "index/record.h"
#include "index/view.h"
#include "io/err.h"

enum { ITEM_ARENA_LIMIT = 512 << 20, READS_IN_FLIGHT = 64 };

int kit_init(struct kit *k, const struct kit_options *options)
{
    const struct io_reader_options how = {
        .backend = options->io, .depth = READS_IN_FLIGHT, .timeout_ns = options->read_timeout_ns};
    int err;

    *k = (struct kit){.line = BUF_INIT};
    arena_init(&k->arena, ITEM_ARENA_LIMIT);
    err = idx_digester_create(options->digest, &k->digester);
    if (!err)
        err = idx_hash_create(options->digest, &k->hash);
    if (!err)
        err = idx_text_create(&k->text);
    k->log.text = k->text;
    if (!err)
        err = packer_create(&k->packer);
    if (!err && options->redact_key.size)
        err = idx_redactor_create(options->redact_key, &k->redactor);
    if (!err)
        err = io_reader_create(&how, &k->reader);
    if (err)
        kit_done(k);
    else
        k->hasher = idx_hasher_of(k->hash);
    return err;
}

void kit_done(struct kit *k)
{
    io_reader_destroy(k->reader);
    idx_redactor_destroy(k->redactor);
    packer_destroy(k->packer);
    buf_done(&k->log.body);
    buf_done(&k->log.rtf);
    idx_text_destroy(k->text);
    idx_hash_destroy(k->hash);
    idx_digester_destroy(k->digester);
    arena_done(&k->arena);
    buf_done(&k->line);
    dup_item_done(&k->dup);
    buf_done(&k->note);
    *k = (struct kit){.line = BUF_INIT};
}

void kit_redact(struct kit *k)
{
    if (k->redactor)
        idx_redact_line(k->redactor, &k->line, 0);
}

int kit_item_line(struct kit *k, const struct ost_item *item, struct idx_view *view)
{
    int err;

    arena_reset(&k->arena);
    err = idx_view_make(k->text, &k->arena, item, view);
    if (!err)
        err = idx_digest_item(k->digester, &k->arena, item, view, &k->digests);
    if (err)
        return err;
    idx_record_item(&k->line, item, view, &k->digests, &k->places);
    kit_redact(k);
    return k->line.failed ? ERR_NOMEM : 0;
}

static void pack(struct kit *k, bool known)
{
    buf_reset(&k->note);
    if (known)
        dup_item_pack(&k->dup, &k->note);
    if (k->note.failed)
        buf_reset(&k->note);
}

void kit_note_line(struct kit *k)
{
    pack(k, dup_item_parse((struct bytes){k->line.data, k->line.size}, &k->dup) == 0);
}

void kit_note(struct kit *k, const struct ost_item *item, const struct idx_view *view)
{
    if (!k->redactor && dup_item_of(item, view, &k->digests, &k->places, &k->line, &k->dup))
        pack(k, true);
    else
        kit_note_line(k);
}
