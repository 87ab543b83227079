"""What firmware does before it looks at any disk, done once: machines start behind it.

OVMF unpacks itself and waits for a TPM that is not there, and so comes to its drivers after half of the
way to a prompt. Until then it has seen memory and its own flash, no other device and no variable. So
the state of a virtual PC without disks at that moment is kept in a file, and any machine of the same
memory can go on from there, with its own disks and variables:

    state = kept(folder, arguments, firmware, 'state', lambda path: make_state(path, arguments, firmware))
    QEMU ... -S -incoming 'exec:cat STATE'      # then what cannot come with it: see LATE
    loaded(qmp); for line in late: add(qmp, line); cont

The moment is that at which DxeIpl (the end of PEI, PI specification volume 1, 2.3) reads the DXE core
out of the firmware volume that it was unpacked into.
"""
import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import socket
import struct
import subprocess
import time
from pathlib import Path

from firmware import FIRMWARE
from firmware_volume import DXE_CORE, SIGNATURE, SIGNATURE_AT, files, program
from limits import Clock
from qmp import Qmp

# Devices of which QEMU knows no state: with one of them it loads none, so they are plugged in behind that.
LATE = ('nvme,',)
# Where OVMF unpacks itself to, and where the volumes in there may begin.
UNPACKED, UNPACKED_SIZE, VOLUME_ALIGN = 0x800000, 24 << 20, 0x10000
PATIENCE = 120                               # seconds in which QEMU could run


def key(arguments, *files):
    """A name for what is made of these arguments and files by this version of this file and of QEMU."""
    qemu = Path(shutil.which(FIRMWARE.qemu)).resolve()
    parts = [repr(arguments).encode(), str(qemu).encode(), repr(qemu.stat().st_mtime_ns).encode(),
             *(Path(file).read_bytes() for file in (__file__, *files))]
    digests = [hashlib.sha256(part).digest() for part in parts]
    return hashlib.sha256(b''.join(digests)).hexdigest()[:16]


def kept(path, make):
    """The file; made by make(path) if it is not there, by one process while others wait."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path.with_suffix('.lock'), 'w', encoding='ascii') as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not path.exists():
                fresh = path.with_suffix('.new')
                make(fresh)
                fresh.rename(path)
    return path


# Going on from a state

def loaded(qmp):
    """Wait until the state is in the machine, which stands still."""
    end = qmp.clock() + PATIENCE
    while qmp.execute('query-status')['status'] == 'inmigrate':
        if qmp.clock() >= end:
            raise TimeoutError('the state is not loaded')
        time.sleep(0.01)


def save(qmp, path):
    """Keep the state of a machine that stands still in a file."""
    qmp.execute('migrate', uri=f"exec:cat > '{path}'")
    end = qmp.clock() + PATIENCE
    while (status := qmp.execute('query-migrate').get('status')) != 'completed':
        if status == 'failed' or qmp.clock() >= end:
            raise RuntimeError(f'the state cannot be saved: {status}')
        time.sleep(0.05)


def split(arguments):
    """(arguments without what has to come later, the values of -device for that)."""
    late = [at for at, word in enumerate(arguments) if word.startswith(LATE)]
    left = [word for at, word in enumerate(arguments) if not {at, at + 1} & set(late)]
    return left, [arguments[at] for at in late]


def add(qmp, device):
    """Plug in a device: a value of -device."""
    said = qmp.execute('human-monitor-command', **{'command-line': f'device_add {device}'})
    if said:
        raise RuntimeError(f'{device}: {said}')


# Making a state

class Debugger:
    """QEMU's gdb stub, as far as it is needed: one watchpoint."""

    def __init__(self, connection):
        self.connection = connection

    def say(self, text, behind=b''):
        data = text.encode()
        self.connection.sendall(b'$%s#%02x%s' % (data, sum(data) & 0xFF, behind))

    def answer(self):
        received = b''
        while not (match := re.search(rb'\$([^#]*)#..', received)):
            data = self.connection.recv(4096)
            if not data:
                raise RuntimeError('QEMU closed its debugger')
            received += data
        self.connection.sendall(b'+')
        return match[1].decode()

    def ask(self, text):
        self.say(text)
        return self.answer()

    def run_until_read(self, address):
        """Let the machine run until it reads there; then it stands still, as by `stop`."""
        if self.ask(f'Z3,{address:x},2') != 'OK':
            raise RuntimeError('QEMU takes no watchpoint')
        if f'rwatch:{address:016x}' not in (said := self.ask('c')):
            raise RuntimeError(f'QEMU stopped elsewhere: {said}')
        self.ask(f'z3,{address:x},2')
        # What a debugger has stopped is loaded as such, and does not go on: so once more, in another way.
        self.say('c', behind=b'\x03')
        self.answer()


class Blank:
    """A virtual PC without disks and variables, not yet running."""

    def __init__(self, arguments, firmware):
        pairs = [socket.socketpair() for _ in range(2)]
        monitor, debugger = (theirs.fileno() for _, theirs in pairs)
        command = ['setpriv', '--pdeathsig', 'KILL', FIRMWARE.qemu, *arguments, '-S',
                   '-chardev', 'null,id=console', '-serial', 'chardev:console',
                   '-chardev', f'socket,id=qmp,fd={monitor}', '-mon', 'chardev=qmp,mode=control',
                   '-chardev', f'socket,id=gdb,fd={debugger}', '-gdb', 'chardev:gdb',
                   '-drive', f'if=pflash,format=raw,unit=0,file={firmware},readonly=on']
        self.process = subprocess.Popen(command, pass_fds=[monitor, debugger], stdin=subprocess.DEVNULL)
        for _, theirs in pairs:
            theirs.close()
        self.clock, self.connections = Clock(self.process.pid), [ours for ours, _ in pairs]
        self.connections[1].settimeout(10 * PATIENCE)
        self.qmp, self.debugger = Qmp(self.connections[0], self.clock), Debugger(self.connections[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        for connection in self.connections:
            connection.close()

    def memory(self, scratch):
        self.qmp.execute('pmemsave', val=UNPACKED, size=UNPACKED_SIZE, filename=os.fspath(scratch))
        data = scratch.read_bytes()
        scratch.unlink()
        return data

    def find_core(self, scratch):
        """Run until the DXE core is unpacked; gives its address."""
        end = self.clock() + PATIENCE
        while self.clock() < end:
            self.qmp.execute('cont')
            time.sleep(0.1)
            self.qmp.execute('stop')
            if (place := dxe_core(self.memory(scratch))) is not None:
                return UNPACKED + place
        raise TimeoutError('the firmware unpacks no DXE core')


def dxe_core(data):
    """Where the program of the DXE core begins in memory with firmware volumes, or None."""
    for volume in range(0, len(data), VOLUME_ALIGN):
        if data.startswith(SIGNATURE, volume + SIGNATURE_AT):
            with contextlib.suppress(struct.error):
                for _, kind, start, end in files(data, volume):
                    if kind == DXE_CORE and (found := program(data, start, end)):
                        return found[0]
    return None


def make_state(path, arguments, firmware):
    """The state of a virtual PC at the end of PEI, into a file."""
    with Blank(arguments, firmware) as machine:
        place = machine.find_core(path.with_suffix('.memory'))
    with Blank(arguments, firmware) as machine:
        machine.debugger.run_until_read(place)
        save(machine.qmp, path)
