/*
 * advice_steps.c: see advice_steps.h.
 *
 * Nothing is ever said to be safe to delete. Where an export may be needed it comes first, whatever
 * follows; and what is set aside is kept until its owner has looked.
 */
#include "index/advice_steps.h"

#include <inttypes.h>
#include <string.h>

struct writer {
    const struct advice *advice;
    void *ctx;
    int (*step)(void *ctx, const struct advice_step *step);
    struct buf text;
    int code;
};

/* Tells the step whose text stands in w->text. */
static void tell(struct writer *w, struct advice_step step)
{
    step.text = buf_cstr(&w->text);
    if (!w->code)
        w->code = step.text ? w->step(w->ctx, &step) : ERR_NOMEM;
    buf_reset(&w->text);
}

static void say(struct writer *w, const char *name, const char *text)
{
    buf_puts(&w->text, text);
    tell(w, (struct advice_step){.name = name});
}

static void put_download(struct buf *out, const struct chk_download *d)
{
    buf_printf(out, "%" PRIu64 " items, %.1f MiB or more", d->items,
               (double)d->bytes / (1024 * 1024));
}

static void close_outlook(struct writer *w)
{
    say(w, "close_outlook",
        "Close Outlook, and see in the Task Manager that no OUTLOOK.EXE is left.");
}

static void export_whole(struct writer *w, const char *what)
{
    buf_printf(&w->text,
               "Nothing shows that the server has all of it. Compare first (ostscan compare), or "
               "export %s to a PST: File > Open & Export > Import/Export > Export to a file > "
               "Outlook Data File (.pst).",
               what);
    tell(w, (struct advice_step){.name = "export_or_compare"});
}

/* What comes before anything is dropped. */
static void export_first(struct writer *w, const char *what)
{
    switch (w->advice->verdict.export_first) {
    case EXPORT_REQUIRED:
        buf_puts(&w->text,
                 "Export these items to a PST before anything else, for they may be on this "
                 "computer alone: File > Open & Export > Import/Export > Export to a file > "
                 "Outlook Data File (.pst). The folders Sync Issues, Local Failures and Conflicts "
                 "show in the folder list (Ctrl+6).");
        tell(w, (struct advice_step){.name = "export_items", .lists_items = true});
        export_whole(w, what);
        break;
    case EXPORT_UNKNOWN:
        export_whole(w, what);
        break;
    case EXPORT_NOTHING_FOUND:
        say(w, "export_nothing_found",
            "The comparison found nothing that the server lacks. An export to a PST costs little "
            "and guards against what it could not see.");
        break;
    }
}

static void bring_back(struct writer *w)
{
    say(w, "import_missing",
        "Import from the PST what is missing on the server: File > Open & Export > Import/Export > "
        "Import from another program or file, with \"Do not import duplicates\".");
}

static void resync_folders(struct writer *w)
{
    export_first(w, "each folder below");
    buf_puts(&w->text,
             "For each of these folders: right-click it > Properties > General > Clear Offline "
             "Items > OK.");
    tell(w, (struct advice_step){.name = "clear_offline_items", .lists_folders = true});
    say(w, "update_folder",
        "In each of them: Send/Receive > Update Folder, and wait until the status bar says that "
        "all folders are up to date.");
    bring_back(w);
    say(w, "scan_again",
        "Close Outlook and scan the OST again. If the folders are still not clean, have the OST "
        "rebuilt.");
}

static void rebuild(struct writer *w)
{
    export_first(w, "the mailbox");
    close_outlook(w);
    buf_printf(&w->text, "Rename the file to .old, and do not delete it: %s", w->advice->path);
    tell(w, (struct advice_step){.name = "rename_old"});
    buf_puts(&w->text, "Start Outlook, which makes a new OST and downloads the mailbox again");
    if (w->advice->verdict.has_download) {
        buf_puts(&w->text, " (");
        put_download(&w->text, &w->advice->verdict.download);
        buf_putc(&w->text, ')');
    }
    buf_puts(&w->text, ". Wait until the status bar says that all folders are up to date.");
    tell(w, (struct advice_step){.name = "start_outlook"});
    say(w, "compare_old_new",
        "Close Outlook, scan the new OST, and compare the manifest of the old with that of the new "
        "(ostscan compare): it tells whether anything is missing.");
    bring_back(w);
    say(w, "keep_old", "Keep the .old file until the owner has found everything.");
}

