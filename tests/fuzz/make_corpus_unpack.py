#!/usr/bin/python3
"""Writes corpus/lznt1, corpus/xpress and corpus/lzx: packed data, whole and damaged. The form of an input is
in unpack_run.h. wimlib packs XPRESS and LZX; the LZNT1 is put together here."""
import random
import struct
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / 'ovmf-harness'))
import wof

CALL = b'\x48\x8b\xe8' + struct.pack('<i', 4000)


def contents():
    rng = random.Random(1)
    yield 'text', b''.join(b'line %d of a text that goes on\n' % n for n in range(60))
    yield 'run', b'r' * 4096
    yield 'zeros', bytes(3000)
    yield 'calls', b''.join(CALL + bytes([rng.randrange(64)]) for _ in range(300))
    yield 'skewed', bytes(min(rng.getrandbits(8), rng.getrandbits(8), rng.getrandbits(8)) for _ in range(2500))
    yield 'far', rng.randbytes(900) + bytes(2000) + rng.randbytes(300) * 2


def token_chunk(*tokens):
    """An LZNT1 chunk of bytes and of matches (distance, length), which have 4 bits of distance."""
    body = b''
    for at in range(0, len(tokens), 8):
        group = tokens[at:at + 8]
        body += bytes([sum(1 << i for i, token in enumerate(group) if isinstance(token, tuple))])
        for token in group:
            body += struct.pack('<H', token[0] - 1 << 12 | token[1] - 3) if isinstance(token, tuple) else \
                bytes([token])
    return struct.pack('<H', 0xB000 | len(body) - 1) + body


def stored_chunk(data):
    return struct.pack('<H', 0x3000 | len(data) - 1) + data


def lznt1():
    run = token_chunk(ord('x'), (1, 4095))
    yield 'run', 4096, run
    yield 'runs', 16384, run * 4
    yield 'ended', 9000, run + bytes(2) + run
    yield 'stored', 4100, stored_chunk(bytes(range(256)) * 16) + stored_chunk(b'tail')
    yield 'short_chunks', 8300, token_chunk(*b'abc', (3, 90)) * 2 + stored_chunk(b'z')
    yield 'tokens', 300, token_chunk(*b'abcdefghij', (4, 5), (2, 9), *b'kl', (9, 200))
    yield 'too_far', 300, token_chunk(*b'ab', (9, 5))
    yield 'too_long', 99, run
    yield 'cut', 4096, run[:-1]
    yield 'kind', 4096, b'\x03\x90' + run[2:]


def packed(*algorithms):
    for algorithm in algorithms:
        for name, data in contents():
            made = wof.pack(data[:algorithm.chunk], algorithm)
            if not made:
                continue
            size = min(len(data), algorithm.chunk)
            name = f'{algorithm.name.lower()}_{name}'
            yield name, size, made
            yield name + '_cut', size, made[:-3]
            yield name + '_longer', size + 1, made
            yield name + '_flipped', size, bytes([made[0] ^ 0x11]) + made[1:]


def lzx():
    yield from packed(wof.LZX)
    head = struct.pack('<HHIII', 3 << 13, 5 << 12, 1, 1, 1)
    yield 'stored', 5, head + b'hello\0'
    yield 'stored_twice', 10, (head + b'hello\0') * 2
    yield 'stored_cut', 5, head + b'hell'
    yield 'stored_then_packed', 5 + 1860, head + b'hello\0' + wof.pack(dict(contents())['text'], wof.LZX)


def main():
    for folder, inputs in (('lznt1', lznt1()), ('xpress', packed(wof.XPRESS4K)), ('lzx', lzx())):
        (HERE / 'corpus' / folder).mkdir(parents=True, exist_ok=True)
        for name, size, data in inputs:
            (HERE / 'corpus' / folder / name).write_bytes(struct.pack('<H', size - 1) + data)


main()
