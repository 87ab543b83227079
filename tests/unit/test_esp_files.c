/* Which files an ESP is to get from another one: fresh, brought up to date, and mended. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "plan/esp_files.h"
#include "unit/mirror_fixture.h"

#define LOG  "\\EFI\\Microsoft\\Boot\\BCD.LOG"
#define STAT "\\EFI\\Microsoft\\Boot\\BOOTSTAT.DAT"

typedef enum status bring(struct plan *plan, size_t source, size_t target, const char *path,
                          struct files_change *ret_files);

static struct plan plan_for(struct mirror *m)
{
    struct plan plan;

    plan_init(&plan, &m->arena, &m->machine);
    return plan;
}

/* "path<ESP" for files, "path/" for directories, one per line. Valid until the next call. */
static const char *listed(const struct files_change *files)
{
    static char text[8192];

    text[0] = '\0';
    for (size_t i = 0; i < files->count; i++) {
        const struct file_copy *item = &files->items[i];
        size_t used = strlen(text);
        if (item->is_directory)
            snprintf(text + used, sizeof(text) - used, "%s/\n", item->path);
        else
            snprintf(text + used, sizeof(text) - used, "%s<%zu\n", item->path, item->esp);
    }
    return text;
}

static bool warned(const struct plan *plan, const char *text)
{
    for (size_t i = 0; i < plan->warning_count; i++) {
        if (strstr(plan->warnings[i], text) != NULL)
            return true;
    }
    return false;
}

static void expect_fresh(struct mirror *m, size_t old, const char *expected)
{
    struct plan plan = plan_for(m);
    struct files_change files;

    assert_int_equal(esp_files_fresh(&plan, 0, old, FILES_ALL, &files), ST_OK);
    assert_string_equal(listed(&files), expected);
}

static void expect_brought(struct mirror *m, bring *how, const char *path, const char *expected)
{
    struct plan plan = plan_for(m);
    struct files_change files;

    assert_int_equal(how(&plan, 0, 1, path, &files), ST_OK);
    assert_string_equal(listed(&files), expected);
}

static bool is_left_out; /* what was to be done, by the last expect_warned */

static void expect_warned(struct mirror *m, bring *how, const char *text)
{
    struct plan plan = plan_for(m);
    struct files_change files;

    assert_int_equal(how(&plan, 0, 1, "\\", &files), ST_OK);
    if (!warned(&plan, text))
        fail_msg("no warning says \"%s\"", text);
    is_left_out = plan.left_out && plan.left_status == ST_REFUSED;
}

/* --- The source ----------------------------------------------------------------------------- */

static void primary_is_the_source_before_others(void **state)
{
    struct mirror *m = *state;
    struct roles roles = mirror_roles(m);

    assert_int_equal(esp_files_source(&m->machine, &roles, NO_INDEX), 0);
    assert_int_equal(esp_files_source(&m->machine, &roles, 1), 0);
    assert_int_equal(esp_files_source(&m->machine, &roles, 0), 1);
    mirror_set_order(m, (const uint16_t[]){1, 0}, 2);
    roles = mirror_roles(m);
    assert_int_equal(esp_files_source(&m->machine, &roles, NO_INDEX), 1);
}

static void unfit_primary(struct mirror *m, size_t how)
{
    switch (how) {
    case 0:
        m->esps[0].status = ST_ABSENT;
        break;
    case 1:
        m->esps[0].report.problems[FAT_CHAIN_CROSSED] = 1;
        break;
    case 2:
        mirror_content(m, 0, MIRROR_MANAGER)->program = PE_TRUNCATED;
        break;
    case 3:
        mirror_drop_file(m, 0, "\\EFI");
        break;
    default:
        m->esps[0].volume.from_backup = true;
        break;
    }
}

