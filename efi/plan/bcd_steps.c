/* The steps of a change, each on one store. */
#include "base/mem.h"
#include "base/text.h"
#include "bcd_work.h"

#define CUSTOM "custom:"

/* --- What is named -------------------------------------------------------------------------- */

static const char *shown(struct bcd_work *work, const char *text)
{
    const char *printable = text_printable(work->plan->arena, text);

    return printable == NULL ? "" : printable;
}

/* The object that is typed, be it there or not. */
static enum status read_object(struct bcd_work *work, const char *text, struct guid *ret_guid)
{
    enum status status = bcd_object_parse(&work->edit.store, text, ret_guid);

    if (status == ST_UNSUPPORTED)
        return plan_refuse(
            work->plan, ST_USAGE,
            "{current} is what a running Windows was started by, and none runs here. "
            "{default} is what starts by itself.");
    if (status == ST_ABSENT)
        return plan_refuse(work->plan, status,
                           "The boot store has no default. Name the object by its GUID.");
    if (status != ST_OK)
        return plan_refuse(work->plan, status,
                           "\"%.64s\" is no object: give {default}, {bootmgr} or a GUID, as "
                           "\"shadowboot bcd list -all\" shows them.",
                           shown(work, text));
    return ST_OK;
}

static enum status find_object(struct bcd_work *work, const char *text,
                               struct bcd_object *ret_object)
{
    struct guid guid;
    enum status status = read_object(work, text, &guid);

    if (status != ST_OK)
        return status;
    status = bcd_find(&work->edit.store, &guid, ret_object);
    if (status != ST_OK)
        return plan_refuse(
            work->plan, status,
            "%.64s is not in the boot store, or damaged there. \"shadowboot bcd list "
            "-all\" shows what is.",
            shown(work, text));
    return ST_OK;
}

/* An element that has no name, "custom:26000010". */
static enum status custom_element(const char *text, struct bcd_name *ret_name)
{
    uint64_t code = 0;
    unsigned format = 0;

    if (!text_has_prefix_nocase(text, CUSTOM) || text_length(text) != sizeof(CUSTOM) - 1 + 8 ||
        text_parse_number(text + sizeof(CUSTOM) - 1, 16, &code) != ST_OK)
        return ST_USAGE;
    format = bcd_format((uint32_t)code);
    if (format < BCD_FORMAT_DEVICE || format > BCD_FORMAT_INTEGERS)
        return ST_USAGE;
    *ret_name = (struct bcd_name){.code = (uint32_t)code, .name = "this element"};
    return ST_OK;
}

static enum status find_element(struct bcd_work *work, const struct bcd_object *object,
                                const char *text, struct bcd_name *ret_name)
{
    enum status status = bcd_name_find(object->type, text, ret_name);

    if (status == ST_OK || custom_element(text, ret_name) == ST_OK)
        return ST_OK;
    if (status == ST_UNSUPPORTED)
        return plan_refuse(work->plan, ST_USAGE, "An object of the kind \"%s\" has no %.32s.",
                           bcd_heading(object->type, &object->guid), shown(work, text));
    return plan_refuse(work->plan, ST_USAGE,
                       "\"%.32s\" is no element that is known. Names are those of bcdedit; "
                       "custom:26000010 names one by its number.",
                       shown(work, text));
}

/* --- Elements ------------------------------------------------------------------------------- */

/* Objects in a value have to be there: a name that leads nowhere is no use to anybody. */
static enum status check_named(struct bcd_work *work, uint32_t code, struct span data)
{
    unsigned format = bcd_format(code);
    struct bcd_object object;
    struct guid guid;

    if (format != BCD_FORMAT_OBJECT && format != BCD_FORMAT_OBJECTS)
        return ST_OK;
    for (size_t i = 0; bcd_guid_at(data, i, &guid) == ST_OK; i++) {
        if (bcd_find(&work->edit.store, &guid, &object) == ST_OK)
            continue;
        return plan_refuse(work->plan, ST_ABSENT, "The boot store has no object %s.",
                           bcd_object_text(work->plan->arena, &work->edit.store, &guid));
    }
    return ST_OK;
}

static enum status read_old_value(struct bcd_work *work, const struct bcd_name *name,
                                  const struct bcd_step *step, struct span *ret_data)
{
    const char *allowed = "";

    if (bcd_format(name->code) == BCD_FORMAT_DEVICE && step->count == 1)
        return bcd_work_device(work, name, step->words[0], ret_data);
    enum status status = bcd_value_parse(work->plan->arena, &work->edit.store, name, step->words,
                                         step->count, ret_data, &allowed);
    if (status == ST_USAGE)
        return plan_refuse(work->plan, status, "\"%.64s\" is no value for %s, which takes %s.",
                           step->count > 0 ? shown(work, step->words[0]) : "", name->name, allowed);
    return status == ST_OK && step->kind != BCD_REMOVE ? check_named(work, name->code, *ret_data)
                                                       : status;
}

