/*
 * Disks over Linux. Trouble comes from calls that a test brings along; what a device says of itself,
 * from a /sys that it makes up.
 */
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
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "linux/device.h"
#include "linux/disk.h"

#define BLOCK 512u
#define SIZE  (64u * 1024)

/* Of the kernel's cache, with pages joined (large folios: PMD_ORDER on x86-64). */
#define LARGEST_PAGE (2 << 20)

static const uint8_t some_path[] = {0x7f, 0xff, 0x04, 0x00};

/* What the next calls do, and what was done. */
static struct {
    size_t most;       /* bytes of one call; 0: as many as are wanted */
    int interruptions; /* calls that a signal ends first */
    int calls_left;    /* until the device is gone; -1: it stays */
    int error;         /* what it says then; 0: reads find the end, writes write nothing */
    int sync_error;    /* 0: flush succeeds */
    char done[64];     /* 'w', 's' (sync), 'f' (forget) and 'p' (BLKRRPART), in their sequence */
    off_t forgot_from;
    off_t forgot_size;
    struct linux_geometry geometry;
} kernel;

static void note(char what)
{
    size_t used = strlen(kernel.done);

    if (used + 1 < sizeof(kernel.done))
        kernel.done[used] = what;
}

/* True when a call ends here, with `*ret_result`. */
static bool ends(ssize_t *ret_result)
{
    *ret_result = -1;
    if (kernel.interruptions > 0) {
        kernel.interruptions--;
        errno = EINTR;
        return true;
    }
    if (kernel.calls_left < 0 || kernel.calls_left-- > 0)
        return false;
    kernel.calls_left = 0;
    errno = kernel.error;
    *ret_result = kernel.error == 0 ? 0 : -1;
    return true;
}

static size_t cut(size_t size)
{
    return kernel.most > 0 && size > kernel.most ? kernel.most : size;
}

static ssize_t read_at(int fd, void *ret_data, size_t size, off_t offset)
{
    ssize_t result = 0;

    return ends(&result) ? result : pread(fd, ret_data, cut(size), offset);
}

static ssize_t write_at(int fd, const void *data, size_t size, off_t offset)
{
    ssize_t result = 0;

    note('w');
    return ends(&result) ? result : pwrite(fd, data, cut(size), offset);
}

static int sync_file(int fd)
{
    (void)fd;
    note('s');
    errno = kernel.sync_error;
    return kernel.sync_error == 0 ? 0 : -1;
}

static int control(int fd, unsigned long request, void *argument)
{
    (void)fd;
    if (request == BLKSSZGET)
        *(int *)argument = (int)kernel.geometry.block_size;
    if (request == BLKGETSIZE64)
        *(uint64_t *)argument = kernel.geometry.bytes;
    if (request == BLKROGET)
        *(int *)argument = kernel.geometry.read_only;
    if (request == BLKRRPART)
        note('p');
    return kernel.geometry.block_size == 0 ? -1 : 0;
}

static void forget(int fd, off_t offset, off_t size)
{
    (void)fd;
    note('f');
    kernel.forgot_from = offset;
    kernel.forgot_size = size;
}

static struct linux_calls calls = {"", read_at, write_at, sync_file, control, forget};

static char *make_image(size_t size)
{
    char *name = strdup("/tmp/shadowboot-linux-XXXXXX");
    int fd = mkstemp(name);

    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)size), 0);
    close(fd);
    return name;
}

static void drop_image(char *name)
{
    unlink(name);
    free(name);
}

static void put(const char *name, off_t offset, const char *text)
{
    int fd = open(name, O_WRONLY);

    assert_int_equal(pwrite(fd, text, strlen(text), offset), (ssize_t)strlen(text));
    close(fd);
}

static int start(void **state)
{
    (void)state;
    memset(&kernel, 0, sizeof(kernel));
    kernel.calls_left = -1;
    calls.root = "";
    return 0;
}

static struct linux_disk_request request_of(const char *name, bool write)
{
    return (struct linux_disk_request){
        .file = name, .write = write, .path = span_of(some_path, sizeof(some_path))};
}

static void open_image(const char *name, bool write, struct linux_disk *ret_disk)
{
    struct linux_disk_request request = request_of(name, write);

    assert_int_equal(linux_disk_open(&calls, &request, ret_disk), ST_OK);
}

static void pieces_and_signals_do_not_show(void **state)
{
    char *name = make_image(SIZE);
    struct linux_disk disk;
    uint8_t data[4 * BLOCK];
    uint8_t back[4 * BLOCK];

    (void)state;
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 7 + i / 256);
    open_image(name, true, &disk);
    kernel.most = 100;
    kernel.interruptions = 3;
    assert_int_equal(disk.port.write(disk.port.ctx, 5, 4, data), ST_OK);
    kernel.interruptions = 3;
    assert_int_equal(disk.port.read(disk.port.ctx, 5, 4, back), ST_OK);
    assert_memory_equal(back, data, sizeof(data));
    linux_disk_close(&disk);
    drop_image(name);
}

