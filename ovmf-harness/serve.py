"""Commands on machines of image files, many in one process (tests/tools/serve.c, sweep.c).

    with Server(program) as server:
        result = server.run(setup, 'status', '-sfo')     # mirror.Run: text, status

Machines are copied into memory first, so nothing of a `setup` is changed. What a sanitizer says of a
request is in the text of its answer, as with the host program; the next request starts a new process.
"""
import subprocess
import tempfile

from mirror import Run


class Server:
    """One process of the program; started at the first request."""

    def __init__(self, *command):
        self.command, self.process, self.said = command, None, None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def start(self):
        self.said = tempfile.TemporaryFile()
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.said)

    def complaint(self):
        """What came on standard error; the process is over then."""
        status = self.process.wait(timeout=60)
        self.said.seek(0)
        text = self.said.read().decode(errors='replace')
        for stream in (self.process.stdin, self.process.stdout, self.said):
            stream.close()
        self.process = None
        return status, text

    def run(self, setup, *words):
        """Run one command on a machine."""
        request = '\t'.join([*setup.host_options(), '--', *words])
        if not self.process:
            self.start()
        try:
            self.process.stdin.write(request.encode() + b'\n')
            self.process.stdin.flush()
            head = self.process.stdout.readline()
            status, size = map(int, head.split())
            return Run(self.process.stdout.read(size).decode(errors='replace'), status)
        except (OSError, ValueError):
            status, text = self.complaint()
            return Run(text, status)

    def close(self):
        """End the process; AssertionError for what it says then: memory that was lost."""
        if self.process:
            self.process.stdin.close()
            status, text = self.complaint()
            assert (status, text) == (0, ''), text
