#include "format/fat/fat_table.h"
#include "fat_walk.h"

static bool bit_is_set(const uint8_t *bits, uint32_t number)
{
    return (bits[number / 8] >> number % 8 & 1) != 0;
}

static void set_bit(uint8_t *bits, uint32_t number)
{
    bits[number / 8] |= (uint8_t)(1u << number % 8);
}

/* How the following of a chain ends when its next link cannot be had. */
static enum fat_chain_end end_for(enum status status)
{
    return status == ST_REFUSED ? FAT_CHAIN_UNKNOWN : FAT_CHAIN_UNREADABLE;
}

/* True when `cluster` is among the first `length` of the chain. All of them were seen before. */
static bool chain_has(struct fat_volume *volume, uint32_t first, uint32_t length, uint32_t cluster)
{
    for (; length > 0; length--) {
        if (first == cluster)
            return true;
        if (fat_link(volume, first, &first) != ST_OK)
            return false;
    }
    return false;
}

/* True when the chain ends at what `cluster` is. */
static bool chain_stops(struct fat_walk *walk, uint32_t first, uint32_t cluster,
                        struct fat_chain *chain)
{
    if (!fat_has_cluster(walk->volume, cluster)) {
        chain->end =
            cluster == FAT_LINK_END && chain->length > 0 ? FAT_CHAIN_ENDS : FAT_CHAIN_MISSES;
        return true;
    }
    if (!bit_is_set(walk->owned, cluster))
        return false;
    if (chain_has(walk->volume, first, chain->length, cluster)) {
        chain->end = FAT_CHAIN_CIRCLES;
    } else {
        set_bit(walk->shared, cluster);
        chain->end = FAT_CHAIN_MEETS;
    }
    return true;
}

static void note_end(struct fat_walk *walk, enum fat_chain_end end, const char *path)
{
    static const enum fat_problem problems[] = {
        [FAT_CHAIN_MISSES] = FAT_CHAIN_OUT_OF_RANGE,
        [FAT_CHAIN_CIRCLES] = FAT_CHAIN_LOOPS,
        [FAT_CHAIN_MEETS] = FAT_CHAIN_CROSSED,
        [FAT_CHAIN_UNREADABLE] = FAT_UNREADABLE,
    };

    if (end == FAT_CHAIN_UNKNOWN)
        walk->report.complete = false;
    else if (end != FAT_CHAIN_ENDS)
        fat_note(walk, problems[end], path);
}

enum status fat_chain_follow(struct fat_walk *walk, uint32_t first, const char *path,
                             struct fat_chain *ret_chain)
{
    struct fat_chain chain = {0};
    uint32_t cluster = first;

    while (!chain_stops(walk, first, cluster, &chain)) {
        set_bit(walk->owned, cluster);
        chain.length++;
        enum status status = fat_link(walk->volume, cluster, &cluster);
        if (status == ST_NO_MEMORY)
            return status;
        if (status != ST_OK) {
            chain.end = end_for(status);
            break;
        }
    }
    note_end(walk, chain.end, path);
    *ret_chain = chain;
    return ST_OK;
}

enum status fat_chain_status(const struct fat_chain *chain)
{
    if (chain->end == FAT_CHAIN_ENDS || chain->end == FAT_CHAIN_UNKNOWN)
        return ST_OK;
    return chain->end == FAT_CHAIN_UNREADABLE ? ST_IO : ST_DAMAGED;
}

enum status fat_chain_check_file(struct fat_walk *walk, size_t item)
{
    struct fat_item *it = &walk->items[item];
    uint32_t cluster_size = walk->volume->cluster_size;
    uint64_t wanted = (it->file.size + cluster_size - 1) / cluster_size;
    struct fat_chain chain = {.end = FAT_CHAIN_ENDS};

    it->done = true;
    if (it->file.first_cluster != 0) {
        enum status status = fat_chain_follow(walk, it->file.first_cluster, it->file.path, &chain);
        if (status != ST_OK)
            return status;
    }
    it->chain_length = chain.length;
    it->file.status = fat_chain_status(&chain);
    if (chain.length > wanted) {
        fat_note(walk, FAT_CHAIN_LONG, it->file.path);
    } else if (chain.length < wanted && chain.end == FAT_CHAIN_ENDS) {
        fat_note(walk, FAT_CHAIN_SHORT, it->file.path);
        it->file.status = ST_DAMAGED;
    }
    return ST_OK;
}

/* True in `*ret_shared` when a second chain leads to one of the item's clusters. */
static enum status item_is_shared(struct fat_walk *walk, const struct fat_item *item,
                                  bool *ret_shared)
{
    uint32_t cluster = item->file.first_cluster;
    bool shared = false;

    for (uint32_t i = 0; i < item->chain_length && !shared; i++) {
        shared = bit_is_set(walk->shared, cluster);
        if (fat_link(walk->volume, cluster, &cluster) == ST_NO_MEMORY)
            return ST_NO_MEMORY;
    }
    *ret_shared = shared;
    return ST_OK;
}

enum status fat_chain_mark_shared(struct fat_walk *walk)
{
    if (walk->report.problems[FAT_CHAIN_CROSSED] == 0)
        return ST_OK;
    for (size_t i = 0; i < walk->count; i++) {
        bool shared = false;
        enum status status = item_is_shared(walk, &walk->items[i], &shared);
        if (status != ST_OK)
            return status;
        if (shared)
            walk->items[i].file.status = ST_DAMAGED;
    }
    return ST_OK;
}

static void count_cluster(struct fat_walk *walk, uint32_t cluster, uint32_t link)
{
    bool present = fat_has_cluster(walk->volume, cluster);

    if (link == FAT_LINK_FREE) {
        walk->report.free_clusters += present;
        return;
    }
    walk->report.used_clusters++;
    if (!present)
        fat_note(walk, FAT_CHAIN_OUT_OF_RANGE, "");
    else if (!walk->unlisted && !bit_is_set(walk->owned, cluster))
        fat_note(walk, FAT_CHAIN_LOST, "");
}

/* Free clusters from `cluster` on, as many as the volume has of `run`; how many those are. */
static uint32_t count_free_run(struct fat_walk *walk, uint32_t cluster, uint32_t run)
{
    uint32_t first = cluster - 2;
    uint32_t left = walk->volume->cluster_count - first;
    uint32_t present = walk->volume->clusters_present;
    uint32_t count = run < left ? run : left;

    present = present > first ? present - first : 0;
    walk->report.free_clusters += present < count ? present : count;
    return count;
}

enum status fat_chain_count_clusters(struct fat_walk *walk)
{
    for (uint32_t i = 0; i < walk->volume->cluster_count; i++) {
        uint32_t cluster = i + 2;
        uint32_t link = 0;
        enum status status = fat_link(walk->volume, cluster, &link);
        if (status == ST_NO_MEMORY)
            return status;
        if (status == ST_REFUSED) {
            walk->report.complete = false;
            return ST_OK;
        }
        if (status != ST_OK || link == FAT_LINK_BAD)
            continue;
        uint32_t run = link == FAT_LINK_FREE ? fat_free_run(walk->volume, cluster) : 0;
        if (run > 0)
            i += count_free_run(walk, cluster, run) - 1;
        else
            count_cluster(walk, cluster, link);
    }
    return ST_OK;
}
