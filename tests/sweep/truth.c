#include "sweep/truth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/host_alloc.h"

#define FALLBACK_FILE "\\EFI\\BOOT\\BOOTX64.EFI"
#define ACTIVE        1u
#define CATEGORY      0x1f00u
#define PLACES_MAX    256u
#define NODES_MAX     32u
#define PATH_BYTES    1024u

/* A partition that firmware made a device of. */
struct place {
    size_t disk;
    const struct block_port *port;
    struct truth_part part;
    bool mounted;
    struct truth_fat fat;
};

struct node {
    const uint8_t *at;
    uint16_t size;
};

struct option {
    uint32_t attributes;
    struct node nodes[NODES_MAX];
    size_t node_count;
    size_t file_at; /* the first file node; node_count without */
    char file[TRUTH_PATH];
};

struct firmware {
    struct host *host;
    struct truth_scene scene;
    struct place *places;
    size_t place_count;
    bool passes; /* what starts no system is left again */
    struct truth *truth;
};

const char *truth_verdict_name(enum truth_verdict verdict)
{
    static const char *const names[] = {[TRUTH_RETURNS] = "fails",
                                        [TRUTH_FAILS] = "fails",
                                        [TRUTH_UNSURE] = "unsure",
                                        [TRUTH_FALLBACK] = "fallback",
                                        [TRUTH_STARTS] = "starts"};

    return names[verdict];
}

/* --- The machine ---------------------------------------------------------------------------- */

static void add_places(struct firmware *firmware, size_t disk)
{
    const struct block_port *port = &firmware->host->blocks[disk];
    struct truth_parts parts;

    firmware->scene.disks[firmware->scene.count++] = port;
    truth_disk_devices(port, &parts);
    for (size_t i = 0; i < parts.count && firmware->place_count < PLACES_MAX; i++) {
        struct place *place = &firmware->places[firmware->place_count++];
        *place = (struct place){.disk = disk, .port = port, .part = parts.items[i]};
        place->mounted = truth_fat_open(port, &place->part, &place->fat);
    }
}

/* --- Load options --------------------------------------------------------------------------- */

static bool is_node(const struct node *node, uint8_t type, uint8_t subtype)
{
    return node->at[0] == type && node->at[1] == subtype;
}

/* The file nodes joined; runs of backslashes become one. */
static void join_files(struct option *option)
{
    size_t used = 0;

    for (size_t i = option->file_at; i < option->node_count; i++) {
        const struct node *node = &option->nodes[i];
        if (used + 1 < TRUTH_PATH && (used == 0 || option->file[used - 1] != '\\'))
            option->file[used++] = '\\';
        for (size_t j = 4; j + 1 < node->size && ld_le16(node->at + j) != 0; j += 2) {
            uint16_t unit = ld_le16(node->at + j);
            if (used + 1 < TRUTH_PATH && (unit != '\\' || option->file[used - 1] != '\\'))
                option->file[used++] = unit < 0x80 ? (char)unit : '?';
        }
    }
    option->file[used] = 0;
}

static bool take_nodes(struct span path, struct option *option)
{
    for (size_t at = 0;;) {
        if (at + 4 > path.size || option->node_count == NODES_MAX)
            return false;
        struct node node = {path.at + at, ld_le16(path.at + at + 2)};
        if (node.size < 4 || node.size > path.size - at)
            return false;
        if (is_node(&node, 0x7f, 0xff))
            return true;
        option->nodes[option->node_count++] = node;
        at += node.size;
    }
}

static bool take_option(struct span value, struct option *ret_option)
{
    size_t at = 6;

    memset(ret_option, 0, sizeof(*ret_option));
    if (value.size < 6)
        return false;
    ret_option->attributes = ld_le32(value.at);
    while (at + 1 < value.size && ld_le16(value.at + at) != 0)
        at += 2;
    size_t length = ld_le16(value.at + 4);
    if (at + 2 > value.size || length > value.size - at - 2 ||
        !take_nodes(span_part(value, at + 2, length), ret_option))
        return false;
    /* Files are the last nodes, as many as stand there in a row. */
    ret_option->file_at = ret_option->node_count;
    while (ret_option->file_at > 0 && is_node(&ret_option->nodes[ret_option->file_at - 1], 4, 4))
        ret_option->file_at--;
    join_files(ret_option);
    return true;
}

/* A program in the firmware or in memory. */
static bool is_inside_firmware(const struct option *option)
{
    for (size_t i = 0; i < option->node_count; i++) {
        const struct node *node = &option->nodes[i];
        if (is_node(node, 4, 6) || is_node(node, 4, 7) || is_node(node, 1, 3))
            return true;
    }
    return false;
}

bool truth_is_firmwares_own(struct span value)
{
    struct option option;

    if (!take_option(value, &option))
        return false;
    for (size_t i = 0; i < option.node_count; i++) {
        const struct node *node = &option.nodes[i];
        if (is_node(node, 4, 1) || is_node(node, 4, 4))
            return false;
    }
    bool leads_on = option.node_count > 0 && !is_inside_firmware(&option);
    const struct node *last = leads_on ? &option.nodes[option.node_count - 1] : NULL;
    bool is_vendor = leads_on && option.nodes[0].at[1] == 4 && option.nodes[0].at[0] <= 4;
    bool is_network = leads_on && last->at[0] == 3 && (last->at[1] == 11 || last->at[1] == 12);
    return !leads_on || last->at[0] == 5 || is_vendor || is_network;
}

/* --- From a path to places ------------------------------------------------------------------- */

