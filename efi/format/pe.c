#include "format/pe.h"

#include "base/mem.h"

#define BLOCK_SIZE 512u  /* what a damaged cluster is a multiple of */
#define PAGE_SIZE  4096u /* zeros of this size in code are damage */

#define CHECKSUM_SIZE     4u
#define DIRECTORY_SIZE    8u
#define LOADER_FLAGS_SIZE 2u
#define LOADER_FLAGS_AT   6u /* behind the start of the checksum */

void pe_check_start(struct pe_check *check, uint64_t size, const char *architecture)
{
    memset(check, 0, sizeof(*check));
    check->size = size;
    check->architecture = architecture;
    check->headers_status = ST_ABSENT;
    check->all_zero = true;
    sha256_start(&check->digest);
}

static struct span overlap_start(const struct pe_check *check)
{
    return span_of(check->start, check->start_used);
}

/* The part of `piece`, which is at `at` of the file, that lies in [first, end). */
static struct span overlap(struct span piece, uint64_t at, uint64_t first, uint64_t end)
{
    uint64_t from = first > at ? first : at;
    uint64_t to = end < at + piece.size ? end : at + piece.size;

    if (from >= to)
        return span_of(NULL, 0);
    return span_part(piece, from - at, to - from);
}

/* Adds to `buffer` what of [first, first + capacity) is in the piece; pieces come in order, and one
 * that was there before adds nothing. */
static void capture(struct span piece, uint64_t at, uint64_t first, uint8_t *buffer,
                    size_t capacity, size_t *used)
{
    struct span part = overlap(piece, at, first + *used, first + capacity);

    if (part.size == 0 || at > first + *used)
        return;
    memcpy(buffer + *used, part.at, part.size);
    *used += part.size;
}

/* Keeps what is wanted of the certificate table. */
static void capture_signature(struct pe_check *check, struct span piece, uint64_t at)
{
    uint64_t table = check->headers.certificates;
    uint64_t table_size = check->headers.certificates_size;
    size_t head_size = table_size < PE_SIGNATURE_HEAD ? (size_t)table_size : PE_SIGNATURE_HEAD;

    capture(piece, at, table, check->certificate_head, head_size, &check->certificate_used);
    if (check->certificate_used < head_size)
        return;
    struct span head = span_of(check->certificate_head, head_size);
    if (check->signature.size == 0 &&
        pe_signature_locate(head, table_size, &check->signature) != ST_OK)
        return;
    uint64_t left = table_size - check->signature.digest;
    size_t info_size = left < PE_DIGEST_INFO_MAX ? (size_t)left : PE_DIGEST_INFO_MAX;
    uint64_t info = table + check->signature.digest;
    capture(head, table, info, check->digest_info, info_size, &check->digest_info_used);
    capture(piece, at, info, check->digest_info, info_size, &check->digest_info_used);
}

/* Authenticode: everything but the checksum, the certificate table and its directory entry. */
static void feed_digest(struct pe_check *check, struct span piece, uint64_t at)
{
    const struct pe_headers *headers = &check->headers;
    uint64_t behind_checksum = headers->checksum_offset + CHECKSUM_SIZE;
    uint64_t behind_directory = headers->directory_offset + DIRECTORY_SIZE;

    sha256_feed(&check->digest, overlap(piece, at, 0, headers->checksum_offset));
    sha256_feed(&check->digest, overlap(piece, at, behind_checksum, headers->directory_offset));
    sha256_feed(&check->digest, overlap(piece, at, behind_directory, headers->certificates));
}

/* The sum of little-endian 16-bit words at even offsets of the file. */
static uint64_t sum_words(struct span piece, uint64_t at)
{
    uint64_t sum = 0;
    size_t i = 0;

    if (at % 2 != 0 && piece.size > 0)
        sum = (uint64_t)piece.at[i++] << 8;
    for (; piece.size - i >= 2; i += 2)
        sum += ld_le16(piece.at + i);
    if (i < piece.size)
        sum += piece.at[i];
    return sum;
}

/* The block that ends at `end` of the file has been seen. */
static void finish_block(struct pe_check *check, uint64_t end)
{
    uint64_t first = check->headers.certificates;
    uint64_t size = check->signature.size;

    check->zero_blocks = check->block_is_zero ? check->zero_blocks + 1 : 0;
    if (check->headers_status != ST_OK || check->zero_blocks == 0)
        return;
    if (size == 0)
        size = check->headers.certificates_size;
    if (first != 0 && end - BLOCK_SIZE >= first && end <= first + size)
        check->zero_certificates = true;
    if (end % PAGE_SIZE == 0 && check->zero_blocks >= PAGE_SIZE / BLOCK_SIZE &&
        pe_headers_is_code(overlap_start(check), &check->headers, end - PAGE_SIZE, PAGE_SIZE))
        check->zero_code = true;
}

