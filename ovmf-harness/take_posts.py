"""A web server that keeps what is posted to it: take_posts.py PORT FOLDER makes FOLDER/posted-1 and so on."""
import http.server
import itertools
import sys
from pathlib import Path

NUMBERS = itertools.count(1)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length']))
        Path(sys.argv[2], f'posted-{next(NUMBERS)}').write_bytes(body)
        self.send_response(204)
        self.end_headers()


http.server.ThreadingHTTPServer(('', int(sys.argv[1])), Handler).serve_forever()
