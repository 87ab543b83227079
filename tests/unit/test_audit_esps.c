/* What there is to say about EFI System Partitions, each by itself and one against the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "audit/audit_esps.h"
#include "unit/finding_fixture.h"
#include "unit/mirror_fixture.h"
#include "unit/secure_fixture.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#define ESP_0 " @ Disk 0 Partition 1"
#define ESP_1 " @ Disk 1 Partition 1"

static void healthy_machine_has_no_findings(void **state)
{
    mirror_assert_findings(*state, "");
    mirror_make_quick(*state);
    mirror_assert_findings(*state, "");
}

/* --- There is none -------------------------------------------------------------------------- */

static void drop_esp(struct mirror *mirror)
{
    mirror_drop_esp(mirror, 1);
}

#define ROOM     204800u /* blocks of 100 MiB */
#define ALL_ROOM (2000000u - 33 - 241664)

/* Behind the last partition `blocks` blocks are free, and nowhere more. */
static void leave_room(struct mirror *mirror, uint64_t blocks)
{
    drop_esp(mirror);
    mirror->partitions[MIRROR_DATA(1)].block_count = ALL_ROOM - blocks;
}

static void leave_just_enough(struct mirror *mirror)
{
    leave_room(mirror, ROOM);
}

static void leave_too_little(struct mirror *mirror)
{
    leave_room(mirror, ROOM - 1);
}

/* The backup of the table tells as well. */
static void leave_too_little_by_backup(struct mirror *mirror)
{
    leave_room(mirror, ROOM - 1);
    mirror->disks[1].primary = (struct gpt_copy){.problem = GPT_NO_SIGNATURE, .lba = 1};
}

static void leave_gap_between(struct mirror *mirror)
{
    leave_room(mirror, 0);
    mirror->partitions[MIRROR_DATA(1)].first_lba += ROOM;
    mirror->partitions[MIRROR_DATA(1)].block_count -= ROOM;
    mirror->copies[1].lba += ROOM;
    mirror->extents[1].lba += ROOM;
}

/* There may be one: nobody can see the partitions. */
static void hide_partitions(struct mirror *mirror)
{
    drop_esp(mirror);
    mirror->disks[1].primary.problem = GPT_NO_SIGNATURE;
    mirror->disks[1].backup.problem = GPT_NO_SIGNATURE;
}

static void add_second_esp(struct mirror *mirror)
{
    (void)mirror_add_second_esp(mirror);
}

static void member_needs_one_esp(void **state)
{
    static const struct mirror_case cases[] = {
        {drop_esp, "esp-missing @ Disk 1\n"},
        {leave_just_enough, "esp-missing @ Disk 1\n"},
        {leave_too_little, "esp-missing @ Disk 1\nno-room-for-esp @ Disk 1\n"},
        {leave_too_little_by_backup, "gpt-primary-damaged @ Disk 1: it is not there.\n"
                                     "esp-missing @ Disk 1\n"
                                     "no-room-for-esp @ Disk 1\n"},
        {leave_gap_between, "esp-missing @ Disk 1\n"},
        {hide_partitions,
         "gpt-both-damaged @ Disk 1: primary: it is not there; backup: it is not there.\n"},
        {add_second_esp, "esp-repeated @ Disk 1\n"},
    };

    (void)state;
    mirror_assert_cases(cases, COUNT_OF(cases));
}

/* --- The file system ------------------------------------------------------------------------ */

static void set_esp(struct mirror *mirror, enum status status, enum volume_content content)
{
    mirror->esps[1].status = status;
    mirror->esps[1].content = content;
    mirror_drop_files(mirror, 1);
}

static void unformat(struct mirror *mirror)
{
    set_esp(mirror, ST_ABSENT, CONTENT_EMPTY);
}

static void fill_with_anything(struct mirror *mirror)
{
    set_esp(mirror, ST_ABSENT, CONTENT_UNKNOWN);
}

/* A first block like that of FAT, which FAT's own rules refuse. */
static void fill_with_what_looks_like_fat(struct mirror *mirror)
{
    set_esp(mirror, ST_ABSENT, CONTENT_FAT);
}

static void format_ntfs(struct mirror *mirror)
{
    set_esp(mirror, ST_ABSENT, CONTENT_NTFS);
}

static void contradict(struct mirror *mirror)
{
    set_esp(mirror, ST_DAMAGED, CONTENT_FAT);
}

static void make_too_large(struct mirror *mirror)
{
    set_esp(mirror, ST_UNSUPPORTED, CONTENT_FAT);
}

/* What the disk's limit left nothing for. */
static void leave_unseen(struct mirror *mirror)
{
    set_esp(mirror, ST_UNSUPPORTED, CONTENT_UNKNOWN);
}

static void spoil(struct mirror *mirror)
{
    set_esp(mirror, ST_IO, CONTENT_UNKNOWN);
}

static void note_problem(struct mirror *mirror, enum fat_problem problem, const char *where)
{
    mirror->esps[1].report.problems[problem] = 3;
    mirror->esps[1].report.first_place[problem] = where;
}

static void loop_chain(struct mirror *mirror)
{
    note_problem(mirror, FAT_CHAIN_LOOPS, "\\EFI\\x");
    note_problem(mirror, FAT_CHAIN_LOST, "");
}

static void lose_chains(struct mirror *mirror)
{
    note_problem(mirror, FAT_CHAIN_LOST, "");
    note_problem(mirror, FAT_MARKED_DIRTY, "");
}

static void leave_mounted(struct mirror *mirror)
{
    note_problem(mirror, FAT_MARKED_DIRTY, "");
}

static void use_unusual_media_byte(struct mirror *mirror)
{
    note_problem(mirror, FAT_MEDIA_ENTRY, NULL);
}

static void empty(struct mirror *mirror)
{
    mirror_drop_files(mirror, 1);
}

static void leave_folders_only(struct mirror *mirror)
{
    mirror_drop_files(mirror, 1);
    mirror_add_file(mirror, 1, "\\EFI", 0, 0);
}

/* Where the check was cut short, what was not found may be there. */
static void empty_as_far_as_was_looked(struct mirror *mirror)
{
    mirror_drop_files(mirror, 1);
    mirror->esps[1].report.complete = false;
    mirror->esps[1].report.listed = false;
}

