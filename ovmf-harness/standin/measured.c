/* The protocol is EFI_TCG2_PROTOCOL (TCG EFI Protocol Specification, family 2.0), the command TPM2_PCR_Read (TPM 2.0
 * Library, part 3). */
#include "measured.h"

#define ANSWER_SIZE 128u
#define CODE_AT     6u  /* of the answer: 0 */
#define SIZE_AT     28u /* of the digest, which follows; both behind the selection that was read */
#define DIGEST_SIZE 32u

struct tcg2 {
    void *get_capability;
    void *get_event_log;
    void *hash_log_extend_event;
    EFI_STATUS(EFIAPI *submit)
    (struct tcg2 *self, UINT32 size, UINT8 *command, UINT32 answer_size, UINT8 *answer);
};

static EFI_GUID tcg2_guid = {
    0x607f766c, 0x7455, 0x42be, {0x93, 0x0b, 0xe4, 0xd7, 0x6d, 0xb2, 0x72, 0x0f}};

void print_boot_manager_measurement(void)
{
    /* Without sessions, 20 bytes; one selection of SHA-256 with three bytes of a bitmap, of PCR 4. */
    static UINT8 command[] = {0x80, 1, 0, 0, 0, 20, 0, 0,    1, 0x7e,
                              0,    0, 0, 1, 0, 11, 3, 0x10, 0, 0};
    static UINT8 answer[ANSWER_SIZE];
    void *found;

    if (EFI_ERROR(bs->LocateProtocol(&tcg2_guid, NULL, &found)))
        return;
    struct tcg2 *tcg2 = found;
    if (EFI_ERROR(tcg2->submit(tcg2, sizeof(command), command, sizeof(answer), answer)) ||
        le32(answer + CODE_AT) != 0 || answer[SIZE_AT + 1] != DIGEST_SIZE)
        return;
    print(L"\r\nPCR4=");
    for (UINTN i = 0; i < DIGEST_SIZE; i++)
        print_hex(answer[SIZE_AT + 2 + i], 2);
}
