"""Odd signatures under OVMF: the verdict on each program is what firmware does with it.

Each lies on the ESP of Disk 0 under a boot entry of its own, which is never reached, and `secureboot -ask`
has firmware load them all. Where the verdict may be that it is not known, firmware's own is not compared.
"""
import secure_boot
from devicepath import file, hd, path
from machine import COUNTDOWN, STANDIN
from mirror import FALLBACK
from mirror_vm import as_machine
from secure_trials import Authority, Trials
from secure_boot import AUTHORITIES, Keys

MANAGER = '/EFI/Microsoft/Boot/bootmgfw.efi'
PROGRAM = '/EFI/tools/shadowbootx64.efi'
NUMBER, FIRST = 0x00A0, 0x0100


def test_verdict_on_odd_signatures_is_that_of_firmware(bases, tmp_path, product):
    keys = Keys(tmp_path / 'keys')
    works = Authority(tmp_path, '/CN=Works')
    trials = Trials(tmp_path, works)
    signed = keys.sign(product.read_bytes(), AUTHORITIES[0])
    setup = bases('mirror').copy(tmp_path / 'setup')
    volume = setup.volume(0, change=True).put(PROGRAM, signed)
    for place in (MANAGER, FALLBACK):
        volume.put(place, keys.sign(secure_boot.manager(), AUTHORITIES[0]))
    names = sorted(trials.programs)
    for number, name in enumerate(names):
        volume.put(f'/EFI/trial/{number:02}.efi', trials.programs[name])
    machine = as_machine(setup, tmp_path / 'vm', [0])
    machine.cold = True                     # whether it is on, firmware knows long before its drivers
    secure_boot.enrol(machine.nvram, keys, trials.db + secure_boot.trusting(keys, AUTHORITIES[0]), trials.dbx)
    part = setup.disk(0).parts['esp']

    def entry(place):
        return path(hd(part.number, part.first_lba, part.blocks, part.guid), file(place.replace('/', '\\')))

    for number, name in enumerate(names):
        machine.nvram.set_entry(FIRST + number, name, entry(f'/EFI/trial/{number:02}.efi'))
    machine.nvram.set_entry(NUMBER, 'shadowboot', entry(PROGRAM),
                            optional='secureboot -ask -sfo\0'.encode('utf-16-le'), order='first')
    with machine.boot() as vm:
        vm.expect(STANDIN, COUNTDOWN, timeout=240)
        log = vm.machine.workdir.joinpath(f'console-{machine.boots}.log').read_text(errors='replace')
    seen = {row[2].lower(): (row[3], row[8]) for row in secure_boot.rows(log, 'SecureFileInfo')}
    told = {name: seen[f'\\efi\\trial\\{number:02}.efi'] for number, name in enumerate(names)}
    assert {firmware for _, firmware in told.values()} == {'accepted', 'refused'}, told
    assert {name for name, (verdict, _) in told.items() if verdict == 'unknown'} == trials.open, told
    assert [name for name, (verdict, firmware) in told.items()
            if verdict != 'unknown' and (verdict == 'accepted') != (firmware == 'accepted')] == [], told

