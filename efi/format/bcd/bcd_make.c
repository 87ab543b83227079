#include "bcd_making.h"

#include "base/print.h"
#include "base/text.h"
#include "format/bcd/bcd_name.h"
#include "format/bcd/bcd_value.h"
#include "format/regf/regf_make.h"

#define TYPE_RESUME  0x10200004u
#define TYPE_MEMDIAG 0x10200005u
#define TYPE_ANY     0x20100000u /* settings that anything inherits */
#define TYPE_LOADERS 0x20200003u
#define TYPE_RESUMES 0x20200004u

#define REGISTRY_TEXT  1u
#define REGISTRY_DWORD 4u

#define MANAGER_RESUME 0x23000006u
#define RESUME_SYSTEM  0x21000026u
#define NX             0x25000020u
#define NX_OPT_OUT     1u
#define LIST_MAX       4u /* objects in a list of the table */
#define OBJECT_BITS    4u /* of each in it */
#define THIS_ESP       1u
#define THIS_SYSTEM    2u
#define IN_MEMORY_LIST 0x15000075u

/* --- What is in a store ----------------------------------------------------------------------- */

/* The objects; a NULL alias is a new GUID's. */
static const struct {
    uint32_t type;
    const char *alias;
} objects[MADE_COUNT] = {
    [MADE_MANAGER] = {BCD_TYPE_MANAGER, "bootmgr"},
    [MADE_MEMDIAG] = {TYPE_MEMDIAG, "memdiag"},
    [MADE_GLOBAL] = {TYPE_ANY, "globalsettings"},
    [MADE_LOADERS] = {TYPE_LOADERS, "bootloadersettings"},
    [MADE_RESUMES] = {TYPE_RESUMES, "resumeloadersettings"},
    [MADE_EMS] = {TYPE_ANY, "emssettings"},
    [MADE_DEBUGGER] = {TYPE_ANY, "dbgsettings"},
    [MADE_BAD_MEMORY] = {TYPE_ANY, "badmemory"},
    [MADE_HYPERVISOR] = {TYPE_LOADERS, "hypervisorsettings"},
    [MADE_LOADER] = {BCD_TYPE_LOADER, NULL},
    [MADE_RESUME] = {TYPE_RESUME, NULL},
};

/* Their elements, but for those that bcd_new decides. A device is THIS_ESP or THIS_SYSTEM; a list
 * of objects has the first in its lowest bits. */
