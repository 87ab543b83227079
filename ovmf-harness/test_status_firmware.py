"""`status` on real firmware says of a machine what it says on the host, and what the case foretells.

The machines are those of tests/repair. The firmware adds entries of its own (its Shell, one for each
disk), so cases are left out here that are about entries which those would replace.
"""
import csv
import re

import pytest

import damage
import mirror_vm

CASES = ['healthy', 'shadow-esp-no-microsoft', 'shadow-bootmgr-zero-cluster', 'shadow-esp-unformatted',
         'shadow-fat-crossed', 'plex-stale', 'shadow-windows-missing', 'shadow-ntfs-dirty', 'healthy-4k',
         'healthy-md']
# Of these the other forms of the command as well: one machine of each kind. On the host all are asked in all
# forms (test_repair_catalogue.py).
ALL_FORMS = {'healthy', 'shadow-windows-missing', 'healthy-4k', 'healthy-md'}
FOUND = {case.name: case for case in damage.all_cases()}


def rows(lines, table):
    return [row[1:] for row in csv.reader(line for line in lines if line.startswith(table + ','))]


@pytest.mark.parametrize('name', CASES)
def test_firmware_and_host_see_the_same(name, bases, tmp_path, product):
    case = FOUND[name]
    setup = bases(case.base).copy(tmp_path / 'case')
    case.apply(setup)
    machine = mirror_vm.as_machine(setup, tmp_path / 'vm', range(len(setup.disks)))
    stick = machine.add_stick({'shadowboot.efi': product})
    with machine.boot_to_shell() as vm:
        vm.cd(stick)
        said, status = vm.run('shadowboot status -sfo')
        if name in ALL_FORMS:
            other_forms(vm, len(setup.disks))
    assert status == case.status
    assert {(row[0], row[2]) for row in rows(said, 'FindingInfo')} == set(case.finds)
    assert {int(row[0]): row[1] for row in rows(said, 'VerdictInfo')} == case.verdicts


def other_forms(vm, disks):
    quick, quick_status = vm.run('shadowboot status -quick')
    pages, _ = vm.run('shadowboot status')
    assert quick_status in (0, 64, 65, 66, 67, 68, 69)
    assert any(line.startswith('Starts from Disk 0 alone: ') for line in quick)
    bars = [line for line in pages if re.match(r'[.[]', line) and not re.match(r'\[[a-z]+\] ', line)]
    assert len(bars) >= disks and all(len(line) < 80 for line in bars)


def test_all_forms_are_asked_of_cases_that_there_are():
    assert ALL_FORMS < set(CASES)
