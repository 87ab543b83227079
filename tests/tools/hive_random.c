/*
 * Changes registry hives at random, thousands of times, and compares them with a model after each
 * change (unit/hive_model_fixture.h). Each sequence begins with the file's first bytes again.
 *
 *   hive_random FIRST COUNT EDITS FILE...
 *
 * Sequences FIRST to FIRST + COUNT - 1, dealt out to the files. Prints a line of counts. Exit
 * status: 0; 1 when something is wrong, which is told; 125 for wrong options or files.
 */
#include <stdio.h>
#include <stdlib.h>

#include "unit/hive_model_fixture.h"

#define FILES_MAX 32
#define FILE_MAX  (128u << 10)

static struct span load(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = malloc(FILE_MAX);
    size_t size = file != NULL && bytes != NULL ? fread(bytes, 1, FILE_MAX, file) : 0;

    if (size == 0 || size == FILE_MAX) {
        fprintf(stderr, "hive_random: cannot read %s\n", path);
        exit(125);
    }
    fclose(file);
    return span_of(bytes, size);
}

int main(int argc, char **argv)
{
    struct hive_model_counts counts = {0};
    struct span files[FILES_MAX];

    if (argc < 5 || argc - 4 > FILES_MAX)
        return 125;
    uint64_t first = strtoull(argv[1], NULL, 10);
    uint64_t count = strtoull(argv[2], NULL, 10);
    unsigned edits = (unsigned)strtoul(argv[3], NULL, 10);
    for (int i = 4; i < argc; i++)
        files[i - 4] = load(argv[i]);
    const char *wrong = NULL;
    for (uint64_t seed = first; seed < first + count && wrong == NULL; seed++) {
        size_t number = (size_t)(seed % (uint64_t)(argc - 4));
        wrong = hive_model_run(files[number], seed, edits, &counts);
        if (wrong != NULL)
            fprintf(stderr, "hive_random: %s, sequence %llu: %s\n", argv[4 + number],
                    (unsigned long long)seed, wrong);
    }
    for (int i = 4; i < argc; i++)
        free((void *)files[i - 4].at);
    if (wrong != NULL)
        return 1;
    printf("sequences %llu created %llu deleted %llu set %llu unset %llu failed %llu full %llu "
           "grown %llu\n",
           (unsigned long long)count, (unsigned long long)counts.made[0],
           (unsigned long long)counts.made[1], (unsigned long long)counts.made[2],
           (unsigned long long)counts.made[3], (unsigned long long)counts.made[4],
           (unsigned long long)counts.no_space, (unsigned long long)counts.grown);
    return 0;
}
