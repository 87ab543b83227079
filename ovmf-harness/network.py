"""Machines that are started over a network, and the servers that they meet there.

    with Collector(folder) as collector:            # a web server that keeps what is posted to it
        machine = NetMachine(tmp_path)              # its card is asked first
        machine.serve(tftp_folder)                  # QEMU's own TFTP server: it gives files, and takes none
        machine.boot() ...

`Site` is a network of its own with Debian's dnsmasq (DHCP) and tftpd-hpa, which takes files too. It needs
the right to make network namespaces.
"""
import http.server
import os
import subprocess
import threading
import time
from pathlib import Path

import reports
from devicepath import END, node, path, pci, pci_root
from machine import Machine

MAC = '52:54:00:12:34:56'
PROGRAM = 'shadowboot/shadowbootx64.efi'         # on the server
HOST = '10.0.2.2'                                # what QEMU's own network calls the host
SITE_SERVER, SITE_TAP = '10.9.0.1', 'tap0'


def card_path(slot, mac=MAC):
    """The device path by which firmware is asked for PXE on that card, IPv4."""
    address = bytes(int(part, 16) for part in mac.split(':'))
    return path(pci_root(), pci(slot), node(3, 11, address.ljust(32, b'\0') + b'\1'),
                node(3, 12, bytes(23)))


def http_path(slot, url, mac=MAC):
    """The same for a program, or the image of a disk, at an address of the web."""
    return path(card_path(slot, mac).removesuffix(END), node(3, 24, url.encode('ascii')))


class NetMachine(Machine):
    """A machine with a network card. `serve` and `join` say what it is plugged into."""

    def __init__(self, workdir, memory=256, **options):
        super().__init__(workdir, memory=memory, cold=True, **options)
        self.card, self.prefix, self._next_slot = self._next_slot, [], self._next_slot + 1
        self.network, self.identity = 'user,id=net,restrict=on', []

    def serve(self, folder, program=PROGRAM, restrict=True):
        """QEMU's own network, with the files in `folder`; the host can be reached without `restrict`."""
        self.network = f'user,id=net,tftp={folder},bootfile={program}' + (',restrict=on' if restrict else '')

    def join(self, site):
        """Into the network of a Site."""
        self.network, self.prefix = f'tap,id=net,ifname={SITE_TAP},script=no,downscript=no', site.inside
        return self

    def start_from_card(self, url=None):
        """Starts ask the card, before all others in BootOrder: by PXE, or by HTTP for this address."""
        where = http_path(self.card, url) if url else card_path(self.card)
        self.nvram.set_entry(0x0E, 'network', where, order='first')

    def parts(self):
        parts = super().parts()
        at = parts.index('-net')
        return [*parts[:at], *parts[at + 2:], '-netdev', self.network, '-device',
                f'virtio-net-pci,netdev=net,mac={MAC},romfile=,addr={self.card:#x}', *self.identity]

    def command(self, qmp_fd):
        return [*self.prefix, *super().command(qmp_fd)]


class Collector:
    """A web server on a port of its own; `posts` has (path, type, body) of what was posted, in order."""

    def __init__(self, folder=None, answer=204):
        self.posts, self.gets, outer = [], [], self

        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *arguments):
                super().__init__(*arguments, directory=folder)

            def do_GET(self):
                outer.gets.append(self.path)
                super().do_GET()

            def do_POST(self):
                body = self.rfile.read(int(self.headers['Content-Length']))
                reports.keep(body)
                outer.posts.append((self.path, self.headers['Content-Type'], body))
                self.send_response(answer)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.port = self.server.server_address[1]

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class Site:
    """A network of its own with a DHCP server, and a TFTP server, `tftpd` of fetch_tftpd.sh, for the files in
    `folder`, that makes new ones there too. PermissionError where there is no right to make one."""

    FAR = '10.8.0.1'                             # the same host, behind the gateway

    def __init__(self, folder, tftpd, program=PROGRAM):
        self.folder, self.tftpd, self.program, self.running, self.inside = folder, Path(tftpd), program, [], []

    def __enter__(self):
        try:
            self._make()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self.running):
            process.kill()
            process.wait()

    def start(self, *command, **options):
        """A server that runs until the network goes."""
        self.running.append(subprocess.Popen(['setpriv', '--pdeathsig', 'KILL', *command], stdin=subprocess.DEVNULL,
                                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options))
        return self.running[-1]

    def _run(self, *command):
        subprocess.run([*self.inside, *command], check=True, capture_output=True)

    def _make(self):
        holder = self.start('unshare', '--net', 'sleep', 'infinity')
        own = os.readlink('/proc/self/ns/net')
        for _ in range(200):
            if os.readlink(f'/proc/{holder.pid}/ns/net') != own:
                break
            time.sleep(0.02)
        else:
            raise PermissionError('there is no right to make a network namespace')
        self.inside = ['nsenter', '--target', str(holder.pid), '--net']
        for line in (f'tuntap add {SITE_TAP} mode tap', f'addr add {SITE_SERVER}/24 dev {SITE_TAP}',
                     f'link set {SITE_TAP} up', 'link set lo up', f'addr add {self.FAR}/32 dev lo'):
            self._run('ip', *line.split())
        self.start(*self.inside, 'dnsmasq', '--keep-in-foreground', '--port=0', '--conf-file=/dev/null', '--user=root',
                   '--leasefile-ro', '--pid-file=', f'--interface={SITE_TAP}', '--bind-interfaces',
                   '--dhcp-authoritative', '--dhcp-range=10.9.0.10,10.9.0.99,255.255.255.0',
                   f'--dhcp-boot={self.program}')
        libraries = {str(found.parent) for found in self.tftpd.parents[2].rglob('libwrap.so*')}
        self.start(*self.inside, str(self.tftpd), '-L', '-c', '-p', '-u', 'root', '-a', f'{SITE_SERVER}:69', '-s',
                   str(self.folder), env={**os.environ, 'LD_LIBRARY_PATH': ':'.join(libraries)})


def blocks_written(vm):
    """Bytes that the guest has written to each of its disks since power-on."""
    return {drive.get('qdev') or drive['device']: drive['stats']['wr_bytes']
            for drive in vm.qmp.execute('query-blockstats')}
