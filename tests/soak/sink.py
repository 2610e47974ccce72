#!/usr/bin/env python3
"""A receiver of _bulk that can be killed: what it has answered for lies in a file.

usage: sink.py PORT FILE
"""
import http.server
import json
import os
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):  # noqa: N802
        lines = self.rfile.read(int(self.headers.get("Content-Length", 0))).splitlines()
        items = []
        with open(sys.argv[2], "ab", 0) as kept:
            for action, event in zip(lines[::2], lines[1::2]):
                name = json.loads(action)["create"]["_id"]
                kept.write(json.dumps([name, json.loads(event)]).encode() + b"\n")
                items.append({"create": {"_id": name, "status": 201}})
            os.fdatasync(kept.fileno())
        body = json.dumps({"errors": False, "items": items}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True


Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
