/*
 * Lines broken at words. What is expected was laid out by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/flow.h"

static char text[8192];
static struct text_buffer shown;
static struct flow flow;

static void start(unsigned width)
{
    text_buffer_init(&shown, text, sizeof(text));
    flow_init(&flow, text_buffer_sink(&shown), width);
}

static void put(const char *bytes)
{
    flow_put(&flow, bytes, strlen(bytes));
}

static const char *flowed(unsigned width, const char *bytes)
{
    start(width);
    put(bytes);
    flow_flush(&flow);
    return text;
}

#define DAMAGE                                                                                \
    "[damage] Disk 1 Partition 1: The fallback boot file is missing, so nothing here starts " \
    "without a boot entry: \\EFI\\BOOT\\BOOTX64.EFI.\n"

static void a_finding_goes_on_under_its_text(void **state)
{
    (void)state;
    assert_string_equal(
        flowed(79, DAMAGE),
        "[damage] Disk 1 Partition 1: The fallback boot file is missing, so nothing here\n"
        "         starts without a boot entry: \\EFI\\BOOT\\BOOTX64.EFI.\n");
    assert_string_equal(
        flowed(99, DAMAGE),
        "[damage] Disk 1 Partition 1: The fallback boot file is missing, so nothing here starts "
        "without a\n"
        "         boot entry: \\EFI\\BOOT\\BOOTX64.EFI.\n");
    assert_string_equal(
        flowed(131, DAMAGE),
        "[damage] Disk 1 Partition 1: The fallback boot file is missing, so nothing here starts "
        "without a boot entry: \\EFI\\BOOT\\BOOTX64.EFI.\n");
    assert_string_equal(flowed(39, DAMAGE), "[damage] Disk 1 Partition 1: The\n"
                                            "         fallback boot file is missing,\n"
                                            "         so nothing here starts without\n"
                                            "         a boot entry:\n"
                                            "         \\EFI\\BOOT\\BOOTX64.EFI.\n");
}

static void further_lines_stand_where_the_text_began(void **state)
{
    (void)state;
    /* an indented line */
    assert_string_equal(flowed(20, "    one two three four\n"), "    one two three\n    four\n");
    /* the number of a step */
    assert_string_equal(flowed(20, "  1. one two three four\n"), "  1. one two three\n     four\n");
    assert_string_equal(flowed(22, " 12. one two three four\n"), " 12. one two three\n     four\n");
    /* a label */
    assert_string_equal(flowed(24, "Note: one two three: four five\n"),
                        "Note: one two three:\n      four five\n");
    assert_string_equal(flowed(24, "Device path:      aa bb cc\n"),
                        "Device path:      aa bb\n  cc\n");
    assert_string_equal(flowed(40, "Device path:      aaaaaaaaaa bbbbbbbbbb cccccc\n"),
                        "Device path:      aaaaaaaaaa bbbbbbbbbb\n                  cccccc\n");
    /* the last column of a table */
    assert_string_equal(flowed(40, "  -sg     GUID  source: one two three four five\n"),
                        "  -sg     GUID  source: one two three\n                four five\n");
    /* nothing of these, and a number that is none of a step */
    assert_string_equal(flowed(20, "one two three four five\n"), "one two three four\n  five\n");
    assert_string_equal(flowed(20, "3.5 one two three four\n"), "3.5 one two three\n  four\n");
    /* a colon in a text that is indented, or far behind, is none of a label */
    assert_string_equal(flowed(20, "    one: two three four\n"), "    one: two three\n    four\n");
}

static void a_line_that_fills_the_width_is_one_line(void **state)
{
    char line[82];

    (void)state;
    memset(line, 'x', sizeof(line));
    memcpy(line + 70, " yyyyyyyyy\n", 12);
    assert_int_equal(strlen(line), 81);
    assert_string_equal(flowed(80, line), line);
    /* one word */
    memset(line, 'x', 80);
    assert_string_equal(flowed(80, line), line);
    /* blanks behind it are nobody's */
    assert_string_equal(flowed(10, "one two th    \n\nnext\n"), "one two th\n\nnext\n");
    /* one more column: the next line */
    assert_string_equal(flowed(10, "one two thr\n"), "one two\n  thr\n");
    /* the end of a line that was broken */
    assert_string_equal(flowed(10, "one two three xx\n\n"), "one two\n  three xx\n\n");
}

static void a_word_longer_than_a_line_is_divided(void **state)
{
    (void)state;
    /* behind a separator, if one stands far enough to the right */
    assert_string_equal(flowed(20, "BootOrder: 0000,0001,0002,0003,0004\n"),
                        "BootOrder:\n  0000,0001,0002,\n  0003,0004\n");
    assert_string_equal(flowed(10, "\\abc\\defghi\\jk\n"), "\\abc\\\n  defghi\\\n  jk\n");
    /* else where the line ends */
    assert_string_equal(flowed(10, "abcdefghijklmnopqrstuvwxyz\n"),
                        "abcdefghij\n  klmnopqr\n  stuvwxyz\n");
    assert_string_equal(flowed(10, "a,bcdefghijkl\n"), "a,bcdefghi\n  jkl\n");
    /* behind other words it begins a line of its own */
    assert_string_equal(flowed(10, "one abcdefghijkl\n"), "one\n  abcdefgh\n  ijkl\n");
}

