#include "base/text.h"
#include "cmd/command.h"
#include "path.h"
#include "run.h"
#include "format/load_option.h"
#include "model/boot_name.h"
#include "plan/entries.h"

#define IMPORT_FILE_MAX  (256u * 1024)
#define IMPORT_COUNT_MAX 256
#define EFIVARFS_PREFIX  4u /* Linux' efivarfs puts the variable's attributes before its value */

/* Makes the list all entries when no id was given. */
static enum status wanted_entries(struct context *context, size_t **ret_entries, size_t *ret_count)
{
    size_t count = context->machine.entry_count;

    if (context->word_count > 1)
        return find_entries(context, 1, ret_entries, ret_count);
    size_t *all = arena_alloc(context->arena, count, sizeof(*all));
    if (all == NULL)
        return report(context, ST_NO_MEMORY, "Out of memory. Nothing was changed.");
    for (size_t i = 0; i < count; i++)
        all[i] = i;
    *ret_entries = all;
    *ret_count = count;
    return ST_OK;
}

static void export_entry(struct context *context, struct plan *plan,
                         const struct file_place *directory, size_t index)
{
    const struct entry *entry = &context->machine.entries[index];
    struct file_place file = {directory->volume, NULL};
    bool root = text_equal(directory->path, "\\");
    char name[VAR_NAME_SIZE];

    boot_variable_name(entry->number, name);
    if (entry->value.size == 0) {
        plan_warn(plan, "%s cannot be read and is left out.", name);
        return;
    }
    file.path = arena_printf(plan->arena, "%s\\%s", root ? "" : directory->path, name);
    if (file.path == NULL) {
        plan->status = ST_NO_MEMORY;
        return;
    }
    plan_write_file(plan, file.volume, file.path, entry->value,
                    arena_printf(plan->arena, "write %s: %s \"%s\"", path_text(context, &file),
                                 name, entry->description));
}

enum status cmd_export(struct context *context)
{
    struct file_place directory;
    struct plan plan;
    size_t *entries = NULL;
    size_t count = 0;

    enum status status = context_scan(context, SCAN_ENTRIES);
    if (status == ST_OK)
        status = path_resolve(context, context->words[0], &directory);
    if (status == ST_OK)
        status = wanted_entries(context, &entries, &count);
    if (status != ST_OK)
        return status;
    run_begin(context, &plan);
    if (count == 0)
        return report(context, ST_ABSENT, "There is no boot entry to save.");
    for (size_t i = 0; i < count; i++)
        export_entry(context, &plan, &directory, entries[i]);
    return run_plan(context, &plan, plan.status, NULL);
}

struct import_list {
    struct import_item *items;
    size_t count;
};

/* A file may carry the attributes that Linux' efivarfs puts before the value. */
static struct span without_prefix(struct span data)
{
    struct load_option parsed;
    struct span rest = span_part(data, EFIVARFS_PREFIX, data.size - EFIVARFS_PREFIX);

    if (data.size <= EFIVARFS_PREFIX || load_option_parse(data, &parsed) == ST_OK)
        return data;
    bool prefixed =
        ld_le32(data.at) == VAR_BOOT_OPTION && load_option_parse(rest, &parsed) == ST_OK;
    return prefixed ? rest : data;
}

static enum status import_file(struct context *context, const struct file_place *place,
                               uint64_t size, struct import_list *io_list)
{
    const struct files_port *files = &context->ports->files;
    const char *name = path_text(context, place);
    size_t got = 0;

    if (size > IMPORT_FILE_MAX || io_list->count == IMPORT_COUNT_MAX)
        return report(
            context, ST_DAMAGED,
            "%s is too large for a boot entry, or there are more than %d files. Nothing was "
            "changed.",
            name, IMPORT_COUNT_MAX);
    uint8_t *data = arena_alloc(context->arena, 1, (size_t)size);
    if (data == NULL)
        return report(context, ST_NO_MEMORY, "Out of memory. Nothing was changed.");
    enum status status =
        files->read(files->ctx, place->volume, place->path, 0, data, (size_t)size, &got);
    if (status != ST_OK)
        return report(context, status, "%s cannot be read: %s. Nothing was changed.", name,
                      status_text(status));
    struct import_item item = {without_prefix(span_of(data, got)), name};
    io_list->items[io_list->count++] = item;
    return ST_OK;
}

