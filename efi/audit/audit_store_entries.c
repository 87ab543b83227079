#include "audit_store_entries.h"

#include "audit_stores.h"
#include "base/print.h"
#include "base/text.h"
#include "format/bcd/bcd_name.h"
#include "model/boot_store.h"

#define NAMES_MAX 4u /* in one sentence */

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

struct look {
    struct collector *to;
    const struct machine *machine;
    const struct member *member;
    const struct esp *esp;
    struct bcd_store store;
    struct bcd_object loader; /* what is started next time */
};

static void say_of_store(const struct look *look, enum finding_code code, const char *detail)
{
    collect_at_partition(look->to, code, look->esp->partition, detail);
}

/* --- Names that lead nowhere ------------------------------------------------------------------ */

static const char *element_name(const struct look *look, uint32_t type, uint32_t code)
{
    struct bcd_name name;

    return bcd_name_of(type, code, &name) ? name.name
                                          : arena_printf(look->to->arena, "custom:%08x", code);
}

/* Adds the object's elements that name what is not there: to the text, and to their count. */
static const char *add_dangling(const struct look *look, const struct bcd_object *object,
                                const char *text, size_t *io_count)
{
    struct bcd_element element;

    for (size_t i = 0; bcd_element_at(&look->store, object, i, &element) == ST_OK; i++) {
        if (!bcd_is_reference(element.code) || bcd_count_gone(&look->store, element.data) == 0)
            continue;
        if ((*io_count)++ < NAMES_MAX && text != NULL)
            text = arena_printf(look->to->arena, "%s%s%s", text, *io_count == 1 ? " " : ", ",
                                element_name(look, object->type, element.code));
    }
    return text;
}

static void audit_dangling(const struct look *look)
{
    size_t objects = bcd_object_count(&look->store);
    const char *text = "";
    struct bcd_object object;
    size_t count = 0;

    for (size_t i = 0; i < objects; i++) {
        if (bcd_object_at(&look->store, i, &object) == ST_OK)
            text = add_dangling(look, &object, text, &count);
    }
    if (count == 0 || text == NULL)
        return;
    say_of_store(look, FINDING_ESP_STORE_DANGLING,
                 arena_printf(look->to->arena, "%s%s.", text, count > NAMES_MAX ? ", ..." : ""));
}

/* --- Settings -------------------------------------------------------------------------------- */

static bool setting_is_on(const struct look *look, uint32_t code)
{
    struct span data;

    return bcd_inherited(&look->store, &look->loader, code, &data) == ST_OK &&
           bcd_number(data) != 0;
}

static void audit_safe_mode(const struct look *look)
{
    static const char *const kinds[] = {".", ", with network.", ", to restore a directory."};
    struct span data;

    if (bcd_inherited(&look->store, &look->loader, BCD_SAFE_BOOT, &data) != ST_OK)
        return;
    uint64_t kind = bcd_number(data);
    say_of_store(look, FINDING_ESP_STORE_SAFE_MODE, kind < COUNT_OF(kinds) ? kinds[kind] : ".");
}

static void audit_test_mode(const struct look *look)
{
    static const uint32_t codes[] = {BCD_TEST_SIGNING, BCD_NO_INTEGRITY, BCD_OLD_TEST_SIGNING,
                                     BCD_OLD_NO_INTEGRITY};

    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        if (!setting_is_on(look, codes[i]))
            continue;
        const char *name = element_name(look, look->loader.type, codes[i]);
        say_of_store(look, FINDING_ESP_STORE_TEST_MODE,
                     arena_printf(look->to->arena,
                                  " %s. shadowboot bcd set {default} %s no ends that.", name,
                                  name));
        return;
    }
}

/* --- Other objects ---------------------------------------------------------------------------- */

/* The object that the loader's element names first, and its device. */
static enum status find_behind(const struct look *look, uint32_t code,
                               struct bcd_device *ret_device)
{
    struct bcd_object object;
    struct guid guid;
    struct span data;

