#include "tests/gen/profile.h"

#include <string.h>

/* One of everything, and the rare things of every layer. */
static const struct plan tiny_script[] = {
    {.kind = ITEM_MAIL, .language = 0, .features = FEATURE_BODIES},
    {.kind = ITEM_MAIL, .language = 1, .features = FEATURE_ATTACHMENTS, .number = 3},
    {.kind = ITEM_MAIL, .language = 0, .features = FEATURE_MANY_RECIPIENTS},
    {.kind = ITEM_MAIL, .language = 2, .features = FEATURE_EMBEDDED, .number = 3},
    {.kind = ITEM_MAIL, .language = 0, .features = FEATURE_MANY_PROPS},
    {.kind = ITEM_MAIL, .language = 0, .features = FEATURE_BARE},
    {.kind = ITEM_MAIL, .language = 0, .features = FEATURE_HEADER_ONLY},
    {.kind = ITEM_MAIL, .language = 0, .features = FEATURE_REFERENCES},
    {.kind = ITEM_MAIL, .language = 0, .features = FEATURE_ODD_VALUES},
    {.kind = ITEM_MAIL, .language = 0, .features = FEATURE_BIG_ATTACHMENT, .number = 150000},
    {.kind = ITEM_MAIL, .language = 0, .features = FEATURE_SYNC_LOG},
    {.kind = ITEM_MAIL, .language = 15},
    {.kind = ITEM_MAIL, .language = 11},
    {.kind = ITEM_MAIL, .language = 3, .features = FEATURE_BODIES},
    {.kind = ITEM_MAIL, .language = 4, .features = FEATURE_BODIES},
    {.kind = ITEM_MAIL, .language = 5},
    {.kind = ITEM_MAIL, .language = 6},
    {.kind = ITEM_MAIL, .language = 7},
    {.kind = ITEM_MAIL, .language = 8},
    {.kind = ITEM_MAIL, .language = 9},
    {.kind = ITEM_MAIL, .language = 10},
    {.kind = ITEM_MAIL, .language = 12},
    {.kind = ITEM_MAIL, .language = 13},
    {.kind = ITEM_MAIL, .language = 14},
    {.kind = ITEM_APPOINTMENT, .language = 0},
    {.kind = ITEM_APPOINTMENT, .language = 11},
    {.kind = ITEM_MEETING, .language = 0},
    {.kind = ITEM_MEETING, .language = 1},
    {.kind = ITEM_CONTACT, .language = 2},
    {.kind = ITEM_CONTACT, .language = 12},
    {.kind = ITEM_DISTLIST, .language = 0},
    {.kind = ITEM_TASK, .language = 1},
    {.kind = ITEM_TASK, .language = 0},
    {.kind = ITEM_NOTE, .language = 0},
    {.kind = ITEM_NOTE, .language = 4},
    {.kind = ITEM_JOURNAL, .language = 0},
    {.kind = ITEM_POST, .language = 0},
    {.kind = ITEM_REPORT, .language = 0},
    {.kind = ITEM_DOCUMENT, .language = 0},
    {.kind = ITEM_SHARING, .language = 0},
    {.kind = ITEM_CONFIG, .language = 0},
    {.kind = ITEM_CONFIG, .language = 0},
    {.kind = ITEM_VIEW, .language = 1},
    {.kind = ITEM_PERSON, .language = 2},
};

static const struct plan deep_script[] = {
    {.kind = ITEM_MAIL, .language = 0, .features = FEATURE_EMBEDDED, .number = 12},
    {.kind = ITEM_MAIL, .language = 0, .features = FEATURE_EMBEDDED, .number = 20},
    {.kind = ITEM_MAIL, .language = 0, .features = FEATURE_BIG_ATTACHMENT, .number = 18 << 20},
    {.kind = ITEM_MAIL, .language = 0, .features = FEATURE_ATTACHMENTS, .number = 2800},
    {.kind = ITEM_MAIL, .language = 0, .features = FEATURE_MANY_VALUES, .number = 400},
    {.kind = ITEM_MAIL, .language = 0, .features = FEATURE_MANY_PROPS | FEATURE_MANY_RECIPIENTS},
};

