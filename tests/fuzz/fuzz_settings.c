/* The settings of unattended starts: the input is the file. */
#include "format/settings.h"
#include "fuzz/fuzz.h"

/* What may never come of a file, whatever it says. */
static void check_settings(const struct settings *settings)
{
    char buffer[SETTINGS_WORD];

    require(settings->mode < MODE_COUNT && settings->serial < SERIAL_COUNT);
    require(settings->timeout <= 300 && settings->disk <= 99 && settings->reports < 8);
    require(!settings->allow_format || settings->lines[SETTING_ALLOW_FORMAT] != 0);
    require(!settings->allow_msr || settings->lines[SETTING_ALLOW_MSR] != 0);
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const char *text = settings_value_text(settings, (enum settings_key)i, buffer);
        require(text[0] != '\0');
        require(strlen(text) < (i == SETTING_SEND ? NET_PATH_SIZE : SETTINGS_WORD));
    }
}

/* Nor of one that a server has sent. */
static void check_restricted(struct settings settings)
{
    size_t problems = settings.problem_count;

    settings_restrict(&settings);
    require(settings.mode >= MODE_REPORT && settings.mode <= MODE_NONE);
    require(!settings.allow_format && !settings.allow_msr);
    require(settings.problem_count >= problems);
}

static void check_problems(const struct settings *settings, size_t size)
{
    require(settings->problem_count <= size + 1);
    for (size_t i = 0; i < settings->problem_count && i < SETTINGS_PROBLEMS; i++) {
        const struct settings_problem *problem = &settings->problems[i];
        require(problem->line <= size + 1 && strlen(problem->word) < SETTINGS_WORD);
        require(settings_trouble_text(problem->trouble) != NULL);
        for (const char *c = problem->word; *c != '\0'; c++)
            require(*c >= ' ' && *c < 0x7f);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *file = exact_copy(data, size);
    struct settings settings = settings_read(span_of(file, size));

    check_settings(&settings);
    check_problems(&settings, size);
    check_restricted(settings);
    free(file);
    return 0;
}
