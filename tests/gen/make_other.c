#include <string.h>

#include "io/bytes.h"
#include "tests/gen/item.h"

/* Items that are no mail: calendar, contacts, tasks, notes, journal, documents, associated ones. */

static const char *title(struct maker *m, struct item *it, struct rng *r, uint32_t words)
{
    text_title(r, it->language, &m->scratch, words);
    if (it->plan.change == CHANGE_SUBJECT)
        buf_puts(&m->scratch, " (2)");
    const char *text = make_string(m, it);
    return text != NULL ? text : "";
}

static void own_text(struct bag *b, uint16_t id, const char *text)
{
    if (text != NULL)
        bag_own(b, id, T_TEXT, text, strlen(text));
}

/* What Outlook puts on every item it makes itself. */
static void outlook_props(struct maker *m, struct item *it, struct rng *r)
{
    struct bag *b = &it->bag;
    struct person owner = person_of(m->corpus, &languages[0], 0);
    make_person_props(it, &owner);
    bag_i32(b, NAMED + N_current_version, 163840 + rng_below(r, 1000));
    bag_text(b, NAMED + N_current_version_name, "16.0");
    bag_i32(b, NAMED + N_side_effects, 256);
    bag_bool(b, NAMED + N_private, false);
    bag_i32(b, NAMED + N_task_mode, 0);
    bag_i32(b, 0x3FDE, 65001);
    bag_text(b, 0x3FFA, owner.name);
    bag_time(b, 0x0039, it->submitted);
    bag_time(b, 0x0E06, it->delivered);
}

/* A weekly recurrence without exceptions ([MS-OXOCAL] 2.2.1.44). */
static size_t recurrence(uint8_t *out, uint64_t start)
{
    uint32_t minutes = (uint32_t)(start / 600000000u % 0xFFFFFFFFu);
    memset(out, 0, 84);
    put_le16(out, 0x3004);
    put_le16(out + 2, 0x3004);
    put_le16(out + 4, 0x200B);
    put_le16(out + 6, 1);
    put_le32(out + 10, minutes % 10080);
    put_le32(out + 14, 1);
    put_le32(out + 22, 2);
    put_le32(out + 26, 0x2023);
    put_le32(out + 30, 52);
    put_le32(out + 34, 1);
    put_le32(out + 46, minutes / 1440 * 1440);
    put_le32(out + 50, 0x5AE980DF);
    put_le32(out + 54, 0x3006);
    put_le32(out + 58, 0x3009);
    put_le32(out + 62, minutes % 1440);
    put_le32(out + 66, minutes % 1440 + 60);
    return 84;
}

static void appointment(struct maker *m, struct item *it, struct rng *r)
{
    struct bag *b = &it->bag;
    uint8_t id[56] = {0x04, 0,    0,    0,    0x82, 0,    0xE0, 0,
                      0x74, 0xC5, 0xB7, 0x10, 0x1A, 0x82, 0xE0, 0x08};
    uint8_t blob[96];
    uint64_t start = it->submitted / 18000000000u * 18000000000u;
    uint64_t end = start + 18000000000u * rng_between(r, 1, 6);
    bool recurring = rng_chance(r, 20);
    it->class = "IPM.Appointment";
    outlook_props(m, it, r);
    make_subject(it, "", title(m, it, r, 4));
    rng_fill(r, id + 36, 20);
    bag_data(b, NAMED + N_global_object_id, T_BIN, id, sizeof id);
    bag_data(b, NAMED + N_clean_global_object_id, T_BIN, id, sizeof id);
    bag_time(b, NAMED + N_start, start);
    bag_time(b, NAMED + N_end, end);
    bag_time(b, NAMED + N_common_start, start);
    bag_time(b, NAMED + N_common_end, end);
    bag_time(b, NAMED + N_clip_start, start);
    bag_time(b, NAMED + N_clip_end, end);
    bag_time(b, 0x0060, start);
    bag_time(b, 0x0061, end);
    bag_i32(b, NAMED + N_duration, (uint32_t)((end - start) / 600000000u));
    bag_i32(b, NAMED + N_busy_status, rng_below(r, 4));
    bag_i32(b, NAMED + N_sequence, 0);
    bag_i32(b, NAMED + N_state_flags, 0);
    bag_i32(b, NAMED + N_response_status, 0);
    bag_bool(b, NAMED + N_all_day, rng_chance(r, 10));
    bag_bool(b, NAMED + N_recurring, recurring);
    own_text(b, NAMED + N_location, title(m, it, r, 2));
    bag_bool(b, NAMED + N_reminder_set, rng_chance(r, 60));
    bag_i32(b, NAMED + N_reminder_delta, 15);
    bag_time(b, NAMED + N_reminder_time, start);
    bag_time(b, NAMED + N_reminder_signal, start - 9000000000u);
    bag_text(b, NAMED + N_time_zone_name, "(UTC+01:00) Amsterdam, Berlin, Bern, Rome");
    if (recurring) {
        bag_data(b, NAMED + N_recurrence, T_BIN, blob, recurrence(blob, start));
        bag_text(b, NAMED + N_recurrence_pattern, "every week");
    }
    make_bodies(m, it, r, 300, 0, 400);
}

