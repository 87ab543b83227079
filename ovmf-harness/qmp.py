"""QEMU's machine protocol (QMP) over a connected socket: commands and events as JSON lines."""
import json
import time


class QmpError(RuntimeError):
    """QEMU refused a command."""


class Qmp:
    """One QMP session. `events` collects what QEMU reported, oldest first."""

    def __init__(self, connection, clock=time.monotonic):
        self.connection, self.events, self.clock = connection, [], clock
        self._pending = b''
        self._receive(10)  # the greeting
        self.execute('qmp_capabilities')

    def _receive(self, seconds):
        """The next message; TimeoutError when it does not come in time."""
        end = self.clock() + seconds
        while b'\n' not in self._pending:
            late = self.clock() >= end
            self.connection.settimeout(0.01 if late else 1)
            try:
                data = self.connection.recv(65536)
            except TimeoutError:
                if late:
                    raise
                continue
            if not data:
                raise QmpError('QEMU closed its monitor')
            self._pending += data
        line, _, self._pending = self._pending.partition(b'\n')
        return json.loads(line)

    def execute(self, command, **arguments):
        """Run a command, give its result."""
        request = {'execute': command, 'arguments': arguments}
        self.connection.sendall(json.dumps(request).encode() + b'\n')
        while True:
            answer = self._receive(30)
            if 'event' in answer:
                self.events.append(answer['event'])
            elif 'error' in answer:
                raise QmpError(f"{command}: {answer['error']['desc']}")
            else:
                return answer.get('return')

    def wait_event(self, name, seconds):
        """Whether the event comes (or came) within the time; it is taken from the list."""
        end = self.clock() + seconds
        while name not in self.events:
            try:
                answer = self._receive(end - self.clock())
            except (TimeoutError, QmpError):
                return False
            if 'event' in answer:
                self.events.append(answer['event'])
        self.events.remove(name)
        return True
