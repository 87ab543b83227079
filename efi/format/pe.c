#include "format/pe.h"

#include "base/mem.h"
#include "base/wide.h"
#include "pe_piece.h"

#define BLOCK_SIZE 512u  /* what a damaged cluster is a multiple of */
#define PAGE_SIZE  4096u /* zeros of this size in code are damage */

#define SUM_MOST 0x20000u /* bytes: 8,192 times two words in 32 bits, with room to spare */

#define CHECKSUM_SIZE     4u
#define DIRECTORY_SIZE    8u
#define LOADER_FLAGS_SIZE 2u
#define LOADER_FLAGS_AT   6u /* behind the start of the checksum */

void pe_check_start(struct pe_check *check, uint64_t size, const char *architecture, bool looked_up)
{
    memset(check, 0, offsetof(struct pe_check, table));
    check->size = size;
    check->architecture = architecture;
    check->looked_up = looked_up;
    check->headers_status = ST_ABSENT;
    check->all_zero = true;
    sha256_start(&check->digest_state);
}

static struct span overlap_start(const struct pe_check *check)
{
    return span_of(check->start, check->start_used);
}

/* What of the certificate table is looked into. */
static size_t table_wanted(const struct pe_check *check)
{
    uint64_t size = check->headers.certificates_size;

    return size < PE_TABLE_MAX ? (size_t)size : PE_TABLE_MAX;
}

/* Authenticode: everything but the checksum, the certificate table and its directory entry. */
static void feed_digest(struct pe_check *check, struct span piece, uint64_t at)
{
    const struct pe_headers *headers = &check->headers;
    uint64_t end = headers->certificates != 0 ? headers->certificates : check->size;
    const uint64_t left_out[][2] = {{headers->checksum_offset, CHECKSUM_SIZE},
                                    {headers->directory_offset, DIRECTORY_SIZE}};
    uint64_t from = 0;

    for (size_t i = 0; i < 2 && left_out[i][0] != 0; i++) {
        sha256_feed(&check->digest_state, piece_overlap(piece, at, from, left_out[i][0]));
        from = left_out[i][0] + left_out[i][1];
    }
    sha256_feed(&check->digest_state, piece_overlap(piece, at, from, end));
}

/* Adds the 16-bit words of as many bytes as come in units, and as sums of 32 bits have room for. */
static size_t sum_units(struct span piece, uint64_t *io_sum)
{
    size_t size = (piece.size < SUM_MOST ? piece.size : SUM_MOST) / sizeof(wide) * sizeof(wide);
    wide_quads sums = {0, 0, 0, 0}; /* each of every fourth pair of words */

    for (size_t i = 0; i < size; i += sizeof(wide)) {
        wide_quads pairs = *(const wide_quads *)(piece.at + i);
        sums += (pairs & 0xffff) + (pairs >> 16);
    }
    *io_sum += (uint64_t)sums[0] + sums[1] + sums[2] + sums[3];
    return size;
}

/* The sum of little-endian 16-bit words at even offsets of the file. */
static uint64_t sum_words(struct span piece, uint64_t at)
{
    uint64_t sum = 0;
    size_t i = 0;

    if (at % 2 != 0 && piece.size > 0)
        sum = (uint64_t)piece.at[i++] << 8;
    while (piece.size - i >= sizeof(wide))
        i += sum_units(span_part(piece, i, piece.size - i), &sum);
    for (; piece.size - i >= 2; i += 2)
        sum += ld_le16(piece.at + i);
    if (i < piece.size)
        sum += piece.at[i];
    return sum;
}

/* The block that ends at `end` of the file has been seen. */
static void finish_block(struct pe_check *check, uint64_t end)
{
    check->zero_blocks = check->block_is_zero ? check->zero_blocks + 1 : 0;
    if (check->headers_status != ST_OK || check->zero_blocks == 0)
        return;
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

    piece_capture(piece, at, check->sbat.offset, check->sbat_head, wanted, &check->sbat_used);
    pe_levels_feed(&check->levels, piece, at);
    pe_pdb_feed(&check->pdb, piece);
    pe_resources_feed(&check->resources, piece, at);
}

