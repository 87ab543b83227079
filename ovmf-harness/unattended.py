"""A machine of `mirror` on which shadowboot stands by, and its starts, without firmware.

    box = Unattended(setup, folder, stick, program)    # a copy: `setup` stays as it is
    box.run('install', '-y')                           # from the stick
    course = box.power_on()                            # Course: what was started in the end, and how

`power_on` walks BootOrder as `firmware_model` does. Where that comes to shadowboot, the host program runs
as a boot manager starts it, from that very file; what it starts is judged by `firmware_model` again. A
reset begins anew, with BootNext. It ends with a system that starts, one that does not, or with a machine
that waits for a person.
"""
from dataclasses import dataclass, field
from pathlib import Path

import firmware_model
import mirror
from devicepath import LoadOption
from fat import Volume
from mirror import MIB
from repaired import Repaired, read_variables

AWAY = 126                           # the host program has handed the machine over
PASSES = 14                          # EFI_NOT_FOUND: it leaves the machine to the next entry
OWN = '\\EFI\\shadowboot\\shadowbootx64.efi'
STICK_PROGRAM = '\\EFI\\BOOT\\BOOTX64.EFI'
GUARD = '{7b6f3a52-4f0e-4d0b-9c1e-5ad0b007c0de}/ShadowbootStarts'
REPORT = '{7b6f3a52-4f0e-4d0b-9c1e-5ad0b007c0de}/ShadowbootReport'
RESETS_MAX = 8
NON_VOLATILE = 1
STARTED, STOPPED, WAITS, NOTHING, LOOPS = 'started', 'stopped', 'waits', 'nothing', 'loops'


@dataclass
class Course:
    """How a start went: STARTED from disk `disk`; STOPPED by what was started; it WAITS for a person, in
    shadowboot; NOTHING starts, and firmware asks; LOOPS. `texts` and `statuses` are those of shadowboot's
    runs, `events` what it loaded and started."""
    end: str = NOTHING
    disk: int = None
    resets: int = 0
    texts: list = field(default_factory=list)
    statuses: list = field(default_factory=list)
    events: list = field(default_factory=list)
    trace: list = field(default_factory=list)


class Walk(firmware_model.Firmware):
    """One way through BootOrder; shadowboot in it runs."""

    def __init__(self, box, course):
        setup = box.setup
        disks = firmware_model.fixed_disks(setup)
        super().__init__(setup, disks, [index for index in disks if setup.disks[index].system == 'own'])
        self.box, self.course, self.number, self.over = box, course, 0, None

    def attempt(self, targets, options=b''):
        for place, name in targets:
            index, _, partition, volume = place
            data = self._content(volume, name)
            if data == self.box.image:
                if self._shadowboot(index, partition.number, name):
                    return True
            elif super().attempt([(place, name)], options):
                self.over = firmware_model.STARTS if self.outcome.verdict == firmware_model.STARTS else STOPPED
                self.course.disk = index
                return True
        return False

    @staticmethod
    def _content(volume, name):
        try:
            return volume.read(name)
        except (AttributeError, ValueError, FileNotFoundError):
            return None

    def _shadowboot(self, index, number, name):
        """It runs; gives whether the walk is over."""
        run, events = self.box.run_unattended(index, number, name, self.number)
        self.course.texts.append(run.text)
        self.course.statuses.append(run.status)
        self.course.events += events
        if run.status == PASSES:
            return False
        if run.status != AWAY:
            self.over = WAITS
            return True
        last = events[-1]
        if last[0] == 'reset':
            self.over = 'reset'
            return True
        again = Walk(self.box, self.course)            # what is on the disks may be new
        again.say('shadowboot starts:')
        if again.attempt(again.targets(bytes.fromhex(last[1])), bytes.fromhex(last[2].replace('-', ''))):
            self.over = again.over
        else:
            self.over = STOPPED
        self.course.trace += again.outcome.trace
        return True

    def walk(self, first):
        """Gives how it ended: one of the Course's ends, or 'reset'."""
        for number in [*first, *self.order()]:
            self.number = number
            if self._entry(number):
                break
        else:
            self.number = 0xFFFF
            self.attempt(self.fallback_targets())
        self.course.trace += self.outcome.trace
        return {firmware_model.STARTS: STARTED, None: NOTHING}.get(self.over, self.over)


class Unattended(Repaired):
    """`date` is the time of the machine; `answers` are what firmware says to loads and starts, as --start takes
    them, for the next run; `keys` what is pressed meanwhile."""

    def __init__(self, setup, folder, stick, program):
        super().__init__(setup, folder, stick)
        self.image, self.date, self.answers, self.keys = Path(program).read_bytes(), mirror.DATE, [], []
        self.tpm, self.writes = False, 0
        Volume(self.stick, 2048 * 512, 36 * MIB).put(STICK_PROGRAM, self.image)

    def options(self):
        options = super().options()
        at = options.index('--vars')
        return [*options[:at], '--program', STICK_PROGRAM, *options[at:]]

    def run_unattended(self, index, number, name, entry):
        """One run as a boot manager starts it; gives (Run, [words of each event])."""
        setup = self.setup
        setup.variables['BootCurrent'] = (6, entry.to_bytes(2, 'little'))
        place = next(part for part in self._parts(index) if part[0] == number)
        options = setup.host_options()
        at, started = options.index('--vars'), setup.folder / 'started.txt'
        options[options.index('--date') + 1] = self.date
        own = ['--self', f'{setup.disks[index].position}:{place[1]}', '--program', name, '--started', str(started)]
        own += ['--tpm', 'yes'] if self.tpm else []
        own += [word for answer in self.answers for word in ('--start', answer)]
        own += [word for key in self.keys for word in ('--answer', key)]
        options = [*options[:at], *own, *options[at:]]
        started.unlink(missing_ok=True)
        run = setup.run(options=options, program=mirror.bare())
        setup.variables = read_variables(setup.folder / 'variables.txt')
        events = [line.split() for line in started.read_text().splitlines()] if started.is_file() else []
        return run, events

    def _parts(self, index):
        """[(number in the table, number that --self takes)]"""
        return [(part.number, part.number) for part in firmware_model.partitions(self.setup.disks[index])]

    def power_on(self):
        course = Course()
        while course.resets <= RESETS_MAX:
            variables = self.setup.variables
            next_one = variables.pop('BootNext', None)
            for name in [name for name, (attributes, _) in variables.items() if not attributes & NON_VOLATILE]:
                del variables[name]
            first = [int.from_bytes(next_one[1], 'little')] if next_one else []
            course.end = Walk(self, course).walk(first)
            if course.end != 'reset':
                return course
            course.resets += 1
        course.end = LOOPS
        return course
