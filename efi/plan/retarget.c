#include "plan/retarget.h"

#include "format/windows_options.h"

struct devpath_retarget retarget_to(const struct machine *machine, const struct guid *source,
                                    size_t target, enum path_form form)
{
    const struct partition *partition = &machine->partitions[target];
    struct devpath_retarget how = {
        .source = *source,
        .target = partition_hd_node(machine, partition),
        .disk = machine->disks[partition->disk].path,
        .form = DEVPATH_KEEP_FORM,
    };

    if (form == PATH_FULL)
        how.form = DEVPATH_MAKE_FULL;
    if (form == PATH_SHORT || machine->disks[partition->disk].place_unknown)
        how.form = DEVPATH_MAKE_SHORT;
    return how;
}

/* A path that becomes longer than 64 KiB makes the option impossible, which load_option_build
 * reports. */
static enum status retarget_paths(struct arena *arena, struct span paths,
                                  const struct devpath_retarget *how, struct span *ret_paths)
{
    struct span rest = paths;
    struct span path;
    struct builder builder;

    /* Each hard drive node may get the disk's path before it. */
    size_t nodes = paths.size / HD_NODE_SIZE + 1;
    builder_in_arena(&builder, arena, paths.size + nodes * (how->disk.size + HD_NODE_SIZE));
    while (rest.size > 0 && devpath_take(rest, &path) == ST_OK) {
        devpath_put_retargeted(&builder, path, how);
        rest = span_part(rest, path.size, rest.size - path.size);
    }
    if (builder.failed)
        return ST_NO_MEMORY;
    *ret_paths = builder_span(&builder);
    return ST_OK;
}

static enum status retarget_optional(struct arena *arena, const struct load_option *from,
                                     const struct devpath_retarget *how, struct span *ret_optional)
{
    struct span optional = from->optional;

    enum status status = windows_options_retarget(arena, optional, how, ret_optional);
    if (status == ST_OK || status == ST_NO_MEMORY)
        return status;
    *ret_optional = optional;
    return ST_OK;
}

enum status retarget_option(struct arena *arena, const struct load_option *from,
                            const struct devpath_retarget *how, struct load_option *ret_option)
{
    struct load_option option = *from;

    enum status status = retarget_paths(arena, from->paths, how, &option.paths);
    if (status == ST_OK)
        status = retarget_optional(arena, from, how, &option.optional);
    if (status != ST_OK)
        return status;
    *ret_option = option;
    return ST_OK;
}
