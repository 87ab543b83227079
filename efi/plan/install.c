#include "plan/install.h"

#include "audit/esp_path.h"
#include "audit/installed.h"
#include "audit/lead.h"
#include "base/text.h"
#include "format/fat/fat_edit.h"
#include "model/boot_paths.h"
#include "model/contents.h"
#include "model/firmware_entry.h"
#include "plan/entries.h"
#include "plan/esp_files.h"
#include "plan/owner_guard.h"
#include "plan/place.h"

#define NAME       "shadowboot"
#define ARCHIVE    0x20u
#define ITEMS_MAX  5 /* three folders, two files */
#define ESP_FOLDER "\\EFI"

/* One installation. */
struct install {
    struct plan *plan;
    const struct roles *roles;
    const struct install_request *request;
    const char *path;
    struct boot_edit edit;
    size_t position; /* where the next entry goes; ORDER_END: behind the last */
};

static size_t disk_with(const struct machine *machine, size_t esp)
{
    return machine->partitions[machine->esps[esp].partition].disk;
}

/* --- Files ---------------------------------------------------------------------------------- */

/* A list of what one ESP is to get. */
struct wanted {
    const struct install *install;
    const struct esp *esp;
    struct file_copy *items;
    size_t count;
};

static void want_folder(struct wanted *wanted, const char *path)
{
    if (fat_find(&wanted->esp->report, path) != FAT_NO_FILE)
        return;
    for (size_t i = 0; i < wanted->count; i++) {
        if (text_equal_nocase(wanted->items[i].path, path))
            return;
    }
    wanted->items[wanted->count++] = (struct file_copy){.path = path,
                                                        .is_directory = true,
                                                        .written = wanted->install->request->now,
                                                        .esp = NO_INDEX};
}

static void want_program(struct wanted *wanted, const char *path)
{
    const struct install_request *request = wanted->install->request;

    wanted->items[wanted->count++] = (struct file_copy){.path = path,
                                                        .attributes = ARCHIVE,
                                                        .written = request->now,
                                                        .size = request->image.size,
                                                        .esp = NO_INDEX,
                                                        .content = request->image};
}

/* True when the file is this program and may give way to the running one: as old or older, with
 * another content. */
static bool is_to_replace(const struct install *install, size_t esp, const struct installed *found)
{
    const struct file_content *content = &install->plan->machine->esps[esp].contents[found->file];

    return found->sound && found->version <= install->request->version &&
           !content_is(content, install->request->image);
}

static void want_files(struct wanted *wanted, size_t esp)
{
    const struct install *install = wanted->install;
    const struct machine *machine = install->plan->machine;
    struct installed own = installed_at(machine, esp, install->path);
    struct installed fallback = installed_at(machine, esp, machine->fallback);

    if (own.file == FAT_NO_FILE || !own.sound || is_to_replace(install, esp, &own)) {
        want_folder(wanted, ESP_FOLDER);
        want_folder(wanted, SHADOWBOOT_FOLDER);
        want_program(wanted, install->path);
    } else if (own.version > install->request->version) {
        plan_warn(install->plan, "The shadowboot on %s is newer than this one, and stays.",
                  place_text(install->plan->arena, machine, machine->esps[esp].partition));
    }
    if (fallback.file == FAT_NO_FILE || is_to_replace(install, esp, &fallback)) {
        want_folder(wanted, ESP_FOLDER);
        want_folder(wanted, FALLBACK_FOLDER);
        want_program(wanted, machine->fallback);
    }
}

/* What keeps files from being put on the ESP. Statuses: ST_OK; ST_READ_ONLY, ST_REFUSED with
 * plan->refusal; ST_NO_MEMORY. */
static enum status check_esp(struct plan *plan, size_t index)
{
    const struct esp *esp = &plan->machine->esps[index];
    size_t disk = disk_with(plan->machine, index);
    enum status status = owner_guard_disk(plan, disk);

    if (status != ST_OK)
        return status;
    if (plan->machine->disks[disk].read_only)
        return plan_refuse(plan, ST_READ_ONLY,
                           "Disk %zu is write-protected. Take the protection off, and run the "
                           "command again.",
                           disk);
    if (esp->status == ST_OK && !esp->volume.from_backup && !esp->volume.is_narrow &&
        fat_edit_is_possible(&esp->report))
        return ST_OK;
    return plan_refuse(plan, ST_REFUSED,
                       "The file system of %s is damaged or missing. \"shadowboot repair\" mends "
                       "it; then run the command again.",
                       place_text(plan->arena, plan->machine, esp->partition));
}

static enum status install_files(struct install *install, size_t esp)
{
    struct plan *plan = install->plan;
    struct wanted wanted = {.install = install, .esp = &plan->machine->esps[esp]};
    enum status status = check_esp(plan, esp);

