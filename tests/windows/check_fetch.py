#!/usr/bin/env python3
"""Symbol servers on loopback, good and bad ones: what comes is checked before it is kept, and what is not there is remembered.

check_fetch.py DUMPTRIAGE MAKE-SAMPLE FIXTURES SCRATCH
"""
import contextlib
import http.server
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import check_symbols  # noqa: E402  the dumps, the images and what LLVM says of them
from check_symbols import FIXTURES, PROGRAM, SCRATCH, cabinet  # noqa: E402


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, answer):
        self.answer, self.asked, self.over = answer, [], threading.Event()
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/download"

    def handle_error(self, request, client_address):
        pass  # the other side hangs up: that is what some tests want


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.asked.append(self.path)
        self.server.answer(self)

    def give(self, body, status=200, promise=None, **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if promise is None else promise))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        if promise is not None and promise > len(body):
            self.close_connection = True

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def serving(answer):
    server = Server(answer)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()


def files(table, absent=404):
    """A server that has these files below /download and nothing else."""
    def answer(request):
        body = table.get(request.path.removeprefix("/download/"))
        request.give(b"no", absent) if body is None else request.give(body)
    return answer


class Fetch(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        check_symbols.Symbols.setUpClass()
        cls.made = check_symbols.Symbols()
        cls.dump = cls.made.user("fetch")
        image = cls.made.image
        cls.dll = f"frames.dll/{image.stamp:08X}{image.size:x}/frames.dll"
        cls.pdb = f"frames.pdb/{image.guid}{image.age:x}/frames.pdb"
        cls.table = {cls.dll: (FIXTURES / "frames.dll").read_bytes(), cls.pdb: (FIXTURES / "frames.pdb").read_bytes()}

    def setUp(self):
        self.cache = SCRATCH / "cache" / self.id().split(".")[-1]
        shutil.rmtree(self.cache, ignore_errors=True)

    def analyze(self, server, *args, path=None, dump=None, timeout=60):
        env = {k: v for k, v in os.environ.items() if k != "_NT_SYMBOL_PATH" and "proxy" not in k.lower()}
        done = subprocess.run([PROGRAM, "analyze", dump or self.dump, "-f", "json", "--symbols", path or f"srv*{self.cache}*{server.url}",
                               "--symbols-timeout", str(timeout), *args], capture_output=True, text=True, env=env)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        return json.loads(done.stdout), done.stderr

    def kept(self):
        """Files of the cache, without its memory."""
        return sorted(str(p.relative_to(self.cache)) for p in self.cache.rglob("*") if p.is_file() and ".dumptriage" not in p.parts)

    def remembered(self):
        return sorted(p.read_text() for p in (self.cache / ".dumptriage").glob("missing-*"))

    def no_leftovers(self):
        self.assertEqual(list((self.cache / ".dumptriage").glob("partial-*")), [])

    def without(self, record):
        self.assertTrue(all(f["trust"] in ("context", "scan") for f in record["stack"]))

    def test_a_server_fills_the_cache(self):
        with serving(files(self.table)) as server:
            record, said = self.analyze(server)
            self.made.exact(record)
            self.assertEqual(said, "")
            self.assertEqual(self.kept(), sorted(self.table))
            self.assertEqual((self.cache / self.dll).read_bytes(), self.table[self.dll])
            self.no_leftovers()
            asked = len(server.asked)
            self.made.exact(self.analyze(server)[0])
            self.assertEqual(len(server.asked), asked, "the cache was not used")
        self.made.exact(self.analyze(server)[0])  # and the server is gone

    def test_without_a_url_nobody_is_asked(self):
        with serving(files(self.table)) as server:
            record, _ = self.analyze(server, path=f"srv*{self.cache}")
            self.without(record)
            self.assertEqual(server.asked, [])

    def test_a_cache_of_its_own(self):
        home = SCRATCH / "home"
        shutil.rmtree(home, ignore_errors=True)
        with serving(files(self.table)) as server:
            env = {"PATH": os.environ["PATH"], "HOME": str(home), "_NT_SYMBOL_PATH": f"srv*{server.url}"}
            done = subprocess.run([PROGRAM, "analyze", self.dump, "-f", "json"], capture_output=True, text=True, env=env)
            self.made.exact(json.loads(done.stdout))
            self.assertTrue((home / ".cache/dumptriage/symbols" / self.pdb).exists())
            del env["HOME"]
            done = subprocess.run([PROGRAM, "analyze", self.dump], capture_output=True, text=True, env=env)
            self.assertEqual(done.returncode, 2)
            self.assertIn("srv*FOLDER*URL", done.stderr)

    def test_what_is_not_there_is_remembered_for_a_day(self):
        with serving(files({})) as server:
            record, _ = self.analyze(server)
            self.without(record)
            names = [p.rsplit("/", 1)[1] for p in server.asked]
            self.assertEqual(names[:3], ["frames.dll", "frames.dl_", "file.ptr"])
            asked = len(server.asked)
            self.analyze(server)
            self.assertEqual(len(server.asked), asked)
            self.assertEqual(set(self.remembered()), {"the server does not have it"})
            old = time.time() - 86401
            for memory in (self.cache / ".dumptriage").glob("missing-*"):
                os.utime(memory, (old, old))
        with serving(files(self.table)) as server:
            # Another server is another memory.
            self.made.exact(self.analyze(server)[0])
            self.assertEqual(self.remembered(), [])

    def test_html_instead_of_a_file(self):
        with serving(lambda r: r.give(b"<!DOCTYPE html><html>please sign in</html>", **{"Content-Type": "text/html"})) as server:
            record, said = self.analyze(server)
            self.without(record)
            self.assertIn("it begins with '<!DOCTYPE html>", said)
            self.assertEqual(self.kept(), [])
            self.no_leftovers()
            asked = len(server.asked)
            self.analyze(server)
            self.assertEqual(len(server.asked), asked, "it was asked again")

    def test_another_file(self):
        other = dict(self.table)
        data = bytearray(other[self.dll])
        pe = int.from_bytes(data[0x3c:0x40], "little")
        data[pe + 8] ^= 1
        other[self.dll] = bytes(data)
        other[self.pdb] = (FIXTURES / "frames-o0.pdb").read_bytes()
        with serving(files(other)) as server:
            record, said = self.analyze(server)
            self.without(record)
            self.assertIn("its time stamp is 0x66aabbcd, the one asked for has 0x66aabbcc", said)
            self.assertIn("the one asked for has " + self.made.image.guid, said)
            self.assertEqual(self.kept(), [])

    def test_a_pdb_instead_of_an_image(self):
        with serving(files({self.dll: self.table[self.pdb]})) as server:
            _, said = self.analyze(server)
            self.assertIn("it is a PDB, not an image", said)

    def test_compressed_files(self):
        table = {k[:-1] + "_": cabinet(v, k.rsplit("/", 1)[1]) for k, v in self.table.items()}
        with serving(files(table)) as server:
            self.made.exact(self.analyze(server)[0])
            self.assertEqual(self.kept(), sorted(table))
            asked = len(server.asked)
            self.made.exact(self.analyze(server)[0])
            self.assertEqual(len(server.asked), asked)

    def test_stores_that_do_not_say_what_they_lack(self):
        """Object stores without permission to list say 403 of what is not there."""
        table = {k[:-1] + "_": cabinet(v, k.rsplit("/", 1)[1]) for k, v in self.table.items()}
        with serving(files(table, 403)) as server:
            self.made.exact(self.analyze(server)[0])
            asked = len(server.asked)
            self.made.exact(self.analyze(server)[0])
            self.assertEqual(len(server.asked), asked)

    def test_pointers(self):
        folder = self.dll.rsplit("/", 1)[0]
        table = {f"{folder}/file.ptr": b"PATH:else\\where 1.dll\r\n", "else/where%201.dll": self.table[self.dll]}
        with serving(files(table)) as server:
            record, _ = self.analyze(server)
            self.made.exact(record, names=False)
            self.assertEqual(self.kept(), [self.dll])
        for n, target in enumerate((b"/etc/passwd", b"\\\\share\\x", b"C:\\x", b"a/../../x", b"", b"MSG: no")):
            with serving(files({f"{folder}/file.ptr": b"PATH:" + target})) as server:
                record, said = self.analyze(server, path=f"srv*{self.cache}-{n}*{server.url}")
                self.without(record)
                self.assertIn("its file.ptr leads elsewhere", said)

    def test_redirections(self):
        def answer(request):
            if request.path.startswith("/download/"):
                request.give(b"", 302, Location="/elsewhere/" + request.path.removeprefix("/download/"))
            else:
                body = self.table.get(request.path.removeprefix("/elsewhere/"))
                request.give(body or b"", 200 if body else 404)
        with serving(answer) as server:
            self.made.exact(self.analyze(server)[0])
        with serving(lambda r: r.give(b"", 302, Location=r.path)) as server:
            shutil.rmtree(self.cache)
            record, said = self.analyze(server)
            self.without(record)
            self.assertIn("redirects", said)
        with serving(lambda r: r.give(b"", 302, Location="file:///etc/passwd")) as server:
            shutil.rmtree(self.cache)
            record, said = self.analyze(server)
            self.without(record)
            self.assertEqual(self.kept(), [])

    def test_more_than_the_cap(self):
        for promise in (True, False):
            def answer(request):
                if promise:
                    request.give(b"MZ" + bytes(100), promise=1 << 40)
                    return
                request.send_response(200)
                request.end_headers()
                request.close_connection = True
                while not request.server.over.is_set():
                    request.wfile.write(b"MZ" + bytes(65536))
            with serving(answer) as server:
                record, said = self.analyze(server, "--symbols-max", "1M", path=f"srv*{self.cache}-{promise}*{server.url}")
                self.without(record)
                self.assertIn("larger than allowed", said)
                self.assertEqual(self.kept(), [])
                # Under the same limit nobody asks again, under another one somebody does.
                asked = len(server.asked)
                self.analyze(server, "--symbols-max", "1M", path=f"srv*{self.cache}-{promise}*{server.url}")
                self.assertEqual(len(server.asked), asked)
                self.analyze(server, "--symbols-max", "2M", path=f"srv*{self.cache}-{promise}*{server.url}")
                self.assertGreater(len(server.asked), asked)

    def test_a_server_that_hangs(self):
        """It is left alone after the first time: a dump with many modules does not wait for each."""
        with serving(lambda r: r.server.over.wait()) as server:
            record, said = self.analyze(server, timeout=1)
            self.without(record)
            self.assertEqual(len(server.asked), 1)
            self.assertIn("is left alone for a minute", said)
            self.assertEqual(self.remembered(), [])
            self.no_leftovers()

    def test_a_server_that_drips(self):
        """A byte now and then is silence, too."""
        def answer(request):
            request.send_response(200)
            request.send_header("Content-Length", "100000")
            request.end_headers()
            while not request.server.over.wait(0.2):
                request.wfile.write(b"M")
        with serving(answer) as server:
            record, said = self.analyze(server, timeout=1)
            self.without(record)
            self.assertEqual(len(server.asked), 1)
            self.assertIn("is left alone for a minute", said)

    def test_nobody_listens(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))  # bound, and deaf
            record, said = self.analyze(None, path=f"srv*{self.cache}*http://127.0.0.1:{probe.getsockname()[1]}/")
        self.without(record)
        self.assertIn("is left alone for a minute", said)
        self.assertEqual(said.count("left alone for a minute"), 1)

    def test_a_server_that_breaks_off(self):
        half = lambda r: r.give(self.table[self.dll][:1000], promise=len(self.table[self.dll]))
        with serving(half) as server:
            record, _ = self.analyze(server)
            self.without(record)
            self.assertEqual(self.kept(), [])
            self.assertEqual(self.remembered(), [])
            self.no_leftovers()
        with serving(files(self.table)) as server:
            self.made.exact(self.analyze(server)[0])

    def test_a_server_in_trouble(self):
        with serving(lambda r: r.give(b"", 503)) as server:
            record, said = self.analyze(server)
            self.without(record)
            self.assertIn("HTTP 503", said)
            self.assertEqual(self.remembered(), [])
            self.assertLessEqual(len(server.asked), 3)

    def test_a_cache_that_cannot_be_written(self):
        self.cache.parent.mkdir(parents=True, exist_ok=True)
        self.cache.write_text("a file")
        with serving(files(self.table)) as server:
            record, said = self.analyze(server)
            self.without(record)
            self.assertIn("is not used", said)
            self.assertEqual(server.asked, [])
        self.cache.unlink()

    def test_passwords_are_not_told(self):
        conf = SCRATCH / "fetch.conf"
        with serving(lambda r: r.give(b"", 503)) as server:
            url = server.url.replace("http://", "http://me:secret-word@")
            conf.write_text(f"symbols = srv*{self.cache}*{url}\n")
            conf.chmod(0o600)
            done = subprocess.run([PROGRAM, "analyze", self.dump, "--config", conf], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("503", done.stderr)
            self.assertNotIn("secret-word", done.stderr)
            done = subprocess.run([PROGRAM, "config", "--config", conf], capture_output=True, text=True)
            self.assertNotIn("secret-word", done.stdout)

    def test_names_of_hostile_dumps(self):
        """Signs of a URL in a name stay signs of a name."""
        image = self.made.image
        dump = self.made.user("odd", module=f"module \"a?b#c%41.dll\" {{base:#x}} {{size:#x}} timestamp={image.stamp}")
        with serving(files({})) as server:
            self.analyze(server, dump=dump)
            self.assertTrue(server.asked)
            for path in server.asked:
                self.assertTrue(path.startswith("/download/a%3Fb%23c%2541.dll/"), path)

    def test_the_workers_of_a_scan_get_them_from_the_parent(self):
        part = SCRATCH / "fetch.jsonl"
        part.unlink(missing_ok=True)
        slow = threading.Event()

        def answer(request):
            # The first answer takes longer than a dump may: that is not the dump's fault.
            if not slow.is_set():
                slow.set()
                time.sleep(6)
            files(self.table)(request)
        with serving(answer) as server:
            env = {k: v for k, v in os.environ.items() if k != "_NT_SYMBOL_PATH"}
            done = subprocess.run([PROGRAM, "scan", self.made.kernel(), "--out", part, "--quiet", "--deadline", "5",
                                   "--symbols", f"srv*{self.cache}*{server.url}"], capture_output=True, text=True, env=env)
        self.assertEqual(done.returncode, 0, done.stderr)
        record = next(r for r in map(json.loads, part.read_text().splitlines()) if "stack" in r)
        self.assertEqual(record["bucket"]["id"], None if record.get("failure") else "AV_frames!leaf", record.get("failure"))
        self.made.exact(record)


if __name__ == "__main__":
    if not (FIXTURES / "frames.dll").exists() or not shutil.which("llvm-readobj"):
        print("skipped: no fixtures, or no llvm-readobj")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1] + sys.argv[5:])
