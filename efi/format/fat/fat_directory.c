#include "format/fat/fat_directory.h"

#include "base/mem.h"
#include "base/text.h"

enum {
    ATTR_LABEL = 0x08,
    ATTR_DIRECTORY = 0x10,
    ATTR_LONG = 0x0f,
    ATTR_LONG_MASK = 0x3f,
};

enum { CASE_NAME = 0x08, CASE_EXTENSION = 0x10 };

#define NAME_END       8u /* of the name, without extension, in a short name */
#define DELETED        0xe5u
#define STANDS_FOR_E5  0x05u
#define LAST_PIECE     0x40u
#define NUMBER_BITS    0x3fu
#define FORBIDDEN      "\"*/:<>?\\|"
#define LONG_UNITS_MAX 255u

static const char dot_names[2][FAT_SHORT_NAME + 1] = {".          ", "..         "};

enum fat_dirent_kind fat_dirent_kind(const uint8_t *entry)
{
    uint8_t attributes = entry[11];

    if (entry[0] == 0)
        return FAT_DIRENT_END;
    if (entry[0] == DELETED)
        return FAT_DIRENT_DELETED;
    if ((attributes & ATTR_LONG_MASK) == ATTR_LONG)
        return FAT_DIRENT_LONG;
    if ((attributes & (ATTR_LABEL | ATTR_DIRECTORY)) == ATTR_LABEL)
        return FAT_DIRENT_LABEL;
    if (memcmp(entry, dot_names[0], FAT_SHORT_NAME) == 0)
        return FAT_DIRENT_DOT;
    if (memcmp(entry, dot_names[1], FAT_SHORT_NAME) == 0)
        return FAT_DIRENT_DOTDOT;
    return (attributes & ATTR_DIRECTORY) != 0 ? FAT_DIRENT_DIRECTORY : FAT_DIRENT_FILE;
}

static bool is_forbidden(uint32_t c)
{
    if (c < 0x20 || c == 0x7f)
        return true;
    for (const char *at = FORBIDDEN; *at != '\0'; at++) {
        if (c == (uint8_t)*at)
            return true;
    }
    return false;
}

bool fat_dirent_is_legal(const uint8_t *entry)
{
    if ((entry[11] & (ATTR_LABEL | ATTR_DIRECTORY)) == (ATTR_LABEL | ATTR_DIRECTORY))
        return false;
    if (entry[0] == ' ')
        return false;
    for (size_t i = 0; i < FAT_SHORT_NAME; i++) {
        if (is_forbidden(entry[i]) && !(i == 0 && entry[i] == STANDS_FOR_E5))
            return false;
    }
    return true;
}

/* Appends a byte of a short name: harmless, and so that it cannot be taken for a separator. */
static char *put_short(char *at, uint8_t c, bool lower)
{
    if (c < 0x80 && !is_forbidden(c)) {
        *at++ = lower ? text_lower((char)c) : (char)c;
        return at;
    }
    *at++ = '%';
    *at++ = "0123456789abcdef"[c >> 4];
    *at++ = "0123456789abcdef"[c & 15];
    return at;
}

/* How many of `size` bytes are left without the blanks at the end. */
static size_t padded_length(const uint8_t *at, size_t size)
{
    while (size > 0 && at[size - 1] == ' ')
        size--;
    return size;
}

void fat_dirent_short_text(const uint8_t *entry, char ret_text[FAT_SHORT_TEXT_SIZE])
{
    size_t name = padded_length(entry, NAME_END);
    size_t extension = padded_length(entry + NAME_END, FAT_SHORT_NAME - NAME_END);
    char *at = ret_text;

    for (size_t i = 0; i < name; i++) {
        uint8_t c = i == 0 && entry[0] == STANDS_FOR_E5 ? DELETED : entry[i];
        at = put_short(at, c, (entry[12] & CASE_NAME) != 0);
    }
    if (extension > 0)
        *at++ = '.';
    for (size_t i = 0; i < extension; i++)
        at = put_short(at, entry[NAME_END + i], (entry[12] & CASE_EXTENSION) != 0);
    *at = '\0';
}

uint32_t fat_dirent_cluster(const uint8_t *entry, enum fat_type type)
{
    uint32_t high = type == FAT_32 ? ld_le16(entry + 20) : 0;

    return high << 16 | ld_le16(entry + 26);
}

struct date_time fat_dirent_written(const uint8_t *entry)
{
    uint16_t time = ld_le16(entry + 22);
    uint16_t date = ld_le16(entry + 24);
    struct date_time written = {
        .year = (uint16_t)(1980 + (date >> 9)),
        .month = date >> 5 & 15,
        .day = date & 31,
        .hour = (uint8_t)(time >> 11),
        .minute = time >> 5 & 63,
        .second = (uint8_t)((time & 31) * 2),
    };

    if (written.month < 1 || written.month > 12 || written.day < 1 || written.hour > 23 ||
        written.minute > 59 || written.second > 59)
        return (struct date_time){0};
    return written;
}

/* Where the 13 characters of a piece stand: offset and bytes of the three runs. */
static void copy_piece(uint8_t *to, const uint8_t *entry)
{
    memcpy(to, entry + 1, 10);
    memcpy(to + 10, entry + 14, 12);
    memcpy(to + 22, entry + 28, 4);
}

bool fat_long_name_add(struct fat_long_name *name, const uint8_t *entry)
{
    uint8_t number = entry[0] & NUMBER_BITS;
    bool fits = true;

    if ((entry[0] & LAST_PIECE) != 0) {
        fits = fat_long_name_drop(name);
        if (number == 0 || number > FAT_LONG_PIECES)
            return false;
        name->pieces = number;
        name->checksum = entry[13];
    } else if (number == 0 || name->pieces == 0 || number != name->next ||
               entry[13] != name->checksum) {
        name->pieces = 0;
        return false;
    }
    copy_piece(name->bytes + (size_t)(number - 1) * FAT_LONG_UNITS * 2, entry);
    name->next = number - 1;
    return fits;
}

bool fat_long_name_drop(struct fat_long_name *name)
{
    bool was_open = name->pieces != 0;

    name->pieces = 0;
    return !was_open;
}

/* Of the short name, as every piece of its long name has it. */
static uint8_t checksum_of(const uint8_t *entry)
{
    uint8_t sum = 0;

    for (size_t i = 0; i < FAT_SHORT_NAME; i++)
        sum = (uint8_t)((sum >> 1 | sum << 7) + entry[i]);
    return sum;
}

/* False for what would be no name, or lead out of its directory. */
static bool long_name_is_legal(struct span name)
{
    bool only_dots = true;

    if (name.size == 0 || name.size / 2 > LONG_UNITS_MAX)
        return false;
    for (size_t i = 0; i < name.size; i += 2) {
        uint16_t unit = ld_le16(name.at + i);
        if (is_forbidden(unit))
            return false;
        only_dots = only_dots && unit == '.';
    }
    return !only_dots;
}

struct span fat_long_name_take(struct fat_long_name *name, const uint8_t *entry, bool *ret_broken)
{
    size_t size = 0;

    *ret_broken = false;
    if (name->pieces == 0)
        return span_of(NULL, 0);
    while (size < (size_t)name->pieces * FAT_LONG_UNITS * 2 && ld_le16(name->bytes + size) != 0)
        size += 2;
    name->pieces = 0;
    if (name->next != 0 || name->checksum != checksum_of(entry) ||
        !long_name_is_legal(span_of(name->bytes, size))) {
        *ret_broken = true;
        return span_of(NULL, 0);
    }
    return span_of(name->bytes, size);
}
