"""make bench: what whole commands cost in instructions, from the Enter key to the prompt, nothing taken off
but the waiting for disks (see `instructions`).

That is what a processor has to do for them. An emulator's own time is something else: it translates each
piece of a program the first time it runs, and looks anew at each byte that is written to a page which
holds such code, as firmware does that clears the memory of a program which has ended. So short runs of a
large program cost it much that costs a processor nothing. By instructions `prepare` is more than 20 times
as fast as `cp -r`, by the emulator's time it is not; `bench` prints both.

The processor that QEMU 7.2 of Debian 12 plays has no instructions for SHA-256, which servers have had for
years: a digest costs it some 40 for each byte. Of programs that are signed one is made, of others only
where db or dbx hold digests. So `rebuild` of signed programs took 350 million here, and 135 with QEMU 10.0
(-cpu max), which has the instructions; of programs without signature 127 and 120. A program that does
nothing took 39 to 68, since firmware and Shell load and start it.
"""
import statistics
import tempfile
from pathlib import Path

import bench_rebuild
from instructions import Meter, Metered
from secure_boot import AUTHORITIES, Keys

ROUNDS = 2


def tell(figures, name, session, meter, line):
    """The line has to do its work for its figure to count."""
    lines, spent = meter.of(lambda: session.vm.shell(line, timeout=300))
    session.check_done(line, lines)
    figures.add(f'counted {name}', spent.work)
    figures.waiting.setdefault(name, []).append(spent.waiting)


def metered(session, disk, line):
    """A Meter for the machine of a session, which knows what waiting for the disk of that line costs."""
    meter = Meter(session.vm)
    meter.learn_waiting(disk, lambda: session.timed(line))
    return meter


def measure_copies(bed, commands, figures):
    """`commands`: {name: line} of a session. What they did is taken back but for the last time, when `copy`
    fills the ESP that was made once more, and has nothing to do. Its journal is deleted first: while an earlier
    change can be taken back, what that needs of the free space is saved as well."""
    with bed.session() as session:
        meter = metered(session, bed.disks[1], session.raw_line(1))
        for left in reversed(range(ROUNDS)):
            for name, line in commands(session).items():
                tell(figures, name, session, meter, line)
            session.timed(f'rm -q {session.names[1]}\\EFI')
            if left:
                session.timed('shadowboot undo -y')
        bed.disks[1].reread()
        esp = bed.disks[1].esp
        session.timed(f'rm -q {session.vm.fs(esp)}\\EFI')
        session.vm.cd(bed.stick)
        session.timed('rm -q \\EFI\\shadowboot\\J*.SBJ')
        line = f'shadowboot copy -sg {bed.source.guid} -tg {esp.guid} \\EFI -y'
        for name in ('copy', 'idle copy'):
            tell(figures, name, session, meter, line)


def measure_rebuild(session_of, figures):
    """Of programs as they are built, and of signed ones, of which each has a digest to be held against."""
    with tempfile.TemporaryDirectory(prefix='shadowboot-bench-') as folder:
        keys = Keys(Path(folder) / 'keys')
        measure_rebuild_of(session_of, figures, 'rebuild', bytes)
        measure_rebuild_of(session_of, figures, 'rebuild of signed programs',
                           lambda data: keys.sign(data, AUTHORITIES[0]))


def measure_rebuild_of(session_of, figures, name, finish):
    with tempfile.TemporaryDirectory(prefix='shadowboot-bench-') as folder:
        bed = bench_rebuild.WindowsBed(Path(folder), kind=Metered, finish=finish)
        with session_of(bed) as session:
            meter = metered(session, bed.disk, 'shadowboot rebuild 0 -n')
            for _ in range(ROUNDS):
                tell(figures, name, session, meter, 'shadowboot rebuild 0 -y')
                session.timed('shadowboot undo -y')


def lines(figures):
    """What was counted, as lines of text."""
    found = ['Instructions, whole commands'.ljust(38) + 'millions   beside: waiting for disks']
    for name, waiting in figures.waiting.items():
        found.append(f'{name:38}{figures.of(f"counted {name}") / 1e6:8.1f}{statistics.median(waiting) / 1e6:12.1f}')
    return found
