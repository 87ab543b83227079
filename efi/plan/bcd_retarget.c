/* Steps that follow what a store holds: devices wherever they are, and the recovery system. */
#include "base/mem.h"
#include "bcd_work.h"

/* One device of an object. */
static enum status retarget_element(struct bcd_work *work, const struct bcd_object *object,
                                    const struct bcd_element *element,
                                    const struct bcd_partition *from,
                                    const struct bcd_partition *to)
{
    uint8_t *data = arena_copy(work->plan->arena, element->data.at, element->data.size);
    size_t count = 0;

    if (data == NULL)
        return ST_NO_MEMORY;
    /* What is damaged or of a kind that is not known stays as it is. */
    if (bcd_device_retarget(data, element->data.size, from, to, &count) != ST_OK || count == 0)
        return ST_OK;
    return bcd_edit_set(&work->edit, &object->guid, element->code,
                        span_of(data, element->data.size));
}

static enum status retarget_object(struct bcd_work *work, const struct bcd_object *object,
                                   const struct bcd_partition *from, const struct bcd_partition *to)
{
    struct bcd_element element;
    enum status status = ST_OK;

    for (size_t i = 0; status == ST_OK; i++) {
        enum status found = bcd_element_at(&work->edit.store, object, i, &element);
        if (found == ST_ABSENT)
            return ST_OK;
        if (found == ST_OK && bcd_format(element.code) == BCD_FORMAT_DEVICE)
            status = retarget_element(work, object, &element, from, to);
    }
    return status;
}

enum status bcd_work_retarget(struct bcd_work *work, const struct bcd_step *step)
{
    struct bcd_partition from;
    struct bcd_partition to;
    struct bcd_object object;

    enum status status = bcd_work_partition(work, step->words[0], true, &from);
    if (status == ST_OK)
        status = bcd_work_partition(work, step->words[1], false, &to);
    for (size_t i = 0; status == ST_OK; i++) {
        enum status found = bcd_object_at(&work->edit.store, i, &object);
        if (found == ST_ABSENT)
            return ST_OK;
        if (found == ST_OK)
            status = retarget_object(work, &object, &from, &to);
    }
    return status;
}

enum status bcd_work_recovery(struct bcd_work *work, const struct bcd_object *object)
{
    struct bcd_object system;
    struct guid guid;
    struct span data;

    enum status status = bcd_inherited(&work->edit.store, object, BCD_RECOVERY_SEQUENCE, &data);
    if (status == ST_OK)
        status = bcd_guid_at(data, 0, &guid);
    if (status == ST_OK)
        status = bcd_find(&work->edit.store, &guid, &system);
    if (status != ST_OK)
        return plan_refuse(work->plan, status,
                           "The boot store names no recovery system for what it starts "
                           "(recoverysequence), or does not have it. Nothing was changed.");
    status = bcd_value_objects(work->plan->arena, BCD_BOOT_SEQUENCE, &guid, 1, &data);
    return status == ST_OK ? bcd_edit_set(&work->edit, &bcd_manager, BCD_BOOT_SEQUENCE, data)
                           : status;
}
