"""A virtual PC with OVMF, some disks, and a memory of its boot entries.

    m = Machine(tmp_path)
    d0 = m.add_disk('nvme', partitions=[Partition(ESP, first_lba=63, blocks=100000)])
    d1 = m.add_disk('ahci', partitions=[Partition(ESP)])
    stick = m.add_stick({'shadowbootx64.efi': product})
    d0.esp.format().put('/EFI/x/y.efi', standin)
    d0.esp.put('/token.txt', b'abc')
    m.nvram.set_entry(0, 'Windows', d0.esp.short_path('\\\\EFI\\\\x\\\\y.efi'))

    with m.boot() as vm:                          # in the firmware's order
        assert vm.wait_standin().token == 'abc'   # only the started system knows the token

    with m.boot_to_shell() as vm:                 # BootNext names the built-in Shell
        vm.cd(stick)                              # FS0: or whatever it is this time
        result = vm.run('shadowbootx64.efi disks')
        assert result.status == 0 and 'Disk 0' in result.text

    m.pull(d0)                                    # the disk is dead
    with m.boot() as vm: ...

Always TCG, never `bootindex=` (OVMF then deletes entries), no network. Disks keep their PCI slots
when others are pulled. Machines are switched on behind what firmware does the same at every start (see
`early`), and with the variables it writes for itself when it starts for the first time; a Machine that
is `cold` has none of that. The variables live in workdir/vars.fd, the console of every boot in
workdir/console-N.log; the end of it is printed when the body of `with` fails.
"""
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from collections import namedtuple
from pathlib import Path

import early
from console import PROMPT, Console, scaled
from disk import MIB, Disk
from firmware import BUILD, FIRMWARE
from limits import Clock
from nvram import GLOBAL, NV_BS, Nvram
from qmp import Qmp, QmpError

LOADER = '\\EFI\\Microsoft\\Boot\\bootmgfw.efi'
# Where states are kept from one run to the next.
KEPT = BUILD / 'firmware'
FIRST_SLOT, LAST_SLOT = 2, 30
# UEFI specification 3.3: in which language the firmware speaks, which it works out once, and where it speaks and
# reads. To these OVMF adds what could be there at each start, and takes out again what is not: 14 writes, two
# thirds of all that it writes, byte for byte a call of the host. Variables with attributes of their own it cannot
# write (8.2, SetVariable), and goes by what they say.
LANGUAGE, CONSOLES = re.compile('Lang|PlatformLang'), re.compile('ConIn|ConOut|ErrOut')
STANDIN = re.compile(r'STANDIN token=(?P<token>\S*) esp=(?P<esp>\S+) entry=(?P<entry>\S+)'
                     r' file=(?P<file>\S*) loader=(?P<loader>\S+) system=(?P<system>\S+)'
                     r' description=(?P<description>[^\n]*)\n')
COUNTDOWN = re.compile(r'in \d+ seconds? to skip')

Standin = namedtuple('Standin', 'token esp entry file description loader system')
Result = namedtuple('Result', 'lines status')
Result.text = property(lambda self: '\n'.join(self.lines), doc='The lines as one text.')


def as_content(content):
    """What Volume.put takes: text becomes bytes; bytes and the Path of a file stay."""
    return content.encode() if isinstance(content, str) else content


def standin_of(match):
    """The line that STANDIN matched as a Standin."""
    found = match.groupdict()
    number = re.fullmatch('Boot([0-9A-F]{4})', found['entry'])
    found['entry'] = int(number[1], 16) if number else None
    return Standin(**found)


