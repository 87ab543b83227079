/* Any bytes as a Boot#### variable, and as the optional data of a Windows one. */
#include "format/load_option.h"
#include "format/windows_options.h"
#include "fuzz/fuzz.h"
#include "fuzz/fuzz_target.h"

#define SIZE_LIMIT 4096u

static uint8_t arena_bytes[1u << 18];

/* The GUID of the first partition named, or that of the corpus's ARC signatures. */
static struct guid source_of(const struct windows_options *options)
{
    const struct guid arc = GUID_INIT(0xf3d11286, 0x2582, 0x4d76, 0x889c, 0xb82c346be44e);
    struct hd_node hd;

    if (options->path_type == WINDOWS_PATH_EFI && devpath_find_hd(options->path_data, &hd, NULL) &&
        hd.signature_type == HD_SIGNATURE_GUID)
        return guid_load(hd.signature);
    return arc;
}

static void check_retarget(struct arena *arena, struct span optional,
                           const struct windows_options *options)
{
    struct devpath_retarget how = {.source = source_of(options), .target = target};
    struct guid target_guid = guid_load(target.signature);
    struct windows_options after;
    struct span result;

    bool mentioned = windows_options_mention_guid(options, &how.source);
    require(windows_options_retarget(arena, optional, &how, &result) == ST_OK);
    require(result.size == optional.size);
    require(mentioned || span_equal(result, optional));
    require(windows_options_parse(result, &after) == ST_OK);
    require(after.path_type == options->path_type &&
            after.path_data_offset == options->path_data_offset &&
            after.path_data.size == options->path_data.size &&
            span_equal(after.load_options, options->load_options));
    require(span_equal(span_part(result, 0, after.path_data_offset),
                       span_part(optional, 0, after.path_data_offset)));
    if (mentioned && !guid_equal(&how.source, &target_guid))
        require(!windows_options_mention_guid(&after, &how.source));
    require(!mentioned || windows_options_mention_guid(&after, &target_guid));
}

static void check_windows(struct span optional)
{
    struct windows_options options;
    struct arena arena;
    struct guid object;

    arena_init(&arena, arena_bytes, sizeof(arena_bytes));
    enum status status = windows_options_parse(optional, &options);
    require((status == ST_ABSENT) == !windows_options_present(optional));
    if (status != ST_OK)
        return;
    require(options.load_options.at == optional.at + 0x14);
    require(options.path_data.at == optional.at + options.path_data_offset);
    require(span_holds(optional, options.path_data_offset, options.path_data.size));
    (void)windows_options_bcd_object(&options, &object);
    check_retarget(&arena, optional, &options);
}

static void check_option(struct span value)
{
    struct load_option option;
    struct arena arena;
    struct span again;

    if (load_option_parse(value, &option) != ST_OK)
        return;
    arena_init(&arena, arena_bytes, sizeof(arena_bytes));
    require(load_option_build(&arena, &option, &again) == ST_OK);
    require(span_equal(again, value));
    require(option.path.at == option.paths.at && option.path.size <= option.paths.size);
    require(!load_option_is_auto_created(&option) || option.optional.size == 16);
    check_windows(option.optional);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct guid guid = guid_load(target.signature);

    if (size > SIZE_LIMIT)
        return 0;
    uint8_t *copy = exact_copy(data, size);
    check_option(span_of(copy, size));
    check_windows(span_of(copy, size));
    (void)optional_data_mentions_guid_text(span_of(copy, size), &guid);
    free(copy);
    return 0;
}
