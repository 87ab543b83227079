"""Changes in an LDM database as it lies on a disk: fields of records, of the header, of the log.

    edit = LdmEdit(read, write, 512)        # read(offset, size), write(offset, bytes) of the region
    edit.component(2, flags=4)              # the second one gets another number
    edit.header(pending=13, status=2)

Each call changes what is there and leaves the rest alone, so that several damages can follow each
other. Only the private region of one disk is changed. Everything is big-endian; the layout is that
of ldm.py, found through the TOCBLOCK.
"""
import struct

import ldm

SLOT_HEAD, PAYLOAD = 16, 112


def take_number(data, at):
    """A number with its length before it; gives it and the place behind it."""
    size = data[at]
    return int.from_bytes(data[at + 1:at + 1 + size], 'big'), at + 1 + size


def take_string(data, at):
    size = data[at]
    return bytes(data[at + 1:at + 1 + size]), at + 1 + size


class LdmEdit:
    """Raises LookupError where a structure that is to be changed is not there."""

    def __init__(self, read, write, block):
        self.read, self.write, self.block = read, write, block
        self.layout = ldm.layout(ldm.LdmDisk('', '', 0, 0, 0, block_size=block))

    def _toc(self):
        for place in self.layout.tocs:
            toc = self.read(place * self.block, 512)
            if toc[:8] == b'TOCBLOCK':
                return toc
        raise LookupError('no TOCBLOCK')

    @property
    def config(self):
        """Offset of the config region."""
        return struct.unpack_from('>Q', self._toc(), 0x24 + 0x0A)[0] * self.block

    @property
    def log(self):
        return struct.unpack_from('>Q', self._toc(), 0x46 + 0x0A)[0] * self.block

    def _vmdb(self):
        head = self.read(self.config, 512)
        if head[:4] != b'VMDB':
            raise LookupError('no VMDB')
        return head

    def header(self, **fields):
        """Change `status`, `committed` or `pending` of the VMDB header, or the `time` of change."""
        places = {'status': (0x10, '>H'), 'committed': (0x75, '>Q'), 'pending': (0x7D, '>Q'),
                  'time': (0xBD, '>Q')}
        self._vmdb()
        for name, value in fields.items():
            at, form = places[name]
            self.write(self.config + at, struct.pack(form, value))

    def transaction(self):
        return struct.unpack_from('>Q', self._vmdb(), 0x75)[0]

    def records(self, kind=None):
        """(offset of the slot, bytes of the record) of those that take one slot."""
        slots, size, first = struct.unpack_from('>III', self._vmdb(), 4)
        if size != ldm.SLOT or slots > 8192:
            raise LookupError('the VMDB header is not sound')
        data = self.read(self.config, slots * size)
        for at in range(first, len(data), size):
            slot = data[at:at + size]
            if slot[:4] == b'VBLK' and slot[14:16] == b'\0\1' and kind in (None, slot[SLOT_HEAD + 3]):
                yield self.config + at, slot[SLOT_HEAD:]

    def _record(self, kind, index):
        found = sorted(self.records(kind), key=lambda item: take_number(item[1], 8)[0])
        if index >= len(found):
            raise LookupError(f'{len(found)} records of kind {kind:#x}')
        return found[index]

    def _put(self, slot, record, body):
        """Write a record with another body."""
        length = len(body)
        if length + 8 > PAYLOAD:
            raise LookupError('the record takes more than a slot')
        head = record[:4] + struct.pack('>I', length)
        self.write(slot + SLOT_HEAD, (head + body).ljust(PAYLOAD, b'\0'))

    def _body(self, record):
        return record[8:8 + struct.unpack_from('>I', record, 4)[0]]

    def record_status(self, kind, index, status):
        """0 active, 1 pending deletion, 2 pending activation."""
        slot, _ = self._record(kind, index)
        self.write(slot + SLOT_HEAD, struct.pack('>H', status))

    def component(self, index, state=None, flags=None):
        slot, record = self._record(ldm.COMPONENT, index)
        body = self._body(record)
        at = take_string(body, take_number(body, 0)[1])[1]
        old, rest = take_string(body, at)
        new = old if state is None else state.encode()
        tail = bytearray(body[rest:])                    # layout, flags, ...
        if flags is not None:
            struct.pack_into('>I', tail, 1, flags)
        self._put(slot, record, body[:at] + bytes([len(new)]) + new + tail)

    def volume(self, index=0, state=None, flags=None):
        slot, record = self._record(ldm.VOLUME, index)
        body = bytearray(self._body(record))
        at = take_number(body, 0)[1]
        for _ in range(3):                               # name, type, marker
            at = take_string(body, at)[1]
        if state is not None:
            body[at:at + 14] = state.encode().ljust(14, b'\0')
        at = take_number(body, at + 15)[1]
        if flags is not None:
            struct.pack_into('>I', body, at, flags)
        self._put(slot, record, bytes(body))

    def partition(self, index, flags):
        slot, record = self._record(ldm.PARTITION, index)
        body = bytearray(self._body(record))
        struct.pack_into('>I', body, take_string(body, take_number(body, 0)[1])[1], flags)
        self._put(slot, record, bytes(body))

    def disk(self, index, flags):
        slot, record = self._record(ldm.DISK, index)
        body = bytearray(self._body(record))
        at = take_number(body, 0)[1]
        for _ in range(3):                               # name, GUID, device
            at = take_string(body, at)[1]
        struct.pack_into('>I', body, at, flags)
        self._put(slot, record, bytes(body))

    def log_entry(self, status):
        """Put an entry into the first page of the log: 1 detach, 2 dirty, 3 commit."""
        if self.read(self.log, 4) != b'KLOG':
            raise LookupError('no KLOG')
        entry = struct.pack('>BQQI3x', status, self.transaction(), self.transaction(), 1)
        self.write(self.log + 0x18, entry)

    def zero(self, what):
        """Wipe 'privheads', 'tocs', 'vmdb' or 'records'."""
        if what == 'privheads':
            places = [place * self.block for place in self.layout.heads]
        elif what == 'privhead':
            places = [self.layout.heads[0] * self.block]
        elif what == 'tocs':
            places = [place * self.block for place in self.layout.tocs]
        elif what == 'vmdb':
            places = [self.config]
        else:
            raise ValueError(what)
        for place in places:
            self.write(place, bytes(512))

    def flip(self, offset, mask=1):
        """Flip bits of one byte, counted from the start of the config region."""
        at = self.config + offset
        self.write(at, bytes([self.read(at, 1)[0] ^ mask]))
