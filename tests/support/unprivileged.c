/* unprivileged.c: see unprivileged.h. */
#include "tests/support/unprivileged.h"

#include <grp.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOBODY = 65534 };

static bool drop_rights(void)
{
    if (geteuid() != 0)
        return true;
    return setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
           setresuid(NOBODY, NOBODY, NOBODY) == 0;
}

bool unprivileged(bool (*part)(void *ctx), void *ctx)
{
    pid_t pid = fork();
    int status;

    if (pid == 0)
        _exit(drop_rights() && part(ctx) ? 0 : 1);
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}
