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
        collect_at_partition(
            to, FINDING_ESP_SECURE_AT_RISK, esp->partition,
            arena_printf(to->arena, " %s stops itself: it is below the level of its SbatLevel.",
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

/* " 10.0.19041.1, and Windows keeps 10.0.19041.2." */
static const char *versions_text(struct arena *arena, uint64_t own, uint64_t kept)
{
    return arena_printf(arena, " %u.%u.%u.%u, and Windows keeps %u.%u.%u.%u.",
                        (unsigned)(own >> 48), (unsigned)(own >> 32 & 0xffff),
                        (unsigned)(own >> 16 & 0xffff), (unsigned)(own & 0xffff),
                        (unsigned)(kept >> 48), (unsigned)(kept >> 32 & 0xffff),
                        (unsigned)(kept >> 16 & 0xffff), (unsigned)(kept & 0xffff));
}

void audit_level(struct collector *to, const struct esp *esp, const struct system_copy *copy)
{
    size_t manager = esp->status == ST_OK ? fat_find(&esp->report, BOOT_MANAGER_PATH) : FAT_NO_FILE;
    const struct pe_signers *signers =
        manager == FAT_NO_FILE ? NULL : esp->contents[manager].signers;
    uint64_t kept = copy->managers[0];
    uint64_t newest = copy->managers[1] > kept ? copy->managers[1] : kept;

    if (signers == NULL || !signers->has_version || kept == 0)
        return;
    if (signers->version < kept)
        collect_at_partition(to, FINDING_ESP_OLDER_THAN_WINDOWS, esp->partition,
                             versions_text(to->arena, signers->version, kept));
    if (signers->version > newest)
        collect_at_partition(to, FINDING_ESP_NEWER_THAN_WINDOWS, esp->partition,
                             versions_text(to->arena, signers->version, newest));
}
