"""Machines with Secure Boot, under keys of the tests' own: certificates that play those of 2011 and
2023, boot managers signed below them, and firmware whose lists trust or forbid them.

    keys = Keys(folder)                     # made by openssl, once
    files = signed_files(keys)              # name -> bytes of a stand-in
    variables = MACHINES['2011 forbidden'](keys, files)
    wanted = accepted(keys, variables, data)        # by sbverify: an opinion that is not the product's

Lists are written as UEFI says (EFI_SIGNATURE_LIST, 32.4.1), without the signature around an update:
that is how firmware keeps them.
"""
import functools
import hashlib
import os
import re
import struct
import subprocess
import uuid
from pathlib import Path

import mirror
import pe
from mirror import ROOT

GLOBAL = '8be4df61-93ca-11d2-aa0d-00e098032b8c'
SECURITY = 'd719b2cb-3d3a-4596-a3bc-dad00e67656f'
ENABLE = 'f0a30bc7-af08-4556-99c4-001009c93a44'
ATTRIBUTES = 0x27
X509 = 'a5c059a1-94e4-4aa7-87b5-ab155c2bf072'
SHA256 = 'c1c41626-504c-4092-aca9-41f936934328'
OWNER = '77fa9abd-0359-4d32-bd60-28f4e78f784b'
SVN_OWNER = '9d132b6c-59d5-4388-ab1c-185cfcb2eb92'
SVN_BOOT_MANAGER = '9d132b61-59d5-4388-ab1c-185c3cb2eb92'
SVN_CDBOOT = 'e8f82e9d-e127-4158-a488-4c18abe2f284'
AUTHORITIES = ('Played PCA 2011', 'Played CA 2023', 'Stranger')


def run(*command, **options):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, **options)
    assert done.returncode == 0, done.stdout.decode(errors='replace')
    return done.stdout


def guid_bytes(text):
    return uuid.UUID(text).bytes_le


def signature_list(kind, *entries, owner=OWNER):
    """One list; entries are of one size."""
    body = b''.join(guid_bytes(owner) + entry for entry in entries)
    size = 16 + len(entries[0])
    return guid_bytes(kind) + struct.pack('<III', 28 + len(body), 0, size) + body


def svn_entry(major, minor=0, program=SVN_BOOT_MANAGER):
    entry = b'\1' + guid_bytes(program) + struct.pack('<HH', minor, major) + bytes(11)
    return signature_list(SHA256, entry, owner=SVN_OWNER)