    wanted.items = arena_alloc(plan->arena, ITEMS_MAX, sizeof(*wanted.items));
    if (wanted.items == NULL)
        return ST_NO_MEMORY;
    if (status != ST_OK)
        return status;
    want_files(&wanted, esp);
    struct files_change files = {wanted.items, wanted.count};
    return esp_files_plan(plan, esp, &files);
}

/* --- Entries -------------------------------------------------------------------------------- */

/* True for an entry that firmware does not come back from: a program of its own, or a tool. */
static bool does_not_give_way(const struct machine *machine, const struct entry *entry)
{
    struct lead lead;

    if (!entry_is_tried(entry))
        return false;
    return entry->form == DEVPATH_FORM_FV ||
           (lead_of(machine, entry, &lead) && lead.program.kind == PROGRAM_TOOL &&
            !lead.program.is_own);
}

/* True for an entry that somebody has made to start something, or that was one. */
static bool stands_before(const struct install *install, const struct entry *entry)
{
    const struct machine *machine = install->plan->machine;

    return !entry_is_firmwares(entry) && !installed_entry_is_own(entry, install->path) &&
           !does_not_give_way(machine, entry);
}

/* The place in BootOrder behind all that comes before; ORDER_END where nothing is in the way at the
 * end. Entries of the program's own do not count. */
static size_t find_position(const struct install *install)
{
    const struct boot_edit *edit = &install->edit;
    const struct machine *machine = install->plan->machine;
    size_t first = ORDER_END;

    for (size_t i = 0; i < edit->count; i++) {
        size_t entry = machine_find_entry(machine, edit->order[i]);
        if (entry == NO_INDEX)
            continue;
        if (stands_before(install, &machine->entries[entry]))
            first = ORDER_END;
        else if (first == ORDER_END && does_not_give_way(machine, &machine->entries[entry]))
            first = i;
    }
    return first;
}

/* True when it stands behind all that comes before, and before what does not give way. */
static bool is_where_it_belongs(const struct install *install, uint16_t number)
{
    const struct boot_edit *edit = &install->edit;
    const struct machine *machine = install->plan->machine;
    bool passed = false;

    for (size_t i = 0; i < edit->count; i++) {
        size_t entry = machine_find_entry(machine, edit->order[i]);
        if (edit->order[i] == number) {
            passed = true;
            if (install->position != ORDER_END && i > install->position)
                return false;
        } else if (entry != NO_INDEX && passed &&
                   stands_before(install, &machine->entries[entry])) {
            return false;
        }
    }
    return passed;
}

/* Puts an entry of the program's own where it belongs. Taken out from before that place, it lets the place move
 * up by one; from behind it or from nowhere, the next one goes behind it. */
static void move_entry(struct install *install, uint16_t number)
{
    struct boot_edit *edit = &install->edit;
    size_t place = 0;

    if (is_where_it_belongs(install, number))
        return;
    while (place < edit->count && edit->order[place] != number)
        place++;
    if (install->position == ORDER_END)
        edit_place(edit, number, ORDER_END);
    else if (place < install->position)
        edit_place(edit, number, install->position - 1);
    else
        edit_place(edit, number, install->position++);
}

static enum status install_entry(struct install *install, size_t esp)
{
    const struct machine *machine = install->plan->machine;
    struct installed own = installed_at(machine, esp, install->path);
    struct add_request request = {.file = install->path,
                                  .description = NAME,
                                  .position = install->position,
                                  .disk_in_name = install->request->disk_in_name};
    size_t before = install->edit.count;

    if (own.entry != NO_INDEX) {
        move_entry(install, machine->entries[own.entry].number);
        return ST_OK;
    }
    enum status status = add_into(&install->edit, &request, machine->esps[esp].partition);
    if (status == ST_OK && install->position != ORDER_END && install->edit.count > before)
        install->position++;
    return status;
}

/* --- The whole ------------------------------------------------------------------------------ */

/* Takes what kept one ESP from being served for a warning, so that the rest goes on. */
static enum status leave_esp_out(struct plan *plan, enum status status)
{
    if (status == ST_NO_MEMORY)
        return status;
    plan_warn_of_refusal(plan, status);
    return plan->status;
}

static enum status install_on(struct install *install, size_t esp, size_t *io_served)
{
    struct plan *plan = install->plan;
    const struct partition *own = &plan->machine->partitions[plan->machine->esps[esp].partition];
    size_t partition = NO_INDEX;

    enum status status = install_files(install, esp);
    if (status == ST_OK)
        status = place_find(plan, &own->unique, &partition);
    plan->target_disk = NO_INDEX; /* there are several, and each change says what must be there */
    if (status == ST_OK)
        status = install_entry(install, esp);
    if (status != ST_OK)
        return leave_esp_out(plan, status);
    ++*io_served;
    return ST_OK;
}

