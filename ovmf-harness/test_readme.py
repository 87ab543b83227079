"""The transcripts in the README are what the program prints.

A transcript is a run of lines indented by four spaces that starts with a prompt, `FS2:\\> command`.
They are run in their sequence, by the host program, on the article's machine with a stick as FS2:.
With the prompt `FS2:\\mirror>` they are run on a machine of today, with two disks of which only the
first was ever made ready to start.
The figures are those of the bench. A line `...` stands for any number of lines left out. A question in a transcript is answered as it is
there. `test_readme.py --update` writes the output of those that do not match anew.
"""
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import damage
import mirror
from gpt import ESP, Partition
from host_program import ROOT, HostProgram
from kb814070 import mirrored_server
from machine import Machine

README = ROOT / 'README'
INDENT = '    '
PROMPT = re.compile(r'    FS2:\\(mirror|)> ((?:shadowboot|bootcfg)\b.*)')
ANSWER = re.compile(r'\[y/N\] (\w+)$')
STICK_BLOCKS = 100000
FIGURES = '`make bench`, counted, so the same on every machine:'


def article_host(workdir, product, standin):
    """The article's server, and a stick with a partition as its third disk."""
    machine = Machine(workdir)
    server = mirrored_server(machine, product, standin)
    machine.pull(server.stick)
    stick = machine.add_stick({'shadowbootx64.efi': product}, partitions=[
        Partition(ESP, 2048, STICK_BLOCKS, '5ad0b007-0000-4000-8000-000000000001')])
    assert machine.disks.index(stick) == 3
    return HostProgram(machine, workdir, '3:1', current=4)


class MirrorHost:
    """A mirror whose second disk has an ESP without files, and no boot entry."""

    def __init__(self, folder):
        self.setup = mirror.build('mirror', Path(folder) / 'mirror')
        for line in ('esp 1 empty', 'entry 1 delete'):
            damage.apply(self.setup, line)

    def run(self, command, answers=()):
        assert not answers
        return self.setup.run(*shlex.split(command.replace('\\', '\\\\'))[1:])


def hosts(folder, product, standin):
    """The machines by what stands in the prompt."""
    return {'': article_host(folder, product, standin), 'mirror': MirrorHost(folder)}


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


def output_of(host, command, shown):
    """What the command prints, with the answer at its question as on a console."""
    answers = ANSWER.findall('\n'.join(shown))
    if not answers:
        answers = [line.rsplit(' ', 1)[1] for line in shown if ANSWER.search(line)]
    text = host.run(command, answers).text
    for answer in answers:
        text = re.sub(r'\[y/N\] (?!\w+$)', f'[y/N] {answer}\n', text, count=1, flags=re.M)
    return [line.rstrip() for line in text.rstrip('\n').split('\n')]


def matches(shown, printed):
    """Whether the shown lines are the printed ones, `...` being any number of lines."""
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
    assert len(list(transcripts(lines))) > 10
    wrong = [f'{command}\n' + '\n'.join(printed) for _, _, command, printed in
             differing(hosts(tmp_path, product, standin), lines)]
    assert not wrong, '\n\n'.join(wrong)


def figures():
    """What `make bench` prints."""
    program = Path(os.environ.get('SHADOWBOOT_BUILD', ROOT / 'build')) / 'host/bench'
    done = subprocess.run([str(program)], stdout=subprocess.PIPE, timeout=300, check=True)
    return done.stdout.decode().rstrip('\n').split('\n')


def test_figures_are_what_the_bench_prints():
    lines = README.read_text(encoding='utf-8').split('\n')
    start = lines.index(FIGURES) + 2
    shown = lines[start:lines.index('', start)]
    assert shown == [INDENT + line for line in figures()]


def test_size_is_below_what_is_promised(product):
    assert product.stat().st_size < 384 * 1024
    assert 'below 384 KiB' in README.read_text(encoding='utf-8')


def update_figures(lines):
    """Put what the bench prints now into the README's lines."""
    start = lines.index(FIGURES) + 2
    lines[start:lines.index('', start)] = [INDENT + line for line in figures()]


def update():
    """Write the output of transcripts that do not match into the README."""
    lines = README.read_text(encoding='utf-8').split('\n')
    build = ROOT / 'build'
    with tempfile.TemporaryDirectory() as folder:
        machines = hosts(Path(folder), build / 'shadowbootx64.efi', build / 'standin.efi')
        found = list(differing(machines, lines))
    for start, end, _, printed in reversed(found):
        lines[start + 1:end] = [(INDENT + line).rstrip() for line in printed]
    update_figures(lines)
    README.write_text('\n'.join(lines), encoding='utf-8')
    print(f'{len(found)} transcripts written anew')


if __name__ == '__main__' and sys.argv[1:] == ['--update']:
    update()
