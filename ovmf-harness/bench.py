"""make bench, the part under OVMF: what copying costs beside the Shell's `cp -r` and raw Block I/O.

One virtual machine with two NVMe disks. Disk 0 has an ESP with the files of `windows_tree`, Disk 1 free
space for one and a volume for `cp`. In one run:

    cp -r      the Shell copies the tree onto an empty file system
    raw        as many bytes as the tree has are read from Disk 0, written to Disk 1, read back and
               compared, in pieces of 1 MiB: see rawio/rawio.c
    prepare    makes the ESP of Disk 1 in the free space, with all files
    copy       fills an ESP without files, then has nothing to do

Commands are timed from the Enter key to the prompt, less what one takes that does nothing; what the
program says with -v of its writing is held against the raw figure. All but `cp -r` is done in as many
rounds as asked for, and the median counts.

What a person waits for is measured apart, in one boot, command by command in turn, nothing taken off:
`cp -r`, `prepare`, `status`, `disks`, and what the Shell takes to find out that there is no such
command. It is counted in seconds of processor time of the virtual machine, which others on the host do
not lengthen, beside the seconds from key to prompt; and watch/watch.c counts what `prepare` asks of the
firmware. The same whole commands in instructions of the virtual machine: see bench_counted. Those, and
calls and bytes, are what a processor has to do; seconds, also of processor time, are an emulator's.

Exit status 0 if every goal is met and every copy was judged right by mtools and fsck.fat, else 1.
"""
import re
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import bench_counted
import bench_rebuild
import windows_tree
from demo import DemoFailed, built
from firmware import FIRMWARE
from gpt import BASIC_DATA, ESP, MSR, Partition, poke
from instructions import Metered
from machine import LOADER, MIB, Machine

ESP_MIB = 260
FREE_AT = 1                      # MiB: where the ESP of Disk 1 will be
MSR_AT = FREE_AT + ESP_MIB + 2
VOLUME_AT = MSR_AT + 16
RAW_AT = VOLUME_AT + ESP_MIB
READY = 64                       # MiB: what a tree may take on a volume
CLUSTER = 8                      # blocks: what Windows' format makes of FAT32 on 260 MiB
SOURCE_SKIP = MIB                # the raw reads begin behind the FATs, where the files are
RAW_ROUNDS = 9
NOTHING = 'shadowboot help undo' # starts the program, and nothing else
IDLE_TRIES = 5
ROUNDS = 3
NANOSECONDS = 1e9
NO_COMMAND = 'no-such-command'
PREPARE = 'prepare 1 -y -format'
WRITTEN = re.compile(r'Written: ([\d,]+) bytes in ([\d,]+) ms')
COUNTS = re.compile(r'Disks: (\d+) reads, (\d+) bytes; (\d+) writes')

# (what is measured, what it is compared with, how many times as fast at least, less than 1: slower)
GOALS = (
    ('prepare', 'cp', 50),
    ('prepare', 'raw', 1 / 2),
    ('copy', 'cp', 3),
    ('rebuild', 'cp', 40),
    ('rebuild', 'raw', 1 / 5),
    ('felt prepare', 'felt cp', 10),
    ('felt rebuild', 'felt cp', 5),
    ('felt disks', 'felt prepare', 2),
    ('counted prepare', 'counted cp', 20),
    ('counted rebuild', 'counted cp', 40),
    ('counted rebuild', 'counted raw', 1 / 2.5),
    ('counted copy', 'counted cp', 6),
)
# Not reached yet, so printed only.
AIMS = (
    ('rebuild', 'raw', 1 / 2.5),
    ('felt prepare', 'felt cp', 20),
    ('felt rebuild', 'felt cp', 40),
    ('counted rebuild of signed programs', 'counted cp', 40),
)
TITLES = {
    'cp': 'Shell cp -r',
    'raw': 'raw Block I/O: read, write, read back',
    'prepare': 'prepare: written, read back, compared',
    'prepare whole': 'prepare: the whole command',
    'copy': 'copy onto an empty file system',
    'idle copy': 'copy with nothing to do',
    'rebuild': 'rebuild: written, read back, compared',
    'felt cp': 'Shell cp -r, processor time',
    'felt prepare': 'prepare, processor time',
    'felt rebuild': 'rebuild, processor time',
    'felt status': 'status, processor time',
    'felt disks': 'disks, processor time',
    'felt none': 'no such command, processor time',
    'counted prepare': 'prepare, instructions',
    'counted rebuild': 'rebuild, instructions',
    'counted rebuild of signed programs': 'rebuild of signed programs, instructions',
    'counted copy': 'copy, instructions',
    'counted cp': 'Shell cp -r, instructions',
    'counted raw': 'raw Block I/O, instructions',
}
FELT = [name for name in TITLES if name.startswith('felt ')]
COUNTED = [name for name in TITLES if name.startswith('counted ')]


