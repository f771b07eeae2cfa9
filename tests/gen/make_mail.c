#include <string.h>

#include "io/bytes.h"
#include "tests/gen/item.h"

/*
 * Mails and what looks like one: posts, reports, meeting requests, sharing invitations. The
 * properties are those that mails in real stores carry, about a hundred of them.
 */

static void add_recipient(struct maker *m, struct item *it, uint8_t type, uint32_t person)
{
    struct recipient *to = &it->recipients[it->recipient_count++];
    to->type = type;
    to->person = person_of(m->corpus, it->language, person);
}

static void make_recipients(struct maker *m, struct item *it, struct rng *r)
{
    uint32_t count = it->plan.features & FEATURE_MANY_RECIPIENTS ? 500 : rng_between(r, 1, 4);
    it->recipients = arena_alloc_array(it->bag.arena, count + 1, sizeof *it->recipients);
    if (it->recipients == NULL) {
        it->bag.failed = true;
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint8_t type = i == 0 ? 1 : (uint8_t)(1 + rng_below(r, 10) / 5);
        uint32_t person = rng_below(r, PEOPLE - 2);
        if (i == 0 && it->plan.change == CHANGE_TO)
            person = (person + 1) % (PEOPLE - 2);
        if (i == 499)
            type = 3;
        add_recipient(m, it, type, person);
    }
    if (it->plan.change == CHANGE_CC || it->plan.change == CHANGE_BCC)
        add_recipient(m, it, it->plan.change == CHANGE_CC ? 2 : 3, PEOPLE - 1);
}

static void display_lists(struct maker *m, struct item *it)
{
    static const uint16_t ids[4] = {0, 0x0E04, 0x0E03, 0x0E02};
    for (uint8_t type = 1; type <= 3; type++) {
        for (size_t i = 0; i < it->recipient_count; i++) {
            if (it->recipients[i].type != type)
                continue;
            if (m->scratch.size > 0)
                buf_puts(&m->scratch, "; ");
            buf_puts(&m->scratch, it->recipients[i].person.name);
        }
        const char *list = make_string(m, it);
        if (list != NULL)
            bag_own(&it->bag, ids[type], T_TEXT, list, strlen(list));
    }
}

/* The owner of the mailbox: who received it. */
static void received_by(struct maker *m, struct item *it)
{
    struct bag *b = &it->bag;
    struct person owner = person_of(m->corpus, &languages[0], 0);
    make_entry_id(b, 0x003F, &owner);
    bag_text(b, 0x0040, owner.name);
    make_entry_id(b, 0x0043, &owner);
    bag_text(b, 0x0044, owner.name);
    make_search_key(b, 0x0051, &owner);
    make_search_key(b, 0x0052, &owner);
    bag_text(b, 0x0075, "EX");
    bag_text(b, 0x0076, owner.dn);
    bag_text(b, 0x0077, "EX");
    bag_text(b, 0x0078, owner.dn);
    bag_text(b, 0x3FFA, owner.name);
    make_entry_id(b, 0x3FFB, &owner);
    bag_text(b, 0x4025, owner.dn);
    bag_text(b, 0x4034, owner.name);
    bag_text(b, 0x4035, owner.name);
    bag_text(b, 0x5D07, owner.smtp);
    bag_text(b, 0x5D08, owner.smtp);
    bag_text(b, 0x5D0A, it->sender.smtp);
    bag_text(b, 0x5D0B, owner.smtp);
}

/* Numbers are drawn one a statement: in which order a call's arguments are evaluated is the
 * compiler's choice, and the same seed gives the same bytes whatever compiled us. */

static void put_two_digits(struct buf *b, char before, uint32_t n)
{
    buf_putc(b, before);
    buf_putc(b, (char)('0' + n / 10));
    buf_putc(b, (char)('0' + n % 10));
}

static void put_hex(struct buf *b, uint64_t value, unsigned digits)
{
    char hex[16];
    for (unsigned i = digits; i-- > 0; value >>= 4)
        hex[i] = "0123456789abcdef"[value & 15];
    buf_append(b, hex, digits);
}

