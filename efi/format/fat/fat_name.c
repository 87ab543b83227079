#include "format/fat/fat_name.h"

#include "base/mem.h"

#define NAME_SIZE      8u
#define EXTENSION_SIZE 3u
#define UNITS_MAX      255u
#define FORBIDDEN      "\"*/:<>?\\|"
#define SHORT_EXTRA    "!#$%&'()-@^_`{}~" /* allowed in 8.3 beside letters and digits */

#define ATTR_LABEL      0x08u
#define ATTR_LONG       0x0fu
#define CASE_NAME       0x08u
#define CASE_EXTENSION  0x10u
#define LAST_PIECE      0x40u
#define FIRST_DATE      0x0021u /* 1980-01-01 */
#define PLAIN_TAILS     4u      /* ~1 to ~4, then four hexadecimal digits come before it */
#define HASHED_TAILS    9u
#define TAIL_MAX        999999u
#define HASHED_STEM_MAX 2u

static uint16_t name_unit(struct span name, size_t i)
{
    return ld_le16(name.at + 2 * i);
}

static bool text_has(const char *text, uint32_t c)
{
    for (; *text != '\0'; text++) {
        if (c == (uint8_t)*text)
            return true;
    }
    return false;
}

bool fat_name_is_legal(struct span name)
{
    size_t units = name.size / 2;

    if (units == 0 || units > UNITS_MAX)
        return false;
    for (size_t i = 0; i < units; i++) {
        uint16_t unit = name_unit(name, i);
        if (unit < 0x20 || unit == 0x7f || text_has(FORBIDDEN, unit))
            return false;
    }
    return name_unit(name, units - 1) != '.' && name_unit(name, units - 1) != ' ';
}

/* The capital letter of a unit. */
static uint16_t fold(uint16_t unit)
{
    static const struct {
        uint16_t first;
        uint16_t last;
        uint16_t distance;
    } ranges[] = {
        {'a', 'z', 0x20},     {0xe0, 0xf6, 0x20},   {0xf8, 0xfe, 0x20},   {0x3b1, 0x3c1, 0x20},
        {0x3c3, 0x3cb, 0x20}, {0x430, 0x44f, 0x20}, {0x450, 0x45f, 0x50},
    };

    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        if (unit >= ranges[i].first && unit <= ranges[i].last)
            return (uint16_t)(unit - ranges[i].distance);
    }
    /* Latin Extended-A: capital and small letters in turn, but for a few where this does not
     * hold. */
    if (unit >= 0x100 && unit <= 0x137)
        return unit & 0xfffe;
    return unit;
}

/* Where it stands in the order of names. */
static uint16_t rank(uint16_t unit)
{
    return unit == '\\' ? 0 : fold(unit);
}

/* Most of what is compared begins alike, unit for unit. */
int fat_name_compare(struct span a, struct span b)
{
    size_t units = (a.size < b.size ? a.size : b.size) / 2;

    for (size_t i = 0; i < units; i++) {
        uint16_t x = name_unit(a, i);
        uint16_t y = name_unit(b, i);
        if (x != y && rank(x) != rank(y))
            return rank(x) < rank(y) ? -1 : 1;
    }
    return a.size < b.size ? -1 : a.size > b.size;
}

/* The last dot of the name, or its end when it has none that begins an extension. */
static size_t find_dot(struct span name)
{
    size_t units = name.size / 2;
    size_t first = 0;

    while (first < units && name_unit(name, first) == '.')
        first++;
    for (size_t i = units; i > first; i--) {
        if (name_unit(name, i - 1) == '.')
            return i - 1;
    }
    return units;
}

static bool is_short_char(uint16_t unit)
{
    return (unit >= '0' && unit <= '9') || (unit >= 'A' && unit <= 'Z') ||
           (unit >= 'a' && unit <= 'z') || text_has(SHORT_EXTRA, unit);
}

/* A part of a name, in capitals, and in which case it was. */
struct part {
    bool fits;
    bool has_lower;
    bool has_upper;
};

static struct part take_part(struct span name, size_t first, size_t end, size_t most, uint8_t *ret)
{
    struct part part = {.fits = end - first <= most};

    for (size_t i = first; i < end && part.fits; i++) {
        uint16_t unit = name_unit(name, i);
        part.fits = is_short_char(unit);
        part.has_lower = part.has_lower || (unit >= 'a' && unit <= 'z');
        part.has_upper = part.has_upper || (unit >= 'A' && unit <= 'Z');
        ret[i - first] = (uint8_t)fold(unit);
    }
    return part;
}

