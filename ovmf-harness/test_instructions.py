"""Instructions that a virtual machine carries out, as `make bench` counts them."""
from demo import built
from instructions import Meter, Metered
from machine import MIB

SLOW = 12                            # requests in a second, others than those the meter learns by
SIZE = 24 * MIB


def test_waiting_for_a_slow_disk_is_no_work(tmp_path):
    machine = Metered(tmp_path)
    source, target = (machine.add_disk('nvme', 2 * SIZE) for _ in range(2))
    stick = machine.add_stick({'rawio.efi': built('SHADOWBOOT_RAWIO', 'build/rawio.efi')})
    line = f'rawio {source.slot} 0 {target.slot} 0 {SIZE} 1'
    with machine.boot_to_shell() as vm:
        vm.cd(stick)
        vm.shell(line)
        meter = Meter(vm)
        meter.learn_waiting(target, lambda: vm.shell(line))
        lines, fast = meter.of(lambda: vm.shell(line))
        assert 'RAWIO bytes=' in '\n'.join(lines)
        meter.throttle(target, SLOW)
        slow = meter.of(lambda: vm.shell(line))[1]
    assert fast.work > SIZE / 8                     # what is read back is compared, eight bytes at a time
    assert slow.waiting > fast.work                  # so it does wait
    assert fast.work / 2 < slow.work < fast.work * 2, (fast, slow)     # of the waiting a thousandth stays
