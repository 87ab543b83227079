#include "sweep/content.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "host/host_alloc.h"
#include "sweep/truth_system.h"
#include "unit/windows_fixture.h"

#define PE_AT        0x80u
#define HEADERS      0x400u
#define TEXT_SIZE    0x800u
#define DATA_SIZE    0x600u
#define SBAT_SIZE    0x200u
#define DATA_AT      (HEADERS + TEXT_SIZE)
#define SBAT_AT      (DATA_AT + DATA_SIZE)
#define PROGRAM_SIZE (SBAT_AT + SBAT_SIZE + TRUTH_NAME)

static uint64_t hash_of(const char *text)
{
    uint64_t hash = 0xcbf29ce484222325u;

    for (; *text != 0; text++)
        hash = (hash ^ (uint8_t)*text) * 0x100000001b3u;
    return hash;
}

/* No byte of it is zero. */
static void fill(uint8_t *at, size_t size, const char *name)
{
    uint64_t state = hash_of(name) | 1;

    for (size_t i = 0; i < size; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        at[i] = (uint8_t)(state >> 40 | 1);
    }
}

/* --- Programs ------------------------------------------------------------------------------- */

static void put_section(uint8_t *at, const char *name, uint32_t place, uint32_t size,
                        uint32_t address, uint32_t flags)
{
    memcpy(at, name, strlen(name));
    st_le32(at + 8, size);
    st_le32(at + 12, address);
    st_le32(at + 16, size);
    st_le32(at + 20, place);
    st_le32(at + 36, flags);
}

static void put_headers(uint8_t *image)
{
    uint8_t *pe = image + PE_AT;
    uint8_t *optional = pe + 24;

    memcpy(image, "MZ", 2);
    st_le32(image + 60, PE_AT);
    memcpy(pe, "PE\0\0", 4);
    st_le16(pe + 4, 0x8664);
    st_le16(pe + 6, 3);
    st_le16(pe + 20, 112 + 16 * 8);
    st_le16(pe + 22, 0x22);
    st_le16(optional, 0x20b);
    st_le32(optional + 4, TEXT_SIZE);
    st_le32(optional + 16, 0x1000); /* entry point */
    st_le32(optional + 20, 0x1000);
    st_le32(optional + 32, 0x1000); /* alignment in memory and in the file */
    st_le32(optional + 36, 0x200);
    st_le32(optional + 56, 0x4000);
    st_le32(optional + 60, HEADERS);
    st_le16(optional + 68, 10);
    st_le32(optional + 108, 16);
    put_section(optional + 240, ".text", HEADERS, TEXT_SIZE, 0x1000, 0x60000020);
    put_section(optional + 280, ".data", DATA_AT, DATA_SIZE, 0x2000, 0xc0000040);
    put_section(optional + 320, ".sbat", SBAT_AT, SBAT_SIZE, 0x3000, 0x40000040);
}

/* What a program says of itself. */
static void put_marks(uint8_t *image, const char *name)
{
    static const char *const components[] = {"shim", "grub", "systemd-boot", "memtest86+",
                                             "fwupd-efi"};
    size_t length = strcspn(name, ".@");

    memset(image + SBAT_AT, 0, SBAT_SIZE);
    if (strncmp(name, "bootmgfw", 8) == 0)
        memcpy(image + DATA_AT + 64, "RSDS................bootmgfw.pdb", 33);
    if (strncmp(name, "fallback", length) == 0)
        name = "shim", length = 4; /* it is built with shim and has its mark */
    for (size_t i = 0; i < sizeof(components) / sizeof(components[0]); i++) {
        if (strncmp(components[i], name, length) == 0)
            snprintf((char *)image + SBAT_AT, SBAT_SIZE,
                     "sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md\n"
                     "%s,1,Vendor,%s,1,https://example.org\n",
                     components[i], components[i]);
    }
}

