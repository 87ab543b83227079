"""Programs whose signatures are odd, and lists for which they are: whatever firmware makes of each, the verdict
is to be the same.

    trials = Trials(folder)
    trials.programs          # name -> bytes; none of them is ever started
    trials.db, trials.dbx    # for all of them together
    trials.open              # names of those whose verdict may be that it is not known

What firmware does is firmware's to say: nothing here says it.
"""
import hashlib
import struct

import pe
from secure_boot import SHA256, X509, run, signature_list

TBS = {'sha256': '3bd2a492-96c0-4079-b420-fcf98ef103ed', 'sha384': '7076876e-80c2-4ee6-aad2-28b349a6865b',
       'sha512': '446dbf63-2502-4cda-bcfa-2465d2b0fe9d'}
FOREVER, SOME_DAY = bytes(16), struct.pack('<HBBBBBxIhBx', 2100, 1, 1, 0, 0, 0, 0, 0, 0)
# What keys are called: openssl says it unless it is told not to.
IDS, NO_IDS = (f'basicConstraints=CA:TRUE\nsubjectKeyIdentifier={own}\nauthorityKeyIdentifier={issuer}\n'
               for own, issuer in (('hash', 'keyid'), ('none', 'none')))


class Authority:
    """A key and its certificate: `by` another one, else by itself."""

    made = 100

    def __init__(self, folder, subject, by=None, key=None, ids=True):
        Authority.made += 1
        stem = folder / str(self.made)
        self.subject, self.pem, self.key = subject, stem.with_suffix('.pem'), key or stem.with_suffix('.key')
        if key is None:
            run('openssl', 'genrsa', '-out', self.key, '2048')
        run('openssl', 'req', '-new', '-key', self.key, '-subj', subject, '-out', stem.with_suffix('.csr'))
        stem.with_suffix('.ext').write_text(IDS if ids else NO_IDS)
        issuer = ['-CA', by.pem, '-CAkey', by.key] if by else ['-signkey', self.key]
        run('openssl', 'x509', '-req', '-in', stem.with_suffix('.csr'), *issuer, '-set_serial', str(self.made),
            '-days', '9000', '-extfile', stem.with_suffix('.ext'), '-out', self.pem)
        run('openssl', 'x509', '-in', self.pem, '-outform', 'der', '-out', stem.with_suffix('.der'))
        self.der = stem.with_suffix('.der').read_bytes()

    def trusted(self):
        return signature_list(X509, self.der)

    def tbs(self, name, time=FOREVER):
        """A list that forbids it by a digest of what of it is signed (the first element inside it)."""
        size = struct.unpack_from('>H', self.der, 6)[0] + 4
        return signature_list(TBS[name], hashlib.new(name, self.der[4:4 + size]).digest() + time)


def unpadded(data):
    """A signed image whose certificate table ends where its last signature does."""
    at = pe.security_directory(data)
    place, size = struct.unpack_from('<II', data, at)
    length = 12 + struct.unpack_from('>H', data, place + 10)[0]
    assert size - 8 < length < size, 'nothing to cut'
    data = data[:at] + struct.pack('<II', place, length) + data[at + 8:place] + struct.pack('<I', length) \
        + data[place + 4:place + length]
    return pe.set_checksum(data)