static void state_of_the_file_system_is_told(void **state)
{
    static const struct mirror_case cases[] = {
        {unformat, "esp-unformatted" ESP_1 "\n"},
        {fill_with_anything, "esp-not-fat" ESP_1 ": it is not recognised.\n"},
        {fill_with_what_looks_like_fat, "esp-not-fat" ESP_1 ": it is not recognised.\n"},
        {format_ntfs, "esp-not-fat" ESP_1 ": it is NTFS.\n"},
        {contradict, "esp-damaged" ESP_1 ": damaged.\n"},
        {make_too_large, "esp-damaged" ESP_1 ": not supported.\n"},
        {leave_unseen, ""},
        {spoil, "esp-unreadable" ESP_1 "\n"},
        {loop_chain,
         "esp-damaged" ESP_1 ": a cluster chain leads back into itself, first at \\EFI\\x.\n"},
        {lose_chains, "esp-damaged" ESP_1 ": clusters in use belong to no file.\n"},
        {leave_mounted, "esp-not-clean" ESP_1 "\n"},
        {use_unusual_media_byte, ""},
        {empty, "esp-empty" ESP_1 "\n"},
        {leave_folders_only, "esp-empty" ESP_1 "\n"},
        {empty_as_far_as_was_looked, ""},
    };

    (void)state;
    mirror_assert_cases(cases, COUNT_OF(cases));
}

static struct md_volume member_of(const struct mirror *mirror, size_t esp, enum md_use use)
{
    return (struct md_volume){.partition = mirror->esps[esp].partition,
                              .use = use,
                              .member = {.level = 1, .raid_disks = 2, .name = "box:esp"}};
}

static void members_of_an_array_are_one_file_system(void **state)
{
    static const char members[] = "esp-is-md-member @ Disk 0 Partition 1: array box:esp.\n"
                                  "esp-is-md-member @ Disk 1 Partition 1: array box:esp.\n";
    struct mirror *mirror = *state;
    struct md_volume volumes[2];

    for (size_t i = 0; i < 2; i++)
        volumes[i] = member_of(mirror, i, MD_HALF);
    mirror->machine.md_volumes = volumes;
    mirror->machine.md_volume_count = 2;
    mirror->esps[1].volume.serial = mirror->esps[0].volume.serial;
    *mirror_content(mirror, 1, MIRROR_STORE) = *mirror_content(mirror, 0, MIRROR_STORE);
    mirror_assert_findings(mirror, members);
    mirror_drop_file(mirror, 1, MIRROR_MEMTEST);
    char expected[512];
    snprintf(expected, sizeof(expected),
             "esp-md-halves-differ" ESP_1 " %s is not here, but on Disk 0 Partition 1.\n%s",
             MIRROR_MEMTEST, members);
    mirror_assert_findings(mirror, expected);
    volumes[1].use = MD_OLD; /* no wonder then */
    snprintf(expected, sizeof(expected), "esp-md-out-of-date" ESP_1 ".\n%s", members);
    mirror_assert_findings(mirror, expected);
}

/* One array for each disk, as somebody began it who had one disk: they need not be the same. */
static void members_of_two_arrays_are_two_file_systems(void **state)
{
    static const char members[] = "esp-is-md-member @ Disk 0 Partition 1: array box:esp.\n"
                                  "esp-is-md-member @ Disk 1 Partition 1: array box:esp.\n";
    struct mirror *mirror = *state;
    struct md_volume volumes[2];

    for (size_t i = 0; i < 2; i++) {
        volumes[i] = member_of(mirror, i, MD_HALF);
        volumes[i].member.set.bytes[0] = (uint8_t)i;
    }
    mirror->machine.md_volumes = volumes;
    mirror->machine.md_volume_count = 2;
    mirror_assert_findings(mirror, members);
}

static void members_of_an_array_that_differ_are_told(void **state)
{
    static const char expected[] =
        "esp-md-halves-differ" ESP_1 " " MIRROR_STORE " is another here than on Disk 0 Partition "
        "1.\n"
        "esp-is-md-member @ Disk 0 Partition 1: array box:esp.\n"
        "esp-is-md-member @ Disk 1 Partition 1: array box:esp.\n";
    struct mirror *mirror = *state;
    struct md_volume volumes[2];

    for (size_t i = 0; i < 2; i++)
        volumes[i] = member_of(mirror, i, MD_HALF);
    mirror->machine.md_volumes = volumes;
    mirror->machine.md_volume_count = 2;
    mirror_assert_findings(mirror, expected); /* each has a store of its own in this machine */
}

/* Half of a stripe set is no file system. */
static void piece_of_an_array_is_told(void **state)
{
    struct mirror *mirror = *state;
    struct md_volume volume = member_of(mirror, 1, MD_PIECE);
    char expected[256];

    volume.member.level = 0;
    mirror->machine.md_volumes = &volume;
    mirror->machine.md_volume_count = 1;
    snprintf(expected, sizeof(expected), "esp-md-piece" ESP_1 ": level 0, array box:esp.\n");
    mirror_assert_findings(mirror, expected);
}

/* Each kind of damage is told, and nothing that any driver lives with. */
static void every_kind_of_fat_damage_is_told(void **state)
{
    (void)state;
    for (int i = 0; i < FAT_PROBLEM_COUNT; i++) {
        struct mirror *mirror = mirror_new();
        char expected[256] = "";
        enum fat_problem problem = (enum fat_problem)i;
        note_problem(mirror, problem, "\\here");
        if (problem == FAT_BOOT_SECTOR_FROM_BACKUP)
            snprintf(expected, sizeof(expected), "esp-boot-sector" ESP_1 "\n");
        else if (fat_problem_is_damage(problem))
            snprintf(expected, sizeof(expected), "esp-damaged" ESP_1 ": %s, first at \\here.\n",
                     fat_problem_text(problem));
        else if (problem == FAT_MARKED_DIRTY)
            snprintf(expected, sizeof(expected), "esp-not-clean" ESP_1 "\n");
        else if (problem == FAT_FORM_UNUSUAL)
            snprintf(expected, sizeof(expected), "esp-unusual" ESP_1 "\n");
        else if (problem == FAT_SECTOR_SIZE)
            snprintf(expected, sizeof(expected), "esp-sector-size" ESP_1 ": 4096 bytes.\n");
        else if (problem == FAT_PAST_PARTITION)
            snprintf(expected, sizeof(expected),
                     "esp-past-partition" ESP_1 " 2 MiB of it lie outside.\n");
        mirror->esps[1].volume.from_backup = problem == FAT_BOOT_SECTOR_FROM_BACKUP;
        mirror->esps[1].volume.sector_size = 4096;
        mirror->esps[1].volume.sectors = (100 + 2) * 256;
        mirror_assert_findings(mirror, expected);
        mirror_free(mirror);
    }
}

