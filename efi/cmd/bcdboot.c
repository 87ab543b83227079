/*
 * Lines of Windows' bcdboot as they are typed there: what `rebuild` does, in other words.
 */
#include "base/text.h"
#include "format/bcd/bcd_value.h"
#include "model/boot_paths.h"
#include "model/boot_store.h"
#include "model/scan_source.h"
#include "cmd/command.h"
#include "foreign.h"
#include "kept_files.h"
#include "mend.h"
#include "plan/place.h"
#include "plan/rebuild.h"
#include "run.h"

#define WINDOWS_ENDING ":\\Windows"

struct boot_line {
    const char *windows; /* C:\Windows; NULL: not given */
    const char *place;   /* of the ESP, behind /s; NULL: not given */
    const char *locale;
    const char *firmware;
    const char *merged; /* object behind /m; NULL: not given */
    bool last;
    bool stays; /* /p */
    bool clean;
};

/* --- The line --------------------------------------------------------------------------------- */

static enum status refuse_switch(struct context *context, const char *argument, const char *why)
{
    const char *shown = text_printable(context->arena, argument);

    return report(context, ST_USAGE, "\"%.64s\" %s. Nothing was changed.",
                  shown == NULL ? "" : shown, why);
}

/* Where the word behind a switch goes; NULL for a switch without one. */
static const char **boot_value(struct boot_line *line, const char *name, const char **ret_example)
{
    const struct {
        const char *name;
        const char **value;
        const char *example;
    } values[] = {{"s", &line->place, "the EFI system partition behind it, as in /s FS0:"},
                  {"l", &line->locale, "a language behind it, as in /l de-DE"},
                  {"f", &line->firmware, "the firmware behind it: /f UEFI"}};

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        if (is_switch(name, values[i].name)) {
            *ret_example = values[i].example;
            return values[i].value;
        }
    }
    return NULL;
}

/* Switches by themselves; false for another one. What is so here anyway: /d, a default that starts
 * Windows from this disk stays; /m alone, what the old store has is taken; /bootex, twins of 2023 where
 * this firmware trusts them. */
static bool take_switch(struct context *context, struct boot_line *line, const char *name)
{
    bool unused = false;
    const struct {
        const char *name;
        bool *flag;
    } flags[] = {{"addlast", &line->last}, {"p", &line->stays}, {"c", &line->clean},
                 {"d", &unused},           {"m", &unused},      {"bootex", &unused},
                 {"v", &context->verbose}};

    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        if (is_switch(name, flags[i].name)) {
            *flags[i].flag = true;
            return true;
        }
    }
    return false;
}

static bool is_any_switch(const char *word)
{
    return word[0] == '/' || word[0] == '-';
}

/* A word that begins with '/' or '-', at `*io_index`, with what stands behind it. */
static enum status read_switch(struct context *context, struct boot_line *line, size_t *io_index)
{
    const char *word = context->words[*io_index];
    const char *next = *io_index + 1 < context->word_count ? context->words[*io_index + 1] : NULL;
    const char *example = "";
    const char **value = boot_value(line, word, &example);

    if (value != NULL && (next == NULL || is_any_switch(next)))
        return refuse_switch(context, word, arena_printf(context->arena, "needs %s", example));
    if (value == NULL && is_switch(word, "m") && next != NULL && next[0] == '{')
        value = &line->merged;
    if (value != NULL) {
        *value = next;
        (*io_index)++;
        return ST_OK;
    }
    if (take_switch(context, line, word))
        return ST_OK;
    return refuse_switch(context, word,
                         is_switch(word, "offline")
                             ? "is for images of Windows, which are not looked into here"
                             : "is not understood here; \"shadowboot help bcdboot\" lists what is");
}

static enum status read_boot_line(struct context *context, struct boot_line *ret_line)
{
    struct boot_line line = {.windows = NULL};
    enum status status = ST_OK;

