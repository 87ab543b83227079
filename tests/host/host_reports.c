#include "host/host_reports.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/sha256.h"
#include "host/host_alloc.h"

#define REPORT_START "{\n  \"program\": \"shadowboot\""
#define NAME_SIZE    4096

static bool is_paused;

void host_reports_pause(bool paused)
{
    is_paused = paused;
}

void host_reports_keep(struct span file)
{
    const char *folder = getenv("SHADOWBOOT_REPORTS");
    size_t length = strlen(REPORT_START);
    char name[NAME_SIZE];
    char part[NAME_SIZE + 32];
    char digest[17] = "";

    if (folder == NULL || is_paused || file.size < length ||
        memcmp(file.at, REPORT_START, length) != 0)
        return;
    struct sha256 whole = sha256_of(file);
    for (size_t i = 0; i < 8; i++)
        snprintf(digest + 2 * i, 3, "%02x", whole.bytes[i]);
    snprintf(name, sizeof(name), "%s/%s.json", folder, digest);
    if (access(name, F_OK) == 0)
        return;
    snprintf(part, sizeof(part), "%s.%ld", name, (long)getpid());
    FILE *to = fopen(part, "wb");
    if (to == NULL || fwrite(file.at, 1, file.size, to) != file.size || fclose(to) != 0 ||
        rename(part, name) != 0)
        host_fail("a report cannot be kept in SHADOWBOOT_REPORTS");
}
