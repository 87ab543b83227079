#include "ntfs_tree.h"

#define SMALL_UNIT 512u /* blocks are numbered in these where clusters are larger than they */

static const uint8_t i30[] = {'$', 0, 'I', 0, '3', 0, '0', 0};

enum status ntfs_tree_start(struct ntfs_volume *volume, const struct ntfs_record *directory,
                            struct ntfs_tree *tree)
{
    static const struct ntfs_key key = {NTFS_INDEX_ROOT, {i30, sizeof i30}};
    struct ntfs_attribute root;
    enum status status = ntfs_attribute_head(volume, directory, &key, &root);

    if (status != ST_OK)
        return status == ST_ABSENT ? ST_DAMAGED : status;
    *tree = (struct ntfs_tree){.volume = volume, .root_value = root.value};
    return ntfs_index_root_parse(root.value, &tree->block_size, &tree->root);
}

enum status ntfs_tree_open_blocks(struct ntfs_tree *tree, const struct ntfs_record *directory)
{
    static const struct ntfs_key key = {NTFS_INDEX_ALLOCATION, {i30, sizeof i30}};
    enum status status = ntfs_stream_open(tree->volume, directory, &key, &tree->allocation);

    return status == ST_ABSENT ? ST_DAMAGED : status;
}

enum status ntfs_tree_block(const struct ntfs_tree *tree, uint64_t vcn, uint8_t *buffer,
                            struct ntfs_node *ret_node)
{
    uint32_t cluster_size = tree->volume->cluster_size;
    uint32_t unit = cluster_size <= tree->block_size ? cluster_size : SMALL_UNIT;
    uint64_t offset = 0;

    if (__builtin_mul_overflow(vcn, unit, &offset))
        return ST_DAMAGED;
    enum status status =
        ntfs_stream_read(tree->volume, &tree->allocation, offset, buffer, tree->block_size);
    if (status != ST_OK)
        return status;
    return ntfs_index_block_parse(buffer, tree->block_size, vcn, ret_node);
}
