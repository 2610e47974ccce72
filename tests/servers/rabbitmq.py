"""A private RabbitMQ on loopback: `with RabbitMQ() as server: server.url`."""
import os
import pathlib
import signal
import subprocess

from server import Server, free_port, listening, program, wait_for


class RabbitMQ(Server):
    def __init__(self):
        self.binary = program("rabbitmq-server", "/usr/lib/rabbitmq/bin")
        self.ctl = program("rabbitmqctl", "/usr/lib/rabbitmq/bin")
        super().__init__(user="rabbitmq")
        self.port, distribution, epmd = free_port(), free_port(), free_port()
        self.url = f"amqp://guest:guest@127.0.0.1:{self.port}/"
        self.environment = {
            "PATH": os.environ["PATH"] + ":/usr/lib/rabbitmq/bin:/usr/sbin", "HOME": self.folder, "LANG": "C.UTF-8",
            "RABBITMQ_NODENAME": f"dumptriage{os.getpid()}@localhost", "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port), "RABBITMQ_DIST_PORT": str(distribution), "ERL_EPMD_PORT": str(epmd),
            "ERL_EPMD_ADDRESS": "127.0.0.1", "RABBITMQ_MNESIA_BASE": f"{self.folder}/mnesia", "RABBITMQ_LOG_BASE": f"{self.folder}/log",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{self.folder}/plugins", "RABBITMQ_PLUGINS_EXPAND_DIR": f"{self.folder}/expand",
            "RABBITMQ_CONF_ENV_FILE": f"{self.folder}/env", "RABBITMQ_CONFIG_FILE": f"{self.folder}/rabbitmq",
        }
        with open(f"{self.folder}/plugins", "w", encoding="ascii") as plugins:
            plugins.write("[].\n")
        with open(f"{self.folder}/rabbitmq.conf", "w", encoding="ascii") as config:
            config.write("disk_free_limit.absolute = 50MB\n")
        self.start()

    def start(self):
        self.spawn("rabbitmq", self.binary, env=self.environment)
        wait_for(lambda: listening(self.port), 120)
        wait_for(lambda: self.control("await_startup", check=False).returncode == 0, 60)

    def control(self, *arguments, check=True):
        return subprocess.run(self.command([self.ctl, "-q", *arguments]), env=self.environment, check=check, capture_output=True, text=True,
                              cwd=self.folder)

    def depth(self):
        """Messages by queue: ready and taken."""
        out = self.control("list_queues", "name", "messages_ready", "messages_unacknowledged").stdout
        rows = [line.split("\t") for line in out.splitlines()]
        return {row[0]: (int(row[1]), int(row[2])) for row in rows if len(row) == 3 and row[1].isdigit()}

    def crash(self):
        self.kill("rabbitmq")
        # epmd and the node are children of other sessions
        subprocess.run(["pkill", "-9", "-f", f"{self.folder}/"], check=False)
        wait_for(lambda: not listening(self.port))

    def end_epmd(self):
        """It is a daemon, and known by its port in the environment only; as long as it knows a node it does not end for the asking."""
        mark = f"ERL_EPMD_PORT={self.environment['ERL_EPMD_PORT']}".encode()
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if (folder / "comm").read_text().strip() == "epmd" and mark in (folder / "environ").read_bytes().split(b"\0"):
                    os.kill(int(folder.name), signal.SIGKILL)
            except OSError:
                pass  # it is gone, or somebody else's

    def close(self):
        if self.processes:
            self.crash()
        self.end_epmd()
        super().close()
