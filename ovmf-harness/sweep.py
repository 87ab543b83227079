"""How the tests use tests/tools/sweep, which repairs machines and says what a repair has broken."""
import os

# All machines and all pairs, not a sample of them: `make sweep`.
EVERY = os.environ.get('SWEEP') == 'all'
REPAIR = ('repair', '-y', '-format', '-msr', '-bitlocker')
# Kinds of violations that are still met: told, and no failure. To be taken out as they are mended.
STILL_BROKEN = ()
# A BootOrder of an odd size, or of none: firmware does not take it back, so an undo stops there.
NOT_TAKEN_BACK = {'order-odd-size', 'order-empty'}


def allowances():
    """Options of the program."""
    return [word for kind in STILL_BROKEN for word in ('-allow', kind)]
