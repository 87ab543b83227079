"""Bad input where only real firmware can tell what happens: damaged tables, failing disks, sticks
that cannot be written, boot variables in disorder, a full variable store.

Each case: the message says what is wrong, the status is not zero, and nothing was changed: boot
variables are read from the flash, images are compared by digest. The digest is taken at the
Shell's prompt, because the firmware itself may write to disks before that.
"""
import re
import shutil
import struct

import devicepath
import faults
import gpt
from machine import LOADER
from gpt import BASIC_DATA, ESP, Partition
from machine import MIB
from modern import QUESTION
from nvram import GLOBAL, Variable
from sparse import digest

SMALL = 4 * MIB
GONE = '11111111-2222-3333-4444-555555555555'
# %lasterror%
IO, READ_ONLY, NO_SPACE, DAMAGED, ABSENT, REFUSED = 0x7, 0x8, 0x9, 0xA, 0xE, 0xF


def digests(disks):
    """The images' content as the machine has left it until now."""
    return [digest(disk.image) for disk in disks]


def boot_variables(machine):
    """Boot####, BootOrder, BootNext: {name: (attributes, value)}, from the flash."""
    return {v.name: (v.attributes, v.data) for v in machine.nvram.variables()
            if v.guid == GLOBAL and v.name.startswith('Boot')}


def findings(result):
    """What stands under "Findings": {place: [text, ...]}."""
    found = {}
    for place, text in re.findall(r'^\[\w+\] ([^:]+): (.*)$', result.text, re.M):
        found.setdefault(place, []).append(text)
    return found


def check(result, status, *words):
    """The status, and each of the words in the output."""
    assert result.status == status, result
    for word in words:
        assert word in result.text, result


def esp_disk(machine, kind='virtio-blk'):
    """A disk with an empty ESP."""
    disk = machine.add_disk(kind, 16 * MIB, partitions=[Partition(ESP)])
    disk.esp.format(fat=16)
    return disk


def small_stick(machine, product):
    """A stick with the program: a superfloppy with FAT16."""
    return machine.add_stick({'shadowboot.efi': product}, 16 * MIB, 16)


def windows_on(machine, disk, number=0, **options):
    """An entry of Windows on the disk's ESP, whose boot file is there."""
    disk.esp.put(LOADER, b'placeholder')
    return machine.nvram.set_entry(number, 'Windows', disk.esp.short_path(LOADER),
                                   devicepath.modern_options(), **options)


# Damaged partition tables

BAD_COUNT = 'its number of entries is out of range'
BAD_SIZE = 'its entry size is wrong'
FIELDS = {  # header fields that make no sense, with right checksums: (fields, problem)
    'huge count': ({'entry_count': 0xFFFFFFFF}, BAD_COUNT),
    'no entries': ({'entry_count': 0}, BAD_COUNT),
    'huge size': ({'entry_size': 0x80000000}, BAD_COUNT),
    'odd size': ({'entry_size': 200}, BAD_SIZE),
    'small size': ({'entry_size': 64}, BAD_SIZE),
    'both huge': ({'entry_count': 0xFFFFFFFF, 'entry_size': 0x80000000}, BAD_COUNT),
}


class DamagedTables:
    """Disks with one damage each that the firmware does not mend, by name. All are small."""

    def __init__(self, machine):
        self.machine, self.disks = machine, {}
        self.add('good')
        self.both_copies()
        self.one_copy()
        gpt.zero(self.add('no protective MBR').image, 0, 512)
        self.add('overlapping', Partition(BASIC_DATA, 64, 100), Partition(BASIC_DATA, 163, 100),
                 Partition(BASIC_DATA, 300, 10))
        self.add('out of range', Partition(BASIC_DATA, 20, 30), Partition(BASIC_DATA, 64, 1 << 40))
        for name, (fields, _) in FIELDS.items():
            faults.write_headers(self.add(name), **fields)

    def add(self, name, *partitions):
        parts = partitions or (Partition(BASIC_DATA, 64, 100), Partition(BASIC_DATA, 200, 50))
        self.disks[name] = self.machine.add_disk('virtio-blk', SMALL, partitions=parts)
        return self.disks[name].table

    def both_copies(self):
        """The firmware mends one copy from the other: so both are bad, or one is hidden."""
        table = self.add('no headers')
        gpt.zero(table.image, table.primary_header, 512)
        gpt.zero(table.image, table.backup_header, 512)
        table = self.add('bad checksums')
        gpt.flip(table.image, table.primary_header + 60)
        gpt.flip(table.image, table.backup_entries + 3)
        table = self.add('grown')
        gpt.flip(table.image, table.primary_header + 60)
        with open(table.image, 'r+b') as stream:
            stream.truncate(SMALL + MIB)

    def one_copy(self):
        """A write-protected disk stays as it is."""
        table = self.add('no backup')
        gpt.zero(table.image, table.backup_header, 512)
        table = self.add('bad primary')
        gpt.flip(table.image, table.primary_entries + 3)
        for name in ('no backup', 'bad primary'):
            faults.write_protect(self.disks[name])

    def expected(self):
        """The findings by name of the disk, without those that concern partitions."""
        def both(primary, backup):
            return [f'Both copies of the partition table are damaged: primary: {primary}; '
                    f'backup: {backup}.']
        crc, absent = 'its checksum is wrong', 'it is not there'
        array = 'the checksum of its partition entries is wrong'
        return {
            'no headers': both(absent, absent), 'bad checksums': both(crc, array),
            'grown': both(crc, absent),
            'no backup': ['The backup partition table at the end of the disk is damaged: '
                          'it is not there.'],
            'bad primary': [f'The primary partition table is damaged: {array}.'],
            'no protective MBR': ['The protective MBR is missing, and most firmware then ignores '
                                  'the GPT.'],
            **{name: both(problem, problem) for name, (_, problem) in FIELDS.items()}}