static const struct {
    uint8_t object;
    uint32_t code;
    uint32_t number;
    const char *text;
} elements[] = {
    {MADE_MANAGER, BCD_DEVICE, THIS_ESP, NULL},
    {MADE_MANAGER, BCD_PATH, 0, "\\EFI\\Microsoft\\Boot\\bootmgfw.efi"},
    {MADE_MANAGER, BCD_DESCRIPTION, 0, "Windows Boot Manager"},
    {MADE_MANAGER, BCD_INHERIT, MADE_GLOBAL, NULL},
    {MADE_MANAGER, BCD_DEFAULT, MADE_LOADER, NULL},
    {MADE_MANAGER, MANAGER_RESUME, MADE_RESUME, NULL},
    {MADE_MANAGER, BCD_TOOLS_ORDER, MADE_MEMDIAG, NULL},
    {MADE_MANAGER, 0x25000004, 30, NULL}, /* timeout */
    {MADE_LOADER, BCD_DEVICE, THIS_SYSTEM, NULL},
    {MADE_LOADER, BCD_PATH, 0, "\\Windows\\system32\\winload.efi"},
    {MADE_LOADER, BCD_INHERIT, MADE_LOADERS, NULL},
    {MADE_LOADER, 0x16000060, 1, NULL}, /* isolatedcontext */
    {MADE_LOADER, 0x17000077, IN_MEMORY_LIST, NULL},
    {MADE_LOADER, BCD_OS_DEVICE, THIS_SYSTEM, NULL},
    {MADE_LOADER, BCD_SYSTEM_ROOT, 0, "\\Windows"},
    {MADE_LOADER, BCD_RESUME_OBJECT, MADE_RESUME, NULL},
    {MADE_LOADER, 0x250000c2, 1, NULL}, /* bootmenupolicy */
    {MADE_RESUME, BCD_DEVICE, THIS_SYSTEM, NULL},
    {MADE_RESUME, BCD_PATH, 0, "\\Windows\\system32\\winresume.efi"},
    {MADE_RESUME, BCD_DESCRIPTION, 0, "Windows Resume Application"},
    {MADE_RESUME, BCD_INHERIT, MADE_RESUMES, NULL},
    {MADE_RESUME, 0x16000060, 1, NULL},
    {MADE_RESUME, 0x17000077, IN_MEMORY_LIST, NULL},
    {MADE_RESUME, BCD_OS_DEVICE, THIS_SYSTEM, NULL},     /* filedevice */
    {MADE_RESUME, BCD_SYSTEM_ROOT, 0, "\\hiberfil.sys"}, /* filepath */
    {MADE_RESUME, 0x25000008, 1, NULL},                  /* bootmenupolicy */
    {MADE_RESUME, 0x26000006, 0, NULL},                  /* debugoptionenabled */
    {MADE_MEMDIAG, BCD_DEVICE, THIS_ESP, NULL},
    {MADE_MEMDIAG, BCD_PATH, 0, "\\EFI\\Microsoft\\Boot\\memtest.efi"},
    {MADE_MEMDIAG, BCD_DESCRIPTION, 0, "Windows Memory Diagnostic"},
    {MADE_MEMDIAG, BCD_INHERIT, MADE_GLOBAL, NULL},
    {MADE_MEMDIAG, 0x1600000b, 1, NULL}, /* badmemoryaccess */
    {MADE_GLOBAL, BCD_INHERIT,
     MADE_DEBUGGER | MADE_EMS << OBJECT_BITS | MADE_BAD_MEMORY << 2 * OBJECT_BITS, NULL},
    {MADE_LOADERS, BCD_INHERIT, MADE_GLOBAL | MADE_HYPERVISOR << OBJECT_BITS, NULL},
    {MADE_RESUMES, BCD_INHERIT, MADE_GLOBAL, NULL},
    {MADE_EMS, 0x16000020, 0, NULL},             /* bootems */
    {MADE_DEBUGGER, 0x15000011, 4, NULL},        /* debugtype: local */
    {MADE_HYPERVISOR, 0x250000f3, 0, NULL},      /* serial, */
    {MADE_HYPERVISOR, 0x250000f4, 1, NULL},      /* its port */
    {MADE_HYPERVISOR, 0x250000f5, 115200, NULL}, /* and rate */
};

static const uint8_t localised[] = {MADE_MANAGER, MADE_MEMDIAG, MADE_LOADER, MADE_RESUME};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* SYSTEM and Administrators may do everything, keys below likewise. In the form of [MS-DTYP] 2.4.6:
 * revision 1; self-relative, with a protected list; owner and group Administrators. */
static const uint8_t security[] = {
    1, 0, 0x04, 0x90, 72,   0, 0,    0, 72, 0, 0, 0,  0, 0, 0, 0,    20, 0, 0, 0, /* header */
    2, 0, 52,   0,    2,    0, 0,    0,                                           /* list of 2 */
    0, 2, 20,   0,    0x3f, 0, 0x0f, 0, 1,  1, 0, 0,  0, 0, 0, 5,    18, 0, 0, 0, /* S-1-5-18 */
    0, 2, 24,   0,    0x3f, 0, 0x0f, 0, 1,  2, 0, 0,  0, 0, 0, 5,    32, 0, 0, 0, 0x20,
    2, 0, 0,    1,    2,    0, 0,    0, 0,  0, 5, 32, 0, 0, 0, 0x20, 2,  0, 0, /* S-1-5-32-544 */
};

static enum status fill_text(struct bcd_making *making, enum made_object object, uint32_t code,
                             const char *text)
{
    struct span data;
    enum status status = text_to_ucs2(making->arena, text, &data);

    return status == ST_OK ? making_fill(making, object, code, data) : status;
}

static enum status fill_number(struct bcd_making *making, enum made_object object, uint32_t code,
                               uint64_t number)
{
    uint8_t bytes[8];

    st_le64(bytes, number);
    return making_fill(making, object, code,
                       span_of(bytes, bcd_format(code) == BCD_FORMAT_BOOLEAN ? 1 : 8));
}

static struct span device_of(const struct bcd_partition *partition,
                             uint8_t ret_data[BCD_DEVICE_SIZE_MAX])
{
    const struct bcd_device device = {.kind = BCD_DEVICE_PARTITION, .partition = *partition};

    return span_of(ret_data, bcd_device_write(&device, ret_data));
}