static void columns_are_characters_and_not_bytes(void **state)
{
    (void)state;
    assert_string_equal(
        flowed(10, "\xc3\xa4\xc3\xb6 \xc3\xbc\xc3\x9f \xe2\x82\xac\xe2\x82\xac \xc3\xa9\n"),
        "\xc3\xa4\xc3\xb6 \xc3\xbc\xc3\x9f \xe2\x82\xac\xe2\x82\xac \xc3\xa9\n");
    assert_string_equal(
        flowed(10, "\xc3\xa4\xc3\xb6 \xc3\xbc\xc3\x9f \xe2\x82\xac\xe2\x82\xac \xc3\xa9\xc3\xa9\n"),
        "\xc3\xa4\xc3\xb6 \xc3\xbc\xc3\x9f \xe2\x82\xac\xe2\x82\xac\n  \xc3\xa9\xc3\xa9\n");
    /* those of East Asia take two, and none is cut */
    assert_string_equal(flowed(6, "\xe3\x83\x9c\xe3\x83\xaa\xe3\x83\xa5\xe3\x83\xbc\xe3\x83\xa0\n"),
                        "\xe3\x83\x9c\xe3\x83\xaa\xe3\x83\xa5\n  \xe3\x83\xbc\xe3\x83\xa0\n");
    /* what is no UTF-8 is handed on, a column a byte */
    assert_string_equal(flowed(6, "\x80\xff\x80 ab cd\n"), "\x80\xff\x80 ab\n  cd\n");
}

static void marks_take_no_room_and_stay_with_their_word(void **state)
{
    (void)state;
    assert_string_equal(flowed(12, "\x04[damage]\x01 one two\n"), "\x04[damage]\x01 one\n  two\n");
    assert_string_equal(flowed(30, "\x04[damage]\x01 one two three four five\n"),
                        "\x04[damage]\x01 one two three four\n         five\n");
    assert_string_equal(flowed(9, "one \x02two\x01 \x03three\x01\n"),
                        "one \x02two\x01\n  \x03three\x01\n");
}

static void text_may_come_in_any_pieces(void **state)
{
    static const char whole[] =
        "  1. f\xc3\xbcr \xe2\x82\xac two\x01 three four five six\n\nNote: x\n";
    char expected[256];

    (void)state;
    snprintf(expected, sizeof(expected), "%s", flowed(14, whole));
    assert_string_equal(expected,
                        "  1. f\xc3\xbcr \xe2\x82\xac two\x01\n     three\n     four five\n"
                        "     six\n\nNote: x\n");
    start(14);
    for (size_t i = 0; i + 1 < sizeof(whole); i++)
        flow_put(&flow, whole + i, 1);
    flow_flush(&flow);
    assert_string_equal(text, expected);
}

static void what_is_held_back_comes_when_it_is_asked_for(void **state)
{
    (void)state;
    start(20);
    put("Go on? [y/N] ");
    flow_flush(&flow);
    assert_string_equal(text, "Go on? [y/N] ");
    flow_new_line(&flow); /* the user typed it */
    put("one two three four five\n");
    assert_string_equal(text, "Go on? [y/N] one two three four\n  five\n");
    /* a line that is written over, blanks and all */
    start(20);
    put("\r  50 %   ");
    put("\r");
    flow_flush(&flow);
    assert_string_equal(text, "\r  50 %   \r");
}

static void without_a_width_nothing_is_touched(void **state)
{
    static const char line[] = "  a  word \x04 \r and   blanks  \n at ends ";

    (void)state;
    assert_string_equal(flowed(0, line), line);
}

/* Of every text all is there: nothing but line ends and blanks differs, and no line is too long. */
static void nothing_is_lost_at_any_width(void **state)
{
    static const char *const texts[] = {DAMAGE,
                                        "  1. one, two/three  four \\five\\six seven: eight\n",
                                        "Label: 0000,0001,0002,0003 x                      y\n"};

    (void)state;
    for (unsigned width = 1; width <= FLOW_WIDTH_MOST; width++) {
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
            const char *from = texts[i];
            size_t column = 0;
            for (const char *at = flowed(width, texts[i]); *at != '\0'; at++) {
                column = *at == '\n' ? 0 : column + 1;
                if (column > width)
                    print_message("%u %zu\n%s", width, i, text);
                assert_true(column <= width);
                if (*at == ' ' || *at == '\n')
                    continue;
                from += strspn(from, " \n");
                assert_int_equal(*at, *from++);
            }
            assert_int_equal(strspn(from, " \n"), strlen(from));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_finding_goes_on_under_its_text),
        cmocka_unit_test(further_lines_stand_where_the_text_began),
        cmocka_unit_test(a_line_that_fills_the_width_is_one_line),
        cmocka_unit_test(a_word_longer_than_a_line_is_divided),
        cmocka_unit_test(columns_are_characters_and_not_bytes),
        cmocka_unit_test(marks_take_no_room_and_stay_with_their_word),
        cmocka_unit_test(text_may_come_in_any_pieces),
        cmocka_unit_test(what_is_held_back_comes_when_it_is_asked_for),
        cmocka_unit_test(without_a_width_nothing_is_touched),
        cmocka_unit_test(nothing_is_lost_at_any_width),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