/* --- Programs ------------------------------------------------------------------------------- */

static void set_program(struct mirror *mirror, const char *path, enum pe_verdict program)
{
    mirror_content(mirror, 1, path)->program = program;
}

static void zero_manager(struct mirror *mirror)
{
    set_program(mirror, MIRROR_MANAGER, PE_ZERO_FILLED);
}

static void truncate_fallback(struct mirror *mirror)
{
    set_program(mirror, MIRROR_FALLBACK, PE_TRUNCATED);
}

static void break_memtest(struct mirror *mirror)
{
    set_program(mirror, MIRROR_MEMTEST, PE_BAD_DIGEST);
}

/* Only Windows' own boot applications may be no EFI programs. */
static void make_manager_no_efi_program(struct mirror *mirror)
{
    set_program(mirror, MIRROR_MANAGER, PE_NOT_EFI);
}

static void add_broken_tool(struct mirror *mirror)
{
    size_t file = mirror_add_file(mirror, 1, "\\EFI\\tools\\x.efi", 100, 'x');

    mirror->contents[1][file].program = PE_NOT_AN_IMAGE;
}

/* Every entry starts something, not the first one only. */
static void add_entry_for_broken_tool(struct mirror *mirror)
{
    struct fixture_entry entry = mirror_windows_entry(mirror, 2, 1);

    add_broken_tool(mirror);
    entry.description = "Tool";
    entry.file = "\\EFI\\tools\\x.efi";
    entry.optional = FIXTURE_NONE;
    mirror_put_entry(mirror, &entry);
    mirror_set_order(mirror, (uint16_t[]){0, 1, 2}, 3);
}

/* A program has been broken that entries do not name, in a folder whose name begins the same. */
static void add_broken_neighbour(struct mirror *mirror)
{
    size_t file = mirror_add_file(mirror, 1, "\\EFI\\Microsoft2\\x.efi", 100, 'x');

    mirror->contents[1][file].program = PE_NOT_AN_IMAGE;
}

static void make_manager_of_other_machine(struct mirror *mirror)
{
    set_program(mirror, MIRROR_MANAGER, PE_OTHER_MACHINE);
}

static void make_fallback_of_other_machine(struct mirror *mirror)
{
    set_program(mirror, MIRROR_FALLBACK, PE_OTHER_MACHINE);
}

static void make_memtest_of_other_machine(struct mirror *mirror)
{
    set_program(mirror, MIRROR_MEMTEST, PE_OTHER_MACHINE);
}

static void add_fallback_for_other_machine(struct mirror *mirror)
{
    size_t file = mirror_add_file(mirror, 1, "\\EFI\\BOOT\\BOOTIA32.EFI", 100, 'x');

    mirror->contents[1][file].program = PE_OTHER_MACHINE;
}

static void spoil_memtest(struct mirror *mirror)
{
    mirror_content(mirror, 1, MIRROR_MEMTEST)->status = ST_IO;
}

/* Any file: a bad block on a boot disk is worth knowing. */
static void spoil_any_file(struct mirror *mirror)
{
    mirror->contents[1][mirror_add_file(mirror, 1, "\\notes.txt", 100, 'x')].status = ST_IO;
}

/* The content is the other ESP's. */
static void make_manager_stale(struct mirror *mirror)
{
    set_program(mirror, MIRROR_MANAGER, PE_BAD_CHECKSUM);
}

static void change_manager_of_wrong_checksum(struct mirror *mirror)
{
    make_manager_stale(mirror);
    mirror_content(mirror, 1, MIRROR_MANAGER)->checksum = 1;
}

static void broken_programs_are_told_by_name(void **state)
{
#define CORRUPT "esp-boot-file-corrupt" ESP_1 " "
    static const struct mirror_case cases[] = {
        {zero_manager, CORRUPT MIRROR_MANAGER ": parts of it have been overwritten with zeros.\n"},
        {truncate_fallback, CORRUPT MIRROR_FALLBACK ": it is shorter than its own headers say.\n"},
        {make_manager_stale, "esp-boot-file-doubtful" ESP_1 " " MIRROR_MANAGER
                             ": its content does not match the checksum in its header.\n"},
        {change_manager_of_wrong_checksum,
         CORRUPT MIRROR_MANAGER ": its content does not match the checksum in its header.\n"},
        {break_memtest, CORRUPT MIRROR_MEMTEST ": its content is not what was signed.\n"},
        {make_manager_no_efi_program,
         CORRUPT MIRROR_MANAGER ": it is a program, but not one that firmware starts.\n"},
        {add_broken_tool, ""},
        {add_entry_for_broken_tool, CORRUPT "\\EFI\\tools\\x.efi: it is not an EFI program.\n"},
        {add_broken_neighbour, ""},
        {make_manager_of_other_machine, "esp-other-architecture" ESP_1 " " MIRROR_MANAGER ".\n"},
        {make_fallback_of_other_machine, "esp-other-architecture" ESP_1 " " MIRROR_FALLBACK ".\n"},
        {make_memtest_of_other_machine, ""},
        {add_fallback_for_other_machine, ""},
        {spoil_memtest, "esp-file-unreadable" ESP_1 " " MIRROR_MEMTEST ".\n"},
        {spoil_any_file, "esp-file-unreadable" ESP_1 " \\notes.txt.\n"},
    };

    (void)state;
    mirror_assert_cases(cases, COUNT_OF(cases));
}

/* --- Secure Boot ------------------------------------------------------------------------------ */

/* The manager of ESP 1 gets signers; what they are is told by the state, which is on. */
static struct pe_signers *judge_manager(struct mirror *mirror)
{
    static struct pe_signers signers;

    signers = (struct pe_signers){.table = ST_ABSENT, .has_digest = true};
    mirror_content(mirror, 1, MIRROR_MANAGER)->signers = &signers;
    mirror->machine.secure = (struct secure_boot){.status = ST_OK, .on = true};
    return &signers;
}

/* db with this digest. */
static void trust_digest(struct mirror *mirror, const struct sha256 *digest)
{
    static const struct guid kind = KIND_SHA256;
    static const struct guid owner = OWNER_ANY;
    static struct secure_bytes lists;

    lists.size = 0;
    secure_put_list(&lists, &kind, &owner, span_of(digest->bytes, sizeof(digest->bytes)));
    mirror->machine.secure.lists[SECURE_DB] = (struct secure_list){
        .status = ST_OK, .lists = secure_span(&lists), .counts = {[SIGNATURE_SHA256] = 1}};
}

