#include "format/devpath.h"

#include "base/mem.h"
#include "base/sort.h"
#include "devpath_kind.h"

#define NODE_HEADER    4u
#define NODE_MAX       0xffffu
#define END_INSTANCE   0x01
#define MEDIA_FV_FILE  0x06
#define MEDIA_FV       0x07
#define MESSAGE_USB    5
#define MESSAGE_CLASS  15 /* USB class short form */
#define MESSAGE_WWID   16 /* USB WWID short form */
#define MESSAGE_MAC    0x0b
#define UCS2_BACKSLASH 0x5c

static bool is_end_entire(const struct devpath_node *node)
{
    return node->type == DEVPATH_END && node->subtype == DEVPATH_END_ENTIRE;
}

/* End nodes have no data, and only two of them are defined. */
static bool is_bad_end(const struct devpath_node *node)
{
    if (node->type != DEVPATH_END)
        return false;
    return node->data.size != 0 ||
           (node->subtype != END_INSTANCE && node->subtype != DEVPATH_END_ENTIRE);
}

enum status devpath_next(struct span *io_rest, struct devpath_node *ret_node)
{
    struct devpath_node node;

    if (io_rest->size == 0)
        return ST_ABSENT;
    if (io_rest->size < NODE_HEADER)
        return ST_DAMAGED;
    size_t length = ld_le16(io_rest->at + 2);
    if (length < NODE_HEADER || length > io_rest->size)
        return ST_DAMAGED;
    node.type = io_rest->at[0];
    node.subtype = io_rest->at[1];
    node.whole = span_part(*io_rest, 0, length);
    node.data = span_part(*io_rest, NODE_HEADER, length - NODE_HEADER);
    if (is_bad_end(&node))
        return ST_DAMAGED;
    *io_rest = span_part(*io_rest, length, io_rest->size - length);
    *ret_node = node;
    return ST_OK;
}

enum status devpath_take(struct span bytes, struct span *ret_path)
{
    struct span rest = bytes;
    struct devpath_node node;

    while (devpath_next(&rest, &node) == ST_OK) {
        if (is_end_entire(&node)) {
            *ret_path = span_part(bytes, 0, bytes.size - rest.size);
            return ST_OK;
        }
    }
    return ST_DAMAGED;
}

/* True when `list` is whole device paths, one or more, from end to end. */
static bool is_path_list(struct span list)
{
    struct span path;

    do {
        if (devpath_take(list, &path) != ST_OK)
            return false;
        list = span_part(list, path.size, list.size - path.size);
    } while (list.size > 0);
    return true;
}

/* The nodes before the first end node of any kind; nothing for a damaged path. */
static struct span first_instance(struct span path)
{
    struct span rest = path;
    struct devpath_node node;
    size_t size = 0;

    if (devpath_take(path, &path) != ST_OK)
        return span_of(NULL, 0);
    while (devpath_next(&rest, &node) == ST_OK && node.type != DEVPATH_END)
        size += node.whole.size;
    return span_part(path, 0, size);
}

/* True when a node of `nodes` has the type and one of two subtypes. */
static bool has_node(struct span nodes, uint8_t type, uint8_t first, uint8_t last)
{
    struct devpath_node node;

    while (devpath_next(&nodes, &node) == ST_OK) {
        if (node.type == type && node.subtype >= first && node.subtype <= last)
            return true;
    }
    return false;
}

enum devpath_form devpath_form_of(struct span path)
{
    struct span rest = path;
    struct devpath_node first;

    if (devpath_next(&rest, &first) != ST_OK)
        return DEVPATH_FORM_OTHER;
    if (is_end_entire(&first))
        return DEVPATH_FORM_EMPTY;
    if (first.type == DEVPATH_MEDIA && first.subtype == DEVPATH_MEDIA_HD)
        return DEVPATH_FORM_HD;
    if (first.type == DEVPATH_MEDIA && first.subtype == DEVPATH_MEDIA_FILE)
        return DEVPATH_FORM_FILE;
    if (has_node(first_instance(path), DEVPATH_MEDIA, MEDIA_FV_FILE, MEDIA_FV))
        return DEVPATH_FORM_FV;
    if (first.type == DEVPATH_BBS)
        return DEVPATH_FORM_BBS;
    if (first.type == DEVPATH_HARDWARE || first.type == DEVPATH_ACPI)
        return DEVPATH_FORM_FULL;
    return DEVPATH_FORM_OTHER;
}