static void damaged_primary_gives_way_to_the_shadow(void **state)
{
    (void)state;
    for (size_t i = 0; i < 5; i++) {
        struct mirror *m = mirror_new();
        unfit_primary(m, i);
        struct roles roles = mirror_roles(m);
        assert_int_equal(esp_files_source(&m->machine, &roles, NO_INDEX), 1);
        assert_int_equal(esp_files_source(&m->machine, &roles, 1), NO_INDEX);
        mirror_free(m);
    }
}

/* What a cut leaves is no damage to files. */
static void lost_clusters_do_not_keep_an_esp_from_being_the_source(void **state)
{
    struct mirror *m = *state;
    struct roles roles = mirror_roles(m);

    m->esps[0].report.problems[FAT_CHAIN_LOST] = 3;
    m->esps[0].report.problems[FAT_COPIES_DIFFER] = 1;
    assert_int_equal(esp_files_source(&m->machine, &roles, NO_INDEX), 0);
}

/* --- Fresh ---------------------------------------------------------------------------------- */

#define ALL                                                                 \
    "\\EFI/\n\\EFI\\BOOT/\n\\EFI\\BOOT\\BOOTX64.EFI<0\n\\EFI\\Microsoft/\n" \
    "\\EFI\\Microsoft\\Boot/\n\\EFI\\Microsoft\\Boot\\BCD<0\n"              \
    "\\EFI\\Microsoft\\Boot\\bootmgfw.efi<0\n\\EFI\\Microsoft\\Boot\\memtest.efi<0\n"

static void fresh_file_system_gets_all_of_the_source(void **state)
{
    expect_fresh(*state, NO_INDEX, ALL);
}

static void attributes_and_dates_are_those_of_the_source(void **state)
{
    struct mirror *m = *state;
    struct plan plan = plan_for(m);
    struct files_change files;
    size_t index = mirror_file(m, 0, MIRROR_STORE);

    m->files[0][index].attributes = 0xe6; /* with bits that no entry of a file has */
    m->files[0][index].written = (struct date_time){2024, 2, 29, 23, 59, 58};
    assert_int_equal(esp_files_fresh(&plan, 0, NO_INDEX, FILES_ALL, &files), ST_OK);
    const struct file_copy *store = &files.items[5];
    assert_string_equal(store->path, MIRROR_STORE);
    assert_int_equal(store->attributes, 0x26);
    assert_int_equal(store->written.day, 29);
    assert_int_equal(store->size, 32768);
    assert_int_equal(store->file, index);
    assert_int_equal(files.items[0].attributes, 0);
}

static void journals_and_volume_state_are_never_brought(void **state)
{
    struct mirror *m = *state;

    mirror_add_file(m, 0, "\\efi\\Shadowboot", 0, 0);
    mirror_add_file(m, 0, "\\efi\\Shadowboot\\0001.sbj", 100, 'j');
    mirror_add_file(m, 0, "\\System Volume Information", 0, 0);
    mirror_add_file(m, 0, "\\System Volume Information\\WPSettings.dat", 12, 'w');
    expect_fresh(m, NO_INDEX, ALL);
    expect_brought(m, esp_files_update, "\\", "");
}

static void what_only_the_old_file_system_has_is_saved(void **state)
{
    struct mirror *m = *state;

    mirror_add_file(m, 1, "\\OEM", 0, 0);
    mirror_add_file(m, 1, "\\OEM\\tool.efi", 500, 'o');
    m->files[1][mirror_add_file(m, 1, "\\OEM\\torn.bin", 500, 'x')].status = ST_DAMAGED;
    mirror_add_file(m, 1, "\\OEM\\LONGNA~1.EFI", 500, 'y'); /* its own name is lost */
    mirror_content(m, 1, MIRROR_STORE)->status = ST_IO;
    expect_fresh(m, 1, ALL "\\OEM/\n\\OEM\\tool.efi<1\n");
}

