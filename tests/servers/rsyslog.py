"""A private rsyslogd that takes RFC 5424 over TLS (or TCP) on loopback: `with Rsyslog() as server: server.lines()`."""
import os
import signal
import subprocess

import certificates
from server import Server, free_port, listening, program, wait_for


class Rsyslog(Server):
    def __init__(self, tls=True):
        self.binary = program("rsyslogd", "/usr/sbin")
        super().__init__()
        self.port = free_port()
        self.out = f"{self.folder}/out.log"
        self.certificate, key = certificates.make(self.folder)
        driver = (f'global(DefaultNetstreamDriver="ossl" DefaultNetstreamDriverCAFile="{self.certificate}"'
                  f' DefaultNetstreamDriverCertFile="{self.certificate}" DefaultNetstreamDriverKeyFile="{key}")\n'
                  'module(load="imtcp" StreamDriver.Name="ossl" StreamDriver.Mode="1" StreamDriver.AuthMode="anon" MaxSessions="500")\n') if tls else \
            'module(load="imtcp" MaxSessions="500")\n'
        with open(f"{self.folder}/rsyslog.conf", "w", encoding="utf-8") as config:
            config.write(f'global(workDirectory="{self.folder}")\n{driver}'
                         'template(name="raw" type="string" string="%msg:::drop-last-lf%\\n")\n'
                         f'input(type="imtcp" port="{self.port}" address="127.0.0.1" SupportOctetCountedFraming="on")\n'
                         f'*.* action(type="omfile" file="{self.out}" template="raw")\n')
        self.start()

    def start(self):
        subprocess.run(["rm", "-f", f"{self.folder}/pid"], check=True)
        self.spawn("rsyslogd", self.binary, "-n", "-f", f"{self.folder}/rsyslog.conf", "-i", f"{self.folder}/pid")
        wait_for(lambda: listening(self.port))

    def restart(self, number=signal.SIGTERM):
        self.kill("rsyslogd", number)
        self.start()

    def lines(self):
        if not os.path.exists(self.out):
            return []
        with open(self.out, encoding="utf-8", errors="replace") as lines:
            return lines.read().splitlines()
