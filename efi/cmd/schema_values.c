#include "schema_values.h"

#include "audit/finding.h"
#include "audit/secure.h"
#include "audit/forecast.h"
#include "base/text.h"
#include "format/partition_type.h"
#include "format/pe.h"
#include "format/volume_content.h"
#include "machine_words.h"
#include "model/volumes.h"
#include "report_json.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* --- Texts and numbers ------------------------------------------------------------------------ */

/* From AS_ARCHITECTURE on there are only words. */
static const struct schema_value values[AS_ARCHITECTURE] = {
    [AS_BOOL] = {.form = SCHEMA_BOOL},
    [AS_FILES_READ] = {.form = SCHEMA_BOOL},
    [AS_CHANGED_DISKS] = {.form = SCHEMA_BOOL},
    [AS_TOOK_BACK] = {.form = SCHEMA_BOOL},
    [AS_MACHINE_STATE] = {.form = SCHEMA_STATE},
    [AS_U16] = {SCHEMA_NUMBER, NULL, 0, UINT16_MAX},
    [AS_U32] = {SCHEMA_NUMBER, NULL, 0, UINT32_MAX},
    [AS_U64] = {SCHEMA_NUMBER, NULL, 0, UINT64_MAX},
    [AS_BLOCK_BYTES] = {SCHEMA_NUMBER, NULL, 512, 65536},
    [AS_REPORT_VERSION] = {SCHEMA_NUMBER, NULL, REPORT_VERSION, REPORT_VERSION},
    [AS_HEX32] = {.pattern = "^0x[0-9a-f]{8}$"},
    [AS_HEX64] = {.pattern = "^[0-9a-f]{16}$"},
    [AS_GUID] = {.pattern = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"},
    [AS_SHA256] = {.pattern = "^[0-9a-f]{64}$"},
    [AS_DATE] = {.pattern = "^[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]$"},
    [AS_MINUTE] = {.pattern = "^[0-9]{4}-[01][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]$"},
    [AS_PATH] = {.pattern = "^\\\\"},
    [AS_LETTER] = {.pattern = "^([A-Z]:)?$"},
    [AS_VERSION] = {.pattern = "^[0-9]+\\.[0-9]+\\.[0-9]+$"},
    [AS_UEFI] = {.pattern = "^([0-9]+\\.[0-9]+(\\.[1-9])?|not said)$"},
    [AS_FILE_VERSION] = {.pattern = "^([0-9]+(\\.[0-9]+){3})?$"},
    [AS_SVN] = {.pattern = "^([0-9]+\\.[0-9]+)?$"},
    [AS_CARD] = {.pattern = "^[0-9a-f]{2}(-[0-9a-f]{2}){5}$"},
};

static const enum machine_state states[] = {
    MACHINE_SAFE,        MACHINE_UNKNOWN_DISKS, MACHINE_FALLBACK, MACHINE_PRIMARY_ONLY,
    MACHINE_SHADOW_ONLY, MACHINE_NONE,          MACHINE_SINGLE,   MACHINE_UNKNOWN,
};

struct schema_value schema_value_of(enum row_value value)
{
    return value < AS_ARCHITECTURE ? values[value] : (struct schema_value){.form = SCHEMA_WORDS};
}

bool schema_state_at(unsigned i, unsigned *ret_state)
{
    if (i >= COUNT_OF(states))
        return false;
    *ret_state = states[i];
    return true;
}

/* --- Words, where the program has them by number: NULL behind the last ------------------------ */

static const char *verdict_word(unsigned i)
{
    return i > VERDICT_UNKNOWN ? NULL : verdict_name((enum verdict)i);
}

static const char *finding_word(unsigned i)
{
    return i >= FINDING_COUNT ? NULL : finding_name((enum finding_code)i);
}

static const char *severity_word(unsigned i)
{
    return i > SEVERITY_DAMAGE ? NULL : severity_text((enum severity)i);
}

static const char *status_word(unsigned i)
{
    return i >= ST_COUNT ? NULL : status_text((enum status)i);
}

/* Why something could not be looked at. */
static const char *trouble_word(unsigned i)
{
    return status_word(i + ST_ABSENT);
}

static const char *partition_word(unsigned i)
{
    return i >= PT_COUNT ? NULL : partition_type_name((enum partition_type)i);
}

static const char *content_word(unsigned i)
{
    return i > CONTENT_EXFAT ? NULL : volume_content_name((enum volume_content)i);
}

static const char *program_word(unsigned i)
{
    return i >= PE_VERDICT_COUNT ? NULL : pe_verdict_text((enum pe_verdict)i);
}

static const char *volume_type_word(unsigned i)
{
    return i > DYNAMIC_RAID5 ? NULL : dynamic_type_text((enum dynamic_type)i);
}

static const char *volume_status_word(unsigned i)
{
    return i > DYNAMIC_UNKNOWN ? NULL : dynamic_status_text((enum dynamic_status)i);
}

static const char *plex_word(unsigned i)
{
    return i > PLEX_MISSING ? NULL : plex_state_text((enum plex_state)i);
}

static const char *secure_word(unsigned i)
{
    return i >= SECURE_VERDICT_COUNT ? NULL : secure_verdict_name((enum secure_verdict)i);
}

/* One for two members, and one for others. */
static const char *state_word(unsigned i)
{
    return i / 2 >= COUNT_OF(states) ? NULL : machine_state_text(states[i / 2], i % 2 + 2);
}

static const char *name_word(unsigned i)
{
    return i > 0 ? NULL : "shadowboot";
}

/* UEFI Specification 2.10, 3.5.1.1, and Itanium's. */
static const char *architecture_word(unsigned i)
{
    static const char *const words[] = {"X64",         "IA32",       "AA64",    "ARM",
                                        "IA64",        "RISCV32",    "RISCV64", "RISCV128",
                                        "LOONGARCH32", "LOONGARCH64"};

    return i >= COUNT_OF(words) ? NULL : words[i];
}

static const char *esp_state_word(unsigned i)
{
    static const char *const words[] = {"not formatted", "no FAT file system", "healthy",
                                        "healthy as far as was looked"};

    return i >= COUNT_OF(words) ? NULL : words[i];
}

static const char *fat_word(unsigned i)
{
    static const char *const words[] = {"FAT12", "FAT16", "FAT32"};

    return i >= COUNT_OF(words) ? NULL : words[i];
}

static const char *file_word(unsigned i)
{
    static const char *const words[] = {"ok", "not read"};

    return i >= COUNT_OF(words) ? NULL : words[i];
}

/* Words of sets that are not listed here are those that help names. */
static const struct source {
    enum row_value value;
    const char *(*word)(unsigned i);
} sources[] = {
    {AS_ARCHITECTURE, architecture_word},
    {AS_PROGRAM, name_word},
    {AS_STATE_TEXT, state_word},
    {AS_STATUS, status_word},
    {AS_FINDING, finding_word},
    {AS_SEVERITY, severity_word},
    {AS_PARTITION_TYPE, partition_word},
    {AS_CONTENT, content_word},
    {AS_ESP_STATE, esp_state_word},
    {AS_ESP_STATE, trouble_word},
    {AS_ESP_TYPE, fat_word},
    {AS_ESP_TYPE, content_word},
    {AS_FILE_STATE, file_word},
    {AS_FILE_STATE, program_word},
    {AS_FILE_STATE, trouble_word},
    {AS_VERDICT, verdict_word},
    {AS_VOLUME_TYPE, volume_type_word},
    {AS_VOLUME_STATUS, volume_status_word},
    {AS_PLEX_STATE, plex_word},
    {AS_SECURE_VERDICT, secure_word},
};

/* --- Sets -------------------------------------------------------------------------------------- */

static enum status add_word(struct schema_words *words, const char *word)
{
    for (size_t i = 0; word != NULL && i < words->count; i++) {
        if (text_equal(words->at[i], word))
            return ST_OK;
    }
    if (word == NULL || words->count == SCHEMA_WORDS_MAX)
        return ST_NO_MEMORY;
    words->at[words->count++] = word;
    return ST_OK;
}

/* The words that help names: divided by ", ", in quotes where one has that inside or is empty. */
static enum status add_shown(struct arena *arena, struct schema_words *words, const char *text)
{
    enum status status = ST_OK;

    while (text != NULL && *text != '\0' && status == ST_OK) {
        bool quoted = *text == '"';
        text += quoted ? 1 : 0;
        size_t length = 0;
        while (text[length] != '\0' && text[length] != (quoted ? '"' : ','))
            length++;
        status = add_word(words, arena_printf(arena, "%.*s", (int)length, text));
        text += length + (quoted && text[length] != '\0' ? 1 : 0);
        while (*text == ',' || *text == ' ')
            text++;
    }
    return status;
}

/* True when `text` has the word in it. */
static bool names_word(const char *text, const char *word)
{
    for (; *text != '\0'; text++) {
        if (text_has_prefix_nocase(text, word))
            return true;
    }
    return false;
}

enum status schema_words_of(struct arena *arena, enum row_value value,
                            struct schema_words *ret_words)
{
    const char *shown = row_value_words(value);
    enum status status = ST_OK;

    ret_words->count = 0;
    for (size_t i = 0; i < COUNT_OF(sources); i++) {
        if (sources[i].value != value)
            continue;
        const char *word = NULL;
        for (unsigned j = 0; status == ST_OK && (word = sources[i].word(j)) != NULL; j++) {
            status = add_word(ret_words, word);
            if (shown != NULL && !names_word(shown, word))
                return ST_ABSENT;
        }
    }
    if (ret_words->count == 0)
        status = add_shown(arena, ret_words, shown);
    return status == ST_OK && ret_words->count == 0 ? ST_ABSENT : status;
}