    for (size_t i = 0; i < context->word_count && status == ST_OK; i++) {
        const char *word = context->words[i];
        if (is_any_switch(word))
            status = read_switch(context, &line, &i);
        else if (line.windows != NULL)
            status = refuse_switch(context, word, "is not understood here");
        else
            line.windows = word;
    }
    if (status == ST_OK)
        *ret_line = line;
    return status;
}

/* "xx-XX", "xx-Xxxx-XX": letters, digits and hyphens. */
static bool is_locale(const char *text)
{
    size_t length = text_length(text);

    for (size_t i = 0; i < length; i++) {
        bool letter = text_lower(text[i]) >= 'a' && text_lower(text[i]) <= 'z';
        if (!letter && !(text[i] >= '0' && text[i] <= '9') && (text[i] != '-' || i < 2))
            return false;
    }
    return length >= 4 && length <= 16 && (text[2] == '-' || text[3] == '-');
}

static enum status check_boot_line(struct context *context, const struct boot_line *line)
{
    if (line->windows == NULL)
        return report(context, ST_USAGE,
                      "It goes like this: bcdboot C:\\Windows /s FS0: /l de-DE. Nothing was "
                      "changed.");
    if (text_length(line->windows) != sizeof(WINDOWS_ENDING) ||
        !text_equal_nocase(line->windows + 1, WINDOWS_ENDING))
        return refuse_switch(context, line->windows,
                             "is not where Windows is looked for, which is \\Windows of the boot "
                             "volume: C:\\Windows");
    if (line->firmware != NULL && !text_equal_nocase(line->firmware, "UEFI") &&
        !text_equal_nocase(line->firmware, "ALL"))
        return refuse_switch(context, line->firmware,
                             "is not made here: shadowboot sees to the start by UEFI alone");
    if (line->last && line->stays)
        return refuse_switch(context, "/addlast", "and /p contradict each other: give one of them");
    if (line->clean && line->merged != NULL)
        return refuse_switch(context, line->merged,
                             "behind /m and /c contradict each other: give one of them");
    if (line->locale != NULL && !is_locale(line->locale))
        return refuse_switch(context, line->locale, "is no language as de-DE is one");
    return ST_OK;
}

/* --- Where ------------------------------------------------------------------------------------ */

/* The letter has to be that of the boot volume where that has one. */
static enum status check_letter(struct context *context, const struct judgement *judgement,
                                const struct boot_line *line)
{
    const struct roles *roles = &judgement->roles;
    const char *hint =
        roles->kind == BOOT_LDM ? context->machine.volumes.volumes[roles->volume].drive_hint : "";

    if (hint[0] == '\0' || text_lower(hint[0]) == text_lower(line->windows[0]))
        return ST_OK;
    return report(context, ST_ABSENT,
                  "The volume that this machine starts Windows from is %s, not %c:. Nothing was "
                  "changed.",
                  hint, line->windows[0]);
}

/* "FS0:" */
static size_t mounted_place(const struct context *context, const char *text)
{
    const struct files_port *files = &context->ports->files;

    for (size_t i = 0; i < context->machine.partition_count; i++) {
        size_t volume = context->machine.partitions[i].volume;
        if (volume != NO_INDEX && text_equal_nocase(files->volumes[volume].alias, text))
            return i;
    }
    return NO_INDEX;
}

/* "1/1", as printed. */
static size_t numbered_place(const struct machine *machine, const char *text)
{
    for (size_t i = 0; i < machine->partition_count; i++) {
        char name[32];
        struct text_buffer buffer;
        text_buffer_init(&buffer, name, sizeof(name));
        text_buffer_printf(&buffer, "%zu/%u", machine->partitions[i].disk,
                           machine->partitions[i].number);
        if (text_equal(name, text))
            return i;
    }
    return NO_INDEX;
}

static size_t typed_place(const struct context *context, const char *text)
{
    struct guid guid;
    size_t count = 0;

    if (guid_parse(text, &guid) == ST_OK) {
        size_t found = machine_find_partition(&context->machine, &guid, &count);
        return count == 1 ? found : NO_INDEX;
    }
    size_t found = mounted_place(context, text);
    return found == NO_INDEX ? numbered_place(&context->machine, text) : found;
}