bool devpath_node_hd(const struct devpath_node *node, struct hd_node *ret_hd)
{
    const uint8_t *at = node->whole.at;

    if (node->type != DEVPATH_MEDIA || node->subtype != DEVPATH_MEDIA_HD ||
        node->whole.size != HD_NODE_SIZE)
        return false;
    ret_hd->number = ld_le32(at + 4);
    ret_hd->start = ld_le64(at + 8);
    ret_hd->size = ld_le64(at + 16);
    memcpy(ret_hd->signature, at + HD_SIGNATURE_AT, sizeof(ret_hd->signature));
    ret_hd->format = at[40];
    ret_hd->signature_type = at[41];
    return true;
}

bool hd_node_has_guid(const struct hd_node *hd, const struct guid *guid)
{
    return hd->signature_type == HD_SIGNATURE_GUID &&
           memcmp(hd->signature, guid->bytes, sizeof(hd->signature)) == 0;
}

bool hd_node_names_none(const struct hd_node *hd)
{
    struct guid guid = guid_load(hd->signature);

    return hd->signature_type == HD_SIGNATURE_GUID && guid_is_zero(&guid);
}

bool hd_node_same_partition(const struct hd_node *a, const struct hd_node *b)
{
    return a->number == b->number && a->format == b->format &&
           a->signature_type == b->signature_type &&
           memcmp(a->signature, b->signature, sizeof(a->signature)) == 0;
}

bool devpath_find_hd(struct span path, struct hd_node *ret_hd, size_t *ret_offset)
{
    struct span rest;
    struct devpath_node node;

    if (devpath_take(path, &rest) != ST_OK)
        return false;
    while (devpath_next(&rest, &node) == ST_OK) {
        if (!devpath_node_hd(&node, ret_hd))
            continue;
        if (ret_offset != NULL)
            *ret_offset = (size_t)(node.whole.at - path.at);
        return true;
    }
    return false;
}

static bool node_has_guid(const struct devpath_node *node, const struct guid *guid)
{
    struct hd_node hd;

    return devpath_node_hd(node, &hd) && hd_node_has_guid(&hd, guid);
}

bool devpath_mentions_guid(struct span path, const struct guid *guid)
{
    struct devpath_node node;

    if (!is_path_list(path))
        return false;
    while (devpath_next(&path, &node) == ST_OK) {
        if (node_has_guid(&node, guid))
            return true;
    }
    return false;
}

/* The file path nodes that `nodes` ends in. */
static struct span trailing_files(struct span nodes)
{
    struct span rest = nodes;
    struct span files = span_of(NULL, 0);
    struct devpath_node node;

    while (devpath_next(&rest, &node) == ST_OK) {
        bool is_file = node.type == DEVPATH_MEDIA && node.subtype == DEVPATH_MEDIA_FILE;
        if (!is_file)
            files = span_of(NULL, 0);
        else if (files.size == 0)
            files = node.whole;
        else
            files.size += node.whole.size;
    }
    return files;
}

/* UCS-2 up to its first NUL unit or its last whole unit, NUL left out. */
static struct span ucs2_body(struct span bytes)
{
    size_t size = 0;

    while (size + 2 <= bytes.size && ld_le16(bytes.at + size) != 0)
        size += 2;
    return span_part(bytes, 0, size);
}

static bool starts_with_backslash(struct span name)
{
    return name.size >= 2 && ld_le16(name.at) == UCS2_BACKSLASH;
}

/* Appends one node's name; between it and what is there already stands one backslash. */
static void join_name(struct builder *builder, struct span name)
{
    if (name.size == 0)
        return;
    if (builder->used > 0) {
        while (builder->used > 0 && ld_le16(builder->at + builder->used - 2) == UCS2_BACKSLASH)
            builder->used -= 2;
        while (starts_with_backslash(name))
            name = span_part(name, 2, name.size - 2);
        builder_le16(builder, UCS2_BACKSLASH);
    }
    builder_bytes(builder, name);
}

