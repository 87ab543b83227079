"""A modern machine with two disks that could each start it: NVMe as Disk 0, SATA as Disk 1.

Both have an ESP with the stand-in as \\EFI\\Microsoft\\Boot\\bootmgfw.efi and a data partition. The
two ESPs differ in number, start, size and GUID, so that a clone which kept any of them is seen.
Two entries start from Disk 0, with the optional data of today's Windows:

    Boot0000  "Windows Boot Manager"              short form, HD() first
    Boot0001  "Windows Boot Manager, full path"   from PciRoot() on

For Disk 1 there is none. A stick holds the program and its manual page.
"""
import struct

import devicepath
from conftest import install_standin, required
from machine import LOADER
from gpt import BASIC_DATA, ESP, Partition
from machine import MIB
from nvram import GLOBAL

SHORT, FULL = 'Windows Boot Manager', 'Windows Boot Manager, full path'
QUESTION = r'Carry out (this change|these changes)\? \[y/N\] '


def partitions(block_size, esp_number, data_number, first_lba, esp_mib):
    """An ESP and behind it a data partition, with entry numbers that need not be in that order."""
    mib = MIB // block_size
    return [Partition(ESP, first_lba, esp_mib * mib + 7, name='EFI system partition',
                      number=esp_number),
            Partition(BASIC_DATA, first_lba + (esp_mib + 1) * mib, 4 * mib,
                      name='Basic data partition', number=data_number)]


class Modern:
    """The parts of that machine. `tokens` are the texts on the first and the second ESP."""

    def __init__(self, machine, standin, product, block_size=512, shadow='ahci'):
        self.machine, self.nvram = machine, machine.nvram
        manual = required('SHADOWBOOT_MAN', 'build/shadowboot.man')
        self.disks = [
            machine.add_disk('nvme', 64 * MIB, block_size, partitions(block_size, 1, 2, 63, 50)),
            machine.add_disk(shadow, 64 * MIB, 512, partitions(512, 2, 1, 2048, 44))]
        self.esps = [disk.esp.format(fat=16) for disk in self.disks]
        self.tokens = [install_standin(esp, standin) for esp in self.esps]
        self.stick = machine.add_stick({
            'shadowboot.efi': product, 'shadowboot.man': manual})
        self.options = devicepath.modern_options()
        esp = self.esps[0]
        self.nvram.set_entry(0, SHORT, esp.short_path(LOADER), self.options)
        self.nvram.set_entry(1, FULL, esp.full_path(LOADER), self.options)

    def data(self, disk):
        """The data partition of a disk."""
        return next(v for v in self.disks[disk].volumes.values() if v.partition.type == BASIC_DATA)

    def clones(self):
        """What the two clones have to be, byte for byte."""
        esp = self.esps[1]
        return [devicepath.LoadOption(SHORT, esp.short_path(LOADER), self.options).pack(),
                devicepath.LoadOption(FULL, esp.full_path(LOADER), self.options).pack()]

    def boot_variables(self):
        """Boot####, BootOrder, BootNext and Timeout: {name: (attributes, value)}, from the flash."""
        return {v.name: (v.attributes, v.data) for v in self.nvram.variables()
                if v.guid == GLOBAL and v.name.startswith(('Boot', 'Timeout'))}

    def other_variables(self):
        """All other variables, without those with which the firmware counts its own work."""
        return sorted((v.guid, v.name, v.attributes, v.data) for v in self.nvram.variables()
                      if not (v.guid == GLOBAL and v.name.startswith(('Boot', 'Timeout')))
                      and v.name != 'MTC')


def order_bytes(numbers):
    """BootOrder's attributes and value."""
    return 7, struct.pack(f'<{len(numbers)}H', *numbers)


def changed(before, **values):
    """A copy of some boot variables with others in it; None takes one out."""
    after = dict(before, **values)
    return {name: value for name, value in after.items() if value is not None}


def answer(vm, command, key, timeout=60):
    """Run a command that asks, answer the question; gives (lines before it, lines after it, status)."""
    vm.type(command + '\r')
    vm.console.expect_echo(command)
    start = vm.console.position
    question = vm.expect(QUESTION, timeout=timeout)
    before = vm.console.text[start:question.start()].strip('\n').split('\n')
    vm.type(key + '\r')
    start = vm.expect(key + '\n').end()
    vm.console.expect_prompt(timeout)
    after = vm.console.text[start:].split('\n')[:-1]
    return before, [line for line in after if line], int(vm.shell('echo %lasterror%')[-1], 16)
