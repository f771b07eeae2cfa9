/* main.c: the program's entry. */
#include "scanner/app/app.h"

int main(int argc, char **argv)
{
    return app_main(argc, argv);
}
