"""make demo: two servers lose their first disk, before and after shadowboot.

Three starts of one virtual machine (QEMU, OVMF, or what firmware.py says), the server of KB 814070: without Disk 0, where
nothing of Windows starts; with Disk 0, where shadowboot adds boot entries; without Disk 0 again, where
the shadow disk starts. And three of another one, a mirror of today whose Disk 1 has neither boot files
nor entry: the same with `shadowboot repair`. Under U-Boot, which keeps its entries on Disk 0, that one alone:
it starts through the removable-media path.
Instead of Windows a stand-in lies on each EFI system partition. It prints a token that was made up
for this run and stands on that one partition only: whoever prints it was started from there.

Exit status 0 if everything went as told, else 1.
"""
import os
import re
import sys
import tempfile
import time
import traceback
from pathlib import Path

import damage
import kb814070
import mirror
from firmware import FIRMWARE
from kb814070_listings import QUERY_AFTER
from machine import COUNTDOWN, STANDIN, Machine
from repair_vm import Server
from uboot import UbootMachine

UBOOT = FIRMWARE.name == 'u-boot'
ENDS = 'at its own prompt' if UBOOT else 'in its own Shell'
ROOT = Path(__file__).resolve().parent.parent
NEW_ENTRY = 6                        # ID of the first clone
# What is shown of the long listing of all disks.
SHOWN_OF_DISKS = re.compile(r'Disk \d|Size:|Partition (No|length|GUID|name):')


class DemoFailed(Exception):
    """Something did not go as told; the text says what."""


def check(holds, what):
    if not holds:
        raise DemoFailed(what)


def built(variable, default):
    """A file that the build makes."""
    path = Path(os.environ.get(variable, ROOT / default)).absolute()
    check(path.is_file(), f'{path} is missing; "make" builds it')
    return path


def say(text=''):
    print(text, flush=True)


def step(title):
    say(f'\n=== {title}')


def quote(lines):
    for line in lines:
        say(f'    | {line}'.rstrip())


def run(vm, typed, show=lambda lines: lines, note=''):
    """Run a command in the machine's Shell and show it with its output; gives all its lines."""
    result = vm.run(typed)
    say(f'\n    > {typed}{note}')
    quote(show(result.lines))
    check(result.status == 0, f'"{typed}" ended with status {result.status:#x}:\n{result.text}')
    return result.lines


def short_disks(lines):
    return [line for line in lines if SHOWN_OF_DISKS.match(line)]


def new_entries(lines):
    first = next((i for i, line in enumerate(lines) if line.endswith(f' {NEW_ENTRY}')), len(lines))
    return lines[first:]


def firmware_lines(vm):
    """What the firmware says of entries that it tries, without the long device paths."""
    return [line.split(' from ')[0] + (': Not Found' if line.endswith('Not Found') else '')
            for line in vm.console.text.splitlines() if line.startswith('BdsDxe')]


def guid(server, disk):
    return server.disks[disk].esp.guid


def boot_unprepared(server):
    """The control: Disk 0 is out and nobody has added an entry for Disk 1."""
    server.machine.pull(server.disks[0])
    with server.machine.boot() as vm:
        # OVMF tries all of BootOrder; its own Shell is what it ends with.
        end = vm.expect(STANDIN, COUNTDOWN)
        quote(firmware_lines(vm))
        check(end.re is COUNTDOWN, f'it started without the clones: {end[0].strip()}')
    say('\nNothing started: the firmware ends in its own Shell. The system files on Disk 1 are '
        'all there,\nbut no boot entry names that disk.')
    server.machine.put_back(server.disks[0])


def add_entries(server):
    """shadowboot from the stick; gives the numbers of the new entries."""
    with server.session() as vm:
        check(vm.started.token == server.tokens[0], 'with both disks it did not start from Disk 0')
        say(f'Started from Disk 0 ({guid(server, 0)}). At the Shell, from the stick:')
        before = server.nvram.order
        run(vm, 'shadowbootx64 disks', short_disks, '        (shortened)')
        run(vm, 'bootcfg')
        run(vm, f'shadowbootx64 clone -sg {guid(server, 0)} -tg {guid(server, 1)} '
                '-d+ Cloned_Entry -y')
        after = run(vm, 'bootcfg', new_entries, '        (shortened: the new entries)')
        check('\n'.join(after).strip() == QUERY_AFTER.strip(),
              'bootcfg does not print what KB 814070 prints after the clone')
        clones = server.nvram.order[len(before):]
        check(server.nvram.order[:len(before)] == before and len(clones) == 2,
              f'BootOrder is {server.nvram.order} and was {before}')
    return clones


