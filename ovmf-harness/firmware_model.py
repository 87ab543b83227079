"""What firmware makes of a machine with one disk of the mirror set left: a second opinion on `status`.

    for index, outcome in model(setup).items():      # setup: see mirror.py
        print(index, outcome.verdict, outcome.entry, *outcome.trace, sep='\\n')

The mirror set are the disks that carry the system which the machine starts now: that of the disk to
whose ESP BootOrder comes first, passing over tools. Each is tried twice, and the worse counts: with
every other disk gone, and with the disks that are none of the set still in (sticks never are). What
is started must be the system, not a tool, nor what is on a disk of another system. A path of a file
alone is followed by some firmware and not by other: where that matters, the verdict is `perhaps`.

The rules are those of edk2's boot manager (as observed under OVMF 2022.11): BootOrder first, then
\\EFI\\BOOT\\BOOTX64.EFI of every FAT volume. BootNext is left out, it counts for one start only.

    partition table   needs a protective MBR; the primary copy if it is sound, else the one in the
                      last block; entries out of range, overlapping or with attribute bit 1 are not seen
    volume            FAT by the fields of its boot sector that edk2 looks at; files come from mtools
    short form        first partition with the number and GUID of the HD() node, start and size do not count
    full form         every node must be equal to the last byte
    program           headers, machine and sections inside the file, as edk2's loader wants them; a file
                      that fails this is left for the next entry, one that passes is started and final

What the started program then does is `system_model`'s part. Nothing here comes from the program
under test: structures are read with this harness's own code, files with other people's tools.
"""
import re
import struct
import uuid
from dataclasses import dataclass, field

import pe
import program_model
import system_model
from devicepath import LoadOption, hd, pci_root, split
from firmware_disks import (FatVolume, disk_nodes, has_protective_mbr, partitions, read_blocks,
                            table)

ACTIVE, CATEGORY = 0x1, 0x1F00
FALLBACK = '\\EFI\\BOOT\\BOOTX64.EFI'
MEDIA, HARDWARE = 4, 1
STARTS, FALLS_BACK, PERHAPS, FAILS = 'starts', 'fallback', 'perhaps', 'fails'   # or system_model.UNSURE
BADNESS = [STARTS, FALLS_BACK, PERHAPS, system_model.UNSURE, FAILS]
BIOS_BOOT = '21686148-6449-6e6f-744e-656564454649'
HOPEFUL = (STARTS, FALLS_BACK, PERHAPS)


@dataclass
class Outcome:
    """What happens with one disk alone. `entry` is the number of the entry that decided, or None.

    `unsure` stands where nobody can say: then the program must not promise anything either.
    `file`, `partition` (its GUID) and `program` (a name, None for bytes that are not an unchanged
    program's) tell what the firmware started, whatever became of it then.
    """
    verdict: str = FAILS
    entry: int = None
    file: str = ''
    partition: str = ''
    program: str = None
    trace: list = field(default_factory=list)


# Programs

def pe_refusal(data):
    """Why edk2 would not start a file, or ''. Only headers and sizes are looked at, as it does."""
    try:
        return _pe_refusal(data)
    except struct.error:
        return 'the headers are not whole'


def _pe_refusal(data):
    if data[:2] != b'MZ':
        return 'no MZ'
    at, = struct.unpack_from('<I', data, 0x3C)
    if len(data) < at + 264 or data[at:at + 4] != b'PE\0\0':
        return 'no PE headers'
    machine, count, _, _, _, optional, _ = struct.unpack_from('<HHIIIHH', data, at + 4)
    magic, = struct.unpack_from('<H', data, at + 24)
    subsystem, = struct.unpack_from('<H', data, at + 24 + 68)
    if machine != pe.X64:
        return f'for machine {machine:#x}'
    if magic != 0x20B or subsystem != pe.APPLICATION:
        return 'not an application of 64 bits'
    image_size, headers = struct.unpack_from('<II', data, at + 24 + 56)
    directories, = struct.unpack_from('<I', data, at + 24 + 108)
    table = at + 24 + optional
    if directories > 16 or optional != 112 + 8 * directories or table + 40 * count > headers:
        return 'headers that contradict each other'
    if not headers <= min(len(data), image_size):
        return 'headers longer than the file'
    if directories > 4:
        place, size = struct.unpack_from('<II', data, at + 24 + 112 + 32)
        if size and place + size > len(data):
            return 'a certificate table behind the end of the file'
    for i in range(count):
        memory, virtual, size, place = struct.unpack_from('<IIII', data, table + 40 * i + 8)
        if size and (place < headers or place + size > len(data)):
            return f'section {i + 1} not inside the file'
        if virtual + memory > image_size:
            return f'section {i + 1} not inside the image'
    return ''


