/* Block devices of Linux as disks: a file that the kernel, as the test has it, says is one. */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <cmocka.h>

/* What the kernel says of the file. */
static struct {
    mode_t type;
    int stat_error; /* 0: it is there */
    int open_error; /* 0: it can be opened */
    int opened_with;
    int control_error;
    int block_size;
    uint64_t bytes;
    int read_only;
    int rereads; /* BLKRRPART */
} kernel;

static int tell(int result, struct stat *info)
{
    info->st_mode = kernel.type | 0600;
    info->st_rdev = makedev(8, 16);
    errno = kernel.stat_error;
    return kernel.stat_error == 0 ? result : -1;
}

static int stat_of_name(const char *name, struct stat *info)
{
    return tell(lstat(name, info), info);
}

static int stat_of_file(int fd, struct stat *info)
{
    return tell(fstatat(fd, "", info, AT_EMPTY_PATH), info);
}

static int open_as_told(const char *name, int flags)
{
    kernel.opened_with = flags;
    errno = kernel.open_error;
    return kernel.open_error == 0 ? openat(AT_FDCWD, name, flags & ~O_EXCL) : -1;
}

#define stat(name, info)  stat_of_name(name, info)
#define fstat(fd, info)   stat_of_file(fd, info)
#define open(name, flags) open_as_told(name, flags)
#include "../../efi/linux/disk.c"
#undef stat
#undef fstat
#undef open

static const uint8_t some_path[] = {0x7f, 0xff, 0x04, 0x00};
static char folder[] = "/tmp/shadowboot-device-XXXXXX";
static char file[64];

static int control(int fd, unsigned long request, void *argument)
{
    (void)fd;
    if (request == BLKSSZGET)
        *(int *)argument = kernel.block_size;
    if (request == BLKGETSIZE64)
        *(uint64_t *)argument = kernel.bytes;
    if (request == BLKROGET)
        *(int *)argument = kernel.read_only;
    kernel.rereads += request == BLKRRPART;
    return kernel.control_error == 0 ? 0 : -1;
}

static struct linux_calls calls = {folder, pread, pwrite, fsync, control, NULL};

static void put(const char *name, const char *text)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *to = fopen(path, "w");
    assert_non_null(to);
    fputs(text, to);
    fclose(to);
}

/* A disk of 8192 bytes in blocks of 512, and what /sys says of it. */
static int start(void **state)
{
    char command[256];

    (void)state;
    memset(&kernel, 0, sizeof(kernel));
    kernel.type = S_IFBLK;
    kernel.block_size = 512;
    kernel.bytes = 8192;
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(command, sizeof(command), "mkdir -p %s/sys/dev/block/8:16/device", folder);
    assert_int_equal(system(command), 0);
    put("sys/dev/block/8:16/device/model", "Ultrastar \n");
    put("sys/dev/block/8:16/device/serial", "2VK1\n");
    put("sys/dev/block/8:16/removable", "1\n");
    put("sdb", "");
    snprintf(file, sizeof(file), "%s/sdb", folder);
    return truncate(file, 8192);
}

static int stop(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command);
}

static struct linux_disk_request request_to(bool write, bool alone)
{
    return (struct linux_disk_request){.file = file,
                                       .write = write,
                                       .alone = alone,
                                       .path = span_of(some_path, sizeof(some_path))};
}

static enum status open_device(const struct linux_disk_request *request)
{
    struct linux_disk disk;
    enum status status = linux_disk_open(&calls, request, &disk);

    if (status == ST_OK)
        linux_disk_close(&disk);
    return status;
}

static void device_says_itself_what_it_is(void **state)
{
    const struct linux_disk_request request = request_to(false, false);
    struct linux_disk disk;

    (void)state;
    assert_int_equal(linux_disk_open(&calls, &request, &disk), ST_OK);
    assert_true(disk.is_device);
    assert_false(disk.guessed);
    assert_string_equal(disk.port.model, "Ultrastar 2VK1");
    assert_int_equal(disk.port.block_size, 512);
    assert_int_equal(disk.port.block_count, 16);
    assert_true(disk.port.removable);
    assert_false(disk.port.read_only);
    linux_disk_close(&disk);
}

