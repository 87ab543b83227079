#define _POSIX_C_SOURCE 200809L

#include "host/host_run.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/host_alloc.h"

#define VARIABLE_SIZE 4096

/* Everything from `fd` to its end, as text. */
static char *read_all(int fd)
{
    size_t used = 0;
    size_t room = 4096;
    char *text = host_alloc(room, 1);

    for (;;) {
        if (room - used < 1024) {
            room *= 2;
            text = host_grow(text, room);
        }
        ssize_t got = read(fd, text + used, room - used - 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        used += (size_t)got;
    }
    text[used] = 0;
    return text;
}

static int wait_for(pid_t child)
{
    int state = 0;

    while (waitpid(child, &state, 0) < 0) {
        if (errno != EINTR)
            return -1;
    }
    return WIFEXITED(state) ? WEXITSTATUS(state) : -1;
}

/* Starts the program with its output going into `output`. */
static int spawn(const char *const argv[], int output, pid_t *ret_child)
{
    char path[VARIABLE_SIZE];
    char epoch[VARIABLE_SIZE];
    const char *now = getenv("SOURCE_DATE_EPOCH");
    const char *programs = getenv("PATH");
    char skip_check[] = "MTOOLS_SKIP_CHECK=1";
    char locale[] = "LC_ALL=C.UTF-8";
    char home[] = "HOME=/nonexistent";
    char *environment[] = {path, skip_check, locale, home, now != NULL ? epoch : NULL, NULL};
    posix_spawn_file_actions_t actions;

    snprintf(path, sizeof(path), "PATH=%s", programs != NULL ? programs : "/usr/bin:/bin");
    snprintf(epoch, sizeof(epoch), "SOURCE_DATE_EPOCH=%s", now != NULL ? now : "");
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, 1);
    posix_spawn_file_actions_adddup2(&actions, output, 2);
    int error =
        posix_spawnp(ret_child, argv[0], &actions, NULL, (char **)(uintptr_t)argv, environment);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

int host_run(const char *const argv[], char **ret_output)
{
    int ends[2];
    pid_t child = 0;

    if (pipe(ends) != 0)
        host_fail("no pipe");
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    int error = spawn(argv, ends[1], &child);
    close(ends[1]);
    *ret_output = read_all(ends[0]);
    close(ends[0]);
    return error == 0 ? wait_for(child) : -1;
}
