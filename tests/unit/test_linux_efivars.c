/* Variables of firmware as files of Linux: in a folder that a test makes, as a copy of efivarfs is. */
#define _GNU_SOURCE

#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <cmocka.h>

#include "linux/efivars.h"
#include "unit/skip_fixture.h"

#define GLOBAL "8be4df61-93ca-11d2-aa0d-00e098032b8c"

struct bench {
    char folder[64];
};

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));

    snprintf(bench->folder, sizeof(bench->folder), "/tmp/shadowboot-vars-XXXXXX");
    assert_non_null(mkdtemp(bench->folder));
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    char command[128];

    snprintf(command, sizeof(command), "rm -rf %s", bench->folder);
    assert_int_equal(system(command), 0);
    free(bench);
    return 0;
}

static void put_file(const struct bench *bench, const char *name, const void *data, size_t size)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", bench->folder, name);
    FILE *to = fopen(path, "w");
    fwrite(data, 1, size, to);
    fclose(to);
}

static void a_variable_is_a_file_with_its_attributes_first(void **state)
{
    struct bench *bench = *state;
    struct linux_efivars vars;
    struct vars_port port = linux_efivars_open(bench->folder, false, &vars);
    uint32_t attributes = 0;
    uint8_t data[8];
    size_t size = 0;

    put_file(bench, "BootOrder-" GLOBAL, "\x07\0\0\0\x01\0\x02\0", 8);
    assert_int_equal(port.get(port.ctx, NULL, "BootOrder", &attributes, NULL, 0, &size),
                     ST_TOO_SMALL);
    assert_int_equal(size, 4);
    assert_int_equal(port.get(port.ctx, NULL, "BootOrder", &attributes, data, sizeof(data), &size),
                     ST_OK);
    assert_int_equal(attributes, VAR_BOOT_OPTION);
    assert_memory_equal(data, "\x01\0\x02\0", 4);
    assert_int_equal(port.get(port.ctx, NULL, "BootNext", &attributes, data, 8, &size), ST_ABSENT);
    put_file(bench, "Timeout-" GLOBAL, "\x07\0\0", 3);
    assert_int_equal(port.get(port.ctx, NULL, "Timeout", &attributes, data, 8, &size), ST_IO);
    assert_int_equal(port.set(port.ctx, NULL, "BootOrder", 7, "\0", 2), ST_READ_ONLY);
    linux_efivars_close(&vars);
}

static void a_walk_names_each_variable_once(void **state)
{
    struct bench *bench = *state;
    struct linux_efivars vars;
    struct vars_port port = linux_efivars_open(bench->folder, false, &vars);
    struct var_id id;
    bool order = false;
    bool dashed = false;

    put_file(bench, "BootOrder-" GLOBAL, "\x07\0\0\0", 4);
    put_file(bench, "a-b-9c0a2b1d-0000-4000-8000-000000000001", "\x07\0\0\0", 4);
    put_file(bench, "no variable", "", 0);
    for (int turn = 0; turn < 2; turn++) { /* from the start again */
        size_t count = 0;
        enum status status = port.next(port.ctx, true, &id);
        for (; status == ST_OK; status = port.next(port.ctx, false, &id)) {
            order = order || strcmp(id.name, "BootOrder") == 0;
            dashed = dashed || strcmp(id.name, "a-b") == 0;
            count++;
        }
        assert_int_equal(status, ST_ABSENT);
        assert_int_equal(count, 2);
    }
    assert_true(order && dashed);
    linux_efivars_close(&vars);
}

