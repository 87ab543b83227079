"""The firmware that virtual machines run: here alone stands which one, and what hangs on it.

$SHADOWBOOT_FIRMWARE names one of FIRMWARES; without it that is OVMF for x64. Debian's packages:

    ovmf        x64                        ovmf
    ovmf-ia32   32-bit PC                  ovmf-ia32: there is one with SMM alone, which is slow
    aavmf       arm64, edk2 as well        qemu-efi-aarch64
    u-boot      arm64, U-Boot's own UEFI   u-boot-qemu: no flash for variables, no Shell
"""
import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = Path(os.environ.get('SHADOWBOOT_BUILD', ROOT / 'build')).absolute()
# What firmware waits for at a PS/2 port and at the empty SATA ports of the chipset is a tenth of its way to the Shell.
PC = ('-accel', 'tcg', '-machine', 'q35,sata=off,i8042=off', '-device', 'VGA,addr=0x1')
DESK = ('-accel', 'tcg', '-machine', 'q35', '-device', 'VGA,addr=0x1')
PC_SMM = ('-accel', 'tcg', '-machine', 'q35,smm=on,sata=off,i8042=off', '-device', 'VGA,addr=0x1',
          '-global', 'driver=cfi.pflash01,property=secure,value=on', '-global', 'ICH9-LPC.disable_s3=1')
ARM = ('-accel', 'tcg', '-machine', 'virt', '-cpu', 'cortex-a57')


@dataclass(frozen=True)
class Firmware:
    name: str
    arch: str                    # as in BOOT<ARCH>.EFI, lower case
    qemu: str
    parts: tuple                 # QEMU's arguments for the machine itself
    code: Path
    variables: Path = None       # the flash for variables as it is delivered; None: there is none
    memory: int = 128            # MiB
    early: bool = False          # machines may start from a state, see early.py
    desk: tuple = ()             # `parts` of a machine with a PS/2 keyboard and the chipset's SATA
    shell_volume: str = '7cb8bdc9-f8eb-4f34-aaea-3ee4af6516a1'   # where the Shell lies
    instead: tuple = ()          # (kind of disk, kind that stands in for it)
    prompt: str = r'Shell> \Z'   # where it ends when nothing starts
    title: str = 'OVMF x64'      # in the README

    @property
    def fallback(self):
        """The removable-media path."""
        return f'/EFI/BOOT/BOOT{self.arch.upper()}.EFI'

    @property
    def program(self):
        """The firmware program."""
        return Path(os.environ.get('SHADOWBOOT_EFI', BUILD / f'shadowboot{self.arch}.efi')).absolute()

    @property
    def standin(self):
        """The stand-in boot manager."""
        return Path(os.environ.get('SHADOWBOOT_STANDIN', BUILD / self.arch / 'standin.efi')).absolute()

    def kind_of(self, kind):
        """The kind of disk (disk.KINDS) to take for this one."""
        return dict(self.instead).get(kind, kind)


OVMF, AAVMF = Path('/usr/share/OVMF'), Path('/usr/share/AAVMF')
FIRMWARES = {each.name: each for each in (
    Firmware('ovmf', 'x64', 'qemu-system-x86_64', PC, OVMF / 'OVMF_CODE_4M.fd', OVMF / 'OVMF_VARS_4M.fd',
             early=True, desk=DESK),
    Firmware('ovmf-ia32', 'ia32', 'qemu-system-i386', PC_SMM, OVMF / 'OVMF32_CODE_4M.secboot.fd',
             OVMF / 'OVMF32_VARS_4M.fd', title='OVMF ia32'),
    Firmware('aavmf', 'aa64', 'qemu-system-aarch64', ARM, AAVMF / 'AAVMF_CODE.fd', AAVMF / 'AAVMF_VARS.fd',
             memory=256, shell_volume='64074afe-340a-4be6-94ba-91b5b4d0f71e', instead=(('ahci', 'virtio-blk'),),
             title='AAVMF'),
    Firmware('u-boot', 'aa64', 'qemu-system-aarch64', ARM, Path('/usr/lib/u-boot/qemu_arm64/u-boot.bin'),
             memory=256, instead=(('nvme', 'virtio-blk'), ('ahci', 'virtio-blk'), ('usb', 'usb2')), title='U-Boot', prompt=r'(?:^|\n)=> \Z'),
)}
FIRMWARE = FIRMWARES[os.environ.get('SHADOWBOOT_FIRMWARE', 'ovmf')]
