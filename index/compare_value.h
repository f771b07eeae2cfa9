/*
 * compare_value.h: values of JSON records on their way into an entry.
 *
 * A value is the text of a member as json_pick hands it out; data NULL: absent.
 * Threads: struct cmp_values belongs to one thread; the others are pure functions.
 */
#ifndef INDEX_COMPARE_VALUE_H
#define INDEX_COMPARE_VALUE_H

#include "index/compare_entry.h"
#include "index/json.h"
#include "io/buf.h"

/* Init with all zero. */
struct cmp_values {
    struct buf text; /* the value decoded last */
    struct buf normal;
    struct buf part;
};

void cmp_values_done(struct cmp_values *v);

bool cmp_is_true(struct bytes value);
bool cmp_is_text(struct bytes value, const char *text);
bool cmp_u64(struct bytes value, uint64_t *out);
/* A string that is a time. */
bool cmp_time(struct bytes value, int64_t *seconds);
/* A string of exactly 2n hex digits. */
bool cmp_fixed_hex(struct bytes value, uint8_t *out, size_t n);

/* Decode a string, or hex in a string, into v->text: 1; 0 when it is absent, null or no string;
 * ERR_DAMAGED: no hex; ERR_NOMEM. */
int cmp_string(struct cmp_values *v, struct bytes value);
int cmp_hex(struct cmp_values *v, struct bytes value);
struct bytes cmp_text_of(const struct cmp_values *v);

/* Text as it is compared: NFC, white space at both ends gone, in ASCII lower case if asked for.
 * Valid until the next call. *code is set to ERR_NOMEM where that happens. */
struct bytes cmp_normal(struct cmp_values *v, struct bytes text, bool lower, int *code);

/* Sets a mark to the text's, 0 where it is absent or empty. */
int cmp_mark_text(struct cmp_values *v, struct cmp_entry *e, enum cmp_mark mark, struct bytes value,
                  bool lower);

/* Adds up hashes of a person or a list of them (`address`, else `name`), of a list of attachments.
 * ERR_DAMAGED, ERR_NOMEM. */
int cmp_sum_people(struct cmp_values *v, struct bytes value, unsigned type, uint64_t *sum);
int cmp_sum_attachments(struct cmp_values *v, struct bytes value, uint64_t *sum);

/* Writes a string as a member, cut after CMP_DETAIL_TEXT; nothing where it is absent. */
int cmp_detail(struct cmp_values *v, struct json *j, const char *key, struct bytes value);

/* The MIH of a Message-ID; nothing where it is empty. ERR_NOMEM. */
int cmp_mih_of(struct cmp_entry *e, struct bytes message_id);

#endif
