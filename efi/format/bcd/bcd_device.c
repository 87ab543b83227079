#include "format/bcd/bcd_device.h"

#include "base/mem.h"

#define HEADER_SIZE    16u /* of a descriptor, and of the GUID before the first */
#define LOCAL_AT       16u /* in a descriptor of type 0: the device */
#define PARTITION_AT   16u /* in one of type 6: the partition, and then the device it is on */
#define PARTITION_DISK 32u
#define PARTITION_SIZE 72u /* of one on a hard disk */
#define LOCAL_SIZE     40u /* of a hard disk, and of what stands before a virtual disk's file */
#define PARENT_AT      24u /* of a virtual disk's device: the descriptor of its file */
#define RAMDISK_PATH   24u
#define FILE_PATH      4u
#define PATH_HEADER    12u
#define LOCATE_TYPE    16u
#define LOCATE_ELEMENT 20u
#define LOCATE_PARENT  24u
#define LOCATE_PATH    28u
#define DEPTH_MAX      8u

enum { TYPE_LOCAL = 0, TYPE_BOOT = 5, TYPE_PARTITION = 6, TYPE_LOCATE = 8 };
enum { KIND_HARD_DISK = 0, KIND_RAMDISK = 3, KIND_FILE = 5, KIND_VIRTUAL_DISK = 6 };
enum { SCHEME_GPT = 0, SCHEME_MBR = 1 };

/* A descriptor being taken apart: what is told goes to the outermost one's device. */
struct walk {
    struct bcd_device *device;
    bool outermost;
    unsigned depth;
    uint8_t *bytes; /* where the element can be written; NULL to read only */
    const uint8_t *start;
    const struct bcd_partition *from, *to;
    size_t changed;
};

static enum status walk_descriptor(struct walk *walk, struct span data);

static void note_kind(struct walk *walk, enum bcd_device_kind kind)
{
    if (walk->outermost)
        walk->device->kind = kind;
    walk->outermost = false;
}

static void note_path(struct walk *walk, struct span path)
{
    size_t size = 0;

    while (size + 1 < path.size && ld_le16(path.at + size) != 0)
        size += 2;
    if (walk->device->path.size == 0)
        walk->device->path = span_part(path, 0, size);
}

/* --- Partitions ----------------------------------------------------------------------------- */

static struct bcd_partition load_partition(const uint8_t *descriptor)
{
    const uint8_t *disk = descriptor + PARTITION_DISK;
    struct bcd_partition own = {.is_gpt = ld_le32(disk + 4) == SCHEME_GPT};

    if (own.is_gpt) {
        own.partition = guid_load(descriptor + PARTITION_AT);
        own.disk = guid_load(disk + 8);
    } else {
        own.offset = ld_le64(descriptor + PARTITION_AT);
        own.signature = ld_le32(disk + 8);
    }
    return own;
}

static void store_partition(uint8_t *descriptor, const struct bcd_partition *to)
{
    uint8_t *disk = descriptor + PARTITION_DISK;

    memset(descriptor + PARTITION_AT, 0, PARTITION_SIZE - PARTITION_AT);
    st_le32(disk + 4, to->is_gpt ? SCHEME_GPT : SCHEME_MBR);
    if (to->is_gpt) {
        memcpy(descriptor + PARTITION_AT, to->partition.bytes, sizeof(to->partition.bytes));
        memcpy(disk + 8, to->disk.bytes, sizeof(to->disk.bytes));
    } else {
        st_le64(descriptor + PARTITION_AT, to->offset);
        st_le32(disk + 8, to->signature);
    }
}

bool bcd_partition_equal(const struct bcd_partition *a, const struct bcd_partition *b)
{
    if (a->is_gpt != b->is_gpt)
        return false;
    if (a->is_gpt)
        return guid_equal(&a->partition, &b->partition);
    return a->offset == b->offset && a->signature == b->signature;
}