static void look_for_zeros(struct pe_check *check, struct span piece, uint64_t at)
{
    while (piece.size > 0) {
        size_t left = BLOCK_SIZE - (size_t)(at % BLOCK_SIZE);
        size_t size = piece.size < left ? piece.size : left;
        bool is_zero = span_is_zero(span_part(piece, 0, size));
        check->all_zero = check->all_zero && is_zero;
        check->block_is_zero = is_zero && (check->block_is_zero || left == BLOCK_SIZE);
        at += size;
        if (size == left)
            finish_block(check, at);
        piece = span_part(piece, size, piece.size - size);
    }
}

/* Keeps what tells which program it is. */
static void capture_marks(struct pe_check *check, struct span piece, uint64_t at)
{
    size_t wanted = check->sbat.size < PE_SBAT_HEAD ? (size_t)check->sbat.size : PE_SBAT_HEAD;

    capture(piece, at, check->sbat.offset, check->sbat_head, wanted, &check->sbat_used);
    pe_pdb_feed(&check->pdb, piece);
}

/* Bytes at `at`, once the headers have been read. */
static void look_at_headers(struct pe_check *check, struct span piece, uint64_t at)
{
    if (check->headers_status == ST_OK) {
        check->sum += sum_words(piece, at);
        if (check->headers.certificates != 0)
            capture_signature(check, piece, at);
        if (check->digest_wanted)
            feed_digest(check, piece, at);
        capture_marks(check, piece, at);
    }
    look_for_zeros(check, piece, at);
}

static void read_headers(struct pe_check *check)
{
    struct span start = overlap_start(check);

    check->headers_status = pe_headers_parse(start, check->size, &check->headers);
    if (check->headers_status != ST_OK)
        return;
    check->digest_wanted = check->headers.certificates != 0 &&
                           pe_headers_tile_file(start, &check->headers, check->size);
    if (!pe_headers_find_section(start, &check->headers, ".sbat", &check->sbat))
        check->sbat.size = 0;
}

void pe_check_feed(struct pe_check *check, struct span piece)
{
    size_t wanted = check->size < PE_HEADER_MAX ? (size_t)check->size : PE_HEADER_MAX;

    piece = overlap(piece, check->at, 0, check->size);
    if (piece.size == 0)
        return;
    uint64_t at = check->at;
    check->at += piece.size;
    if (check->start_used < wanted) {
        capture(piece, at, 0, check->start, wanted, &check->start_used);
        if (check->start_used < wanted)
            return;
        read_headers(check);
        look_at_headers(check, overlap_start(check), 0);
    }
    struct span rest = overlap(piece, at, wanted, check->size);
    look_at_headers(check, rest, check->at - rest.size);
}

/* What a measure of the content says of it. */
enum proof { PROOF_NONE, PROOF_RIGHT, PROOF_WRONG };

static uint32_t fold_checksum(uint64_t sum, uint64_t size)
{
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint32_t)(sum + size);
}

static uint64_t sum_of_part(const struct pe_check *check, uint64_t offset, uint64_t size)
{
    return sum_words(span_part(overlap_start(check), offset, size), offset);
}

uint32_t pe_check_sum(const struct pe_check *check)
{
    if (check->headers_status != ST_OK)
        return 0;
    uint64_t field = sum_of_part(check, check->headers.checksum_offset, CHECKSUM_SIZE);
    return fold_checksum(check->sum - field, check->size);
}

/* The checksum is made with its own field taken as zero. Some tools set the loader's flags in a
 * finished file, whose checksum then is that of a file without any. */
static enum proof checksum_proof(const struct pe_check *check)
{
    uint64_t offset = check->headers.checksum_offset;
    uint64_t sum = check->sum - sum_of_part(check, offset, CHECKSUM_SIZE);

    if (check->headers.checksum == 0)
        return PROOF_NONE;
    if (check->headers.checksum == fold_checksum(sum, check->size))
        return PROOF_RIGHT;
    sum -= sum_of_part(check, offset + LOADER_FLAGS_AT, LOADER_FLAGS_SIZE);
    return check->headers.checksum == fold_checksum(sum, check->size) ? PROOF_RIGHT : PROOF_WRONG;
}

static enum proof digest_proof(struct pe_check *check)
{
    struct sha256 expected;

