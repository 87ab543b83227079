#include "apply_run.h"

#include "table_read.h"

static enum status check_file(struct apply_run *run, const struct action *action)
{
    const struct files_port *files = &run->ports->files;
    const struct file_volume *volume = &files->volumes[action->volume];
    struct file_info info;
    enum status status = files->stat(files->ctx, action->volume, action->path, &info);

    if (status == ST_OK) {
        run->result->problem = apply_say(run,
                                         "%s%s is there already. Give another name, or delete it "
                                         "first. Nothing was changed.",
                                         volume->alias, action->path);
        return ST_EXISTS;
    }
    if (volume->read_only) {
        run->result->problem =
            apply_say(run, "%s is write-protected. Nothing was changed.", volume->alias);
        return ST_READ_ONLY;
    }
    if (machine_mount_is_in_array(run->plan->machine, action->volume)) {
        run->result->problem = apply_say(
            run,
            "%s is a member of a Linux RAID: written to from here, it would differ from the "
            "other members. Give another volume. Nothing was changed.",
            volume->alias);
        return ST_REFUSED;
    }
    return status == ST_ABSENT ? ST_OK : status;
}

/* True when the plan makes or changes the disk's table: then that is checked when it is worked
 * out. */
static bool changes_table(const struct plan *plan, size_t disk)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct disk_change *change = plan->actions[i].change;
        if (action_changes_disk(&plan->actions[i]) && change->kind == DISK_CHANGE_GPT &&
            change->disk == disk)
            return true;
    }
    return false;
}

/* The disk that new entries name must be there as it was: entries for a ghost help nobody. */
static enum status check_disk(struct apply_run *run)
{
    size_t index = run->plan->target_disk;
    struct gpt_header header;

    if (index == NO_INDEX || changes_table(run->plan, index))
        return ST_OK;
    const struct disk *disk = &run->plan->machine->disks[index];
    enum status status = table_read_header(run->arena, &run->ports->disks[disk->port],
                                           disk_good_table(disk), &header);
    if (status != ST_OK)
        run->result->problem = apply_say(
            run,
            "Disk %zu cannot be read any more, or its partition table is not what it was when "
            "the plan was made (%s). Nothing was changed. Check the disk with \"shadowboot "
            "disks\".",
            index, status_text(status));
    return status;
}

static enum status check_disk_changes(struct apply_run *run)
{
    size_t action = 0;
    enum status status = disk_batch_begin(run->arena, run->ports, run->plan, &run->disks, &action);

    if (status != ST_OK && status != ST_NO_MEMORY)
        run->result->problem = apply_say_disk_refused(run, action, status);
    return status;
}

enum status apply_check_all(struct apply_run *run)
{
    enum status status = check_disk(run);

    for (size_t i = 0; i < run->plan->count && status == ST_OK; i++) {
        const struct action *action = &run->plan->actions[i];
        if (apply_is_variable(action))
            status = apply_check_variable(run, action, &run->before[i]);
        else if (!action_changes_disk(action))
            status = check_file(run, action);
    }
    if (status == ST_OK)
        status = apply_check_space(run);
    return status == ST_OK ? check_disk_changes(run) : status;
}