class BenchFailed(Exception):
    """Something did not do its work, so that no figure counts."""


def check(holds, what):
    if not holds:
        raise BenchFailed(what)


@dataclass
class Figures:
    """Seconds by what was measured, all of them, of 'counted ...' instructions; reads and bytes of the
    last idle `copy`. `waited` are those from key to prompt of what is felt, `waiting` the instructions
    that waited for disks, `asked` what `prepare` asks of the firmware."""
    seconds: dict = field(default_factory=dict)
    waited: dict = field(default_factory=dict)
    waiting: dict = field(default_factory=dict)
    size: int = 0
    asked: str = ''
    idle_reads: list = field(default_factory=list)
    rebuild_reads: int = 0

    def add(self, name, seconds):
        self.seconds.setdefault(name, []).append(seconds)

    def of(self, name):
        return statistics.median(self.seconds[name])

    def ratio(self, name, other):
        """How many times as fast `name` is as `other`."""
        return self.of(other) / self.of(name)


def partition(kind, at, mib, guid, **options):
    """A partition at a place given in MiB, on blocks of 512 bytes."""
    lba = MIB // 512
    return Partition(kind, at * lba, mib * lba, f'5ad0b00c-0000-4000-8000-{guid:012d}', **options)


class Bed:
    """The machine. `source` and `volume` are the ESP of Disk 0 and what `cp` copies onto."""

    def __init__(self, folder, kind=Machine):
        product = built('SHADOWBOOT_EFI', 'build/shadowbootx64.efi')
        rawio = built('SHADOWBOOT_RAWIO', 'build/rawio.efi')
        watch = built('SHADOWBOOT_WATCH', 'build/watch.efi')
        self.size = product.stat().st_size
        built('SHADOWBOOT_STANDIN', 'build/x64/standin.efi')
        self.machine = kind(folder, memory=512)
        self.disks = [self.machine.add_disk('nvme', 400 * MIB, partitions=[
            partition(ESP, 1, ESP_MIB, 1), partition(MSR, 1 + ESP_MIB, 16, 2)]),
            self.machine.add_disk('nvme', 640 * MIB)]
        self.stick = self.machine.add_stick({'shadowboot.efi': product, 'rawio.efi': rawio,
                                             'watch.efi': watch})
        self.source = self.disks[0].esp.format(32, cluster=CLUSTER)
        windows_tree.put_onto(self.source)
        self.machine.nvram.set_entry(0, 'Windows Boot Manager', self.source.short_path(LOADER))
        self.take_esp_away()
        self.volume.format(32, cluster=CLUSTER)

    @property
    def volume(self):
        return next(volume for volume in self.disks[1].volumes.values()
                    if volume.partition.type == BASIC_DATA)

    def take_esp_away(self):
        """Disk 1 as it was: no ESP, and zeros for which the host has the memory ready."""
        self.disks[1].write_gpt([partition(MSR, MSR_AT, 16, 3),
                                 partition(BASIC_DATA, VOLUME_AT, ESP_MIB, 4)],
                                '5ad0b00c-0000-4000-8000-000000000005')
        for place in (FREE_AT, RAW_AT):
            poke(self.disks[1].image, place * MIB, bytes(READY * MIB))

    def session(self):
        return Session(self)


