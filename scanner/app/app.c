/* app.c: see app.h. */
#include "scanner/app/app.h"

#include <stdio.h>
#include <string.h>

#include "scanner/ref/pff.h"

int app_main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], REF_CHILD_ARGUMENT) == 0)
        return ref_child_main(argc, argv);
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        puts("ostscan " OSTSCAN_VERSION);
        return 0;
    }
    fputs("usage: ostscan --version\n", stderr);
    return 2;
}
