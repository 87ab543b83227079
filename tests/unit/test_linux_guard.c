/*
 * What keeps a disk from being written, by a /sys and a /proc that a test makes up for nodes that it
 * makes; skipped where no nodes can be made.
 */
#define _GNU_SOURCE

#include <linux/loop.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <cmocka.h>

#include "linux/guard.h"
#include "linux/loop.h"
#include "linux/mounts.h"
#include "unit/skip_fixture.h"

/* Numbers that no driver of the tests' kernel needs to have: nobody opens the nodes. */
#define DISK_NUMBER "259:1040"
#define PART_NUMBER "259:1041"

struct kernel {
    char root[64];
    char disk[96]; /* nodes */
    char part[96];
    struct linux_calls calls;
};

static void make(const struct kernel *kernel, const char *name, const char *text)
{
    char command[512];
    char path[256];

    snprintf(path, sizeof(path), "%s/%s", kernel->root, name);
    snprintf(command, sizeof(command), "mkdir -p $(dirname %s)", path);
    assert_int_equal(system(command), 0);
    FILE *to = fopen(path, "w");
    assert_non_null(to);
    fputs(text, to);
    fclose(to);
}

static int set_up(void **state)
{
    struct kernel *kernel = calloc(1, sizeof(*kernel));
    char command[512];

    snprintf(kernel->root, sizeof(kernel->root), "/tmp/shadowboot-guard-XXXXXX");
    assert_non_null(mkdtemp(kernel->root));
    kernel->calls = *linux_calls();
    kernel->calls.root = kernel->root;
    snprintf(kernel->disk, sizeof(kernel->disk), "%s/sdx", kernel->root);
    snprintf(kernel->part, sizeof(kernel->part), "%s/sdx1", kernel->root);
    make(kernel, "proc/self/mountinfo", "22 1 254:0 / / rw - ext4 /dev/root rw\n");
    make(kernel, "proc/swaps", "Filename Type Size Used Priority\n");
    make(kernel, "sys/block/sdx/sdx1/partition", "1\n");
    make(kernel, "sys/block/sdx/sdx1/dev", PART_NUMBER "\n");
    snprintf(command, sizeof(command),
             "cd %s && mkdir -p sys/dev/block sys/block/sdx/holders sys/block/sdx/sdx1/holders && "
             "ln -s ../../block/sdx sys/dev/block/" DISK_NUMBER " && "
             "ln -s ../../block/sdx/sdx1 sys/dev/block/" PART_NUMBER,
             kernel->root);
    assert_int_equal(system(command), 0);
    if (mknod(kernel->disk, S_IFBLK | 0600, makedev(259, 1040)) != 0 ||
        mknod(kernel->part, S_IFBLK | 0600, makedev(259, 1041)) != 0)
        kernel->disk[0] = 0;
    *state = kernel;
    return 0;
}

static int tear_down(void **state)
{
    struct kernel *kernel = *state;
    char command[128];

    snprintf(command, sizeof(command), "rm -rf %s", kernel->root);
    assert_int_equal(system(command), 0);
    free(kernel);
    return 0;
}

static void need_nodes(const struct kernel *kernel)
{
    if (kernel->disk[0] == 0)
        SKIP_BECAUSE("device nodes cannot be made here");
}

