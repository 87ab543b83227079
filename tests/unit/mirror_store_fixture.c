#include "unit/mirror_store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "model/boot_store.h"

#define STORE_SIZE 16384u

void mirror_device(const struct mirror *mirror, size_t partition,
                   uint8_t ret_data[STORE_DEVICE_SIZE])
{
    char own[GUID_TEXT_SIZE] = "{" MIRROR_NOWHERE "}";
    char disk[GUID_TEXT_SIZE] = "{" MIRROR_NOWHERE "}";

    if (partition != NO_INDEX) {
        guid_format(&mirror->partitions[partition].unique, own);
        guid_format(&mirror->disks[mirror->partitions[partition].disk].guid, disk);
    }
    own[37] = '\0';
    disk[37] = '\0';
    store_fixture_partition(own + 1, disk + 1, ret_data);
}

void mirror_take_store(struct mirror *mirror, size_t disk, const struct store_fixture *store)
{
    uint8_t *bytes = arena_alloc(&mirror->arena, 1, STORE_SIZE);

    assert_non_null(bytes);
    size_t size = store_fixture_write(store, bytes, STORE_SIZE);
    assert_int_equal(boot_store_take(&mirror->arena, span_of(bytes, size), span_of(NULL, 0),
                                     &mirror->esps[disk]),
                     ST_OK);
}
