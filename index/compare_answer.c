/* compare_answer.c: see compare_answer.h. */
#include "index/compare_answer.h"

#include <inttypes.h>

#include "index/times.h"

struct answer {
    const struct cmp_result *r;
    const struct cmp_tally *t;
    int (*say)(void *ctx, const char *word, const char *text);
    void *ctx;
    struct buf text;
    int code;
};

static void say(struct answer *a, const char *word)
{
    const char *text = buf_cstr(&a->text);

    if (!a->code)
        a->code = text ? a->say(a->ctx, word, text) : ERR_NOMEM;
    buf_reset(&a->text);
}

static const char *items(uint64_t n)
{
    return n == 1 ? "item" : "items";
}

static const char *are(uint64_t n)
{
    return n == 1 ? "is" : "are";
}

static void put_date(struct buf *out, int64_t seconds)
{
    int64_t year;
    unsigned month, day;

    idx_date_of((seconds - (seconds % 86400 + 86400) % 86400) / 86400, &year, &month, &day);
    buf_printf(out, "%04" PRId64 "-%02u-%02u", year, month, day);
}

static void say_matched(struct answer *a)
{
    const struct cmp_tally *t = a->t;

    if (a->r->server->input == CMP_INPUT_STATISTICS) {
        buf_puts(&a->text, "the server's input has counts alone: no item can be called the same, "
                           "missing or changed");
        say(a, "counts_only");
        return;
    }
    buf_printf(&a->text,
               "%" PRIu64 " of %" PRIu64 " %s here were found in the server's input, %" PRIu64
               " of its %" PRIu64 " were found here",
               t->found, t->image, items(t->image), t->found_server, t->server);
    say(a, "matched");
    if (!a->r->keys) {
        buf_puts(&a->text, "the two have no key in common (change key, search key, Message-ID, "
                           "core digest), so their items cannot be compared");
        say(a, "no_common_key");
    }
    if (a->r->digests_differ) {
        buf_puts(&a->text,
                 "their digests were made by different rules and are held against nothing: "
                 "scan both with the same --digest and version");
        say(a, "digests_differ");
    }
}

static void say_incomplete(struct answer *a)
{
    const struct cmp_side *sides[] = {a->r->image, a->r->server};

    for (int i = 0; i < 2; i++) {
        if (!sides[i]->incomplete)
            continue;
        buf_printf(
            &a->text, "%s is not complete (%s): what was not found %s is no proof of anything",
            i ? "the server's input" : "the image's manifest", sides[i]->why, i ? "in it" : "here");
        say(a, i ? "server_incomplete" : "image_incomplete");
    }
}

static void say_window(struct answer *a)
{
    const uint64_t outside = a->t->outcomes[CMP_OUTSIDE_WINDOW];

    if (a->r->server->input == CMP_INPUT_STATISTICS && a->r->window.basis != CMP_WINDOW_ALL) {
        buf_puts(&a->text,
                 "Outlook holds a window of the mailbox, 12 months by default: fewer items "
                 "here than on the server mean nothing, unless --window all is true");
        say(a, "window");
        return;
    }
    switch (a->r->window.basis) {
    case CMP_WINDOW_ALL:
        return;
    case CMP_WINDOW_GIVEN:
        buf_puts(&a->text, "window given: items from ");
        put_date(&a->text, a->r->window.from);
        break;
    default:
        buf_puts(&a->text, "window inferred for each folder from the oldest item it holds");
        break;
    }
    buf_printf(&a->text, "; %" PRIu64 " %s older than that %s not called missing", outside,
               items(outside), are(outside));
    say(a, "window");
}

static void say_only(struct answer *a)
{
    const struct cmp_tally *t = a->t;
    const uint64_t here = t->outcomes[CMP_ONLY_OST], there = t->outcomes[CMP_ONLY_SERVER];

    if (here) {
        buf_printf(&a->text,
                   "%" PRIu64 " %s (%" PRIu64 " bytes) %s here and not in the server's input: "
                   "export before the file is replaced",
                   here, items(here), t->only_image_bytes, are(here));
        if (t->only_image_copies)
            buf_printf(&a->text, "; of %" PRIu64 " an exact copy is there in another place",
                       t->only_image_copies);
        say(a, "only_ost");
    } else if (a->r->whole) {
        buf_puts(&a->text, "no item was found that is here alone; associated items (views, rules) "
                           "and what lies in no folder of the mailbox are not part of this");
        say(a, "nothing_only_ost");
    }
    if (there) {
        buf_printf(&a->text, "%" PRIu64 " %s %s in the server's input and not here", there,
                   items(there), are(there));
        say(a, "only_server");
    }
}