static void assert_refused(const struct kernel *kernel, const char *file, const char *words)
{
    char why[LINUX_GUARD_WHY] = "";

    assert_false(linux_guard_is_free(&kernel->calls, file, why));
    if (strstr(why, words) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", words, why);
}

static void a_disk_that_nothing_uses_is_free(void **state)
{
    const struct kernel *kernel = *state;
    char why[LINUX_GUARD_WHY] = "";

    need_nodes(kernel);
    assert_true(linux_guard_is_free(&kernel->calls, kernel->disk, why));
    assert_string_equal(why, "");
}

static void a_mounted_disk_or_partition_is_refused(void **state)
{
    const struct kernel *kernel = *state;

    need_nodes(kernel);
    make(kernel, "proc/self/mountinfo",
         "22 1 254:0 / / rw - ext4 /dev/root rw\n"
         "36 22 " PART_NUMBER " / /mnt/my\\040disk rw,noatime shared:1 - vfat /dev/sdx1 rw\n");
    assert_refused(kernel, kernel->disk,
                   "/dev/sdx1 is mounted on /mnt/my disk. Free it first: umount /mnt/my disk");
    make(kernel, "proc/self/mountinfo", "36 22 " DISK_NUMBER " / /mnt rw - ext4 /dev/sdx rw\n");
    assert_refused(kernel, kernel->disk, "sdx is mounted on /mnt.");
}

static void a_file_system_with_numbers_of_its_own_is_known_by_its_source(void **state)
{
    const struct kernel *kernel = *state;
    char line[256];

    need_nodes(kernel);
    snprintf(line, sizeof(line), "36 22 0:41 /sub /mnt rw - btrfs %s rw,subvol=/sub\n",
             kernel->part);
    make(kernel, "proc/self/mountinfo", line);
    assert_refused(kernel, kernel->disk, "/dev/sdx1 is mounted on /mnt.");
}

static void a_disk_that_is_swapped_to_is_refused(void **state)
{
    const struct kernel *kernel = *state;
    char lines[256];

    need_nodes(kernel);
    snprintf(lines, sizeof(lines), "Filename Type Size Used Priority\n%s partition 1 0 -2\n",
             kernel->part);
    make(kernel, "proc/swaps", lines);
    assert_refused(kernel, kernel->disk, "Free it first: swapoff ");
}

static void a_disk_that_md_or_device_mapper_has_is_refused(void **state)
{
    const struct kernel *kernel = *state;

    need_nodes(kernel);
    make(kernel, "sys/block/sdx/sdx1/holders/md127", "");
    assert_refused(kernel, kernel->disk,
                   "/dev/sdx1 is taken by /dev/md127. Free it first: mdadm --stop /dev/md127");
    make(kernel, "sys/block/sdx/holders/dm-3", "");
    assert_refused(kernel, kernel->disk,
                   "is taken by /dev/dm-3. Free it first: dmsetup remove dm-3");
}

static void who_holds_a_disk_is_told_how_it_lets_go(void **state)
{
    static const struct {
        const char *holder;
        const char *name; /* of device mapper, or NULL */
        const char *uuid;
        const char *type;
    } rows[] = {
        {"dm-0", "my--group-root", "LVM-x4Rk", "vgchange -an my-group"},
        {"dm-0", "secret", "CRYPT-LUKS2-12-secret", "cryptsetup close secret"},
        {"dm-0", "mpatha", "mpath-3600", "multipath -f mpatha"},
        {"dm-0", "cut", "", "dmsetup remove cut"},
        {"md127", NULL, NULL, "mdadm --stop /dev/md127"},
        {"bcache3", NULL, NULL, "echo 1 >/sys/block/bcache3/bcache/stop"},
        {"drbd1", NULL, NULL, "lsblk /"},
    };
    const struct kernel *kernel = *state;
    char path[128];
    char line[128];

    need_nodes(kernel);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        snprintf(path, sizeof(path), "sys/block/sdx/holders/%s/dm/name", rows[i].holder);
        if (rows[i].name != NULL)
            make(kernel, path, rows[i].name);
        snprintf(path, sizeof(path), "sys/block/sdx/holders/%s/dm/uuid", rows[i].holder);
        make(kernel, path, rows[i].uuid == NULL ? "" : rows[i].uuid);
        snprintf(line, sizeof(line), "sdx is taken by /dev/%s. Free it first: %s", rows[i].holder,
                 rows[i].type);
        assert_refused(kernel, kernel->disk, line);
        snprintf(line, sizeof(line), "rm -r %s/sys/block/sdx/holders/*", kernel->root);
        assert_int_equal(system(line), 0);
    }
}

static void what_cannot_be_asked_about_counts_as_in_use(void **state)
{
    const struct kernel *kernel = *state;
    char path[128];

    need_nodes(kernel);
    snprintf(path, sizeof(path), "%s/proc/self/mountinfo", kernel->root);
    unlink(path);
    assert_refused(kernel, kernel->disk, "cannot be asked about");
    make(kernel, "proc/self/mountinfo", "");
    snprintf(path, sizeof(path), "%s/sys/dev/block/" DISK_NUMBER, kernel->root);
    unlink(path);
    assert_refused(kernel, kernel->disk, "cannot be asked about");
}