static void received(struct buf *b, struct rng *r)
{
    static const char *const hops[] = {"AM6PR04MB1234.eurprd04.prod.example.com",
                                       "DB8PR01CA0021.eurprd01.prod.example.com",
                                       "mail-ot1-f53.example.com", "edge2.contoso.com"};
    buf_puts(b, "Received: from ");
    buf_puts(b, hops[rng_below(r, 4)]);
    buf_puts(b, " (2603:10a6:20b:");
    put_hex(b, rng_between(r, 0x100, 0xfff), 3);
    put_two_digits(b, ':', 10 + rng_below(r, 90));
    buf_puts(b, "::1)\r\n by ");
    buf_puts(b, hops[rng_below(r, 4)]);
    buf_puts(b, " with HTTPS via ");
    buf_puts(b, hops[rng_below(r, 4)]);
    buf_putc(b, ';');
    put_two_digits(b, ' ', rng_between(r, 1, 28));
    buf_puts(b, " Feb 2021");
    put_two_digits(b, ' ', rng_below(r, 24));
    put_two_digits(b, ':', rng_below(r, 60));
    put_two_digits(b, ':', rng_below(r, 60));
    buf_puts(b, " +0000\r\n");
}

static void transport_headers(struct maker *m, struct item *it, struct rng *r)
{
    struct buf *b = &m->scratch;
    uint32_t count = rng_between(r, 2, 4);
    for (uint32_t i = 0; i < count; i++)
        received(b, r);
    buf_puts(b, "Authentication-Results: spf=pass (sender IP is 192.0.2.");
    put_two_digits(b, '1', rng_below(r, 100));
    buf_puts(b, ")\r\n smtp.mailfrom=");
    buf_puts(b, it->sender.smtp);
    buf_puts(b, "; dkim=pass (signature was verified)\r\n header.d=example.com;"
                "dmarc=pass action=none;\r\nDKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; "
                "d=example.com;\r\n b=");
    for (int i = 0; i < 6; i++) {
        put_hex(b, rng_next(r), 16);
        put_hex(b, rng_next(r), 16);
        buf_puts(b, "\r\n ");
    }
    buf_puts(b, "\r\nFrom: ");
    buf_puts(b, it->sender.smtp);
    buf_puts(b, "\r\nTo: ");
    buf_puts(b, it->recipient_count > 0 ? it->recipients[0].person.smtp : "undisclosed");
    buf_puts(b, "\r\nMessage-ID: ");
    buf_puts(b, it->message_id != NULL ? it->message_id : "");
    buf_puts(b, "\r\nContent-Type: multipart/alternative; boundary=\"_000_");
    put_hex(b, rng_next(r), 8);
    buf_puts(b, "_\"\r\nMIME-Version: 1.0\r\n");
    const char *text = make_string(m, it);
    if (text != NULL)
        bag_own(&it->bag, 0x007D, T_TEXT, text, strlen(text));
}

static void make_message_id(struct maker *m, struct item *it, struct rng *r)
{
    buf_putc(&m->scratch, '<');
    put_hex(&m->scratch, rng_next(r), 16);
    put_hex(&m->scratch, rng_next(r), 8);
    buf_putc(&m->scratch, '@');
    buf_puts(&m->scratch, it->language->tag);
    buf_puts(&m->scratch, ".example.com>");
    if (it->plan.change == CHANGE_MESSAGE_ID)
        m->scratch.data[1] = 'Z';
    if (it->plan.change == CHANGE_NO_MESSAGE_ID) {
        buf_reset(&m->scratch);
        return;
    }
    it->message_id = make_string(m, it);
    if (it->message_id != NULL)
        bag_own(&it->bag, 0x1035, T_TEXT, it->message_id, strlen(it->message_id));
}

static void conversation(struct item *it, struct rng *r)
{
    uint8_t index[32], id[16];
    rng_fill(r, id, sizeof id);
    index[0] = 1;
    for (int i = 0; i < 5; i++)
        index[1 + i] = (uint8_t)(it->submitted >> (56 - 8 * i));
    memcpy(index + 6, id, 16);
    rng_fill(r, index + 22, 10);
    bag_data(&it->bag, 0x0071, T_BIN, index, rng_chance(r, 40) ? 32 : 22);
    bag_data(&it->bag, 0x3013, T_BIN, id, 16);
}

static void times(struct item *it)
{
    bag_time(&it->bag, 0x0039, it->submitted);
    bag_time(&it->bag, 0x0E06, it->delivered);
}

