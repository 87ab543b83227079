"""What compact.exe /exe: makes of a file: chunks packed by wimlib, put together as Windows keeps them.

    stream = wof.stream(content, wof.LZX)     # the content of "WofCompressedData"
    reparse = wof.reparse(wof.LZX)            # of "$REPARSE_POINT"

A file of this kind has the tag WOF and two streams of data: the unnamed one, as long as the content and
without clusters, and WofCompressedData. That begins with a table, for each chunk but the first where it
begins behind the table, in four bytes, eight from 4 GiB of content on; the chunks follow. A chunk that
would not get smaller is kept as it is. XPRESS packs 4, 8 or 16 KiB at a time, LZX 32.
"""
import ctypes
import functools
import struct
from collections import namedtuple

Algorithm = namedtuple('Algorithm', 'name number chunk compressor')
XPRESS4K = Algorithm('XPRESS4K', 0, 4096, 1)
LZX = Algorithm('LZX', 1, 32768, 2)
XPRESS8K = Algorithm('XPRESS8K', 2, 8192, 1)
XPRESS16K = Algorithm('XPRESS16K', 3, 16384, 1)
ALGORITHMS = (XPRESS4K, XPRESS8K, XPRESS16K, LZX)
TAG = 0x80000017
STREAM = 'WofCompressedData'


@functools.cache
def library():
    wimlib = ctypes.CDLL('libwim.so.15')
    wimlib.wimlib_compress.restype = ctypes.c_size_t
    wimlib.wimlib_compress.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p,
                                       ctypes.c_size_t, ctypes.c_void_p]
    wimlib.wimlib_decompress.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p,
                                         ctypes.c_size_t, ctypes.c_void_p]
    return wimlib


@functools.cache
def compressor(algorithm, level=50):
    found = ctypes.c_void_p()
    error = library().wimlib_create_compressor(algorithm.compressor, ctypes.c_size_t(algorithm.chunk),
                                               level, ctypes.byref(found))
    assert error == 0
    return found


@functools.cache
def decompressor(algorithm):
    found = ctypes.c_void_p()
    error = library().wimlib_create_decompressor(algorithm.compressor, ctypes.c_size_t(algorithm.chunk),
                                                 ctypes.byref(found))
    assert error == 0
    return found


def pack(chunk, algorithm, level=50):
    """One chunk packed; b'' where it would not get smaller."""
    room = ctypes.create_string_buffer(len(chunk))
    size = library().wimlib_compress(chunk, len(chunk), room, max(len(chunk) - 1, 0),
                                     compressor(algorithm, level))
    return room.raw[:size]


def unpack(packed, size, algorithm):
    """What wimlib makes of a packed chunk; None where it refuses it."""
    room = ctypes.create_string_buffer(size)
    error = library().wimlib_decompress(packed, len(packed), room, size, decompressor(algorithm))
    return None if error else room.raw


def chunks(content, algorithm, level=50):
    """The chunks as they are kept."""
    parts = [content[at:at + algorithm.chunk] for at in range(0, len(content), algorithm.chunk)]
    return [pack(part, algorithm, level) or part for part in parts]


def stream(content, algorithm, level=50):
    kept, table, at = chunks(content, algorithm, level), b'', 0
    for chunk in kept[:-1]:
        at += len(chunk)
        table += struct.pack('<Q' if len(content) > 0xFFFFFFFF else '<I', at)
    return table + b''.join(kept)


def reparse(algorithm):
    """Tag and size; version and provider (this file); version and algorithm."""
    return struct.pack('<IHHIIII', TAG, 16, 0, 1, 2, 1, algorithm.number)