static bool matches_short(const struct place *place, const struct node *hd)
{
    bool gpt = hd->at[40] == 2 && hd->at[41] == 2;

    return hd->size >= 42 && gpt == !place->part.is_mbr &&
           ld_le32(hd->at + 4) == place->part.number &&
           memcmp(hd->at + 24, place->part.guid, 16) == 0;
}

/* The nodes before the files are the disk's path, with or without this partition's own node. */
static bool matches_full(const struct place *place, const struct option *option)
{
    struct span disk = span_part(place->port->path, 0, place->port->path.size - 4);
    uint8_t bytes[PATH_BYTES];
    uint8_t own[42] = {4, 1, 42, 0};
    size_t size = 0;

    for (size_t i = 0; i < option->file_at; i++) {
        if (size + option->nodes[i].size > sizeof(bytes))
            return false;
        memcpy(bytes + size, option->nodes[i].at, option->nodes[i].size);
        size += option->nodes[i].size;
    }
    st_le32(own + 4, place->part.number);
    st_le64(own + 8, place->part.first);
    st_le64(own + 16, place->part.count);
    memcpy(own + 24, place->part.guid, 16);
    own[40] = place->part.is_mbr ? 1 : 2;
    own[41] = own[40];
    if (size < disk.size || memcmp(bytes, disk.at, disk.size) != 0)
        return false;
    bool whole = size == disk.size && option->file_at == option->node_count;
    return whole || (size == disk.size + sizeof(own) && memcmp(bytes + disk.size, own, 42) == 0);
}

static bool leads_to(const struct option *option, size_t *io_left, const struct place *place)
{
    if (option->file_at == 0)
        return option->node_count > 0;
    if (!is_node(&option->nodes[0], 4, 1))
        return matches_full(place, option);
    if (option->file_at != 1 || *io_left == 0 || !matches_short(place, &option->nodes[0]))
        return false;
    *io_left = 0; /* the first one only */
    return true;
}

/* --- Starting ------------------------------------------------------------------------------- */

/* Tries a file; gives whether the search is over. */
static bool attempt(struct firmware *firmware, const struct place *place, const char *name)
{
    struct truth *truth = firmware->truth;

    if (!place->mounted)
        return false;
    struct truth_file file = truth_fat_read(&place->fat, name);
    if (file.data == NULL)
        return false;
    bool accepted = truth_refusal(&file) == NULL;
    if (accepted) {
        truth->disk = place->disk;
        memcpy(truth->guid, place->part.guid, 16);
        snprintf(truth->file, sizeof(truth->file), "%s", name);
        truth_run(&firmware->scene, &place->fat, name, &file, &truth->run);
        truth->verdict = truth->run.verdict;
    }
    free(file.data);
    if (firmware->passes)
        return accepted && truth->verdict == TRUTH_STARTS;
    return accepted && truth->verdict != TRUTH_RETURNS;
}

static bool try_entry(struct firmware *firmware, uint16_t number)
{
    char name[16];
    struct option option;
    size_t left = 1;

    snprintf(name, sizeof(name), "Boot%04X", number);
    const struct mem_var *var = mem_vars_find(firmware->host->vars, NULL, name);
    if (var == NULL || !take_option(span_of(var->data, var->size), &option) ||
        (option.attributes & ACTIVE) == 0 || (option.attributes & CATEGORY) != 0)
        return false;
    if (is_inside_firmware(&option)) {
        firmware->truth->run.why = "a program of the firmware, which stays";
        firmware->truth->verdict = TRUTH_FAILS;
        return !firmware->passes;
    }
    const char *file = option.file_at < option.node_count ? option.file : FALLBACK_FILE;
    for (size_t i = 0; i < firmware->place_count; i++) {
        if (leads_to(&option, &left, &firmware->places[i]) &&
            attempt(firmware, &firmware->places[i], file))
            return true;
    }
    return false;
}

static void start(struct firmware *firmware)
{
    const struct mem_var *order = mem_vars_find(firmware->host->vars, NULL, "BootOrder");
    struct truth *truth = firmware->truth;

    for (size_t i = 0; order != NULL && i + 1 < order->size; i += 2) {
        truth->entry = ld_le16(order->data + i);
        if (try_entry(firmware, (uint16_t)truth->entry))
            return;
    }
    truth->entry = TRUTH_NO_ENTRY;
    truth->verdict = TRUTH_FAILS;
    for (size_t i = 0; i < firmware->place_count; i++) {
        if (!attempt(firmware, &firmware->places[i], FALLBACK_FILE))
            continue;
        if (truth->verdict == TRUTH_STARTS)
            truth->verdict = TRUTH_FALLBACK;
        return;
    }
}

static void switch_on(struct host *host, uint64_t present, bool passes, struct truth *ret_truth)
{
    struct firmware firmware = {.host = host,
                                .places = host_alloc(PLACES_MAX, sizeof(struct place)),
                                .passes = passes,
                                .truth = ret_truth};

    *ret_truth = (struct truth){.verdict = TRUTH_FAILS, .entry = TRUTH_NO_ENTRY};
    ret_truth->run.why = "nothing to start";
    (void)host_ports(host);
    for (size_t i = 0; i < host->disk_count; i++) {
        if ((present >> i & 1) != 0)
            add_places(&firmware, i);
    }
    start(&firmware);
    for (size_t i = 0; i < firmware.place_count; i++)
        truth_fat_close(&firmware.places[i].fat);
    free(firmware.places);
}

void truth_of(struct host *host, uint64_t present, struct truth *ret_truth)
{
    switch_on(host, present, false, ret_truth);
}

void truth_of_system(struct host *host, uint64_t present, struct truth *ret_truth)
{
    switch_on(host, present, true, ret_truth);
}
