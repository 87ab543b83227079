#include "format/pe_mark.h"

static const struct {
    const char *component;
    enum pe_mark mark;
} components[] = {
    {"shim", PE_MARK_SHIM},
    {"grub", PE_MARK_GRUB},
    {"systemd-boot", PE_MARK_SYSTEMD_BOOT},
    {"systemd-stub", PE_MARK_KERNEL},
    {"linux", PE_MARK_KERNEL},
    {"refind", PE_MARK_REFIND},
    {"xen", PE_MARK_XEN},
    {"fwupd", PE_MARK_UPDATER},
    {"fwupd-efi", PE_MARK_UPDATER},
    {"memtest86+", PE_MARK_MEMORY_TESTER},
    {"memtest86plus", PE_MARK_MEMORY_TESTER},
    {"memtest86", PE_MARK_MEMORY_TESTER},
    {"ipxe", PE_MARK_NETWORK},
    {"shadowboot", PE_MARK_SHADOWBOOT},
};

static bool is_text(struct span part, const char *text)
{
    for (size_t i = 0; i < part.size; i++) {
        if (text[i] == '\0' || (uint8_t)text[i] != part.at[i])
            return false;
    }
    return text[part.size] == '\0';
}

/* The bytes of `text` before the first `end`; all of them when there is none. */
static struct span until(struct span text, char end)
{
    size_t size = 0;

    while (size < text.size && text.at[size] != (uint8_t)end)
        size++;
    return span_part(text, 0, size);
}

/* The bytes behind the first `end`; none when there is none. */
static struct span rest_behind(struct span text, char end)
{
    size_t size = until(text, end).size;

    return size == text.size ? span_of(NULL, 0) : span_part(text, size + 1, text.size - size - 1);
}

/* The line of the program's own component, the first that is not the list's; without bytes when
 * there is none. */
static struct span own_line(struct span sbat)
{
    for (; sbat.size > 0; sbat = rest_behind(sbat, '\n')) {
        struct span line = until(sbat, '\n');
        struct span component = until(line, ',');
        if (component.size < line.size && !is_text(component, "sbat"))
            return line;
    }
    return span_of(NULL, 0);
}

enum pe_mark pe_mark_of_sbat(struct span sbat)
{
    struct span component = until(own_line(sbat), ',');

    for (size_t i = 0; component.size > 0 && i < sizeof(components) / sizeof(components[0]); i++) {
        if (is_text(component, components[i].component))
            return components[i].mark;
    }
    return PE_MARK_NONE;
}

#define VERSION_FIELD 4 /* from 0 */
#define VERSION_PARTS 3
#define PART_BITS     10

uint32_t pe_mark_version(struct span sbat)
{
    struct span rest = own_line(sbat);
    uint32_t version = 0;

    for (int i = 0; i < VERSION_FIELD; i++)
        rest = rest_behind(rest, ',');
    rest = until(rest, ',');
    for (int i = 0; i < VERSION_PARTS; i++) {
        struct span part = until(rest, '.');
        uint32_t number = 0;
        for (size_t at = 0; at < part.size; at++) {
            if (part.at[at] < '0' || part.at[at] > '9')
                return 0;
            number = number * 10 + (part.at[at] - (uint32_t)'0');
            if (number >> PART_BITS != 0)
                return 0;
        }
        version = version << PART_BITS | number;
        rest = rest_behind(rest, '.');
    }
    return version;
}

/* No beginning of it but the first letter comes again before its last one. */
static const char pdb_name[] = "bootmgfw.pdb";

void pe_pdb_feed(struct pe_pdb_search *search, struct span piece)
{
    for (size_t i = 0; i < piece.size && !pe_pdb_found(search); i++) {
        if (search->matched == 0)
            i += span_find_pair(span_part(piece, i, piece.size - i), (uint8_t)pdb_name[0],
                                (uint8_t)pdb_name[1]);
        if (i == piece.size)
            return;
        bool goes_on = piece.at[i] == (uint8_t)pdb_name[search->matched];
        bool begins = piece.at[i] == (uint8_t)pdb_name[0];
        search->matched = goes_on ? search->matched + 1 : begins ? 1 : 0;
    }
}

bool pe_pdb_found(const struct pe_pdb_search *search)
{
    return search->matched == sizeof(pdb_name) - 1;
}
