/* What objects of a boot store are called. */
#include "base/text.h"
#include "format/bcd/bcd_name.h"

#define ALIAS_SIZE 22

static const struct {
    struct guid guid;
    char name[ALIAS_SIZE];
} aliases[] = {
    {GUID_INIT(0xa5a30fa2, 0x3d06, 0x4e9f, 0xb5f4, 0xa01df9d1fcba), "fwbootmgr"},
    {GUID_INIT(0x9dea862c, 0x5cdd, 0x4e70, 0xacc1, 0xf32b344d4795), "bootmgr"},
    {GUID_INIT(0xb2721d73, 0x1db4, 0x4c62, 0xbf78, 0xc548a880142d), "memdiag"},
    {GUID_INIT(0x466f5a88, 0x0af2, 0x4f76, 0x9038, 0x095b170dc21c), "ntldr"},
    {GUID_INIT(0x466f5a88, 0x0af2, 0x4f76, 0x9038, 0x095b170dc21c), "legacy"},
    {GUID_INIT(0x7ea2e1ac, 0x2e61, 0x4728, 0xaaa3, 0x896d9d0a9f0e), "globalsettings"},
    {GUID_INIT(0x6efb52bf, 0x1766, 0x41db, 0xa6b3, 0x0ee5eff72bd7), "bootloadersettings"},
    {GUID_INIT(0x1afa9c49, 0x16ab, 0x4a5c, 0x901b, 0x212802da9460), "resumeloadersettings"},
    {GUID_INIT(0x7ff607e0, 0x4395, 0x11db, 0xb0de, 0x0800200c9a66), "hypervisorsettings"},
    {GUID_INIT(0x4636856e, 0x540f, 0x4170, 0xa130, 0xa84776f4c654), "dbgsettings"},
    {GUID_INIT(0x4636856e, 0x540f, 0x4170, 0xa130, 0xa84776f4c654), "eventsettings"},
    {GUID_INIT(0x313e8eed, 0x7098, 0x4586, 0xa9bf, 0x309c61f8d449), "kerneldbgsettings"},
    {GUID_INIT(0x0ce4991b, 0xe6b3, 0x4b16, 0xb23c, 0x5e0d9250e5d9), "emssettings"},
    {GUID_INIT(0x5189b25c, 0x5558, 0x4bf2, 0xbca4, 0x289b11bd29e2), "badmemory"},
    {GUID_INIT(0xae5534e0, 0xa924, 0x466c, 0xb836, 0x758539a3ee3a), "ramdiskoptions"},
};

#define ALIAS_COUNT (sizeof(aliases) / sizeof(aliases[0]))

const char *bcd_alias_of(const struct guid *guid)
{
    for (size_t i = 0; i < ALIAS_COUNT; i++) {
        if (guid_equal(&aliases[i].guid, guid))
            return aliases[i].name;
    }
    return NULL;
}

enum status bcd_alias_find(const char *name, struct guid *ret_guid)
{
    for (size_t i = 0; i < ALIAS_COUNT; i++) {
        if (text_equal_nocase(aliases[i].name, name)) {
            *ret_guid = aliases[i].guid;
            return ST_OK;
        }
    }
    return ST_ABSENT;
}

const char *bcd_heading(uint32_t type, const struct guid *guid)
{
    /* Objects of settings are told apart by what they are called. */
    static const char *const settings[][2] = {
        {"globalsettings", "Global Settings"},
        {"bootloadersettings", "Boot Loader Settings"},
        {"resumeloadersettings", "Resume Loader Settings"},
        {"hypervisorsettings", "Hypervisor Settings"},
        {"dbgsettings", "Debugger Settings"},
        {"kerneldbgsettings", "Kernel Debugger Settings"},
        {"emssettings", "EMS Settings"},
        {"badmemory", "RAM Defects"},
        {"ramdiskoptions", "Setup Ramdisk Options"},
    };
    static const struct {
        uint32_t type;
        const char *text;
    } kinds[] = {
        {0x10100001, "Firmware Boot Manager"},
        {0x10100002, "Windows Boot Manager"},
        {0x101fffff, "Firmware Application (101fffff)"},
        {0x10200003, "Windows Boot Loader"},
        {0x10200004, "Resume from Hibernate"},
        {0x10200005, "Windows Memory Tester"},
        {0x10300006, "Windows Legacy OS Loader"},
        {0x10400008, "Real-mode Boot Sector"},
        {0x30000000, "Device options"},
    };
    const char *alias = bcd_alias_of(guid);

    for (size_t i = 0; alias != NULL && i < sizeof(settings) / sizeof(settings[0]); i++) {
        if (text_equal(settings[i][0], alias))
            return settings[i][1];
    }
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (kinds[i].type == type)
            return kinds[i].text;
    }
    return type >> 28 == 2 ? "Settings" : "Boot Application";
}