static enum status fill_device(struct bcd_making *making, enum made_object object, uint32_t code,
                               uint32_t which)
{
    const struct bcd_new *wanted = making->wanted;
    uint8_t data[BCD_DEVICE_SIZE_MAX];

    return making_fill(
        making, object, code,
        device_of(which == THIS_ESP ? &wanted->esp : &wanted->system.partition, data));
}

static enum status fill_objects(struct bcd_making *making, enum made_object object, uint32_t code,
                                const struct guid *guids, size_t count)
{
    struct span data;
    enum status status = bcd_value_objects(making->arena, code, guids, count, &data);

    return status == ST_OK ? making_fill(making, object, code, data) : status;
}

static enum status fill_listed(struct bcd_making *making, enum made_object object, uint32_t code,
                               uint32_t list)
{
    struct guid guids[LIST_MAX];
    size_t count = 0;

    for (; list != 0; list >>= OBJECT_BITS)
        guids[count++] = making->guids[list & ((1u << OBJECT_BITS) - 1)];
    return fill_objects(making, object, code, guids, count);
}

static enum status fill_element(struct bcd_making *making, size_t index)
{
    enum made_object object = (enum made_object)elements[index].object;
    uint32_t code = elements[index].code;
    uint32_t number = elements[index].number;

    switch (bcd_format(code)) {
    case BCD_FORMAT_DEVICE:
        return fill_device(making, object, code, number);
    case BCD_FORMAT_STRING:
        return fill_text(making, object, code, elements[index].text);
    case BCD_FORMAT_OBJECT:
    case BCD_FORMAT_LIST:
        return fill_listed(making, object, code, number);
    default:
        return fill_number(making, object, code, number);
    }
}

/* --- The store -------------------------------------------------------------------------------- */

/* What marks a store that starts the machine. */
static enum status describe_store(struct bcd_making *making, struct regf_edit *hive)
{
    static const char *const marks[] = {"System", "TreatAsSystem"};
    uint8_t yes[4];
    struct span name;
    uint32_t key = 0;

    st_le32(yes, 1);
    enum status status = regf_create_key(hive, hive->hive.root, regf_name_of("Description"), &key);
    if (status == ST_OK)
        status = text_to_ucs2(making->arena, "BCD00000000", &name);
    if (status == ST_OK)
        status = regf_set_value(hive, key, regf_name_of("KeyName"), REGISTRY_TEXT, name);
    for (size_t i = 0; i < COUNT_OF(marks) && status == ST_OK; i++)
        status = regf_set_value(hive, key, regf_name_of(marks[i]), REGISTRY_DWORD,
                                span_of(yes, sizeof(yes)));
    return status;
}

/* A hive with the keys that a store has, and no object. */
static enum status make_empty(struct bcd_making *making, uint8_t *buffer, size_t capacity)
{
    uint64_t now = making->wanted->now;
    struct regf_edit hive;
    struct span file;
    uint32_t key = 0;

    enum status status = regf_make(buffer, capacity, regf_name_of("NewStoreRoot"),
                                   span_of(security, sizeof(security)), now, &file);
    if (status == ST_OK)
        status = regf_edit_open(making->arena, buffer, file.size, capacity, now, &hive);
    if (status == ST_OK)
        status = describe_store(making, &hive);
    if (status == ST_OK)
        status = regf_create_key(&hive, hive.hive.root, regf_name_of("Objects"), &key);
    if (status != ST_OK)
        return status;
    file = regf_edit_finish(&hive);
    return bcd_edit_open(making->arena, buffer, file.size, capacity, now, &making->edit);
}

static enum status make_objects(struct bcd_making *making)
{
    enum status status = ST_OK;

    for (int i = MADE_MANAGER; i < MADE_COUNT && status == ST_OK; i++) {
        if (objects[i].alias != NULL)
            status = bcd_alias_find(objects[i].alias, &making->guids[i]);
        if (status == ST_OK)
            status = bcd_edit_create(&making->edit, &making->guids[i], objects[i].type);
    }
    return status;
}

/* What the table does not know. */
static enum status fill_wanted(struct bcd_making *making)
{
    const struct bcd_new *wanted = making->wanted;
    const struct guid order[] = {wanted->system.loader, wanted->other.loader};