static enum status walk_partition_of_disk(struct walk *walk, struct span data)
{
    if (data.size != PARTITION_SIZE)
        return ST_DAMAGED;
    if (ld_le32(data.at + PARTITION_DISK + 4) > SCHEME_MBR) {
        note_kind(walk, BCD_DEVICE_OTHER);
        return ST_OK;
    }
    struct bcd_partition own = load_partition(data.at);
    if (!walk->device->has_partition) {
        walk->device->partition = own;
        walk->device->has_partition = true;
    }
    note_kind(walk, BCD_DEVICE_PARTITION);
    if (walk->bytes != NULL && bcd_partition_equal(&own, walk->from)) {
        store_partition(walk->bytes + (data.at - walk->start), walk->to);
        walk->changed++;
    }
    return ST_OK;
}

/* --- What lies in files --------------------------------------------------------------------- */

static enum status walk_path(struct walk *walk, struct span data)
{
    if (data.size < PATH_HEADER + HEADER_SIZE)
        return ST_DAMAGED;
    uint32_t size = ld_le32(data.at + 4);
    uint32_t parent = ld_le32(data.at + PATH_HEADER + 8);
    struct span path = span_part(data, 0, size);
    struct span volume = span_part(path, PATH_HEADER, parent);
    if (path.at == NULL || volume.at == NULL)
        return ST_DAMAGED;
    note_path(walk, span_part(path, PATH_HEADER + parent, size - PATH_HEADER - parent));
    return walk_descriptor(walk, volume);
}

/* A virtual disk's file, from `at`: the rest of the descriptor. */
static enum status walk_virtual_disk(struct walk *walk, struct span data, size_t at)
{
    note_kind(walk, BCD_DEVICE_VIRTUAL_DISK);
    struct span file = span_part(data, at, data.size - (at < data.size ? at : data.size));

    return file.at == NULL || file.size < HEADER_SIZE ? ST_DAMAGED : walk_descriptor(walk, file);
}

static enum status walk_partition(struct walk *walk, struct span data)
{
    if (data.size < PARTITION_SIZE)
        return ST_DAMAGED;
    switch (ld_le32(data.at + PARTITION_DISK)) {
    case KIND_HARD_DISK:
        return walk_partition_of_disk(walk, data);
    case KIND_VIRTUAL_DISK:
        return walk_virtual_disk(walk, data, PARTITION_DISK + PARENT_AT);
    default:
        note_kind(walk, BCD_DEVICE_OTHER);
        return ST_OK;
    }
}

static enum status walk_local(struct walk *walk, struct span data)
{
    struct span local = span_part(data, LOCAL_AT, data.size - LOCAL_AT);

    if (local.size < 4)
        return ST_DAMAGED;
    switch (ld_le32(local.at)) {
    case KIND_HARD_DISK:
        note_kind(walk, BCD_DEVICE_DISK);
        return local.size < LOCAL_SIZE ? ST_DAMAGED : ST_OK;
    case KIND_RAMDISK:
    case KIND_FILE: {
        bool ramdisk = ld_le32(local.at) == KIND_RAMDISK;
        size_t at = ramdisk ? RAMDISK_PATH : FILE_PATH;
        note_kind(walk, ramdisk ? BCD_DEVICE_RAMDISK : BCD_DEVICE_FILE);
        return local.size < at ? ST_DAMAGED
                               : walk_path(walk, span_part(local, at, local.size - at));
    }
    case KIND_VIRTUAL_DISK:
        return walk_virtual_disk(walk, data, LOCAL_AT + PARENT_AT);
    default:
        note_kind(walk, BCD_DEVICE_OTHER);
        return ST_OK;
    }
}

static enum status walk_locate(struct walk *walk, struct span data)
{
    if (data.size < LOCATE_PATH)
        return ST_DAMAGED;
    uint32_t type = ld_le32(data.at + LOCATE_TYPE);
    uint32_t parent = ld_le32(data.at + LOCATE_PARENT);
    bool outermost = walk->outermost;

