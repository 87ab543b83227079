"""The host program over the images of a Machine that is off: the same commands without firmware.

    host = HostProgram(server.machine, workdir, current=4)
    result = host.run('shadowboot clone -n')      # Result: text, status

Variables are taken from the machine's flash image once and then live in a text file of their own.
The program is in $SHADOWBOOT_HOST, default build/host/shadowboot.
"""
import os
import shlex
import subprocess
from collections import namedtuple
from pathlib import Path

import limits
from firmware import ROOT

CONTROLLERS = {'nvme': 'nvme', 'ahci': 'ahci', 'virtio-blk': 'virtio', 'virtio-scsi': 'scsi',
               'usb': 'usb'}
DATE = '2026-11-20T12:00:00'
VOLATILE = 6  # boot and runtime services, as firmware sets BootCurrent

HostResult = namedtuple('HostResult', 'text status')


class HostProgram:
    """`place` is disk and partition that the program is started from, as --self takes it, and `screen`
    columns and rows, as --screen does."""

    def __init__(self, machine, workdir, place, current, screen=None):
        self.machine, self.place = machine, place
        self.screen = ['--screen', screen] if screen else []
        self.program = Path(os.environ.get('SHADOWBOOT_HOST', ROOT / 'build/host/shadowboot'))
        self.variables = Path(workdir) / 'variables.txt'
        lines = [f'{name} {variable.attributes:x} {variable.data.hex()}'
                 for name, variable in self._stored()]
        lines.append(f'BootCurrent {VOLATILE:x} {current.to_bytes(2, "little").hex()}')
        self.variables.write_text('\n'.join(lines) + '\n')

    def _stored(self):
        """The boot variables in the flash, those of entries in their order first."""
        nvram = self.machine.nvram
        names = [f'Boot{number:04X}' for number in nvram.entries()]
        found = [(name, nvram.get(name)) for name in [*names, 'BootOrder', 'BootNext', 'Timeout']]
        return [(name, variable) for name, variable in found if variable]

    def _disk(self, disk):
        if disk.pulled:
            return ['--disk', 'none']
        return ['--disk', f'{disk.image}:{disk.block_size}:{CONTROLLERS[disk.kind]}']

    def run(self, line, answers=()):
        """Run a command line as it is typed at a prompt; its first word is the program's name."""
        words = shlex.split(line.replace('\\', '\\\\'))
        options = [word for disk in self.machine.disks for word in self._disk(disk)]
        options += self.screen
        options += ['--vars', str(self.variables), '--self', self.place, '--date', DATE]
        options += [word for answer in answers for word in ('--answer', answer)]
        done = limits.run(
            [str(self.program), *options, '--name', words[0], '--', *words[1:]], 120,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return HostResult(done.stdout.decode(), done.returncode)
