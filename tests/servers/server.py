"""What the test servers share: private folders, free ports, processes that end with the test."""
import atexit
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

SKIPPED = 77  # ctest: SKIP_RETURN_CODE


class Unavailable(Exception):
    """The server is not installed here."""


def program(name, *folders):
    for folder in (*folders, *os.environ["PATH"].split(":"), "/usr/sbin", "/usr/lib/rabbitmq/bin"):
        path = os.path.join(folder, name)
        if os.access(path, os.X_OK):
            return path
    raise Unavailable(f"{name} is not installed")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(what, seconds=60):
    """Calls what() until it is true."""
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            raise RuntimeError(f"nothing within {seconds} s: {what}")
        time.sleep(0.05)


def listening(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Server:
    """A server of the test's own, with its folder. Processes run in a group of their own and end with it."""

    def __init__(self, user=None):
        self.folder = tempfile.mkdtemp(prefix="dumptriage-test-")
        self.user = user if user and os.getuid() == 0 else None
        self.processes = {}
        if self.user:
            entry = pwd.getpwnam(self.user)
            os.chown(self.folder, entry.pw_uid, entry.pw_gid)
        os.chmod(self.folder, 0o755)
        atexit.register(self.close)

    def command(self, arguments):
        return ["setpriv", "--reuid", self.user, "--regid", self.user, "--clear-groups", *arguments] if self.user else list(arguments)

    def run(self, *arguments, **kwargs):
        return subprocess.run(self.command(arguments), check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=self.folder, **kwargs)

    def spawn(self, name, *arguments, as_root=False, **kwargs):
        with open(os.path.join(self.folder, name + ".log"), "ab") as log:
            command = list(arguments) if as_root else self.command(arguments)
            self.processes[name] = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                                                    cwd=self.folder, **kwargs)
        return self.processes[name]

    def kill(self, name, number=signal.SIGKILL):
        """Kills a process and all it has started."""
        process = self.processes.pop(name, None)
        if process:
            try:
                os.killpg(process.pid, number)
            except ProcessLookupError:
                pass
            process.wait()

    def close(self):
        for name in list(self.processes):
            self.kill(name)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