def boot_prepared(server, clones):
    """Disk 0 is out again; the machine must start by itself from Disk 1 through a clone."""
    server.machine.pull(server.disks[0])
    with server.machine.boot() as vm:
        end = vm.expect(STANDIN, COUNTDOWN)
        quote(firmware_lines(vm))
        check(end.re is STANDIN, 'nothing started, in spite of the clones')
        say(f'\n    | {end[0].strip()}')
        number = int(end['entry'].removeprefix('Boot'), 16)
    say(f'\ntoken on Disk 1:  {server.tokens[1]}\ntoken seen:       {end["token"]}')
    check(end['token'] == server.tokens[1], 'the token seen is not that of Disk 1')
    check(end['esp'] == guid(server, 1), f'started from partition {end["esp"]}, not from Disk 1')
    check(number in clones, f'started through Boot{number:04X}, which is no clone')
    return number


def clone_demo(folder, product, standin):
    """The server of KB 814070; gives the number of the entry that it starts through at the end."""
    say('The server of KB 814070: Windows is mirrored over Disk 0 and Disk 1, and every boot entry'
        '\nstarts it through the EFI system partition of Disk 0.')
    server = kb814070.mirrored_server(Machine(folder), product, standin)
    for number, token in enumerate(server.tokens):
        say(f'  Disk {number}: EFI system partition {guid(server, number)}, token {token}')
    step('1. Disk 0 fails, and nobody was prepared')
    boot_unprepared(server)
    step('2. Disk 0 is back; shadowboot clones the boot entries to Disk 1')
    clones = add_entries(server)
    step('3. Disk 0 fails again')
    return boot_prepared(server, clones)


def boot_unrepaired(server):
    """The control: Disk 0 is out, and Disk 1 has nothing to start from."""
    check(server.start_alone(1) is None, 'it started without the repair')
    say(f'\nNothing started: the firmware ends {ENDS}.')


def run_repair(server):
    """shadowboot repair from the stick, with both disks in."""
    with server.machine.boot_to_shell() as vm:
        vm.cd(server.stick)
        run(vm, 'shadowboot repair -y')


def boot_repaired(server):
    """Disk 0 is out again; the machine must start from Disk 1, with the token put there just now."""
    token = server.put_token(1)
    standin = server.start_alone(1)
    check(standin is not None, 'nothing started, in spite of the repair')
    say(f'\ntoken on Disk 1:  {token}\ntoken seen:       {standin.token}')
    check(standin.token == token, 'the token seen is not that of Disk 1')
    if UBOOT:                            # its entries were in a file on the disk that is out
        check(standin.entry is None, 'it started through a boot entry, and all were on Disk 0')
        return FIRMWARE.fallback.replace('/', '\\')
    check(standin.entry is not None, 'it did not start through a boot entry')
    return f'Boot{standin.entry:04X}'


def repair_demo(folder, product, step_number):
    """A mirror whose Disk 1 was never made ready; gives what it starts through at the end."""
    setup = mirror.build('mirror', folder / 'setup')
    for line in ('esp 1 empty', 'entry 1 delete'):
        damage.apply(setup, line)
    server = Server(setup, folder, product, UbootMachine if UBOOT else Machine)
    step(f'{step_number}. A server of today: the EFI system partition of its Disk 1 is empty, and Disk 0 fails')
    boot_unrepaired(server)
    step(f'{step_number + 1}. Disk 0 is back; shadowboot repairs what is wrong')
    run_repair(server)
    step(f'{step_number + 2}. Disk 0 fails again')
    return boot_repaired(server)


def demo(folder):
    """Both servers; gives what they start through at the end. That of KB 814070 needs a Shell."""
    product, standin = (built('SHADOWBOOT_EFI', FIRMWARE.program), built('SHADOWBOOT_STANDIN', FIRMWARE.standin))
    places, ways = [folder / name for name in ('clone', 'repair')], []
    for place in places:
        place.mkdir()
    if not UBOOT:
        ways.append(f'Boot{clone_demo(places[0], product, standin):04X}')
    return [*ways, repair_demo(places[1], product, 3 * len(ways) + 1)]


def main():
    begin = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix='shadowboot-demo-') as folder:
            ways = demo(Path(folder))
    except (DemoFailed, AssertionError) as error:
        say(f'\nDEMO FAILED: {error}')
        return 1
    except Exception as error:  # a tool that is missing, a full disk, ...
        traceback.print_exc()
        say(f'\nDEMO FAILED: {error}')
        return 1
    seconds = time.monotonic() - begin
    servers = f'the {len(ways)} servers start' if len(ways) > 1 else 'the server starts'
    say(f'\nDEMO PASSED: without Disk 0 {servers} through {" and ".join(ways)}, and did not '
        f'before ({seconds:.0f} s).')
    return 0


if __name__ == '__main__':
    sys.exit(main())