static void repair_copy(struct writer *w)
{
    const struct advice *a = w->advice;

    close_outlook(w);
    buf_printf(&w->text,
               "Copy the file, and work on the copy alone; the original stays as it is: %s",
               a->path);
    tell(w, (struct advice_step){.name = "copy_file"});
    say(w, "scanpst",
        "Run the Inbox Repair tool, SCANPST.EXE (beside OUTLOOK.EXE), on the copy until it reports "
        "no more errors; let it make its backup.");
    say(w, "open_copy",
        "Open the copy in Outlook (File > Open & Export > Open Outlook Data File), look for a "
        "folder Lost and Found or Recovered Personal Folders, and move what is in there to a new "
        "PST.");
    say(w, "compare_copy",
        "Scan the copy, and compare its manifest with this one (ostscan compare): the repair may "
        "have dropped items that can be read in the original.");
    if (strcmp(a->content, "ost") == 0)
        say(w, "not_rebuilt",
            "This OST is not known to be of an Exchange account, so it is not advised to have it "
            "built anew: what only it holds would be lost. If it is of Exchange after all, export "
            "it to a PST before you let Outlook rebuild it.");
}

static void none(struct writer *w)
{
    if (w->advice->verdict.export_first != EXPORT_REQUIRED) {
        say(w, "nothing", "The file is sound: nothing is to be done about it.");
        return;
    }
    buf_puts(&w->text,
             "The file is sound, but these items may be on this computer alone. See that they are "
             "sent or uploaded, or export them to a PST (File > Open & Export > Import/Export > "
             "Export to a file), before the file is moved, cleared or rebuilt.");
    tell(w, (struct advice_step){.name = "export_items", .lists_items = true});
}

static void look_again(struct writer *w)
{
    const struct advice *a = w->advice;

    if (*a->incomplete)
        say(w, "scan_again", "The manifest is incomplete: scan the image again.");
    else
        say(w, "scan_again",
            "What was seen does not settle it. Scan a copy from another disk; `ostscan check "
            "--deep` and `ostscan scan --engine libpff` are second opinions.");
    say(w, "change_nothing",
        "Until then clear, rename or delete nothing, and keep a copy of the file.");
    if (a->verdict.export_first == EXPORT_REQUIRED) {
        buf_puts(&w->text, "These items may be on this computer alone: export them to a PST.");
        tell(w, (struct advice_step){.name = "export_items", .lists_items = true});
    }
    if (a->verdict.folder_count) {
        buf_puts(&w->text, "The folders concerned:");
        tell(w, (struct advice_step){.name = "folders", .lists_folders = true});
    }
}

int advice_steps(const struct advice *a, void *ctx,
                 int (*step)(void *ctx, const struct advice_step *step))
{
    struct writer w = {.advice = a, .ctx = ctx, .step = step, .text = BUF_INIT};

    switch (a->verdict.remedy) {
    case REMEDY_NONE:
        none(&w);
        break;
    case REMEDY_RESYNC_FOLDERS:
        resync_folders(&w);
        break;
    case REMEDY_REBUILD:
        rebuild(&w);
        break;
    case REMEDY_REPAIR_COPY:
        repair_copy(&w);
        break;
    case REMEDY_RETRY_CLOSED:
        close_outlook(&w);
        say(&w, "scan_again",
            "Wait until no other program (backup, indexing, synchronization) uses the file, and "
            "scan it again.");
        break;
    case REMEDY_UNKNOWN:
        look_again(&w);
        break;
    }
    buf_done(&w.text);
    return w.code;
}