class Machine:
    """The parts of a machine while it is off. One machine per `workdir`; `desk`: with a PS/2 keyboard."""

    def __init__(self, workdir, memory=FIRMWARE.memory, cold=False, variables=None, desk=False):
        self.workdir, self.memory, self.cold, self.desk = Path(workdir), memory, cold, desk
        self.disks, self.vm, self.boots, self._next_slot = [], None, 0, FIRST_SLOT
        self.nvram = self.new_variables(variables)

    def new_variables(self, given):
        path = self.workdir / 'vars.fd'
        shutil.copyfile(given or (FIRMWARE.variables if self.cold else used_variables(self.desk)), path)
        return Nvram(path, self.running)

    def running(self):
        return self.vm is not None

    def add_disk(self, kind='nvme', size=64 * MIB, block_size=512, partitions=None,
                 disk_guid=None, **table_options):
        """Add a disk: kind as in disk.KINDS; with `partitions` it gets a GPT (see gpt.Table)."""
        if self._next_slot > LAST_SLOT:
            raise ValueError('no free slot')
        name = f'disk{len(self.disks)}'
        disk = Disk(name, FIRMWARE.kind_of(kind), self.workdir / f'{name}.img', self._next_slot, size, block_size,
                    self.running)
        self._next_slot += 1
        self.disks.append(disk)
        if partitions is not None:
            disk.write_gpt(partitions, disk_guid, **table_options)
        return disk

    def add_stick(self, files=None, size=64 * MIB, fat=32, partitions=None):
        """Add a USB stick with one FAT volume (superfloppy, or `partitions`) holding `files`.

        `files` maps names to bytes, text or Paths. The volume is `stick.volume`.
        """
        stick = self.add_disk('usb', size, partitions=partitions)
        volume = stick.volume if partitions else stick.superfloppy()
        volume.format(fat=fat)
        for name, content in (files or {}).items():
            volume.put(name, as_content(content))
        return stick

    def pull(self, disk):
        """Take a disk out; all others stay where they are."""
        self._change(disk, True)

    def put_back(self, disk):
        """Put a pulled disk back where it was."""
        self._change(disk, False)

    def _change(self, disk, pulled):
        if self.running():
            raise RuntimeError('disks are pulled and put back while the machine is off')
        disk.pulled = pulled

    def parts(self):
        """What every machine is made of, as QEMU's arguments."""
        parts = FIRMWARE.desk if self.desk else FIRMWARE.parts
        return [*parts, '-m', str(self.memory), '-nodefaults', '-net', 'none', '-display', 'none']

    def state(self):
        """The file with the state to go on from, or None."""
        if self.cold or not FIRMWARE.early:
            return None
        name = early.key(self.parts(), FIRMWARE.code)
        return early.kept(KEPT / f'{name}.state',
                          lambda path: early.make_state(path, self.parts(), FIRMWARE.code))

    def command(self, qmp_fd):
        """The command line of QEMU. setpriv kills it should the test run be killed."""
        return ['setpriv', '--pdeathsig', 'KILL', FIRMWARE.qemu, *self.parts(),
                '-chardev', 'stdio,id=console,signal=off', '-serial', 'chardev:console',
                '-chardev', f'socket,id=qmp,fd={qmp_fd}', '-mon', 'chardev=qmp,mode=control',
                *self.storage_arguments()]

    def storage_arguments(self):
        """The firmware's flash and the disks that are in. `blklog.WriteLog` puts others in their place."""
        flash = 'if=pflash,format=raw,unit={},file={}'
        arguments = ['-drive', flash.format(0, FIRMWARE.code) + ',readonly=on']
        variables = str(self.nvram.path).replace(',', ',,')
        arguments += ['-drive', flash.format(1, variables)]
        for disk in self.disks:
            arguments += [] if disk.pulled else disk.arguments()
        return arguments

    def boot(self):
        """Switch on; the firmware decides what starts. Use as a context manager."""
        if self.running():
            raise RuntimeError('the machine is running already')
        self.boots += 1
        self.vm = self.new_vm()
        return self.vm

    def new_vm(self):
        return Vm(self)

    def boot_to_shell(self, timeout=60, quick=True):
        """Switch on with BootNext naming the built-in Shell and wait for its prompt. `quick`: by an entry of the
        harness's own, which `Nvram.entries` does not tell of, and by which the Shell waits for no key."""
        self.nvram.next = self.nvram.quick_shell_entry() if quick else self.nvram.shell_entry()
        vm = self.boot()
        try:
            vm.to_shell(timeout)
        except BaseException:
            vm.close(failed=True)
            raise
        return vm


def used_variables(desk):
    """A store with what the firmware writes for itself when it finds an empty one, but no entry and no order: what
    it is told to start is each machine's own."""
    def make(path):
        with tempfile.TemporaryDirectory() as folder:
            machine = Machine(folder, variables=FIRMWARE.variables, desk=desk)
            with machine.boot() as vm:
                vm.to_shell()
            for variable in machine.nvram.variables():
                if CONSOLES.fullmatch(variable.name):
                    machine.nvram.set(variable.name, variable.data, attributes=NV_BS)
                elif variable.guid == GLOBAL and not LANGUAGE.fullmatch(variable.name):
                    machine.nvram.delete(variable.name)
            shutil.copyfile(machine.nvram.path, path)
    name = early.key([desk], FIRMWARE.code, FIRMWARE.variables, __file__)
    return early.kept(KEPT / f'{name}.variables', make)


