#include "format/devpath_text.h"

#include "base/guid.h"
#include "base/mem.h"
#include "base/print.h"
#include "base/text.h"
#include "format/devpath.h"
#include "devpath_kind.h"

#define HEX_MAX 32u    /* bytes of opaque data that are printed */
#define PNP_ID  0x41d0 /* "PNP" in the low half of an EISA id */

struct writer {
    struct sink sink;
    struct arena *arena; /* scratch for strings; given back after each */
    bool no_memory;
};

static void put_guid(struct writer *writer, const uint8_t *at)
{
    struct guid guid = guid_load(at);
    char text[GUID_TEXT_SIZE];

    guid_format(&guid, text);
    sink_printf(&writer->sink, "%.*s", GUID_TEXT_SIZE - 3, text + 1); /* without the braces */
}

static void put_bytes(struct writer *writer, const uint8_t *at, size_t size)
{
    for (size_t i = 0; i < size; i++)
        sink_printf(&writer->sink, "%02x", at[i]);
}

/* ",hex" of data that nobody knows more about; nothing when there is none. */
static void put_opaque(struct writer *writer, struct span data)
{
    if (data.size == 0)
        return;
    sink_put(&writer->sink, ",");
    put_bytes(writer, data.at, data.size < HEX_MAX ? data.size : HEX_MAX);
    if (data.size > HEX_MAX)
        sink_put(&writer->sink, "...");
}

/* Untrusted UCS-2 up to its NUL or end. */
static void put_ucs2(struct writer *writer, struct span ucs2)
{
    size_t mark = arena_mark(writer->arena);
    const char *text = text_from_ucs2(writer->arena, ucs2);

    if (text == NULL)
        writer->no_memory = true;
    else
        sink_put(&writer->sink, text);
    arena_release(writer->arena, mark);
}

/* Untrusted 8-bit text up to its NUL or end. */
static void put_ascii(struct writer *writer, struct span bytes)
{
    size_t mark = arena_mark(writer->arena);
    char *copy = arena_alloc(writer->arena, bytes.size + 1, 1);
    const char *text = NULL;

    if (copy != NULL && bytes.size > 0)
        memcpy(copy, bytes.at, bytes.size);
    if (copy != NULL)
        text = text_printable(writer->arena, copy);
    if (text == NULL)
        writer->no_memory = true;
    else
        sink_put(&writer->sink, text);
    arena_release(writer->arena, mark);
}

static struct span data_from(const struct devpath_node *node, size_t offset)
{
    return span_part(node->data, offset, node->data.size - offset);
}

/*
 * Each put_<kind> call below prints a node whose text is more than its fixed fields. Returns false,
 * with nothing printed, when the node does not have the data it should.
 */
static bool put_acpi(struct writer *writer, const struct devpath_node *node)
{
    static const struct {
        uint16_t number;
        const char *name;
    } known[] = {
        {0x0a03, "PciRoot"},  {0x0a08, "PcieRoot"}, {0x0604, "Floppy"},
        {0x0301, "Keyboard"}, {0x0501, "Serial"},   {0x0401, "ParallelPort"},
    };

    if (node->data.size != 8)
        return false;
    uint32_t id = ld_le32(node->data.at);
    uint32_t unit = ld_le32(node->data.at + 4);
    if ((id & 0xffff) != PNP_ID) {
        sink_printf(&writer->sink, "Acpi(0x%08x,0x%x)", id, unit);
        return true;
    }
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (known[i].number == id >> 16) {
            sink_printf(&writer->sink, "%s(0x%x)", known[i].name, unit);
            return true;
        }
    }
    sink_printf(&writer->sink, "Acpi(PNP%04x,0x%x)", id >> 16, unit);
    return true;
}

/* The next of several NUL-terminated strings; false when it has no end. */
static bool take_string(struct span *io_rest, struct span *ret_string)
{
    for (size_t size = 0; size < io_rest->size; size++) {
        if (io_rest->at[size] == 0) {
            *ret_string = span_part(*io_rest, 0, size);
            *io_rest = span_part(*io_rest, size + 1, io_rest->size - size - 1);
            return true;
        }
    }
    return false;
}

/* An EISA id as its three letters and four digits, or the string that stands for it. */
static void put_eisa(struct writer *writer, uint32_t id, struct span string)
{
    if (id == 0) {
        put_ascii(writer, string);
        return;
    }
    sink_printf(&writer->sink, "%c%c%c%04X", (char)('@' + (id >> 10 & 31)),
                (char)('@' + (id >> 5 & 31)), (char)('@' + (id & 31)), id >> 16);
}

