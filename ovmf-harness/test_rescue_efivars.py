"""The boot variables of a running Linux, and what it and the firmware's program take back of each other.

A mirror under OVMF: the firmware's program, then Debian's kernel with shadowboot-linux and efibootmgr in the same
machine, then the firmware's program once more. Both have their journals on one disk, as a stick would be.
"""
import re

import gpt
from gpt import Partition
from mirror_vm import as_machine
from rescue import MIB, check_esp, only_core, program

LINUX = 'shadowboot-linux --disk /dev/nvme0n1 --disk /dev/vda --efivars'
WRITE = f'{LINUX} --write --journal /journal'
MODULES = ('efivarfs', 'virtio_pci', 'virtio_blk', 'vfat', 'nls_cp437', 'nls_ascii')
MOUNT = 'mkdir /journal && mount /dev/vdb1 /journal'
# What Linux does by itself to variables that it does not know, against rm -r (efivarfs).
IMMUTABLE = 'chattr +i /sys/firmware/efi/efivars/Boot* && ! rm -f /sys/firmware/efi/efivars/BootOrder*'


class Together:
    """The machine with the two disks of a bench, and a third one with the programs and the journals."""

    def __init__(self, desk, folder, product, linux):
        desk.setup.disk(1).controller = 'virtio'                  # this kernel has no driver for SATA
        self.linux, self.machine = linux, as_machine(desk.setup, folder / 'vm', desk.setup.present(), tokens=False)
        self.machine.memory = 512
        for disk in self.machine.disks:
            disk.reread()
        kept = self.machine.add_disk('virtio-blk', 96 * MIB, 512, [Partition(gpt.BASIC_DATA, name='kept')])
        self.volume = next(iter(kept.volumes.values())).format(fat=32)
        self.volume.put('shadowboot.efi', product)
        self.volume.put('vmlinuz.efi', linux.kernel)
        self.desk = desk

    def put_commands(self, commands):
        more = {'bin/shadowboot-linux': program().read_bytes()}
        self.volume.put('initrd.img', self.linux.initramfs(commands, MODULES, ('efibootmgr', 'chattr'), more))

    def run_linux(self, vm, commands):
        return {name: ('\n'.join(lines) + '\n', status)
                for name, (lines, status) in self.linux.run(vm, commands).items()}

    def esp_files(self, index):
        """As check_esp, of the machine's own image."""
        self.desk.setup.disk(index).image = self.machine.disks[index].image
        return check_esp(self.desk, index)


def entries(text):
    """{number: text} of what efibootmgr prints, and the order."""
    return (dict(re.findall(r'^Boot([0-9A-F]{4})\* (.*)$', text, re.M)),
            re.search(r'^BootOrder: (.*)$', text, re.M)[1].split(','))


def test_entries_of_a_running_linux_are_read_made_and_taken_back(bench, tmp_path, product, linux):
    desk = bench('mirror', 'esp 1 empty', 'entry 1 delete')
    both = Together(desk, tmp_path, product, linux)
    commands = {'mount': MOUNT, 'status': f'{LINUX} status | cat', 'first': 'efibootmgr -v', 'immutable': IMMUTABLE,
                'undo': f'{WRITE} undo -y | cat', 'second': 'efibootmgr -v', 'plan': f'{LINUX} repair -y | cat',
                'repair': f'{WRITE} repair -y | cat', 'third': 'efibootmgr -v', 'none': f'{WRITE} repair -y | cat',
                'unmount': 'umount /journal'}
    both.put_commands(commands)
    with both.machine.boot_to_shell() as vm:
        vm.cd(both.volume)
        assert vm.run('shadowboot repair -y').status == 0
        status = vm.run('shadowboot status')
        found = both.run_linux(vm, commands)
    assert status.status == 0
    assert re.findall(r'Starts from Disk \d alone: .*', only_core(found['status'][0])) == \
        re.findall(r'Starts from Disk \d alone: .*', status.text)
    before, order = entries(found['first'][0])
    made, = (number for number, text in before.items() if desk.setup.disk(1).parts['esp'].guid in text)
    assert found['immutable'][1] == 0, found['immutable']
    assert 'Done: 3 changes made and checked.' in found['undo'][0], found['undo']
    after, new_order = entries(found['second'][0])
    assert after == {number: text for number, text in before.items() if number != made}
    assert new_order == [number for number in order if number != made]
    assert found['second'] == (found['second'][0], 0) and 'Nothing was changed (-n).' in found['plan'][0]
    assert 'Done: 3 changes made and checked.' in found['repair'][0]
    again, last_order = entries(found['third'][0])
    new, = again.keys() - after.keys()
    assert again[new] == before[made] and [number for number in last_order if number != new] == new_order
    assert 'Done:' not in found['none'][0] and 'This machine starts from each of its boot disks alone.' in found['none'][0]
    assert both.esp_files(1) == both.esp_files(0) != []

    # What Linux has done is taken back by the firmware's program.
    with both.machine.boot_to_shell() as vm:
        vm.cd(both.volume)
        listed = vm.run('shadowboot undo -l').text
        assert re.search(r' 1  .*taken back', listed) and re.search(r' 2  .*done', listed), listed
        undone = vm.run('shadowboot undo -y')
    assert undone.status == 0 and 'Done: 3 changes made and checked.' in undone.text
    assert int(new, 16) not in both.machine.nvram.order
    assert both.esp_files(1) == []
    both.volume.fsck()
