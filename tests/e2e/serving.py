"""A running `dumptriage serve` for tests: started on a free port, asked over HTTP, ended with the test."""
import http.client
import json
import os
import re
import signal
import subprocess
import time
import urllib.parse
import uuid


class Answer:
    def __init__(self, response, body):
        self.status, self.headers, self.body = response.status, response.headers, body

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)


def multipart(files, fields=()):
    """The body of a form and its Content-Type. files: (field, name, bytes)."""
    boundary = uuid.uuid4().hex
    parts = []
    for name, value in dict(fields).items():
        parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode())
    for field, name, data in files:
        head = b"--%s\r\nContent-Disposition: form-data; name=\"%s\"; filename=\"" % (boundary.encode(), field.encode())
        name = name if isinstance(name, bytes) else name.encode()
        parts.append(head + name + b"\"\r\nContent-Type: application/octet-stream\r\n\r\n" + data + b"\r\n")
    return b"".join(parts) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


class Serve:
    def __init__(self, program, db, *options, log=None, env=None, wait=True):
        self.log = open(log or os.devnull, "ab")
        self.process = subprocess.Popen([program, "serve", "--db", str(db), "--listen", "127.0.0.1:0", *map(str, options)], stdout=subprocess.PIPE,
                                        stderr=self.log, env={**os.environ, **(env or {})}, text=True)
        self.port = None
        if wait:
            self.wait_for_start()

    def wait_for_start(self):
        line = self.process.stdout.readline()
        found = re.search(r":(\d+)/", line)
        if not found:
            raise RuntimeError(f"the server did not start: {line!r}, exit status {self.process.wait(20)}")
        self.port = int(found.group(1))

    def connect(self, timeout=60):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def ask(self, method, path, body=None, headers=None, timeout=60):
        connection = self.connect(timeout)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return Answer(response, response.read())
        finally:
            connection.close()

    def get(self, path, **headers):
        return self.ask("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def upload(self, *files, wait=30, headers=None, **fields):
        """Files as (name, bytes)."""
        body, kind = multipart([("file", name, data) for name, data in files], fields)
        return self.ask("POST", f"/api/v1/dumps?wait={wait}", body, {"Content-Type": kind, **(headers or {})})

    def pages(self, path):
        """All items of a list, page by page."""
        items, cursor = [], None
        while True:
            answer = self.get(path + ("&" if "?" in path else "?") + (f"cursor={cursor}" if cursor else ""))
            assert answer.status == 200, answer.text
            items += answer.json["items"]
            cursor = answer.json["next"]
            if not cursor:
                return items

    def form(self, page="/", cookie=None):
        """Cookie and hidden value of a page's form."""
        answer = self.ask("GET", page, headers={"Cookie": cookie} if cookie else {})
        cookie = answer.headers["Set-Cookie"].split(";")[0] if answer.headers["Set-Cookie"] else cookie
        return cookie, re.search(r'name="csrf" value="([0-9a-f]{32})"', answer.text).group(1)

    def submit(self, path, cookie, **fields):
        return self.ask("POST", path, urllib.parse.urlencode(fields), {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie})

    def stop(self, number=signal.SIGTERM, timeout=60):
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(timeout)
        self.process.stdout.close()
        self.log.close()
        return status

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        if not self.process.stdout.closed:
            self.process.wait()
            self.process.stdout.close()
            self.log.close()


def resident(pid):
    """Resident memory of a process and its peak, in MB."""
    with open(f"/proc/{pid}/status") as file:
        text = file.read()
    return tuple(int(re.search(rf"{name}:\s+(\d+)", text).group(1)) / 1024 for name in ("VmRSS", "VmHWM"))


def until(what, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        result = what()
        if result:
            return result
        time.sleep(0.02)
    raise AssertionError(f"nothing within {seconds} s")
