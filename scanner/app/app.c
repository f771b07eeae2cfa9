/* app.c: see app.h. */
#include "scanner/app/app.h"

#include <stdio.h>
#include <string.h>

int app_main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        puts("ostscan " OSTSCAN_VERSION);
        return 0;
    }
    fputs("usage: ostscan --version\n", stderr);
    return 2;
}