    note_kind(walk, type > 1 ? BCD_DEVICE_OTHER : BCD_DEVICE_LOCATE);
    if (outermost && type == 0)
        walk->device->element = ld_le32(data.at + LOCATE_ELEMENT);
    if (type == 1)
        note_path(walk, span_part(data, LOCATE_PATH, data.size - LOCATE_PATH));
    if (parent == 0)
        return ST_OK;
    if (parent < LOCATE_PATH + 2 || parent % 2 != 0 || parent > data.size)
        return ST_DAMAGED;
    return walk_descriptor(walk, span_part(data, parent, data.size - parent));
}

/* --- Descriptors ---------------------------------------------------------------------------- */

static enum status walk_descriptor(struct walk *walk, struct span data)
{
    if (data.size < HEADER_SIZE || walk->depth == DEPTH_MAX)
        return ST_DAMAGED;
    uint32_t size = ld_le32(data.at + 8);
    if (size < HEADER_SIZE || size > data.size)
        return ST_DAMAGED;
    struct span own = span_part(data, 0, size);

    walk->depth++;
    switch (ld_le32(own.at)) {
    case TYPE_LOCAL:
        return walk_local(walk, own);
    case TYPE_PARTITION:
        return walk_partition(walk, own);
    case TYPE_LOCATE:
        return walk_locate(walk, own);
    case TYPE_BOOT:
        note_kind(walk, BCD_DEVICE_BOOT);
        return ST_OK;
    default:
        note_kind(walk, BCD_DEVICE_OTHER);
        return ST_OK;
    }
}

/* The whole element: sizes have to agree. */
static enum status walk_element(struct walk *walk, struct span element)
{
    struct span data = span_part(element, HEADER_SIZE, element.size - HEADER_SIZE);

    if (element.size < 2 * HEADER_SIZE || ld_le32(data.at + 8) != data.size)
        return ST_DAMAGED;
    walk->start = element.at;
    walk->outermost = true;
    walk->device->options = guid_load(element.at);
    walk->device->type = ld_le32(data.at);
    return walk_descriptor(walk, data);
}

enum status bcd_device_read(struct span element, struct bcd_device *ret_device)
{
    struct bcd_device device = {.kind = BCD_DEVICE_OTHER};
    struct walk walk = {.device = &device};

    enum status status = walk_element(&walk, element);
    if (status == ST_OK)
        *ret_device = device;
    return status;
}

enum status bcd_device_retarget(uint8_t *element, size_t size, const struct bcd_partition *from,
                                const struct bcd_partition *to, size_t *ret_count)
{
    struct bcd_device device = {.kind = BCD_DEVICE_OTHER};
    struct walk reading = {.device = &device};

    enum status status = walk_element(&reading, span_of(element, size));
    if (status != ST_OK)
        return status;
    struct walk walk = {.device = &device, .bytes = element, .from = from, .to = to};
    status = walk_element(&walk, span_of(element, size));
    *ret_count = walk.changed;
    return status;
}

/* --- Making one ----------------------------------------------------------------------------- */

size_t bcd_device_write(const struct bcd_device *device, uint8_t ret_data[BCD_DEVICE_SIZE_MAX])
{
    uint8_t *descriptor = ret_data + HEADER_SIZE;
    uint32_t size = PARTITION_SIZE;
    uint32_t type = TYPE_BOOT;

    memset(ret_data, 0, BCD_DEVICE_SIZE_MAX);
    if (device->kind == BCD_DEVICE_PARTITION) {
        type = TYPE_PARTITION;
        store_partition(descriptor, &device->partition);
    } else if (device->kind == BCD_DEVICE_LOCATE) {
        type = TYPE_LOCATE;
        size = LOCATE_PATH + 2; /* an empty path */
        st_le32(descriptor + LOCATE_ELEMENT, device->element);
    } else if (device->kind != BCD_DEVICE_BOOT) {
        return 0;
    }
    st_le32(descriptor, type);
    st_le32(descriptor + 8, size);
    return HEADER_SIZE + size;
}