    if (bcd_inherited(&look->store, &look->loader, code, &data) != ST_OK ||
        bcd_guid_at(data, 0, &guid) != ST_OK || bcd_find(&look->store, &guid, &object) != ST_OK ||
        bcd_inherited(&look->store, &object, BCD_DEVICE, &data) != ST_OK)
        return ST_ABSENT;
    return bcd_device_read(data, ret_device);
}

/* Why what is on the device is not there when the member's disk is alone; NULL when it is. */
static const char *trouble_behind(const struct look *look, const struct bcd_device *device)
{
    size_t disk = look->machine->partitions[look->esp->partition].disk;

    if (!device->has_partition)
        return NULL;
    size_t partition = boot_store_partition_near(look->machine, &device->partition, disk);
    if (partition == NO_INDEX)
        return " its partition is on no disk of this machine.";
    const struct partition *own = &look->machine->partitions[partition];
    if (own->disk == disk || look->member->copy == NO_INDEX)
        return NULL;
    return arena_printf(look->to->arena, " it is on Disk %zu Partition %u.", own->disk,
                        own->number);
}

/* By itself Windows goes into recovery only where that is switched on and failures count. */
static bool recovery_is_tried(const struct look *look)
{
    enum { IGNORE_ALL = 1, IGNORE_BOOT = 3 };
    struct span data;

    if (bcd_inherited(&look->store, &look->loader, BCD_RECOVERY_ENABLED, &data) == ST_OK &&
        bcd_number(data) == 0)
        return false;
    if (bcd_inherited(&look->store, &look->loader, BCD_STATUS_POLICY, &data) != ST_OK)
        return true;
    return bcd_number(data) != IGNORE_ALL && bcd_number(data) != IGNORE_BOOT;
}

static void audit_recovery(const struct look *look)
{
    struct bcd_device device;

    if (!recovery_is_tried(look) || find_behind(look, BCD_RECOVERY_SEQUENCE, &device) != ST_OK)
        return;
    const char *trouble = trouble_behind(look, &device);
    if (trouble != NULL)
        say_of_store(look, FINDING_ESP_STORE_RECOVERY, trouble);
}

static void audit_resume(const struct look *look)
{
    struct bcd_device device;

    if (find_behind(look, BCD_RESUME_OBJECT, &device) != ST_OK ||
        device.kind != BCD_DEVICE_PARTITION)
        return;
    const char *trouble = trouble_behind(look, &device);
    if (trouble != NULL)
        say_of_store(look, FINDING_ESP_STORE_RESUME, trouble);
}

/* The first entry of the order for one start that exists; it may be no loader at all. */
static void audit_once(const struct look *look)
{
    struct bcd_object manager;
    struct bcd_object object;
    struct guid guid;
    struct span data;

    if (bcd_find(&look->store, &bcd_manager, &manager) != ST_OK ||
        bcd_element(&look->store, &manager, BCD_BOOT_SEQUENCE, &data) != ST_OK)
        return;
    for (size_t i = 0; bcd_guid_at(data, i, &guid) == ST_OK; i++) {
        if (bcd_find(&look->store, &guid, &object) != ST_OK)
            continue;
        const char *name = bcd_inherited(&look->store, &object, BCD_DESCRIPTION, &data) == ST_OK
                               ? text_from_ucs2(look->to->arena, data)
                               : "";
        say_of_store(look, FINDING_ESP_STORE_ONE_TIME,
                     name == NULL || name[0] == '\0'
                         ? ""
                         : arena_printf(look->to->arena, " \"%.60s\".", name));
        return;
    }
}

void audit_store_entries(struct collector *to, const struct machine *machine,
                         const struct member *member, const struct esp *esp)
{
    struct look look = {.to = to, .machine = machine, .member = member, .esp = esp};
    struct bcd_choice choice;

    if (esp->store_file.size == 0 || bcd_open(to->arena, esp->store_file, &look.store) != ST_OK)
        return;
    audit_dangling(&look);
    audit_once(&look);
    if (bcd_choose(&look.store, &bcd_manager, &choice) != BCD_STARTS)
        return;
    look.loader = choice.loader;
    audit_safe_mode(&look);
    audit_test_mode(&look);
    audit_recovery(&look);
    audit_resume(&look);
}
