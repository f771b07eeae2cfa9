/*
 * journal.h: what earlier runs of a scan have finished, kept in OUT for the next one.
 *
 * A file of lines, each with its own checksum. `keep` says that the image of a key was finished in
 * a state of everything its result depends on, and what its line in scan.jsonl was; `drop` that
 * what was kept of a key no longer holds. A line is on the disk when the call that writes it
 * returns, so it is there only if the manifest it speaks of is. What follows the first line that is
 * cut short or altered is not believed, and cut off.
 *
 * Ownership: one process writes a journal at a time (flock, where the file system has it).
 * Threads: any, by a lock of the journal's own.
 * Errors: ERR_NOMEM, ERR_BUSY (another process has it), ERR_IO, ERR_NOSPACE, ERR_ACCESS, ERR_SYS.
 */
#ifndef INDEX_JOURNAL_H
#define INDEX_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "io/buf.h"
#include "io/bytes.h"
#include "io/err.h"

struct journal;

enum { JOURNAL_STATE_SIZE = 32 };

/* What is kept of an image. */
struct journal_entry {
    uint64_t key;
    uint8_t state[JOURNAL_STATE_SIZE];
    uint64_t manifest_bytes; /* its manifest's file: size and time of change, as they were */
    int64_t manifest_mtime_ns;
    struct bytes line; /* of scan.jsonl, without its '\n' */
};

/* The key of an image: of its manifest's file name. */
uint64_t journal_key(const char *manifest);

/* Opens OUT/`name`, made if missing, and reads it. What was kept for another `owner` (one word, may
 * be empty) is forgotten and cut off. On failure *fault tells. */
int journal_open(const char *out, const char *name, const char *owner, struct journal **j,
                 struct fault *fault);
void journal_close(struct journal *j); /* NULL is allowed */

/*
 * What is kept under the key: 1, entry->line pointing into *line, whose content is replaced; 0 when
 * there is none, or an error.
 */
int journal_find(struct journal *j, uint64_t key, struct buf *line, struct journal_entry *entry);

/* Takes the place of what was kept under the key. */
int journal_keep(struct journal *j, const struct journal_entry *entry);

/* Forgets what is kept under the key; writes nothing when there is none. */
int journal_drop(struct journal *j, uint64_t key);

/* The first failed write; later ones are tried all the same. code 0: none failed. */
struct fault journal_fault(struct journal *j);

#endif
