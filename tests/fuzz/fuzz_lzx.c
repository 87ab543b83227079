/* LZX, unpacked. The input is that of unpack_run.h. */
#include "fuzz/unpack_run.h"

static enum status unpack_one(struct unpack_tables *tables, struct span packed, uint8_t *ret_data,
                              size_t size, size_t *ret_size)
{
    (void)ret_size;
    return unpack_lzx(tables, packed, ret_data, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return unpack_input(unpack_one, data, size);
}