    if (!check->digest_wanted)
        return PROOF_NONE;
    struct span info = span_of(check->digest_info, check->digest_info_used);
    if (pe_signature_digest(info, &expected) != ST_OK)
        return PROOF_NONE;
    struct sha256 actual = sha256_finish(&check->digest);
    return sha256_equal(&expected, &actual) ? PROOF_RIGHT : PROOF_WRONG;
}

static bool signature_is_zero(const struct pe_check *check)
{
    if (check->headers.certificates == 0)
        return false;
    struct span header = span_part(span_of(check->certificate_head, check->certificate_used), 0, 8);
    return header.at != NULL && (check->zero_certificates || span_is_zero(header));
}

static bool code_is_zero(const struct pe_check *check)
{
    return check->zero_code && pe_headers_split_code(overlap_start(check), &check->headers);
}

static enum pe_verdict judge_content(struct pe_check *check)
{
    enum proof checksum = checksum_proof(check);
    enum proof digest = digest_proof(check);

    if (checksum == PROOF_RIGHT && digest != PROOF_WRONG)
        return PE_GOOD;
    if (checksum != PROOF_RIGHT && signature_is_zero(check))
        return PE_ZERO_FILLED;
    if (digest == PROOF_RIGHT)
        return PE_GOOD;
    if (checksum != PROOF_RIGHT && code_is_zero(check))
        return PE_ZERO_FILLED;
    if (digest == PROOF_WRONG)
        return PE_BAD_DIGEST;
    return checksum == PROOF_WRONG ? PE_BAD_CHECKSUM : PE_GOOD;
}

enum pe_verdict pe_check_finish(struct pe_check *check)
{
    if (check->size == 0)
        return PE_EMPTY;
    if (check->at < check->size)
        return PE_TRUNCATED;
    if (check->all_zero)
        return PE_ZERO;
    if (check->headers_status != ST_OK)
        return check->headers_status == ST_TOO_SMALL ? PE_TRUNCATED : PE_NOT_AN_IMAGE;
    if (!pe_machine_fits(check->headers.machine, check->architecture))
        return PE_OTHER_MACHINE;
    if (pe_headers_extent(overlap_start(check), &check->headers) > check->size)
        return PE_TRUNCATED;
    enum pe_verdict verdict = judge_content(check);
    if (verdict == PE_GOOD && !pe_subsystem_is_efi(check->headers.subsystem))
        return PE_NOT_EFI;
    return verdict;
}

enum pe_mark pe_check_mark(const struct pe_check *check)
{
    struct pe_section section;

    if (check->headers_status != ST_OK)
        return PE_MARK_NONE;
    if (pe_headers_find_section(overlap_start(check), &check->headers, ".linux", &section))
        return PE_MARK_KERNEL;
    enum pe_mark mark = pe_mark_of_sbat(span_of(check->sbat_head, check->sbat_used));
    if (mark != PE_MARK_NONE)
        return mark;
    if (pe_headers_find_section(overlap_start(check), &check->headers, ".sdmagic", &section))
        return PE_MARK_SYSTEMD_BOOT;
    return pe_pdb_found(&check->pdb) ? PE_MARK_WINDOWS_MANAGER : PE_MARK_NONE;
}

uint32_t pe_check_version(const struct pe_check *check)
{
    if (check->headers_status != ST_OK)
        return 0;
    return pe_mark_version(span_of(check->sbat_head, check->sbat_used));
}

static const struct {
    const char *text;
    bool refused;
} verdicts[PE_VERDICT_COUNT] = {
    [PE_GOOD] = {"it is whole", false},
    [PE_NOT_AN_IMAGE] = {"it is not an EFI program", true},
    [PE_EMPTY] = {"it is empty", true},
    [PE_ZERO] = {"it holds nothing but zeros", true},
    [PE_OTHER_MACHINE] = {"it is a program for another architecture", true},
    [PE_NOT_EFI] = {"it is a program, but not one that firmware starts", true},
    [PE_TRUNCATED] = {"it is shorter than its own headers say", true},
    [PE_ZERO_FILLED] = {"parts of it have been overwritten with zeros", false},
    [PE_BAD_CHECKSUM] = {"its content does not match the checksum in its header", false},
    [PE_BAD_DIGEST] = {"its content is not what was signed", false},
};

const char *pe_verdict_text(enum pe_verdict verdict)
{
    if ((unsigned)verdict >= PE_VERDICT_COUNT)
        return "it has an unknown problem";
    return verdicts[verdict].text;
}

bool pe_verdict_is_refused(enum pe_verdict verdict)
{
    return (unsigned)verdict < PE_VERDICT_COUNT && verdicts[verdict].refused;
}
