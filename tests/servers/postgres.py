"""A private PostgreSQL on loopback: `with Postgres() as server: server.url`."""
import glob
import os
import signal
import sys

from server import SKIPPED, Server, Unavailable, free_port, program, wait_for


class Postgres(Server):
    def __init__(self):
        folders = sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)
        self.postgres = program("postgres", *folders)
        self.binaries = os.path.dirname(self.postgres)
        super().__init__(user="postgres")
        self.port = free_port()
        self.data = os.path.join(self.folder, "data")
        self.url = f"postgresql://dumptriage@127.0.0.1:{self.port}/dumptriage"
        self.run(os.path.join(self.binaries, "initdb"), "-D", self.data, "-A", "trust", "-U", "dumptriage", "-E", "UTF8", "--locale=C.UTF-8",
                 "--no-sync")
        self.start()
        self.run(os.path.join(self.binaries, "createdb"), "-h", "127.0.0.1", "-p", str(self.port), "-U", "dumptriage", "dumptriage")

    def start(self):
        self.spawn("postgres", self.postgres, "-D", self.data, "-p", str(self.port), "-k", self.folder, "-c", "listen_addresses=127.0.0.1")
        wait_for(lambda: os.system(f"{self.binaries}/pg_isready -q -h 127.0.0.1 -p {self.port}") == 0)

    def backends(self, state="%"):
        """The processes that serve a program's connections."""
        out = self.run(os.path.join(self.binaries, "psql"), "-qAtc", "SELECT pid FROM pg_stat_activity WHERE application_name = 'dumptriage'"
                       f" AND backend_type = 'client backend' AND state LIKE '{state}' ORDER BY pid", self.url)
        return [int(line) for line in out.stdout.split()]

    def stop_backends(self):
        """Stops them while they have nothing to do: one that is stopped within a transaction keeps its locks, and everybody out."""
        found = []

        def stopped():
            found[:] = self.backends()
            for pid in found:
                os.kill(pid, signal.SIGSTOP)
            if found and self.backends("idle") == found:
                return True
            self.go_on(found)
            return False

        wait_for(stopped, 120)
        return found

    def go_on(self, pids):
        for pid in pids:
            os.kill(pid, signal.SIGCONT)

    def crash(self):
        """kill -9 of the server and all its processes."""
        self.kill("postgres")


if __name__ == "__main__":
    # postgres.py COMMAND...: runs it with the server's URL as last argument
    try:
        with Postgres() as server:
            sys.exit(os.waitstatus_to_exitcode(os.system(" ".join(f"'{word}'" for word in [*sys.argv[1:], server.url]))))
    except Unavailable as reason:
        print("skipped:", reason)
        sys.exit(SKIPPED)