/* True for an ESP that the mirror starts from on its disk, or may. */
static bool is_members(const struct machine *machine, const struct roles *roles, size_t esp)
{
    size_t disk = machine->partitions[machine->esps[esp].partition].disk;

    return roles_member_on(roles, disk) != NO_INDEX && roles_esp_of(machine, disk) == esp;
}

static enum status refuse_place(struct context *context, const struct roles *roles,
                                const char *text)
{
    const struct machine *machine = &context->machine;
    const char *shown = text_printable(context->arena, text);
    const char *list = "";

    for (size_t i = 0; i < machine->esp_count && list != NULL; i++) {
        if (!is_members(machine, roles, i))
            continue;
        list = arena_printf(context->arena, "%s\n  %zu/%u  %s", list,
                            machine->partitions[machine->esps[i].partition].disk,
                            machine->partitions[machine->esps[i].partition].number,
                            place_text(context->arena, machine, machine->esps[i].partition));
    }
    if (list != NULL && list[0] == '\0')
        return report(
            context, ST_ABSENT,
            "No disk of the mirror has an EFI system partition yet: \"shadowboot rebuild\" "
            "and the number of a disk makes one. Nothing was changed.");
    return report(context, ST_ABSENT,
                  "\"%.64s\" is no EFI system partition of the mirror that is known here; letters "
                  "of them are known to Windows alone. Give one of these, or FS0: and so on as the "
                  "Shell calls it:%s\nNothing was changed.",
                  shown == NULL ? "" : shown, list == NULL ? "" : list);
}

/* The disk whose ESP is meant. */
static enum status find_target(struct context *context, const struct judgement *judgement,
                               const struct boot_line *line, size_t *ret_disk)
{
    const struct machine *machine = &context->machine;
    size_t esp = judgement->roles.start_esp;

    if (line->place != NULL) {
        size_t partition = typed_place(context, line->place);
        esp = partition == NO_INDEX ? NO_INDEX : machine_find_esp(machine, partition);
    }
    if (esp == NO_INDEX && line->place == NULL)
        return report(context, ST_ABSENT,
                      "The boot entries start no EFI system partition now: name the one that is "
                      "meant, as in /s FS0:. Nothing was changed.");
    if (esp == NO_INDEX || !is_members(machine, &judgement->roles, esp))
        return refuse_place(context, &judgement->roles, line->place == NULL ? "" : line->place);
    *ret_disk = machine->partitions[machine->esps[esp].partition].disk;
    return ST_OK;
}

/* --- What Windows and the stores have --------------------------------------------------------- */

#define LANGUAGE_PREFIX MICROSOFT_FOLDER "\\Boot\\"
#define LANGUAGE_FILE   "\\bootmgfw.efi.mui"

/* The language that the boot manager speaks by this file, "de-DE"; NULL for another file. */
static const char *language_of(struct arena *arena, const char *path)
{
    size_t length = text_length(path);
    size_t around = sizeof(LANGUAGE_PREFIX) - 1 + sizeof(LANGUAGE_FILE) - 1;

    if (length <= around || !text_has_prefix_nocase(path, LANGUAGE_PREFIX) ||
        !text_equal_nocase(path + length - (sizeof(LANGUAGE_FILE) - 1), LANGUAGE_FILE))
        return NULL;
    return arena_printf(arena, "%.*s", (int)(length - around), path + sizeof(LANGUAGE_PREFIX) - 1);
}

/* A language in which Windows has no messages for the boot manager is refused; one that it has is
 * called as it calls it. */
