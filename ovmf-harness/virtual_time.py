"""A virtual PC whose time is the number of its instructions, and what time it is in there.

    machine = mirror_vm.as_machine(setup, folder, [0], kind=Counted)
    with machine.boot() as vm: ...; seconds(vm)         # since it was switched on

An instruction takes eight nanoseconds, and what waits for a timer waits no time of the host: what the host
does besides makes no difference. Disks answer in the host's time, though, so the polling of a driver counts:
two starts from SATA differ by half a percent, from NVMe by seconds.
"""
from machine import Machine

PM_HERTZ, PM_TICKS = 3579545, 1 << 24
PM_TIMER, CMOS = 0x608, 0x70         # ports of q35 under OVMF


class Counted(Machine):
    """With all that usual firmware waits for: what a program adds to a start is measured against that."""

    def __init__(self, *place, **options):
        super().__init__(*place, desk=True, **options)

    def parts(self):
        return [*super().parts(), '-icount', 'shift=3,sleep=off', '-rtc', 'base=2026-01-01T00:00:00,clock=vm']


def monitor(vm, line):
    return vm.qmp.execute('human-monitor-command', **{'command-line': line})


def port(vm, address, size):
    return int(monitor(vm, f'i /1x{size} {address}').split('=')[-1], 16)


def seconds(vm):
    """The machine's own time since power-on: whole seconds from its clock, the rest from the ACPI timer."""
    vm.qmp.execute('stop')
    whole = 0
    for register, weight in ((0, 1), (2, 60)):
        monitor(vm, f'o /b {CMOS} {register}')
        value = port(vm, CMOS + 1, 'b')
        whole += weight * ((value >> 4) * 10 + (value & 15))
    part, period = (port(vm, PM_TIMER, 'w') % PM_TICKS) / PM_HERTZ, PM_TICKS / PM_HERTZ
    vm.qmp.execute('cont')
    return part + period * round((whole + 0.5 - part) / period)