/* A boot store belongs to its ESP, and its logs to it. */
static void good_store_of_the_old_file_system_is_kept_with_its_logs(void **state)
{
    struct mirror *m = *state;
    struct plan plan = plan_for(m);
    struct files_change files;

    mirror_add_file(m, 0, LOG, 100, 'a');
    mirror_add_file(m, 0, "\\EFI\\Microsoft\\Boot\\BCD.LOG1", 100, 'a');
    mirror_add_file(m, 1, LOG, 100, 'b');
    assert_int_equal(esp_files_fresh(&plan, 0, 1, FILES_ALL, &files), ST_OK);
    const char *text = listed(&files);
    assert_non_null(strstr(text, "BCD<1\n"));
    assert_non_null(strstr(text, "BCD.LOG<1\n"));
    assert_null(strstr(text, "BCD.LOG1"));
    assert_null(strstr(text, "BCD<0\n"));
    assert_false(warned(&plan, "boot store"));
}

static void damaged_store_of_the_old_file_system_is_replaced_with_its_logs(void **state)
{
    struct mirror *m = *state;
    struct plan plan = plan_for(m);
    struct files_change files;

    mirror_add_file(m, 0, LOG, 100, 'a');
    mirror_add_file(m, 1, LOG, 100, 'b');
    mirror_add_file(m, 1, "\\EFI\\Microsoft\\Boot\\BCD.LOG1", 100, 'b');
    m->esps[1].store = REGF_BAD_CHECKSUM;
    assert_int_equal(esp_files_fresh(&plan, 0, 1, FILES_ALL, &files), ST_OK);
    const char *text = listed(&files);
    assert_non_null(strstr(text, "BCD<0\n"));
    assert_non_null(strstr(text, "BCD.LOG<0\n"));
    assert_null(strstr(text, "BCD.LOG1"));
}

static void directory_of_the_old_file_system_gives_way_to_a_file(void **state)
{
    struct mirror *m = *state;
    struct plan plan = plan_for(m);
    struct files_change files;

    mirror_add_file(m, 0, "\\thing", 10, 't');
    mirror_add_file(m, 1, "\\thing", 0, 0);
    mirror_add_file(m, 1, "\\thing\\inside", 10, 'i');
    assert_int_equal(esp_files_fresh(&plan, 0, 1, FILES_ALL, &files), ST_OK);
    assert_non_null(strstr(listed(&files), "\\thing<0\n"));
    assert_null(strstr(listed(&files), "inside"));
    assert_true(warned(&plan, "\\thing and 1 more"));
}

/* A damaged directory may name one file twice, and a new file system cannot. */
static void repeated_name_is_taken_once(void **state)
{
    struct mirror *m = *state;

    mirror_add_file(m, 0, "\\efi\\boot\\bootx64.efi", 1600000, 'm');
    expect_fresh(m, NO_INDEX, ALL);
}

static void fallback_is_made_from_the_boot_manager(void **state)
{
    struct mirror *m = *state;
    struct plan plan = plan_for(m);
    struct files_change files;

    mirror_drop_file(m, 0, "\\EFI\\BOOT");
    assert_int_equal(esp_files_fresh(&plan, 0, NO_INDEX, FILES_ALL, &files), ST_OK);
    const struct file_copy *last = &files.items[files.count - 1];
    assert_string_equal(last[-1].path, "\\EFI\\BOOT");
    assert_true(last[-1].is_directory);
    assert_string_equal(last->path, MIRROR_FALLBACK);
    assert_int_equal(last->size, 1600000);
    assert_int_equal(last->file, mirror_file(m, 0, MIRROR_MANAGER));
    mirror_content(m, 0, MIRROR_MANAGER)->program = PE_OTHER_MACHINE;
    assert_int_equal(esp_files_fresh(&plan, 0, NO_INDEX, FILES_ALL, &files), ST_OK);
    assert_null(strstr(listed(&files), "BOOTX64"));
}

static void fallback_of_the_old_file_system_is_kept(void **state)
{
    struct mirror *m = *state;
    struct plan plan = plan_for(m);
    struct files_change files;

    mirror_drop_file(m, 0, "\\EFI\\BOOT");
    assert_int_equal(esp_files_fresh(&plan, 0, 1, FILES_ALL, &files), ST_OK);
    assert_non_null(strstr(listed(&files), "BOOTX64.EFI<1\n"));
    assert_null(strstr(listed(&files), "BOOTX64.EFI<0\n"));
}