static void a_disk_that_goes_away_ends_reads_and_writes(void **state)
{
    static const int errors[] = {EIO, ENXIO, ENODEV, ENOSPC, 0};
    char *name = make_image(SIZE);
    struct linux_disk disk;
    uint8_t data[4 * BLOCK] = {0};

    (void)state;
    open_image(name, true, &disk);
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        kernel.most = BLOCK;
        kernel.error = errors[i];
        kernel.calls_left = 2; /* in the middle */
        assert_int_equal(disk.port.read(disk.port.ctx, 0, 4, data), ST_IO);
        kernel.calls_left = 2;
        assert_int_equal(disk.port.write(disk.port.ctx, 0, 4, data), ST_IO);
    }
    kernel.calls_left = 0;
    kernel.error = EPERM;
    assert_int_equal(disk.port.write(disk.port.ctx, 0, 1, data), ST_READ_ONLY);
    linux_disk_close(&disk);
    drop_image(name);
}

static void the_end_of_a_file_that_was_cut_is_an_error(void **state)
{
    char *name = make_image(SIZE);
    struct linux_disk disk;
    uint8_t data[4 * BLOCK];

    (void)state;
    open_image(name, false, &disk);
    assert_int_equal(truncate(name, SIZE - BLOCK), 0);
    assert_int_equal(disk.port.read(disk.port.ctx, SIZE / BLOCK - 4, 4, data), ST_IO);
    linux_disk_close(&disk);
    drop_image(name);
}

static void a_disk_that_became_shorter_is_not_begun_to_be_written(void **state)
{
    char *name = make_image(SIZE);
    struct linux_disk disk;
    struct stat info;
    uint8_t data[BLOCK] = {0};

    (void)state;
    open_image(name, true, &disk);
    assert_int_equal(truncate(name, SIZE - 1), 0);
    assert_int_equal(disk.port.write(disk.port.ctx, 0, 1, data), ST_IO);
    assert_int_equal(disk.port.write(disk.port.ctx, SIZE / BLOCK - 1, 1, data), ST_IO);
    assert_int_equal(stat(name, &info), 0);
    assert_int_equal(info.st_size, SIZE - 1); /* nor made longer again */
    disk.is_device = true;
    kernel.geometry = (struct linux_geometry){BLOCK, SIZE - BLOCK, false};
    assert_int_equal(disk.port.write(disk.port.ctx, 0, 1, data), ST_IO);
    kernel.geometry.bytes = SIZE;
    assert_int_equal(disk.port.write(disk.port.ctx, 0, 1, data), ST_OK);
    linux_disk_close(&disk);
    drop_image(name);
}

static void nothing_is_read_or_written_past_the_end(void **state)
{
    char *name = make_image(SIZE + 100);
    struct linux_disk disk;
    uint8_t data[2 * BLOCK] = {0};
    struct stat info;

    (void)state;
    open_image(name, true, &disk);
    assert_int_equal(disk.port.block_count, SIZE / BLOCK);
    assert_int_equal(disk.port.read(disk.port.ctx, SIZE / BLOCK - 1, 2, data), ST_IO);
    assert_int_equal(disk.port.write(disk.port.ctx, SIZE / BLOCK - 1, 2, data), ST_IO);
    assert_int_equal(disk.port.write(disk.port.ctx, UINT64_MAX, 2, data), ST_IO);
    assert_int_equal(strlen(kernel.done), 0);
    linux_disk_close(&disk);
    assert_int_equal(stat(name, &info), 0);
    assert_int_equal(info.st_size, SIZE + 100);
    drop_image(name);
}

static void flush_syncs_what_was_written_and_has_it_read_from_the_medium(void **state)
{
    char *name = make_image(SIZE);
    struct linux_disk disk;
    uint8_t data[2 * BLOCK] = {0};

    (void)state;
    open_image(name, true, &disk);
    assert_int_equal(disk.port.flush(disk.port.ctx), ST_OK);
    assert_string_equal(kernel.done, "");
    assert_int_equal(disk.port.write(disk.port.ctx, 20, 2, data), ST_OK);
    assert_int_equal(disk.port.write(disk.port.ctx, 9, 1, data), ST_OK);
    assert_int_equal(disk.port.flush(disk.port.ctx), ST_OK);
    assert_string_equal(kernel.done, "wwsf");
    /* Of pages that are covered in part the kernel keeps its copy: posix_fadvise(2). */
    assert_int_equal(kernel.forgot_from % LARGEST_PAGE, 0);
    assert_int_equal(kernel.forgot_size % LARGEST_PAGE, 0);
    assert_true(kernel.forgot_from <= 9 * BLOCK);
    assert_true(kernel.forgot_from + kernel.forgot_size >= 22 * BLOCK);
    assert_int_equal(disk.port.flush(disk.port.ctx), ST_OK);
    assert_string_equal(kernel.done, "wwsf");
    linux_disk_close(&disk);
    drop_image(name);
}