static void contact(struct maker *m, struct item *it, struct rng *r)
{
    struct bag *b = &it->bag;
    uint32_t n = rng_below(r, 256);
    struct person p = person_of(m->corpus, it->language, n);
    it->class = "IPM.Contact";
    outlook_props(m, it, r);
    make_subject(it, "", p.name);
    bag_text(b, 0x3001, p.name);
    bag_text(b, 0x3A06, it->language->given[n % 8]);
    bag_text(b, 0x3A11, it->language->family[n / 8 % 8]);
    own_text(b, 0x3A16, title(m, it, r, 2));
    own_text(b, 0x3A17, title(m, it, r, 1));
    bag_text(b, 0x3A08, "+49 30 1234567");
    bag_text(b, 0x3A1C, "+49 170 1234567");
    bag_text(b, 0x3A09, "+49 30 7654321");
    bag_text(b, 0x3A24, "+49 30 1111111");
    bag_time(b, 0x3A42, it->submitted / 864000000000u * 864000000000u);
    bag_text(b, NAMED + N_file_under, p.name);
    bag_i32(b, NAMED + N_file_under_id, 0x8017);
    own_text(b, NAMED + N_work_address, title(m, it, r, 5));
    own_text(b, NAMED + N_work_street, title(m, it, r, 2));
    own_text(b, NAMED + N_work_city, title(m, it, r, 1));
    own_text(b, NAMED + N_home_address, title(m, it, r, 4));
    bag_text(b, NAMED + N_email1_display, p.name);
    bag_text(b, NAMED + N_email1_type, "SMTP");
    bag_text(b, NAMED + N_email1_address, p.smtp);
    bag_text(b, NAMED + N_email1_original, p.smtp);
    bag_text(b, NAMED + N_im_address, p.smtp);
    if (rng_chance(r, 40))
        make_bodies(m, it, r, 120, 0, 0);
    if (rng_chance(r, 25)) {
        make_attachment(m, it, r, 4000);
        if (it->attachment_count > 0)
            it->attachments[0].name = "ContactPicture.jpg";
    }
}

/* What Outlook gathers about a person from address books and the server, hidden from people. */
static void person(struct maker *m, struct item *it, struct rng *r)
{
    struct bag *b = &it->bag;
    uint32_t n = rng_below(r, 256);
    struct person p = person_of(m->corpus, it->language, n);
    it->class = "IPM.AbchPerson";
    outlook_props(m, it, r);
    make_subject(it, "", p.name);
    bag_text(b, 0x3001, p.name);
    bag_text(b, 0x3A06, it->language->given[n % 8]);
    bag_text(b, 0x3A11, it->language->family[n / 8 % 8]);
    bag_text(b, 0x3A08, "+49 30 1234567");
    bag_text(b, NAMED + N_file_under, p.name);
    bag_text(b, NAMED + N_email1_display, p.name);
    bag_text(b, NAMED + N_email1_type, "SMTP");
    bag_text(b, NAMED + N_email1_address, p.smtp);
}

/* Members and one-off members: entry ids in a multi-valued binary. */
static void distlist(struct maker *m, struct item *it, struct rng *r)
{
    struct bag *b = &it->bag;
    uint8_t list[4096];
    uint32_t count = rng_between(r, 3, 12), at = 4 + 4 * count;
    it->class = "IPM.DistList";
    outlook_props(m, it, r);
    const char *name = title(m, it, r, 2);
    make_subject(it, "", name);
    put_le32(list, count);
    for (uint32_t i = 0; i < count; i++) {
        struct person p = person_of(m->corpus, it->language, rng_below(r, 256));
        struct bag *one = b;
        make_entry_id(one, 0x6FFF, &p);
        const struct prop *last = &one->list[one->count - 1];
        put_le32(list + 4 + 4 * i, at);
        if (at + last->size < sizeof list) {
            memcpy(list + at, last->data, last->size);
            at += last->size;
        }
        bag_remove(one, 0x6FFF);
    }
    bag_data(b, NAMED + N_dl_members, T_MULTI_BIN, list, at);
    bag_data(b, NAMED + N_dl_one_off, T_MULTI_BIN, list, at);
    bag_i32(b, NAMED + N_dl_checksum, (uint32_t)rng_next(r));
    bag_text(b, 0x3001, name);
    bag_text(b, NAMED + N_file_under, name);
}