# Boot entries

def is_hd(each):
    return (each.type, each.subtype) == (MEDIA, 1)


def is_file(each):
    return (each.type, each.subtype) == (MEDIA, 4)


def is_firmware_file(nodes):
    """A file in the firmware itself: FvFile(), or something in memory."""
    return any((each.type, each.subtype) in ((MEDIA, 6), (MEDIA, 7), (HARDWARE, 3)) for each in nodes)


def file_name(nodes):
    text = ''.join('\\' + each.data.decode('utf-16-le').split('\0')[0] for each in nodes)
    return re.sub(r'\\+', r'\\', text)


class Firmware:
    """The machine with some disks, switched on.

    `mirrored` are the disks whose ESPs start the system, `member` is the one whose copy it has to be
    when it is started from an ESP on a disk without any. `lenient`: a path of a file alone is followed.
    """

    def __init__(self, setup, disks, mirrored, member=None, lenient=True):
        self.setup, self.disks, self.mirrored, self.outcome = setup, disks, mirrored, Outcome()
        self.member, self.lenient = member, lenient
        self.places = []                     # (index of the disk, disk, partition, volume or why none)
        for index in disks:
            disk = setup.disks[index]
            for each in partitions(disk):
                self.places.append((index, disk, each, self._mount(disk, each)))

    @staticmethod
    def _mount(disk, partition):
        try:
            return FatVolume(disk, partition)
        except (ValueError, struct.error) as reason:
            return str(reason)

    def say(self, text):
        self.outcome.trace.append(text)

    # From a path to volumes and names

    def _short_form(self, hd_node):
        """The first partition that an HD() node means."""
        number, = struct.unpack_from('<I', hd_node.data)
        guid, kinds = hd_node.data[20:36], hd_node.data[36:38]
        return [place for place in self.places if kinds == b'\2\2' and place[2].number == number
                and uuid.UUID(place[2].guid).bytes_le == guid][:1]

    def _full_form(self, nodes):
        """Partitions that the nodes before the first file lead to; of a whole disk all."""
        wanted = b''.join(each.bytes for each in nodes)
        found = []
        for place in self.places:
            index, disk, part, _ = place
            whole = b''.join([pci_root(), *disk_nodes(disk)])
            own = hd(part.number, part.first, part.last - part.first + 1, part.guid)
            if wanted in (whole, whole + own):
                found.append(place)
        return found

    def targets(self, option_path):
        """[(place, file name)] in the order in which the firmware tries them."""
        nodes = split(option_path)
        files = [each for each in nodes if is_file(each)]
        before = nodes[:len(nodes) - len(files)]
        name = file_name(files) if files else FALLBACK
        if not nodes:
            places = []                      # no path leads nowhere, whatever other firmware means by it
        elif not before:
            places = self.places if self.lenient else []
        elif is_hd(before[0]):
            places = self._short_form(before[0]) if len(before) == 1 else []
        else:
            places = self._full_form(before)
            if files and not is_hd(before[-1]):
                places = []                  # a file right on a disk that has partitions
        return [(place, name) for place in places]

    def fallback_targets(self):
        """Which disk comes first there is the firmware's own business: what is told is no promise."""
        own = [place for place in self.places if self.member in (None, place[0])]
        return [(place, FALLBACK) for place in own]

    # Starting

    def attempt(self, targets, options=b''):
        """Try files until one is started; gives whether the search is over. `options` are the entry's."""
        for (index, disk, partition, volume), name in targets:
            where = f'disk {index} partition {partition.number} {name}'
            if isinstance(volume, str):
                self.say(f'{where}: {volume}')
                continue
            try:
                data = volume.read(name)
            except (ValueError, FileNotFoundError) as reason:
                self.say(f'{where}: {reason}')
                continue
            refusal = pe_refusal(data)
            if refusal:
                self.say(f'{where}: {refusal}')
                continue
            self.outcome.file, self.outcome.partition = name, partition.guid
            self.outcome.program = system_model.program_name(data)
            if self._run(index, volume, data, where, name, options):
                return True
        return False

    def _run(self, index, volume, data, where, name, options):
        """The file is started; gives False when it hands control back."""
        if index not in self.mirrored:
            self.say(f'{where}: starts something else')
            self.outcome.verdict = FAILS
            return True
        copy_on = index if self.setup.disks[index].copy or self.member is None else self.member
        verdict, why = system_model.run(self.setup, copy_on, self.disks, volume, data, name, options)
        self.say(f'{where}: {why}')
        self.outcome.verdict = verdict
        return verdict != system_model.RETURNS

    def _entry(self, number):
        """Try one entry; gives whether the search is over."""
        name = f'Boot{number:04X}'
        if name not in self.setup.variables:
            self.say(f'{name}: not there')
            return False
        try:
            option = LoadOption.unpack(self.setup.variables[name][1])
            nodes = split(option.path)
        except (ValueError, UnicodeDecodeError) as reason:
            self.say(f'{name}: {reason}')
            return False
        if not option.attributes & ACTIVE or option.attributes & CATEGORY:
            self.say(f'{name}: not one that is started by itself')
            return False
        if is_firmware_file(nodes):
            self.say(f'{name}: a program of the firmware, which stays')
            self.outcome.verdict = FAILS
            return True
        self.say(f'{name}:')
        return self.attempt(self.targets(option.path), option.optional)

    def order(self):
        data = self.setup.variables.get('BootOrder', (7, b''))[1]
        return struct.unpack(f'<{len(data) // 2}H', data[:len(data) // 2 * 2])

    def start(self):
        """Switch on; gives the Outcome."""
        for number in self.order():
            if self._entry(number):
                self.outcome.entry = number
                return self.outcome
        if len(self.disks) == 1 and starts_by_bios(self.setup.disks[self.disks[0]]):
            self.say('the code in its MBR: nobody looks at that here')
            self.outcome.verdict = system_model.UNSURE
            return self.outcome
        self.say('no entry is left, the fallback path:')
        self.outcome.verdict = FAILS
        if self.attempt(self.fallback_targets()) and self.outcome.verdict == STARTS:
            self.outcome.verdict = FALLS_BACK
        elif self.outcome.verdict == system_model.RETURNS:
            self.outcome.verdict = FAILS
        return self.outcome

    def first_disk(self):
        """The first disk that BootOrder leads to a program on, be it sound or not; None without any."""
        for number in self.order():
            try:
                option = LoadOption.unpack(self.setup.variables[f'Boot{number:04X}'][1])
                targets = self.targets(option.path)
                ready = option.attributes & ACTIVE and not option.attributes & CATEGORY
            except (KeyError, ValueError, UnicodeDecodeError):
                continue
            for (index, _, _, volume), name in targets if ready else []:
                try:
                    data = volume.read(name)
                except (AttributeError, ValueError, FileNotFoundError):
                    continue
                name = system_model.name_of(data)
                if not name or program_model.kind_of(name) != program_model.TOOL:
                    return index
        return None


def starts_by_bios(disk):
    """Whether there is boot code in the MBR of a disk without ESP, or room for it in its GPT."""
    block = read_blocks(disk, 0, 512)
    kinds = {part.type for part in table(disk)}
    if 'esp' in disk.parts or block is None:
        return False
    return BIOS_BOOT in kinds or (not has_protective_mbr(disk) and any(block[:440]))


def fixed_disks(setup):
    return [index for index, disk in enumerate(setup.disks) if disk and disk.controller != 'usb']


def system_now(setup):
    """The name of the system that the machine starts now; where it starts nothing, of its own."""
    first = Firmware(setup, fixed_disks(setup), []).first_disk()
    return 'own' if first is None else setup.disks[first].system


def mirror_set(setup):
    """Indexes of the disks that carry the system, or ought to: not those that only hold data."""
    system = system_now(setup)
    return [index for index in fixed_disks(setup) if {'esp', 'plex'} & set(setup.disks[index].parts)
            and setup.disks[index].system == system and setup.disks[index].copy]


def both_firmwares(setup, disks, home, member):
    """Outcome with these disks, of firmware that follows paths of a file alone and of other firmware."""
    strict = Firmware(setup, disks, home, member, lenient=False).start()
    lenient = Firmware(setup, disks, home, member).start()
    verdicts = {strict.verdict, lenient.verdict}
    if len(verdicts) > 1 and verdicts & set(HOPEFUL):
        return Outcome(PERHAPS, lenient.entry, trace=[*strict.trace, 'or:', *lenient.trace])
    return strict


def alone(setup, index, members):
    """Outcome with one disk of the set left: the worse of two."""
    system = setup.disks[index].system
    outsiders = [other for other in fixed_disks(setup) if other not in members]
    home = [other for other in fixed_disks(setup) if setup.disks[other].system == system]
    outcomes = [both_firmwares(setup, disks, home, index)
                for disks in ([index], sorted([index, *outsiders]))[:1 + bool(outsiders)]]
    return max(outcomes, key=lambda outcome: BADNESS.index(outcome.verdict))


def model(setup):
    """{index of a disk of the mirror set: Outcome with all others of the set gone}."""
    members = mirror_set(setup)
    return {index: alone(setup, index, members) for index in members}