def test_damaged_tables_are_reported_and_no_disk_is_written(machine, product):
    tables = DamagedTables(machine)
    disks, names = tables.disks, list(tables.disks)
    source, target = (esp_disk(machine) for _ in range(2))
    windows_on(machine, source)
    gone = devicepath.path(devicepath.hd(1, 64, 100, GONE), devicepath.file(LOADER))
    machine.nvram.set_entry(1, 'On a damaged disk', gone)
    stick = small_stick(machine, product)
    for disk in (source, target, stick):
        faults.write_protect(disk)
    before = digests(machine.disks)
    with machine.boot_to_shell() as vm:
        vm.cd(stick)
        assert digests(machine.disks) == before  # not even the firmware has mended anything
        variables = boot_variables(machine)
        listed = vm.run('shadowboot disks')
        check(listed, DAMAGED)
        shared = 'The partition shares blocks with another one.'
        outside = 'The partition does not lie inside the usable part of the disk.'
        overlapping, outer = names.index('overlapping'), names.index('out of range')
        assert findings(listed) == {
            **{f'Disk {names.index(name)}': found for name, found in tables.expected().items()},
            f'Disk {overlapping} Partition 1': [shared],
            f'Disk {overlapping} Partition 2': [shared],
            f'Disk {outer} Partition 1': [outside], f'Disk {outer} Partition 2': [outside]}
        # A table with one good copy is used; of one without, no partition is shown.
        for name in ('good', 'no backup', 'bad primary', 'no protective MBR'):
            for part in disks[name].table.partitions:
                assert f'Partition GUID:   {{{part.guid}}}' in listed.text
        for name in ('no headers', 'bad checksums', 'grown', *FIELDS):
            for part in disks[name].table.partitions:
                assert part.guid not in listed.text
        check(vm.run('shadowboot disks 0'), 0)

        # No change is made with what is not sure.
        clone = f'shadowboot clone -sg {source.esp.guid} -y -tg '
        for name, status, words in (('overlapping', REFUSED, 'overlaps another'),
                                    ('out of range', REFUSED, 'outside the usable part'),
                                    ('no headers', ABSENT, 'No partition of this machine has')):
            guid = disks[name].table.partitions[0].guid
            check(vm.run(clone + guid), status, words, guid, 'Nothing was changed.')
        pruned = vm.run('shadowboot prune -y')
        check(pruned, 0, 'Entries whose partition may be there are kept.', 'Nothing to do')
        # Every volume is write-protected, so old variables are saved beside the others.
        check(vm.run(clone + target.esp.guid), 0, 'NVRAM:ShadowbootJournal')
        assert boot_variables(machine) != variables
        check(vm.run('shadowboot undo -y'), 0)
        assert boot_variables(machine) == variables
        assert digests(machine.disks) == before


# Disks that fail