static void what_was_written_is_read_from_the_medium(void **state)
{
    char *name = make_image(SIZE);
    struct linux_disk disk;
    uint8_t data[2 * BLOCK] = {0};

    (void)state;
    open_image(name, true, &disk);
    assert_int_equal(disk.port.write(disk.port.ctx, 20, 2, data), ST_OK);
    assert_int_equal(disk.port.read(disk.port.ctx, 18, 2, data), ST_OK);
    assert_int_equal(disk.port.read(disk.port.ctx, 22, 2, data), ST_OK);
    assert_string_equal(kernel.done, "w"); /* others are not kept waiting */
    assert_int_equal(disk.port.read(disk.port.ctx, 21, 2, data), ST_OK);
    assert_string_equal(kernel.done, "wsf");
    assert_int_equal(disk.port.read(disk.port.ctx, 20, 2, data), ST_OK);
    assert_int_equal(disk.port.flush(disk.port.ctx), ST_OK);
    assert_string_equal(kernel.done, "wsf");
    assert_int_equal(disk.port.write(disk.port.ctx, 20, 1, data), ST_OK);
    kernel.sync_error = EIO;
    assert_int_equal(disk.port.read(disk.port.ctx, 20, 1, data), ST_IO);
    linux_disk_close(&disk);
    drop_image(name);
}

static void a_flush_that_failed_is_tried_again(void **state)
{
    char *name = make_image(SIZE);
    struct linux_disk disk;
    uint8_t data[BLOCK] = {0};

    (void)state;
    open_image(name, true, &disk);
    assert_int_equal(disk.port.write(disk.port.ctx, 1, 1, data), ST_OK);
    kernel.sync_error = EIO;
    assert_int_equal(disk.port.flush(disk.port.ctx), ST_IO);
    kernel.sync_error = 0;
    assert_int_equal(disk.port.flush(disk.port.ctx), ST_OK);
    assert_string_equal(kernel.done, "wssf");
    linux_disk_close(&disk);
    drop_image(name);
}

static void a_disk_opened_for_reading_takes_no_write(void **state)
{
    char *name = make_image(SIZE);
    struct linux_disk disk;
    uint8_t data[BLOCK] = {0};

    (void)state;
    open_image(name, false, &disk);
    assert_int_equal(fcntl(disk.fd, F_GETFL) & O_ACCMODE, O_RDONLY);
    assert_false(disk.port.read_only); /* the medium is not */
    assert_int_equal(disk.port.write(disk.port.ctx, 1, 1, data), ST_READ_ONLY);
    assert_string_equal(kernel.done, "");
    linux_disk_close(&disk);
    drop_image(name);
}

static void of_an_image_the_gpt_tells_the_block_size(void **state)
{
    static const struct {
        off_t place;
        uint32_t block_size;
        bool guessed;
    } cases[] = {{512, 512, false},
                 {SIZE - 512, 512, false},
                 {4096, 4096, false},
                 {SIZE - 4096, 4096, false},
                 {1024, 512, true}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *name = make_image(SIZE);
        struct linux_disk disk;
        put(name, cases[i].place, "EFI PART");
        open_image(name, false, &disk);
        assert_int_equal(disk.port.block_size, cases[i].block_size);
        assert_int_equal(disk.guessed, cases[i].guessed);
        assert_string_equal(disk.port.model, strrchr(name, '/') + 1);
        linux_disk_close(&disk);
        drop_image(name);
    }
}

static void what_is_no_disk_is_refused(void **state)
{
    struct linux_disk disk;
    struct linux_disk_request request = request_of("/nonexistent/disk", false);
    char *tiny = make_image(BLOCK - 1);
    char *odd = make_image(SIZE);

    (void)state;
    assert_int_equal(linux_disk_open(&calls, &request, &disk), ST_ABSENT);
    request = request_of("/dev/null", false);
    assert_int_equal(linux_disk_open(&calls, &request, &disk), ST_UNSUPPORTED);
    request = request_of("/tmp", false);
    assert_int_equal(linux_disk_open(&calls, &request, &disk), ST_UNSUPPORTED);
    request = request_of(tiny, false);
    assert_int_equal(linux_disk_open(&calls, &request, &disk), ST_IO);
    request = request_of(odd, false);
    request.block_size = 1000;
    assert_int_equal(linux_disk_open(&calls, &request, &disk), ST_UNSUPPORTED);
    drop_image(tiny);
    drop_image(odd);
}