static void an_image_under_a_loop_device_is_refused(void **state)
{
    const struct kernel *kernel = *state;
    char why[LINUX_GUARD_WHY] = "";
    char image[128];

    make(kernel, "disk.img", "content");
    snprintf(image, sizeof(image), "%s/disk.img", kernel->root);
    make(kernel, "sys/block/loop3/loop/backing_file", "/another.img\n");
    assert_true(linux_guard_is_free(&kernel->calls, image, why));
    snprintf(why, sizeof(why), "%s\n", image);
    make(kernel, "sys/block/loop4/loop/backing_file", why);
    assert_refused(kernel, image, "is taken by /dev/loop4. Free it first: losetup -d /dev/loop4");
}

/* What the kernel says of the loop device that is open, whichever; .lo_inode 0: nothing. */
static struct loop_info64 loop_info;

static int say_loop(int fd, unsigned long request, void *argument)
{
    (void)fd;
    if (request != LOOP_GET_STATUS64 || loop_info.lo_inode == 0)
        return -1;
    *(struct loop_info64 *)argument = loop_info;
    return 0;
}

static void an_image_under_a_loop_device_is_known_whatever_its_name(void **state)
{
    struct kernel *kernel = *state;
    struct stat info;
    char why[LINUX_GUARD_WHY];
    char image[128];
    char other[128];

    make(kernel, "disk.img", "content");
    snprintf(image, sizeof(image), "%s/disk.img", kernel->root);
    snprintf(other, sizeof(other), "%s/hard link.img", kernel->root);
    assert_int_equal(link(image, other), 0);
    make(kernel, "sys/block/loop4/loop/backing_file", other);
    assert_refused(kernel, image, "losetup -d /dev/loop4");
    /* Where the path says nothing: the kernel does. */
    make(kernel, "sys/block/loop4/loop/backing_file", "/of/another/namespace.img (deleted)\n");
    make(kernel, "dev/loop4", "");
    assert_int_equal(stat(image, &info), 0);
    loop_info = (struct loop_info64){.lo_device = info.st_dev, .lo_inode = info.st_ino};
    kernel->calls.control = say_loop;
    assert_refused(kernel, image, "losetup -d /dev/loop4");
    loop_info.lo_rdevice = info.st_dev; /* as some kernels say it of a file */
    assert_refused(kernel, image, "losetup -d /dev/loop4");
    loop_info.lo_inode++;
    assert_true(linux_guard_is_free(&kernel->calls, image, why));
}

static void a_disk_or_partition_under_a_loop_device_is_refused(void **state)
{
    struct kernel *kernel = *state;
    char why[LINUX_GUARD_WHY] = "";

    need_nodes(kernel);
    make(kernel, "sys/block/loop4/loop/backing_file", "/dev/another\n");
    assert_true(linux_guard_is_free(&kernel->calls, kernel->disk, why));
    make(kernel, "sys/block/loop4/loop/backing_file", kernel->part);
    assert_refused(kernel, kernel->disk,
                   "/dev/sdx1 is taken by /dev/loop4. Free it first: losetup -d /dev/loop4");
    make(kernel, "dev/loop4", "");
    loop_info =
        (struct loop_info64){.lo_device = 6, .lo_inode = 77, .lo_rdevice = makedev(259, 1040)};
    kernel->calls.control = say_loop;
    assert_refused(kernel, kernel->disk, "sdx is taken by /dev/loop4.");
}

/* A node of a loop device over `backing`. */
static void make_loop(const struct kernel *kernel, unsigned number, const char *backing,
                      char ret_node[96])
{
    char name[64];
    char command[512];

    snprintf(name, sizeof(name), "sys/block/loop%u/loop/backing_file", number);
    make(kernel, name, backing);
    snprintf(command, sizeof(command), "ln -s ../../block/loop%u %s/sys/dev/block/7:%u", number,
             kernel->root, number);
    assert_int_equal(system(command), 0);
    snprintf(ret_node, 96, "%s/loop%u", kernel->root, number);
    assert_int_equal(mknod(ret_node, S_IFBLK | 0600, makedev(7, number)), 0);
}

static void what_is_under_a_loop_device_has_to_be_free_too(void **state)
{
    const struct kernel *kernel = *state;
    char why[LINUX_GUARD_WHY] = "";
    char loop[96];
    char other[96];

    need_nodes(kernel);
    make_loop(kernel, 4, kernel->disk, loop);
    assert_true(linux_guard_is_free(&kernel->calls, loop, why));
    make_loop(kernel, 5, kernel->disk, other);
    assert_refused(kernel, loop, "losetup -d /dev/loop5");
    make(kernel, "sys/block/loop5/loop/backing_file", "/dev/another\n");
    make(kernel, "proc/self/mountinfo", "36 22 " PART_NUMBER " / /mnt rw - vfat /dev/sdx1 rw\n");
    assert_refused(kernel, loop, "/dev/sdx1 is mounted on /mnt.");
}

