/*
 * samples.h: where real images are found, when they are there.
 *
 * The three images of the npm package (fetched by ./dev into build/samples) and the folder of
 * further images that may stand beside the project (../shared/corpus). Tests that need one that is
 * missing call sample_or_skip, which skips the test saying why, or fails it when CI=true.
 */
#ifndef TESTS_SUPPORT_SAMPLES_H
#define TESTS_SUPPORT_SAMPLES_H

#include <stdbool.h>

#define SAMPLE_OST   "pstextractortest@outlook.com.ost"
#define SAMPLE_OST2  "pstextractortestpdf@outlook.com.ost"
#define SAMPLE_ENRON "enron.pst"

/* Path of a sample (static buffer of one of eight), or NULL when it is not there. */
const char *sample_path(const char *name);
/* The path; skips (cmocka) or, with CI=true, fails the running test when it is missing. */
const char *sample_or_skip(const char *name);

/* Path of a file of the corpus, or NULL when there is no corpus or no such file. */
const char *corpus_path(const char *name);
/* The path; skips the running test when the corpus is missing. */
const char *corpus_or_skip(const char *name);

#endif