#define MIXED                                                                                      \
    .weights = {                                                                                   \
        [ITEM_MAIL] = 58,    [ITEM_APPOINTMENT] = 12, [ITEM_MEETING] = 5,  [ITEM_CONTACT] = 6,     \
        [ITEM_DISTLIST] = 1, [ITEM_TASK] = 4,         [ITEM_NOTE] = 2,     [ITEM_JOURNAL] = 2,     \
        [ITEM_POST] = 2,     [ITEM_REPORT] = 2,       [ITEM_DOCUMENT] = 1, [ITEM_SHARING] = 1,     \
        [ITEM_CONFIG] = 3,   [ITEM_VIEW] = 1}
#define SCRIPT(s) .script = (s), .script_count = sizeof(s) / sizeof *(s)

const struct profile profiles[] = {
    {.name = "mail",
     .text = "mails of 100 properties and 12 to 20 KB allocated each: HTML in 70 %, 1 to 4 "
             "recipients, 15 % with an attachment of 1 to 60 KB",
     .items = 1000,
     .weights = {[ITEM_MAIL] = 100},
     .html_bytes = 5200,
     .text_bytes = 1500,
     .attach_percent = 15,
     .attach_min = 1000,
     .attach_max = 60000,
     .user_folders = 24,
     .folder_depth = 3},
    {.name = "attach",
     .text = "mails with attachments of 64 KB to 24 MB each, most of them near the lower end",
     .items = 20,
     .weights = {[ITEM_MAIL] = 100},
     .html_bytes = 4000,
     .text_bytes = 1000,
     .attach_percent = 100,
     .attach_min = 64 << 10,
     .attach_max = 24 << 20,
     .user_folders = 4,
     .folder_depth = 1},
    {.name = "mixed",
     .text = "58 % mails, the rest every other kind of item, associated ones too",
     .items = 500,
     MIXED,
     .html_bytes = 5200,
     .text_bytes = 1500,
     .attach_percent = 15,
     .attach_min = 10,
     .attach_max = 400000,
     .user_folders = 24,
     .folder_depth = 4},
    {.name = "notes",
     .text = "short notes and nothing else: for very many items in one folder",
     .items = 1000,
     .weights = {[ITEM_NOTE] = 100},
     .text_bytes = 40,
     .user_folders = 4,
     .folder_depth = 1},
    {.name = "tiny",
     .text = "one of everything, small: all kinds, 16 languages, 500 recipients once, items three "
             "deep, long values, odd values, stale pages; more items are as in mixed",
     .items = sizeof tiny_script / sizeof *tiny_script,
     MIXED,
     .html_bytes = 2500,
     .text_bytes = 500,
     .attach_percent = 10,
     .attach_min = 0,
     .attach_max = 3000,
     .user_folders = 4,
     .folder_depth = 2,
     SCRIPT(tiny_script)},
    {.name = "deep",
     .text = "folders 60 deep, items 12 and 20 deep, an attachment of 18 MB (XXBLOCK; in 4k images "
             "its XBLOCKs take 64 blocks each), 2,800 attachments (SIBLOCK), 400 long values",
     .items = 40,
     .weights = {[ITEM_MAIL] = 80, [ITEM_APPOINTMENT] = 20},
     .html_bytes = 5200,
     .text_bytes = 1500,
     .attach_percent = 15,
     .attach_min = 10,
     .attach_max = 400000,
     .user_folders = 60,
     .folder_depth = 60,
     .xblock_children_4k = 64,
     SCRIPT(deep_script)},
};

const size_t profile_count = sizeof profiles / sizeof *profiles;

const struct profile *profile_find(const char *name)
{
    for (size_t i = 0; i < profile_count; i++) {
        if (strcmp(profiles[i].name, name) == 0)
            return &profiles[i];
    }
    return NULL;
}