static void say_differing(struct answer *a)
{
    const struct cmp_tally *t = a->t;

    if (t->altered) {
        buf_printf(&a->text,
                   "%" PRIu64 " %s another content under the same change key: one of the copies is "
                   "not what was stored",
                   t->altered, t->altered == 1 ? "item has" : "items have");
        say(a, "altered");
    }
    if (t->outcomes[CMP_AMBIGUOUS]) {
        buf_printf(&a->text,
                   "%" PRIu64 " %s several possible counterparts and nothing decides between them",
                   t->outcomes[CMP_AMBIGUOUS],
                   t->outcomes[CMP_AMBIGUOUS] == 1 ? "item has" : "items have");
        say(a, "ambiguous");
    }
    for (unsigned w = CMP_WHY_NONE + 1; w < CMP_WHYS; w++) {
        if (!t->whys[w] || w == CMP_WHY_COUNTS_ONLY)
            continue;
        buf_printf(&a->text, "%" PRIu64 " %s not compared: %s", t->whys[w], items(t->whys[w]),
                   cmp_why_text((enum cmp_why)w));
        say(a, cmp_why_name((enum cmp_why)w));
    }
}

static void say_counts(struct answer *a)
{
    const struct cmp_result *r = a->r;

    if (r->folders_surplus) {
        buf_printf(&a->text,
                   "%" PRIu64
                   " %s here more items than the server states: some were moved, deleted "
                   "there, or are here alone; counts do not tell which",
                   r->folders_surplus, r->folders_surplus == 1 ? "folder has" : "folders have");
        say(a, "count_surplus");
    }
    if (r->folders_deficit) {
        buf_printf(&a->text,
                   "%" PRIu64
                   " %s here fewer items than the server states, though the window is all",
                   r->folders_deficit, r->folders_deficit == 1 ? "folder has" : "folders have");
        say(a, "count_deficit");
    }
}

/* What speaks for the old file having been the cause: a fresh copy has what it should have had.
 * Mail that came later, and changes made later, speak for nothing. */
static void say_cause(struct answer *a)
{
    const struct cmp_result *r = a->r;
    const struct cmp_tally *t = a->t;
    const uint64_t lacked = t->outcomes[CMP_ONLY_SERVER] - t->only_server_later;
    const bool damaged = r->image->corrupt && !r->server->corrupt;

    if (r->image->has_time && r->server->has_time && r->image->time > r->server->time) {
        buf_puts(&a->text, "the first file was changed after the second: give the .old file first, "
                           "then the rebuilt OST");
        say(a, "order");
    }
    if (!r->items_compared || r->image->incomplete || !t->image || !t->server) {
        buf_puts(&a->text, "whether the old OST was the cause cannot be told from this");
        say(a, "cause_unknown");
        return;
    }
    if (lacked || t->altered || damaged) {
        buf_printf(&a->text,
                   "the old OST was at fault: the rebuilt one has %" PRIu64
                   " %s that it should have held, %" PRIu64
                   " whose content it held altered, and it had %" PRIu64 " findings of damage",
                   lacked, items(lacked), t->altered, r->image->corrupt);
        say(a, "cause_ost");
    } else if (!r->different && r->whole) {
        buf_puts(
            &a->text,
            "the OST was not the cause: the rebuilt one holds the same, so what is wrong comes "
            "from elsewhere (the server, a view or filter, a rule, the profile, an add-in)");
        say(a, "cause_not_ost");
    } else {
        buf_puts(&a->text, "nothing shows that the old OST was the cause: what differs may have "
                           "changed since it was last used");
        say(a, "cause_unproven");
    }
    if (t->outcomes[CMP_ONLY_OST]) {
        buf_puts(&a->text,
                 "what is in the old OST alone never reached the server, was deleted "
                 "there, or is not downloaded yet; keep the .old file until that is clear");
        say(a, "keep_old");
    }
}

int cmp_answer(const struct cmp_result *r, int (*to)(void *ctx, const char *word, const char *text),
               void *ctx)
{
    struct answer a = {.r = r, .t = &r->total, .say = to, .ctx = ctx};

    say_incomplete(&a);
    say_matched(&a);
    say_window(&a);
    say_only(&a);
    say_differing(&a);
    say_counts(&a);
    if (r->before_after)
        say_cause(&a);
    buf_done(&a.text);
    return a.code;
}
