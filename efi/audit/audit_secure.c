#include "audit_secure.h"

#include "audit/secure.h"
#include "model/boot_paths.h"
#include "model/contents.h"

static void audit_judgement(struct collector *to, const struct machine *machine,
                            const struct esp *esp, size_t file)
{
    const struct file_content *content = &esp->contents[file];
    const char *path = esp->report.files[file].path;
    struct secure_judgement judgement = secure_judge(&machine->secure, content->signers);
    const char *reason = secure_reason(to->arena, &judgement);
    const char *detail = arena_printf(to->arena, " %s: %s.", path, reason == NULL ? "" : reason);

    if (secure_refuses(machine, content))
        collect_at_partition(to, FINDING_ESP_SECURE_REFUSED, esp->partition, detail);
    else if (secure_would_refuse(machine, content))
        collect_at_partition(to, FINDING_ESP_SECURE_WOULD_REFUSE, esp->partition, detail);
    else if (machine->secure.on && judgement.verdict == SECURE_UNKNOWN)
        collect_at_partition(to, FINDING_ESP_SECURE_UNKNOWN, esp->partition, detail);
    else if (judgement.least_svn > 0)
        collect_at_partition(
            to, FINDING_ESP_SECURE_AT_RISK, esp->partition,
            arena_printf(to->arena, " %s has security version number %u.%u%s, dbx asks for %u.%u.",
                         path, content->signers->svn >> 16, content->signers->svn & 0xffff,
                         content->signers->has_svn ? "" : " (none)", judgement.least_svn >> 16,
                         judgement.least_svn & 0xffff));
    else if (judgement.below_level)
        collect_at_partition(to, FINDING_ESP_SECURE_AT_RISK, esp->partition,
                             arena_printf(to->arena,
                                          " %s is below the level that shim's SbatLevel asks for.",
                                          path));
}

/* Windows' boot manager and its copy, both whole, that are not the same. */
static void audit_fallback_copy(struct collector *to, const struct machine *machine,
                                const struct esp *esp)
{
    size_t manager = fat_find(&esp->report, BOOT_MANAGER_PATH);
    size_t copy = fat_find(&esp->report, machine->fallback);

    if (manager == FAT_NO_FILE || copy == FAT_NO_FILE)
        return;
    const struct file_content *own = &esp->contents[manager];
    const struct file_content *other = &esp->contents[copy];
    if (own->status == ST_OK && other->status == ST_OK && own->program == PE_GOOD &&
        other->program == PE_GOOD && own->mark == PE_MARK_WINDOWS_MANAGER &&
        other->mark == PE_MARK_WINDOWS_MANAGER && !content_equal(own, other))
        collect_at_partition(to, FINDING_ESP_FALLBACK_DIFFERS, esp->partition, "");
}

void audit_secure(struct collector *to, const struct machine *machine, const struct esp *esp)
{
    for (size_t i = 0; machine->secure.status == ST_OK && i < esp->report.file_count; i++) {
        const struct file_content *content = &esp->contents[i];
        if (content->status == ST_OK && !pe_verdict_is_refused(content->program) &&
            secure_is_loaded_by_firmware(machine, esp, i))
            audit_judgement(to, machine, esp, i);
    }
    audit_fallback_copy(to, machine, esp);
}
