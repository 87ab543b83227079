"""U-Boot keeps its boot entries in a file on an ESP: what that means for the disks of a mirror, on images.

Under the firmware itself: test_firmwares.py.
"""
import damage
import pytest
from mirror import FALLBACK

STORE = '/ubootefi.var'
CONTENT = bytes(range(256)) * 9
UBOOT, OTHER = 'Das U-Boot', 'EDK II'


@pytest.fixture
def machine(bases, tmp_path):
    def make(*lines, place=0):
        setup = bases('mirror').copy(tmp_path / 'setup')
        for index in (0, 1):
            setup.writable(index)
        setup.volume(place, change=True).put(STORE, CONTENT)
        for line in lines:
            damage.apply(setup, line)
        return setup
    return make


def run(setup, *words, firmware=UBOOT):
    return setup.run(*words, options=['--firmware', firmware, *setup.host_options()])


@pytest.mark.parametrize('place', [0, 1])
def test_disk_without_the_entries_hangs_on_its_fallback(machine, place):
    other = 1 - place
    setup = machine(f'esp {other} delete {FALLBACK}', place=place)
    said = run(setup, 'status')
    assert f'[note] Disk {place} Partition 1: The firmware keeps the boot entries in a file here' in said.text
    assert f'Starts from Disk {place} alone: yes, by Boot000{place}' in said.text
    assert f'Starts from Disk {other} alone: no. The boot entries are on Disk {place}, and gone with it.' in said.text
    assert said.status == (65 if place == 0 else 66)
    # Where they are in a memory of the firmware's own, nothing is wrong with that disk.
    said = run(setup, 'status', firmware=OTHER)
    assert said.status == 0 and 'keeps the boot entries' not in said.text

    said = run(setup, 'repair', '-y')
    assert said.status == 0 and f'Starts from Disk {other} alone: yes, by {FALLBACK}.'.replace('/', '\\') in said.text
    assert setup.volume(other).get(FALLBACK) == setup.volume(place).get(FALLBACK)
    assert 'Nothing to do' in run(setup, 'repair', '-y').text


def test_file_is_not_brought_to_another_disk(machine):
    setup = machine('esp 1 empty')
    assert run(setup, 'copy', '/', '-y').status == 0
    assert setup.volume(1).exists(FALLBACK) and not setup.volume(1).exists(STORE)
    assert setup.volume(0).get(STORE) == CONTENT


def test_format_of_its_esp_says_so_and_puts_it_back(machine):
    setup = machine('esp 0 few-clusters')
    said = run(setup, 'prepare', '0', '-y', '-format')
    assert '1. format Disk 0 Partition 1' in said.text
    assert 'The firmware keeps its boot entries in \\ubootefi.var on Disk 0 Partition 1' in said.text
    assert setup.volume(0).get(STORE) == CONTENT
    assert 'ubootefi' not in run(machine('esp 0 few-clusters'), 'prepare', '0', '-n', firmware=OTHER).text
