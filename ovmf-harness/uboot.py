"""A machine whose firmware is U-Boot's own UEFI: what differs from a Machine with edk2.

    m = UbootMachine(folder)             # disks, entries and starting as with Machine
    with m.boot_to_shell() as vm:        # at U-Boot's prompt
        vm.cd(stick)                     # U-Boot's name of it: 'virtio 2:1'
        vm.run('shadowboot status')      # Result: lines, text, status

Variables are in a file in the root of the first EFI system partition that U-Boot finds, which here is
that of the first disk that is in (U-Boot 2023.01, include/efi_variable.h):

    offset  size
    0       8     reserved           8   8  magic      16  4  size of the file      20  4  CRC-32 of the rest
    24      ...   variables, each at a multiple of 8:
      0     4     bytes of data      4   4  attributes  8  8  time   16  16  vendor GUID
      32    ...   name (UCS-2 with NUL), data
"""
import re
import struct
import uuid
import zlib

from console import ConsoleError
from disk import Disk
from firmware import FIRMWARE
from machine import Machine, Result, Vm
from nvram import Nvram, Variable

STORE, SIZE = '/ubootefi.var', 16384
MAGIC = 0x0161566966456255
HEADER = struct.Struct('<QQII')
VARIABLE = struct.Struct('<IIQ16s')
PROMPT = FIRMWARE.prompt
LOADED = re.compile(r'\d+ bytes read in')
FAILED = re.compile(r'## Application failed, r = (\d+)')
# Each program that was started, whatever it does, leaves a copy of the device tree and some pages behind. Of such
# areas U-Boot knows eight; then it takes all memory for one, until it is started anew.
NO_ROOM = 'Reading file would overwrite reserved memory'
INTERFACES = {'nvme': 'nvme', 'virtio-blk': 'virtio', 'usb2': 'usb'}


def unpack(data):
    """The variables in such a file."""
    _, magic, size, checksum = HEADER.unpack_from(data)
    if magic != MAGIC or zlib.crc32(data[HEADER.size:size]) != checksum:
        raise ValueError('no file of variables')
    at, found = HEADER.size, []
    while at < size:
        length, attributes, time, guid = VARIABLE.unpack_from(data, at)
        start = at + VARIABLE.size
        end = next(i for i in range(start, size, 2) if data[i:i + 2] == b'\0\0')
        found.append(Variable(data[start:end].decode('utf-16-le'), str(uuid.UUID(bytes_le=guid)), attributes,
                              data[end + 2:end + 2 + length], time=struct.pack('<QQ', time, 0)))
        at = -(-(end + 2 + length) // 8) * 8
    return found


def pack(variables):
    """Such a file; its times stay."""
    body = b''
    for each in variables:
        entry = VARIABLE.pack(len(each.data), each.attributes, *struct.unpack('<Q', each.time[:8]),
                              uuid.UUID(each.guid).bytes_le)
        entry += (each.name + '\0').encode('utf-16-le') + each.data
        body += entry.ljust(-(-len(entry) // 8) * 8, b'\0')
    return HEADER.pack(0, MAGIC, HEADER.size + len(body), zlib.crc32(body)) + body


class UbootVariables(Nvram):
    """Nvram over that file. The machine starts from the disks that are in, so the store may be another then."""

    def __init__(self, machine):
        super().__init__(None, machine.running)
        self.machine = machine

    def volume(self):
        for disk in self.machine.disks:
            if not disk.pulled:
                disk.reread()
                return disk.esp
        raise ValueError('no disk is in')

    def variables(self):
        volume = self.volume()
        return unpack(volume.get(STORE)) if volume.exists(STORE) else []

    def _rewrite(self, variables):
        if self.busy():
            raise RuntimeError('the machine is running: its variables can only be read')
        self.volume().put(STORE, pack(variables))


class UbootMachine(Machine):
    def new_variables(self, given):
        return UbootVariables(self)

    def storage_arguments(self):
        arguments = ['-bios', str(FIRMWARE.code)]
        for disk in self.disks:
            arguments += [] if disk.pulled else disk.arguments()
        return arguments

    def new_vm(self):
        return UbootVm(self)

    def boot_to_shell(self, timeout=60):
        """Switch on and wait for U-Boot's prompt."""
        vm = self.boot()
        try:
            vm.to_shell(timeout)
        except BaseException:
            vm.close(failed=True)
            raise
        return vm


class UbootVm(Vm):
    """`shell` takes U-Boot's commands; `run` the program's, from where `cd` went."""

    def to_shell(self, timeout=60):
        self.expect('Hit any key to stop autoboot', timeout=timeout)
        self.type(' ')
        self.expect(PROMPT, timeout=timeout)
        self.shell('pci enum; virtio scan; nvme scan; usb start')

    def shell(self, command, timeout=120):
        self.type(command + '\r')
        self.console.expect_echo(command)
        start = self.console.position
        match = self.expect(PROMPT, timeout=timeout)
        return self.console.text[start:match.start()][1:].split('\n')

    def cd(self, place):
        disk = place if isinstance(place, Disk) else place.disk
        interface = INTERFACES[disk.kind]
        for number in range(len(self.machine.disks)):
            device = f'{interface} {number}:1'
            listed = self.shell(f'ls {device} /')
            if any('shadowboot.efi' in line for line in listed):
                self.device = device
                return device
        raise self.console.error('U-Boot has no name for the disk with the program')

    def load(self, command):
        """Loads the program; gives U-Boot's line that starts it. Its words are the load options."""
        name, _, words = command.partition(' ')
        loaded = self.shell(f'load {self.device} $kernel_addr_r {name}.efi')
        if any(NO_ROOM in line for line in loaded):
            self.type('reset\r')
            self.to_shell()
            loaded = self.shell(f'load {self.device} $kernel_addr_r {name}.efi')
        if not any(LOADED.search(line) for line in loaded):
            raise ConsoleError(f'{name}.efi: {loaded}')
        self.shell(f"setenv bootargs '{words}'")
        return 'bootefi $kernel_addr_r $fdtcontroladdr'

    def start(self, command):
        super().start(self.load(command))

    def run(self, command, timeout=120):
        """What the program printed."""
        lines = self.shell(self.load(command), timeout)
        if lines and lines[0].startswith('Booting '):
            lines = lines[1:]
        failed = FAILED.search('\n'.join(lines))
        return Result([line for line in lines if not FAILED.search(line)], int(failed[1]) if failed else 0)