class Vm:
    """A running machine. Leaving `with` switches it off; the images and variables stay."""

    def __init__(self, machine):
        self.machine = machine
        self._log_path = machine.workdir / f'console-{machine.boots}.log'
        self._errors_path = machine.workdir / f'qemu-{machine.boots}.log'
        ours, theirs = socket.socketpair()
        command, state, late = machine.command(theirs.fileno()), machine.state(), []
        if state:
            command, late = early.split(command)
            command += ['-S', '-incoming', f"exec:cat '{state}'"]
        with theirs, open(self._errors_path, 'wb') as errors:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=errors, pass_fds=[theirs.fileno()], bufsize=0, start_new_session=True)
        self.clock = Clock(self.process.pid)
        self._monitor, self._log = ours, open(self._log_path, 'w', encoding='utf-8')
        self.console = Console(self.process.stdout.fileno(), self.process.stdin.fileno(),
                               self._log, self.clock)
        self.qmp = self._connect(late if state else None)

    def _connect(self, late):
        """The monitor. `late`: what is plugged in before a machine goes on from a state."""
        try:
            qmp = Qmp(self._monitor, self.clock)
            if late is not None:
                early.loaded(qmp)
                for device in late:
                    early.add(qmp, device)
                qmp.execute('cont')
            return qmp
        except (OSError, QmpError) as error:
            self.close()
            raise RuntimeError(f'QEMU did not start:\n{self._errors_path.read_text()}') from error

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        self.close(failed=kind is not None)

    def close(self, failed=False):
        """Switch off (like holding the power button) and let go of everything."""
        if self.machine.vm is self:
            self.machine.vm = None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._release(failed)

    def _release(self, failed):
        """Close pipes, socket and log once; print where to look if the test failed."""
        if self._log.closed:
            return
        if failed:
            print(f'console in {self._log_path}, its end:\n{self.console.tail()}')
            print(self._errors_path.read_text(errors='replace'))
        for stream in (self._log, self._monitor, self.process.stdin, self.process.stdout):
            stream.close()

    def power_cut(self):
        """Kill QEMU at once, in the middle of whatever it does."""
        self.process.kill()
        self.process.wait()
        self.close()

    # Waiting and typing

    def expect(self, *patterns, timeout=60):
        """Wait for one of the regular expressions on the console, see Console.expect."""
        return self.console.expect(*patterns, timeout=timeout)

    def type(self, text):
        """Type characters; \\r is the Enter key."""
        self.console.type(text)

    def key(self, *names):
        """Press keys by name: 'enter', 'esc', 'up', 'ctrl-c', ... (console.KEYS)."""
        self.console.key(*names)

    def wait_standin(self, timeout=60):
        """Wait until a stand-in says that it runs; gives its line as a Standin.

        `entry` is the number of the boot entry or None; `esp` the partition GUID in lower case,
        or 'none' for a volume without one.
        """
        return standin_of(self.expect(STANDIN, timeout=timeout))

    def wait_reset(self, timeout=60):
        """Wait until the guest resets itself."""
        if not self.qmp.wait_event('RESET', scaled(timeout)):
            raise self.console.error(f'no reset within {timeout} s')

    def wait_off(self, timeout=60):
        """Wait until the guest switches itself off."""
        end = self.clock() + scaled(timeout)
        while self.process.poll() is None:
            if self.clock() >= end:
                raise self.console.error(f'still on after {timeout} s')
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(0.2)

    def reset(self):
        """Press the reset button. Volatile variables such as BootCurrent are gone."""
        self.qmp.execute('system_reset')
        self.qmp.wait_event('RESET', 10)

    # The Shell

    def to_shell(self, timeout=60):
        """Wait for the Shell's prompt; its countdown is cut short, startup.nsh is skipped.

        The program leaves its lines whole then, see COLUMNS; `set -v COLUMNS 80` has them broken.
        """
        match = self.expect(COUNTDOWN, PROMPT, timeout=timeout)
        if match.re is COUNTDOWN:
            self.key('quick-esc')
            self.console.expect_prompt(timeout)
        self.shell('set -v COLUMNS 0')

    def shell(self, command, timeout=120):
        """Run a command at the prompt; gives its output as a list of whole lines."""
        return self.console.shell(command, timeout)

    def run(self, command, timeout=120):
        """Like `shell`, but gives a Result: lines, text, and status from %lasterror%."""
        lines = self.shell(command, timeout)
        status = self.shell('echo %lasterror%')
        return Result(lines, int(status[-1], 16))

    def start(self, command):
        """Type a command that is not expected to come back."""
        self.type(command + '\r')
        self.console.expect_echo(command)

    def fs(self, place):
        """The Shell's name ('FS2:') of a volume, or of the first volume of a disk.

        The names differ from boot to boot. `map -r` is run first, so new volumes are found.
        `place` may also be text that stands in the firmware's device path, such as a GUID.
        """
        wanted = [part.upper() for part in self._path_parts(place)]
        for name, text in self.mappings().items():
            if name.startswith('FS') and all(part in text.upper() for part in wanted):
                return name
        raise self.console.error(f'the Shell has no name for {wanted}')

    @staticmethod
    def _path_parts(place):
        """Texts that together tell a volume's device path from all others."""
        if isinstance(place, str):
            return [place]
        volume = place.volume if isinstance(place, Disk) else place
        guid = getattr(volume.partition, 'guid', None)
        return [volume.disk.text_prefix] + ([guid] if guid else [])

    def cd(self, place):
        """Make a volume the Shell's current one; gives its name. Programs then start by file name."""
        name = self.fs(place)
        self.shell(name)
        return name

    def mappings(self):
        """The Shell's mapping table: {'FS0:': 'PciRoot(0x0)/...', 'BLK1:': ...}."""
        lines = self.shell('map -r')
        pairs = zip(lines, lines[1:])
        return {line.split()[0]: path.strip() for line, path in pairs if 'Alias(s):' in line}

    def read_variable(self, name, guid=None):
        """A variable as the store holds it now (the flash is written through)."""
        return self.machine.nvram.get(name, *([guid] if guid else []))

    # The screen

    def screenshot(self, path=None):
        """Save the screen as a PPM picture; gives the path."""
        path = Path(path or self.machine.workdir / f'screen-{self.machine.boots}.ppm')
        self.qmp.execute('screendump', filename=os.fspath(path))
        return path
