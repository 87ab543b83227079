#include "format/ldm/ldm_log.h"

#include "base/mem.h"

#define ENTRIES_AT  0x18u
#define ENTRY_BYTES 24u
#define ENTRY_COUNT ((LDM_LOG_PAGE_BYTES - ENTRIES_AT) / ENTRY_BYTES)

/* Status of an entry. */
enum {
    ENTRY_END = 0,
    ENTRY_DETACH = 1,
    ENTRY_DIRTY = 2,
    ENTRY_COMMIT = 3,
    ENTRY_LOG_DETACH = 4,
    ENTRY_APP_DIRTY = 5,
};

static bool is_page(const uint8_t *at, uint32_t index, uint32_t count)
{
    return memcmp(at, "KLOG", 4) == 0 && ld_be32(at + 0x10) == count && ld_be32(at + 0x14) == index;
}

enum status ldm_log_count_pages(struct span page, uint32_t *ret_count)
{
    if (page.size < LDM_LOG_PAGE_BYTES)
        return ST_DAMAGED;
    uint32_t count = ld_be32(page.at + 0x10);
    if (count == 0 || !is_page(page.at, 0, count))
        return ST_DAMAGED;
    if (count > LDM_LOG_PAGES_MAX)
        return ST_UNSUPPORTED;
    *ret_count = count;
    return ST_OK;
}

static enum status read_log_entries(const uint8_t *page, struct ldm_log *log)
{
    for (size_t i = 0; i < ENTRY_COUNT; i++) {
        const uint8_t *at = page + ENTRIES_AT + i * ENTRY_BYTES;
        uint64_t pending = ld_be64(at + 9);
        if (at[0] == ENTRY_END)
            break;
        if (at[0] > ENTRY_APP_DIRTY)
            return ST_UNSUPPORTED;
        if (at[0] != ENTRY_COMMIT)
            log->dirty = true;
        else if (pending > log->pending)
            log->pending = pending;
    }
    return ST_OK;
}

enum status ldm_log_parse(struct span pages, struct ldm_log *ret_log)
{
    struct ldm_log log = {0};
    enum status status = ldm_log_count_pages(pages, &log.page_count);

    if (status != ST_OK)
        return status;
    if (pages.size / LDM_LOG_PAGE_BYTES < log.page_count)
        return ST_DAMAGED;
    for (uint32_t i = 0; i < log.page_count; i++) {
        const uint8_t *page = pages.at + (size_t)i * LDM_LOG_PAGE_BYTES;
        if (!is_page(page, i, log.page_count))
            return ST_DAMAGED;
        status = read_log_entries(page, &log);
        if (status != ST_OK)
            return status;
    }
    *ret_log = log;
    return ST_OK;
}
