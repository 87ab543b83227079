#include "esp_usable.h"

#include "audit/compare_esps.h"
#include "audit/secure.h"
#include "base/text.h"
#include "format/fat/fat_edit.h"
#include "model/boot_paths.h"
#include "model/boot_store.h"
#include "plan/esp_files.h"

bool esp_files_readable(const struct esp *esp)
{
    const struct fat_report *report = &esp->report;

    return esp->status == ST_OK && !esp->volume.from_backup &&
           (!fat_report_has_damage(report) || fat_edit_is_possible(report));
}

bool esp_store_is_bad(const struct esp *esp)
{
    if (esp->store_status == ST_OK)
        return !boot_store_is_usable(esp) ||
               (esp->store_end != BCD_STARTS && esp->store_end != BCD_NOT_UNDERSTOOD);
    return esp->store_status != ST_ABSENT && esp->store_status != ST_UNSUPPORTED;
}

/* True for what this machine is started by, whichever ESP an entry names it on. */
static bool is_started(const struct machine *machine, const char *path)
{
    if (text_equal_nocase(path, BOOT_MANAGER_PATH) || text_equal_nocase(path, machine->fallback))
        return true;
    for (size_t i = 0; i < machine->entry_count; i++) {
        const struct entry *entry = &machine->entries[i];
        if (entry->in_order && entry->boot.partition != NO_INDEX && entry->boot.file != NULL &&
            text_equal_nocase(path, entry->boot.file))
            return true;
    }
    return false;
}

bool esp_file_is_bad(const struct machine *machine, const struct esp *esp, size_t index)
{
    const struct fat_file *file = &esp->report.files[index];
    const struct file_content *content = &esp->contents[index];

    if (text_equal_nocase(file->path, BOOT_STORE_PATH) && esp_store_is_bad(esp))
        return true;
    if (esp_content_is_bad(file, content))
        return true;
    if (content->is_program && is_started(machine, file->path) &&
        secure_is_outdone(machine, esp, index))
        return true;
    return content->status == ST_OK && content->is_program && content->program != PE_GOOD &&
           is_started(machine, file->path);
}

bool esp_file_is_usable(const struct machine *machine, const struct esp *esp, size_t index)
{
    const struct fat_file *file = &esp->report.files[index];

    return file->exact_name && (file->is_directory || !esp_file_is_bad(machine, esp, index));
}

bool esp_file_can_start(const struct machine *machine, const struct esp *esp, size_t index)
{
    const struct file_content *content = &esp->contents[index];

    return !esp_file_is_bad(machine, esp, index) &&
           (content->status != ST_OK || content->program == PE_GOOD);
}