    enum status status =
        fill_objects(making, MADE_MANAGER, BCD_DISPLAY_ORDER, order, wanted->has_other ? 2 : 1);
    if (status == ST_OK)
        status = fill_text(making, MADE_LOADER, BCD_DESCRIPTION, wanted->description);
    if (status == ST_OK)
        status = fill_number(making, MADE_LOADER, NX, wanted->is_server ? NX_OPT_OUT : 0);
    if (status == ST_OK && wanted->names_system_of_resume)
        status = fill_device(making, MADE_RESUME, RESUME_SYSTEM, THIS_SYSTEM);
    for (size_t i = 0; i < COUNT_OF(localised) && status == ST_OK; i++)
        status = fill_text(making, (enum made_object)localised[i], BCD_LOCALE, wanted->locale);
    return status;
}

/* --- The other copy --------------------------------------------------------------------------- */

/* Describes the object as the other one of its kind. */
static enum status describe_second(struct bcd_making *making, const struct guid *guid)
{
    struct bcd_object object;
    struct span data;

    enum status status = bcd_find(&making->edit.store, guid, &object);
    if (status == ST_OK)
        status = bcd_element(&making->edit.store, &object, BCD_DESCRIPTION, &data);
    if (status != ST_OK)
        return status;
    const char *text = text_from_ucs2(making->arena, data);
    text = text == NULL ? NULL : arena_printf(making->arena, "%s" SECOND_ENDING, text);
    if (text == NULL)
        return ST_NO_MEMORY;
    status = text_to_ucs2(making->arena, text, &data);
    return status == ST_OK ? bcd_edit_set(&making->edit, guid, BCD_DESCRIPTION, data) : status;
}

static enum status copy_to_second(struct bcd_making *making, enum made_object from,
                                  const struct guid *to)
{
    static const uint32_t devices[] = {BCD_DEVICE, BCD_OS_DEVICE, RESUME_SYSTEM};
    uint8_t bytes[BCD_DEVICE_SIZE_MAX];
    struct span device = device_of(&making->wanted->other.partition, bytes);
    struct bcd_object object;
    struct span data;

    enum status status = bcd_edit_copy(&making->edit, &making->guids[from], to);
    for (size_t i = 0; i < COUNT_OF(devices) && status == ST_OK; i++) {
        status = bcd_find(&making->edit.store, to, &object);
        if (status == ST_OK &&
            bcd_element(&making->edit.store, &object, devices[i], &data) == ST_OK)
            status = bcd_edit_set(&making->edit, to, devices[i], device);
    }
    return status == ST_OK ? describe_second(making, to) : status;
}

static enum status add_second(struct bcd_making *making)
{
    const struct bcd_system *other = &making->wanted->other;
    struct span data;

    enum status status = copy_to_second(making, MADE_RESUME, &other->resume);
    if (status == ST_OK)
        status = copy_to_second(making, MADE_LOADER, &other->loader);
    if (status == ST_OK)
        status = bcd_value_objects(making->arena, BCD_RESUME_OBJECT, &other->resume, 1, &data);
    return status == ST_OK ? bcd_edit_set(&making->edit, &other->loader, BCD_RESUME_OBJECT, data)
                           : status;
}

/* --- The whole -------------------------------------------------------------------------------- */

static enum status make_store(struct bcd_making *making, uint8_t *buffer, size_t capacity)
{
    enum status status = make_empty(making, buffer, capacity);

    if (status == ST_OK)
        status = make_objects(making);
    if (status == ST_OK)
        status = making_take_old(making);
    if (status == ST_OK)
        status = making_take_template(making);
    for (size_t i = 0; i < COUNT_OF(elements) && status == ST_OK; i++)
        status = fill_element(making, i);
    if (status == ST_OK)
        status = fill_wanted(making);
    return status == ST_OK && making->wanted->has_other ? add_second(making) : status;
}

enum status bcd_make(struct arena *arena, const struct bcd_new *wanted, uint8_t *buffer,
                     size_t capacity, struct span *ret_file)
{
    struct bcd_making making = {.arena = arena, .wanted = wanted};
    size_t mark = arena_mark(arena);

    making.guids[MADE_LOADER] = wanted->system.loader;
    making.guids[MADE_RESUME] = wanted->system.resume;
    enum status status = make_store(&making, buffer, capacity);
    if (status == ST_OK)
        *ret_file = regf_edit_finish(&making.edit.hive);
    arena_release(arena, mark);
    return status;
}