static void a_variable_is_set_in_one_piece_and_deleted(void **state)
{
    struct bench *bench = *state;
    struct linux_efivars vars;
    struct vars_port port = linux_efivars_open(bench->folder, true, &vars);

    assert_int_equal(port.set(port.ctx, NULL, "Boot0001", 7, "abcdef", 6), ST_OK);
    assert_int_equal(port.set(port.ctx, NULL, "Boot0001", 7, "AB", 2), ST_OK);
    FILE *from = NULL;
    char path[128];
    char data[16];
    snprintf(path, sizeof(path), "%s/Boot0001-" GLOBAL, bench->folder);
    from = fopen(path, "r");
    assert_int_equal(fread(data, 1, sizeof(data), from), 6); /* nothing of the longer one is left */
    fclose(from);
    assert_memory_equal(data, "\x07\0\0\0AB", 6);
    assert_int_equal(port.set(port.ctx, NULL, "Boot0001", 7, NULL, 0), ST_OK);
    assert_int_equal(port.set(port.ctx, NULL, "Boot0001", 7, NULL, 0), ST_ABSENT);
    linux_efivars_close(&vars);
}

static bool has_variable(const struct bench *bench, const char *name)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/%s-" GLOBAL, bench->folder, name);
    return access(path, F_OK) == 0;
}

