/* watched.c: see watched.h. */
#include "tests/support/watched.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

bool under_valgrind(void)
{
    const char *preloaded = getenv("LD_PRELOAD");

    return preloaded && strstr(preloaded, "valgrind");
}

void skip_under_valgrind(const char *why)
{
    if (!under_valgrind())
        return;
    print_message("skipped: under Valgrind %s\n", why);
    skip();
}
