/*
 * The fixed fields of the device path nodes that lead to disks and partitions (UEFI Specification
 * 10.3), in the order in which their text form names them. One table serves both the text form
 * and the order of devices.
 */
#ifndef SHADOWBOOT_FORMAT_DEVPATH_KIND_H
#define SHADOWBOOT_FORMAT_DEVPATH_KIND_H

#include <stdbool.h>
#include <stdint.h>

#include "format/devpath.h"

#define DEVPATH_FIELDS 5

enum devpath_style {
    DEVPATH_HEX,     /* 0x1f */
    DEVPATH_DECIMAL, /* 31 */
    DEVPATH_EUI,     /* eight bytes, the last one first: 00-25-38-5a-91-b0-0c-1f */
    DEVPATH_GUID,    /* 8-4-4-4-12 */
};

struct devpath_field {
    uint8_t offset; /* in the node's data, bytes */
    uint8_t size;   /* 1, 2, 4 or 8 bytes, 16 for a GUID; 0: no more fields */
    uint8_t style;  /* enum devpath_style */
};

struct devpath_kind {
    uint8_t type;
    uint8_t subtype;
    uint8_t data_size; /* bytes after the node's header */
    bool open;         /* more data may follow, of the vendor's own making */
    const char *name;
    struct devpath_field fields[DEVPATH_FIELDS];
};

/* The kind a node claims to be by type and subtype, whatever its length; NULL when unknown. */
const struct devpath_kind *devpath_kind_of(const struct devpath_node *node);

/* True when the node has just the data that its kind has. */
bool devpath_kind_fits(const struct devpath_kind *kind, const struct devpath_node *node);

/* A field of 1 to 8 bytes as a number; 0 when the node is too short for it. */
uint64_t devpath_field_value(const struct devpath_node *node, const struct devpath_field *field);

#endif
