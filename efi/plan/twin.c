#include "plan/twin.h"

#include "audit/secure.h"
#include "base/print.h"
#include "base/text.h"
#include "model/boot_paths.h"

#define AUTHORITY "Windows UEFI CA 2023"

static bool trusts_2023(const struct secure_list *db)
{
    for (size_t i = 0; i < db->certificate_count; i++) {
        if (text_equal(db->certificates[i].name, AUTHORITY))
            return true;
    }
    return false;
}

const char *twin_judge(struct arena *arena, const struct machine *machine, size_t source)
{
    const struct secure_list *db = &machine->secure.lists[SECURE_DB];
    const struct esp *esp = &machine->esps[source];
    size_t file = fat_find(&esp->report, BOOT_MANAGER_PATH);
    const char *mends = "Windows Update (KB5025885)";
    const char *why = "Windows has no twin of 2023";

    if (db->lists.size == 0 || file == FAT_NO_FILE)
        return "";
    const struct file_content *own = &esp->contents[file];
    const struct secure_judgement judgement = secure_judge(&machine->secure, own->signers);
    if (!esp->source->has_twins) {
        if (!trusts_2023(db) || text_equal(judgement.certificate, AUTHORITY))
            return "";
    } else if (own->status != ST_OK || own->program != PE_GOOD) {
        why = "Its twin of 2023 is damaged";
        mends = "sfc /scannow";
    } else if (judgement.verdict == SECURE_ACCEPTED) {
        return NULL;
    } else {
        why = arena_printf(arena, "Its twin of 2023 is not taken: %s",
                           secure_reason(arena, &judgement));
    }
    why = arena_printf(arena, " %s. %s mends that; then type shadowboot rebuild.", why, mends);
    return why == NULL ? "" : why;
}
