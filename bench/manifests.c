/*
 * manifests.c: writes synthetic manifests for runs at size.
 *
 *   bench-manifests DIR COUNT ITEMS REPEAT_PERCENT
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/manifests.h"

int main(int argc, char **argv)
{
    struct manifests_options o = {.folders = 40, .seed = 1};
    struct fault fault = {0};
    int code;

    if (argc != 5) {
        fprintf(stderr, "usage: %s DIR COUNT ITEMS REPEAT_PERCENT\n", argv[0]);
        return 2;
    }
    o.dir = argv[1];
    o.count = (unsigned)strtoul(argv[2], NULL, 10);
    o.items = strtoull(argv[3], NULL, 10);
    o.repeat_percent = (unsigned)strtoul(argv[4], NULL, 10);
    code = manifests_make(&o, &fault);
    if (code)
        fprintf(stderr, "%s: %s\n", o.dir, fault.errnum ? strerror(fault.errnum) : err_text(code));
    return code ? 1 : 0;
}