PRIMARY = 'The primary partition table is damaged: it cannot be read.'
BACKUP = 'The backup partition table at the end of the disk is damaged: it cannot be read.'
FIRST = "The disk's first block cannot be read, and most firmware then ignores the GPT."
BAD_BLOCKS = {  # what cannot be read: (blocks, finding)
    'all': ([], 'The disk cannot be read.'), 'first': ([0], FIRST), 'header': ([1], PRIMARY),
    'array': ([2], PRIMARY), 'backup': ([SMALL // 512 - 1], BACKUP)}


def answer_after(vm, command, event):
    """Run a command that asks; answer "y" after `event`; gives what it says, and the status."""
    vm.type(command + '\r')
    vm.console.expect_echo(command)
    vm.expect(QUESTION)
    event()
    vm.type('y\r')
    start = vm.expect('y\n').end()
    vm.console.expect_prompt()
    return vm.console.text[start:], int(vm.shell('echo %lasterror%')[-1], 16)


def test_failing_disks_are_reported_and_a_target_that_vanishes_gets_no_entry(machine, product):
    part = [Partition(BASIC_DATA, 64, 100) for _ in range(2 * len(BAD_BLOCKS))]
    expected = {}
    for number, each in enumerate(part):
        blocks, finding = list(BAD_BLOCKS.values())[number % len(BAD_BLOCKS)]
        disk = machine.add_disk('nvme' if number < len(BAD_BLOCKS) else 'ahci', SMALL,
                                partitions=[each])
        faults.fail_reads(disk, *blocks)
        expected[f'Disk {number}'] = [finding]
    source = esp_disk(machine, 'nvme')
    targets = [faults.killable(esp_disk(machine, kind)) for kind in ('nvme', 'ahci')]
    windows_on(machine, source)
    usb = esp_disk(machine, 'usb')
    stick = small_stick(machine, product)
    with machine.boot_to_shell() as vm:
        vm.cd(stick)
        variables, before = boot_variables(machine), digests(machine.disks)
        listed = vm.run('shadowboot disks')
        check(listed, DAMAGED)
        assert findings(listed) == expected
        assert listed.text.count('Style:            unreadable') == 2
        # One block that cannot be read hides no partition.
        for number, each in enumerate(part):
            assert (each.guid in listed.text) == (number % len(BAD_BLOCKS) != 0), number
        for disk in (source, *targets, usb):
            assert disk.esp.guid in listed.text

        def vanish(disk, event):
            command = f'shadowboot clone -sg {source.esp.guid} -tg {disk.esp.guid}'
            said, status = answer_after(vm, command, lambda: event(vm, disk))
            number = machine.disks.index(disk)
            assert f'Disk {number} cannot be read any more' in said, said
            assert '(device error). Nothing was changed.' in said and status == IO, said

        for disk in targets:
            vanish(disk, faults.kill)
        vanish(usb, faults.unplug)
        listed = vm.run('shadowboot disks')
        assert findings(listed) == {
            **expected,
            **{f'Disk {machine.disks.index(d)}': ['The disk cannot be read.'] for d in targets}}
        assert source.esp.guid in listed.text and usb.esp.guid not in listed.text
        assert boot_variables(machine) == variables
        assert digests(machine.disks) == before


# Sticks that cannot take the journal

def fill(volume, leave=0):
    """Fill a volume up to some bytes."""
    volume.put('/filler', bytes(volume.free() - leave))


def damage_directory(volume):
    """Let \\EFI\\shadowboot begin beyond the end of the volume."""
    volume.mkdir('/EFI/shadowboot')
    image = volume.image.read_bytes()
    entry = image.index(b'SHADOW~1   ')
    gpt.poke(volume.image, entry + 26, struct.pack('<H', 0xABCD))


def test_journal_goes_to_an_esp_with_room_when_the_stick_cannot_take_it(machine, product):
    first, second = esp_disk(machine, 'nvme'), esp_disk(machine, 'ahci')
    windows_on(machine, first)
    fill(first.esp, 60 * 1024)  # less than what is to stay free on an ESP
    sticks = [small_stick(machine, product) for _ in range(5)]
    protected, full, full_with_directory, damaged, blocked = sticks
    faults.write_protect(protected)
    full_with_directory.volume.mkdir('/EFI/shadowboot')
    fill(full.volume)
    fill(full_with_directory.volume)
    damage_directory(damaged.volume)
    blocked.volume.put('/EFI/shadowboot', b'a file')
    with machine.boot_to_shell() as vm:
        before, originally = digests([first, *sticks]), boot_variables(machine)
        for number, stick in enumerate(sticks, 1):
            vm.cd(stick)
            clone = f'clone -sg {first.esp.guid} -tg {second.esp.guid}'
            result = vm.run(f'shadowboot {clone if number % 2 else "undo"} -y')
            check(result, 0, 'Done: 2 changes made and checked.',
                  f'(journal {vm.fs(second)}\\EFI\\shadowboot\\J000000{number}.SBJ)')
            assert (boot_variables(machine) == originally) == (number % 2 == 0)
        assert digests([first, *sticks]) == before
    assert len(second.esp.list('/EFI/shadowboot')) == len(sticks)
    second.esp.fsck()


# Boot variables in disorder

CONTROL = 'a\x1b[2J\x1b]0;x\x07\x08\x7f\x9b31m\u202e\r\n[damage] forged'
CONTROL_SHOWN = ('a\\u001b[2J\\u001b]0;x\\u0007\\u0008\\u007f\\u009b31m\\u202e'
                 '\\u000d\\u000a[damage] forged')


def plant_damaged_entries(nvram, esp):
    """Malformed entries outside BootOrder (firmware deletes those in it); gives their numbers."""
    whole = devicepath.LoadOption('Whole', esp.short_path(LOADER))
    zero, huge = (struct.pack('<BBH', 4, 1, size) + bytes(38) for size in (0, 0xFFFF))
    values = [
        whole.pack()[:20], whole.pack()[:3], whole.pack()[:6] + b'x' * 51,
        devicepath.LoadOption('Zero length', zero).pack(),
        devicepath.LoadOption('Huge length', huge).pack(),
        devicepath.LoadOption('No end', whole.path[:-4]).pack()]
    for number, value in enumerate(values, 0x10):
        nvram.set(f'Boot{number:04X}', value)
    return list(range(0x10, 0x10 + len(values)))


def set_order(vm, *numbers):
    """Write BootOrder with the Shell, or delete it."""
    value = struct.pack(f'<{len(numbers)}H', *numbers).hex()
    done = vm.run(f'setvar BootOrder -guid {GLOBAL} -bs -rt -nv ={value}')
    assert done.status == 0 and vm.machine.nvram.order == list(numbers)


def check_terminal(vm, stick, command):
    """Nothing but text comes out, and no line that the program did not mean."""
    vm.shell(f'{command} > out.txt')
    text = stick.volume.get('out.txt').decode('utf-16')
    assert not re.search(r'[^\r\n\x20-\x7e]', text)
    assert CONTROL_SHOWN in text and not re.search('^.damage. forged', text, re.M)
    assert max(map(len, text.split('\r\n'))) < 1000


def test_entries_and_boot_order_in_disorder(machine, product):
    nvram = machine.nvram
    first, second = esp_disk(machine, 'nvme'), esp_disk(machine, 'ahci')
    copies = [esp_disk(machine), machine.add_disk('virtio-blk', 16 * MIB)]
    windows_on(machine, first)
    windows_on(machine, copies[0], 1)
    shutil.copyfile(copies[0].image, copies[1].image)
    copied = copies[0].esp.guid
    stick = small_stick(machine, product)
    damaged = plant_damaged_entries(nvram, first.esp)
    nvram.set_entry(0x30, CONTROL, first.esp.short_path('\\a\x1b[2J\n.efi'))
    nvram.set_entry(0x31, 'L' * 20000, first.esp.short_path(LOADER))
    clone = f'shadowboot clone -sg {first.esp.guid} -tg {second.esp.guid}'
    with machine.boot_to_shell(quick=False) as vm:
        vm.cd(stick)
        variables, order = boot_variables(machine), nvram.order
        assert set(damaged) <= set(nvram.raw_entries()) and not set(damaged) & set(order)

        # Damaged entries, names that are no names, names that are too long
        listed = vm.run('shadowboot entries')
        check(listed, DAMAGED, f'OS Friendly Name: {CONTROL_SHOWN}\n', 'OS Friendly Name: LLLLLLLL')
        found = findings(listed)
        for number in damaged:
            assert found[f'Boot{number:04X}'] == [
                'The boot entry is damaged: its structure is broken.']
            assert re.search(f'Boot variable:    Boot{number:04X}\nDamaged: ', listed.text)
        check_terminal(vm, stick, 'shadowboot entries')
        check_terminal(vm, stick, clone + ' -n')
        # The firmware's limit for new variables is lower than that for what stands in its store.
        check(vm.run(clone + ' -y'), NO_SPACE, 'larger than the firmware allows',
              'Nothing was changed.')

        # Two disks with the same GUIDs
        repeated = 'Another partition of this machine has the same GUID.'
        for result in (listed, vm.run('shadowboot disks')):
            assert repeated in findings(result)['Disk 2 Partition 1']
            assert repeated in findings(result)['Disk 3 Partition 1']
        check(vm.run(f'shadowboot clone -sg {first.esp.guid} -tg {copied} -y'), REFUSED,
              f'2 partitions of this machine have the GUID {{{copied}}}', 'diskid 3 -set new',
              'Nothing was changed.')
        assert boot_variables(machine) == variables

        # What no firmware would write can be deleted, and not be put back: refused before the
        # first write where its size tells, in the middle of the plan where the firmware says no.
        def refuse_to_undo(status, *words):
            variables = boot_variables(machine)
            check(vm.run('shadowboot undo -y'), status, *words)
            assert boot_variables(machine) == variables

        check(vm.run('shadowboot delete Boot0031 -y'), 0)
        refuse_to_undo(NO_SPACE, 'Boot0031 would be larger', 'Nothing was changed.')
        set_order(vm, 0x10, 0x30, *[n for n in nvram.order if n != 0x30])
        check(vm.run('shadowboot delete Boot0030 Boot0010 -y'), 0)
        refuse_to_undo(REFUSED, '1. restore Boot0030\n  2. restore Boot0010',
                       'Boot0010 could not be written: refused',
                       'Everything is again as it was before.')

        # BootOrder: the firmware takes any even size.
        odd = vm.run(f'setvar BootOrder -guid {GLOBAL} -bs -rt -nv =000000')
        assert odd.status == REFUSED and len(nvram.get('BootOrder').data) % 2 == 0
        order = nvram.order
        whole = sorted(set(nvram.raw_entries()) - set(damaged))
        for wrong, words, mended in (
                (order + [order[0]], f'names an entry twice: Boot{order[0]:04X}.', order),
                ([0x7777] + order, 'names an entry that does not exist: Boot7777.', order),
                ([], 'BootOrder is missing or names no entry, though there are boot entries.', whole)):
            set_order(vm, *wrong)
            variables = boot_variables(machine)
            check(vm.run(clone + ' -y'), DAMAGED, words, 'Nothing was changed.', 'Mend it first',
                  'shadowboot prune')
            assert boot_variables(machine) == variables
            check(vm.run('shadowboot prune -y'), 0, 'Done: 1 change made and checked.')
            assert nvram.order == mended
            check(vm.run(clone + ' -n'), 0, 'Plan:')
        check(vm.run(clone + ' -y'), 0, 'Done: 2 changes made and checked.')
        assert nvram.order[:-1] == whole
        assert nvram.entry(nvram.order[-1]).hd.guid == second.esp.guid


# A full variable store

FILLER = '77777777-1111-2222-3333-444444444444'
FIRMWARE_TAKES = 1400  # bytes of variables that OVMF makes of a machine at its first start
# Where there is no room for another large variable, OVMF compacts the store at each start, byte for byte: 50 s.
ROOM = [20000, 20000]
LEFT = 4000  # bytes, less than what is to stay free


def fill_store(nvram, leave):
    """Fill the store up to some bytes with variables that are not the program's."""
    number = 0
    while (room := nvram.free() - leave) > 200:
        nvram.set(f'Filler{number}', bytes(min(room - 100, 30000)), FILLER)
        number += 1


def test_full_variable_store_takes_no_clone_until_something_is_deleted(machine, product):
    nvram = machine.nvram
    first, second = esp_disk(machine, 'nvme'), esp_disk(machine, 'ahci')
    windows_on(machine, first)
    nvram.set_entry(1, 'Gone', first.esp.short_path('\\gone.efi'), bytes(6000))
    stick = small_stick(machine, product)
    stick.volume.put('/more.bin', faults.variables_file([Variable(f'More{n}', FILLER, 7, bytes(size)) for n, size in enumerate(ROOM)]))
    nvram.shell_entry()
    fill_store(nvram, FIRMWARE_TAKES + sum(ROOM) + LEFT)
    clone = f'shadowboot clone -sg {first.esp.guid} -tg {second.esp.guid} -d "Shadow"'
    with machine.boot_to_shell(120, quick=False) as vm:
        vm.cd(stick)
        vm.shell('dmpstore -all -l more.bin')
        assert 1000 < nvram.free() < 5120
        variables, before = nvram.variables(), digest(stick.image)
        result = vm.run(clone + ' -y')
        left = re.search('variable store has ([0-9,]+) bytes left', result.text)[1]
        check(result, NO_SPACE, 'too few to be safe. Nothing was changed.', 'shadowboot prune')
        assert abs(int(left.replace(',', '')) - nvram.free()) < 200
        assert nvram.variables() == variables and digest(stick.image) == before
        result = vm.run('shadowboot entries')
        assert any('variable store is over half full' in text
                   for text in findings(result)['this machine'])
        # The advice is good.
        check(vm.run('shadowboot prune -y'), 0, 'delete Boot0001')
        check(vm.run(clone + ' -y'), 0, 'Done: 2 changes made and checked.')
        assert nvram.entry(nvram.find('Shadow')[0]).hd.guid == second.esp.guid
