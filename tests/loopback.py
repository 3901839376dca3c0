"""A hostile mirror on 127.0.0.1: one page of everything that a server can do wrong to a download.

Each fault is a function of the request's handler and the right answer. The server lives in threads and is gone, with
every thread of it, when its `with` block ends; whoever waits in it waits for an event and at most ten seconds.
"""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PATIENCE = 10.0


def right(handler, content):
    """The file, as it should be."""
    start(handler, len(content))
    handler.wfile.write(content)


def wrong_bytes(handler, content):
    """A file of the right length with one bit flipped in the middle."""
    middle = len(content) // 2
    right(handler, content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])


def another_file(handler, content):
    """A web page, as a login portal sends it."""
    right(handler, b"<html>please log in</html>")


def empty(handler, content):
    """200 and nothing."""
    right(handler, b"")


def short_body(handler, content):
    """Less than the header announces, then the end of the connection."""
    start(handler, len(content))
    handler.wfile.write(content[: len(content) // 2])


def short_without_length(handler, content):
    """Half of the file, and no header that would tell."""
    start(handler, None)
    handler.wfile.write(content[: len(content) // 2])


def endless(handler, content):
    """More and more bytes, until the other side has had enough (or 64 MB)."""
    start(handler, None)
    for _ in range(1000):
        handler.wfile.write(bytes(1 << 16))


def not_found(handler, content):
    """404."""
    handler.send_error(404)


def broken(handler, content):
    """500, with the file as the body."""
    start(handler, len(content), status=500)
    handler.wfile.write(content)


def redirect_loop(handler, content):
    """To itself, for ever."""
    start(handler, 0, status=302, location=handler.path)


def redirect_to_disk(handler, content):
    """To a file of the reader's own machine."""
    start(handler, 0, status=302, location="file:///etc/hostname")


def not_http(handler, content):
    """Another protocol altogether."""
    handler.wfile.write(b"220 mail.example ESMTP\r\n")


def hang_up(handler, content):
    """The connection ends before any answer."""


def stall(handler, content):
    """Half of the file, then silence."""
    start(handler, len(content))
    handler.wfile.write(content[: len(content) // 2])
    wait(handler)


def silence(handler, content):
    """Not a word."""
    wait(handler)


FAULTS = (wrong_bytes, another_file, empty, short_body, short_without_length, endless, not_found, broken,
          redirect_loop, redirect_to_disk, not_http, hang_up, stall, silence)  # fmt: skip


def wait(handler):
    """Say nothing more until the test is over; a client that waits for longer than that is on record."""
    if not handler.server.release.wait(PATIENCE):
        handler.server.overdue = True


def start(handler, length, status=200, location=None):
    """Send the head of an answer."""
    handler.send_response(status)
    if length is not None:
        handler.send_header("Content-Length", str(length))
    if location is not None:
        handler.send_header("Location", location)
    handler.end_headers()


class Mirror:
    """A server of `files` (name to content) that answers by `behave`; `url` is its address, `asked` what it was asked for.

    with Mirror({"a.gz": b"..."}, stall) as mirror: fetch(mirrors=[mirror.url])
    """

    def __init__(self, files, behave=right):
        mirror = self
        self.asked = []

        class Handler(BaseHTTPRequestHandler):
            timeout = PATIENCE

            def do_GET(self):
                name = self.path.rpartition("/")[2]
                mirror.asked.append(name)
                try:
                    (behave if name in files else not_found)(self, files.get(name))
                except OSError:  # the other side has gone
                    self.close_connection = True

            def log_message(self, *_):
                """Silence: stderr belongs to the tests."""

        class Server(ThreadingHTTPServer):
            daemon_threads = False  # so that server_close waits for every answer
            release = threading.Event()
            overdue = False  # has a client outwaited a silent server?

            def handle_error(self, *_):
                """A client that was killed is no fault of the server's."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/mnist/"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.release.set()
        self.server.shutdown()
        self.thread.join(PATIENCE)
        self.server.server_close()