/* Bytes at `at`, once the headers have been read. */
static void look_at_headers(struct pe_check *check, struct span piece, uint64_t at)
{
    if (check->headers_status == ST_OK) {
        check->sum += sum_words(piece, at);
        if (check->headers.certificates != 0)
            piece_capture(piece, at, check->headers.certificates, check->table, table_wanted(check),
                          &check->table_used);
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
    check->digest_wanted = (check->looked_up || check->headers.certificates != 0) &&
                           pe_headers_tile_file(start, &check->headers, check->size);
    if (!pe_headers_find_section(start, &check->headers, ".sbat", &check->sbat))
        check->sbat.size = 0;
    pe_levels_start(&check->levels, start, &check->headers);
    struct pe_section section;
    if (!pe_headers_find_section(start, &check->headers, ".rsrc", &section))
        section.size = 0;
    pe_resources_start(&check->resources, &section);
}

void pe_check_feed(struct pe_check *check, struct span piece)
{
    size_t wanted = check->size < PE_HEADER_MAX ? (size_t)check->size : PE_HEADER_MAX;

    piece = piece_overlap(piece, check->at, 0, check->size);
    if (piece.size == 0)
        return;
    uint64_t at = check->at;
    check->at += piece.size;
    if (check->start_used < wanted) {
        piece_capture(piece, at, 0, check->start, wanted, &check->start_used);
        if (check->start_used < wanted)
            return;
        read_headers(check);
        look_at_headers(check, overlap_start(check), 0);
    }
    struct span rest = piece_overlap(piece, at, wanted, check->size);
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

/* The first signature; its status says whether it is meaningful. */
static struct pe_signature first_signature(const struct pe_check *check)
{
    struct span table = span_of(check->table, check->table_used);
    struct pe_signature signature = {.status = ST_UNSUPPORTED};
    size_t at = 0;

    if (pe_signature_next(table, &at, &signature) != ST_OK)
        signature.status = ST_UNSUPPORTED;
    return signature;
}

static enum proof digest_proof(const struct pe_check *check, const struct pe_signature *signature)
{
    if (!check->digest_wanted || signature->status != ST_OK)
        return PROOF_NONE;
    return sha256_equal(&signature->digest, &check->digest) ? PROOF_RIGHT : PROOF_WRONG;
}

/* True when a block of the file that lies in the signature is zero, or its header is. */
static bool signature_is_zero(const struct pe_check *check, const struct pe_signature *signature)
{
    struct span table = span_of(check->table, check->table_used);
    uint64_t first = check->headers.certificates;
    uint64_t size = signature->status == ST_OK ? signature->size : table.size;
    uint64_t at = (BLOCK_SIZE - first % BLOCK_SIZE) % BLOCK_SIZE;
    struct span header = span_part(table, 0, 8);

    if (header.at == NULL || first == 0)
        return false;
    for (; at + BLOCK_SIZE <= size; at += BLOCK_SIZE) {
        if (span_is_zero(span_part(table, at, BLOCK_SIZE)))
            return true;
    }
    return span_is_zero(header);
}

static bool code_is_zero(const struct pe_check *check)
{
    return check->zero_code && pe_headers_split_code(overlap_start(check), &check->headers);
}

static enum pe_verdict judge_content(const struct pe_check *check)
{
    struct pe_signature signature = first_signature(check);
    enum proof checksum = checksum_proof(check);
    enum proof digest = digest_proof(check, &signature);

    if (checksum == PROOF_RIGHT && digest != PROOF_WRONG)
        return PE_GOOD;
    if (checksum != PROOF_RIGHT && signature_is_zero(check, &signature))
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
    if (check->digest_wanted)
        check->digest = sha256_finish(&check->digest_state);
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

bool pe_check_digest(const struct pe_check *check, struct sha256 *ret_digest)
{
    if (!check->digest_wanted || check->at < check->size)
        return false;
    *ret_digest = check->digest;
    return true;
}

enum status pe_check_table(const struct pe_check *check, struct span *ret_table)
{
    uint64_t size = check->headers.certificates_size;

    if (check->headers_status != ST_OK || check->headers.certificates == 0)
        return ST_ABSENT;
    if (check->headers.certificates + size != check->size)
        return ST_DAMAGED;
    if (size > PE_TABLE_MAX)
        return ST_UNSUPPORTED;
    if (check->table_used < size)
        return ST_DAMAGED;
    *ret_table = span_of(check->table, check->table_used);
    return ST_OK;
}

struct span pe_check_sbat(const struct pe_check *check)
{
    return span_of(check->sbat_head, check->sbat_used);
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
