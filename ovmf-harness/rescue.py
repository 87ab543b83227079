"""The disks of a machine on the bench: what the tests of shadowboot-linux share.

    desk = Bench(setup, folder)                   # of mirror.py; fixture `bench` makes it from damages
    text, status, errors = desk.run('status')     # over its images, named to the program
    text, status, errors = desk.write('repair', '-y')
    assert check_esp(desk, 1) == check_esp(desk, 0)
"""
import os
import re
import shutil
import subprocess
from pathlib import Path

import limits
from firmware import ROOT
from sparse import copy_range, digest

GLOBAL = '8be4df61-93ca-11d2-aa0d-00e098032b8c'
MIB = 1 << 20
USAGE, UNSUPPORTED, NO_SPACE, NOT_FOUND, REFUSED = 2, 3, 9, 14, 15


def program():
    path = Path(os.environ.get('SHADOWBOOT_LINUX', ROOT / 'build/shadowboot-linux')).absolute()
    assert path.is_file(), f'{path} is missing: make linux builds it'
    return path


class Bench:
    """The disks of a machine, named to the program; journals go to a folder of their own."""

    def __init__(self, setup, folder):
        self.setup, self.folder = setup, Path(folder)
        self.journal = self.folder / 'journal'
        self.journal.mkdir(parents=True, exist_ok=True)
        self.images = [setup.disk(index).image for index in setup.present()]

    def disks(self):
        return [word for index in self.setup.present()
                for word in ('--disk', str(self.setup.disk(index).image),
                             '--sector-size', str(self.setup.disk(index).block_size))]

    def efivars(self):
        """The variables as efivarfs shows them, of a firmware that says whether it has Secure Boot."""
        if 'SecureBoot' not in self.setup.variables:
            self.setup.variables |= {'SecureBoot': (6, b'\0'), 'SetupMode': (6, b'\1')}
        folder = self.folder / 'efivars'
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name, (attributes, data) in self.setup.variables.items():
            vendor, _, plain = name.rpartition('/')
            name = f'{plain}-{vendor.strip("{}").lower() or GLOBAL}'
            (folder / name).write_bytes(attributes.to_bytes(4, 'little') + data)
        return f'--efivars={folder}'

    def run(self, *words, options=(), prefix=(), timeout=60):
        line = [*prefix, str(program()), *self.disks(), *options, *words]
        done = limits.run(line, timeout, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return done.stdout.decode(), done.returncode, done.stderr.decode()

    def write(self, *words, options=()):
        return self.run(*words, options=['--write', '--journal', str(self.journal), '--journal-in-memory', *options])

    def digests(self):
        return [digest(image) for image in self.images]


def only_core(text):
    """Without what the ports bring: the models of disks, and what the program for Linux says of itself."""
    text = re.sub(r'^shadowboot-linux: .*\n', '', text, flags=re.MULTILINE)
    return re.sub(r'^(Disk \d+  .*?[KMGT]iB)  .*$', r'\1', text, flags=re.MULTILINE)


def check_esp(desk, index):
    """fsck.fat and sgdisk find nothing wrong; gives the files."""
    disk = desk.setup.disk(index)
    part = desk.folder / 'esp.img'
    copy_range(disk.image, disk.offset('esp'), disk.size('esp'), part)
    done = subprocess.run(['fsck.fat', '-n', str(part)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    listing = subprocess.run(['mdir', '-/', '-b', '-i', str(part), '::/'], capture_output=True, text=True)
    table = subprocess.run(['sgdisk', '-v', str(disk.image)], capture_output=True, text=True)
    assert 'No problems found' in table.stdout
    return sorted(line.lower() for line in listing.stdout.splitlines())
