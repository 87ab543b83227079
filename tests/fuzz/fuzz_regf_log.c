/*
 * A registry hive whose last write was cut short, and two logs of it. The input: one byte, bits 0
 * and 1: the first and the second log are of type 1, bit 2: hashes are made right, bit 3: the base
 * block is damaged, bit 4: so is the first bin; one byte each, the logs' sequence numbers (the
 * hive's are 8 and 7); one byte, the size of the first log's content in 512 bytes; then the content
 * of the logs from 512 on.
 */
#include "format/regf/regf.h"
#include "format/regf/regf_log.h"
#include "format/regf/regf_marvin.h"
#include "fuzz/fuzz.h"
#include "unit/hive_fixture.h"

#define INPUT_MAX 16384u
#define CAPACITY  0x10000u
#define HIVE_SIZE 0x3000u

static void set_sequences(uint8_t *file, uint32_t primary, uint32_t secondary)
{
    st_le32(file + 4, primary);
    st_le32(file + 8, secondary);
    hive_sign(file);
}

/* Makes the hashes of all entries right that follow each other. */
static void correct_hashes(uint8_t *log, size_t size)
{
    size_t at = 512;

    while (size - at >= 512) {
        uint32_t entry = ld_le32(log + at + 4);
        if (entry < 512 || entry > size - at)
            return;
        st_le64(log + at + 24, regf_marvin(span_of(log + at + 40, entry - 40)));
        st_le64(log + at + 32, regf_marvin(span_of(log + at, 32)));
        at += entry;
    }
}

/* A log with that content behind a sound base block, in a block of just its size. */
static struct span make_log(const uint8_t *base, const uint8_t *content, size_t size, bool old,
                            uint8_t sequence, bool correct)
{
    uint8_t *log = malloc(512 + size);

    require(log != NULL);
    memcpy(log, base, 512);
    st_le32(log + 28, old ? 1 : 6);
    set_sequences(log, sequence, sequence);
    if (size > 0)
        memcpy(log + 512, content, size);
    if (correct)
        correct_hashes(log, 512 + size);
    return span_of(log, 512 + size);
}

static void recover(struct span hive, const struct span logs[2])
{
    uint8_t *buffer = malloc(CAPACITY);
    struct span file;

    require(buffer != NULL);
    enum regf_recovery recovery = regf_recover(hive, logs, 2, buffer, CAPACITY, &file);
    require((unsigned)recovery < REGF_RECOVERY_COUNT && regf_recovery_text(recovery) != NULL);
    if (recovery == REGF_RECOVERED) {
        require(regf_check(file) == REGF_GOOD && file.at == buffer && file.size <= CAPACITY);
        require(file.size == 0x1000 + ld_le32(buffer + 40));
        /* Once more there is nothing to do. */
        require(regf_recover(file, logs, 2, buffer, 0, &file) == REGF_RECOVERY_NOT_NEEDED);
        /* A buffer of just the size does, unless bins went on the way. */
        uint8_t *exact = malloc(file.size);
        require(exact != NULL);
        recovery = regf_recover(hive, logs, 2, exact, file.size, &file);
        require(recovery == REGF_RECOVERED || recovery == REGF_RECOVERY_TOO_SMALL);
        free(exact);
    }
    free(buffer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct hive_sample sample;
    struct span logs[2];

    if (size < 4 || size > INPUT_MAX)
        return 0;
    hive_make_sample(&sample, 3, "lf");
    require(sample.file.size == HIVE_SIZE);
    size_t first = (size_t)data[3] * 512;
    if (first > size - 4)
        first = size - 4;
    const uint8_t *content = data + 4;
    bool correct = (data[0] & 4) != 0;
    logs[0] = make_log(sample.file.at, content, first, (data[0] & 1) != 0, data[1], correct);
    logs[1] = make_log(sample.file.at, content + first, size - 4 - first, (data[0] & 2) != 0,
                       data[2], correct);
    uint8_t *hive = exact_copy(sample.file.at, sample.file.size);
    set_sequences(hive, 8, 7);
    if ((data[0] & 8) != 0)
        hive[100] ^= 1;
    if ((data[0] & 16) != 0)
        memset(hive + 0x1000, 0xee, 0x1000);
    recover(span_of(hive, sample.file.size), logs);
    free(hive);
    for (size_t i = 0; i < 2; i++)
        free((void *)logs[i].at);
    return 0;
}
