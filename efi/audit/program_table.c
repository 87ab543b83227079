#include "audit/program.h"

#include "audit/compare_esps.h"
#include "base/text.h"

/* How programs are called by their architecture, as in "grubx64.efi". */
static const char *const architectures[] = {"x64", "ia32", "aa64", "arm", "riscv64", "loongarch64"};

/*
 * What a place tells. A pattern with a backslash stands for whole paths, another one for names in
 * any folder; '*' is any run of characters, '@' an architecture. The first that fits counts.
 */
static const struct {
    const char *pattern;
    struct program program;
} places[] = {
    {"shadowboot*.efi", {PROGRAM_TOOL, "shadowboot", 0}},
    {"\\EFI\\shadowboot\\*", {PROGRAM_TOOL, "shadowboot", 0}},
    {"\\EFI\\Microsoft\\Boot\\memtest.efi", {PROGRAM_TOOL, "Windows Memory Diagnostic", 0}},
    {"*memtest*.efi", {PROGRAM_TOOL, "a memory tester", 0}},
    {"mt86*.efi", {PROGRAM_TOOL, "a memory tester", 0}},
    {"\\EFI\\memtest*\\*", {PROGRAM_TOOL, "a memory tester", 0}},
    {"*shell*.efi", {PROGRAM_TOOL, "a UEFI Shell", 0}},
    {"fwup*.efi", {PROGRAM_TOOL, "a firmware updater", 0}},
    {"*flash*.efi", {PROGRAM_TOOL, "a firmware updater", 0}},
    {"*bios*.efi", {PROGRAM_TOOL, "a firmware updater", 0}},
    {"*diag*.efi", {PROGRAM_TOOL, "a diagnostics program", 0}},
    {"SecureBootRecovery.efi", {PROGRAM_TOOL, "a recovery program", 0}},
    {"*recovery*.efi", {PROGRAM_TOOL, "a recovery program", 0}},
    {"*rescue*.efi", {PROGRAM_TOOL, "a recovery program", 0}},
    {"mm@.efi", {PROGRAM_TOOL, "MokManager", 0}},
    {"MokManager.efi", {PROGRAM_TOOL, "MokManager", 0}},
    {"HashTool*.efi", {PROGRAM_TOOL, "a tool for Secure Boot", 0}},
    {"KeyTool*.efi", {PROGRAM_TOOL, "a tool for Secure Boot", 0}},
    {"LockDown*.efi", {PROGRAM_TOOL, "a tool for Secure Boot", 0}},
    {"*ipxe*.efi", {PROGRAM_TOOL, "a network boot program", 0}},
    {"snponly*.efi", {PROGRAM_TOOL, "a network boot program", 0}},
    {"gptsync*.efi", {PROGRAM_TOOL, "a partitioning tool", 0}},
    {"\\EFI\\HP\\*", {PROGRAM_TOOL, "a program of the machine's maker", 0}},
    {"\\EFI\\Hewlett-Packard\\*", {PROGRAM_TOOL, "a program of the machine's maker", 0}},
    {"\\EFI\\Dell\\*", {PROGRAM_TOOL, "a program of the machine's maker", 0}},
    {"\\EFI\\Lenovo\\*", {PROGRAM_TOOL, "a program of the machine's maker", 0}},
    {"\\EFI\\ASUS\\*", {PROGRAM_TOOL, "a program of the machine's maker", 0}},
    {"\\EFI\\Acer\\*", {PROGRAM_TOOL, "a program of the machine's maker", 0}},
    {"\\EFI\\OEM\\*", {PROGRAM_TOOL, "a program of the machine's maker", 0}},
    {"\\EFI\\Intel\\*", {PROGRAM_TOOL, "a program of the machine's maker", 0}},
    {"\\EFI\\Insyde\\*", {PROGRAM_TOOL, "a program of the machine's maker", 0}},
    {"\\EFI\\tools\\*", {PROGRAM_TOOL, "a tool", 0}},
    {"\\EFI\\utils\\*", {PROGRAM_TOOL, "a tool", 0}},
    {"\\EFI\\recovery\\*", {PROGRAM_TOOL, "a recovery program", 0}},
    {"\\EFI\\rescue\\*", {PROGRAM_TOOL, "a recovery program", 0}},

    {"*bootmgfw*.efi", {PROGRAM_WINDOWS, "Windows Boot Manager", 0}},
    {"\\EFI\\Microsoft\\*bootmgr*.efi", {PROGRAM_WINDOWS, "Windows Boot Manager", 0}},

    {"shim*.efi", {PROGRAM_SHIM, "shim", 0}},
    {"PreLoader*.efi", {PROGRAM_SHIM, "PreLoader", 0}},
    {"fb@.efi", {PROGRAM_SHIM_FALLBACK, "shim's fallback", 0}},
    {"fallback*.efi", {PROGRAM_SHIM_FALLBACK, "shim's fallback", 0}},

    {"*grub*.efi", {PROGRAM_LOADER, "GRUB", PROGRAM_ANY_SYSTEM}},
    {"gcd@.efi", {PROGRAM_LOADER, "GRUB", PROGRAM_ANY_SYSTEM}},
    {"*refind*.efi", {PROGRAM_LOADER, "rEFInd", PROGRAM_ANY_SYSTEM}},
    {"*clover*.efi", {PROGRAM_LOADER, "Clover", PROGRAM_ANY_SYSTEM}},
    {"OpenCore.efi", {PROGRAM_LOADER, "OpenCore", PROGRAM_ANY_SYSTEM}},
    {"*limine*.efi", {PROGRAM_LOADER, "Limine", PROGRAM_ANY_SYSTEM}},
    {"systemd-boot*.efi", {PROGRAM_LOADER, "systemd-boot", PROGRAM_ANY_SYSTEM}},
    {"gummiboot*.efi", {PROGRAM_LOADER, "systemd-boot", PROGRAM_ANY_SYSTEM}},
    {"\\EFI\\systemd\\*", {PROGRAM_LOADER, "systemd-boot", PROGRAM_ANY_SYSTEM}},
    {"\\EFI\\Linux\\*", {PROGRAM_LOADER, "a Linux kernel", PROGRAM_LINUX}},
    {"*vmlinuz*.efi", {PROGRAM_LOADER, "a Linux kernel", PROGRAM_LINUX}},
    {"*bzImage*.efi", {PROGRAM_LOADER, "a Linux kernel", PROGRAM_LINUX}},
    {"*zfsbootmenu*.efi", {PROGRAM_LOADER, "ZFSBootMenu", PROGRAM_LINUX}},
    {"\\EFI\\zbm\\*", {PROGRAM_LOADER, "ZFSBootMenu", PROGRAM_LINUX}},
    {"elilo*.efi", {PROGRAM_LOADER, "elilo", PROGRAM_LINUX}},
    {"*syslinux*.efi", {PROGRAM_LOADER, "syslinux", PROGRAM_LINUX}},
    {"\\EFI\\xen\\*", {PROGRAM_LOADER, "Xen", PROGRAM_LINUX}},
    {"xen*.efi", {PROGRAM_LOADER, "Xen", PROGRAM_LINUX}},
    {"\\EFI\\freebsd\\*", {PROGRAM_LOADER, "FreeBSD's loader", PROGRAM_OTHER_SYSTEM}},
    {"\\EFI\\openbsd\\*", {PROGRAM_LOADER, "OpenBSD's loader", PROGRAM_OTHER_SYSTEM}},
    {"\\EFI\\netbsd\\*", {PROGRAM_LOADER, "NetBSD's loader", PROGRAM_OTHER_SYSTEM}},
    {"\\EFI\\VMware\\*", {PROGRAM_LOADER, "ESXi's loader", PROGRAM_OTHER_SYSTEM}},
    {"*safeboot64.efi", {PROGRAM_LOADER, "ESXi's loader", PROGRAM_OTHER_SYSTEM}},
    {"loader.efi", {PROGRAM_LOADER, "a boot loader", PROGRAM_ANY_SYSTEM}},
    {"loader_lua.efi", {PROGRAM_LOADER, "FreeBSD's loader", PROGRAM_OTHER_SYSTEM}},
};

