#include "plan/mirror.h"

#include "base/text.h"
#include "plan/edit.h"
#include "plan/place.h"

/* A Windows entry that could start right now: its boot file is on a partition that is here. */
static bool is_template(const struct entry *entry)
{
    return entry_is_windows(entry) && entry->boot.partition != NO_INDEX &&
           entry->boot.file_status != ST_ABSENT;
}

static enum status find_template(struct plan *plan, const struct mirror_request *request,
                                 size_t *ret_entry)
{
    const struct machine *machine = plan->machine;

    if (request->template_entry != NO_INDEX) {
        *ret_entry = request->template_entry;
        return ST_OK;
    }
    if (machine->current.status == ST_OK) {
        size_t running = machine_find_entry(machine, machine->current.number);
        if (running != NO_INDEX && is_template(&machine->entries[running])) {
            *ret_entry = running;
            return ST_OK;
        }
    }
    for (size_t i = 0; i < machine->entry_count; i++) {
        if (is_template(&machine->entries[i])) {
            *ret_entry = i;
            return ST_OK;
        }
    }
    return plan_refuse(
        plan, ST_ABSENT,
        "No Windows boot entry of this machine has its boot file here, so there is no "
        "loader for the new entry to start. Name one with -from, or add one first.");
}

static enum status check_target(struct plan *plan, const struct guid *guid, size_t *ret_partition)
{
    enum status status = place_find(plan, guid, ret_partition);

    if (status != ST_OK)
        return status;
    enum partition_type kind = plan->machine->partitions[*ret_partition].kind;
    if (kind == PT_LDM_DATA || kind == PT_BASIC_DATA)
        return ST_OK;
    return plan_refuse(
        plan, ST_REFUSED,
        "%s is of type \"%s\"; a system lies on an LDM data or basic data partition.",
        place_text(plan->arena, plan->machine, *ret_partition), partition_type_name(kind));
}

/* The directory of the template's system, "\WINDOWS" where it names none. */
static enum status system_directory(struct plan *plan, const struct entry *from,
                                    struct span *ret_directory)
{
    enum status status = ST_ABSENT;

    if (from->windows.path_type == WINDOWS_PATH_EFI)
        status = devpath_file(plan->arena, from->windows.path_data, ret_directory);
    if (status == ST_ABSENT)
        return text_to_ucs2(plan->arena, "\\WINDOWS", ret_directory);
    return status;
}

static enum status mirror_value(struct plan *plan, const struct entry *from, size_t partition,
                                const char *description, struct span *ret_value)
{
    const struct machine *machine = plan->machine;
    struct hd_node boot = partition_hd_node(machine, &machine->partitions[from->boot.partition]);
    struct hd_node system = partition_hd_node(machine, &machine->partitions[partition]);
    struct load_option option = {.attributes = LOAD_OPTION_ACTIVE};
    struct span directory;
    struct span file;
    struct builder builder;

    enum status status = text_to_ucs2(plan->arena, description, &option.description);
    if (status == ST_OK)
        status = system_directory(plan, from, &directory);
    if (status == ST_OK)
        status = windows_options_build(plan->arena, from->windows.load_options, &system, directory,
                                       &option.optional);
    if (status == ST_OK)
        status = devpath_file(plan->arena, from->option.path, &file);
    if (status != ST_OK)
        return status;
    builder_in_arena(&builder, plan->arena, HD_NODE_SIZE + file.size + 16);
    devpath_put_hd(&builder, &boot);
    devpath_put_file(&builder, file);
    devpath_put_end(&builder);
    option.paths = builder_span(&builder);
    return builder.failed ? ST_NO_MEMORY : load_option_build(plan->arena, &option, ret_value);
}

static enum status check_template(struct plan *plan, const struct entry *from)
{
    if (from->optional_kind == OPTIONAL_WINDOWS && from->boot.partition != NO_INDEX &&
        from->boot.file != NULL)
        return ST_OK;
    if (from->optional_kind == OPTIONAL_WINDOWS_BCD)
        return plan_refuse(
            plan, ST_UNSUPPORTED,
            "Boot%04X takes its system from the boot store (BCD) on its ESP, not from "
            "the boot entry, so an entry alone cannot choose another partition. On "
            "such a machine clone the entry to the other disk's ESP instead "
            "(shadowboot clone).",
            from->number);
    return plan_refuse(
        plan, ST_REFUSED,
        "Boot%04X is no Windows entry whose boot partition is here. Name another with "
        "-from.",
        from->number);
}

enum status plan_mirror(struct plan *plan, const struct mirror_request *request)
{
    struct boot_edit edit;
    struct span value;
    size_t partition = NO_INDEX;
    size_t from = NO_INDEX;
    size_t equal = NO_INDEX;

    enum status status = check_target(plan, &request->partition, &partition);
    if (status == ST_OK)
        status = find_template(plan, request, &from);
    if (status != ST_OK)
        return status;
    const struct entry *template = &plan->machine->entries[from];
    status = check_template(plan, template);
    if (status == ST_OK)
        status = mirror_value(plan, template, partition, request->description, &value);
    if (status == ST_OK)
        status = edit_begin(plan, 1, &edit);
    if (status != ST_OK)
        return status;
    status = place_find_equal(plan, value, DEVPATH_FORM_EMPTY, &equal);
    if (status == ST_OK && edit_adopt(&edit, equal, ORDER_END))
        return edit_finish(&edit);
    if (status == ST_OK)
        return plan_refuse(plan, ST_EXISTS, "Boot%04X \"%s\" does that already.",
                           plan->machine->entries[equal].number,
                           plan->machine->entries[equal].description);
    if (status != ST_ABSENT)
        return status;
    const char *detail =
        arena_printf(plan->arena, "\"%s\", to start the system on %s with the loader of Boot%04X",
                     text_printable(plan->arena, request->description),
                     place_text(plan->arena, plan->machine, partition), template->number);
    status = edit_create(&edit, value, ORDER_END, detail, from, NULL);
    return status == ST_OK ? edit_finish(&edit) : status;
}