static enum status check_language(struct context *context, const struct judgement *judgement,
                                  size_t disk, struct boot_line *io_line)
{
    const struct machine *machine = &context->machine;
    size_t source = machine_find_source(machine, rebuild_copy(machine, &judgement->roles, disk));
    const char *list = "";

    if (io_line->locale == NULL || source == NO_INDEX)
        return ST_OK;
    const struct fat_report *files = &machine->esps[source].report;
    for (size_t i = 0; i < files->file_count && list != NULL; i++) {
        const char *name = language_of(context->arena, files->files[i].path);
        if (name == NULL)
            continue;
        if (text_equal_nocase(name, io_line->locale)) {
            io_line->locale = name;
            return ST_OK;
        }
        list = arena_printf(context->arena, "%s%s%s", list, list[0] == '\0' ? "" : ", ", name);
    }
    if (list != NULL && list[0] == '\0' && text_equal_nocase(io_line->locale, "en-US"))
        return ST_OK;
    return report(context, ST_ABSENT,
                  "Windows on %s has no messages of the boot manager in \"%s\". It has these: %s. "
                  "Nothing was changed.",
                  place_text(context->arena, machine, machine->esps[source].partition),
                  io_line->locale, list == NULL || list[0] == '\0' ? "en-US" : list);
}

/* The loader whose settings are to be merged. {default} is what is taken anyway. */
static enum status find_merged(struct context *context, const char *text,
                               struct store_wishes *io_wishes)
{
    const struct machine *machine = &context->machine;
    struct guid guid;

    if (text == NULL || text_equal_nocase(text, "{default}"))
        return ST_OK;
    if (bcd_object_parse(NULL, text, &guid) != ST_OK)
        return refuse_switch(context, text,
                             "is no loader that can be named here: give {default}, or its GUID as "
                             "\"shadowboot bcd list\" prints it");
    for (size_t i = 0; i < machine->esp_count; i++) {
        if (boot_store_has_loader(context->arena, &machine->esps[i], &guid)) {
            io_wishes->merges = true;
            io_wishes->merged = guid;
            return ST_OK;
        }
    }
    return report(context, ST_ABSENT,
                  "No boot store of this machine has a loader %.64s. \"shadowboot bcd list -all\" "
                  "shows them. Nothing was changed.",
                  text_printable(context->arena, text));
}

/* How the store is to be; `disk` is the one that it is for. */
static enum status find_wishes(struct context *context, const struct judgement *judgement,
                               size_t disk, struct boot_line *line, struct store_wishes *io_wishes)
{
    enum status status = check_language(context, judgement, disk, line);

    if (status == ST_OK)
        status = find_merged(context, line->merged, io_wishes);
    io_wishes->renews = line->clean || line->locale != NULL || line->merged != NULL;
    io_wishes->clean = line->clean;
    io_wishes->locale = line->locale;
    return status;
}

enum status cmd_bcdboot(struct context *context)
{
    struct rebuild_request request = {.disk = NO_INDEX};
    struct boot_line line = {.windows = NULL};
    struct judgement judgement;
    struct plan plan;

    enum status status = read_boot_line(context, &line);
    if (status == ST_OK)
        status = check_boot_line(context, &line);
    if (status == ST_OK)
        status = mend_begin(context, SCAN_FULL);
    if (status != ST_OK)
        return status;
    if (audit_machine(context->arena, &context->machine, &judgement) != ST_OK)
        return report(context, ST_NO_MEMORY, "Out of memory. Nothing was changed.");
    status = check_letter(context, &judgement, &line);
    if (status == ST_OK)
        status = find_target(context, &judgement, &line, &request.disk);
    if (status == ST_OK)
        status = find_kept_files(context, &judgement, request.disk);
    if (status == ST_OK)
        status = find_wishes(context, &judgement, request.disk, &line, &request.stores);
    if (status != ST_OK)
        return status;
    request.now = context_now(context);
    request.no_entries = line.place != NULL;
    request.entries_last = line.last;
    run_begin(context, &plan);
    if (line.firmware != NULL && text_equal_nocase(line.firmware, "ALL"))
        plan_warn(&plan, "Of /f ALL only the half for UEFI is made: shadowboot sees to no start by "
                         "BIOS.");
    return mend_run_whole(context, &plan, plan_rebuild(&plan, &judgement, &request), false,
                          &judgement);
}
