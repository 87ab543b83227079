"""QEMU is killed while shadowboot mends the machine at night: the next unattended start succeeds.

With KILLS=200 in the environment so many repairs are killed, of each kind of damage a part, and it takes
half an hour; the suite keeps a few of the first kind. Of two kills one takes with it what no flush had made
safe. The moments are spread over what a run writes.
"""
import os
import random

import pytest

from night_vm import Night, esp_of, standing_by

KILLS = int(os.environ.get('KILLS', 3))
PART = 20                            # kills of one machine
MANAGER = '/EFI/Microsoft/Boot/bootmgfw.efi'
# By name: the disks that are there, and what happened to them.
DAMAGES = {
    'files': ([0, 1], lambda setup: setup.volume(0, change=True).delete('/EFI/Microsoft')),
    'format': ([0, 1], lambda setup: setup.write(0, setup.disk(0).offset('esp'), bytes(64 << 10))),
    'dead disk': ([1], lambda setup: None),
}
PARTS = [(list(DAMAGES)[number % len(DAMAGES)], number, min(PART, KILLS - number * PART))
         for number in range(-(-KILLS // PART))]


@pytest.fixture(scope='module')
def installed(folder, bases):
    return standing_by(bases('mirror'), folder, b'timeout = 2\nallow-format = yes\n')


@pytest.mark.parametrize('damage, number, kills', PARTS)
def test_the_start_after_a_kill_succeeds(damage, number, kills, installed, folder, tmp_path, record_property):
    indexes, spoil = DAMAGES[damage]
    setup = installed.copy(tmp_path / 'setup')
    whole = setup.volume(1).get(MANAGER)
    spoil(setup)
    night, chance = Night(setup, folder / f'kills{number}', indexes), random.Random(number)
    wrong, seen = [], set()
    for kill in range(kills):
        at, lost = int((kill + chance.random()) * night.total / kills), kill % 2 == 1
        count, said = night.killed(at, lost)
        seen.add(count)
        try:
            standin, _ = night.start()
            assert standin.token in night.machine.tokens.values(), standin
            assert all(esp_of(night.setup, night.machine, index).get(MANAGER) == whole for index in indexes)
        except Exception as error:              # all of them are told of
            wrong.append(f'write {count} of {night.total}{", the unsafe lost" if lost else ""}: {error}\n{said}')
    record_property('unattended repairs killed', kills)
    record_property('different moments of them', len(seen))
    assert not wrong, f'{len(wrong)} of {kills}:\n' + '\n'.join(wrong[:5])