/* True for "Boot" and four hexadecimal digits in any case: file systems do not keep it as it is. */
static bool is_entry_file(const char *name)
{
    uint64_t number = 0;

    return text_length(name) == 8 && text_has_prefix_nocase(name, "Boot") &&
           text_parse_number(name + 4, 16, &number) == ST_OK;
}

/* Every Boot#### file of a directory. */
static enum status import_directory(struct context *context, const struct file_place *directory,
                                    struct import_list *io_list)
{
    const struct files_port *files = &context->ports->files;
    bool root = text_equal(directory->path, "\\");
    struct file_info info;

    for (size_t i = 0;; i++) {
        enum status status = files->list(files->ctx, directory->volume, directory->path, i, &info);
        if (status == ST_ABSENT)
            return ST_OK;
        if (status != ST_OK)
            return report(context, status, "%s cannot be read: %s. Nothing was changed.",
                          path_text(context, directory), status_text(status));
        if (info.is_directory || !is_entry_file(info.name))
            continue;
        struct file_place file = {
            directory->volume,
            arena_printf(context->arena, "%s\\%s", root ? "" : directory->path, info.name)};
        if (file.path == NULL)
            return report(context, ST_NO_MEMORY, "Out of memory. Nothing was changed.");
        status = import_file(context, &file, info.size, io_list);
        if (status != ST_OK)
            return status;
    }
}

static enum status import_word(struct context *context, const char *word,
                               struct import_list *io_list)
{
    const struct files_port *files = &context->ports->files;
    struct file_place place;
    struct file_info info;

    enum status status = path_resolve(context, word, &place);
    if (status != ST_OK)
        return status;
    if (text_equal(place.path, "\\"))
        return import_directory(context, &place, io_list);
    status = files->stat(files->ctx, place.volume, place.path, &info);
    if (status != ST_OK)
        return report(context, status, "%s: %s. Nothing was changed.", path_text(context, &place),
                      status_text(status));
    if (info.is_directory)
        return import_directory(context, &place, io_list);
    return import_file(context, &place, info.size, io_list);
}

static enum status read_retarget(struct context *context, bool *ret_given,
                                 struct import_retarget *ret_retarget)
{
    bool has_source = false;
    bool has_target = false;
    enum status status = option_guid(context, "-sg", &has_source, &ret_retarget->source);

    if (status == ST_OK)
        status = option_guid(context, "-tg", &has_target, &ret_retarget->target);
    if (status == ST_OK && has_source != has_target)
        return report(context, ST_USAGE,
                      "-sg and -tg go together: what is named by the first becomes the second.");
    *ret_given = has_source;
    return status;
}

enum status cmd_import(struct context *context)
{
    struct import_list list = {.count = 0};
    struct import_retarget retarget;
    struct plan plan;
    bool retargeted = false;

    enum status status = read_retarget(context, &retargeted, &retarget);
    if (status == ST_OK)
        status = context_scan(context, SCAN_ENTRIES);
    if (status != ST_OK)
        return status;
    list.items = arena_alloc(context->arena, IMPORT_COUNT_MAX, sizeof(*list.items));
    if (list.items == NULL)
        return report(context, ST_NO_MEMORY, "Out of memory. Nothing was changed.");
    for (size_t i = 0; i < context->word_count && status == ST_OK; i++)
        status = import_word(context, context->words[i], &list);
    if (status != ST_OK)
        return status;
    if (list.count == 0)
        return report(context, ST_ABSENT, "There is no file named Boot#### there.");
    run_begin(context, &plan);
    return run_plan(context, &plan,
                    plan_import(&plan, list.items, list.count, retargeted ? &retarget : NULL),
                    NULL);
}
