/* The command line of the program for Linux, up to the command; and its help. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "linux/advice.h"
#include "linux/efivars.h"
#include "linux/options.h"

#define WORDS_MAX 140

static struct linux_options options;
static char said[1 << 16];

/* Runs with a stream in a file, and leaves what was written there in `said`. */
static FILE *catch_begin(int stream, int *ret_kept)
{
    FILE *file = tmpfile();

    assert_non_null(file);
    fflush(NULL);
    *ret_kept = dup(stream);
    assert_true(dup2(fileno(file), stream) >= 0);
    return file;
}

static void catch_end(FILE *file, int stream, int kept)
{
    fflush(NULL);
    assert_true(dup2(kept, stream) >= 0);
    close(kept);
    rewind(file);
    size_t size = fread(said, 1, sizeof(said) - 1, file);
    said[size] = 0;
    fclose(file);
}

static enum status take(int argc, char **argv)
{
    int kept = -1;

    memset(&options, 0xee, sizeof(options));
    FILE *file = catch_begin(STDERR_FILENO, &kept);
    enum status status = linux_options_take(argc, argv, &options);
    catch_end(file, STDERR_FILENO, kept);
    return status;
}

#define TAKE(...)                                                                     \
    take((int)(sizeof((char *[]){"shadowboot-linux", __VA_ARGS__}) / sizeof(char *)), \
         (char *[]){"shadowboot-linux", __VA_ARGS__})

static void disks_are_numbered_as_they_are_named(void **state)
{
    (void)state;
    assert_int_equal(
        TAKE("--disk", "a.img", "--disk=b.img", "--sector-size", "4096", "status", "--write"),
        ST_OK);
    assert_string_equal(said, "");
    assert_int_equal(options.disk_count, 2);
    assert_string_equal(options.disks[0].file, "a.img");
    assert_int_equal(options.disks[0].block_size, 0);
    assert_string_equal(options.disks[1].file, "b.img");
    assert_int_equal(options.disks[1].block_size, 4096);
    assert_int_equal(options.first_word, 6);
    assert_false(options.write); /* behind the command it is the command's */
}

/* Without options nothing is written and no variable looked at. */
static void what_is_not_asked_for_is_not_done(void **state)
{
    (void)state;
    assert_int_equal(TAKE("--disk", "a.img"), ST_OK);
    assert_int_equal(options.first_word, 3);
    assert_false(options.write || options.journal_in_memory || options.help || options.version);
    assert_null(options.efivars);
    assert_null(options.journal);
    assert_non_null(options.architecture);
}

static void each_option_is_kept(void **state)
{
    (void)state;
    assert_int_equal(TAKE("--write", "--journal", "/mnt/usb", "--journal-in-memory", "--arch",
                          "AA64", "--efivars=/tmp/vars", "--help", "--version", "--", "--odd"),
                     ST_OK);
    assert_true(options.write && options.journal_in_memory && options.help && options.version);
    assert_string_equal(options.journal, "/mnt/usb");
    assert_string_equal(options.architecture, "AA64");
    assert_string_equal(options.efivars, "/tmp/vars");
    assert_int_equal(options.first_word, 11);
    /* The folder is not the next word, which may be the command. */
    assert_int_equal(TAKE("--efivars", "status"), ST_OK);
    assert_string_equal(options.efivars, LINUX_EFIVARS_FOLDER);
    assert_int_equal(options.first_word, 2);
}