/* --- Update --------------------------------------------------------------------------------- */

static void equal_esps_need_nothing(void **state)
{
    expect_brought(*state, esp_files_update, "\\", "");
    expect_brought(*state, esp_files_mend, "\\", "");
}

static void missing_and_differing_files_are_brought(void **state)
{
    struct mirror *m = *state;

    mirror_drop_file(m, 1, MIRROR_MANAGER);
    mirror_content(m, 1, MIRROR_MEMTEST)->digest.bytes[0] = 'u';
    m->files[1][mirror_file(m, 1, MIRROR_FALLBACK)].size = 1;
    mirror_add_file(m, 0, "\\EFI\\Microsoft\\Boot\\xx-XX", 0, 0);
    mirror_add_file(m, 0, "\\EFI\\Microsoft\\Boot\\xx-XX\\a.mui", 10, 'a');
    expect_brought(m, esp_files_update, MIRROR_MANAGER, MIRROR_MANAGER "<0\n");
    expect_brought(m, esp_files_update, "\\efi\\microsoft",
                   MIRROR_MANAGER
                   "<0\n" MIRROR_MEMTEST
                   "<0\n\\EFI\\Microsoft\\Boot\\xx-XX/\n\\EFI\\Microsoft\\Boot\\xx-XX\\a.mui<0\n");
    expect_brought(m, esp_files_update, "\\",
                   MIRROR_FALLBACK
                   "<0\n" MIRROR_MANAGER "<0\n" MIRROR_MEMTEST
                   "<0\n\\EFI\\Microsoft\\Boot\\xx-XX/\n\\EFI\\Microsoft\\Boot\\xx-XX\\a.mui<0\n");
}

/* What is good stays where it is when the ESP is the one that others are measured by. */
static void mending_brings_what_is_missing_or_bad_only(void **state)
{
    struct mirror *m = *state;

    mirror_content(m, 1, MIRROR_MEMTEST)->digest.bytes[0] = 'u';
    mirror_content(m, 1, MIRROR_MANAGER)->program = PE_TRUNCATED;
    mirror_drop_file(m, 1, MIRROR_FALLBACK);
    expect_brought(m, esp_files_mend, "\\", MIRROR_FALLBACK "<0\n" MIRROR_MANAGER "<0\n");
}

static void directories_on_the_way_are_brought(void **state)
{
    struct mirror *m = *state;

    mirror_drop_files(m, 1);
    expect_brought(m, esp_files_update, MIRROR_MANAGER,
                   "\\EFI/\n\\EFI\\Microsoft/\n\\EFI\\Microsoft\\Boot/\n" MIRROR_MANAGER "<0\n");
}

static void path_that_the_source_does_not_have_is_absent(void **state)
{
    struct mirror *m = *state;
    struct plan plan = plan_for(m);
    struct files_change files = {.count = 77};

    assert_int_equal(esp_files_update(&plan, 0, 1, "\\EFI\\grub", &files), ST_ABSENT);
    assert_int_equal(files.count, 77);
}

static void dates_and_attributes_alone_bring_nothing(void **state)
{
    struct mirror *m = *state;

    m->files[1][mirror_file(m, 1, MIRROR_MANAGER)].written.year = 2020;
    m->files[1][mirror_file(m, 1, MIRROR_MANAGER)].attributes = 1;
    expect_brought(m, esp_files_update, "\\", "");
}