static bool put_acpi_expanded(struct writer *writer, const struct devpath_node *node)
{
    struct span hid;
    struct span uid;
    struct span cid;

    if (node->data.size < 12)
        return false;
    struct span rest = data_from(node, 12);
    if (!take_string(&rest, &hid) || !take_string(&rest, &uid) || !take_string(&rest, &cid))
        return false;
    uint32_t unit = ld_le32(node->data.at + 4);
    bool ids_alone = hid.size == 0 && cid.size == 0 && unit == 0;
    sink_put(&writer->sink, ids_alone ? "AcpiExp(" : "AcpiEx(");
    put_eisa(writer, ld_le32(node->data.at), hid);
    sink_put(&writer->sink, ",");
    put_eisa(writer, ld_le32(node->data.at + 8), cid);
    sink_put(&writer->sink, ",");
    if (unit != 0)
        sink_printf(&writer->sink, "0x%x", unit);
    else
        put_ascii(writer, uid);
    sink_put(&writer->sink, ")");
    return true;
}

static bool put_ata(struct writer *writer, const struct devpath_node *node)
{
    if (node->data.size != 4)
        return false;
    sink_printf(&writer->sink, "Ata(%s,%s,0x%x)", node->data.at[0] == 1 ? "Secondary" : "Primary",
                node->data.at[1] == 1 ? "Slave" : "Master", ld_le16(node->data.at + 2));
    return true;
}

/* "SAS,Internal,Direct,0x1": protocol, place, connection, drive bay. */
static void put_sas_topology(struct writer *writer, unsigned topology)
{
    unsigned depth = topology & 0x0f;

    if (depth > 2 || (topology & 0x80) != 0) {
        sink_printf(&writer->sink, "0x%x,0,0,0", topology);
        return;
    }
    if (depth == 0) {
        sink_put(&writer->sink, "NoTopology,0,0,0");
        return;
    }
    sink_printf(&writer->sink, "%s,%s,%s,", (topology & 0x10) != 0 ? "SATA" : "SAS",
                (topology & 0x20) != 0 ? "External" : "Internal",
                (topology & 0x40) != 0 ? "Expanded" : "Direct");
    if (depth == 1)
        sink_put(&writer->sink, "0");
    else
        sink_printf(&writer->sink, "0x%x", (topology >> 8) + 1);
}

/* Serial attached SCSI of the older form, a vendor node with a GUID of its own. */
static bool put_sas(struct writer *writer, const struct devpath_node *node)
{
    static const struct guid sas = GUID_INIT(0xd487ddb4, 0x008b, 0x11d9, 0xafdc, 0x001083ffca4d);
    const uint8_t *at = node->data.at;

    if (node->data.size != 40 || memcmp(at, sas.bytes, sizeof(sas.bytes)) != 0)
        return false;
    sink_printf(&writer->sink, "SAS(0x%llx,0x%llx,0x%x,", (unsigned long long)ld_le64(at + 20),
                (unsigned long long)ld_le64(at + 28), ld_le16(at + 38));
    put_sas_topology(writer, ld_le16(at + 36));
    sink_printf(&writer->sink, ",0x%x)", ld_le32(at + 16));
    return true;
}

static bool put_sas_extended(struct writer *writer, const struct devpath_node *node)
{
    if (node->data.size != 20)
        return false;
    sink_put(&writer->sink, "SasEx(0x");
    put_bytes(writer, node->data.at, 8);
    sink_put(&writer->sink, ",0x");
    put_bytes(writer, node->data.at + 8, 8);
    sink_printf(&writer->sink, ",0x%x,", ld_le16(node->data.at + 18));
    put_sas_topology(writer, ld_le16(node->data.at + 16));
    sink_put(&writer->sink, ")");
    return true;
}

static bool put_mac(struct writer *writer, const struct devpath_node *node)
{
    if (node->data.size != 33)
        return false;
    unsigned interface = node->data.at[32];
    sink_put(&writer->sink, "MAC(");
    put_bytes(writer, node->data.at, interface <= 1 ? 6 : 32); /* 0 and 1 are Ethernet */
    sink_printf(&writer->sink, ",0x%x)", interface);
    return true;
}

