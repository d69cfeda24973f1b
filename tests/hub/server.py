"""A hub of our own on loopback, and a proxy to what is served of other hosts: ``server.py FOLDER PORT``.

``repositories.py`` says what the folder holds. The port, 0 for any, is written to ``port``. As a proxy for
https it shows the certificate in ``certificate.pem``, and sends what is in ``web``; it speaks with no host.
"""

from __future__ import annotations

import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from repositories import Hub, Request, answer


class Handler(BaseHTTPRequestHandler):
    """Answers requests of clients of the hub."""

    protocol_version = "HTTP/1.1"
    hub: Hub
    host = ""  # whom the client of the proxy wants to speak with

    def log_message(self, *_: object) -> None:
        """Print nothing."""

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        target = f"/web/{self.host}{self.path}" if self.host else self.path
        answered = answer(self.hub, Request(self.command, target, self.headers, body))
        self.send_response(answered.status)
        for name, value in (answered.headers | {"Content-Length": str(len(answered.content))}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answered.content[: answered.cut])
        if answered.cut is not None:
            self.close_connection = True

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        self.do_GET()

    def do_CONNECT(self) -> None:
        self.host = self.path.partition(":")[0]
        with (self.hub.root / "hosts").open("a") as hosts:
            hosts.write(f"{self.host}\n")
        self.send_response(200)
        self.end_headers()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.hub.root / "certificate.pem", self.hub.root / "key.pem")
        self.request = self.connection = context.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
        self.close_connection = False


def main() -> None:
    """Serve until the process is ended."""
    Handler.hub = Hub(Path(sys.argv[1]))
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Handler)
    port = Handler.hub.root / "port"
    port.with_suffix(".new").write_text(str(server.server_address[1]))
    port.with_suffix(".new").rename(port)
    server.serve_forever()


if __name__ == "__main__":
    main()