static void trust_another(struct mirror *mirror)
{
    const struct sha256 other = {{1}};

    judge_manager(mirror);
    trust_digest(mirror, &other);
}

static void trust_it(struct mirror *mirror)
{
    trust_digest(mirror, &judge_manager(mirror)->digest);
}

static void trust_another_while_off(struct mirror *mirror)
{
    trust_another(mirror);
    mirror->machine.secure.on = false;
}

static void have_no_keys(struct mirror *mirror)
{
    trust_another_while_off(mirror);
    mirror->machine.secure.setup = true;
}

static void have_an_empty_db(struct mirror *mirror)
{
    trust_another_while_off(mirror);
    mirror->machine.secure.lists[SECURE_DB].lists.size = 0;
}

static void have_another_form(struct mirror *mirror)
{
    struct pe_signers *signers = judge_manager(mirror);

    trust_digest(mirror, &signers->digest);
    signers->has_digest = false;
}

static void be_below_the_number(struct mirror *mirror)
{
    struct pe_signers *signers = judge_manager(mirror);

    trust_it(mirror);
    signers->mark = PE_MARK_WINDOWS_MANAGER;
    signers->has_svn = true;
    signers->svn = 0x00010002;
    mirror->machine.secure.lists[SECURE_DBX].svns[SVN_BOOT_MANAGER] = 0x00010003;
}

static void be_at_the_number(struct mirror *mirror)
{
    be_below_the_number(mirror);
    mirror->machine.secure.lists[SECURE_DBX].svns[SVN_BOOT_MANAGER] = 0x00010002;
}

static struct pe_signers *have_a_low_level(struct mirror *mirror)
{
    struct pe_signers *signers = judge_manager(mirror);

    strcpy(signers->sbat, "shim,3,UEFI shim\n");
    trust_digest(mirror, &signers->digest);
    mirror->machine.secure.levels = span_of("shim,4\n", 7);
    return signers;
}

static void be_below_the_level(struct mirror *mirror)
{
    (void)have_a_low_level(mirror);
}

static void be_shim_below_the_level(struct mirror *mirror)
{
    have_a_low_level(mirror)->mark = PE_MARK_SHIM;
}

static void copy_another_manager(struct mirror *mirror)
{
    mirror_content(mirror, 1, MIRROR_MANAGER)->mark = PE_MARK_WINDOWS_MANAGER;
    mirror_content(mirror, 1, MIRROR_FALLBACK)->mark = PE_MARK_WINDOWS_MANAGER;
    mirror_content(mirror, 1, MIRROR_FALLBACK)->digest.bytes[0] ^= 1;
}

static void copy_another_program(struct mirror *mirror)
{
    copy_another_manager(mirror);
    mirror_content(mirror, 1, MIRROR_FALLBACK)->mark = PE_MARK_SHIM;
}

/* Versions of the ESP's manager, of Windows' own and of its twin, in their last number. */
static void set_versions(struct mirror *mirror, uint64_t own, uint64_t kept, uint64_t twin)
{
    struct pe_signers *signers = judge_manager(mirror);

    mirror->machine.secure.status = ST_ABSENT;
    mirror->machine.secure.on = false;
    signers->has_version = true;
    signers->version = own << 32 | (uint64_t)10 << 48;
    mirror->copies[1].managers[0] = kept == 0 ? 0 : kept << 32 | (uint64_t)10 << 48;
    mirror->copies[1].managers[1] = twin == 0 ? 0 : twin << 32 | (uint64_t)10 << 48;
}

static void be_older(struct mirror *mirror)
{
    set_versions(mirror, 6, 7, 9);
}

static void be_newer(struct mirror *mirror)
{
    set_versions(mirror, 10, 7, 9);
}

static void be_newer_without_a_twin(struct mirror *mirror)
{
    set_versions(mirror, 8, 7, 0);
}

static void be_the_twin(struct mirror *mirror)
{
    set_versions(mirror, 9, 7, 9);
}

static void be_the_one(struct mirror *mirror)
{
    set_versions(mirror, 7, 7, 9);
}

static void be_unknown_to_windows(struct mirror *mirror)
{
    set_versions(mirror, 7, 0, 0);
}

static void say_no_version(struct mirror *mirror)
{
    set_versions(mirror, 6, 7, 0);
    judge_manager(mirror)->has_version = false;
    mirror->machine.secure = (struct secure_boot){.status = ST_ABSENT};
}

static void boot_manager_that_does_not_go_with_windows_is_told(void **state)
{
    static const struct mirror_case cases[] = {
        {be_older, "esp-older-than-windows" ESP_1 " 10.6.0.0, and Windows keeps 10.7.0.0.\n"},
        {be_newer, "esp-newer-than-windows" ESP_1 " 10.10.0.0, and Windows keeps 10.9.0.0.\n"},
        {be_newer_without_a_twin,
         "esp-newer-than-windows" ESP_1 " 10.8.0.0, and Windows keeps 10.7.0.0.\n"},
        {be_the_twin, ""},
        {be_the_one, ""},
        {be_unknown_to_windows, ""},
        {say_no_version, ""},
    };

    (void)state;
    mirror_assert_cases(cases, COUNT_OF(cases));
}

static void what_secure_boot_makes_of_boot_files_is_told(void **state)
{
#define UNSIGNED MIRROR_MANAGER ": it is not signed, and its digest is not in db.\n"
    static const struct mirror_case cases[] = {
        {trust_another, "esp-secure-refused" ESP_1 " " UNSIGNED},
        {trust_it, ""},
        {trust_another_while_off, "esp-secure-would-refuse" ESP_1 " " UNSIGNED},
        {have_no_keys, ""},
        {have_an_empty_db, ""},
        {have_another_form, "esp-secure-unknown" ESP_1 " " MIRROR_MANAGER
                            ": it hangs on an unusual form, or a digest other than SHA-256.\n"},
        {be_below_the_number, "esp-secure-at-risk" ESP_1 " " MIRROR_MANAGER
                              " has security version number 1.2, dbx asks for 1.3.\n"},
        {be_at_the_number, ""},
        {be_below_the_level, ""}, /* firmware starts it, not shim */
        {be_shim_below_the_level, "esp-secure-at-risk" ESP_1 " " MIRROR_MANAGER
                                  " stops itself: it is below the level of its SbatLevel.\n"},
        {copy_another_manager, "esp-fallback-differs" ESP_1 "\n"},
        {copy_another_program, ""},
    };

    (void)state;
    mirror_assert_cases(cases, COUNT_OF(cases));
}