enum status devpath_file(struct arena *arena, struct span path, struct span *ret_ucs2)
{
    struct span files = trailing_files(first_instance(path));
    struct devpath_node node;
    struct builder builder;
    size_t mark = arena_mark(arena);

    if (files.size == 0)
        return ST_ABSENT;
    /* A node's header leaves room for the backslash before its name, and the last one's for NUL. */
    builder_in_arena(&builder, arena, files.size);
    if (builder.failed)
        return ST_NO_MEMORY;
    while (devpath_next(&files, &node) == ST_OK)
        join_name(&builder, ucs2_body(node.data));
    if (builder.used == 0) {
        arena_release(arena, mark);
        return ST_ABSENT;
    }
    builder_le16(&builder, 0);
    *ret_ucs2 = builder_span(&builder);
    return ST_OK;
}

bool devpath_has_prefix(struct span path, struct span prefix, size_t *ret_rest_offset)
{
    if (devpath_take(path, &path) != ST_OK || devpath_take(prefix, &prefix) != ST_OK)
        return false;
    size_t size = prefix.size - NODE_HEADER; /* nodes say their length, so bytes suffice */
    if (size >= path.size || memcmp(path.at, prefix.at, size) != 0)
        return false;
    *ret_rest_offset = size;
    return true;
}

static int compare_bytes(struct span a, struct span b)
{
    size_t shorter = a.size < b.size ? a.size : b.size;
    int order = shorter > 0 ? memcmp(a.at, b.at, shorter) : 0;

    return order != 0 ? order : compare_numbers(a.size, b.size);
}

/* What comes first, so that a disk stands before its partitions: nothing, the end, a node. */
static unsigned node_rank(enum status status, const struct devpath_node *node)
{
    if (status == ST_ABSENT)
        return 0;
    if (status != ST_OK)
        return 1;
    if (is_end_entire(node))
        return 2;
    return node->type == DEVPATH_END ? 3 : 4u + node->type;
}

/* Nodes of one type. */
static int compare_nodes(const struct devpath_node *a, const struct devpath_node *b)
{
    const struct devpath_kind *kind = devpath_kind_of(a);
    int order = compare_numbers(a->subtype, b->subtype);

    for (size_t i = 0; order == 0 && kind != NULL && i < DEVPATH_FIELDS; i++)
        order = compare_numbers(devpath_field_value(a, &kind->fields[i]),
                                devpath_field_value(b, &kind->fields[i]));
    if (order == 0)
        order = compare_numbers(a->whole.size, b->whole.size);
    return order != 0 ? order : compare_bytes(a->data, b->data);
}

int devpath_compare(struct span a, struct span b)
{
    for (;;) {
        struct devpath_node node_a;
        struct devpath_node node_b;
        enum status status_a = devpath_next(&a, &node_a);
        enum status status_b = devpath_next(&b, &node_b);

        int order = compare_numbers(node_rank(status_a, &node_a), node_rank(status_b, &node_b));
        if (order == 0 && status_a != ST_OK)
            return compare_bytes(a, b);
        if (order == 0)
            order = compare_nodes(&node_a, &node_b);
        if (order != 0)
            return order;
    }
}

bool devpath_is_usb(struct span path)
{
    struct span nodes = first_instance(path);

    return has_node(nodes, DEVPATH_MESSAGING, MESSAGE_USB, MESSAGE_USB) ||
           has_node(nodes, DEVPATH_MESSAGING, MESSAGE_CLASS, MESSAGE_WWID);
}

bool devpath_is_ram_disk(struct span path)
{
    return has_node(first_instance(path), DEVPATH_MEDIA, DEVPATH_MEDIA_RAM_DISK,
                    DEVPATH_MEDIA_RAM_DISK);
}

bool devpath_is_network(struct span path)
{
    return has_node(first_instance(path), DEVPATH_MESSAGING, MESSAGE_MAC, MESSAGE_MAC);
}