/* To what is there directories come for what is in them; a fresh ESP has them as they are. */
static void empty_directory_is_nothing_to_bring(void **state)
{
    struct mirror *m = *state;

    mirror_add_file(m, 0, "\\EFI\\Empty", 0, 'a');
    mirror_add_file(m, 0, "\\EFI\\Empty\\More", 0, 'a');
    expect_brought(m, esp_files_mend, "\\", "");
    expect_brought(m, esp_files_update, "\\", "");
    mirror_add_file(m, 0, "\\EFI\\Empty\\More\\file", 10, 'a');
    expect_brought(m, esp_files_mend, "\\",
                   "\\EFI\\Empty/\n\\EFI\\Empty\\More/\n\\EFI\\Empty\\More\\file<0\n");
}

static void store_of_the_target_stays_unless_it_is_gone_or_damaged(void **state)
{
    struct mirror *m = *state;

    mirror_add_file(m, 0, STAT, 65536, 'a');
    mirror_add_file(m, 0, LOG, 100, 'a');
    mirror_add_file(m, 1, STAT, 65536, 'b');
    expect_brought(m, esp_files_update, "\\", ""); /* the log of another store is no use */
    m->esps[1].store = REGF_NOT_A_HIVE;
    expect_brought(m, esp_files_update, "\\", MIRROR_STORE "<0\n" LOG "<0\n");
    m->esps[1].store = REGF_DIRTY;
    m->esps[1].store_recovery = REGF_RECOVERY_LOG_STALE;
    expect_brought(m, esp_files_update, "\\", MIRROR_STORE "<0\n" LOG "<0\n");
    m->esps[1].store_recovery = REGF_RECOVERED; /* the boot manager mends it by its own log */
    expect_brought(m, esp_files_update, "\\", "");
    mirror_drop_file(m, 1, MIRROR_STORE);
    mirror_drop_file(m, 1, STAT);
    expect_brought(m, esp_files_update, "\\", MIRROR_STORE "<0\n" LOG "<0\n" STAT "<0\n");
}

static void damaged_files_of_the_source_are_left_out(void **state)
{
    struct mirror *m = *state;

    m->esps[0].store = REGF_DAMAGED;
    mirror_content(m, 0, MIRROR_MEMTEST)->status = ST_IO;
    expect_brought(m, esp_files_update, "\\", ""); /* and nobody misses them: no warning */
    mirror_drop_file(m, 1, MIRROR_STORE);
    mirror_content(m, 1, MIRROR_MEMTEST)->status = ST_DAMAGED;
    expect_brought(m, esp_files_update, "\\", "");
    expect_warned(m, esp_files_update, "damaged or cannot be read: " MIRROR_STORE " and 1 more.");
    assert_true(is_left_out);
}

static void names_that_are_not_exact_are_left_out_and_counted(void **state)
{
    struct mirror *m = *state;

    m->files[0][mirror_add_file(m, 0, "\\EFI\\%80", 10, 'x')].exact_name = false;
    m->files[0][mirror_add_file(m, 0, "\\EFI\\%81", 10, 'y')].exact_name = false;
    expect_brought(m, esp_files_update, "\\", "");
    expect_warned(m, esp_files_update, "copied exactly: \\EFI\\%80 and 1 more.");
    assert_true(is_left_out);
    mirror_add_file(m, 0, "\\d", 10, 'd');
    expect_warned(m, esp_files_update, "copied exactly: \\EFI\\%80 and 1 more.");
    assert_false(is_left_out); /* the rest comes: that is no refusal */
}

static void file_and_directory_of_one_name_stay_as_they_are(void **state)
{
    struct mirror *m = *state;

    mirror_add_file(m, 0, "\\a", 0, 0);
    mirror_add_file(m, 0, "\\a\\b", 10, 'b');
    mirror_add_file(m, 1, "\\A", 10, 'a');
    mirror_add_file(m, 0, "\\c", 10, 'c');
    mirror_add_file(m, 1, "\\c", 0, 0);
    expect_brought(m, esp_files_update, "\\", "");
    expect_warned(m, esp_files_update, "of that name (move the wrong one away): \\a and 2 more.");
    assert_true(is_left_out);
    mirror_add_file(m, 0, "\\d", 10, 'd'); /* what comes besides makes it no better */
    expect_warned(m, esp_files_update, "of that name (move the wrong one away): \\a and 2 more.");
    assert_true(is_left_out);
}