def by_make(*words):
    """The command line of make in this tree and this build, and the environment for it, as who types it has that."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith('MAKE')}
    build = os.environ.get('SHADOWBOOT_BUILD', ROOT / 'build')
    return ['make', '-C', str(ROOT), f'BUILD={os.path.relpath(build, ROOT)}', *words], environment


class Keys:
    """Authorities and a signer below each, as files of one folder."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        for number, name in enumerate(AUTHORITIES):
            self._make(number, name)

    def path(self, name, kind):
        return self.folder / f'{name.replace(" ", "-")}.{kind}'

    def _make(self, number, name):
        key, pem, leaf = (self.path(name, kind) for kind in ('key', 'pem', 'leaf'))
        run('openssl', 'req', '-new', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', f'/CN={name}',
            '-days', '9000', '-keyout', key, '-out', pem)
        run('openssl', 'req', '-new', '-newkey', 'rsa:2048', '-nodes', '-subj', f'/CN=Signer {number}',
            '-keyout', f'{leaf}.key', '-out', f'{leaf}.csr')
        extensions = self.folder / 'leaf.ext'
        extensions.write_text('subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n')
        run('openssl', 'x509', '-req', '-in', f'{leaf}.csr', '-CA', pem, '-CAkey', key, '-set_serial',
            100 + number, '-days', '9000', '-extfile', extensions, '-out', leaf)
        run('openssl', 'x509', '-in', pem, '-outform', 'der', '-out', self.path(name, 'der'))

    def der(self, name):
        return self.path(name, 'der').read_bytes()

    def sign(self, data, name, with_authority=True):
        source, target, leaf = self.folder / 'in.efi', self.folder / 'out.efi', self.path(name, 'leaf')
        source.write_bytes(data)
        more = ['--addcert', self.path(name, 'pem')] if with_authority else []
        run('sbsign', '--key', f'{leaf}.key', '--cert', leaf, *more, '--output', target, source)
        return target.read_bytes()

    def verifies(self, data, certificate):
        """Whether sbverify takes the signature for one below the certificate (DER)."""
        (self.folder / 'trial.der').write_bytes(certificate)
        run('openssl', 'x509', '-inform', 'der', '-in', self.folder / 'trial.der', '-out',
            self.folder / 'trial.pem')
        (self.folder / 'trial.efi').write_bytes(data)
        done = subprocess.run(['sbverify', '--cert', self.folder / 'trial.pem',
                               self.folder / 'trial.efi'], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        return done.returncode == 0

    def digest(self, data):
        """The Authenticode digest, as efitools work it out."""
        (self.folder / 'trial.efi').write_bytes(data)
        text = run('hash-to-efi-sig-list', self.folder / 'trial.efi', self.folder / 'trial.esl')
        return bytes.fromhex(re.search(r'HASH IS ([0-9a-f]{64})', text.decode())[1])


@functools.cache
def manager(name='bootmgfw'):
    """A whole number of 8 bytes long: of others firmware digests what is there, and efitools, as who signs
    does, zeros behind it."""
    data = mirror.boot_program(name)
    return pe.set_checksum(data + bytes(-len(data) % 8))


RESOURCES_AT = 0x40000           # of the section, in memory: behind all others


def resources(version, svn):
    """A section .rsrc as Windows' boot managers have it: VS_VERSIONINFO, and the SVN under its name."""
    high, out = 0x80000000, bytearray(0x600)
    name = 'BOOTMGRSECURITYVERSIONNUMBER'

    def directory(named, *own):
        return struct.pack('<12xHH', named, len(own) - named) + b''.join(struct.pack('<II', *one) for one in own)

    def words(numbers):
        return struct.pack('<HHHH', numbers[1], numbers[0], numbers[3], numbers[2])

    for at, part in ((0, directory(0, (10, high | 0x40), (16, high | 0x80))),
                     (0x40, directory(1, (high | 0x200, high | 0xC0))),
                     (0x80, directory(0, (1, high | 0x100))), (0xC0, directory(0, (1033, 0x180))),
                     (0x100, directory(0, (1033, 0x190))),
                     (0x180, struct.pack('<II', RESOURCES_AT + 0x300, 4)),
                     (0x190, struct.pack('<II', RESOURCES_AT + 0x340, 92)),
                     (0x200, struct.pack('<H', len(name)) + name.encode('utf-16-le')),
                     (0x300, struct.pack('<HH', svn[1], svn[0])),
                     (0x340, struct.pack('<HHH', 92, 52, 0) + 'VS_VERSION_INFO'.encode('utf-16-le')),
                     (0x368, struct.pack('<II', 0xFEEF04BD, 0x10000) + words(version))):
        out[at:at + len(part)] = part
    return bytes(out)


def versioned(folder, version, svn):
    """The stand-in as a boot manager of that version; binutils put the section in."""
    source, section, target = (folder / name for name in ('plain.efi', 'rsrc.bin', 'versioned.efi'))
    source.write_bytes(mirror.standin())
    section.write_bytes(resources(version, svn))
    run('objcopy', '--add-section', f'.rsrc={section}', '--set-section-flags',
        '.rsrc=alloc,load,readonly,data', '--change-section-address', f'.rsrc={RESOURCES_AT:#x}', source, target)
    return pe.set_checksum(target.read_bytes() + b'bootmgfw.pdb')


def altered(data):
    """Another byte in the code, and a checksum that fits."""
    image = bytearray(data)
    at = image.index(b'bootmgfw.pdb')
    image[at - 5] ^= 0x40
    return bytes(image)


def signed_files(keys):
    """Boot managers, by what is the matter with them."""
    old, fresh = keys.sign(manager(), AUTHORITIES[0]), manager('bootmgfw of 2023')
    return {'old': old, 'new': keys.sign(fresh, AUTHORITIES[1]),
            'new alone': keys.sign(fresh, AUTHORITIES[1], with_authority=False),
            'stranger': keys.sign(manager(), AUTHORITIES[2]), 'unsigned': manager(),
            'altered': altered(old)}


def trusting(keys, *names):
    return b''.join(signature_list(X509, keys.der(name)) for name in names)


# What firmware has: db and dbx of each machine.
MACHINES = {
    '2011 only': lambda keys, files: (trusting(keys, AUTHORITIES[0]), b''),
    '2011 and 2023': lambda keys, files: (trusting(keys, *AUTHORITIES[:2]), b''),
    '2011 forbidden': lambda keys, files: (trusting(keys, *AUTHORITIES[:2]),
                                           trusting(keys, AUTHORITIES[0])),
    'SVN raised': lambda keys, files: (trusting(keys, *AUTHORITIES[:2]), svn_entry(9)),
    'hash forbidden': lambda keys, files: (
        trusting(keys, *AUTHORITIES[:2]),
        signature_list(SHA256, keys.digest(files['old']), hashlib.sha256(b'another').digest())),
    'hash trusted': lambda keys, files: (signature_list(SHA256, keys.digest(files['unsigned'])), b''),
}


def entries(lists, kind):
    """The data of the entries of one kind."""
    found = []
    while lists:
        size, head, each = struct.unpack_from('<III', lists, 16)
        if lists[:16] == guid_bytes(kind):
            found += [lists[at + 16:at + each] for at in range(28 + head, size, each)]
        lists = lists[size:]
    return found


def accepted(keys, db, dbx, data):
    """What firmware with these lists makes of a program, in the words of UEFI 32.5.3.3."""
    digest = keys.digest(data)
    if digest in entries(dbx, SHA256) or any(keys.verifies(data, der) for der in entries(dbx, X509)):
        return False
    return digest in entries(db, SHA256) or any(keys.verifies(data, der) for der in entries(db, X509))


def put_lists(variables, keys, db, dbx, on=True):
    """The state and the lists into the variables of a machine of `mirror`."""
    owner = signature_list(X509, keys.der(AUTHORITIES[0]))
    variables['SecureBoot'] = (6, bytes([on]))
    variables['SetupMode'] = (6, b'\0')
    for name in ('PK', 'KEK'):
        variables[name] = (ATTRIBUTES, owner)
    for name, lists in (('db', db), ('dbx', dbx)):
        if lists:
            variables[f'{{{SECURITY}}}/{name}'] = (ATTRIBUTES, lists)


def enrol(nvram, keys, db, dbx):
    """The same into the flash of a virtual machine, which then enforces it."""
    owner = signature_list(X509, keys.der(AUTHORITIES[0]))
    nvram.set('PK', owner, attributes=ATTRIBUTES)
    nvram.set('KEK', owner, attributes=ATTRIBUTES)
    nvram.set('db', db, guid=SECURITY, attributes=ATTRIBUTES)
    if dbx:
        nvram.set('dbx', dbx, guid=SECURITY, attributes=ATTRIBUTES)
    nvram.set('SecureBootEnable', b'\1', guid=ENABLE, attributes=3)


def rows(text, table):
    """Rows of standard-format output, as lists of columns."""
    found = re.findall(rf'^{table},(.*)$', text.replace('\r', ''), re.M)
    return [re.findall(r'"((?:[^"^]|\^.)*)"', row) for row in found]


