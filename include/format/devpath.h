/*
 * Device paths (UEFI Specification 10.3): nodes of type (1), subtype (1), length (2, with these
 * four bytes) and data, closed by an "end entire" node 7F FF 04 00. A path may hold several
 * instances, divided by "end instance" nodes 7F 01 04 00.
 *
 * Every call takes bytes that nobody has checked, and none reads outside them.
 */
#ifndef SHADOWBOOT_FORMAT_DEVPATH_H
#define SHADOWBOOT_FORMAT_DEVPATH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/builder.h"
#include "base/bytes.h"
#include "base/guid.h"
#include "base/status.h"

#define DEVPATH_HARDWARE  0x01
#define DEVPATH_ACPI      0x02
#define DEVPATH_MESSAGING 0x03
#define DEVPATH_MEDIA     0x04
#define DEVPATH_BBS       0x05
#define DEVPATH_END       0x7f

#define DEVPATH_MEDIA_HD       0x01
#define DEVPATH_MEDIA_FILE     0x04
#define DEVPATH_MEDIA_RAM_DISK 0x09
#define DEVPATH_END_ENTIRE     0xff

#define DEVPATH_HEADER_SIZE 4u

#define HD_NODE_SIZE      42u
#define HD_SIGNATURE_AT   24u /* bytes from the start of the node */
#define HD_FORMAT_MBR     1
#define HD_FORMAT_GPT     2
#define HD_SIGNATURE_NONE 0
#define HD_SIGNATURE_MBR  1 /* 32 bits, then twelve zero bytes */
#define HD_SIGNATURE_GUID 2

struct devpath_node {
    uint8_t type;
    uint8_t subtype;
    struct span whole; /* header included */
    struct span data;  /* what follows the header */
};

/*
 * Takes the first node off `*io_rest`. Statuses: ST_OK; ST_ABSENT when `*io_rest` is empty;
 * ST_DAMAGED when the node is shorter than its header or longer than what is left, or is an end
 * node with data or of an undefined subtype. On failure nothing is changed.
 */
MUST_CHECK enum status devpath_next(struct span *io_rest, struct devpath_node *ret_node);

/*
 * Finds the device path at the start of `bytes`: everything up to and with its end-entire node.
 * Statuses: ST_OK; ST_DAMAGED when a node is malformed or no end comes.
 */
MUST_CHECK enum status devpath_take(struct span bytes, struct span *ret_path);

/* How a boot entry's path starts (UEFI Specification 3.1.2, short-form device paths). */
enum devpath_form {
    DEVPATH_FORM_EMPTY, /* an end node only */
    DEVPATH_FORM_FULL,  /* hardware, ACPI or other nodes that lead to a device */
    DEVPATH_FORM_HD,    /* starts with a hard drive node */
    DEVPATH_FORM_FILE,  /* starts with a file path node */
    DEVPATH_FORM_FV,    /* starts with, or leads only through, a firmware volume */
    DEVPATH_FORM_BBS,   /* legacy BIOS boot */
    DEVPATH_FORM_OTHER, /* other short forms and messaging-first paths (USB class, URI) */
};

/* The form of a path accepted by devpath_take. */
enum devpath_form devpath_form_of(struct span path);

/* A hard drive media node (10.3.5.1). */
struct hd_node {
    uint32_t number; /* GPT entry index + 1; MBR 1 to 4 primary, 5 and up logical */
    uint64_t start;  /* logical block */
    uint64_t size;   /* logical blocks */
    uint8_t signature[16];
    uint8_t format;         /* HD_FORMAT_... */
    uint8_t signature_type; /* HD_SIGNATURE_... */
};

/* True, with `*ret_hd` set, when the node is a hard drive node of the right length. */
bool devpath_node_hd(const struct devpath_node *node, struct hd_node *ret_hd);

/* True when the node has the GUID signature `guid`. */
bool hd_node_has_guid(const struct hd_node *hd, const struct guid *guid);