static void two_loop_devices_over_one_image_are_one_disk(void **state)
{
    const struct kernel *kernel = *state;
    const struct linux_calls *calls = &kernel->calls;
    char image[128];
    char one[96];
    char other[96];
    char third[96];

    need_nodes(kernel);
    make(kernel, "disk.img", "content");
    snprintf(image, sizeof(image), "%s/disk.img", kernel->root);
    make_loop(kernel, 4, image, one);
    make_loop(kernel, 5, one, other);
    make_loop(kernel, 6, kernel->disk, third);
    assert_true(linux_loop_is_same_disk(calls, one, other));
    assert_true(linux_loop_is_same_disk(calls, image, other));
    assert_true(linux_loop_is_same_disk(calls, kernel->disk, third));
    assert_false(linux_loop_is_same_disk(calls, one, third));
    assert_false(linux_loop_is_same_disk(calls, kernel->disk, kernel->part));
}

static void a_partition_is_known_with_its_disk(void **state)
{
    const struct kernel *kernel = *state;
    char disk[64] = "";

    need_nodes(kernel);
    assert_false(linux_guard_is_partition(&kernel->calls, kernel->disk, disk, sizeof(disk)));
    assert_true(linux_guard_is_partition(&kernel->calls, kernel->part, disk, sizeof(disk)));
    assert_string_equal(disk, "/dev/sdx");
}

static void two_paths_to_one_unit_are_known_by_its_name(void **state)
{
    const struct kernel *kernel = *state;
    const struct linux_calls *calls = &kernel->calls;
    char other[96];

    need_nodes(kernel);
    make_loop(kernel, 5, "/dev/another", other); /* some other block device */
    make(kernel, "sys/block/sdx/size", "2048\n");
    make(kernel, "sys/block/loop5/size", "2048\n");
    assert_false(linux_guard_is_same_unit(calls, kernel->disk, other));
    make(kernel, "sys/block/sdx/device/wwid", "naa.5000c500a1b2c3d4\n");
    assert_false(linux_guard_is_same_unit(calls, kernel->disk, other));
    make(kernel, "sys/block/loop5/device/wwid", "naa.5000c500a1b2c3d5\n");
    assert_false(linux_guard_is_same_unit(calls, kernel->disk, other));
    make(kernel, "sys/block/loop5/device/wwid", "naa.5000c500a1b2c3d4\n");
    assert_true(linux_guard_is_same_unit(calls, kernel->disk, other));
    make(kernel, "sys/block/loop5/size", "4096\n"); /* enclosures that give each disk one name */
    assert_false(linux_guard_is_same_unit(calls, kernel->disk, other));
    make(kernel, "sys/block/loop5/device/wwid", "\n");
    make(kernel, "sys/block/sdx/device/wwid", "\n");
    make(kernel, "sys/block/loop5/size", "2048\n");
    assert_false(linux_guard_is_same_unit(calls, kernel->disk, other));
}

static void memory_is_known_by_its_file_system(void **state)
{
    (void)state;
    assert_false(linux_mount_is_in_memory(linux_calls(), "/proc"));
    if (access("/dev/shm", R_OK) == 0)
        assert_true(linux_mount_is_in_memory(linux_calls(), "/dev/shm"));
}

/* The folder "at" as the kernel's mounts have it by `lines`; "@" is the folder of the test. */
static bool in_memory(const struct kernel *kernel, const char *lines)
{
    char text[1024] = "";
    char path[128];
    size_t used = 0;

    for (const char *from = lines; *from != 0; from++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%.*s", *from == '@' ? 64 : 1,
                                 *from == '@' ? kernel->root : from);
    make(kernel, "proc/self/mountinfo", text);
    make(kernel, "at/file", "");
    snprintf(path, sizeof(path), "%s/at", kernel->root);
    return linux_mount_is_in_memory(&kernel->calls, path);
}