/* As efivarfs does where firmware says no: the file is there by then. */
static void a_variable_that_was_not_taken_leaves_no_file(void **state)
{
    struct bench *bench = *state;
    struct linux_efivars vars;
    struct vars_port port = linux_efivars_open(bench->folder, true, &vars);
    struct rlimit old;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    struct rlimit few = {.rlim_cur = 3, .rlim_max = old.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(port.set(port.ctx, NULL, "Boot0002", 7, "", 0), ST_ABSENT);
    setrlimit(RLIMIT_FSIZE, &few);
    enum status in_part = port.set(port.ctx, NULL, "Boot0001", 7, "abcdef", 6);
    few.rlim_cur = 0;
    setrlimit(RLIMIT_FSIZE, &few);
    enum status not_at_all = port.set(port.ctx, NULL, "Boot0002", 7, "abcdef", 6);
    setrlimit(RLIMIT_FSIZE, &old);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(in_part, ST_IO);
    assert_int_equal(not_at_all, ST_IO);
    assert_false(has_variable(bench, "Boot0001") || has_variable(bench, "Boot0002"));
    linux_efivars_close(&vars);
}

static void a_folder_of_variables_that_takes_none_is_read_only(void **state)
{
    struct linux_efivars vars;
    struct vars_port port = linux_efivars_open("/sys", true, &vars);

    (void)state;
    struct statfs info;
    if (statfs("/sys", &info) != 0 || info.f_type != SYSFS_MAGIC)
        SKIP_BECAUSE("/sys is not there");
    assert_int_equal(port.set(port.ctx, NULL, "Boot0001", 7, "ab", 2), ST_READ_ONLY);
    linux_efivars_close(&vars);
}

static void a_name_that_no_file_can_have_is_no_variable(void **state)
{
    struct bench *bench = *state;
    struct linux_efivars vars;
    struct vars_port port = linux_efivars_open(bench->folder, true, &vars);
    char name[PATH_MAX + 1];
    uint32_t attributes = 0;
    size_t size = 0;

    memset(name, 'n', PATH_MAX);
    name[PATH_MAX] = 0;
    assert_int_equal(port.get(port.ctx, NULL, name, &attributes, NULL, 0, &size), ST_ABSENT);
    assert_int_equal(port.set(port.ctx, NULL, name, 7, "ab", 2), ST_REFUSED);
    linux_efivars_close(&vars);
}

static void a_walk_through_what_is_not_there_fails(void **state)
{
    struct linux_efivars vars;
    struct vars_port port = linux_efivars_open("/nonexistent", false, &vars);
    struct var_id id;

    (void)state;
    assert_int_equal(port.next(port.ctx, true, &id), ST_IO);
    assert_int_equal(port.next(port.ctx, false, &id), ST_IO);
    linux_efivars_close(&vars);
}

/* Linux protects variables that it does not know like this, so that rm -r does not take them along. */
static void a_variable_that_linux_protects_is_set_all_the_same(void **state)
{
    struct bench *bench = *state;
    struct linux_efivars vars;
    struct vars_port port = linux_efivars_open(bench->folder, true, &vars);
    int protected = FS_IMMUTABLE_FL;
    int old = 0;
    char path[128];

    put_file(bench, "ShadowbootTest-" GLOBAL, "\x07\0\0\0a", 5);
    snprintf(path, sizeof(path), "%s/ShadowbootTest-" GLOBAL, bench->folder);
    int fd = open(path, O_RDONLY);
    bool made =
        ioctl(fd, FS_IOC_GETFLAGS, &old) == 0 && ioctl(fd, FS_IOC_SETFLAGS, &protected) == 0;
    enum status status = port.set(port.ctx, NULL, "ShadowbootTest", 7, NULL, 0);
    (void)ioctl(fd, FS_IOC_SETFLAGS, &old);
    close(fd);
    linux_efivars_close(&vars);
    if (!made)
        SKIP_BECAUSE("files cannot be made immutable here");
    assert_int_equal(status, ST_OK);
    assert_false(has_variable(bench, "ShadowbootTest"));
}

static void disks_without_their_machine_have_no_variables(void **state)
{
    struct vars_port port = linux_efivars_none();
    struct var_id id;
    uint32_t attributes = 0;
    size_t size = 0;

    (void)state;
    assert_int_equal(port.next(port.ctx, true, &id), ST_UNSUPPORTED);
    assert_int_equal(port.get(port.ctx, NULL, "BootOrder", &attributes, NULL, 0, &size), ST_ABSENT);
    assert_int_equal(port.set(port.ctx, NULL, "BootOrder", 7, "\0", 2), ST_READ_ONLY);
    assert_int_equal(port.get(port.ctx, NULL, "SecureBoot", &attributes, NULL, 0, &size),
                     ST_UNSUPPORTED);
}

static void a_copy_without_secure_boot_does_not_say_there_is_none(void **state)
{
    struct bench *bench = *state;
    struct linux_efivars vars;
    struct vars_port port = linux_efivars_open(bench->folder, true, &vars);
    uint32_t attributes = 0;
    size_t size = 0;

    assert_int_equal(port.get(port.ctx, NULL, "SecureBoot", &attributes, NULL, 0, &size),
                     ST_UNSUPPORTED);
    assert_int_equal(port.get(port.ctx, NULL, "BootNext", &attributes, NULL, 0, &size), ST_ABSENT);
    linux_efivars_close(&vars);
}

static void a_copy_that_lacks_lists_of_secure_boot_does_not_say_there_are_none(void **state)
{
    static const struct guid lists = GUID_INIT(0xd719b2cb, 0x3d3a, 0x4596, 0xa3bc, 0xdad00e67656f);
    struct bench *bench = *state;
    struct linux_efivars vars;
    struct vars_port port = linux_efivars_open(bench->folder, true, &vars);
    uint32_t attributes = 0;
    size_t size = 0;

    for (char on = 0; on <= 1; on++) {
        enum status wanted = on == 1 ? ST_UNSUPPORTED : ST_ABSENT;
        assert_int_equal(port.set(port.ctx, NULL, "SecureBoot", 6, &on, 1), ST_OK);
        assert_int_equal(port.get(port.ctx, &lists, "db", &attributes, NULL, 0, &size), wanted);
        assert_int_equal(port.get(port.ctx, &lists, "dbx", &attributes, NULL, 0, &size), wanted);
        assert_int_equal(port.get(port.ctx, &lists, "dbt", &attributes, NULL, 0, &size), ST_ABSENT);
    }
    linux_efivars_close(&vars);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(a_variable_is_a_file_with_its_attributes_first),
        ROW(a_walk_names_each_variable_once),
        ROW(a_variable_is_set_in_one_piece_and_deleted),
        ROW(a_variable_that_was_not_taken_leaves_no_file),
        cmocka_unit_test(a_folder_of_variables_that_takes_none_is_read_only),
        ROW(a_name_that_no_file_can_have_is_no_variable),
        cmocka_unit_test(a_walk_through_what_is_not_there_fails),
        ROW(a_variable_that_linux_protects_is_set_all_the_same),
        ROW(disks_without_their_machine_have_no_variables),
        ROW(a_copy_without_secure_boot_does_not_say_there_is_none),
        ROW(a_copy_that_lacks_lists_of_secure_boot_does_not_say_there_are_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
