"""Variables in the flash image of OVMF (OVMF_VARS_4M.fd), read and written while the machine is off.

So a machine starts with chosen entries, and what a boot left behind is read without asking the
product or the firmware. Layout (edk2 `Guid/VariableFormat.h`, authenticated format):

    offset  size  field
    0       var   firmware volume header; its length is the u16 at 0x30
    +0      16    gEfiAuthenticatedVariableGuid
    +16     4     size of the store with this header
    +20     1     0x5A formatted, then 0xFE healthy, u16, u32 reserved
    +28     ...   variables, each at a multiple of 4:
      0     2     0x55AA        2  1  state         4   4  attributes
      8     8     monotonic count   16 16 time      32  4  public key index
      36    4     name size     40 4  data size     44  16 vendor GUID
      60    ...   name (UCS-2 with NUL), data

State 0x3F is a live variable; flash can only clear bits, so a variable being replaced is 0x3E
and a deleted one has bit 1 clear as well. Every change here rewrites the store compactly. (The
spare area behind it, which the firmware uses to survive a power cut while it compacts the store
itself, is left alone.)
"""
import contextlib
import re
import struct
import uuid
from dataclasses import dataclass

from devicepath import ACTIVE, CATEGORY_APP, LoadOption, shell_path

GLOBAL = '8be4df61-93ca-11d2-aa0d-00e098032b8c'
NV_BS, NV_BS_RT = 3, 7
STORE_GUID = uuid.UUID('aaf32c78-947b-439a-a180-2e144ec37792').bytes_le
STORE_HEADER = struct.Struct('<16sIBBHI')
VARIABLE = struct.Struct('<HBBIQ16sIII16s')
LIVE, REPLACED = 0x3F, 0x3E
# A number that the firmware's own numbering (lowest free one) does not reach in tests.
SHELL_NUMBER, QUICK_SHELL_NUMBER = 0x00F0, 0x00F1
# UEFI Shell Specification 3.2: no startup.nsh, and no second's wait for a key before that.
QUICK = '-nostartup\0'.encode('utf-16-le')


@dataclass
class Variable:
    """One live variable."""
    name: str
    guid: str
    attributes: int
    data: bytes
    count: int = 0
    time: bytes = bytes(16)
    key: int = 0

    def pack(self):
        name = (self.name + '\0').encode('utf-16-le')
        head = VARIABLE.pack(0x55AA, LIVE, 0, self.attributes, self.count, self.time, self.key,
                             len(name), len(self.data), uuid.UUID(self.guid).bytes_le)
        packed = head + name + self.data
        return packed + b'\xff' * (-len(packed) % 4)


