/* app.h: the program behind main. */
#ifndef SCANNER_APP_APP_H
#define SCANNER_APP_APP_H

/* Runs the command line; the exit status of INTERFACE.md (0 to 4, 130). Call once. */
int app_main(int argc, char **argv);

#endif