bool fat_name_fits_short(struct span name, struct fat_short *ret_short)
{
    struct fat_short found = {.case_bits = 0};
    size_t units = name.size / 2;
    size_t dot = find_dot(name);

    memset(found.name, ' ', sizeof(found.name));
    struct part base = take_part(name, 0, dot, NAME_SIZE, found.name);
    struct part extension = {.fits = true};
    if (dot < units)
        extension = take_part(name, dot + 1, units, EXTENSION_SIZE, found.name + NAME_SIZE);
    if (dot == 0 || !base.fits || !extension.fits)
        return false;
    found.has_long =
        (base.has_lower && base.has_upper) || (extension.has_lower && extension.has_upper);
    if (!found.has_long) {
        found.case_bits |= base.has_lower ? CASE_NAME : 0;
        found.case_bits |= extension.has_lower ? CASE_EXTENSION : 0;
    }
    *ret_short = found;
    return true;
}

/* --- Short names that are taken: a hash table with open addressing ---------------------------- */

static size_t hash_of(const uint8_t *bytes, size_t size)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * 16777619u;
    return hash;
}

enum status fat_short_names_init(struct arena *arena, size_t most,
                                 struct fat_short_names *ret_names)
{
    size_t capacity = 16;

    while (capacity / 2 < most)
        capacity *= 2;
    void *slots = arena_alloc(arena, capacity, FAT_SHORT_NAME);
    if (slots == NULL)
        return ST_NO_MEMORY;
    ret_names->slots = slots;
    ret_names->mask = capacity - 1;
    return ST_OK;
}

/* Where the name is, or would be. */
static uint8_t *slot_for(const struct fat_short_names *names, const uint8_t *name)
{
    size_t at = hash_of(name, FAT_SHORT_NAME) & names->mask;

    while (names->slots[at][0] != 0 && memcmp(names->slots[at], name, FAT_SHORT_NAME) != 0)
        at = (at + 1) & names->mask;
    return names->slots[at];
}

void fat_short_names_add(struct fat_short_names *names, const uint8_t *name)
{
    memcpy(slot_for(names, name), name, FAT_SHORT_NAME);
}

bool fat_short_names_have(const struct fat_short_names *names, const uint8_t *name)
{
    return slot_for(names, name)[0] != 0;
}

/* --- Short names that are made ---------------------------------------------------------------- */

/* The characters of [first, end) that a short name can have, in capitals; others but dots and
 * blanks become underlines. Gives how many, at most `most`. */
static size_t take_stem(struct span name, size_t first, size_t end, size_t most, uint8_t *ret)
{
    size_t used = 0;

    for (size_t i = first; i < end && used < most; i++) {
        uint16_t unit = name_unit(name, i);
        bool low_surrogate = unit >= 0xdc00 && unit <= 0xdfff;
        if (unit == '.' || unit == ' ' || low_surrogate)
            continue;
        ret[used++] = is_short_char(unit) ? (uint8_t)fold(unit) : '_';
    }
    return used;
}

/* Puts ~number behind the stem, which gives way. */
static void put_tail(uint8_t *short_name, const uint8_t *stem, size_t length, uint32_t number)
{
    uint8_t digits[8];
    size_t count = 0;

    for (; number > 0; number /= 10)
        digits[count++] = (uint8_t)('0' + number % 10);
    if (length > NAME_SIZE - 1 - count)
        length = NAME_SIZE - 1 - count;
    memset(short_name, ' ', NAME_SIZE);
    memcpy(short_name, stem, length);
    short_name[length++] = '~';
    while (count > 0)
        short_name[length++] = digits[--count];
}

/* Tries numbers up to `most`. */
static bool try_tails(uint8_t *short_name, const uint8_t *stem, size_t length, uint32_t most,
                      const struct fat_short_names *taken)
{
    for (uint32_t number = 1; number <= most; number++) {
        put_tail(short_name, stem, length, number);
        if (!fat_short_names_have(taken, short_name))
            return true;
    }
    return false;
}

/* Makes names with the same beginning differ early. */
static size_t put_hash(struct span name, uint8_t *stem, size_t length)
{
    size_t hash = hash_of(name.at, name.size);

    if (length > HASHED_STEM_MAX)
        length = HASHED_STEM_MAX;
    for (int shift = 12; shift >= 0; shift -= 4)
        stem[length++] = (uint8_t) "0123456789ABCDEF"[hash >> shift & 15];
    return length;
}

enum status fat_name_make_short(struct span name, const struct fat_short_names *taken,
                                struct fat_short *ret_short)
{
    struct fat_short made = {.has_long = true};
    size_t units = name.size / 2;
    size_t dot = find_dot(name);
    uint8_t stem[NAME_SIZE] = {0};
    size_t length = take_stem(name, 0, dot, NAME_SIZE - 2, stem);

    memset(made.name, ' ', sizeof(made.name));
    if (dot < units)
        (void)take_stem(name, dot + 1, units, EXTENSION_SIZE, made.name + NAME_SIZE);
    bool found = length > HASHED_STEM_MAX && try_tails(made.name, stem, length, PLAIN_TAILS, taken);
    if (!found) {
        length = put_hash(name, stem, length);
        found = try_tails(made.name, stem, length, HASHED_TAILS, taken) ||
                try_tails(made.name, stem, length, TAIL_MAX, taken);
    }
    if (!found)
        return ST_NO_SPACE;
    *ret_short = made;
    return ST_OK;
}