class Trials:
    def __init__(self, folder, works):
        """`works`: who signs and is trusted (an Authority)."""
        self.folder, self.works = folder, works
        self.programs, self.db, self.dbx = {}, works.trusted(), b''
        self.open = {'name alone', 'between', 'two of one name'}
        self._forms()
        self._authorities()
        self._forbidden()
        self._digests()

    def _plain(self, name):
        return pe.build(data=name.encode().ljust(64, b'.'))

    def _sign(self, name, signer, *more):
        source, target = self.folder / 'in.efi', self.folder / 'out.efi'
        source.write_bytes(self._plain(name))
        added = self.folder / 'added.pem'
        added.write_text(''.join(own.pem.read_text() for own in more))
        run('sbsign', '--key', signer.key, '--cert', signer.pem, *(['--addcert', added] if more else []),
            '--output', target, source)
        self.programs[name] = target.read_bytes()

    def _below(self, authority, name='/CN=A signer', ids=True):
        return Authority(self.folder, name, by=authority, ids=ids)

    def _own(self, subject, **more):
        return Authority(self.folder, subject, **more)

    def _trust(self, authority):
        self.db += authority.trusted()
        return authority

    def _forms(self):
        self._sign('plain', self._below(self.works), self.works)
        for length in range(8):
            self._sign('unpadded', self._below(self.works, '/CN=' + 'x' * (length + 1)), self.works)
            try:
                self.programs['unpadded'] = unpadded(self.programs['unpadded'])
                return
            except AssertionError:
                pass
        raise AssertionError('every signature fills its table')

    def _authorities(self):
        nameless = self._trust(self._own('/O=Without a common name'))
        self._sign('nameless', self._below(nameless))
        root = self._own('/CN=Crossing root')
        once = self._trust(self._own('/CN=Issued twice'))
        twice = self._own('/CN=Issued twice', by=root, key=once.key)
        self._sign('crossed', self._below(once), twice)
        self._trust(self._own('/CN=My own key'))
        self._sign('namesake', self._own('/CN=My own key'))
        mimic = self._own(self.works.subject)
        self._sign('mimic', self._below(mimic), mimic)
        self._sign('mimic by id', self._below(mimic))
        self._sign('name alone', self._below(mimic, ids=False))
        bare = self._trust(self._own('/CN=Without ids', ids=False))
        other = self._own('/CN=Without ids', ids=False)
        self._sign('two of one name', self._below(bare, ids=False), bare, other)
        self._sign('stranger', self._own('/CN=Nobody'))

    def _forbidden(self):
        for name in TBS:
            signer = self._below(self.works)
            self._sign(f'{name} of the signer', signer, self.works)
            self.dbx += signer.tbs(name)
            signer = self._below(self.works)
            self._sign(f'{name} from a day on', signer, self.works)
            self.dbx += signer.tbs(name, SOME_DAY)
        anchor = self._trust(self._own('/CN=Trusted and forbidden'))
        self._sign('of the one in db', self._below(anchor))
        self.dbx += anchor.tbs('sha256')
        root = self._trust(self._own('/CN=A root'))
        middle = self._below(root, '/CN=Between')
        self._sign('between', self._below(middle), middle)
        self.dbx += middle.tbs('sha256')
        out = self._own('/CN=Thrown out')
        self.dbx += out.trusted()
        self._sign('thrown out', self._below(out), out)

    def _digest_of(self, data, name='sha256'):
        """As Authenticode makes it, of an image of `pe.build`: all but checksum, directory and table."""
        field, entry = pe.checksum_offset(data), pe.security_directory(data)
        end = struct.unpack_from('<I', data, entry)[0] or len(data)
        return hashlib.new(name, data[:field] + data[field + 4:entry] + data[entry + 8:end]).digest()

    def _digests(self):
        self._sign('altered', self._below(self.works), self.works)
        self.programs['altered'] = self._altered('altered')
        self._sign('altered and in db', self._below(self.works), self.works)
        self.programs['altered and in db'] = self._altered('altered and in db')
        self.programs['not signed'] = self._plain('not signed')
        self.programs['not signed and in db'] = self._plain('not signed and in db')
        self._sign('stranger and in db', self._own('/CN=Nobody'))
        self._sign('in db and dbx', self._below(self.works), self.works)
        trusted = ['altered and in db', 'not signed and in db', 'stranger and in db', 'in db and dbx']
        self.db += signature_list(SHA256, *(self._digest_of(self.programs[name]) for name in trusted))
        self.dbx += signature_list(SHA256, self._digest_of(self.programs['in db and dbx']))

    def _altered(self, name):
        data = bytearray(self.programs[name])
        data[data.index(name.encode())] ^= 0x20
        return pe.set_checksum(bytes(data))
