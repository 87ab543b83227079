"""
Puts small faults into the program, one at a time, and tells which of them no unit test notices.

    mutants.py [--check] [--near] [--jobs N] [--fault WORDS] [LAYER ...]

`make mutants` builds what it needs and says so in the environment: MUTANT_COMPILE and MUTANT_LINK
(commands), MUTANT_OBJECTS (of the core), MUTANT_UNIT (the unit programs).

Each tests/mutants/LAYER.list holds the faults of one layer, divided by empty lines:

    = efi/apply/disk_work_run.c: no flush between two phases
    - status = port->flush(port->ctx);
    + status = ST_OK;

The text behind `-` is found exactly once in the file, however its lines are broken, and replaced by
the text behind `+` (none: it is taken out). Several lines of a kind are one text. A fault that is
not found exactly once, or does not compile, is an error: the list is to be mended, as the program
has changed. `--check` looks for that alone.

A fault is compiled in a temporary folder and linked with the rest of the core into a library; all
unit programs are linked against that library. The work tree is never changed. Programs that are
named after the faulty file or the layer run first, then the others, the shortest first, until one
fails. One that takes far more CPU time or memory than without the fault has failed too.

Exit status: 0; 1 when of a layer with a bound (BOUNDS) fewer are noticed, or a list is wrong.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import resource
import shlex
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).parent
BOUNDS = {'apply': 95, 'audit': 95, 'base': 90, 'cmd': 90, 'format': 90, 'model': 90, 'plan': 90}
CPU_LEAST = 20                       # seconds that any program may take
CPU_FACTOR = 5                       # of what it takes without a fault
MEMORY = 6 << 30                     # bytes of address space

# Whose tests speak of a layer beside those that carry a file's name.
RELATED = {
    'base': ['base', 'arena', 'journal', 'mem', 'devpath_text', 'load_option'],
    'format': ['disk_edit', 'gpt', 'gpt_edit', 'fat_edit', 'ldm', 'journal', 'fat', 'ntfs', 'ntfs_folder',
               'ntfs_data', 'unpack', 'pe',
               'owner', 'md', 'regf', 'bcd', 'regf_read', 'regf_verify', 'regf_edit', 'regf_log'],
    'model': ['scan', 'scan_vars', 'volumes', 'disk_machine', 'machine', 'scan_owner', 'scan_md',
              'firmware_entry'],
    'audit': ['audit', 'audit_esps', 'audit_machine', 'audit_volumes', 'roles', 'start', 'mirror',
              'status_cmd', 'second_stage', 'program', 'lead', 'last_record', 'boot_stores'],
    'plan': ['project', 'prepare', 'esp_files', 'esp_entries', 'entries_plan', 'clone', 'undo',
             'free_space', 'copy_plan', 'edit', 'prospect', 'guards', 'start_files', 'boot_stores',
             'repair_plan'],
    'apply': ['disk_order', 'disk_guards', 'disk_records', 'journal_store', 'apply', 'undo',
              'disk_work', 'prepare'],
    'cmd': ['cmd', 'undo', 'status_cmd', 'volumes_cmd', 'entries_plan', 'repair_cmd'],
}
FAR = 2      # the rank of programs that have little to do with a layer; of others 1
CHEAP = 0.1  # CPU seconds that any program may take with --near


class ListError(Exception):
    """A list that is not true (any more)."""


class Fault:
    """One small fault: where, what for what, and what it stands for."""

    def __init__(self, layer, file, name, old, new):
        self.layer, self.file, self.name, self.old, self.new = layer, file, name, old, new
        self.by = None       # the program that noticed it
        self.seconds = 0.0   # of CPU
        self.error = None

    def __str__(self):
        return f'{self.file}: {self.name}'

    def text(self):
        """The file with the fault in it."""
        source = pathlib.Path(self.file).read_text(encoding='utf-8')
        words = self.old.split()
        pattern = r'(?<!\w)' * words[0][0].isalnum() + r'\s+'.join(re.escape(word) for word in words)
        found = list(re.finditer(pattern, source))
        if len(found) != 1:
            raise ListError(f'found {len(found)} times, not once: {self.old}')
        return source[:found[0].start()] + self.new + source[found[0].end():]


def parse_fault(layer, block):
    """One block of lines of a list."""
    head = re.fullmatch(r'= (\S+\.c): (.+)', block[0])
    kinds = [line[:1] for line in block[1:]]
    if head is None or not set(kinds) <= {'-', '+'} or '-' not in kinds:
        raise ListError(f'{layer}.list: not a fault: {block[0]}')
    old = '\n'.join(line[2:] for line in block[1:] if line[0] == '-')
    new = '\n'.join(line[2:] for line in block[1:] if line[0] == '+')
    return Fault(layer, head[1], head[2], old, new)


def read_list(layer):
    """The faults of a layer."""
    text = (HERE / f'{layer}.list').read_text(encoding='utf-8')
    lines = [line for line in text.splitlines() if not line.startswith('#')]
    blocks = '\n'.join(lines).split('\n\n')
    return [parse_fault(layer, block.strip('\n').splitlines()) for block in blocks if block.strip()]


def limit(seconds):
    """Bounds for a program that a fault may have made endless."""
    def apply():
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return apply


class Run:
    """All that faults are tried with."""

    def __init__(self, options, folder):
        self.options = options
        self.folder = pathlib.Path(folder)
        self.compiler = shlex.split(os.environ['MUTANT_COMPILE'])
        self.linker = shlex.split(os.environ['MUTANT_LINK'])
        self.objects = os.environ['MUTANT_OBJECTS'].split()
        self.programs = os.environ['MUTANT_UNIT'].split()
        self.cost = {}  # CPU seconds without a fault
        self.lock = threading.Lock()

    def link(self, library, replaced=None, by=None):
        """Makes the library of all objects, one of them replaced."""
        objects = [by if name == replaced else name for name in self.objects]
        subprocess.run([*self.linker, '-o', str(library), *objects],
                       check=True)

    def start(self, program, library_folder, seconds):
        """Runs one program; gives whether it passed, and CPU seconds."""
        environment = dict(os.environ, LD_LIBRARY_PATH=str(library_folder))
        process = subprocess.Popen([program], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, env=environment,
                                   preexec_fn=limit(seconds))  # pylint: disable=W1509
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
        return status == 0, usage.ru_utime + usage.ru_stime

    def measure(self, program, used):
        """What a program takes without a fault, in which it has to pass. Kept beside the program."""
        kept = pathlib.Path(program + '.seconds')
        newest = max(os.path.getmtime(name) for name in [program, *self.objects])
        fresh = kept.is_file() and kept.stat().st_mtime >= newest
        if not fresh and (used or not kept.is_file()):
            passed, seconds = self.start(program, self.folder, 3600)
            if not passed:
                raise ListError(f'{program} fails without a fault')
            kept.write_text(f'{seconds:.3f}\n', encoding='utf-8')
        with self.lock:
            self.cost[program] = float(kept.read_text(encoding='utf-8'))

    def measure_all(self, faults, pool):
        """All programs that will be used; which ones is known by what they took the last time."""
        for program in self.programs:
            kept = pathlib.Path(program + '.seconds')
            self.cost[program] = float(kept.read_text(encoding='utf-8')) if kept.is_file() else 0
        used = {program for fault in faults for program in self.order_for(fault)}
        measured = [pool.submit(self.measure, name, name in used) for name in self.programs]
        for done in measured:
            done.result()

    def order_for(self, fault):
        """The programs, those most likely to notice it first; with --near those and cheap ones."""
        stem = pathlib.Path(fault.file).stem
        related = RELATED.get(fault.layer, [])

        def key(program):
            name = pathlib.Path(program).name.removeprefix('test_')
            near = name.startswith(stem) or stem.startswith(name)
            return near or name in related or FAR, self.cost[program]
        order = sorted(self.programs, key=key)
        if not self.options.near:
            return order
        return [name for name in order if key(name)[0] < FAR or self.cost[name] < CHEAP]

    def compile(self, fault, folder):
        """Compiles the fault into a library in the folder."""
        source = folder / pathlib.Path(fault.file).name
        made = folder / 'fault.o'
        source.write_text(fault.text(), encoding='utf-8')
        # Headers that lie beside the file are included by their bare name.
        beside = str(pathlib.Path(fault.file).parent)
        done = subprocess.run([*self.compiler, '-w', '-iquote', beside, '-c', '-o', str(made),
                               str(source)], stderr=subprocess.PIPE, check=False)
        if done.returncode != 0:
            raise ListError('does not compile: ' + done.stderr.decode(errors='replace')[:400])
        mine = [name for name in self.objects if name.endswith('/' + fault.file[:-1] + 'o')]
        if len(mine) != 1:
            raise ListError('is not a file of the core')
        self.link(folder / 'libcore.so', mine[0], str(made))

    def try_programs(self, fault, folder):
        """Runs programs until one fails."""
        for program in self.order_for(fault):
            seconds = max(CPU_LEAST, int(CPU_FACTOR * self.cost[program]) + 1)
            passed, used = self.start(program, folder, seconds)
            fault.seconds += used
            if not passed:
                fault.by = pathlib.Path(program).name
                return

    def try_fault(self, fault):
        """Whether a unit test notices the fault."""
        with tempfile.TemporaryDirectory(dir=self.folder) as name:
            folder = pathlib.Path(name)
            try:
                self.compile(fault, folder)
                self.try_programs(fault, folder)
            except (ListError, OSError, subprocess.CalledProcessError) as error:
                fault.error = str(error)
        with self.lock:
            word = 'error' if fault.error else f'by {fault.by}' if fault.by else 'NOT NOTICED'
            print(f'  {word:28} {fault.seconds:6.1f} s  {fault}', flush=True)

    def all(self, faults):
        """Tries all faults, some at a time."""
        if self.start(self.programs[0], '/nowhere', CPU_LEAST)[0]:
            raise ListError('the programs do not use the library that faults are put into')
        self.link(self.folder / 'libcore.so')
        with concurrent.futures.ThreadPoolExecutor(self.options.jobs) as pool:
            self.measure_all(faults, pool)
            for done in [pool.submit(self.try_fault, fault) for fault in faults]:
                done.result()


def check_lists(faults):
    """Marks the faults whose text is not there exactly once."""
    for fault in faults:
        try:
            fault.text()
        except (ListError, OSError) as error:
            fault.error = str(error)
    return [fault for fault in faults if fault.error]


def report(faults):
    """Prints the table and what nobody noticed; gives whether all bounds are kept."""
    good = True
    print(f'\n  {"layer":8}{"faults":>8}{"noticed":>9}{"not":>6}{"part":>8}')
    for layer in dict.fromkeys(fault.layer for fault in faults):
        own = [fault for fault in faults if fault.layer == layer and not fault.error]
        noticed = sum(fault.by is not None for fault in own)
        part = 100 * noticed / len(own) if own else 0
        low = part < BOUNDS.get(layer, 0)
        good = good and not low
        print(f'  {layer:8}{len(own):8}{noticed:9}{len(own) - noticed:6}{part:7.1f} %'
              + f'  below {BOUNDS.get(layer)} %' * low)
    for fault in faults:
        if not fault.by and not fault.error:
            print(f'  not noticed: {fault}')
    return good


def select(options):
    """The faults of the layers that were asked for, or those that have the words in them."""
    layers = options.layers or sorted(path.stem for path in HERE.glob('*.list'))
    faults = [fault for layer in layers for fault in read_list(layer)]
    return [fault for fault in faults if options.fault.lower() in str(fault).lower()]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--check', action='store_true', help='look at the lists alone')
    parser.add_argument('--fault', default='', help='only those with these words in them')
    parser.add_argument('--near', action='store_true',
                        help='leave out costly programs that speak of other layers')
    parser.add_argument('--jobs', type=int, default=1)
    parser.add_argument('layers', nargs='*')
    options = parser.parse_args()
    try:
        faults = select(options)
        wrong = check_lists(faults)
        if not wrong and not options.check:
            began = time.monotonic()
            with tempfile.TemporaryDirectory(prefix='mutants-') as folder:
                Run(options, folder).all(faults)
            print(f'\n  {len(faults)} faults in {time.monotonic() - began:.0f} s')
    except ListError as error:
        sys.exit(f'mutants: {error}')
    wrong = [fault for fault in faults if fault.error]
    for fault in wrong:
        print(f'  error: {fault}: {fault.error}')
    if options.check or wrong:
        print(f'mutants: {len(faults)} faults, {len(wrong)} not to be found exactly once or wrong')
        sys.exit(bool(wrong))
    sys.exit(not report(faults))


if __name__ == '__main__':
    main()