/* --- Entries ---------------------------------------------------------------------------------- */

size_t fat_name_slots(struct span name, const struct fat_short *short_name)
{
    if (!short_name->has_long)
        return 1;
    return 1 + (name.size / 2 + FAT_LONG_UNITS - 1) / FAT_LONG_UNITS;
}

static uint8_t checksum_of_short(const uint8_t *short_name)
{
    uint8_t sum = 0;

    for (size_t i = 0; i < FAT_SHORT_NAME; i++)
        sum = (uint8_t)((sum >> 1 | sum << 7) + short_name[i]);
    return sum;
}

/* Unit `i` of what fills the pieces: the name, a closing NUL where there is room, then ones. */
static uint16_t filled_unit(struct span name, size_t i)
{
    size_t units = name.size / 2;

    if (i < units)
        return name_unit(name, i);
    return i == units ? 0 : 0xffff;
}

static void put_piece(struct span name, size_t number, uint8_t checksum, uint8_t *entry)
{
    static const uint8_t offsets[FAT_LONG_UNITS] = {1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};

    memset(entry, 0, FAT_DIRENT_SIZE);
    entry[0] = (uint8_t)number;
    entry[11] = ATTR_LONG;
    entry[13] = checksum;
    for (size_t i = 0; i < FAT_LONG_UNITS; i++)
        st_le16(entry + offsets[i], filled_unit(name, (number - 1) * FAT_LONG_UNITS + i));
}

static bool fat_has_date(const struct date_time *date)
{
    return date->year >= 1980 && date->year <= 1980 + 127 && date->month >= 1 &&
           date->month <= 12 && date->day >= 1 && date->day <= 31 && date->hour <= 23 &&
           date->minute <= 59 && date->second <= 59;
}

static uint16_t date_of(const struct date_time *date)
{
    if (!fat_has_date(date))
        return FIRST_DATE;
    return (uint16_t)((date->year - 1980) << 9 | date->month << 5 | date->day);
}

static uint16_t time_of(const struct date_time *date)
{
    if (!fat_has_date(date))
        return 0;
    return (uint16_t)(date->hour << 11 | date->minute << 5 | date->second / 2);
}

void fat_dirent_update(uint8_t *entry, const struct fat_dirent *dirent)
{
    entry[11] = dirent->attributes;
    st_le16(entry + 18, date_of(&dirent->written));
    st_le16(entry + 20, (uint16_t)(dirent->cluster >> 16));
    st_le16(entry + 22, time_of(&dirent->written));
    st_le16(entry + 24, date_of(&dirent->written));
    st_le16(entry + 26, (uint16_t)dirent->cluster);
    st_le32(entry + 28, dirent->size);
}

static void put_short_entry(const uint8_t *short_name, uint8_t case_bits,
                            const struct fat_dirent *dirent, uint8_t *entry)
{
    memset(entry, 0, FAT_DIRENT_SIZE);
    memcpy(entry, short_name, FAT_SHORT_NAME);
    entry[12] = case_bits;
    st_le16(entry + 14, time_of(&dirent->written));
    st_le16(entry + 16, date_of(&dirent->written));
    fat_dirent_update(entry, dirent);
}

void fat_name_put(struct span name, const struct fat_short *short_name,
                  const struct fat_dirent *dirent, uint8_t *ret_entries)
{
    size_t pieces = fat_name_slots(name, short_name) - 1;
    uint8_t checksum = checksum_of_short(short_name->name);

    for (size_t i = 0; i < pieces; i++)
        put_piece(name, pieces - i, checksum, ret_entries + i * FAT_DIRENT_SIZE);
    if (pieces > 0)
        ret_entries[0] |= LAST_PIECE;
    put_short_entry(short_name->name, short_name->case_bits, dirent,
                    ret_entries + pieces * FAT_DIRENT_SIZE);
}

void fat_dirent_put_dots(uint32_t cluster, uint32_t parent, struct date_time written,
                         uint8_t *ret_entries)
{
    static const uint8_t names[2][FAT_SHORT_NAME + 1] = {".          ", "..         "};
    struct fat_dirent dirent = {
        .attributes = FAT_ATTRIBUTE_DIRECTORY, .cluster = cluster, .written = written};

    put_short_entry(names[0], 0, &dirent, ret_entries);
    dirent.cluster = parent;
    put_short_entry(names[1], 0, &dirent, ret_entries + FAT_DIRENT_SIZE);
}

void fat_dirent_put_label(const uint8_t *label, struct date_time written, uint8_t *ret_entry)
{
    struct fat_dirent dirent = {.attributes = ATTR_LABEL, .written = written};

    put_short_entry(label, 0, &dirent, ret_entry);
}
