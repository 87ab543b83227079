"""What tells images apart by all but their holes: against plain reading of the same bytes."""
import functools
import os
import random

import gpt
import pytest
import sparse
from sparse import PAGE, copy_range, digest, holes_kept, kept_digest, pieces, punch

PAGES = 120
RANGES = [(0, None), (63 * 512, None), (63 * 512, 100 * PAGE), (5, 3), (PAGE, PAGE), (8 * PAGE - 512, 70 * PAGE + 512)]


@functools.cache
def contents():
    """Pages of zeros, of data, and of a single byte at either end; runs of them longer than what is read at once."""
    rng = random.Random(7)
    page = {'zeros': bytes(PAGE), 'first': b'\1' + bytes(PAGE - 1), 'last': bytes(PAGE - 1) + b'\1'}
    made = [page.get(name) or rng.randbytes(PAGE) for name in rng.choices(['zeros', 'first', 'last', 'data'], k=PAGES)]
    made[40:110] = [rng.randbytes(PAGE) for _ in range(70)]
    return b''.join(made) + b'end'


@pytest.fixture(name='images')
def make_images(tmp_path):
    """The same bytes three times: without holes, with every hole that can be, and with some."""
    data, images = contents(), [tmp_path / name for name in ('dense', 'sparse', 'mixed')]
    images[0].write_bytes(data)
    for image, kept in ((images[1], 1), (images[2], 3)):
        image.write_bytes(b'')
        os.truncate(image, len(data))
        for at in range(0, len(data), PAGE):
            if any(data[at:at + PAGE]) or at // PAGE % kept:
                gpt.poke(image, at, data[at:at + PAGE])
    return images


def has_its_holes(image):
    """The file system keeps what is not zero, and a few pages of its own."""
    return os.stat(image).st_blocks * 512 <= sum(len(data) for _, data in pieces(image)) + 8 * PAGE


@pytest.mark.parametrize('offset, size', RANGES)
def test_pieces_are_what_is_not_zero(images, offset, size):
    for image in images:
        data = gpt.peek(image, offset, os.path.getsize(image) if size is None else size)
        found, end = bytearray(len(data)), 0
        for at, piece in pieces(image, offset, size):
            assert at >= end and at % PAGE == 0 and piece
            assert all(any(piece[page:page + PAGE]) for page in range(0, len(piece), PAGE))
            found[at:at + len(piece)], end = piece, at + len(piece)
        assert found == data and end <= len(data)


@pytest.mark.parametrize('offset, size', RANGES)
def test_holes_do_not_matter_to_a_digest_and_every_byte_does(images, offset, size):
    alike = {digest(image, offset, size) for image in images}
    assert len(alike) == 1
    image, whole = images[1], os.path.getsize(images[1])
    end = whole if size is None else offset + size
    for at in {offset, end - 1, (offset + end) // 2}:
        was = gpt.peek(image, at, 1)
        gpt.poke(image, at, bytes([was[0] ^ 1]))
        assert digest(image, offset, size) not in alike, at
        gpt.poke(image, at, was)
    for at in {offset - 1, end} & set(range(whole)):
        gpt.poke(image, at, bytes([gpt.peek(image, at, 1)[0] ^ 1]))
    assert digest(image, offset, size) in alike


def test_size_and_place_matter_to_a_digest(tmp_path):
    found = set()
    for size, at in ((64 * PAGE, 0), (64 * PAGE, PAGE), (64 * PAGE, 512), (65 * PAGE, 0), (65 * PAGE, PAGE), (65 * PAGE, None)):
        image = tmp_path / 'image'
        image.write_bytes(b'')
        os.truncate(image, size)
        if at is not None:
            gpt.poke(image, at, b'data')
        found.add(digest(image))
        if at is None:
            assert list(pieces(image)) == []
    assert len(found) == 6


@pytest.mark.parametrize('offset, size', RANGES)
def test_copy_has_the_bytes_and_the_holes(images, tmp_path, offset, size):
    target = tmp_path / 'copy'
    target.write_bytes(b'old' * 10000)
    for image in images:
        size = os.path.getsize(image) - offset if size is None else size
        copy_range(image, offset, size, target)
        assert target.read_bytes() == gpt.peek(image, offset, size)
        assert has_its_holes(target)


def test_holes_come_back(images):
    data = images[0].read_bytes()
    holes_kept(images[0], images[2])
    punch(images[0])
    assert [image.read_bytes() for image in images] == [data] * 3
    assert all(map(has_its_holes, images))


def test_kept_digest_is_worked_out_anew_after_a_change(images):
    before = kept_digest(images[1])
    assert before == digest(images[1]) == kept_digest(images[1])
    gpt.poke(images[1], 0, b'changed')
    os.utime(images[1], (1, 1))
    assert kept_digest(images[1]) == sparse.digest(images[1]) != before


def test_what_was_asked_is_asked_again_after_a_change(tmp_path):
    image, asked = tmp_path / 'image', []
    image.write_bytes(b'one')

    def ask():
        asked.append(image.read_bytes())
        if asked[-1] == b'none':
            raise ValueError('none')
        return asked[-1]

    assert [sparse.asked_once(image, 'what', ask) for _ in range(2)] == [b'one', b'one'] and len(asked) == 1
    assert sparse.asked_once(image, 'another question', ask) == b'one' and len(asked) == 2
    for content in (b'two', b'none'):
        image.write_bytes(content)
        os.utime(image, ns=(0, len(content)))          # a clock that stands still would hide it
        for _ in range(2):
            if content == b'none':
                with pytest.raises(ValueError, match='none'):
                    sparse.asked_once(image, 'what', ask)
            else:
                assert sparse.asked_once(image, 'what', ask) == content
    assert asked == [b'one', b'one', b'two', b'none']