static void task(struct maker *m, struct item *it, struct rng *r)
{
    struct bag *b = &it->bag;
    bool done = rng_chance(r, 40);
    uint64_t day = it->submitted / 864000000000u * 864000000000u;
    it->class = rng_chance(r, 10) ? "IPM.TaskRequest" : "IPM.Task";
    outlook_props(m, it, r);
    make_subject(it, "", title(m, it, r, 5));
    bag_i32(b, NAMED + N_task_status, done ? 2 : 1);
    bag_fixed(b, NAMED + N_percent_complete, T_F64, done ? 0x3FF0000000000000u : 0);
    bag_bool(b, NAMED + N_task_complete, done);
    bag_bool(b, NAMED + N_task_recurring, false);
    bag_time(b, NAMED + N_task_start, day);
    bag_time(b, NAMED + N_task_due, day + 5 * 864000000000u);
    bag_i32(b, NAMED + N_task_effort, rng_below(r, 2400));
    own_text(b, NAMED + N_task_owner, title(m, it, r, 1));
    if (done)
        bag_time(b, NAMED + N_task_completed, day + 864000000000u);
    make_bodies(m, it, r, 200, 0, 250);
}

static void note(struct maker *m, struct item *it, struct rng *r)
{
    struct bag *b = &it->bag;
    it->class = "IPM.StickyNote";
    outlook_props(m, it, r);
    make_subject(it, "", title(m, it, r, 3));
    bag_i32(b, NAMED + N_note_color, rng_below(r, 5));
    bag_i32(b, NAMED + N_note_width, 200);
    bag_i32(b, NAMED + N_note_height, 166);
    bag_i32(b, NAMED + N_note_x, rng_below(r, 1000));
    bag_i32(b, NAMED + N_note_y, rng_below(r, 700));
    make_bodies(m, it, r, 150, 0, 0);
}

static void journal(struct maker *m, struct item *it, struct rng *r)
{
    struct bag *b = &it->bag;
    it->class = "IPM.Activity";
    outlook_props(m, it, r);
    make_subject(it, "", title(m, it, r, 4));
    bag_text(b, NAMED + N_log_type, "Phone call");
    bag_text(b, NAMED + N_log_description, "Phone call");
    bag_time(b, NAMED + N_log_start, it->submitted);
    bag_time(b, NAMED + N_log_end, it->submitted + 6000000000u);
    bag_i32(b, NAMED + N_log_duration, 10);
    make_bodies(m, it, r, 250, 0, 0);
}

static void document(struct maker *m, struct item *it, struct rng *r)
{
    struct bag *b = &it->bag;
    it->class = "IPM.Document.Word.Document.12";
    outlook_props(m, it, r);
    make_subject(it, "", title(m, it, r, 3));
    own_text(b, NAMED + N_doc_title, title(m, it, r, 3));
    own_text(b, NAMED + N_doc_author, title(m, it, r, 1));
    bag_i32(b, NAMED + N_doc_pages, rng_below(r, 90));
    make_attachment(m, it, r, rng_between(r, 1000, 20000));
}

static void config(struct maker *m, struct item *it, struct rng *r)
{
    static const char *const classes[] = {
        "IPM.Configuration.Calendar", "IPM.Configuration.CategoryList", "IPM.Rule.Version2.Message",
        "IPM.ExtendedRule.Message", "IPM.RuleOrganizer"};
    struct bag *b = &it->bag;
    it->assoc = true;
    it->class = classes[rng_below(r, 5)];
    make_subject(it, "", it->class);
    bag_i32(b, 0x7C06, 4);
    text_prose(m->corpus, r, it->language, &m->scratch, 400, "\n");
    const char *xml = make_string(m, it);
    if (xml != NULL)
        bag_own(b, 0x7C08, T_BIN, xml, strlen(xml));
    bag_i32(b, 0x6803, 0);
}

static void view(struct maker *m, struct item *it, struct rng *r)
{
    struct bag *b = &it->bag;
    uint8_t blob[600];
    it->assoc = true;
    it->class = "IPM.Microsoft.FolderDesign.NamedView";
    make_subject(it, "", title(m, it, r, 2));
    own_text(b, 0x7006, title(m, it, r, 2));
    bag_i32(b, 0x7003, 8);
    rng_fill(r, blob, sizeof blob);
    bag_data(b, 0x7001, T_BIN, blob, sizeof blob);
    bag_i32(b, 0x7007, 0);
}

void make_other(struct maker *m, struct item *it, struct rng *r)
{
    static void (*const makers[ITEM_KINDS])(struct maker *, struct item *, struct rng *) = {
        [ITEM_APPOINTMENT] = appointment,
        [ITEM_CONTACT] = contact,
        [ITEM_DISTLIST] = distlist,
        [ITEM_TASK] = task,
        [ITEM_NOTE] = note,
        [ITEM_JOURNAL] = journal,
        [ITEM_DOCUMENT] = document,
        [ITEM_PERSON] = person,
        [ITEM_CONFIG] = config,
        [ITEM_VIEW] = view,
    };
    makers[it->plan.kind](m, it, r);
}
