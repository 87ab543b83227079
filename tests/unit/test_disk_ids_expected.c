/* Which identity a boot store expects of its disk, and where it cannot be told: on the model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "host/host_alloc.h"
#include "plan/disk_ids.h"
#include "unit/mirror_store_fixture.h"

#define SIGNATURE 0xa1b2c3d4u

static uint8_t bytes[1 << 14];

static enum status expected(struct mirror *m, struct plan *ret_plan, struct disk_ids *ret_ids)
{
    plan_init(ret_plan, &m->arena, &m->machine);
    return plan_disk_ids_expected(ret_plan, 1, ret_ids);
}

static void assert_refused(struct mirror *m, const char *why)
{
    struct disk_ids ids;
    struct plan plan;

    assert_int_equal(expected(m, &plan, &ids), ST_REFUSED);
    assert_int_equal(plan.count, 0);
    if (strstr(plan.refusal, why) == NULL)
        fail_msg("\"%s\" is not in: %s", why, plan.refusal);
}

/* The store on the ESP of Disk 1 starts Windows from that partition, NO_INDEX: from none here. */
static void give_store(struct mirror *m, size_t partition)
{
    struct store_fixture *store = host_alloc(1, sizeof(*store));
    uint8_t device[STORE_DEVICE_SIZE];

    mirror_device(m, partition, device);
    store_fixture_usual(store, device, sizeof(device));
    mirror_take_store(m, 1, store);
    free(store);
}

static void partition_with_windows_is_to_have_the_name_in_the_store(void **state)
{
    struct mirror *m = *state;
    struct disk_ids ids;
    struct guid wanted;
    struct plan plan;

    give_store(m, NO_INDEX);
    assert_int_equal(guid_parse(MIRROR_NOWHERE, &wanted), ST_OK);
    assert_int_equal(expected(m, &plan, &ids), ST_OK);
    assert_int_equal(ids.disk, 1);
    assert_true(ids.sets_partition);
    assert_int_equal(ids.partition, MIRROR_DATA(1));
    assert_true(guid_equal(&ids.partition_guid, &wanted));
}

static void store_whose_partition_is_here_expects_nothing(void **state)
{
    struct mirror *m = *state;
    struct disk_ids ids;
    struct plan plan;

    give_store(m, MIRROR_DATA(0));
    assert_int_equal(expected(m, &plan, &ids), ST_ABSENT);
    assert_int_equal(plan.count, 0);
}

static void windows_on_no_or_on_two_partitions_is_not_guessed(void **state)
{
    struct mirror *m = *state;

    give_store(m, NO_INDEX);
    m->copies[0].disk = 1;
    assert_refused(m, "more than one partition of Disk 1 has Windows on it");
    m->copies[0].disk = 0;
    m->copies[1].disk = 0;
    assert_refused(m, "no partition of Disk 1 has Windows on it");
    assert_refused(m, "shadowboot diskid 1 -partition NUMBER -set GUID");
}

/* Disk 1 has an MBR and Windows' store for BIOS, which names a partition of SIGNATURE from there. */
static void give_bios_store(struct mirror *m, uint64_t offset)
{
    struct store_fixture *store = host_alloc(1, sizeof(*store));
    uint8_t device[STORE_DEVICE_SIZE] = {0};

    mirror_drop_esp(m, 1);
    m->disks[1].style = DISK_MBR;
    st_le32(device + 0x10, 6);
    st_le32(device + 0x18, STORE_DEVICE_SIZE - 0x10);
    st_le64(device + 0x20, offset);
    st_le32(device + 0x34, 1);
    st_le32(device + 0x38, SIGNATURE);
    store_fixture_usual(store, device, sizeof(device));
    m->copies[1].bios_store = span_of(bytes, store_fixture_write(store, bytes, sizeof(bytes)));
    m->copies[1].bios_store_status = ST_OK;
    free(store);
}

static void disk_is_to_have_the_signature_in_the_store_for_bios(void **state)
{
    struct mirror *m = *state;
    struct disk_ids ids;
    struct plan plan;

    give_bios_store(m, m->partitions[MIRROR_DATA(1)].first_lba * 512);
    assert_int_equal(expected(m, &plan, &ids), ST_OK);
    assert_true(ids.sets_disk);
    assert_false(ids.sets_partition);
    assert_int_equal(ids.signature, SIGNATURE);
}

/* Another disk is meant. */
static void signature_is_not_given_where_no_partition_begins_there(void **state)
{
    struct mirror *m = *state;

    give_bios_store(m, m->partitions[MIRROR_DATA(1)].first_lba * 512 + 512);
    assert_refused(m, "No disk has that signature, and Disk 1 has no partition that begins there.");
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, mirror_set_up, mirror_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(partition_with_windows_is_to_have_the_name_in_the_store),
        ROW(store_whose_partition_is_here_expects_nothing),
        ROW(windows_on_no_or_on_two_partitions_is_not_guessed),
        ROW(disk_is_to_have_the_signature_in_the_store_for_bios),
        ROW(signature_is_not_given_where_no_partition_begins_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