/* --- The boot store ------------------------------------------------------------------------- */

static void drop_store(struct mirror *mirror)
{
    mirror_drop_file(mirror, 1, MIRROR_STORE);
}

static void drop_store_unseen(struct mirror *mirror)
{
    mirror_drop_file(mirror, 1, MIRROR_STORE);
    mirror->esps[1].report.complete = false;
    mirror->esps[1].report.listed = false;
}

static void spoil_store(struct mirror *mirror)
{
    mirror->esps[1].store_status = ST_DAMAGED;
}

static void truncate_store(struct mirror *mirror)
{
    mirror->esps[1].store = REGF_TRUNCATED;
}

static void dirty_store(struct mirror *mirror)
{
    mirror->esps[1].store = REGF_DIRTY;
    mirror->esps[1].store_recovery = REGF_RECOVERY_LOG_STALE;
}

static void dirty_store_with_log(struct mirror *mirror)
{
    dirty_store(mirror);
    mirror->esps[1].store_recovery = REGF_RECOVERED;
}

static void state_of_the_store_is_told(void **state)
{
    static const struct mirror_case cases[] = {
        {drop_store, "esp-no-store" ESP_1 "\n"},
        {drop_store_unseen, ""},
        {spoil_store, "esp-store-damaged" ESP_1 " damaged.\n"},
        {truncate_store, "esp-store-damaged" ESP_1 " it is shorter than its own header says.\n"},
        {dirty_store, "esp-store-damaged" ESP_1 " a write to it was not finished, and its log "
                      "is of another write.\n"},
        {dirty_store_with_log, "esp-store-dirty" ESP_1 "\n"},
    };

    (void)state;
    mirror_assert_cases(cases, COUNT_OF(cases));
}

/* --- One against the other ------------------------------------------------------------------ */

static void drop_microsoft(struct mirror *mirror)
{
    mirror_drop_file(mirror, 1, "\\EFI\\Microsoft");
}

static void drop_microsoft_unseen(struct mirror *mirror)
{
    drop_microsoft(mirror);
    mirror->esps[1].report.complete = false;
    mirror->esps[1].report.listed = false;
}

static void drop_memtest(struct mirror *mirror)
{
    mirror_drop_file(mirror, 1, MIRROR_MEMTEST);
}

static void drop_both_programs(struct mirror *mirror)
{
    mirror_drop_file(mirror, 1, MIRROR_MEMTEST);
    mirror_drop_file(mirror, 1, MIRROR_MANAGER);
}

static void drop_fallback(struct mirror *mirror)
{
    mirror_drop_file(mirror, 1, MIRROR_FALLBACK);
}

/* Bytes that 1,600,000 and 1,200,000 bytes take in clusters of 4096. */
#define NEEDED_CLUSTERS 684u

static void leave_just_enough_clusters(struct mirror *mirror)
{
    drop_microsoft(mirror);
    mirror->esps[1].report.free_clusters = NEEDED_CLUSTERS;
}

static void leave_a_cluster_too_few(struct mirror *mirror)
{
    drop_microsoft(mirror);
    mirror->esps[1].report.free_clusters = NEEDED_CLUSTERS - 1;
}

static void empty_and_too_small(struct mirror *mirror)
{
    mirror_drop_files(mirror, 1);
    mirror->esps[1].report.free_clusters = 0;
}

/* Files that are replaced by larger ones only need the difference. */
static void make_manager_smaller(struct mirror *mirror)
{
    size_t file = mirror_file(mirror, 1, MIRROR_MANAGER);

    mirror->files[1][file].size = 1600000 - 2 * 4096;
    mirror->contents[1][file].digest.bytes[0] = 'n';
    mirror->esps[1].report.free_clusters = 1;
}

static void change_manager(struct mirror *mirror)
{
    mirror_content(mirror, 1, MIRROR_MANAGER)->digest.bytes[31] = 1;
}

static struct date_time *manager_date(struct mirror *mirror)
{
    return &mirror->files[1][mirror_file(mirror, 1, MIRROR_MANAGER)].written;
}

static void make_manager_older(struct mirror *mirror)
{
    change_manager(mirror);
    manager_date(mirror)->second -= 2;
}

static void make_manager_newer(struct mirror *mirror)
{
    change_manager(mirror);
    manager_date(mirror)->day++;
}

/* A later month does not outweigh an earlier year. */
static void make_manager_a_year_older(struct mirror *mirror)
{
    change_manager(mirror);
    *manager_date(mirror) = (struct date_time){2025, 12, 31, 23, 59, 58};
}

static void change_date_only(struct mirror *mirror)
{
    manager_date(mirror)->year++;
}

static void change_both_programs(struct mirror *mirror)
{
    change_manager(mirror);
    mirror_content(mirror, 1, MIRROR_MEMTEST)->digest.bytes[0] = 'u';
}

static void add_text(struct mirror *mirror, size_t esp, int day)
{
    size_t file =
        mirror_add_file(mirror, esp, "\\EFI\\Microsoft\\Boot\\a.mui", 100, 'a' + (int)esp);

    mirror->files[esp][file].written.day += day;
}

/* A text that somebody copied later does not make an old boot manager a newer one. */
static void make_manager_older_and_text_newer(struct mirror *mirror)
{
    make_manager_older(mirror);
    add_text(mirror, 0, 0);
    add_text(mirror, 1, 1);
}

/* With equal boot managers the first text tells. */
static void make_text_newer(struct mirror *mirror)
{
    mirror_content(mirror, 1, MIRROR_MEMTEST)->digest.bytes[0] = 'u';
    mirror->files[1][mirror_file(mirror, 1, MIRROR_MEMTEST)].written.year--;
    add_text(mirror, 0, 0);
    add_text(mirror, 1, 1);
}

/* Folders hold nothing that starts. */
static void add_empty_folder(struct mirror *mirror)
{
    mirror_add_file(mirror, 0, "\\EFI\\Microsoft\\Boot\\qps-ploc", 0, 0);
}

static void replace_memtest_by_folder(struct mirror *mirror)
{
    mirror->files[1][mirror_file(mirror, 1, MIRROR_MEMTEST)].is_directory = true;
}

