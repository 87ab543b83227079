#include "audit_store_entries.h"

#include "base/print.h"
#include "base/text.h"
#include "model/boot_store_text.h"

/* What a store starts by default: its name, and where it is. */
static const char *default_text(struct collector *to, const struct machine *machine,
                                const struct bcd_store *store)
{
    struct bcd_choice choice;
    struct span name;
    struct span device;

    if (bcd_choose(store, &bcd_manager, &choice) != BCD_STARTS ||
        bcd_inherited(store, &choice.loader, BCD_DESCRIPTION, &name) != ST_OK ||
        bcd_inherited(store, &choice.loader, BCD_DEVICE, &device) != ST_OK)
        return " it starts no Windows by default.";
    const char *text = text_from_ucs2(to->arena, name);
    const char *place =
        boot_store_device_text(to->arena, machine, store, choice.loader.type, device);
    if (text == NULL || place == NULL)
        return NULL;
    return arena_printf(to->arena, " \"%.60s\" by default, from %s.", text, place);
}

static const char *bios_store_text(struct collector *to, const struct machine *machine,
                                   const struct system_copy *copy)
{
    size_t mark = arena_mark(to->arena);
    struct bcd_store store;

    if (copy->bios_store_status != ST_OK)
        return arena_printf(to->arena, " %s.", status_text(copy->bios_store_status));
    enum regf_state state = regf_check(copy->bios_store);
    if (state != REGF_GOOD)
        return arena_printf(to->arena, " %s.", regf_state_text(state));
    if (bcd_open(to->arena, copy->bios_store, &store) != ST_OK) {
        arena_release(to->arena, mark);
        return " it starts no Windows by default.";
    }
    return default_text(to, machine, &store);
}

void audit_bios_stores(struct collector *to, const struct machine *machine, size_t disk)
{
    for (size_t i = 0; i < machine->copy_count; i++) {
        const struct system_copy *copy = &machine->copies[i];
        bool empty = copy->bios_store_status == ST_OK && copy->bios_store.size == 0;
        if (copy->disk != disk || empty || copy->bios_store_status == ST_ABSENT ||
            copy->bios_store_status == ST_UNSUPPORTED)
            continue;
        collect_at_partition(to, FINDING_BIOS_STORE, copy->partition,
                             bios_store_text(to, machine, copy));
    }
}
