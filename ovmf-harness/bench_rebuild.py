"""make bench: `rebuild` of an empty ESP from Windows itself, under OVMF.

One NVMe disk with an ESP that was formatted and an NTFS volume made by mkntfs, onto which the driver of
ntfs-3g has put the files of `windows_tree` where Windows keeps them. Without that driver nothing is
measured.
"""
import re
import tempfile
from pathlib import Path

import windows_tree
from demo import built
from gpt import BASIC_DATA, ESP, MSR, Partition, poke
from machine import LOADER, MIB, Machine
from mirror import BOOT_FILES, FALLBACK, boot_program
from ntfs_driver import make, mounted

ESP_MIB, VOLUME_MIB = 260, 96
BLOCK = 512
# What Windows makes for itself on each ESP.
OWN_STATE = re.compile(r'/(BCD.*|BOOTSTAT\.DAT)$')


def kept_files():
    """{path on the volume: content} of what comes from there."""
    found = {}
    for path, data in windows_tree.files().items():
        name = path.removeprefix(f'{BOOT_FILES}/')
        if path != FALLBACK and not OWN_STATE.search(path):
            folder = '' if name.split('/')[0] in ('Fonts', 'Resources') else 'EFI/'
            found[f'Windows/Boot/{folder}{name}'] = data
    return found


def size():
    """Bytes of what comes onto the ESP, the store left out."""
    kept = kept_files()
    return sum(map(len, kept.values())) + len(kept['Windows/Boot/EFI/bootmgfw.efi'])


def windows_image(folder, start, finish):
    image = make(folder / 'windows.img', BLOCK, 4096, size=VOLUME_MIB * MIB, start=start)
    with mounted(image, folder / 'mount') as mount:
        for name in ('winload.efi', 'ntoskrnl.exe'):
            place = mount / 'Windows/System32' / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(boot_program(name))
        for name, data in kept_files().items():
            place = mount / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(finish(data) if name.endswith('.efi') else data)
    return image


def part(kind, at, mib, number):
    lba = MIB // BLOCK
    return Partition(kind, at * lba, mib * lba, f'5ad0b00d-0000-4000-8000-{number:012d}')


class WindowsBed:
    """`finish` makes the programs what they are on the volume: signed ones, for instance."""

    def __init__(self, folder, kind=Machine, finish=bytes):
        at = 1 + ESP_MIB + 16
        self.machine = kind(folder, memory=512)
        self.disk = self.machine.add_disk('nvme', 400 * MIB, partitions=[
            part(ESP, 1, ESP_MIB, 1), part(MSR, 1 + ESP_MIB, 16, 2), part(BASIC_DATA, at, VOLUME_MIB, 3)])
        self.stick = self.machine.add_stick({'shadowboot.efi': built('SHADOWBOOT_EFI', 'build/shadowbootx64.efi')})
        self.esp = self.disk.esp.format(32, cluster=8)
        poke(self.disk.image, at * MIB, windows_image(folder, at * MIB // BLOCK, finish).read_bytes())
        self.machine.nvram.set_entry(0, 'Windows Boot Manager', self.esp.short_path(LOADER))

    def difference(self):
        """What of the files did not come, or came otherwise; ''."""
        found = self.esp.copy_out('/EFI')
        wrong = [path for path, data in windows_tree.files().items()
                 if not OWN_STATE.search(path) and found.get(path) != data]
        return f'{len(wrong)} files differ or are missing: {wrong[0]}, ...' if wrong else ''


def measure(session_of, rounds, figures):
    """Adds what the program says of its writing, and the processor time of the whole command; gives what
    differs on the ESP, or ''."""
    with tempfile.TemporaryDirectory(prefix='shadowboot-bench-') as folder:
        bed = WindowsBed(Path(folder))
        with session_of(bed) as session:
            planned = '\n'.join(session.timed('shadowboot rebuild 0 -n -v')[1])
            for _ in range(rounds):
                spent, waited = session.felt('shadowboot rebuild 0 -y')
                figures.add('felt rebuild', spent)
                figures.waited.setdefault('felt rebuild', []).append(waited)
                session.timed('shadowboot undo -y')
                lines = '\n'.join(session.timed('shadowboot rebuild 0 -y -v')[1])
                written = re.search(r'Written: [\d,]+ bytes in ([\d,]+) ms', lines)[1]
                figures.add('rebuild', max(int(written.replace(',', '')), 1) / 1e3)
                session.timed('shadowboot undo -y')
            session.timed('shadowboot rebuild 0 -y')
        bed.esp.fsck()
        read = int(re.search(r'Disks: \d+ reads, (\d+) bytes', planned)[1])
        figures.rebuild_reads = read - size()
        return bed.difference()