static void put_node_header(struct builder *builder, uint8_t type, uint8_t subtype, size_t length)
{
    if (length > NODE_MAX) {
        builder->failed = true;
        return;
    }
    builder_u8(builder, type);
    builder_u8(builder, subtype);
    builder_le16(builder, (uint16_t)length);
}

void devpath_put_hd(struct builder *builder, const struct hd_node *hd)
{
    put_node_header(builder, DEVPATH_MEDIA, DEVPATH_MEDIA_HD, HD_NODE_SIZE);
    builder_le32(builder, hd->number);
    builder_le64(builder, hd->start);
    builder_le64(builder, hd->size);
    builder_bytes(builder, span_of(hd->signature, sizeof(hd->signature)));
    builder_u8(builder, hd->format);
    builder_u8(builder, hd->signature_type);
}

void devpath_put_file(struct builder *builder, struct span ucs2_with_nul)
{
    put_node_header(builder, DEVPATH_MEDIA, DEVPATH_MEDIA_FILE, NODE_HEADER + ucs2_with_nul.size);
    builder_bytes(builder, ucs2_with_nul);
}

void devpath_put_end(struct builder *builder)
{
    put_node_header(builder, DEVPATH_END, DEVPATH_END_ENTIRE, NODE_HEADER);
}

/* True when an instance that has `before` bytes before its first replaced node gets the disk. */
static bool starts_at_disk(const struct devpath_retarget *how, size_t before)
{
    return how->form == DEVPATH_MAKE_FULL || (how->form == DEVPATH_KEEP_FORM && before > 0);
}

/* Bytes of `nodes` before the first hard drive node of the source; all of them without one. */
static size_t size_before(struct span nodes, const struct guid *source)
{
    struct span rest = nodes;
    struct devpath_node node;

    while (devpath_next(&rest, &node) == ST_OK) {
        if (node_has_guid(&node, source))
            return (size_t)(node.whole.at - nodes.at);
    }
    return nodes.size;
}

/* Appends one instance without its end node; returns how many nodes were replaced. */
static unsigned put_instance(struct builder *builder, struct span nodes,
                             const struct devpath_retarget *how)
{
    size_t before = size_before(nodes, &how->source);
    struct span rest = span_part(nodes, before, nodes.size - before);
    struct devpath_node node;
    unsigned count = 0;

    if (rest.size == 0)
        builder_bytes(builder, nodes);
    else if (starts_at_disk(how, before))
        builder_bytes(builder, first_instance(how->disk));
    while (devpath_next(&rest, &node) == ST_OK) {
        if (node_has_guid(&node, &how->source)) {
            devpath_put_hd(builder, &how->target);
            count++;
        } else {
            builder_bytes(builder, node.whole);
        }
    }
    return count;
}

unsigned devpath_put_retargeted(struct builder *builder, struct span path,
                                const struct devpath_retarget *how)
{
    struct span rest = path;
    struct devpath_node node;
    unsigned count = 0;

    if (!is_path_list(path)) {
        builder_bytes(builder, path);
        return 0;
    }
    size_t start = 0; /* of the instance */
    while (devpath_next(&rest, &node) == ST_OK) {
        if (node.type != DEVPATH_END)
            continue;
        size_t end = (size_t)(node.whole.at - path.at);
        count += put_instance(builder, span_part(path, start, end - start), how);
        builder_bytes(builder, node.whole);
        start = end + node.whole.size;
    }
    return count;
}

unsigned devpath_set_signature(uint8_t *path, size_t size, uint32_t from, uint32_t to)
{
    struct span rest = span_of(path, size);
    struct devpath_node node;
    struct hd_node hd;
    unsigned count = 0;

    if (!is_path_list(rest))
        return 0;
    while (devpath_next(&rest, &node) == ST_OK) {
        if (!devpath_node_hd(&node, &hd) || hd.signature_type != HD_SIGNATURE_MBR ||
            ld_le32(hd.signature) != from)
            continue;
        st_le32(path + (node.whole.at - path) + HD_SIGNATURE_AT, to);
        count++;
    }
    return count;
}