static void set_checksum(uint8_t *image)
{
    uint8_t *field = image + PE_AT + 24 + 64;
    uint32_t sum = 0;

    st_le32(field, 0);
    for (size_t i = 0; i < PROGRAM_SIZE; i += 2) {
        sum += ld_le16(image + i);
        sum = (sum & 0xffff) + (sum >> 16);
    }
    st_le32(field, sum + PROGRAM_SIZE);
}

struct content content_program(const char *name)
{
    struct content program = {host_alloc(1, PROGRAM_SIZE), PROGRAM_SIZE};

    put_headers(program.at);
    fill(program.at + HEADERS, SBAT_AT - HEADERS, name);
    put_marks(program.at, name);
    memcpy(program.at + PROGRAM_SIZE - TRUTH_NAME, name, strlen(name));
    set_checksum(program.at);
    return program;
}

/* --- Other files ---------------------------------------------------------------------------- */

struct content content_store(const char *name)
{
    struct span plain = windows_store();
    struct content store = {host_copy(plain.at, plain.size), plain.size};

    memcpy(store.at + store.size - TRUTH_NAME, name, strlen(name));
    return store;
}

struct content content_csv(const char *name)
{
    char text[200];
    int length = snprintf(text, sizeof(text), "shimx64.efi,%s,,", name);
    struct content csv = {host_alloc(2, (size_t)length + 1), 2 * ((size_t)length + 1)};

    st_le16(csv.at, 0xfeff);
    for (int i = 0; i < length; i++)
        st_le16(csv.at + 2 + 2 * i, (uint8_t)text[i]);
    return csv;
}

struct content content_filler(const char *name, size_t size)
{
    struct content filler = {host_alloc(1, size), size};

    fill(filler.at, size, name);
    return filler;
}

/* --- Volumes of Linux ------------------------------------------------------------------------ */

void content_md(const char *name, unsigned index, unsigned members, uint64_t sectors,
                uint8_t ret_block[CONTENT_MD_SIZE])
{
    static const uint32_t data_offset = 2048;
    uint64_t set = hash_of(name);
    uint64_t sum = 0;

    memset(ret_block, 0, CONTENT_MD_SIZE);
    st_le32(ret_block, 0xa92b4efc);
    st_le32(ret_block + 4, 1);
    st_le64(ret_block + 16, set);
    st_le64(ret_block + 24, ~set);
    memcpy(ret_block + 32, name, strlen(name));
    st_le64(ret_block + 64, 1747000000);
    st_le32(ret_block + 72, 1); /* RAID 1 */
    st_le64(ret_block + 80, sectors - data_offset);
    st_le32(ret_block + 92, members);
    st_le64(ret_block + 128, data_offset);
    st_le64(ret_block + 136, sectors - data_offset);
    st_le64(ret_block + 144, 8);
    st_le32(ret_block + 160, index);
    st_le64(ret_block + 168, set ^ (index + 1));
    st_le64(ret_block + 176, set + index);
    st_le64(ret_block + 192, 1747000000);
    st_le64(ret_block + 200, 17);
    st_le64(ret_block + 208, UINT64_MAX);
    st_le32(ret_block + 220, 128);
    for (unsigned i = 0; i < 128; i++)
        st_le16(ret_block + 256 + 2 * i, i < members ? (uint16_t)i : 0xffff);
    for (unsigned i = 0; i < CONTENT_MD_SIZE; i += 4)
        sum += ld_le32(ret_block + i);
    st_le32(ret_block + 216, (uint32_t)((sum & 0xffffffff) + (sum >> 32)));
}

void content_ext(const char *name, uint8_t ret_block[CONTENT_EXT_SIZE])
{
    memset(ret_block, 0, CONTENT_EXT_SIZE);
    st_le32(ret_block, 128);      /* inodes */
    st_le32(ret_block + 4, 2048); /* blocks */
    st_le32(ret_block + 20, 1);   /* first block */
    st_le16(ret_block + 56, 0xef53);
    st_le16(ret_block + 58, 1);
    st_le32(ret_block + 76, 1);
    st_le64(ret_block + 104, hash_of(name));
    memcpy(ret_block + 120, name, strlen(name));
}