static void what_is_wrong_is_told_by_its_name(void **state)
{
    static const struct {
        char *words[4];
        const char *said;
    } cases[] = {
        {{"--disks", "a.img"}, "shadowboot-linux: --disks: no such option; --help lists them\n"},
        {{"--write=yes"}, "shadowboot-linux: --write=yes: this option has no value\n"},
        {{"--journal"}, "shadowboot-linux: --journal: this option needs a value\n"},
        {{"--sector-size", "512"},
         "shadowboot-linux: --sector-size: it goes behind the --disk it is said of\n"},
        {{"--disk=a", "--sector-size=256"},
         "shadowboot-linux: 256: no power of two from 512 to 65536\n"},
        {{"--disk=a", "--sector-size=131072"},
         "shadowboot-linux: 131072: no power of two from 512 to 65536\n"},
        {{"--disk=a", "--sector-size=520"},
         "shadowboot-linux: 520: no power of two from 512 to 65536\n"},
        {{"--disk=a", "--sector-size=4k"},
         "shadowboot-linux: 4k: no power of two from 512 to 65536\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *argv[5] = {"shadowboot-linux"};
        int argc = 1;
        while (argc < 5 && cases[i].words[argc - 1] != NULL) {
            argv[argc] = cases[i].words[argc - 1];
            argc++;
        }
        assert_int_equal(take(argc, argv), ST_USAGE);
        assert_string_equal(said, cases[i].said);
    }
    for (const char *const *size = (const char *const[]){"512", "65536", NULL}; *size != NULL;
         size++)
        assert_int_equal(TAKE("--disk=a", "--sector-size", (char *)*size), ST_OK);
}

static void disk_too_many_is_refused(void **state)
{
    char *argv[WORDS_MAX] = {"shadowboot-linux"};

    (void)state;
    for (size_t i = 1; i <= LINUX_DISKS_MAX + 1; i++)
        argv[i] = "--disk=a";
    assert_int_equal(take(LINUX_DISKS_MAX + 1, argv), ST_OK);
    assert_int_equal(options.disk_count, LINUX_DISKS_MAX);
    assert_int_equal(take(LINUX_DISKS_MAX + 2, argv), ST_USAGE);
    assert_string_equal(said, "shadowboot-linux: a: too many disks\n");
}

/* A terminal of 80 columns shows it whole, and nobody has to guess an option. */
static void help_has_every_option_and_no_long_line(void **state)
{
    static const char *const wanted[] = {"\nSYNOPSIS\n",
                                         "\nOPTIONS\n",
                                         "\n    --disk FILE\n",
                                         "\n    --sector-size BYTES\n",
                                         "\n    --efivars[=DIR]\n",
                                         "\n    --write\n",
                                         "\n    --journal DIR\n",
                                         "\n    --journal-in-memory\n",
                                         "\n    --arch NAME\n",
                                         "\n    --version\n",
                                         "\n    --help\n",
                                         "\nEXIT STATUS\n",
                                         "\n        shadowboot-linux --disk /dev/sdb bcd list\n"};
    int kept = -1;

    (void)state;
    FILE *file = catch_begin(STDOUT_FILENO, &kept);
    linux_options_help();
    catch_end(file, STDOUT_FILENO, kept);
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        if (strstr(said, wanted[i]) == NULL)
            fail_msg("not in the help: %s", wanted[i]);
    }
    const char *line =
        strchr(said, '\n') + 1; /* the first one is as long as the version makes it */
    for (; *line != 0; line += strcspn(line, "\n") + 1)
        assert_in_range(strcspn(line, "\n"), 0, 80);
}

/* What is said to type where the core's texts name the firmware's program. */
static void expect_advice(const char *wanted, int argc, char **argv)
{
    int kept = -1;

    assert_int_equal(take(argc, argv), ST_OK);
    FILE *file = catch_begin(STDERR_FILENO, &kept);
    linux_advice_tell(&options, argv);
    catch_end(file, STDERR_FILENO, kept);
    assert_string_equal(said, wanted);
}

#define EXPECT_ADVICE(wanted, ...)                                                             \
    expect_advice(wanted,                                                                      \
                  (int)(sizeof((char *[]){"shadowboot-linux", __VA_ARGS__}) / sizeof(char *)), \
                  (char *[]){"shadowboot-linux", __VA_ARGS__})

static void advice_is_the_line_up_to_the_command(void **state)
{
    (void)state;
    EXPECT_ADVICE(
        "shadowboot-linux: where it says \"shadowboot\", type: shadowboot-linux --disk=a.img "
        "--write --journal-in-memory\n",
        "--disk=a.img", "--write", "--journal-in-memory", "repair");
}

/* Without --write the next line would only say that nothing can be changed. */
static void advice_says_what_is_lacking_to_change_something(void **state)
{
    (void)state;
    EXPECT_ADVICE(
        "shadowboot-linux: where it says \"shadowboot\", type: shadowboot-linux --disk a.img; to "
        "change something, --write --journal DIR as well\n",
        "--disk", "a.img", "status");
    EXPECT_ADVICE(
        "shadowboot-linux: where it says \"shadowboot\", type: shadowboot-linux --journal "
        "/mnt/usb --disk a.img; to change something, --write as well; JOURNAL: is /mnt/usb\n",
        "--journal", "/mnt/usb", "--disk", "a.img", "status");
}

/* POSIX Shell Command Language 2.2.2: all between two of ' is taken as it is, but for ' itself. */
static void advice_can_be_typed_into_a_shell(void **state)
{
    static const struct {
        char *file;
        const char *typed;
    } words[] = {
        {"/dev/disk/by-id/ata-WDC_1.0+x%2@a:b,c=d", "/dev/disk/by-id/ata-WDC_1.0+x%2@a:b,c=d"},
        {"my disk.img", "'my disk.img'"},
        {"a'b", "'a'\\''b'"},
        {"$HOME/*", "'$HOME/*'"},
        {"~", "'~'"},
        {"", "''"},
    };
    char wanted[256];

    (void)state;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        snprintf(wanted, sizeof(wanted),
                 "shadowboot-linux: where it says \"shadowboot\", type: shadowboot-linux --write "
                 "--journal %s; JOURNAL: is %s\n",
                 words[i].typed, words[i].typed);
        EXPECT_ADVICE(wanted, "--write", "--journal", words[i].file, "status");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(disks_are_numbered_as_they_are_named),
        cmocka_unit_test(what_is_not_asked_for_is_not_done),
        cmocka_unit_test(each_option_is_kept),
        cmocka_unit_test(what_is_wrong_is_told_by_its_name),
        cmocka_unit_test(disk_too_many_is_refused),
        cmocka_unit_test(advice_is_the_line_up_to_the_command),
        cmocka_unit_test(advice_says_what_is_lacking_to_change_something),
        cmocka_unit_test(advice_can_be_typed_into_a_shell),
        cmocka_unit_test(help_has_every_option_and_no_long_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
