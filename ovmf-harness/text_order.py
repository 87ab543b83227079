"""Which functions of the firmware program lie together: those that commands run, what the same ones run
beside each other, the most used first.

    /usr/bin/python3 ovmf-harness/text_order.py >efi/text_order.lds

The firmware of the tests clears memory that it is given back byte by byte, and an emulator looks at
each byte of a page again as long as code that it has translated lies there. So the pages that a command
runs code on cost it time when it ends, and there are fewer of them where what is run is not strewn
among what is not. Commands are run under OVMF while QEMU lists the code that it translates; the symbols
of build/x64/shadowboot.so tell whose that is. A function that is not listed comes behind, and a name
that is no more does no harm; so this need be made anew only now and then.
"""
import bisect
import collections
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import bench
import bench_rebuild
from firmware import ROOT

PROGRAM = ROOT / 'build/x64/shadowboot.so'
COMMANDS = ('help undo', 'disks', 'volumes', 'entries', 'status', 'status -quick', 'prepare 1 -y -format',
            'repair -n', 'undo -y')
REBUILD = ('rebuild 0 -y', 'status', 'undo -y')
PAGE = 4096
ADDRESS = re.compile(r'^0x([0-9a-f]+):', re.MULTILINE)


def symbols():
    """[(address, name)] of the functions, in the order of their addresses."""
    lines = subprocess.run(['nm', '--defined-only', PROGRAM], capture_output=True, text=True, check=True).stdout
    fields = [line.split() for line in lines.splitlines()]
    return sorted((int(address, 16), name) for address, kind, name in fields if kind in 'tT')


def translated(session, command, log):
    """Addresses of the instructions that QEMU translates during a command."""
    def monitor(line):
        session.vm.qmp.execute('human-monitor-command', **{'command-line': line})
    log.unlink(missing_ok=True)
    monitor(f'logfile {log}')
    monitor('log in_asm')
    session.vm.shell(f'shadowboot {command}', timeout=300)
    monitor('log none')
    return {int(text, 16) for text in ADDRESS.findall(log.read_text(errors='replace'))}


def base_of(addresses, functions):
    """Where the program was: the base by which most functions begin at one of the addresses."""
    starts = collections.defaultdict(list)
    for start, _ in functions:
        starts[start % PAGE].append(start)
    votes = collections.Counter(at - start for at in addresses for start in starts[at % PAGE])
    return votes.most_common(1)[0][0]


def names_of(addresses, functions):
    base = base_of(addresses, functions)
    starts = [start for start, _ in functions]
    end = starts[-1] + PAGE
    found = {bisect.bisect(starts, at - base) - 1 for at in addresses if starts[0] <= at - base < end}
    return {functions[i][1] for i in found}


def measure(bed, commands, functions, uses, folder, **options):
    with bench.Session(bed, **options) as session:
        for command in commands:
            for name in names_of(translated(session, command, folder / 'log'), functions):
                uses[name].append(command)


def main():
    functions, uses = symbols(), collections.defaultdict(list)
    with tempfile.TemporaryDirectory(prefix='shadowboot-order-') as name:
        folder = Path(name)
        (folder / 'mirror').mkdir()
        (folder / 'windows').mkdir()
        measure(bench.Bed(folder / 'mirror'), COMMANDS, functions, uses, folder)
        measure(bench_rebuild.WindowsBed(folder / 'windows'), REBUILD, functions, uses, folder, volumes=False)
    order = {name: at for at, (_, name) in enumerate(functions)}
    print('/* Made by ovmf-harness/text_order.py. */')
    for name in sorted(uses, key=lambda name: (-len(uses[name]), uses[name], order[name])):
        print(f'*(.text.{name})')


if __name__ == '__main__':
    sys.exit(main())
