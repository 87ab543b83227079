#include "format/regf/regf_make.h"

#include "base/mem.h"
#include "regf_edit_parts.h"
#include "regf_layout.h"

#define MINOR        3u
#define SECURITY_MAX 0xffffu /* bytes that an access control list can have */

static uint32_t cell_size(size_t content)
{
    return ((uint32_t)content + REGF_CELL_SIZE_SIZE + REGF_CELL_UNIT - 1) / REGF_CELL_UNIT *
           REGF_CELL_UNIT;
}

static void put_base(uint8_t *base, uint32_t bins_size, uint64_t now)
{
    memcpy(base, "regf", 4);
    st_le32(base + REGF_PRIMARY_AT, 1);
    st_le32(base + REGF_SECONDARY_AT, 1);
    st_le64(base + REGF_TIME_AT, now);
    st_le32(base + REGF_MAJOR_AT, 1);
    st_le32(base + REGF_MINOR_AT, MINOR);
    st_le32(base + REGF_FORMAT_AT, 1);
    st_le32(base + REGF_ROOT_AT, REGF_BIN_HEADER_SIZE);
    st_le32(base + REGF_BINS_SIZE_AT, bins_size);
    st_le32(base + REGF_CLUSTERING_AT, 1);
    st_le32(base + REGF_CHECKSUM_AT, regf_base_checksum(base));
}

static void put_security(uint8_t *bins, uint32_t cell, struct span security)
{
    uint8_t *record = bins + cell + REGF_CELL_SIZE_SIZE;

    st_le32(bins + cell, 0 - cell_size(REGF_SECURITY_SIZE + security.size));
    memcpy(record, "sk", 2);
    st_le32(record + REGF_SECURITY_NEXT_AT, cell);
    st_le32(record + REGF_SECURITY_PREVIOUS_AT, cell);
    st_le32(record + REGF_SECURITY_COUNT_AT, 1);
    st_le32(record + REGF_SECURITY_DESCRIPTOR_AT, (uint32_t)security.size);
    memcpy(record + REGF_SECURITY_SIZE, security.at, security.size);
}

static void put_bin(uint8_t *bins, uint32_t size, uint32_t free_at, uint64_t now)
{
    memcpy(bins, "hbin", 4);
    st_le32(bins + 8, size);
    st_le64(bins + REGF_BIN_TIME_AT, now);
    if (free_at < size)
        st_le32(bins + free_at, size - free_at);
}

enum status regf_make(uint8_t *buffer, size_t capacity, struct regf_name name, struct span security,
                      uint64_t now, struct span *ret_file)
{
    size_t length = regf_name_length(name);
    uint32_t root_size = cell_size(REGF_KEY_SIZE + regf_name_size(name));

    if (length == 0 || length > REGF_KEY_NAME_MAX || security.size == 0 ||
        security.size > SECURITY_MAX)
        return ST_USAGE;
    uint32_t root = REGF_BIN_HEADER_SIZE;
    uint32_t security_at = root + root_size;
    uint32_t end = security_at + cell_size(REGF_SECURITY_SIZE + security.size);
    uint32_t size = (end + REGF_BIN_UNIT - 1) / REGF_BIN_UNIT * REGF_BIN_UNIT;
    if (capacity < REGF_BASE_SIZE + size)
        return ST_TOO_SMALL;
    uint8_t *bins = buffer + REGF_BASE_SIZE;
    memset(buffer, 0, REGF_BASE_SIZE + size);
    put_bin(bins, size, end, now);
    st_le32(bins + root, 0 - root_size);
    regf_put_key(bins + root + REGF_CELL_SIZE_SIZE, 0, security_at, name, now);
    uint8_t *flags = bins + root + REGF_CELL_SIZE_SIZE + REGF_KEY_FLAGS_AT;
    st_le16(flags, ld_le16(flags) | REGF_KEY_FLAG_ROOT | REGF_KEY_FLAG_NO_DELETE);
    put_security(bins, security_at, security);
    put_base(buffer, size, now);
    *ret_file = span_of(buffer, REGF_BASE_SIZE + size);
    return ST_OK;
}