/* Folders below \EFI that distributions of Linux install themselves into. */
static const char *const linux_folders[] = {
    "debian",   "ubuntu", "fedora",    "redhat", "centos",  "rocky",   "almalinux", "oracle",
    "opensuse", "sles",   "arch",      "gentoo", "manjaro", "proxmox", "kali",      "linuxmint",
    "mint",     "pop",    "nixos",     "void",   "alpine",  "mageia",  "neon",      "elementary",
    "endless",  "amazon", "slackware", "artix",  "zorin",   "clear",   "deepin",    "parrot",
};

static size_t architecture_length(const char *text)
{
    for (size_t i = 0; i < sizeof(architectures) / sizeof(architectures[0]); i++) {
        if (text_has_prefix_nocase(text, architectures[i]))
            return text_length(architectures[i]);
    }
    return 0;
}

/* True when `pattern` stands for all of `text`. After a '*' only the last one is gone back to. */
static bool fits(const char *pattern, const char *text)
{
    const char *star = NULL;
    const char *rest = text;

    while (*text != '\0') {
        size_t architecture = *pattern == '@' ? architecture_length(text) : 0;
        if (*pattern == '*') {
            star = pattern++;
            rest = text;
        } else if (architecture > 0) {
            pattern++;
            text += architecture;
        } else if (*pattern != '\0' && text_lower(*pattern) == text_lower(*text)) {
            pattern++;
            text++;
        } else if (star != NULL) {
            pattern = star + 1;
            text = ++rest;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

struct span program_folder(const char *path)
{
    const size_t start = sizeof("\\EFI\\") - 1;
    const char *name = esp_path_name(path);

    if (!text_has_prefix_nocase(path, "\\EFI\\") || name <= path + start)
        return span_of(NULL, 0);
    size_t length = (size_t)(name - path) - start - 1;
    for (size_t i = 0; i < length; i++) {
        if (path[start + i] == '\\')
            return span_of(NULL, 0);
    }
    return span_of(path + start, length);
}

static bool is_linux_folder(const char *path)
{
    struct span folder = program_folder(path);

    if (folder.at == NULL)
        return false;
    for (size_t i = 0; i < sizeof(linux_folders) / sizeof(linux_folders[0]); i++) {
        if (text_length(linux_folders[i]) == folder.size &&
            text_has_prefix_nocase((const char *)folder.at, linux_folders[i]))
            return true;
    }
    return false;
}

struct program program_at(const char *path)
{
    const char *name = esp_path_name(path);

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        bool whole = places[i].pattern[0] == '\\';
        if (fits(places[i].pattern, whole ? path : name))
            return places[i].program;
    }
    if (is_linux_folder(path))
        return (struct program){PROGRAM_LOADER, "a Linux boot loader", PROGRAM_LINUX};
    return (struct program){PROGRAM_UNKNOWN, "", PROGRAM_ANY_SYSTEM};
}
