#include "host/disk_port.h"

#include <stdlib.h>

#include "host/host_alloc.h"

struct block_port disk_port_new(uint32_t block_size, uint64_t block_count, struct span path,
                                const char *model)
{
    struct block_port port = {
        .path = span_of(host_copy(path.at, path.size), path.size),
        .model = host_copy_text(model),
        .block_size = block_size,
        .block_count = block_count,
    };

    return port;
}

void disk_port_free(const struct block_port *port)
{
    free((uint8_t *)(uintptr_t)port->path.at);
    free((char *)(uintptr_t)port->model);
}
