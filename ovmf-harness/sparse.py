"""Images with holes, without reading the holes: copied, told apart, and made sparse again.

A page of zeros counts as a hole, whether the file system keeps it or not: two files of the same bytes
are the same here, however they were written.

    digest(image) == digest(other)           # the same size, the same bytes
    digest(image, offset, size)              # of a range of it
    asked_once(image, 'how many', count)     # what is known of an image until it is changed
"""
import functools
import hashlib
import os

PAGE = 4096
CHUNK = 64 * PAGE                # of more at once, the memory for it costs more than it saves
ZEROS = bytes(PAGE)


def _data(handle, start, end):
    """(start, end) of what the file system keeps between two places of an open file."""
    while start < end:
        try:
            start = os.lseek(handle, start, os.SEEK_DATA)
        except OSError:
            return
        hole = min(os.lseek(handle, start, os.SEEK_HOLE), end)
        if start < hole:
            yield start, hole
        start = hole


def _chunks(handle, offset, size):
    """The same as (place from `offset` on, bytes), in whole pages from there on, each page once."""
    done = 0
    for low, high in _data(handle, offset, offset + size):
        at = max(done, (low - offset) // PAGE * PAGE)
        done = max(done, min(-((offset - high) // PAGE) * PAGE, size))
        while at < done:
            data = os.pread(handle, min(done - at, CHUNK), offset + at)
            if not data:
                return
            yield at, data
            at += len(data)


def pieces(image, offset=0, size=None):
    """What is not a hole in `size` bytes from `offset` on, or in all of a file: (place in that range, bytes), in whole
    pages counted from its start, of which the last one of the range may be shorter."""
    with open(image, 'rb', buffering=0) as stream:
        size = os.fstat(stream.fileno()).st_size - offset if size is None else size
        for at, data in _chunks(stream.fileno(), offset, size):
            start, length = 0, len(data)
            while start < length:
                end = start
                while end < length and not data.startswith(ZEROS[:length - end], end):
                    end += PAGE
                if end > start:
                    yield at + start, data[start:end]
                start = end + PAGE


def digest(image, offset=0, size=None):
    """A digest of `size` bytes from `offset` on, or of a whole file and its size."""
    size = os.path.getsize(image) - offset if size is None else size
    content, runs = hashlib.sha1(), []
    for at, data in pieces(image, offset, size):
        content.update(data)
        end = at + len(data)
        if runs and runs[-1][1] == at:
            at = runs.pop()[0]
        runs.append((at, end))
    return hashlib.sha1(repr((size, runs)).encode() + content.digest()).digest()


@functools.lru_cache(maxsize=256)
def _digest_in_state(image, *_state):
    return digest(image)


def kept_digest(image):
    """The same of a whole file, worked out anew only when inode, size or time of the file are others."""
    state = os.stat(image)
    return _digest_in_state(image, state.st_ino, state.st_size, state.st_mtime_ns)


ANSWERS, ANSWERS_MOST = {}, 1000


def asked_once(image, question, ask):
    """What `ask` gives or raises, asked again for this question only when the state of the image is another."""
    state = os.stat(image)
    key = str(image), state.st_ino, state.st_size, state.st_mtime_ns, question
    if key not in ANSWERS:
        if len(ANSWERS) >= ANSWERS_MOST:
            ANSWERS.clear()
        try:
            ANSWERS[key] = ask(), None
        except ValueError as error:
            ANSWERS[key] = None, error
    answer, error = ANSWERS[key]
    if error:
        raise error
    return answer


def copy_range(source, offset, length, target):
    """Copy bytes of an image into a new file, holes stay holes."""
    with open(target, 'wb', buffering=0) as stream:
        stream.truncate(length)
        for at, data in pieces(source, offset, length):
            os.pwrite(stream.fileno(), data, at)


def holes_kept(source, target):
    """Copy a file, holes stay holes."""
    copy_range(source, 0, os.path.getsize(source), target)


def punch(image):
    """Give back the pages of a file that hold zeros only."""
    found, size = list(pieces(image)), os.path.getsize(image)
    with open(image, 'wb', buffering=0) as stream:
        stream.truncate(size)
        for at, data in found:
            os.pwrite(stream.fileno(), data, at)