static void files_that_only_the_target_has_are_named(void **state)
{
    struct mirror *m = *state;

    mirror_add_file(m, 1, "\\EFI\\debian", 0, 0);
    mirror_add_file(m, 1, MIRROR_SHIM, 10, 's');
    mirror_add_file(m, 1, "\\1", 10, '1');
    mirror_add_file(m, 1, "\\2", 10, '2');
    mirror_add_file(m, 1, "\\3", 10, '3');
    struct plan plan = plan_for(m);
    struct files_change files;

    assert_int_equal(esp_files_update(&plan, 0, 1, "\\", &files), ST_OK);
    assert_int_equal(files.count, 0);
    assert_int_equal(plan.warning_count, 0);
    assert_int_equal(esp_files_tell_others(&plan, 0, 1, "\\", &files), ST_OK);
    assert_true(warned(&plan, "stay as they are: " MIRROR_SHIM ", \\1, \\2 and 1 more."));
}

static void missing_fallback_is_made_of_the_manager_that_will_be_there(void **state)
{
    struct mirror *m = *state;

    mirror_drop_file(m, 0, MIRROR_FALLBACK);
    mirror_drop_file(m, 1, MIRROR_FALLBACK);
    expect_brought(m, esp_files_update, "\\EFI\\Microsoft", "");
    expect_brought(m, esp_files_update, "\\EFI\\BOOT", MIRROR_FALLBACK "<1\n");
    expect_brought(m, esp_files_update, "\\", MIRROR_FALLBACK "<1\n");
    mirror_content(m, 1, MIRROR_MANAGER)->program = PE_TRUNCATED;
    expect_brought(m, esp_files_update, "\\EFI\\BOOT", MIRROR_FALLBACK "<0\n");
    mirror_content(m, 1, MIRROR_MANAGER)->program = PE_GOOD;
    mirror_add_file(m, 1, MIRROR_FALLBACK, 10, 'x');
    expect_brought(m, esp_files_update, "\\", "");
}

/* Not every scan reads the files: then sizes are all there is to go by. */
static void contents_that_nobody_read_are_not_called_different(void **state)
{
    struct mirror *m = *state;

    mirror_content(m, 1, MIRROR_MANAGER)->digest.bytes[0] = 'z';
    mirror_make_quick(m);
    expect_brought(m, esp_files_update, "\\", "");
}

/* --- Room ----------------------------------------------------------------------------------- */

static enum status room(struct mirror *m, uint64_t free_clusters)
{
    struct plan plan = plan_for(m);
    struct files_change files;

    assert_int_equal(esp_files_update(&plan, 0, 1, "\\", &files), ST_OK);
    m->esps[1].report.free_clusters = free_clusters;
    enum status status = esp_files_check_room(&plan, 1, &files);
    if (status == ST_NO_SPACE)
        assert_non_null(strstr(plan.refusal, "Nothing was changed."));
    return status;
}

/* Clusters are of 4096 bytes: 391 for 1,600,000 bytes, 293 for 1,200,000. The old ones are kept
 * until the new ones are there. */
static void room_is_counted_to_the_cluster(void **state)
{
    struct mirror *m = *state;

    mirror_content(m, 1, MIRROR_MANAGER)->digest.bytes[0] = 'z';
    assert_int_equal(room(m, 391), ST_OK);
    assert_int_equal(room(m, 390), ST_NO_SPACE);
    m->esps[1].report.problems[FAT_CHAIN_LOST] = 1;
    assert_int_equal(room(m, 390), ST_OK);
}

/* \x takes one cluster, and 64 files of short names in \x\y, with "." and "..", 66 * 32 bytes: one
 * cluster as well. With long names each takes three entries: 194 * 32 bytes, two clusters. */