/* One ESP has been started from more often, or somebody saved files there. */
static void add_own_files(struct mirror *mirror)
{
    static const char *const names[] = {
        "BCD.LOG", "BCD.LOG1", "BCD.LOG2",         "BCD{1a2b}.TM.blf", "BOOTSTAT.DAT",
        "BCD.BAK", "BCD_old",  "bootmgfw.efi.bak", "memtest.OLD",
    };

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        char *path = arena_alloc(&mirror->arena, 1, 80);
        snprintf(path, 80, "\\EFI\\Microsoft\\Boot\\%s", names[i]);
        mirror_add_file(mirror, 0, path, 65536, 'a');
    }
}

/* Names that only resemble them are files like others. */
static void add_files_named_alike(struct mirror *mirror)
{
    mirror_add_file(mirror, 0, "\\EFI\\Microsoft\\Boot\\abcd", 100, 'a');
    mirror_add_file(mirror, 0, "\\EFI\\Microsoft\\BCD\\x.old.dll", 100, 'a');
}

/* Every boot manager writes these for itself. */
static void change_own_files(struct mirror *mirror)
{
    static const char *const names[] = {"\\EFI\\Microsoft\\Boot\\BCD.LOG",
                                        "\\EFI\\Microsoft\\Boot\\BOOTSTAT.DAT",
                                        "\\EFI\\Microsoft\\Recovery\\BCD"};

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        mirror_add_file(mirror, 0, names[i], 65536, 'a');
        if (i > 0)
            mirror_add_file(mirror, 1, names[i], 32768, 'b');
    }
}

static void add_more_on_the_shadow(struct mirror *mirror)
{
    mirror_add_file(mirror, 1, "\\EFI\\Microsoft\\Boot\\kdcom.dll", 100, 'k');
}

static void add_more_unseen(struct mirror *mirror)
{
    add_more_on_the_shadow(mirror);
    mirror->esps[0].report.complete = false;
    mirror->esps[0].report.listed = false;
}

/* Where the check was cut short, what was not found may be there. */
static void drop_memtest_unseen(struct mirror *mirror)
{
    drop_memtest(mirror);
    mirror->esps[1].report.complete = false;
    mirror->esps[1].report.listed = false;
}

/* A broken file is told as such, and not as another one as well. */
static void break_and_change_manager(struct mirror *mirror)
{
    change_manager(mirror);
    zero_manager(mirror);
}

/* What is broken where it is is no file to miss where it is not. */
static void break_memtest_and_have_it_once(struct mirror *mirror)
{
    drop_memtest(mirror);
    mirror_content(mirror, 0, MIRROR_MEMTEST)->program = PE_ZERO_FILLED;
}

static void use_other_case(struct mirror *mirror)
{
    mirror->files[1][mirror_file(mirror, 1, MIRROR_MEMTEST)].path =
        "\\EFI\\MICROSOFT\\BOOT\\MEMTEST.EFI";
}

static void change_manager_unread(struct mirror *mirror)
{
    change_manager(mirror);
    mirror_make_quick(mirror);
}

static void shorten_manager_unread(struct mirror *mirror)
{
    mirror->files[1][mirror_file(mirror, 1, MIRROR_MANAGER)].size--;
    mirror_make_quick(mirror);
}

static void esps_of_members_are_compared(void **state)
{
#define NO_FOLDER "esp-no-boot-files" ESP_1 " \\EFI\\Microsoft.\n"
    static const struct mirror_case cases[] = {
        {drop_microsoft, NO_FOLDER},
        {drop_microsoft_unseen, ""},
        {drop_memtest, "esp-files-missing" ESP_1 ": 1, the first is " MIRROR_MEMTEST ".\n"},
        {drop_both_programs, "esp-files-missing" ESP_1 ": 2, the first is " MIRROR_MANAGER ".\n"},
        {drop_fallback, ""},
        {leave_just_enough_clusters, NO_FOLDER},
        {leave_a_cluster_too_few,
         NO_FOLDER "esp-too-small" ESP_1 ": 2801664 bytes more are needed, 2797568 are free.\n"},
        {empty_and_too_small,
         "esp-empty" ESP_1 "\n"
         "esp-too-small" ESP_1 ": 2801664 bytes more are needed, 0 are free.\n"},
        {make_manager_smaller,
         "esp-too-small" ESP_1 ": 8192 bytes more are needed, 4096 are free.\n"
         "esp-files-differ" ESP_1 ": 1, the first is " MIRROR_MANAGER ".\n"},
        {change_manager, "esp-files-differ" ESP_1 ": 1, the first is " MIRROR_MANAGER ".\n"},
        {make_manager_older, "esp-files-older" ESP_1 ": 1, the first is " MIRROR_MANAGER ".\n"},
        {make_manager_newer, "esp-files-newer" ESP_1 ": 1, the first is " MIRROR_MANAGER ".\n"},
        {make_manager_a_year_older,
         "esp-files-older" ESP_1 ": 1, the first is " MIRROR_MANAGER ".\n"},
        {change_date_only, ""},
        {change_both_programs, "esp-files-differ" ESP_1 ": 2, the first is " MIRROR_MANAGER ".\n"},
        {change_own_files, ""},
        {make_manager_older_and_text_newer,
         "esp-files-older" ESP_1 ": 2, the first is \\EFI\\Microsoft\\Boot\\a.mui.\n"},
        {make_text_newer,
         "esp-files-newer" ESP_1 ": 2, the first is \\EFI\\Microsoft\\Boot\\a.mui.\n"},
        {add_empty_folder, ""},
        {replace_memtest_by_folder,
         "esp-files-missing" ESP_1 ": 1, the first is " MIRROR_MEMTEST ".\n"},
        {add_own_files, ""},
        {add_files_named_alike,
         "esp-files-missing" ESP_1 ": 2, the first is \\EFI\\Microsoft\\BCD\\x.old.dll.\n"},
        {add_more_on_the_shadow,
         "esp-files-missing" ESP_0 ": 1, the first is \\EFI\\Microsoft\\Boot\\kdcom.dll.\n"},
        {add_more_unseen, ""},
        {drop_memtest_unseen, ""},
        {break_and_change_manager,
         CORRUPT MIRROR_MANAGER ": parts of it have been overwritten with zeros.\n"},
        {break_memtest_and_have_it_once, "esp-boot-file-corrupt" ESP_0 " " MIRROR_MEMTEST
                                         ": parts of it have been overwritten with zeros.\n"},
        {use_other_case, ""},
        {change_manager_unread, ""},
        {shorten_manager_unread,
         "esp-files-differ" ESP_1 ": 1, the first is " MIRROR_MANAGER ".\n"},
    };

    (void)state;
    mirror_assert_cases(cases, COUNT_OF(cases));
}