/* True for a GUID signature of zeros only: the node names no partition, and says nothing of two
 * that both look like that. */
bool hd_node_names_none(const struct hd_node *hd);

/*
 * True when firmware that compares number, format and signature takes both for one partition; start
 * and size do not count (edk2 ignores them).
 */
bool hd_node_same_partition(const struct hd_node *a, const struct hd_node *b);

/*
 * Finds the first hard drive node of `path`. True with `*ret_hd` set, and `*ret_offset` (bytes from
 * the path's start) where that is not NULL. False for a path that is damaged.
 */
bool devpath_find_hd(struct span path, struct hd_node *ret_hd, size_t *ret_offset);

/*
 * True when a hard drive node anywhere in `path`, in any instance, carries the GUID. `path` may be
 * a list of paths one after another; false where one of them is damaged.
 */
bool devpath_mentions_guid(struct span path, const struct guid *guid);

/*
 * The file that the first instance of `path` ends in: its file path nodes joined by single
 * backslashes, as raw UCS-2 with a closing NUL, in the arena. Statuses: ST_OK; ST_ABSENT when it
 * has none, or `path` is damaged; ST_NO_MEMORY.
 */
MUST_CHECK enum status devpath_file(struct arena *arena, struct span path, struct span *ret_ucs2);

/*
 * True when `path` begins with all nodes of `prefix` (its end node left out); then
 * `*ret_rest_offset` is where the rest of `path` starts. Both are accepted by devpath_take.
 */
bool devpath_has_prefix(struct span path, struct span prefix, size_t *ret_rest_offset);

/*
 * An order of device paths by place in the machine: node by node, numbers as numbers (PCI device
 * before function, ports, targets, namespaces). The same machine gives the same order whatever
 * order firmware lists handles in. < 0, 0, > 0; 0 only for equal bytes.
 */
int devpath_compare(struct span a, struct span b);

/* True when a USB node is on the way to the device. */
bool devpath_is_usb(struct span path);

/* True when the path leads to a disk in memory (UEFI Specification 10.3.5.9): one that firmware has loaded over the
 * network, and that is gone when the machine is switched off. */
bool devpath_is_ram_disk(struct span path);

/* True when the path leads to a network card (10.3.4.11), or to something that comes by it. */
bool devpath_is_network(struct span path);

/* Appends nodes to a path under construction; failures stay in the builder. */
void devpath_put_hd(struct builder *builder, const struct hd_node *hd);
void devpath_put_file(struct builder *builder, struct span ucs2_with_nul);
void devpath_put_end(struct builder *builder);

/* How one partition takes another's place in a path. */
struct devpath_retarget {
    struct guid source;    /* hard drive nodes with this GUID are replaced ... */
    struct hd_node target; /* ... by this one, as a whole */
    struct span disk;      /* device path of the target's disk, end node included; when it is
                              empty or damaged every form comes out short */
    enum {
        DEVPATH_KEEP_FORM, /* what starts at the hardware goes on doing so, by `disk` */
        DEVPATH_MAKE_SHORT,
        DEVPATH_MAKE_FULL,
    } form;
};

/*
 * Appends to `builder` the path with every hard drive node of the source replaced. In an instance
 * that has one, what stood before it becomes nothing or the target disk's path, by `form`. Other
 * instances and nodes are copied as they are. `path` may be a list of paths one after another.
 * Returns how many nodes were replaced; 0 for a path that is damaged, which is then copied
 * unchanged. Room needed at most: path.size, and disk.size for each instance.
 */
unsigned devpath_put_retargeted(struct builder *builder, struct span path,
                                const struct devpath_retarget *how);

/*
 * Puts `to` in the place of the MBR signature `from` in the hard drive nodes of a path, or of a
 * list of paths one after another; nothing changes its size. Returns how many; 0 for a path that is
 * damaged, with nothing changed.
 */
unsigned devpath_set_signature(uint8_t *path, size_t size, uint32_t from, uint32_t to);

#endif