static void blocks_of_a_device_are_as_long_as_it_says(void **state)
{
    struct linux_disk_request request = request_to(false, false);

    (void)state;
    request.block_size = 512;
    assert_int_equal(open_device(&request), ST_OK);
    kernel.block_size = 4096;
    assert_int_equal(open_device(&request), ST_USAGE);
    request.block_size = 0;
    assert_int_equal(open_device(&request), ST_OK);
    kernel.block_size = 520; /* as disks of storage systems have */
    assert_int_equal(open_device(&request), ST_UNSUPPORTED);
}

static void device_that_says_nothing_is_no_disk(void **state)
{
    const struct linux_disk_request request = request_to(false, false);

    (void)state;
    kernel.control_error = ENOTTY;
    assert_int_equal(open_device(&request), ST_IO);
    kernel.control_error = 0;
    kernel.bytes = 0; /* a reader without a card */
    assert_int_equal(open_device(&request), ST_IO);
}

static void write_protected_device_is_read_alone(void **state)
{
    struct linux_disk_request request = request_to(false, false);

    (void)state;
    kernel.read_only = 1;
    assert_int_equal(open_device(&request), ST_OK);
    request.write = true;
    assert_int_equal(open_device(&request), ST_READ_ONLY);
}

/* open(2): O_EXCL without O_CREAT says EBUSY of a device with something mounted on it. */
static void device_in_use_is_refused_to_who_wants_it_alone(void **state)
{
    struct linux_disk_request request = request_to(true, true);

    (void)state;
    assert_int_equal(open_device(&request), ST_OK);
    assert_int_equal(kernel.opened_with & (O_ACCMODE | O_EXCL | O_CREAT), O_RDWR | O_EXCL);
    kernel.open_error = EBUSY;
    assert_int_equal(open_device(&request), ST_REFUSED);
    kernel.open_error = 0;
    request.alone = false;
    assert_int_equal(open_device(&request), ST_OK);
    assert_int_equal(kernel.opened_with & O_EXCL, 0);
}

static void image_that_is_locked_is_refused_to_who_wants_it_alone(void **state)
{
    struct linux_disk_request request = request_to(false, true);

    (void)state;
    kernel.type = S_IFREG;
    int other = openat(AT_FDCWD, file, O_RDONLY);
    assert_int_equal(flock(other, LOCK_EX), 0);
    assert_int_equal(open_device(&request), ST_REFUSED);
    request.alone = false;
    assert_int_equal(open_device(&request), ST_OK);
    close(other);
}

static void what_cannot_be_opened_is_told_apart(void **state)
{
    static const struct {
        int stat_error;
        int open_error;
        bool write;
        enum status status;
    } cases[] = {
        {ENOENT, 0, false, ST_ABSENT},   {ENOTDIR, 0, false, ST_ABSENT},
        {ELOOP, 0, false, ST_IO},        {0, EROFS, true, ST_READ_ONLY},
        {0, EACCES, true, ST_READ_ONLY}, {0, EPERM, true, ST_READ_ONLY},
        {0, EACCES, false, ST_IO},       {0, ENXIO, true, ST_IO},
        {0, ENOMEDIUM, false, ST_IO},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct linux_disk_request request = request_to(cases[i].write, false);
        kernel.stat_error = cases[i].stat_error;
        kernel.open_error = cases[i].open_error;
        assert_int_equal(open_device(&request), cases[i].status);
    }
}

/* Else Linux goes on with the partitions that were there before. */
static void table_of_a_device_that_was_written_is_read_anew(void **state)
{
    const struct linux_disk_request request = request_to(true, false);
    uint8_t block[512] = {1};
    struct linux_disk disk;

    (void)state;
    assert_int_equal(open_device(&request), ST_OK);
    assert_int_equal(kernel.rereads, 0);
    assert_int_equal(linux_disk_open(&calls, &request, &disk), ST_OK);
    assert_int_equal(disk.port.write(disk.port.ctx, 15, 1, block), ST_OK);
    linux_disk_close(&disk);
    assert_int_equal(kernel.rereads, 1);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(device_says_itself_what_it_is),
        ROW(blocks_of_a_device_are_as_long_as_it_says),
        ROW(device_that_says_nothing_is_no_disk),
        ROW(write_protected_device_is_read_alone),
        ROW(device_in_use_is_refused_to_who_wants_it_alone),
        ROW(image_that_is_locked_is_refused_to_who_wants_it_alone),
        ROW(what_cannot_be_opened_is_told_apart),
        ROW(table_of_a_device_that_was_written_is_read_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
