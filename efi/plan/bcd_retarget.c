/* Steps that follow what a store holds: devices wherever they are, and the recovery system. */
#include "base/mem.h"
#include "bcd_work.h"
#include "store_work.h"

enum status bcd_work_retarget(struct bcd_work *work, const struct bcd_step *step)
{
    struct bcd_edit *edit = &work->edit;
    struct bcd_partition from;
    struct bcd_partition to;

    enum status status = bcd_work_partition(work, step->words[0], true, &from);
    if (status == ST_OK)
        status = bcd_work_partition(work, step->words[1], false, &to);
    if (status != ST_OK || bcd_partition_equal(&from, &to))
        return status;
    edit->changed |= store_exchange(&edit->store, edit->hive.file, &from, &to) > 0;
    return ST_OK;
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
                           "(recoverysequence), or does not have it.");
    status = bcd_value_objects(work->plan->arena, BCD_BOOT_SEQUENCE, &guid, 1, &data);
    return status == ST_OK ? bcd_edit_set(&work->edit, &bcd_manager, BCD_BOOT_SEQUENCE, data)
                           : status;
}
