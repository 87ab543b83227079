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

enum pe_mark pe_mark_of_sbat(struct span sbat)
{
    while (sbat.size > 0) {
        struct span line = until(sbat, '\n');
        struct span component = until(line, ',');
        if (component.size < line.size && !is_text(component, "sbat")) {
            for (size_t i = 0; i < sizeof(components) / sizeof(components[0]); i++) {
                if (is_text(component, components[i].component))
                    return components[i].mark;
            }
            return PE_MARK_NONE;
        }
        if (line.size == sbat.size)
            break;
        sbat = span_part(sbat, line.size + 1, sbat.size - line.size - 1);
    }
    return PE_MARK_NONE;
}

/* No beginning of it but the first letter comes again before its last one. */
static const char pdb_name[] = "bootmgfw.pdb";

void pe_pdb_feed(struct pe_pdb_search *search, struct span piece)
{
    for (size_t i = 0; i < piece.size && !pe_pdb_found(search); i++) {
        bool goes_on = piece.at[i] == (uint8_t)pdb_name[search->matched];
        bool begins = piece.at[i] == (uint8_t)pdb_name[0];
        search->matched = goes_on ? search->matched + 1 : begins ? 1 : 0;
    }
}

bool pe_pdb_found(const struct pe_pdb_search *search)
{
    return search->matched == sizeof(pdb_name) - 1;
}