class Session:
    """The machine at its Shell, in the folder of the programs."""

    def __init__(self, bed, volumes=True):
        self.bed, self.vm = bed, bed.machine.boot_to_shell()
        self.names = [self.vm.fs(place) for place in (bed.source, bed.volume)] if volumes else []
        self.vm.cd(bed.stick)
        self.idle = 0
        self.idle = statistics.median(self.timed(NOTHING)[0] for _ in range(IDLE_TRIES))

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        self.vm.close(failed=kind is not None)

    def timed(self, command, base=None):
        """Seconds that a command takes beside `base` (what one takes that does nothing), its lines."""
        start = time.perf_counter()
        lines = self.vm.shell(command, timeout=300)
        spent = time.perf_counter() - start
        self.check_done(command, lines)
        return max(spent - (self.idle if base is None else base), 0.001), lines

    def check_done(self, command, lines):
        """The command that was typed last, and what it printed."""
        status = self.vm.shell('echo %lasterror%')[-1]
        check(int(status, 16) == 0, f'"{command}" ended with status {status}:\n' + '\n'.join(lines))

    def raw_line(self, rounds):
        source, target = self.bed.disks
        from_block = (self.bed.source.offset + SOURCE_SKIP) // 512
        return (f'rawio {source.slot} {from_block} {target.slot} {RAW_AT * MIB // 512} '
                f'{windows_tree.size()} {rounds}')

    def measure_raw(self):
        """Seconds of the median raw round, with its comparing."""
        _, lines = self.timed(self.raw_line(RAW_ROUNDS))
        found = re.search(r'RAWIO bytes=(\d+) .*total=(\d+)', '\n'.join(lines))
        check(found and windows_tree.size() - int(found[1]) < 512, 'rawio said:\n' + '\n'.join(lines))
        return int(found[2]) / 1e6

    def felt(self, command):
        """Processor seconds of the machine, and those from key to prompt."""
        before, start = self.processor_time(), time.perf_counter()
        self.vm.shell(command, timeout=300)
        return self.processor_time() - before, time.perf_counter() - start

    def processor_time(self):
        """Seconds that the threads of the virtual machine have run."""
        tasks = Path(f'/proc/{self.vm.process.pid}/task').glob('*/schedstat')
        return sum(int(task.read_text().split()[0]) for task in tasks) / NANOSECONDS


def number(text):
    return int(text.replace(',', ''))


def matched(pattern, lines):
    """What a pattern finds in the lines of a command."""
    found = pattern.search('\n'.join(lines))
    check(found, f'{pattern.pattern!r} is not in what was printed:\n' + '\n'.join(lines))
    return found


def judge(volume, what):
    """A copy has to be whole for its figure to count."""
    difference = windows_tree.difference(volume)
    check(not difference, f'{what}: {difference}')
    volume.fsck()


def measure_cp(bed, figures):
    with bed.session() as session:
        source, target = session.names
        figures.add('cp', session.timed(f'cp -r -q {source}\\EFI {target}\\', base=0)[0])
    judge(bed.volume, 'cp -r')


def measure_prepare(bed, figures):
    """What the program says of its writing; the list of files that -v prints is not counted."""
    bed.take_esp_away()
    with bed.session() as session:
        figures.add('raw', session.measure_raw())
        _, lines = session.timed('shadowboot prepare 1 -y -format -v')
        figures.add('raw', session.measure_raw())
    figures.add('prepare', max(number(matched(WRITTEN, lines)[2]), 1) / 1e3)
    bed.disks[1].reread()
    judge(bed.disks[1].esp, 'prepare')


def measure_commands(bed, figures):
    """The whole of `prepare`; and `copy` onto the ESP that it has made, with all files gone."""
    bed.take_esp_away()
    with bed.session() as session:
        figures.add('prepare whole', session.timed('shadowboot prepare 1 -y -format')[0])
        bed.disks[1].reread()
        esp = bed.disks[1].esp
        session.timed(f'rm -q {session.vm.fs(esp)}\\EFI')
        command = f'shadowboot copy -sg {bed.source.guid} -tg {esp.guid} \\EFI -y'
        figures.add('copy', session.timed(command)[0])
        seconds, lines = session.timed(command + ' -v')
    reads, size, writes = map(int, matched(COUNTS, lines).groups())
    check(writes == 0, f'copy with nothing to do has written {writes} times')
    figures.add('idle copy', seconds)
    figures.idle_reads = [reads, size]
    judge(esp, 'copy')


def measure_felt(bed, figures, rounds):
    """What a person waits for, in one boot and in turn; then the same `prepare` once more, counted."""
    bed.take_esp_away()
    bed.volume.format(32, cluster=CLUSTER)
    with bed.session() as session:
        source, target = session.names
        commands = {'felt none': NO_COMMAND, 'felt disks': 'shadowboot disks',
                    'felt status': 'shadowboot status', 'felt prepare': f'shadowboot {PREPARE}'}
        for number in range(rounds):
            session.timed(f'mkdir {target}\\{number}')
            commands['felt cp'] = f'cp -r -q {source}\\EFI {target}\\{number}\\'
            for name, command in commands.items():
                spent, waited = session.felt(command)
                figures.add(name, spent)
                figures.waited.setdefault(name, []).append(waited)
            session.timed('shadowboot undo -y')
        _, lines = session.timed(f'watch shadowboot.efi {PREPARE}')
        figures.asked = matched(re.compile(r'WATCH (.*)'), lines)[1]