/* Opens the image alone in another process; its exit status is the status. */
static int open_elsewhere(const char *name)
{
    int state = 0;
    pid_t child = fork();

    if (child == 0) {
        struct linux_disk disk;
        struct linux_disk_request request = request_of(name, true);
        request.alone = true;
        _exit((int)linux_disk_open(&calls, &request, &disk));
    }
    assert_int_equal(waitpid(child, &state, 0), child);
    assert_true(WIFEXITED(state));
    return WEXITSTATUS(state);
}

static void an_image_that_is_held_is_refused(void **state)
{
    char *name = make_image(SIZE);
    struct linux_disk disk;
    struct linux_disk_request request = request_of(name, true);
    struct flock byte = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 100, .l_len = 1};

    (void)state;
    request.alone = true;
    assert_int_equal(linux_disk_open(&calls, &request, &disk), ST_OK);
    assert_int_equal(open_elsewhere(name), ST_REFUSED);
    linux_disk_close(&disk);
    assert_int_equal(open_elsewhere(name), ST_OK);
    /* As QEMU holds an image that a machine runs from. */
    int fd = open(name, O_RDWR);
    assert_int_equal(fcntl(fd, F_OFD_SETLK, &byte), 0);
    assert_int_equal(open_elsewhere(name), ST_REFUSED);
    close(fd);
    drop_image(name);
}

/* ---- devices ---- */

static char *make_sys(const char *device)
{
    char *root = strdup("/tmp/shadowboot-sys-XXXXXX");
    char command[256];

    assert_non_null(mkdtemp(root));
    snprintf(command, sizeof(command), "mkdir -p %s/sys/dev/block/%s/device", root, device);
    assert_int_equal(system(command), 0);
    return root;
}

static void drop_sys(char *root)
{
    char command[256];

    snprintf(command, sizeof(command), "rm -r %s", root);
    assert_int_equal(system(command), 0);
    free(root);
}

static void says(const char *root, const char *name, const char *text)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/sys/dev/block/8:16/%s", root, name);
    FILE *to = fopen(path, "w");
    fputs(text, to);
    fclose(to);
}

static void model_and_serial_come_from_sysfs(void **state)
{
    char *root = make_sys("8:16");
    char text[64];

    (void)state;
    calls.root = root;
    linux_device_model(&calls, 0x810, text, sizeof(text));
    assert_string_equal(text, "");
    says(root, "device/model", "WDC WD10EZEX-08  \n");
    linux_device_model(&calls, 0x810, text, sizeof(text));
    assert_string_equal(text, "WDC WD10EZEX-08");
    says(root, "device/serial", "  WCC3F1\n");
    linux_device_model(&calls, 0x810, text, sizeof(text));
    assert_string_equal(text, "WDC WD10EZEX-08 WCC3F1");
    assert_false(linux_device_is_removable(&calls, 0x810));
    says(root, "removable", "1\n");
    assert_true(linux_device_is_removable(&calls, 0x810));
    drop_sys(root);
}

static void geometry_is_what_the_device_says(void **state)
{
    struct linux_geometry geometry = {0};

    (void)state;
    assert_int_equal(linux_device_geometry(&calls, -1, &geometry), ST_IO);
    kernel.geometry = (struct linux_geometry){4096, 1000204886016, true};
    assert_int_equal(linux_device_geometry(&calls, -1, &geometry), ST_OK);
    assert_int_equal(geometry.block_size, 4096);
    assert_int_equal(geometry.bytes, 1000204886016);
    assert_true(geometry.read_only);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(pieces_and_signals_do_not_show, start),
        cmocka_unit_test_setup(a_disk_that_goes_away_ends_reads_and_writes, start),
        cmocka_unit_test_setup(the_end_of_a_file_that_was_cut_is_an_error, start),
        cmocka_unit_test_setup(a_disk_that_became_shorter_is_not_begun_to_be_written, start),
        cmocka_unit_test_setup(nothing_is_read_or_written_past_the_end, start),
        cmocka_unit_test_setup(flush_syncs_what_was_written_and_has_it_read_from_the_medium, start),
        cmocka_unit_test_setup(what_was_written_is_read_from_the_medium, start),
        cmocka_unit_test_setup(a_flush_that_failed_is_tried_again, start),
        cmocka_unit_test_setup(a_disk_opened_for_reading_takes_no_write, start),
        cmocka_unit_test_setup(of_an_image_the_gpt_tells_the_block_size, start),
        cmocka_unit_test_setup(what_is_no_disk_is_refused, start),
        cmocka_unit_test_setup(an_image_that_is_held_is_refused, start),
        cmocka_unit_test_setup(model_and_serial_come_from_sysfs, start),
        cmocka_unit_test_setup(geometry_is_what_the_device_says, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
