/*
 * An EFI program. The input: one byte, the architecture; one byte, 1 to correct the checksum first,
 * so that what is behind it is reached; 2 bytes, the size of the pieces it is fed in; then the
 * file.
 */
#include "format/pe.h"
#include "fuzz/fuzz.h"

#define PREFIX_SIZE 4u
#define SIZE_LIMIT  131072u

static const char *const architectures[] = {"X64", "IA32", "AA64", "ARM", "RISCV64", "other"};

/* The verdict on a file of whose bytes only the first `fed` could be read. */
static enum pe_verdict check(struct span file, size_t fed, size_t piece_size,
                             const char *architecture)
{
    struct pe_check *check = malloc(sizeof(*check));

    require(check != NULL);
    pe_check_start(check, file.size, architecture, true);
    for (size_t at = 0; at < fed; at += piece_size) {
        size_t left = fed - at < piece_size ? fed - at : piece_size;
        uint8_t *piece = exact_copy(file.at + at, left);
        pe_check_feed(check, span_of(piece, left));
        free(piece);
    }
    enum pe_verdict verdict = pe_check_finish(check);
    free(check);
    require((unsigned)verdict < PE_VERDICT_COUNT && pe_verdict_text(verdict) != NULL);
    return verdict;
}

static void correct_checksum(uint8_t *file, size_t size)
{
    uint32_t sum = 0;

    if (size < 64 || ld_le32(file + 60) > size || size - ld_le32(file + 60) < 92)
        return;
    uint8_t *checksum = file + ld_le32(file + 60) + 88;
    st_le32(checksum, 0);
    for (size_t i = 0; i < size; i++) {
        sum += (uint32_t)file[i] << (i % 2 * 8);
        sum = (sum & 0xffff) + (sum >> 16);
    }
    st_le32(checksum, sum + (uint32_t)size);
}

/* What a file that passes has in common with every other. */
static void check_good(struct span file, bool corrected)
{
    struct pe_headers headers;
    struct span start = span_part(file, 0, file.size < PE_HEADER_MAX ? file.size : PE_HEADER_MAX);

    require(file.size >= 64 && memcmp(file.at, "MZ", 2) == 0);
    require(pe_headers_parse(start, file.size, &headers) == ST_OK);
    require(pe_headers_extent(start, &headers) <= file.size && headers.size <= file.size);
    require(pe_subsystem_is_efi(headers.subsystem));
    require(!corrected || headers.checksum != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < PREFIX_SIZE || size > SIZE_LIMIT)
        return 0;
    const char *architecture =
        architectures[data[0] % (sizeof(architectures) / sizeof(architectures[0]))];
    bool correct = data[1] == 1;
    size_t piece_size = ld_le16(data + 2) % 16384u + 1;
    size_t file_size = size - PREFIX_SIZE;
    uint8_t *bytes = exact_copy(data + PREFIX_SIZE, file_size);
    struct span file = span_of(bytes, file_size);

    if (correct)
        correct_checksum(bytes, file_size);
    enum pe_verdict verdict = check(file, file_size, file_size + 1, architecture);
    if (file_size / piece_size < 4096)
        require(check(file, file_size, piece_size, architecture) == verdict);
    if (verdict == PE_GOOD)
        check_good(file, correct);
    if (file_size > 0)
        require(check(file, file_size - 1, file_size, architecture) == PE_TRUNCATED);
    require((verdict == PE_EMPTY) == (file_size == 0));
    free(bytes);
    return 0;
}
