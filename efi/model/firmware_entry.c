#include "model/firmware_entry.h"

#include "base/mem.h"
#include "format/devpath.h"

/* Optional data by which firmware marks what it made. */
struct mark {
    uint8_t bytes[16];
    uint8_t size;
    const char *reason;
};

static const struct mark marks[] = {
    /* 8108ac4e-9f11-4d59-850e-e21a522c59b2: edk2, U-Boot */
    {{0x4e, 0xac, 0x08, 0x81, 0x11, 0x9f, 0x59, 0x4d, 0x85, 0x0e, 0xe2, 0x1a, 0x52, 0x2c, 0x59,
      0xb2},
     16,
     "marked as made by itself"},
    {{0, 0, 'B', 'O'}, 4, "marked \"BO\" (AMI)"},
    {{'A', 'M', 'B', 'O'}, 4, "marked \"AMBO\" (AMI)"},
    {{'R', 'C'}, 2, "marked \"RC\" (Insyde)"},
};

/* A node that says whose the path is: in any path, or only in one that names no partition. */
struct telling_node {
    uint8_t type;
    uint8_t first; /* subtypes */
    uint8_t last;
    bool always;
    const char *reason;
};

static const struct telling_node telling[] = {
    {DEVPATH_BBS, 0, 0xff, true, "a legacy (BIOS) start"},
    {DEVPATH_MEDIA, 6, 7, true, "a program in the firmware"},     /* FvFile, Fv */
    {DEVPATH_MEDIA, 9, 9, true, "a disk in memory"},              /* RamDisk */
    {DEVPATH_HARDWARE, 3, 3, true, "a program in memory"},        /* MemoryMapped */
    {DEVPATH_MESSAGING, 11, 13, false, "a start from network"},   /* MAC, IPv4, IPv6 */
    {DEVPATH_MESSAGING, 24, 24, false, "a start from network"},   /* URI */
    {DEVPATH_MESSAGING, 27, 28, false, "a start from network"},   /* Bluetooth, Wi-Fi */
    {DEVPATH_MESSAGING, 15, 16, false, "a class of USB devices"}, /* class, WWID */
    {DEVPATH_HARDWARE, 4, 4, false, "a vendor's path"},
    {DEVPATH_MESSAGING, 10, 10, false, "a vendor's path"},
    {DEVPATH_MEDIA, 3, 3, false, "a vendor's path"},
};

const char *firmware_option_mark(const struct load_option *option)
{
    if (devpath_form_of(option->path) == DEVPATH_FORM_EMPTY)
        return "an empty path";
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        if (span_equal(option->optional, span_of(marks[i].bytes, marks[i].size)))
            return marks[i].reason;
    }
    return NULL;
}

static const char *reason_of_node(const struct devpath_node *node, bool has_partition)
{
    for (size_t i = 0; i < sizeof(telling) / sizeof(telling[0]); i++) {
        const struct telling_node *own = &telling[i];
        if (own->type == node->type && node->subtype >= own->first && node->subtype <= own->last &&
            (own->always || !has_partition))
            return own->reason;
    }
    return NULL;
}

static const char *reason_of_path(struct span path)
{
    struct hd_node hd;
    struct devpath_node node;
    struct span rest = path;
    bool has_partition = devpath_find_hd(path, &hd, NULL);
    bool has_device = false;
    bool has_file = false;

    while (devpath_next(&rest, &node) == ST_OK && node.type != DEVPATH_END) {
        const char *reason = reason_of_node(&node, has_partition);
        if (reason != NULL)
            return reason;
        has_device |= node.type < DEVPATH_MEDIA;
        has_file |= node.type == DEVPATH_MEDIA && node.subtype == DEVPATH_MEDIA_FILE;
    }
    return has_device && !has_partition && !has_file ? "a whole device" : NULL;
}

const char *firmware_option_reason(const struct load_option *option)
{
    const char *reason = firmware_option_mark(option);

    return reason != NULL ? reason : reason_of_path(option->path);
}

bool entry_is_firmwares(const struct entry *entry)
{
    return entry->status == ST_OK && firmware_option_reason(&entry->option) != NULL;
}
