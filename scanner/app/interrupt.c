/* interrupt.c: see interrupt.h. */
#include "scanner/app/interrupt.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

enum { EXIT_INTERRUPTED = 130 };

static atomic_bool interrupted;

static void on_signal(int number)
{
    (void)number;
    if (atomic_exchange(&interrupted, true))
        _exit(EXIT_INTERRUPTED);
}

void interrupt_stop(void)
{
    atomic_store(&interrupted, true);
}

void interrupt_ignore_output(void)
{
    static const int signals[] = {SIGPIPE, SIGXFSZ};
    struct sigaction action = {.sa_handler = SIG_IGN};

    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        sigaction(signals[i], &action, NULL);
}

const atomic_bool *interrupt_install(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = on_signal};

    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        struct sigaction old;

        /* Under nohup SIGHUP is ignored, and stays so. */
        if (signals[i] != SIGHUP ||
            (sigaction(SIGHUP, NULL, &old) == 0 && old.sa_handler != SIG_IGN))
            sigaction(signals[i], &action, NULL);
    }
    interrupt_ignore_output();
    return &interrupted;
}
