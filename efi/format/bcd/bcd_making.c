/* What a new store takes from others. */
#include "bcd_making.h"

#include "base/text.h"
#include "base/print.h"
#include "format/bcd/bcd_value.h"

#define CLASS_TEMPLATE 4u
#define TEMPLATE_PATH  0x42000002u /* below \Windows */
#define DEVICE_TYPE    3u          /* of objects with options for a device */
#define NX             0x25000020u
#define LOAD_OPTIONS   0x12000030u
#define MESSAGE        0x15000066u /* displaymessageoverride */
#define RESUME_SYSTEM  0x21000026u
#define WIN_PE         0x26000022u

/* --- Values ----------------------------------------------------------------------------------- */

enum status making_fill(struct bcd_making *making, enum made_object object, uint32_t code,
                        struct span data)
{
    struct bcd_object own;
    struct span old;
    enum status status = bcd_find(&making->edit.store, &making->guids[object], &own);

    if (status == ST_OK && bcd_element(&making->edit.store, &own, code, &old) == ST_OK)
        return ST_OK;
    return status == ST_OK ? bcd_edit_set(&making->edit, &making->guids[object], code, data)
                           : status;
}

static const struct guid loader_template =
    GUID_INIT(0xb012b84d, 0xc47c, 0x4ed5, 0xb722, 0xc0c42163e569);
static const struct guid resume_template =
    GUID_INIT(0x0c334284, 0x9a41, 0x4de1, 0x99b3, 0xa7e87e8ff07e);

