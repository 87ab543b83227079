#include "unit/shared_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit/bytes_fixture.h"

#define FILE_MAX (1u << 20)

struct span shared_read(const char *name)
{
    const char *shared = getenv("SHADOWBOOT_SHARED");
    const char *end = strrchr(name, '.');
    bool packed = end != NULL && strcmp(end, ".xz") == 0;
    char path[512];
    char command[600];

    snprintf(path, sizeof(path), "%s/%s", shared != NULL ? shared : "../shared", name);
    if (access(path, R_OK) != 0)
        return span_of(NULL, 0);
    snprintf(command, sizeof(command), "%s '%s'", packed ? "xz -dc" : "cat", path);
    FILE *pipe = popen(command, "r");
    if (pipe == NULL)
        abort();
    static uint8_t bytes[FILE_MAX];
    size_t size = fread(bytes, 1, sizeof(bytes), pipe);
    if (pclose(pipe) != 0)
        abort();
    return fixture_exact(bytes, size);
}

void shared_free(struct span file)
{
    fixture_drop(file);
}