/* The ESPs to serve, the primary's last. NULL without memory. */
static const size_t *list_esps(const struct install *install, size_t *ret_count)
{
    const struct install_request *request = install->request;
    const struct roles *roles = install->roles;
    size_t count = request->esps == NULL ? roles->member_count : request->esp_count;
    size_t *list = arena_alloc(install->plan->arena, count, sizeof(*list));
    size_t primary = roles->primary == NO_INDEX ? NO_INDEX : roles->members[roles->primary].esp;
    size_t used = 0;
    bool has_primary = false;

    for (size_t i = 0; list != NULL && i < count; i++) {
        size_t esp = request->esps == NULL ? roles->members[i].esp : request->esps[i];
        if (esp == NO_INDEX)
            continue;
        if (esp == primary)
            has_primary = true;
        else
            list[used++] = esp;
    }
    if (has_primary)
        list[used++] = primary;
    *ret_count = used;
    return list;
}

enum status plan_install(struct plan *plan, const struct roles *roles,
                         const struct install_request *request)
{
    struct install install = {.plan = plan, .roles = roles, .request = request};
    size_t served = 0;
    size_t count = 0;
    const size_t *esps = list_esps(&install, &count);

    install.path = installed_path(plan->arena, plan->machine);
    if (esps == NULL || install.path == NULL)
        return ST_NO_MEMORY;
    if (count == 0)
        return plan_refuse(plan, ST_ABSENT,
                           "No boot disk has an EFI System Partition to put it on. \"shadowboot "
                           "status\" says what there is.");
    enum status status = edit_begin_mending(plan, count, &install.edit);
    if (status != ST_OK)
        return status;
    install.position = find_position(&install);
    for (size_t i = 0; i < count && status == ST_OK; i++)
        status = install_on(&install, esps[i], &served);
    if (status == ST_OK && served == 0)
        return plan_refuse(plan, plan->left_status, "%s",
                           plan->warning_count == 0 ? "" : plan->warnings[0]);
    return status == ST_OK ? edit_finish(&install.edit) : status;
}

/* --- Taking it back ------------------------------------------------------------------------- */

/* True when something goes from the folder, and nothing else is in it. */
static bool is_emptied(const struct wanted *gone, const char *folder)
{
    const struct fat_report *report = &gone->esp->report;
    bool any = false;

    for (size_t k = 0; k < gone->count; k++)
        any |= esp_path_is_in(gone->items[k].path, folder);
    for (size_t i = 0; i < report->file_count && any; i++) {
        bool listed = !esp_path_is_in(report->files[i].path, folder);
        for (size_t k = 0; k < gone->count && !listed; k++)
            listed = text_equal_nocase(gone->items[k].path, report->files[i].path);
        if (!listed)
            return false;
    }
    return any && fat_find(report, folder) != FAT_NO_FILE;
}

static void add_gone(struct wanted *gone, const char *path, bool is_directory)
{
    gone->items[gone->count++] = (struct file_copy){
        .path = path, .is_directory = is_directory, .esp = NO_INDEX, .goes = true};
}

/* The program's files on one ESP, and the folders that it was put into and that hold nothing else. */
static void list_gone(const struct machine *machine, size_t esp, const char *path,
                      struct wanted *gone)
{
    static const char *const folders[] = {SHADOWBOOT_FOLDER, FALLBACK_FOLDER, ESP_FOLDER};

    if (installed_at(machine, esp, path).file != FAT_NO_FILE)
        add_gone(gone, path, false);
    if (installed_at(machine, esp, machine->fallback).sound)
        add_gone(gone, machine->fallback, false);
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]) && gone->count > 0; i++) {
        if (is_emptied(gone, folders[i]))
            add_gone(gone, folders[i], true);
    }
}

static enum status uninstall_files(struct plan *plan, size_t esp, const char *path)
{
    struct wanted gone = {.esp = &plan->machine->esps[esp],
                          .items = arena_alloc(plan->arena, ITEMS_MAX, sizeof(*gone.items))};

    if (gone.items == NULL)
        return ST_NO_MEMORY;
    list_gone(plan->machine, esp, path, &gone);
    if (gone.count == 0)
        return ST_OK;
    struct files_change files = {gone.items, gone.count};
    enum status status = check_esp(plan, esp);
    if (status == ST_OK)
        status = esp_files_plan(plan, esp, &files);
    return status == ST_OK ? ST_OK : leave_esp_out(plan, status);
}

enum status plan_uninstall(struct plan *plan)
{
    const struct machine *machine = plan->machine;
    const char *path = installed_path(plan->arena, machine);
    struct boot_edit edit;

    if (path == NULL)
        return ST_NO_MEMORY;
    enum status status = edit_begin_mending(plan, 0, &edit);
    if (status != ST_OK)
        return status;
    for (size_t i = 0; i < machine->entry_count; i++) {
        if (installed_entry_is_own(&machine->entries[i], path))
            edit_delete(&edit, i);
    }
    status = edit_finish(&edit);
    for (size_t i = 0; i < machine->esp_count && status == ST_OK; i++) {
        if (!place_is_fixed_esp(machine, machine->esps[i].partition))
            continue;
        status = uninstall_files(plan, i, path);
    }
    return status == ST_OK ? plan->status : status;
}
