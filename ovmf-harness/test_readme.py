"""The transcripts in the README are what the program prints.

A transcript is a run of lines indented by four spaces that starts with a prompt, `FS2:\\> command`.
They are run in their sequence, by the host program, on the article's machine with a stick as FS2:.
With a folder in the prompt, as in `FS2:\\mirror>`, they are run on a machine of today, one of DAMAGE.
Those of `mirror` that change disks are run on firmware as well. Lines are those of a screen of 80 columns.
The figures are some of the bench's. A line `...` stands for any number of lines left out. A question in a transcript is answered as it is
there. One picture is the screen of `menu`. `test_readme.py --update` writes anew what does not match.
"""
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import damage
import limits
import mirror
import terminal
from gpt import ESP, Partition
from host_program import ROOT, HostProgram, HostResult
from kb814070 import mirrored_server
from machine import Machine
from repair_vm import Server

README = ROOT / 'README'
INDENT = '    '
PROMPT = re.compile(r'    FS[12]:\\([a-z]*)> ((?:shadowboot|bootcfg)\b.*)')
ANSWER = re.compile(r'\[y/N\] (\w+)$')
STICK = [Partition(ESP, 2048, 100000, '5ad0b007-0000-4000-8000-000000000001')]
# What happened to the machines of today, by what stands in the prompt.
DAMAGE = {
    'mirror': ['esp 1 empty', 'entry 1 delete'],     # never made ready to start from Disk 1
    'noesp': ['gpt 1 delete esp', 'entry 1 delete'],
    'replaced': ['disk 0 wipe'],                     # a new disk in the place of the dead primary
}
CHANGING = {'repair', 'copy', 'undo'}
ASKED = r'\[y/N\] \Z'
PROGRESS = re.compile(r'.* s left *$')
# A GUID that the program makes: random. Those of these machines are of version 5.
MADE_UP = re.compile(r'\b[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\b')
# What is another on firmware: numbers of entries, names of volumes, the date; and why a disk does not
# start, because the firmware's own Shell is in BootOrder.
VARIES = [(r'\bBoot[0-9A-F]{4}\b', 'Boot####'), (r'\b([0-9A-F]{4},)+[0-9A-F]{4}\b', '####'),
          (r'\bFS\d+:', 'FSn:'), (r'\d{4}-\d\d-\d\d \d\d:\d\d', 'date'),
          (r'alone: no\..*(\n +.*)*', 'alone: no.')]
FIGURES = '`make bench` counts, so that it is the same on every machine. Some of its figures:'
SCREEN, COLUMNS, ROWS = '80x25', 80, 25
EDGE, BELOW = f'{INDENT}+- shadowboot ', f'{INDENT}  That is: shadowboot '   # the menu's first line, and its last
# ConOut of a machine with a serial line, for which the menu draws its frame in ASCII: a UART, and what PC-ANSI is called.
SERIAL = bytes.fromhex('030e13000000000000c2010000000000080101' '030a14005347c1e0bef9d2119a0c0090273fc14d' '7fff0400')
MOST = 32 * 1024   # bytes: what somebody reads whose server is dead


def article_host(workdir, product, standin):
    """The article's server, and a stick with a partition as its third disk."""
    machine = Machine(workdir)
    server = mirrored_server(machine, product, standin)
    machine.pull(server.stick)
    stick = machine.add_stick({'shadowbootx64.efi': product}, partitions=STICK)
    assert machine.disks.index(stick) == 3
    return HostProgram(machine, workdir, '3:1', current=4, screen=SCREEN)


def damaged(name, folder):
    """A machine of today after what happened to it."""
    setup = mirror.build('mirror', folder)
    for line in DAMAGE[name]:
        damage.apply(setup, line)
    return setup