static void the_upper_folder_of_an_overlay_tells_whether_it_is_memory(void **state)
{
    const struct kernel *kernel = *state;

    make(kernel, "upper/file", "");
    assert_false(in_memory(kernel, "1 0 259:1041 / @/at rw - ext4 /dev/sdx1 rw\n"));
    assert_true(in_memory(kernel, "1 0 0:41 / @/at rw - tmpfs none rw\n"));
    /* The one mounted last is on top. */
    assert_false(in_memory(kernel, "1 0 0:41 / @/at rw - tmpfs none rw\n"
                                   "2 1 259:1041 / @/at rw - ext4 /dev/sdx1 rw\n"));
    assert_true(in_memory(kernel, "1 0 0:42 / @/at rw - overlay / rw,upperdir=/cow/not/here\n"));
    assert_true(in_memory(kernel, "1 0 0:42 / @/at ro - overlay / ro,lowerdir=/a:/b\n"));
    static const char overlay[] =
        "1 0 0:42 / @/at rw - overlay / rw,lowerdir=/l,upperdir=@/upper,workdir=/w\n";
    char lines[512];
    snprintf(lines, sizeof(lines), "%s2 0 0:43 / @/upper rw shared:2 - tmpfs cow rw\n", overlay);
    assert_true(in_memory(kernel, lines));
    snprintf(lines, sizeof(lines), "%s2 0 259:1041 / @/upper rw - ext4 /dev/sdx1 rw\n", overlay);
    assert_false(in_memory(kernel, lines));
}

static void a_device_over_memory_is_memory(void **state)
{
    const struct kernel *kernel = *state;
    char command[512];

    snprintf(command, sizeof(command),
             "cd %s/sys && mkdir -p block/zram1 block/dm-3/slaves/zram1 && echo 252:1 >"
             "block/dm-3/slaves/zram1/dev && ln -s ../../block/zram1 dev/block/252:1 && "
             "ln -s ../../block/dm-3 dev/block/253:3",
             kernel->root);
    assert_int_equal(system(command), 0);
    assert_true(in_memory(kernel, "1 0 252:1 / @/at rw - ext4 /dev/zram1 rw\n"));
    assert_true(in_memory(kernel, "1 0 253:3 / @/at rw - ext4 /dev/mapper/a rw\n"));
    make(kernel, "sys/block/dm-3/slaves/zram1/dev", PART_NUMBER);
    assert_false(in_memory(kernel, "1 0 253:3 / @/at rw - ext4 /dev/mapper/a rw\n"));
}

static void a_loop_device_over_a_file_in_memory_is_memory(void **state)
{
    const struct kernel *kernel = *state;
    char node[96];
    char image[128];

    need_nodes(kernel);
    make(kernel, "upper/disk.img", "content");
    snprintf(image, sizeof(image), "%s/upper/disk.img", kernel->root);
    make_loop(kernel, 4, image, node);
    assert_true(in_memory(kernel, "1 0 7:4 / @/at rw - ext4 /dev/loop4 rw\n"
                                  "2 0 0:43 / @/upper rw - tmpfs cow rw\n"));
    assert_false(in_memory(kernel, "1 0 7:4 / @/at rw - ext4 /dev/loop4 rw\n"
                                   "2 0 259:1041 / @/upper rw - ext4 /dev/sdx1 rw\n"));
}

#define GUARD_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUARD_TEST(a_disk_that_nothing_uses_is_free),
        GUARD_TEST(a_mounted_disk_or_partition_is_refused),
        GUARD_TEST(a_file_system_with_numbers_of_its_own_is_known_by_its_source),
        GUARD_TEST(a_disk_that_is_swapped_to_is_refused),
        GUARD_TEST(a_disk_that_md_or_device_mapper_has_is_refused),
        GUARD_TEST(who_holds_a_disk_is_told_how_it_lets_go),
        GUARD_TEST(what_cannot_be_asked_about_counts_as_in_use),
        GUARD_TEST(an_image_under_a_loop_device_is_refused),
        GUARD_TEST(an_image_under_a_loop_device_is_known_whatever_its_name),
        GUARD_TEST(a_disk_or_partition_under_a_loop_device_is_refused),
        GUARD_TEST(what_is_under_a_loop_device_has_to_be_free_too),
        GUARD_TEST(two_loop_devices_over_one_image_are_one_disk),
        GUARD_TEST(a_partition_is_known_with_its_disk),
        GUARD_TEST(two_paths_to_one_unit_are_known_by_its_name),
        GUARD_TEST(memory_is_known_by_its_file_system),
        GUARD_TEST(the_upper_folder_of_an_overlay_tells_whether_it_is_memory),
        GUARD_TEST(a_device_over_memory_is_memory),
        GUARD_TEST(a_loop_device_over_a_file_in_memory_is_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
