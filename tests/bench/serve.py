"""What serving costs: figures for the README.

usage: serve.py PROGRAM LOAD DUMP SCRATCH

LOAD uploads 1,000 copies of DUMP, each a crash of its own, from 32 clients on loopback and times each to its verdict. Then one
upload of 1 GiB. Memory is the server's own, without the sandboxed workers.
"""
import hashlib
import http.client
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

from figures import figure

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from serving import Serve, resident  # noqa: E402

PROGRAM, LOAD, DUMP, SCRATCH = sys.argv[1:5]
ROUNDS = 3
GIB = 1 << 30


def fresh(name):
    folder = pathlib.Path(SCRATCH) / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def many():
    for number in range(ROUNDS):
        folder = fresh("many")
        with Serve(PROGRAM, folder / "store.db", "--log-level", "warning") as server:
            said = subprocess.run([LOAD, str(server.port), DUMP, "1000", "32"], check=True, capture_output=True, text=True).stdout.strip()
            print(said)
            rate, p50, p99 = map(float, re.search(r"([\d.]+) a second.*p50 ([\d.]+) ms.*p99 ([\d.]+) ms", said, re.S).groups())
            figure("/s", rate, "serve, 32 clients: uploads")
            figure("ms", p50, "serve, 32 clients: p50 to the verdict")
            figure("ms", p99, "serve, 32 clients: p99 to the verdict")
            now, peak = resident(server.process.pid)
            figure("MB", peak, "serve, 32 clients: memory")
            print(f"  memory of the server: {now:.0f} MB, {peak:.0f} MB at most")
            assert len(server.pages("/api/v1/crashes?limit=200")) == 1000
            server.stop()


def one_large():
    folder = fresh("large")
    with Serve(PROGRAM, folder / "store.db") as server:
        before = resident(server.process.pid)[1]
        block = os.urandom(1 << 20)
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        connection.putrequest("POST", "/api/v1/dumps?wait=60&name=MEMORY.DMP")
        connection.putheader("Content-Length", str(GIB))
        connection.endheaders()
        digest = hashlib.sha256()
        begin = time.monotonic()
        for _ in range(GIB // len(block)):
            connection.send(block)
        took = time.monotonic() - begin
        answer = connection.getresponse()
        body = answer.read().decode()
        for _ in range(GIB // len(block)):
            digest.update(block)
        assert answer.status == 200 and digest.hexdigest() in body, body
        peak = resident(server.process.pid)[1]
        print(f"1 GiB in {took:.1f} s; memory of the server before {before:.0f} MB, {peak:.0f} MB at most")
        figure("s", took, "serve, 1 GiB: upload")
        figure("MB", peak, "serve, 1 GiB: memory")
        server.stop()


many()
one_large()