class Nvram:
    """The variable store in one file. Reads see the file as it is now, writes go through at once.

    `busy` says whether a machine is using the file: then it may be read but not changed.
    """

    def __init__(self, path, busy=lambda: False):
        self.path, self.busy = path, busy

    def _store(self, image):
        """Where the variables begin and end in the image."""
        if image[0x28:0x2C] != b'_FVH':
            raise ValueError(f'{self.path}: no firmware volume')
        start, = struct.unpack_from('<H', image, 0x30)
        guid, size, formatted, healthy, _, _ = STORE_HEADER.unpack_from(image, start)
        if guid != STORE_GUID or (formatted, healthy) != (0x5A, 0xFE):
            raise ValueError(f'{self.path}: no healthy variable store')
        return start + STORE_HEADER.size, start + size

    def _records(self):
        """(state, Variable) of each record, live or not, in the order in which they were written."""
        image = self.path.read_bytes()
        at, end = self._store(image)
        while at + VARIABLE.size <= end:
            magic, state, _, attributes, count, time, key, name_size, size, guid = (
                VARIABLE.unpack_from(image, at))
            if magic != 0x55AA:
                break
            name_at = at + VARIABLE.size
            data_at = name_at + name_size
            name = image[name_at:data_at].decode('utf-16-le').rstrip('\0')
            yield state, Variable(name, str(uuid.UUID(bytes_le=guid)), attributes,
                                  image[data_at:data_at + size], count, time, key)
            at = -(-(data_at + size) // 4) * 4

    def variables(self):
        """All live variables as a list, in the order of the store."""
        found = {}
        for state, variable in self._records():
            name = variable.name, variable.guid
            if state == LIVE or (state == REPLACED and name not in found):
                found[name] = variable
        return list(found.values())

    def written(self):
        """Names of all that was written since the store was last made compact, as often as it was."""
        return [variable.name for _, variable in self._records()]

    def _rewrite(self, variables):
        if self.busy():
            raise RuntimeError('the machine is running: its variables can only be read')
        image = bytearray(self.path.read_bytes())
        start, end = self._store(image)
        packed = b''.join(v.pack() for v in variables)
        if len(packed) > end - start:
            raise ValueError('the variable store is full')
        image[start:end] = packed.ljust(end - start, b'\xff')
        self.path.write_bytes(image)

    def free(self):
        """Bytes for further variables once the store is compact."""
        start, end = self._store(self.path.read_bytes())
        return end - start - sum(len(v.pack()) for v in self.variables())

    def get(self, name, guid=GLOBAL):
        """The variable, or None."""
        return next((v for v in self.variables() if (v.name, v.guid) == (name, guid)), None)

    def set(self, name, data, guid=GLOBAL, attributes=NV_BS_RT):
        """Create or replace a variable."""
        others = [v for v in self.variables() if (v.name, v.guid) != (name, guid)]
        self._rewrite(others + [Variable(name, guid, attributes, bytes(data))])

    def delete(self, name, guid=GLOBAL):
        """Remove a variable if it is there."""
        self._rewrite([v for v in self.variables() if (v.name, v.guid) != (name, guid)])

    def set_entry(self, number, description, path, optional=b'', attributes=ACTIVE, order='last'):
        """Write Boot####. `order`: 'last', 'first' or None (leave BootOrder as it is)."""
        option = LoadOption(description, path, optional, attributes)
        self.set(f'Boot{number:04X}', option.pack())
        others = [n for n in self.order if n != number]
        if order == 'last':
            self.order = others + [number]
        elif order == 'first':
            self.order = [number] + others
        return option

    def delete_entry(self, number):
        """Remove Boot#### and its place in BootOrder."""
        self.delete(f'Boot{number:04X}')
        self.order = [n for n in self.order if n != number]

    def raw_entries(self):
        """The bytes of all Boot#### variables by number, well formed or not, without the harness's own."""
        named = ((re.fullmatch('Boot([0-9A-F]{4})', v.name), v) for v in self.variables()
                 if v.guid == GLOBAL)
        found = {int(match[1], 16): v.data for match, v in sorted(
            ((m, v) for m, v in named if m), key=lambda pair: pair[0][1])}
        found.pop(QUICK_SHELL_NUMBER, None)
        return found

    def entries(self):
        """All Boot#### variables by number, as LoadOption."""
        return {number: LoadOption.unpack(data) for number, data in self.raw_entries().items()}

    def entry(self, number):
        """One Boot#### as LoadOption, or None."""
        variable = self.get(f'Boot{number:04X}')
        return LoadOption.unpack(variable.data) if variable else None

    def find(self, description):
        """Numbers of the entries with this description, in BootOrder first."""
        entries = self.entries()
        ordered = list(dict.fromkeys(self.order + list(entries)))
        return [n for n in ordered if n in entries and entries[n].description == description]

    def _number(self, name):
        variable = self.get(name)
        return struct.unpack('<H', variable.data)[0] if variable else None

    def _set_number(self, name, value):
        if value is None:
            self.delete(name)
        else:
            self.set(name, struct.pack('<H', value))

    @property
    def order(self):
        """BootOrder as a list of numbers, empty if there is none."""
        variable = self.get('BootOrder')
        data = variable.data if variable else b''
        return list(struct.unpack(f'<{len(data) // 2}H', data))

    @order.setter
    def order(self, numbers):
        self.set('BootOrder', struct.pack(f'<{len(numbers)}H', *numbers))

    @property
    def next(self):
        """BootNext or None; assign a number or None."""
        return self._number('BootNext')

    @next.setter
    def next(self, number):
        self._set_number('BootNext', number)

    @property
    def timeout(self):
        """Timeout or None. OVMF writes its own value at every boot."""
        return self._number('Timeout')

    @timeout.setter
    def timeout(self, seconds):
        self._set_number('Timeout', seconds)

    def shell_entry(self):
        """The number of the entry of the built-in Shell, which is added last if there is none.

        It equals the one that OVMF makes itself, so the firmware finds it and adds no other.
        """
        for number, data in self.raw_entries().items():
            with contextlib.suppress(ValueError):  # a test's malformed entry is not it
                option = LoadOption.unpack(data)
                if option.path == shell_path() and not option.optional:
                    return number
        self.set_entry(SHELL_NUMBER, 'EFI Internal Shell', shell_path())
        return SHELL_NUMBER

    def quick_shell_entry(self):
        """The number of an application, which is in no order: the built-in Shell that does not look for startup.nsh."""
        self.shell_entry()
        self.set_entry(QUICK_SHELL_NUMBER, 'Shell', shell_path(), QUICK, ACTIVE | CATEGORY_APP, order=None)
        return QUICK_SHELL_NUMBER
