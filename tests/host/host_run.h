/* Runs another program, without a shell: nothing in the arguments needs quoting. */
#ifndef SHADOWBOOT_HOST_HOST_RUN_H
#define SHADOWBOOT_HOST_HOST_RUN_H

/*
 * Runs `argv` (closed by NULL; the program is looked up in PATH) with no input and an environment
 * of its own. Gives its exit status, or -1 when it could not be run or was killed. What it printed,
 * on both outputs, goes to `*ret_output`, to be freed by the caller.
 */
int host_run(const char *const argv[], char **ret_output);

#endif