static void delivery_flags(struct item *it, struct rng *r)
{
    struct bag *b = &it->bag;
    bag_bool(b, 0x0057, true);
    bag_bool(b, 0x0058, rng_chance(r, 20));
    bag_bool(b, 0x0059, true);
    bag_bool(b, 0x0C06, false);
    bag_bool(b, 0x0023, false);
    bag_bool(b, 0x0E01, false);
    bag_i32(b, 0x0E23, rng_below(r, 100000));
    bag_i32(b, 0x0E2F, rng_below(r, 100000));
    bag_i32(b, 0x3FDE, 65001);
    bag_bool(b, 0x3016, true);
    bag_i32(b, 0x4019, 0);
    bag_i32(b, 0x401A, 0);
    bag_i32(b, 0x4076, rng_below(r, 5));
    bag_i32(b, 0x5902, 0x160000);
    bag_i32(b, 0x5909, 2);
    bag_i32(b, 0x65C6, 0);
    bag_text(b, 0x4022, "SMTP");
    bag_text(b, 0x4023, it->sender.smtp);
    bag_text(b, 0x4024, "EX");
    bag_text(b, 0x4030, it->sender.name);
    bag_text(b, 0x4031, it->sender.name);
    bag_text(b, 0x3FF8, it->sender.name);
    make_entry_id(b, 0x3FF9, &it->sender);
    if (rng_chance(r, 25)) {
        bag_i32(b, 0x1081, 102);
        bag_time(b, 0x1082, it->delivered + 36000000000u);
        it->flags |= 0x100;
    }
    if (rng_chance(r, 8)) {
        bag_i32(b, 0x1090, 2);
        bag_i32(b, 0x1095, 6);
        bag_text(b, NAMED + N_flag_request, "Follow up");
    }
}