static void new_directories_count_with_what_their_entries_take(void **state)
{
    struct mirror *m = *state;
    static struct file_copy items[66];
    static char names[64][40];
    struct files_change files = {items, 66};
    struct plan plan = plan_for(m);

    items[0] = (struct file_copy){.path = "\\x", .is_directory = true};
    items[1] = (struct file_copy){.path = "\\x\\y", .is_directory = true};
    for (size_t i = 0; i < 64; i++) {
        snprintf(names[i], sizeof(names[i]), "\\x\\y\\F%zu", i);
        items[2 + i] = (struct file_copy){.path = names[i], .size = 1};
    }
    m->esps[1].report.free_clusters = 66;
    assert_int_equal(esp_files_check_room(&plan, 1, &files), ST_OK);
    m->esps[1].report.free_clusters = 65;
    assert_int_equal(esp_files_check_room(&plan, 1, &files), ST_NO_SPACE);
    for (size_t i = 0; i < 64; i++)
        snprintf(names[i], sizeof(names[i]), "\\x\\y\\A long file name %zu", i);
    m->esps[1].report.free_clusters = 67;
    assert_int_equal(esp_files_check_room(&plan, 1, &files), ST_OK);
    m->esps[1].report.free_clusters = 66;
    assert_int_equal(esp_files_check_room(&plan, 1, &files), ST_NO_SPACE);
}

static void lists_without_memory_are_not_begun(void **state)
{
    struct mirror *m = *state;
    struct arena whole = m->arena;
    bool done = false;

    mirror_drop_files(m, 1);
    mirror_drop_file(m, 0, "\\EFI\\BOOT");
    for (size_t size = 0; !done; size += 64) {
        struct files_change files = {.count = 77};
        struct plan plan = plan_for(m);
        m->arena = whole;
        m->arena.size = whole.used + size;
        enum status status = esp_files_update(&plan, 0, 1, "\\", &files);
        done = status == ST_OK;
        if (!done) {
            assert_int_equal(status, ST_NO_MEMORY);
            assert_int_equal(files.count, 77);
        }
    }
    m->arena = whole;
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, mirror_set_up, mirror_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(primary_is_the_source_before_others),
        CASE(damaged_primary_gives_way_to_the_shadow),
        CASE(lost_clusters_do_not_keep_an_esp_from_being_the_source),
        CASE(fresh_file_system_gets_all_of_the_source),
        CASE(attributes_and_dates_are_those_of_the_source),
        CASE(journals_and_volume_state_are_never_brought),
        CASE(what_only_the_old_file_system_has_is_saved),
        CASE(good_store_of_the_old_file_system_is_kept_with_its_logs),
        CASE(damaged_store_of_the_old_file_system_is_replaced_with_its_logs),
        CASE(directory_of_the_old_file_system_gives_way_to_a_file),
        CASE(repeated_name_is_taken_once),
        CASE(fallback_is_made_from_the_boot_manager),
        CASE(fallback_of_the_old_file_system_is_kept),
        CASE(equal_esps_need_nothing),
        CASE(missing_and_differing_files_are_brought),
        CASE(mending_brings_what_is_missing_or_bad_only),
        CASE(directories_on_the_way_are_brought),
        CASE(path_that_the_source_does_not_have_is_absent),
        CASE(dates_and_attributes_alone_bring_nothing),
        CASE(empty_directory_is_nothing_to_bring),
        CASE(store_of_the_target_stays_unless_it_is_gone_or_damaged),
        CASE(damaged_files_of_the_source_are_left_out),
        CASE(names_that_are_not_exact_are_left_out_and_counted),
        CASE(file_and_directory_of_one_name_stay_as_they_are),
        CASE(files_that_only_the_target_has_are_named),
        CASE(missing_fallback_is_made_of_the_manager_that_will_be_there),
        CASE(contents_that_nobody_read_are_not_called_different),
        CASE(room_is_counted_to_the_cluster),
        CASE(new_directories_count_with_what_their_entries_take),
        CASE(lists_without_memory_are_not_begun),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