def measure_counted(folder, figures):
    bed = Bed(folder, kind=Metered)
    bench_counted.measure_copies(bed, lambda session: {
        'echo': 'echo', 'nothing': NOTHING, 'disks': 'shadowboot disks', 'raw': session.raw_line(1),
        'prepare': f'shadowboot {PREPARE}', 'cp': 'cp -r -q {}\\EFI {}\\'.format(*session.names)}, figures)
    judge(bed.disks[1].esp, 'copy, counted')
    bench_counted.measure_rebuild(lambda windows: Session(windows, volumes=False), figures)


def measure_rebuild(figures, rounds):
    difference = bench_rebuild.measure(lambda bed: Session(bed, volumes=False), rounds, figures)
    check(not difference, f'rebuild: {difference}')
    check(figures.rebuild_reads <= MIB, f'rebuild reads {figures.rebuild_reads} bytes beside the files')


def measure_round(bed, figures):
    """All but `cp -r`, once."""
    measure_prepare(bed, figures)
    measure_commands(bed, figures)


def measure(folder, rounds=ROUNDS):
    """Everything in one run; gives Figures."""
    bed, figures = Bed(folder), Figures()
    measure_cp(bed, figures)
    for _ in range(rounds):
        measure_round(bed, figures)
    measure_felt(bed, figures, rounds)
    measure_rebuild(figures, rounds)
    counted = folder / 'counted'
    counted.mkdir()
    measure_counted(counted, figures)
    figures.size = bed.size
    return figures


def missed(figures, slack=1):
    """The goals that are not met, in words; `slack` makes them so many times easier."""
    return [f'{TITLES[name]}: {figures.ratio(name, other):.2f} times as fast as {TITLES[other]}, '
            f'the goal is {goal / slack:g}'
            for name, other, goal in GOALS if figures.ratio(name, other) < goal / slack]


def table(figures):
    """The figures as lines of text."""
    mib, files = windows_tree.size() / MIB, len(windows_tree.files())
    lines = [f'{files} files, {mib:.1f} MiB'.ljust(44) + 'ms   MiB/s']
    for name, title in TITLES.items():
        if name in COUNTED:
            continue
        seconds = figures.of(name)
        rate = '' if name == 'idle copy' or name in FELT else f'{mib / seconds:8.1f}'
        if name in FELT:
            rate = f'   {statistics.median(figures.waited[name]) * 1000:.0f} ms from key to prompt'
        lines.append(f'{title:38}{seconds * 1000:8.0f}{rate}')
    lines += bench_counted.lines(figures)
    for name, other, goal in GOALS:
        ratio = figures.ratio(name, other)
        lines.append(f'{name} to {other}: {ratio:.2f} times as fast, at least {goal:g} wanted')
    for name, other, aim in AIMS:
        lines.append(f'{name} to {other}: {figures.ratio(name, other):.2f} times as fast, {aim:g} aimed at')
    for name, aim in (('prepare', 20), ('rebuild', 40)):
        lines.append(f'{name}, the whole command, {aim} times as fast as cp -r wanted: '
                     f'{figures.ratio(f"counted {name}", "counted cp"):.1f} by instructions, '
                     f'{figures.ratio(f"felt {name}", "felt cp"):.1f} by the processor time of the emulator')
    reads, size = figures.idle_reads
    lines.append(f'copy with nothing to do: {reads} reads, {size} bytes, 0 writes')
    lines.append(f'rebuild reads {figures.rebuild_reads} bytes beside the files it brings')
    waited = {name: statistics.median(seconds) for name, seconds in figures.waited.items()}
    lines.append(f"from key to prompt prepare is {waited['felt cp'] / waited['felt prepare']:.1f} times as fast as "
                 'cp -r')
    lines.append(f'prepare asks the firmware: {figures.asked}')
    lines.append(f'image: {figures.size} bytes')
    return lines


def main():
    if not FIRMWARE.code.exists():
        print(f'bench: no {FIRMWARE.code}, so nothing is measured under it')
        return 0
    try:
        with tempfile.TemporaryDirectory(prefix='shadowboot-bench-') as folder:
            figures = measure(Path(folder))
    except (BenchFailed, DemoFailed, AssertionError) as error:
        print(f'bench: {error}')
        return 1
    print('\n'.join(table(figures)))
    wrong = missed(figures)
    for line in wrong:
        print(f'bench: {line}')
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