static void named_props(struct maker *m, struct item *it, struct rng *r)
{
    struct bag *b = &it->bag;
    bag_i32(b, NAMED + N_side_effects, 0);
    bag_bool(b, NAMED + N_smart_no_attach, false);
    bag_bool(b, NAMED + N_private, false);
    bag_i32(b, NAMED + N_current_version, 163840 + rng_below(r, 1000));
    bag_text(b, NAMED + N_current_version_name, "16.0");
    bag_bool(b, NAMED + N_use_tnef, false);
    bag_text(b, NAMED + N_account_name, "owner@contoso.com");
    bag_text(b, NAMED + N_content_class, "urn:content-classes:message");
    bag_text(b, NAMED + N_accept_language, it->language->tag);
    bag_text(b, NAMED + N_auth_as, rng_chance(r, 50) ? "Internal" : "Anonymous");
    bag_text(b, NAMED + N_auth_source, "AM6PR04MB1234.eurprd04.prod.example.com");
    bag_text(b, NAMED + N_has_attach, it->attachment_count > 0 ? "yes" : "");
    bag_text(b, NAMED + N_traffic_type, "Email");
    bag_text(b, NAMED + N_originating_ip, "[192.0.2.17]");
    static const unsigned digits[] = {8, 4, 4, 16};
    for (unsigned i = 0; i < 4; i++) {
        put_hex(&m->scratch, rng_next(r), digits[i]);
        if (i < 3)
            buf_putc(&m->scratch, '-');
    }
    const char *id = make_string(m, it);
    if (id != NULL)
        bag_own(b, NAMED + N_network_message_id, T_TEXT, id, strlen(id));
    uint8_t blob[640];
    uint32_t n = rng_between(r, 200, sizeof blob);
    static const char hex[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+/=;";
    for (uint32_t i = 0; i < n; i++)
        blob[i] = (uint8_t)hex[rng_below(r, 64)];
    bag_data(b, NAMED + N_antispam, T_TEXT, blob, n / 2);
    bag_text(b, NAMED + N_custom_text, it->plan.change == CHANGE_NAMED ? "other" : "K-7 überall");
    if (rng_chance(r, 12))
        bag_data(b, NAMED + N_keywords, T_MULTI_TEXT, "Red Category\0Project", 21);
}

static void preview(struct item *it)
{
    if (it->text == NULL)
        return;
    size_t n = strlen(it->text);
    if (n > 240) {
        n = 240;
        while (n > 0 && (it->text[n] & 0xC0) == 0x80)
            n--;
    }
    bag_data(&it->bag, 0x6619, T_TEXT, it->text, n);
}

/* As Outlook 2016 stores it: RTF alone, names in a font of their own, trouble in red. */
static void sync_log_rtf(struct maker *m, struct item *it, struct rng *r)
{
    static const uint32_t codes[] = {0x80040102, 0x8004010F};
    buf_printf(
        &m->scratch,
        "{\\rtf1\\ansi\\deff0{\\fonttbl{\\f0\\froman\\fcharset0 Arial;}"
        "{\\f1\\fswiss\\fcharset0 'Wrong';}}{\\colortbl\\red0\\green0\\blue0;}\\plain\\fs18\r\n"
        "\\uc1 10:21:51 Synchronizer Version 16.0.4266\\par\r\n"
        "10:21:51 Synchronizing Mailbox '\\f1 Owner\\f0 '\\par\r\n"
        "10:21:51 Synchronizing server changes in folder '\\f1 Project 1\\f0 '\\par\r\n"
        "10:21:52 Downloading from server 'https://mail.example.com/mapi'\\par\r\n"
        "\\cf2 10:21:52 \\tab\r\n\\tab\r\n [%08X-503-4DE-501]\\plain\\fs18 \\par\r\n"
        "10:21:53 Done\\par\r\n}",
        codes[rng_below(r, 2)]);
    it->rtf_size = m->scratch.size;
    it->rtf = (const uint8_t *)make_string(m, it);
    make_subject(it, "", "Synchronization Log:");
}

static void sync_log(struct maker *m, struct item *it, struct rng *r)
{
    if (it->plan.number % 3 == 1) {
        sync_log_rtf(m, it, r);
        return;
    }
    static const uint32_t codes[] = {0x80004005, 0x8004010F, 0x80190194, 0x8004011D};
    buf_printf(&m->scratch,
               "%02u:%02u:%02u Synchronizer Version 16.0.14326\r\n"
               "%02u:%02u:%02u Synchronizing Mailbox 'Owner'\r\n"
               "%02u:%02u:%02u Synchronizing local changes in folder 'Inbox'\r\n"
               "%02u:%02u:%02u Error synchronizing folder\r\n"
               "%02u:%02u:%02u \t\t [%08X-501-4B9-560]\r\n"
               "%02u:%02u:%02u Done\r\n",
               9, 1, 2, 9, 1, 2, 9, 1, 3, 9, 1, 4, 9, 1, 4, codes[rng_below(r, 4)], 9, 1, 5);
    it->text = make_string(m, it);
    if (it->text != NULL)
        bag_own(&it->bag, 0x1000, T_TEXT, it->text, strlen(it->text));
    make_subject(it, "", "Synchronization Log:");
}

static const char *class_of(struct item *it, struct rng *r)
{
    static const char *const meetings[] = {
        "IPM.Schedule.Meeting.Request", "IPM.Schedule.Meeting.Resp.Pos",
        "IPM.Schedule.Meeting.Resp.Neg", "IPM.Schedule.Meeting.Canceled"};
    uint32_t n = rng_below(r, 100);
    switch (it->plan.kind) {
    case ITEM_MEETING:
        return meetings[n % 4];
    case ITEM_POST:
        return n < 30 ? "IPM.Post.RSS" : "IPM.Post";
    case ITEM_REPORT:
        return n < 50 ? "REPORT.IPM.Note.NDR" : "REPORT.IPM.Note.IPNRN";
    case ITEM_SHARING:
        return "IPM.Sharing";
    default:
        return n < 3 ? "IPM.Note.SMIME.MultipartSigned" : "IPM.Note";
    }
}

static void meeting_props(struct item *it, struct rng *r)
{
    struct bag *b = &it->bag;
    uint8_t id[56] = {0x04, 0,    0,    0,    0x82, 0,    0xE0, 0,
                      0x74, 0xC5, 0xB7, 0x10, 0x1A, 0x82, 0xE0, 0x08};
    rng_fill(r, id + 36, 20);
    uint64_t start = it->submitted / 18000000000u * 18000000000u + 864000000000u;
    bag_data(b, NAMED + N_global_object_id, T_BIN, id, sizeof id);
    bag_data(b, NAMED + N_clean_global_object_id, T_BIN, id, sizeof id);
    bag_time(b, NAMED + N_start, start);
    bag_time(b, NAMED + N_end, start + 36000000000u);
    bag_i32(b, NAMED + N_sequence, rng_below(r, 3));
    bag_i32(b, NAMED + N_busy_status, 1);
    bag_i32(b, NAMED + N_intended_busy, 2);
    bag_i32(b, NAMED + N_meeting_type, 1);
    bag_bool(b, NAMED + N_is_silent, false);
    bag_text(b, NAMED + N_location, "Room 4.12");
    bag_text(b, NAMED + N_where, "Room 4.12");
    bag_time(b, NAMED + N_attendee_critical_change, it->submitted);
    bag_time(b, 0x0060, start);
    bag_time(b, 0x0061, start + 36000000000u);
}

static void report_props(struct item *it, struct rng *r)
{
    struct bag *b = &it->bag;
    bag_time(b, 0x0032, it->submitted);
    bag_text(b, 0x1001, "Delivery has failed to these recipients or groups.");
    bag_i32(b, 0x0C04, 1);
    bag_i32(b, 0x0C20, rng_below(r, 6));
    bag_text(b, 0x0C1B, "550 5.1.10 RESOLVER.ADR.RecipientNotFound");
}

static void sharing_props(struct item *it, struct rng *r)
{
    struct bag *b = &it->bag;
    bag_i32(b, NAMED + N_sharing_capabilities, 0x40290);
    bag_i32(b, NAMED + N_sharing_flavor, 0x20310);
    bag_text(b, NAMED + N_sharing_remote_name, rng_chance(r, 50) ? "Calendar" : "Contacts");
}

static void mail_body(struct maker *m, struct item *it, struct rng *r)
{
    uint32_t html = m->mail_html_bytes, text = m->mail_text_bytes;
    uint32_t roll = rng_below(r, 100);
    size_t html_bytes = rng_between(r, html / 2, html * 3 / 2);
    size_t text_bytes = rng_between(r, text / 2, text * 3 / 2);
    if (it->plan.features & FEATURE_HEADER_ONLY)
        return;
    if (it->plan.features & FEATURE_BODIES)
        make_bodies(m, it, r, text_bytes, html_bytes, text_bytes);
    else if (roll < 70)
        make_bodies(m, it, r, roll < 20 ? text_bytes : 0, html_bytes, 0);
    else
        make_bodies(m, it, r, text_bytes, 0, roll < 78 ? text_bytes : 0);
}

static void mail_attachments(struct maker *m, struct item *it, struct rng *r)
{
    static const uint32_t powers[] = {100, 60, 30, 10};
    bool has = rng_chance(r, m->attach_percent);
    uint32_t count = 1u + rng_chance(r, 25);
    count += rng_chance(r, 8);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t span = m->attach_max - m->attach_min + 1, size = span;
        for (int k = 0; k < 3; k++)
            size = size * rng_below(r, powers[k] + 1) / 100;
        if (has && (it->plan.features & (FEATURE_BARE | FEATURE_HEADER_ONLY)) == 0)
            make_attachment(m, it, r, m->attach_min + size % span);
    }
}

