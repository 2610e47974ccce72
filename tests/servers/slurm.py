"""A private Slurm on one machine: slurmctld and two slurmd. `with Slurm() as cluster: cluster.sbatch(...)`."""
import os
import pwd
import socket
import subprocess
import time

from server import Server, Unavailable, free_port, listening, program, wait_for


class Slurm(Server):
    def __init__(self):
        if os.getuid() != 0:
            raise Unavailable("slurmd wants root")
        self.slurmctld, self.slurmd, self.munged = program("slurmctld"), program("slurmd"), program("munged")
        for client in ("sbatch", "squeue", "scontrol"):
            program(client)
        super().__init__()
        self.host = socket.gethostname().split(".")[0]
        self.controller, self.ports = free_port(), (free_port(), free_port())
        for name in ("state", "spool-n1", "spool-n2", "munge"):
            os.makedirs(f"{self.folder}/{name}", mode=0o755)
        os.chmod(self.folder, 0o755)
        self.munge()
        self.configuration = f"{self.folder}/slurm.conf"
        with open(self.configuration, "w", encoding="ascii") as out:
            out.write(f"""ClusterName=dumptriage
SlurmctldHost={self.host}(127.0.0.1)
SlurmctldPort={self.controller}
AuthType=auth/munge
AuthInfo=socket={self.folder}/munge/socket
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation={self.folder}/state
SlurmdSpoolDir={self.folder}/spool-%n
SlurmctldPidFile={self.folder}/slurmctld.pid
SlurmdPidFile={self.folder}/slurmd-%n.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SlurmdTimeout=10
MessageTimeout=10
SchedulerParameters=sched_interval=1,sched_min_interval=0
NodeName=n1 NodeHostname={self.host} NodeAddr=127.0.0.1 Port={self.ports[0]} CPUs=1 State=UNKNOWN
NodeName=n2 NodeHostname={self.host} NodeAddr=127.0.0.1 Port={self.ports[1]} CPUs=1 State=UNKNOWN
PartitionName=main Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
""")
        with open(f"{self.folder}/cgroup.conf", "w", encoding="ascii") as out:
            out.write("CgroupPlugin=cgroup/v1\nCgroupAutomount=no\n")
        self.environment = {**os.environ, "SLURM_CONF": self.configuration}
        self.spawn("slurmctld", self.slurmctld, "-D", "-i", "-f", self.configuration, env=self.environment)
        wait_for(lambda: listening(self.controller))
        for node in ("n1", "n2"):
            self.start_slurmd(node)
        wait_for(lambda: self.client("sinfo", "-h", "-o", "%D %t").stdout.split() == ["2", "idle"], 60)

    def munge(self):
        """An authentication daemon with a key and a socket of its own; it refuses to run as root with open folders."""
        user = "munge" if any(entry.pw_name == "munge" for entry in pwd.getpwall()) else "nobody"
        entry = pwd.getpwnam(user)
        key = f"{self.folder}/munge/key"
        with open(key, "wb") as out:
            out.write(os.urandom(128))
        os.chmod(key, 0o400)
        for path in (f"{self.folder}/munge", key):
            os.chown(path, entry.pw_uid, entry.pw_gid)
        self.spawn("munged", "setpriv", "--reuid", user, "--regid", str(entry.pw_gid), "--clear-groups", self.munged, "-F", "--force", "-S",
                   f"{self.folder}/munge/socket", f"--key-file={key}", f"--pid-file={self.folder}/munge/pid", f"--seed-file={self.folder}/munge/seed",
                   f"--log-file={self.folder}/munge/log")
        wait_for(lambda: os.path.exists(f"{self.folder}/munge/socket"))

    def start_slurmd(self, node):
        self.spawn(f"slurmd-{node}", self.slurmd, "-D", "-N", node, "-f", self.configuration, env=self.environment)

    def kill_slurmd(self, node):
        self.kill(f"slurmd-{node}")

    def client(self, *arguments, **kwargs):
        return subprocess.run(arguments, env=self.environment, capture_output=True, text=True, cwd=self.folder, check=False, **kwargs)

    def sbatch(self, *arguments):
        """The job's id."""
        out = self.client("sbatch", "--parsable", *map(str, arguments))
        if out.returncode:
            raise RuntimeError(out.stderr)
        return out.stdout.strip().split(";")[0]

    def wait(self, job, seconds=120):
        """Waits until the job has left the queue; gives the words squeue had last."""
        last = ""
        end = time.monotonic() + seconds
        while True:
            out = self.client("squeue", "-h", "-j", job, "-o", "%T %r").stdout.strip()
            if not out:
                return last
            last = out
            if time.monotonic() > end:
                raise RuntimeError(f"job {job} did not end within {seconds} s: {out}")
            time.sleep(0.2)