/* --- What is measured by what --------------------------------------------------------------- */

static size_t reference(struct mirror *mirror)
{
    struct roles roles = mirror_roles(mirror);

    return audit_reference_esp(&mirror->machine, &roles);
}

static void primary_is_the_reference_unless_it_is_bad(void **state)
{
    struct mirror *mirror = *state;

    assert_int_equal(reference(mirror), 0);
    mirror_set_order(mirror, (uint16_t[]){1, 0}, 2);
    assert_int_equal(reference(mirror), 1);
    zero_manager(mirror);
    assert_int_equal(reference(mirror), 0);
    mirror->esps[0].volume.from_backup = true;
    assert_int_equal(reference(mirror), NO_INDEX);
    set_program(mirror, MIRROR_MANAGER, PE_GOOD);
    assert_int_equal(reference(mirror), 1);
    set_esp(mirror, ST_IO, CONTENT_UNKNOWN);
    assert_int_equal(reference(mirror), NO_INDEX);
}

/* The ESP that all starts from lies on a disk of no copy, and is bad. */
static void primary_comes_before_the_other_members(void **state)
{
    struct mirror *mirror = *state;
    size_t disk = mirror_add_disk(mirror, DISK_AHCI);
    struct fixture_entry entry = mirror_windows_entry(mirror, 2, disk);

    mirror_put_entry(mirror, &entry);
    mirror_set_order(mirror, (uint16_t[]){2, 1, 0}, 3);
    assert_int_equal(reference(mirror), disk);
    mirror->esps[disk].volume.from_backup = true;
    assert_int_equal(reference(mirror), 1);
    mirror->esps[1].volume.from_backup = true;
    assert_int_equal(reference(mirror), 0);
}

static void esp_of_the_primary_is_measured_by_a_better_one(void **state)
{
    struct mirror *mirror = *state;

    mirror_drop_file(mirror, 0, MIRROR_MANAGER);
    mirror_assert_findings(mirror,
                           "esp-files-missing" ESP_0 ": 1, the first is " MIRROR_MANAGER ".\n");
}

static void without_a_sound_boot_manager_entries_tell_the_folder(void **state)
{
    struct mirror *mirror = *state;

    mirror_drop_file(mirror, 0, "\\EFI\\Microsoft");
    zero_manager(mirror);
    mirror_assert_findings(mirror, CORRUPT MIRROR_MANAGER
                           ": parts of it have been overwritten with zeros.\n"
                           "esp-no-boot-files" ESP_0 " \\EFI\\Microsoft.\n");
    mirror_set_order(mirror, (uint16_t[]){1}, 1);
    mirror_assert_findings(mirror, CORRUPT MIRROR_MANAGER
                           ": parts of it have been overwritten with zeros.\n"
                           "esp-no-entry" ESP_0 "\n"
                           "entry-not-in-order @ Boot0000\n");
}

/* A program on both ESPs that entries start, and no Windows. */
static void make_debian(struct mirror *mirror)
{
    mirror_make_md(mirror);
    for (size_t i = 0; i < 2; i++) {
        struct fixture_entry entry = mirror_windows_entry(mirror, (uint16_t)i, i);
        mirror_drop_file(mirror, i, "\\EFI\\Microsoft");
        mirror_add_file(mirror, i, "\\EFI\\debian", 0, 0);
        mirror_add_file(mirror, i, MIRROR_SHIM, 900000, 's');
        mirror_add_file(mirror, i, "\\EFI\\debian\\grubx64.efi", 2000000, 'g');
        entry.file = MIRROR_SHIM;
        entry.optional = FIXTURE_NONE;
        mirror_put_entry(mirror, &entry);
    }
}

static const char *folder_of(struct mirror *mirror, size_t esp)
{
    const char *folder = audit_boot_folder(&mirror->arena, &mirror->machine, &mirror->esps[esp]);

    return folder == NULL ? "none" : folder;
}

static void boot_folder_is_that_of_windows_or_of_an_entry(void **state)
{
    struct mirror *mirror = *state;

    assert_string_equal(folder_of(mirror, 0), "\\EFI\\Microsoft");
    make_debian(mirror);
    assert_string_equal(folder_of(mirror, 0), "\\EFI\\debian");
    mirror_set_order(mirror, (uint16_t[]){1}, 1);
    assert_string_equal(folder_of(mirror, 0), "\\EFI\\debian");
    assert_string_equal(folder_of(mirror, 1), "\\EFI\\debian");
    mirror->esps[1].status = ST_DAMAGED;
    assert_string_equal(folder_of(mirror, 1), "none");
}

/* The entry of one ESP starts `file`. */
static void start_by(struct mirror *mirror, size_t esp, const char *file)
{
    struct fixture_entry entry = mirror_windows_entry(mirror, (uint16_t)esp, esp);

    entry.file = file;
    entry.optional = FIXTURE_NONE;
    mirror_put_entry(mirror, &entry);
}

/* What is left of an older system is not what the entries start. */
static void boot_folder_is_that_of_the_entry_in_use(void **state)
{
    struct mirror *mirror = *state;

    start_by(mirror, 0, MIRROR_FALLBACK); /* a copy of the boot manager */
    assert_string_equal(folder_of(mirror, 0), "\\EFI\\Microsoft");
    mirror_content(mirror, 0, MIRROR_FALLBACK)->digest.bytes[0] = 'g';
    assert_string_equal(folder_of(mirror, 0), "\\EFI\\BOOT");
    start_by(mirror, 0, "\\EFI\\gone\\x.efi");
    assert_string_equal(folder_of(mirror, 0), "\\EFI\\Microsoft");
    mirror_add_file(mirror, 0, MIRROR_SHIM, 900000, 's');
    start_by(mirror, 0, MIRROR_SHIM);
    assert_string_equal(folder_of(mirror, 0), "\\EFI\\debian");
}

static void leave_windows_on_the_primary(struct mirror *mirror)
{
    make_debian(mirror);
    mirror_add_file(mirror, 0, "\\EFI\\Microsoft", 0, 0);
    mirror_add_file(mirror, 0, MIRROR_MANAGER, 1600000, 'm');
    mirror_add_file(mirror, 0, MIRROR_STORE, 65536, 'b');
    mirror->esps[0].store_status = ST_OK;
}