void make_mail(struct maker *m, struct item *it, struct rng *r)
{
    uint32_t sender = rng_below(r, PEOPLE - 2);
    if (it->plan.change == CHANGE_SENDER)
        sender = (sender + 1) % (PEOPLE - 2);
    it->class = class_of(it, r);
    struct person from = person_of(m->corpus, it->language, sender);
    make_person_props(it, &from);
    times(it);
    if (it->plan.features & FEATURE_BARE)
        return;
    make_recipients(m, it, r);
    make_message_id(m, it, r);
    text_title(r, it->language, &m->scratch, rng_between(r, 2, 8));
    if (it->plan.change == CHANGE_SUBJECT)
        buf_puts(&m->scratch, " (2)");
    const char *subject = make_string(m, it);
    uint32_t prefix = rng_below(r, 10);
    if (subject != NULL)
        make_subject(it,
                     prefix < 3   ? it->language->reply
                     : prefix < 4 ? it->language->forward
                                  : "",
                     subject);
    conversation(it, r);
    display_lists(m, it);
    received_by(m, it);
    delivery_flags(it, r);
    if (it->plan.features & FEATURE_SYNC_LOG) {
        sync_log(m, it, r);
        return;
    }
    mail_body(m, it, r);
    preview(it);
    mail_attachments(m, it, r);
    if (it->plan.features & FEATURE_HEADER_ONLY)
        return;
    transport_headers(m, it, r);
    named_props(m, it, r);
    if (it->plan.kind == ITEM_MEETING)
        meeting_props(it, r);
    if (it->plan.kind == ITEM_REPORT)
        report_props(it, r);
    if (it->plan.kind == ITEM_SHARING)
        sharing_props(it, r);
}