/* What starts Windows otherwise than usual, or only once. */
static const uint32_t unusual[] = {
    BCD_SAFE_BOOT, 0x26000081, /* safebootalternateshell */
    0x260000c3,    0x260000c4, /* onetimeadvancedoptions, onetimeoptionsedit */
    WIN_PE,        0x15000065, /* displaymessage */
    MESSAGE,       0x26000031, /* persistbootsequence */
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* True for numbers, booleans and lists of numbers that are no instruction of a template. */
static bool is_plain(uint32_t code)
{
    return bcd_format(code) >= BCD_FORMAT_INTEGER && bcd_format(code) <= BCD_FORMAT_INTEGERS &&
           code >> 28 != CLASS_TEMPLATE;
}

/* --- The template ----------------------------------------------------------------------------- */

/* The path that the template has for the object. */
static enum status take_path(struct bcd_making *making, enum made_object object, struct span data)
{
    const char *path = text_from_ucs2(making->arena, data);
    struct span text;

    path = path == NULL ? NULL : arena_printf(making->arena, "\\Windows%s", path);
    if (path == NULL)
        return ST_NO_MEMORY;
    enum status status = text_to_ucs2(making->arena, path, &text);
    return status == ST_OK ? making_fill(making, object, BCD_PATH, text) : status;
}

static enum status take_from_template(struct bcd_making *making, const struct bcd_store *store,
                                      enum made_object object)
{
    const struct guid *guid = &making->guids[object];
    struct bcd_element element;
    struct bcd_object from;
    enum status status = ST_OK;

    if (object == MADE_LOADER || object == MADE_RESUME)
        guid = object == MADE_LOADER ? &loader_template : &resume_template;
    if (bcd_find(store, guid, &from) != ST_OK)
        return ST_OK;
    for (size_t i = 0; status == ST_OK && bcd_element_at(store, &from, i, &element) == ST_OK; i++) {
        if (element.code == TEMPLATE_PATH)
            status = take_path(making, object, element.data);
        else if (is_plain(element.code) && element.code != NX)
            status = making_fill(making, object, element.code, element.data);
    }
    return status;
}

enum status making_take_template(struct bcd_making *making)
{
    struct bcd_store store;
    enum status status = bcd_open(making->arena, making->wanted->template_file, &store);

    if (status != ST_OK)
        return status == ST_NO_MEMORY ? status : ST_OK;
    for (int i = MADE_MANAGER; i < MADE_COUNT && status == ST_OK; i++)
        status = take_from_template(making, &store, (enum made_object)i);
    return status;
}

/* --- The recovery system ---------------------------------------------------------------------- */

/* True when all partitions that the object's devices name are there. */
static bool devices_are_here(const struct bcd_making *making, const struct bcd_store *store,
                             const struct bcd_object *object, struct guid *io_options)
{
    const struct bcd_new *wanted = making->wanted;
    struct bcd_element element;
    struct bcd_device device;

    for (size_t i = 0; bcd_element_at(store, object, i, &element) == ST_OK; i++) {
        if (bcd_format(element.code) != BCD_FORMAT_DEVICE)
            continue;
        if (bcd_device_read(element.data, &device) != ST_OK || !device.has_partition ||
            wanted->is_here == NULL || !wanted->is_here(wanted->ctx, &device.partition))
            return false;
        if (!guid_is_zero(&device.options))
            *io_options = device.options;
    }
    return true;
}

static enum status bring_object(struct bcd_making *making, const struct bcd_store *store,
                                const struct bcd_object *object)
{
    struct bcd_element element;
    enum status status = bcd_edit_create(&making->edit, &object->guid, object->type);

    for (size_t i = 0; status == ST_OK && bcd_element_at(store, object, i, &element) == ST_OK; i++)
        status = bcd_edit_set(&making->edit, &object->guid, element.code, element.data);
    return status;
}

/* The recovery system of the old loader with what it needs, where it can be started. */
static enum status take_recovery(struct bcd_making *making, const struct bcd_store *store,
                                 const struct bcd_object *loader)
{
    struct guid options = {{0}};
    struct bcd_object recovery;
    struct bcd_object device;
    struct bcd_object own;
    struct guid guid;
    struct span data;
    struct span message;

    if (bcd_element(store, loader, BCD_RECOVERY_SEQUENCE, &data) != ST_OK ||
        bcd_guid_at(data, 0, &guid) != ST_OK || bcd_find(store, &guid, &recovery) != ST_OK ||
        bcd_find(&making->edit.store, &guid, &own) == ST_OK ||
        !devices_are_here(making, store, &recovery, &options))
        return ST_OK;
    bool has_options = !guid_is_zero(&options);
    if (has_options &&
        (bcd_find(store, &options, &device) != ST_OK || device.type >> 28 != DEVICE_TYPE ||
         !devices_are_here(making, store, &device, &options)))
        return ST_OK;
    enum status status = bring_object(making, store, &recovery);
    if (status == ST_OK && has_options)
        status = bring_object(making, store, &device);
    if (status == ST_OK)
        status = bcd_value_objects(making->arena, BCD_RECOVERY_SEQUENCE, &guid, 1, &data);
    if (status == ST_OK)
        status = making_fill(making, MADE_LOADER, BCD_RECOVERY_SEQUENCE, data);
    if (status == ST_OK && bcd_element(store, loader, MESSAGE, &message) == ST_OK)
        status = making_fill(making, MADE_LOADER, MESSAGE, message);
    return status == ST_OK ? making_fill(making, MADE_RESUME, BCD_RECOVERY_SEQUENCE, data) : status;
}

/* --- The older store -------------------------------------------------------------------------- */

static bool is_unusual(uint32_t code)
{
    for (size_t i = 0; i < COUNT_OF(unusual); i++) {
        if (unusual[i] == code)
            return true;
    }
    return false;
}

/* True for what an older object hands on. */
static bool is_handed_on(const struct bcd_making *making, enum made_object object, uint32_t code)
{
    if (code == BCD_LOCALE)
        return !making->wanted->keeps_locale;
    if (code == BCD_DESCRIPTION)
        return object == MADE_LOADER;
    return code == LOAD_OPTIONS || (is_plain(code) && !is_unusual(code));
}

/* The description without what made it that of the other plex. */
static enum status take_description(struct bcd_making *making, enum made_object object,
                                    struct span data)
{
    static const char ending[] = SECOND_ENDING;
    const char *text = text_from_ucs2(making->arena, data);
    size_t length = text == NULL ? 0 : text_length(text);

    while (length >= sizeof(ending) - 1 &&
           text_equal_nocase(text + length - (sizeof(ending) - 1), ending)) {
        length -= sizeof(ending) - 1;
        text = arena_printf(making->arena, "%.*s", (int)length, text);
        if (text == NULL)
            return ST_NO_MEMORY;
        enum status status = text_to_ucs2(making->arena, text, &data);
        if (status != ST_OK)
            return status;
    }
    return making_fill(making, object, BCD_DESCRIPTION, data);
}

static enum status take_settings(struct bcd_making *making, const struct bcd_store *store,
                                 const struct bcd_object *from, enum made_object object)
{
    struct bcd_element element;
    enum status status = ST_OK;

    for (size_t i = 0; status == ST_OK && bcd_element_at(store, from, i, &element) == ST_OK; i++) {
        if (!is_handed_on(making, object, element.code))
            continue;
        status = element.code == BCD_DESCRIPTION
                     ? take_description(making, object, element.data)
                     : making_fill(making, object, element.code, element.data);
    }
    return status;
}

/* What resumes Windows names it once more on Windows 11. */
static enum status take_resume(struct bcd_making *making, const struct bcd_store *store,
                               const struct bcd_object *loader)
{
    const struct bcd_device device = {.kind = BCD_DEVICE_PARTITION,
                                      .partition = making->wanted->system.partition};
    uint8_t data[BCD_DEVICE_SIZE_MAX];
    struct bcd_object resume;
    struct guid guid;
    struct span found;

    if (bcd_element(store, loader, BCD_RESUME_OBJECT, &found) != ST_OK ||
        bcd_guid_at(found, 0, &guid) != ST_OK || bcd_find(store, &guid, &resume) != ST_OK)
        return ST_OK;
    enum status status = take_settings(making, store, &resume, MADE_RESUME);
    if (status != ST_OK || bcd_element(store, &resume, RESUME_SYSTEM, &found) != ST_OK)
        return status;
    return making_fill(making, MADE_RESUME, RESUME_SYSTEM,
                       span_of(data, bcd_device_write(&device, data)));
}

/* The loader that the store starts unless it is told otherwise. */
static bool find_default(const struct bcd_store *store, struct guid *ret_loader)
{
    struct bcd_object manager;
    struct span data;

    return bcd_find(store, &bcd_manager, &manager) == ST_OK &&
           (bcd_element(store, &manager, BCD_DEFAULT, &data) == ST_OK ||
            bcd_element(store, &manager, BCD_DISPLAY_ORDER, &data) == ST_OK) &&
           bcd_guid_at(data, 0, ret_loader) == ST_OK;
}

/* The loader whose settings are taken; false for another kind. */
static bool find_old_loader(const struct bcd_making *making, const struct bcd_store *store,
                            struct bcd_object *ret_loader)
{
    struct guid guid = making->wanted->old_loader;
    struct span data;

    return (making->wanted->takes_loader || find_default(store, &guid)) &&
           bcd_find(store, &guid, ret_loader) == ST_OK && ret_loader->type == BCD_TYPE_LOADER &&
           (bcd_element(store, ret_loader, WIN_PE, &data) != ST_OK || bcd_number(data) == 0);
}

static enum status take_loader(struct bcd_making *making, const struct bcd_store *store)
{
    struct bcd_object loader;

    if (!find_old_loader(making, store, &loader))
        return ST_OK;
    enum status status = take_settings(making, store, &loader, MADE_LOADER);
    if (status == ST_OK)
        status = take_resume(making, store, &loader);
    return status == ST_OK ? take_recovery(making, store, &loader) : status;
}

enum status making_take_old(struct bcd_making *making)
{
    struct bcd_store store;
    struct bcd_object from;
    enum status status = bcd_open(making->arena, making->wanted->old_file, &store);

    if (status != ST_OK)
        return status == ST_NO_MEMORY ? status : ST_OK;
    for (int i = MADE_MANAGER; i < MADE_LOADER && status == ST_OK; i++) {
        if (bcd_find(&store, &making->guids[i], &from) == ST_OK)
            status = take_settings(making, &store, &from, (enum made_object)i);
    }
    return status == ST_OK ? take_loader(making, &store) : status;
}