/* Its own entry, its own folder. */
static void install_debian_as_ubuntu(struct mirror *mirror)
{
    make_debian(mirror);
    mirror_drop_file(mirror, 1, "\\EFI\\debian");
    mirror_add_file(mirror, 1, "\\EFI\\ubuntu", 0, 0);
    mirror_add_file(mirror, 1, "\\EFI\\ubuntu\\shimx64.efi", 800000, 'u');
    start_by(mirror, 1, "\\EFI\\ubuntu\\shimx64.efi");
}

/* A copy of Windows' boot manager needs \EFI\Microsoft, from wherever it is started. */
static void start_copy_of_manager(struct mirror *mirror)
{
    drop_microsoft(mirror);
    start_by(mirror, 1, MIRROR_FALLBACK);
}

static void drop_grub(struct mirror *mirror)
{
    make_debian(mirror);
    mirror_drop_file(mirror, 1, "\\EFI\\debian\\grubx64.efi");
}

static void drop_debian(struct mirror *mirror)
{
    make_debian(mirror);
    mirror_drop_file(mirror, 1, "\\EFI\\debian");
}

static void break_grub(struct mirror *mirror)
{
    make_debian(mirror);
    set_program(mirror, "\\EFI\\debian\\grubx64.efi", PE_BAD_CHECKSUM);
    mirror_content(mirror, 1, "\\EFI\\debian\\grubx64.efi")->checksum = 1;
}

static void make_shim_of_other_machine(struct mirror *mirror)
{
    make_debian(mirror);
    set_program(mirror, MIRROR_SHIM, PE_OTHER_MACHINE);
}

static void folder_of_another_system_is_judged_the_same(void **state)
{
    static const struct mirror_case cases[] = {
        {make_debian, ""},
        {drop_grub, "esp-files-missing" ESP_1 ": 1, the first is \\EFI\\debian\\grubx64.efi.\n"},
        {drop_debian, "esp-no-boot-files" ESP_1 " \\EFI\\debian.\n"},
        {break_grub, CORRUPT "\\EFI\\debian\\grubx64.efi: its content does not match the checksum "
                             "in its header.\n"},
        {make_shim_of_other_machine, "esp-other-architecture" ESP_1 " " MIRROR_SHIM ".\n"},
        {leave_windows_on_the_primary, ""},
        {install_debian_as_ubuntu, ""},
        {start_copy_of_manager, NO_FOLDER},
    };

    (void)state;
    mirror_assert_cases(cases, COUNT_OF(cases));
}

/* --- Which ESPs ----------------------------------------------------------------------------- */

static void repeat_serial(struct mirror *mirror)
{
    mirror->esps[1].volume.serial = mirror->esps[0].volume.serial;
}

static void repeat_serial_of_unknown(struct mirror *mirror)
{
    unformat(mirror);
    repeat_serial(mirror);
}

static void add_broken_disk(struct mirror *mirror)
{
    mirror->esps[mirror_add_disk(mirror, DISK_AHCI)].status = ST_IO;
}

static void add_broken_stick(struct mirror *mirror)
{
    mirror->esps[mirror_add_disk(mirror, DISK_USB)].status = ST_IO;
}

/* Where no system was found every ESP counts, but for those on sticks. */
static void lose_system(struct mirror *mirror)
{
    mirror->machine.copy_count = 0;
    mirror->machine.volumes.volume_count = 0;
    mirror->machine.volumes.plex_count = 0;
    mirror->machine.volumes.extent_count = 0;
}

static void add_broken_disk_without_a_system(struct mirror *mirror)
{
    lose_system(mirror);
    add_broken_disk(mirror);
}

static void add_broken_stick_without_a_system(struct mirror *mirror)
{
    lose_system(mirror);
    add_broken_stick(mirror);
}

/* What is on a disk that is no member is not held against the mirror. */
static void add_other_system(struct mirror *mirror)
{
    size_t disk = mirror_add_disk(mirror, DISK_AHCI);

    mirror_drop_file(mirror, disk, "\\EFI\\Microsoft");
}

static void every_fixed_esp_is_judged(void **state)
{
    static const struct mirror_case cases[] = {
        {repeat_serial, "esp-serial-repeated" ESP_1 "\n"},
        {repeat_serial_of_unknown, "esp-unformatted" ESP_1 "\n"},
        /* A disk of another machine is not for this one to judge. */
        {add_broken_disk, ""},
        {add_broken_stick, ""},
        {add_broken_disk_without_a_system, "esp-unreadable @ Disk 2 Partition 1\n"
                                           "esp-no-entry @ Disk 2 Partition 1\n"
                                           "boot-volume-unknown @ this machine\n"},
        {add_broken_stick_without_a_system, "boot-volume-unknown @ this machine\n"},
        {add_other_system, ""},
    };

    (void)state;
    mirror_assert_cases(cases, COUNT_OF(cases));
}

/* Comes last. */
static void every_finding_about_esps_was_met(void **state)
{
    (void)state;
    findings_assert_met(OWNER_ESPS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mirror_set_up, mirror_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(healthy_machine_has_no_findings),
        cmocka_unit_test(member_needs_one_esp),
        cmocka_unit_test(state_of_the_file_system_is_told),
        cmocka_unit_test(every_kind_of_fat_damage_is_told),
        cmocka_unit_test_setup_teardown(members_of_an_array_are_one_file_system, mirror_set_up,
                                        mirror_tear_down),
        TEST(members_of_two_arrays_are_two_file_systems),
        TEST(members_of_an_array_that_differ_are_told),
        cmocka_unit_test_setup_teardown(piece_of_an_array_is_told, mirror_set_up, mirror_tear_down),
        cmocka_unit_test(broken_programs_are_told_by_name),
        cmocka_unit_test(what_secure_boot_makes_of_boot_files_is_told),
        cmocka_unit_test(boot_manager_that_does_not_go_with_windows_is_told),
        cmocka_unit_test(state_of_the_store_is_told),
        cmocka_unit_test(esps_of_members_are_compared),
        TEST(primary_is_the_reference_unless_it_is_bad),
        TEST(primary_comes_before_the_other_members),
        TEST(esp_of_the_primary_is_measured_by_a_better_one),
        TEST(without_a_sound_boot_manager_entries_tell_the_folder),
        TEST(boot_folder_is_that_of_windows_or_of_an_entry),
        TEST(boot_folder_is_that_of_the_entry_in_use),
        cmocka_unit_test(folder_of_another_system_is_judged_the_same),
        cmocka_unit_test(every_fixed_esp_is_judged),
        cmocka_unit_test(every_finding_about_esps_was_met),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
