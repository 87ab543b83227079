"""A machine of `mirror` as a virtual PC: the same images, the same boot entries.

    vm_machine = as_machine(setup, tmp_path, [0])       # Disk 0 alone
    seen = start(vm_machine)                            # Seen: standin (or None), how it ended

Images are copied, since the firmware writes to them (it mends partition tables). Entries that lead
through hardware are told what the controllers of the virtual PC are called. Volumes get a token that
nothing else knows, where a file can be put onto them at all. BootNext is left out, it counts for one
start only.
"""
import re
import secrets
from collections import namedtuple

from devicepath import LoadOption, pci_root
from fat import Volume
from firmware_disks import disk_nodes
from console import PROMPT
from machine import COUNTDOWN, STANDIN, Machine, standin_of
from sparse import copy_range

KINDS = {'nvme': 'nvme', 'ahci': 'ahci', 'virtio': 'virtio-blk', 'scsi': 'virtio-scsi', 'usb': 'usb'}
NOTHING = 'No bootable option or device was found'
CRASH = '!!!! X64 Exception|!!!! IA32 Exception|Synchronous Exception'
Seen = namedtuple('Seen', 'standin end')


def as_machine(setup, folder, indexes, tokens=True, kind=Machine):
    """The machine with these disks only. `machine.tokens` are the tokens by partition GUID.

    Without `tokens` the images are those of `setup` to the last byte. `kind`: the class of the machine.
    """
    folder.mkdir(parents=True, exist_ok=True)
    machine = kind(folder)
    machine.tokens, renamed = {}, []
    for index, disk in enumerate(setup.disks):
        if disk is None:
            continue
        size = disk.image.stat().st_size
        made = machine.add_disk(KINDS[disk.controller], size, disk.block_size)
        made.pulled = index not in indexes
        renamed.append((b''.join([pci_root(), *disk_nodes(disk)]), b''.join(made.nodes)))
        if not made.pulled:
            copy_range(disk.image, 0, size, made.image)
            if tokens:
                put_tokens(machine, disk, made)
    for name, (_, data) in setup.variables.items():
        if re.fullmatch('Boot[0-9A-F]{4}', name):
            machine.nvram.set(name, translated(data, renamed))
        elif name == 'BootOrder':
            machine.nvram.set(name, data)
    return machine


def put_tokens(machine, disk, made):
    """A token onto the ESP of a disk."""
    if 'esp' not in disk.parts:
        return
    token = secrets.token_hex(8)
    volume = Volume(made.image, disk.offset('esp'), disk.size('esp'), disk.block_size)
    try:
        volume.put('/token.txt', token.encode())
    except RuntimeError:
        return
    machine.tokens[disk.parts['esp'].guid] = token


def translated(data, renamed):
    """A boot entry with the hardware of the virtual PC in its path."""
    try:
        option = LoadOption.unpack(data)
    except (ValueError, UnicodeDecodeError):
        return data
    for old, new in renamed:
        if option.path.startswith(old):
            option.path = new + option.path[len(old):]
            return option.pack()
    return data


def start(machine, timeout=40):
    """Switch on and wait for a stand-in, or for the firmware to say that it found nothing."""
    with machine.boot() as vm:
        vm.console.fatal = ()
        match = vm.expect(STANDIN, COUNTDOWN, PROMPT, NOTHING, CRASH, timeout=timeout)
    if match.re is not STANDIN:
        return Seen(None, match[0])
    return Seen(standin_of(match), 'standin')