/* What a step names, and the value it gives to that. */
static enum status find_step_value(struct bcd_work *work, const struct bcd_step *step,
                                   struct bcd_object *ret_object, struct bcd_name *ret_name,
                                   struct span *ret_data)
{
    enum status status = find_object(work, step->object, ret_object);

    if (status == ST_OK)
        status = find_element(work, ret_object, step->element, ret_name);
    return status == ST_OK ? read_old_value(work, ret_name, step, ret_data) : status;
}

static enum status set(struct bcd_work *work, const struct bcd_step *step)
{
    struct bcd_object object;
    struct bcd_name name;
    struct span data;

    enum status status = find_step_value(work, step, &object, &name, &data);
    return status == ST_OK ? bcd_edit_set(&work->edit, &object.guid, name.code, data) : status;
}

static enum status unset(struct bcd_work *work, const struct bcd_step *step)
{
    struct bcd_object object;
    struct bcd_name name;

    enum status status = find_object(work, step->object, &object);
    if (status == ST_OK)
        status = find_element(work, &object, step->element, &name);
    if (status != ST_OK)
        return status;
    status = bcd_edit_unset(&work->edit, &object.guid, name.code);
    return status == ST_ABSENT ? ST_OK : status;
}

/* --- Lists of objects ----------------------------------------------------------------------- */

struct guids {
    struct guid *items;
    size_t count;
};

static bool guids_hold(const struct guids *list, const struct guid *guid)
{
    for (size_t i = 0; i < list->count; i++) {
        if (guid_equal(&list->items[i], guid))
            return true;
    }
    return false;
}

/* Those of `data` that are not in `without`. */
static void append_guids(struct guids *io_list, struct span data, const struct guids *without)
{
    struct guid guid;

    for (size_t i = 0; bcd_guid_at(data, i, &guid) == ST_OK; i++) {
        if (!guids_hold(without, &guid) && !guids_hold(io_list, &guid))
            io_list->items[io_list->count++] = guid;
    }
}

/* Bytes for each object in a list: none has more than half as many. */
static enum status start_list(struct bcd_work *work, size_t bytes, struct guids *ret_list)
{
    ret_list->count = 0;
    ret_list->items = arena_alloc(work->plan->arena, bytes / 2 + 1, sizeof(struct guid));
    return ret_list->items == NULL ? ST_NO_MEMORY : ST_OK;
}

/* Gives the object the list, or no such element where the list is empty. */
static enum status write_list(struct bcd_work *work, const struct guid *object, uint32_t code,
                              const struct guids *list)
{
    struct span data;

    if (list->count == 0) {
        enum status status = bcd_edit_unset(&work->edit, object, code);
        return status == ST_ABSENT ? ST_OK : status;
    }
    enum status status =
        bcd_value_objects(work->plan->arena, code, list->items, list->count, &data);
    return status == ST_OK ? bcd_edit_set(&work->edit, object, code, data) : status;
}

/* What is typed, before or behind the rest of what is there, or neither. */
static enum status change_list(struct bcd_work *work, const struct bcd_step *step,
                               const struct bcd_object *object, uint32_t code, struct span typed)
{
    static const struct guids none = {NULL, 0};
    struct guids named;
    struct guids list;
    struct span old = {NULL, 0};

    if (bcd_element(&work->edit.store, object, code, &old) != ST_OK)
        old = span_of(NULL, 0);
    enum status status = start_list(work, typed.size, &named);
    if (status == ST_OK)
        status = start_list(work, typed.size + old.size, &list);
    if (status != ST_OK)
        return status;
    append_guids(&named, typed, &none);
    if (step->kind == BCD_LIST || step->kind == BCD_FIRST)
        append_guids(&list, typed, &none);
    if (step->kind != BCD_LIST)
        append_guids(&list, old, &named);
    if (step->kind == BCD_LAST)
        append_guids(&list, typed, &none);
    return write_list(work, &object->guid, code, &list);
}

static enum status recovery(struct bcd_work *work, const struct bcd_step *step)
{
    struct bcd_object object;
    enum status status = find_object(work, step->object, &object);

    return status == ST_OK ? bcd_work_recovery(work, &object) : status;
}

static enum status order(struct bcd_work *work, const struct bcd_step *step)
{
    struct bcd_object object;
    struct bcd_name name;
    struct span data;

