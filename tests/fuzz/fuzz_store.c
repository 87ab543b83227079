/*
 * A boot store as part of a machine: what a scan makes of it and of a log beside it, what the audit
 * says, how its devices read, and what a repair makes of it. The input: one byte, bit 0: the
 * store's checksum is corrected; one byte, the size of the log in 512 bytes; then the log and the
 * store, which lies on the ESP of Disk 1 of a mirror.
 *
 * What a repair writes is no more damaged than it was, and a second one finds nothing to do.
 */
#include "fuzz/regf_checksum.h"
#include "fuzz/store_machine.h"
#include "model/boot_store_text.h"
#include "plan/boot_stores.h"

#define SIZE_LIMIT 40000u
#define ESP        1u
#define OBJECTS    64u
#define ELEMENTS   64u

static void read_devices(struct arena *arena, const struct machine *machine,
                         const struct bcd_store *store, const struct bcd_object *object)
{
    struct bcd_element element;

    for (size_t i = 0; i < ELEMENTS && i < bcd_element_count(store, object); i++) {
        size_t mark = arena_mark(arena);
        if (bcd_element_at(store, object, i, &element) == ST_OK &&
            bcd_format(element.code) == BCD_FORMAT_DEVICE)
            require(boot_store_device_text(arena, machine, store, object->type, element.data) !=
                    NULL);
        arena_release(arena, mark);
    }
}

static void read_store(struct arena *arena, const struct machine *machine)
{
    const struct esp *esp = &machine->esps[ESP];
    struct bcd_store store;
    struct bcd_object object;

    if (!boot_store_is_usable(esp) || bcd_open(arena, esp->store_file, &store) != ST_OK)
        return;
    for (size_t i = 0; i < OBJECTS && i < bcd_object_count(&store); i++) {
        if (bcd_object_at(&store, i, &object) == ST_OK)
            read_devices(arena, machine, &store, &object);
    }
}

/* What a repair makes of the store; empty when that stays. */
static struct span mend(struct arena *arena, const struct machine *machine)
{
    const struct boot_stores_request request = {.disk = NO_INDEX, .left_out = NO_INDEX};
    struct judgement judgement;
    struct plan plan;

    require(audit_machine(arena, machine, &judgement) == ST_OK);
    plan_init(&plan, arena, machine);
    require(plan_boot_stores(&plan, &judgement.roles, &request) == ST_OK);
    require(plan.status == ST_OK);
    return store_planned(&plan, ESP);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > SIZE_LIMIT)
        return 0;
    struct mirror *mirror = store_machine();
    struct machine *machine = &mirror->machine;
    struct arena *arena = store_arena();
    struct esp *esp = &mirror->esps[ESP];
    size_t log = (size_t)data[1] * 512;

    log = log > size - 2 ? size - 2 : log;
    size_t store = size - 2 - log;
    uint8_t *bytes = exact_copy(data + 2 + log, store);
    uint8_t *log_bytes = exact_copy(data + 2, log);
    if ((data[0] & 1) != 0 && store >= 512)
        correct_checksum(bytes);
    require(boot_store_take(arena, span_of(bytes, store), span_of(log_bytes, log), esp) == ST_OK);
    read_store(arena, machine);
    struct span before = esp->store_file;
    struct span mended = mend(arena, machine);
    if (mended.size > 0) {
        require(store_damage(arena, mended) == store_damage(arena, before));
        require(boot_store_take(arena, mended, span_of(NULL, 0), esp) == ST_OK);
        require(esp->store == REGF_GOOD && mend(arena, machine).size == 0);
    }
    free(bytes);
    free(log_bytes);
    return 0;
}