static bool put_ipv4(struct writer *writer, const struct devpath_node *node)
{
    if (node->data.size != 15 && node->data.size != 23)
        return false;
    const uint8_t *remote = node->data.at + 4;
    sink_printf(&writer->sink, "IPv4(%u.%u.%u.%u)", remote[0], remote[1], remote[2], remote[3]);
    return true;
}

static bool put_usb_wwid(struct writer *writer, const struct devpath_node *node)
{
    if (node->data.size < 6)
        return false;
    const uint8_t *at = node->data.at;
    sink_printf(&writer->sink, "UsbWwid(0x%x,0x%x,0x%x,\"", ld_le16(at + 2), ld_le16(at + 4),
                ld_le16(at));
    put_ucs2(writer, data_from(node, 6));
    sink_put(&writer->sink, "\")");
    return true;
}

static bool put_uri(struct writer *writer, const struct devpath_node *node)
{
    sink_put(&writer->sink, "Uri(");
    put_ascii(writer, node->data);
    sink_put(&writer->sink, ")");
    return true;
}

static bool put_hd(struct writer *writer, const struct devpath_node *node)
{
    struct hd_node hd;

    if (!devpath_node_hd(node, &hd))
        return false;
    sink_printf(&writer->sink, "HD(%u,", hd.number);
    if (hd.signature_type == HD_SIGNATURE_GUID) {
        sink_put(&writer->sink, "GPT,");
        put_guid(writer, hd.signature);
    } else if (hd.signature_type == HD_SIGNATURE_MBR) {
        sink_printf(&writer->sink, "MBR,0x%08x", ld_le32(hd.signature));
    } else {
        sink_printf(&writer->sink, "%u,0", hd.signature_type);
    }
    sink_printf(&writer->sink, ",0x%llx,0x%llx)", (unsigned long long)hd.start,
                (unsigned long long)hd.size);
    return true;
}

/* The two kinds that firmware makes of what it has loaded have names of their own (10.6.1.6). */
static bool put_ram_disk(struct writer *writer, const struct devpath_node *node)
{
    static const uint8_t virtual_disk[16] = {0x5a, 0x53, 0xab, 0x77, 0xfc, 0x45, 0x4b, 0x62,
                                             0x55, 0x60, 0xf7, 0xb2, 0x81, 0xd1, 0xf9, 0x6e};

    if (node->data.size != 34)
        return false;
    const uint8_t *at = node->data.at;
    bool is_virtual = memcmp(at + 16, virtual_disk, sizeof(virtual_disk)) == 0;
    sink_printf(&writer->sink, "%s(0x%llx,0x%llx,%u", is_virtual ? "VirtualDisk" : "RamDisk",
                (unsigned long long)ld_le64(at), (unsigned long long)ld_le64(at + 8),
                ld_le16(at + 32));
    if (!is_virtual) {
        sink_put(&writer->sink, ",");
        put_guid(writer, at + 16);
    }
    sink_put(&writer->sink, ")");
    return true;
}

static bool put_file_path(struct writer *writer, const struct devpath_node *node)
{
    put_ucs2(writer, node->data);
    return true;
}

static bool put_bbs(struct writer *writer, const struct devpath_node *node)
{
    static const char *const names[] = {"Floppy", "Harddrive", "CDROM", "PCMCIA", "Usb", "Network"};

    if (node->data.size < 4)
        return false;
    unsigned type = ld_le16(node->data.at);
    if (type >= 1 && type <= sizeof(names) / sizeof(names[0]))
        sink_printf(&writer->sink, "BBS(%s,", names[type - 1]);
    else
        sink_printf(&writer->sink, "BBS(0x%x,", type);
    put_ascii(writer, data_from(node, 4));
    sink_put(&writer->sink, ")");
    return true;
}