    enum status status = find_step_value(work, step, &object, &name, &data);
    return status == ST_OK ? change_list(work, step, &object, name.code, data) : status;
}

/* --- Objects -------------------------------------------------------------------------------- */

/* The lists in which objects stand to be started. */
static const uint32_t menus[] = {BCD_DISPLAY_ORDER, BCD_BOOT_SEQUENCE, BCD_TOOLS_ORDER};

#define MENU_COUNT (sizeof(menus) / sizeof(menus[0]))

/* Takes the object out of the lists of a boot manager. */
static enum status take_out_of_manager(struct bcd_work *work, const struct guid *manager,
                                       const struct guid *guid)
{
    struct guid copy = *guid;
    const struct guids without = {&copy, 1};
    struct bcd_object object;
    struct guids list;
    struct span old;
    enum status status = ST_OK;

    if (bcd_find(&work->edit.store, manager, &object) != ST_OK)
        return ST_OK;
    for (size_t i = 0; i < MENU_COUNT && status == ST_OK; i++) {
        if (bcd_element(&work->edit.store, &object, menus[i], &old) != ST_OK)
            continue;
        status = start_list(work, old.size, &list);
        if (status != ST_OK)
            break;
        append_guids(&list, old, &without);
        status = write_list(work, manager, menus[i], &list);
    }
    return status;
}

static enum status delete_object(struct bcd_work *work, const struct bcd_step *step)
{
    struct guid standard;
    struct guid firmware;
    struct bcd_object object;

    enum status status = find_object(work, step->object, &object);
    if (status != ST_OK)
        return status;
    if (bcd_alias_find("fwbootmgr", &firmware) != ST_OK || guid_equal(&object.guid, &bcd_manager) ||
        guid_equal(&object.guid, &firmware))
        return plan_refuse(work->plan, ST_REFUSED,
                           "%.64s is what starts all others, and is not deleted.",
                           shown(work, step->object));
    if (bcd_object_parse(&work->edit.store, "{default}", &standard) == ST_OK &&
        guid_equal(&object.guid, &standard))
        return plan_refuse(work->plan, ST_REFUSED,
                           "%.64s is the default. Make another object the default first: "
                           "\"shadowboot bcd default {...}\".",
                           shown(work, step->object));
    status = take_out_of_manager(work, &bcd_manager, &object.guid);
    if (status == ST_OK)
        status = take_out_of_manager(work, &firmware, &object.guid);
    return status == ST_OK ? bcd_edit_delete(&work->edit, &object.guid) : status;
}

/* Puts the copy behind the last on the menu that the original is on. */
static enum status put_on_menu(struct bcd_work *work, const struct guid *original)
{
    static const struct guids none = {NULL, 0};
    struct guid guid = *original;
    const struct guids own = {&guid, 1};
    struct bcd_object manager;
    struct guids list;
    struct span old;

    if (bcd_find(&work->edit.store, &bcd_manager, &manager) != ST_OK ||
        bcd_element(&work->edit.store, &manager, BCD_DISPLAY_ORDER, &old) != ST_OK)
        return ST_OK;
    enum status status = start_list(work, old.size, &list);
    if (status != ST_OK)
        return status;
    append_guids(&list, old, &none);
    if (!guids_hold(&list, &own.items[0]))
        return ST_OK;
    list.items[list.count++] = work->fresh;
    return write_list(work, &bcd_manager, BCD_DISPLAY_ORDER, &list);
}

static enum status copy_object(struct bcd_work *work, const struct bcd_step *step)
{
    struct bcd_object object;
    struct span data;

    enum status status = find_object(work, step->object, &object);
    if (status == ST_OK)
        status = text_to_ucs2(work->plan->arena, step->words[0], &data);
    if (status == ST_OK)
        status = bcd_edit_copy(&work->edit, &object.guid, &work->fresh);
    if (status == ST_OK)
        status = bcd_edit_set(&work->edit, &work->fresh, BCD_DESCRIPTION, data);
    return status == ST_OK ? put_on_menu(work, &object.guid) : status;
}

enum status bcd_work_step(struct bcd_work *work, const struct bcd_step *step)
{
    switch (step->kind) {
    case BCD_SET:
        return set(work, step);
    case BCD_UNSET:
        return unset(work, step);
    case BCD_DELETE:
        return delete_object(work, step);
    case BCD_COPY:
        return copy_object(work, step);
    case BCD_RECOVERY:
        return recovery(work, step);
    case BCD_RETARGET:
        return bcd_work_retarget(work, step);
    default:
        return order(work, step);
    }
}