class MirrorHost:
    """One of these machines and the stick that the program was started from."""

    def __init__(self, name, folder, product, variables=()):
        setup = damaged(name, folder / name)
        setup.variables.update(variables)
        place = folder / f'{name}-stick'
        place.mkdir()
        stick = Machine(place).add_stick({'shadowbootx64.efi': product}, partitions=STICK)
        self.program = os.environ.get('SHADOWBOOT_HOST', ROOT / 'build/host/shadowboot')
        self.options = [*setup.host_options(), '--disk', f'{stick.image}:512:usb',
                        '--self', f'{len(setup.disks)}:1', '--screen', SCREEN]

    def run(self, command, answers=()):
        words = shlex.split(command.replace('\\', '\\\\'))[1:]
        options = self.options + [word for answer in answers for word in ('--answer', answer)]
        done = limits.run([str(self.program), *options, '--', *words], 60, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return HostResult(done.stdout.decode(), done.returncode)


def hosts(folder, product, standin):
    """The machines by what stands in the prompt."""
    machines = {name: MirrorHost(name, folder, product) for name in DAMAGE}
    return {'': article_host(folder, product, standin), **machines}


def transcripts(lines):
    """(index of the prompt's line, index behind the last line, machine, command) of each."""
    starts = [i for i, line in enumerate(lines) if PROMPT.fullmatch(line)]
    for start in starts:
        end = start + 1
        while end < len(lines) and (lines[end].startswith(INDENT) or not lines[end]) \
                and not PROMPT.fullmatch(lines[end]):
            end += 1
        while end > start + 1 and not lines[end - 1]:
            end -= 1
        yield start, end, *PROMPT.fullmatch(lines[start]).groups()


def answers_in(shown):
    """What is typed at the questions of a transcript."""
    return [line.rsplit(' ', 1)[1] for line in shown if ANSWER.search(line)]


def output_of(host, command, shown):
    """What the command prints, with the answer at its question as on a console."""
    answers = answers_in(shown)
    text = host.run(command, answers).text
    for answer in answers:
        text = re.sub(r'\[y/N\] (?!\w+$)', f'[y/N] {answer}\n', text, count=1, flags=re.M)
    return [line.rstrip() for line in text.rstrip('\n').split('\n')]


def numbered(lines):
    """The lines with GUIDs that were made up named by when they come first: new1, new2, ..."""
    names = {}
    return MADE_UP.sub(lambda match: names.setdefault(match[0], f'new{len(names) + 1}'),
                       '\n'.join(lines))


def matches(shown, printed):
    """Whether the shown lines are the printed ones, `...` being any number of lines."""
    if '...' not in shown:
        return numbered(shown) == numbered(printed)
    pattern = '\n'.join('(?:.*\n)*?.*' if line == '...' else re.escape(line) for line in shown)
    return re.fullmatch(pattern, '\n'.join(printed)) is not None


def differing(machines, lines):
    """Transcripts that are not so: (start, end, command, what is printed)."""
    for start, end, machine, command in list(transcripts(lines)):
        shown = [line[len(INDENT):] for line in lines[start + 1:end]]
        printed = output_of(machines[machine], command, shown)
        if not matches(shown, printed):
            yield start, end, command, printed


def test_transcripts_are_what_the_program_prints(tmp_path, product, standin):
    lines = README.read_text(encoding='utf-8').split('\n')
    assert len(list(transcripts(lines))) > 8
    wrong = [f'{command}\n' + '\n'.join(printed) for _, _, command, printed in
             differing(hosts(tmp_path, product, standin), lines)]
    assert not wrong, '\n\n'.join(wrong)


def varied(lines):
    """The text without what is another on firmware, and without regard to where lines were broken."""
    text = '\n'.join(line.rstrip() for line in lines).strip('\n')
    for pattern, instead in VARIES:
        text = re.sub(pattern, instead, text)
    return ' '.join(text.split())


def typed(vm, command, answers):
    """Type a command in the Shell, and an answer at each question; gives what it prints."""
    vm.type(command + '\r')
    vm.console.expect_echo(command)
    start = vm.console.position
    for answer in answers:
        vm.expect(ASKED)
        vm.type(answer + '\r')
    vm.console.expect_prompt(120)
    return [line for line in vm.console.text[start:].split('\n')[:-1] if not PROGRESS.match(line)]


def test_firmware_prints_the_same(tmp_path, product):
    """The transcripts that change disks, under OVMF."""
    lines = README.read_text(encoding='utf-8').split('\n')
    server, compared = Server(damaged('mirror', tmp_path / 'setup'), tmp_path, product), 0
    with server.machine.boot_to_shell() as vm:
        vm.cd(server.stick)
        for start, end, machine, command in transcripts(lines):
            if machine != 'mirror' or command.split()[1] not in CHANGING:
                continue
            shown = [line[len(INDENT):] for line in lines[start + 1:end]]
            printed = varied(typed(vm, command, answers_in(shown)))
            pattern = ' .* '.join(re.escape(part) for part in varied(shown).split(' ... '))
            assert re.fullmatch(pattern, printed), f'{command}\n{printed}'
            compared += 1
    assert compared >= 3


def figures():
    """What `make bench` prints."""
    program = Path(os.environ.get('SHADOWBOOT_BUILD', ROOT / 'build')) / 'host/bench'
    done = limits.run([str(program)], 300, stdout=subprocess.PIPE, check=True)
    return done.stdout.decode().rstrip('\n').split('\n')


def figures_in(lines):
    """First and last index of the figures shown, which come in pairs of lines."""
    start = lines.index(FIGURES) + 2
    return start, lines.index('', start)


def test_figures_are_what_the_bench_prints():
    lines = README.read_text(encoding='utf-8').split('\n')
    start, end = figures_in(lines)
    found = '\n'.join(INDENT + line for line in figures())
    assert end - start >= 6
    for at in range(start, end, 2):
        assert '\n'.join(lines[at:at + 2]) in found, lines[at]


def screen_of(folder, product):
    """The menu of the server of today, with the repair chosen."""
    host = MirrorHost('mirror', folder, product, {'ConOut': (7, SERIAL)})
    text = host.run('shadowboot menu', ['3']).text.replace('\n', '\r\n')
    return [line for line in terminal.screens(text, COLUMNS, ROWS)[-2] if line]


def picture_in(lines):
    """Index of the first line of the picture, and behind the last."""
    start = next(at for at, line in enumerate(lines) if line.startswith(EDGE))
    return start, next(at for at, line in enumerate(lines) if at > start and line.startswith(BELOW)) + 1


def test_picture_is_the_screen_of_the_menu(tmp_path, product):
    lines = README.read_text(encoding='utf-8').split('\n')
    start, end = picture_in(lines)
    assert lines[start:end] == [INDENT + line for line in screen_of(tmp_path, product)]


def test_readme_is_short_enough_to_be_read():
    assert README.stat().st_size <= MOST


def test_size_is_below_what_is_promised(product):
    assert product.stat().st_size < 640 * 1024
    assert 'below 640 KiB' in README.read_text(encoding='utf-8')


def label_of(line):
    """What is counted, without the figures: "disks, one disk, 512-byte blocks"."""
    return re.split(r'\s{2,}', line.strip())[0]


def update_figures(lines):
    """Put what the bench prints now into the README's lines."""
    start, end = figures_in(lines)
    found = figures()
    for at in range(start, end, 2):
        there = [label_of(line) for line in found].index(label_of(lines[at]))
        lines[at:at + 2] = [INDENT + line for line in found[there:there + 2]]


def update():
    """Write the output of transcripts that do not match into the README."""
    lines = README.read_text(encoding='utf-8').split('\n')
    build = ROOT / 'build'
    with tempfile.TemporaryDirectory() as folder:
        machines = hosts(Path(folder), build / 'shadowbootx64.efi', build / 'x64/standin.efi')
        start, end = picture_in(lines)
        (Path(folder) / 'picture').mkdir()
        lines[start:end] = [INDENT + line for line in screen_of(Path(folder) / 'picture', build / 'shadowbootx64.efi')]
        found = list(differing(machines, lines))
    for start, end, _, printed in reversed(found):
        lines[start + 1:end] = [(INDENT + line).rstrip() for line in printed]
    update_figures(lines)
    README.write_text('\n'.join(lines), encoding='utf-8')
    print(f'{len(found)} transcripts written anew')


if __name__ == '__main__' and sys.argv[1:] == ['--update']:
    update()