static bool put_special(struct writer *writer, const struct devpath_node *node)
{
    static const struct {
        uint8_t type;
        uint8_t subtype;
        bool (*put)(struct writer *writer, const struct devpath_node *node);
    } specials[] = {
        {DEVPATH_ACPI, 1, put_acpi},
        {DEVPATH_ACPI, 2, put_acpi_expanded},
        {DEVPATH_MESSAGING, 1, put_ata},
        {DEVPATH_MESSAGING, 10, put_sas},
        {DEVPATH_MESSAGING, 11, put_mac},
        {DEVPATH_MESSAGING, 12, put_ipv4},
        {DEVPATH_MESSAGING, 16, put_usb_wwid},
        {DEVPATH_MESSAGING, 22, put_sas_extended},
        {DEVPATH_MESSAGING, 24, put_uri},
        {DEVPATH_MEDIA, DEVPATH_MEDIA_HD, put_hd},
        {DEVPATH_MEDIA, DEVPATH_MEDIA_FILE, put_file_path},
        {DEVPATH_MEDIA, DEVPATH_MEDIA_RAM_DISK, put_ram_disk},
        {DEVPATH_BBS, 1, put_bbs},
    };

    for (size_t i = 0; i < sizeof(specials) / sizeof(specials[0]); i++) {
        if (specials[i].type == node->type && specials[i].subtype == node->subtype)
            return specials[i].put(writer, node);
    }
    return false;
}

static void put_node_field(struct writer *writer, const struct devpath_node *node,
                           const struct devpath_field *field)
{
    unsigned long long value = devpath_field_value(node, field);

    if (field->style == DEVPATH_GUID) {
        put_guid(writer, node->data.at + field->offset);
    } else if (field->style == DEVPATH_DECIMAL) {
        sink_printf(&writer->sink, "%llu", value);
    } else if (field->style == DEVPATH_HEX) {
        sink_printf(&writer->sink, "0x%llx", value);
    } else {
        for (int shift = 56; shift >= 0; shift -= 8)
            sink_printf(&writer->sink, shift > 0 ? "%02x-" : "%02x",
                        (unsigned)(value >> shift & 0xff));
    }
}

/* Name and fields of a node that the table describes in full. */
static bool put_kind(struct writer *writer, const struct devpath_node *node)
{
    const struct devpath_kind *kind = devpath_kind_of(node);

    if (kind == NULL || !devpath_kind_fits(kind, node))
        return false;
    sink_printf(&writer->sink, "%s(", kind->name);
    for (size_t i = 0; i < DEVPATH_FIELDS && kind->fields[i].size > 0; i++) {
        if (i > 0)
            sink_put(&writer->sink, ",");
        put_node_field(writer, node, &kind->fields[i]);
    }
    put_opaque(writer, data_from(node, kind->data_size));
    sink_put(&writer->sink, ")");
    return true;
}

static void put_unknown(struct writer *writer, const struct devpath_node *node)
{
    static const char *const classes[] = {NULL,  "HardwarePath", "AcpiPath",
                                          "Msg", "MediaPath",    "BbsPath"};

    if (node->type >= 1 && node->type < sizeof(classes) / sizeof(classes[0]))
        sink_printf(&writer->sink, "%s(%u", classes[node->type], node->subtype);
    else
        sink_printf(&writer->sink, "Path(%u,%u", node->type, node->subtype);
    put_opaque(writer, node->data);
    sink_put(&writer->sink, ")");
}

static void put_node(struct writer *writer, const struct devpath_node *node)
{
    if (!put_special(writer, node) && !put_kind(writer, node))
        put_unknown(writer, node);
}

static void put_path(struct writer *writer, struct span path)
{
    const char *before = ""; /* what goes before the next node */
    struct devpath_node node;

    while (devpath_next(&path, &node) == ST_OK) {
        if (node.type == DEVPATH_END && node.subtype == DEVPATH_END_ENTIRE)
            return;
        if (node.type == DEVPATH_END) {
            sink_put(&writer->sink, ",");
            before = "";
            continue;
        }
        sink_put(&writer->sink, before);
        put_node(writer, &node);
        before = "/";
    }
    sink_printf(&writer->sink, "%s<damaged>", before);
}

static void text_size(void *ctx, const char *bytes, size_t size)
{
    (void)bytes;
    *(size_t *)ctx += size;
}

const char *devpath_text(struct arena *arena, struct span path)
{
    size_t size = 0;
    struct writer counter = {{text_size, &size}, arena, false};

    put_path(&counter, path);
    if (counter.no_memory)
        return NULL;
    size_t mark = arena_mark(arena);
    char *text = arena_alloc(arena, size + 1, 1);
    if (text == NULL)
        return NULL;
    struct text_buffer buffer;
    text_buffer_init(&buffer, text, size + 1);
    struct writer writer = {text_buffer_sink(&buffer), arena, false};
    put_path(&writer, path);
    if (!writer.no_memory)
        return text;
    arena_release(arena, mark);
    return NULL;
}
