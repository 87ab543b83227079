"""How many instructions a virtual machine carries out: what a processor has to do, whatever the host does.

    machine = Metered(folder); ...
    with machine.boot_to_shell() as vm:
        meter = Meter(vm)
        lines, spent = meter.of(lambda: vm.shell('map'))

Counted by QEMU itself, see count/count.c. A driver that waits for a disk looks again and again whether
it has answered, so those instructions follow the host. Meter.learn_waiting finds out where it looks: it
has the same work done once more by a slower disk, and what the machine does more then is waiting. From
then on `of` leaves that out. The work has to be some dozens of requests to that disk.
"""
from array import array
from dataclasses import dataclass

from demo import built
from machine import Machine

SLOW = 20                            # requests in a second: a fraction of what any host does


class Metered(Machine):
    def command(self, qmp_fd):
        plugin = built('SHADOWBOOT_COUNT', 'build/host/count.so')
        return [*super().command(qmp_fd), '-plugin', f'{plugin},out={self.counts}']

    @property
    def counts(self):
        return self.workdir / 'instructions'


@dataclass(frozen=True)
class Spent:
    """Instructions, without those that waited for disks, and these."""
    work: int
    waiting: int = 0


@dataclass
class Meter:
    """`loop` is the counter of the code that waits; `cost` the instructions of the whole machine for each
    that is counted there."""
    vm: object
    loop: int = None
    cost: float = 0

    def read(self):
        return array('Q', self.vm.machine.counts.read_bytes())

    def of(self, call):
        """(what a call gives, what the machine Spent on it)"""
        before = self.read()
        given = call()
        after = self.read()
        total = sum(after) - sum(before)
        waiting = 0 if self.loop is None else round(self.cost * (after[self.loop] - before[self.loop]))
        return given, Spent(total - waiting, waiting)

    def throttle(self, disk, requests):
        line = f'block_set_io_throttle {disk.name}d 0 0 0 {requests} 0 0'
        said = self.vm.qmp.execute('human-monitor-command', **{'command-line': line})
        if said:
            raise RuntimeError(f'{line}: {said}')

    def learn_waiting(self, disk, call):
        """`call` does the same work each time, and waits for this disk."""
        seen = []
        for requests in (0, SLOW):
            self.throttle(disk, requests)
            before = self.read()
            call()
            seen.append([after - at for after, at in zip(self.read(), before)])
        self.throttle(disk, 0)
        more = [slow - fast for fast, slow in zip(*seen)]
        self.loop = more.index(max(more))
        self.cost = sum(more) / more[self.loop]
