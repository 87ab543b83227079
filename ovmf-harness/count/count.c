/*
 * A plugin for QEMU's translator that counts the instructions a virtual machine carries out.
 *
 *   qemu-system-x86_64 -plugin count.so,out=FILE ...
 *
 * FILE is SLOTS counters of 64 bits, and lies in memory, so it can be read at any time: the sum of all
 * is the number of instructions so far. Each counter is that of the blocks of code whose address it
 * stands for, mostly of one. An instruction that repeats itself (REP STOSB) counts once, as it does in a
 * processor: QEMU makes each further turn a block of its own, and those are left out.
 *
 * What is called is of QEMU's plugin interface, version 1 (its documentation, "QEMU TCG Plugins"),
 * which is declared here: Debian has no header of it.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SLOTS_SHIFT 20
#define SLOTS       ((size_t)1 << SLOTS_SHIFT)
#define SPREAD      0x9e3779b97f4a7c15u /* 2^64 by the golden ratio: near addresses come to lie apart */
/* Prefixes (Intel SDM volume 2, 2.1.1 and 2.2.1). */
#define OPERAND        0x66
#define REX            0x40
#define REPEAT         0xf3
#define REPEAT_UNEQUAL 0xf2

#define EXPORTED __attribute__((visibility("default")))

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info_t;
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };
typedef void qemu_plugin_vcpu_tb_trans_cb_t(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
                                           qemu_plugin_vcpu_tb_trans_cb_t *call);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, enum qemu_plugin_op op,
                                              void *counter, uint64_t by);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);

extern int qemu_plugin_version;
int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info, int argc, char **argv);

EXPORTED int qemu_plugin_version = 1;

static uint64_t *slots;

static bool is_prefix(uint8_t byte)
{
    return byte == OPERAND || byte == REPEAT || byte == REPEAT_UNEQUAL || (byte & 0xf0) == REX;
}

/* INS and OUTS, MOVS and CMPS, STOS, LODS and SCAS (Intel SDM volume 2, REP). */
static bool is_string(uint8_t opcode)
{
    return (opcode & 0xfc) == 0x6c || (opcode & 0xfc) == 0xa4 || (opcode >= 0xaa && opcode <= 0xaf);
}

/* True for a block that is nothing but one more turn of an instruction. */
static bool is_turn(const struct qemu_plugin_tb *tb)
{
    const struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, 0);
    const uint8_t *bytes = qemu_plugin_insn_data(insn);
    size_t size = qemu_plugin_insn_size(insn);
    bool repeats = false;
    size_t at = 0;

    for (; at + 1 < size && is_prefix(bytes[at]); at++)
        repeats = repeats || bytes[at] == REPEAT || bytes[at] == REPEAT_UNEQUAL;
    return qemu_plugin_tb_n_insns(tb) == 1 && repeats && at + 1 == size && is_string(bytes[at]);
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    size_t slot = qemu_plugin_tb_vaddr(tb) * SPREAD >> (64 - SLOTS_SHIFT);

    (void)id;
    if (is_turn(tb))
        return;
    qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64, &slots[slot],
                                             qemu_plugin_tb_n_insns(tb));
}

EXPORTED int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info, int argc,
                                 char **argv)
{
    const char *name = argc == 1 ? strchr(argv[0], '=') : NULL;
    int file = name == NULL ? -1 : open(name + 1, O_RDWR | O_CREAT | O_TRUNC, 0600);

    (void)info;
    if (file < 0 || ftruncate(file, SLOTS * sizeof(*slots)) != 0)
        return -1;
    slots = mmap(NULL, SLOTS * sizeof(*slots), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (slots == MAP_FAILED)
        return -1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    return 0;
}
