/* Any bytes as a device path: every walk stays inside, and what comes out keeps its promises. */
#include "base/text.h"
#include "format/devpath.h"
#include "format/devpath_text.h"
#include "fuzz/fuzz.h"
#include "fuzz/fuzz_target.h"

#define SIZE_LIMIT 4096u
#define ARENA_SIZE (1u << 20)

static uint8_t arena_bytes[ARENA_SIZE];
static uint8_t room[SIZE_LIMIT * 16];

/* PciRoot(0x0)/Pci(0x3,0x0) */
static const uint8_t disk[] = {2, 1, 12, 0, 0xd0, 0x41, 3,    10,   0,    0, 0,
                               0, 1, 1,  6, 0,    0,    0x03, 0x7f, 0xff, 4, 0};

static int sign(int value)
{
    return (value > 0) - (value < 0);
}

static void check_text(struct span path, bool whole)
{
    struct arena arena;

    arena_init(&arena, arena_bytes, sizeof(arena_bytes));
    const char *text = devpath_text(&arena, path);
    require(text != NULL);
    size_t length = text_length(text);
    for (size_t i = 0; i < length; i++)
        require((uint8_t)text[i] >= 0x20 && text[i] != 0x7f);
    require(whole || (length >= 9 && text_equal(text + length - 9, "<damaged>")));
}

static void check_file(struct span path, bool whole)
{
    struct arena arena;
    struct span file;

    arena_init(&arena, arena_bytes, sizeof(arena_bytes));
    enum status status = devpath_file(&arena, path, &file);
    require(status == ST_OK || status == ST_ABSENT);
    if (status != ST_OK)
        return;
    require(whole && file.size >= 4 && file.size % 2 == 0);
    for (size_t at = 0; at < file.size; at += 2)
        require((ld_le16(file.at + at) == 0) == (at + 2 == file.size));
}

static void check_order(struct span path)
{
    struct span a = span_part(path, 0, path.size / 2);
    struct span b = span_part(path, path.size / 2, path.size - path.size / 2);

    require(devpath_compare(path, path) == 0);
    require(sign(devpath_compare(a, b)) == -sign(devpath_compare(b, a)));
    require((devpath_compare(a, b) == 0) == span_equal(a, b));
}

static void check_retargeted(struct span path, bool whole, const struct guid *source)
{
    struct devpath_retarget how = {
        .source = *source, .target = target, .disk = span_of(disk, sizeof(disk))};
    struct guid target_guid = guid_load(target.signature);
    bool mentioned = devpath_mentions_guid(path, source);
    struct builder builder;
    struct span taken;

    for (int form = DEVPATH_KEEP_FORM; form <= DEVPATH_MAKE_FULL; form++) {
        how.form = form;
        builder_init(&builder, room, sizeof(room));
        unsigned count = devpath_put_retargeted(&builder, path, &how);
        struct span result = builder_span(&builder);
        require(!builder.failed && (count > 0) == mentioned);
        require(count > 0 || span_equal(result, path));
        require(!whole || (devpath_take(result, &taken) == ST_OK && taken.size == result.size));
        if (count > 0 && !guid_equal(source, &target_guid))
            require(!devpath_mentions_guid(result, source));
        require(count == 0 || devpath_mentions_guid(result, &target_guid));
    }
}

static void check_hd(struct span path, const struct hd_node *hd, size_t offset)
{
    uint8_t node[HD_NODE_SIZE];
    struct builder builder;

    builder_init(&builder, node, sizeof(node));
    devpath_put_hd(&builder, hd);
    require(span_equal(builder_span(&builder), span_part(path, offset, HD_NODE_SIZE)));
}

static void check(struct span bytes)
{
    struct span path = bytes;
    struct guid source = guid_load(target.signature);
    struct hd_node hd;
    size_t offset = 0;

    bool starts = devpath_take(bytes, &path) == ST_OK;
    bool whole = starts && path.size == bytes.size;
    if (devpath_find_hd(bytes, &hd, &offset)) {
        require(starts);
        check_hd(bytes, &hd, offset);
        source = guid_load(hd.signature);
        if (whole && hd_node_has_guid(&hd, &source))
            require(devpath_mentions_guid(bytes, &source));
    }
    if (starts)
        require(devpath_has_prefix(path, path, &offset) && offset + 4 == path.size);
    check_text(bytes, starts);
    check_file(bytes, starts);
    check_order(bytes);
    check_retargeted(bytes, whole, &source);
    require(devpath_form_of(bytes) <= DEVPATH_FORM_OTHER);
    (void)devpath_is_usb(bytes);
    (void)devpath_is_ram_disk(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > SIZE_LIMIT)
        return 0;
    uint8_t *copy = exact_copy(data, size);
    check(span_of(copy, size));
    free(copy);
    return 0;
}
