#include "host/image_block.h"

#include <stdlib.h>
#include <unistd.h>

#include "host/host_alloc.h"
#include "linux/disk.h"

struct image_block {
    struct linux_disk disk;
};

enum status image_block_open(const char *file, uint32_t block_size, struct span path,
                             const char *model, struct image_block **ret_disk)
{
    struct linux_disk_request request = {.file = file,
                                         .block_size = block_size,
                                         .write = access(file, W_OK) == 0,
                                         .path = path,
                                         .model = model};
    struct image_block *disk = host_alloc(1, sizeof(*disk));
    enum status status = linux_disk_open(linux_calls(), &request, &disk->disk);

    if (status == ST_OK)
        *ret_disk = disk;
    else
        free(disk);
    return status;
}

void image_block_close(struct image_block *disk)
{
    if (disk != NULL)
        linux_disk_close(&disk->disk);
    free(disk);
}

struct block_port image_block_port(struct image_block *disk)
{
    return disk->disk.port;
}
