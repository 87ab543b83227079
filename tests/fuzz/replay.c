/*
 * Runs a fuzz target over stored inputs, where libFuzzer is not at hand: each argument is a file,
 * or a directory whose files are all taken. Exit status 1 when there was nothing to run or a file
 * could not be read; a property that does not hold aborts.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz/fuzz.h"

static unsigned long inputs;

/* Gives one file's bytes, in memory of exactly their size, to the target. */
static int run_file(const char *path, size_t size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(size > 0 ? size : 1);
    int failed = file == NULL || data == NULL || fread(data, 1, size, file) != size;

    if (failed) {
        fprintf(stderr, "replay: cannot read %s\n", path);
    } else {
        /* Said before the run, so that the last line names the input that stopped it. */
        printf("%s\n", path);
        fflush(stdout);
        LLVMFuzzerTestOneInput(data, size);
        inputs++;
    }
    free(data);
    if (file != NULL)
        fclose(file);
    return failed;
}

static int run_path(const char *path);

static int run_directory(const char *path)
{
    struct dirent **names;
    int count = scandir(path, &names, NULL, alphasort);
    int failed = count < 0;

    for (int i = 0; i < count; i++) {
        char child[4096];
        int length = snprintf(child, sizeof(child), "%s/%s", path, names[i]->d_name);
        if (length < 0 || (size_t)length >= sizeof(child))
            failed = 1;
        else if (names[i]->d_name[0] != '.')
            failed |= run_path(child);
        free(names[i]);
    }
    if (count >= 0)
        free(names);
    return failed;
}

static int run_path(const char *path)
{
    struct stat info;

    if (stat(path, &info) != 0) {
        fprintf(stderr, "replay: cannot find %s\n", path);
        return 1;
    }
    return S_ISDIR(info.st_mode) ? run_directory(path) : run_file(path, (size_t)info.st_size);
}

int main(int argc, char **argv)
{
    int failed = 0;

    for (int i = 1; i < argc; i++)
        failed |= run_path(argv[i]);
    printf("replay: %lu inputs\n", inputs);
    if (inputs == 0)
        fprintf(stderr, "replay: nothing to run\n");
    return failed != 0 || inputs == 0;
}
