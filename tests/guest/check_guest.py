#!/usr/bin/env python3
"""A guest that crashes for real, captured by QEMU in its three forms.

Builds a small machine from this folder with clang and lld: a loader, an "ntoskrnl.exe" and a "CSAgent.sys" as PE images. The guest takes a
page fault at a real `mov r9d, [r8]`, its kernel stops, and QEMU (emulating, no KVM) writes ELF, kdump and, through the header that
the guest left with it, a Windows dump. All three must give the same crash.

Where COMPARE is given (tests/independent), it says whether libkdumpfile finds the same pages in the captures.

usage: check_guest.py PROGRAM SOURCE_DIR SCRATCH_DIR [COMPARE]        exit status 77: QEMU or a linker is not installed
"""
import json
import pathlib
import shutil
import socket
import struct
import subprocess
import sys
import time

PROGRAM, SOURCE, SCRATCH = map(pathlib.Path, sys.argv[1:4])
GUEST = SOURCE / "tests" / "guest"
TOOLS = ["clang", "ld.lld", "lld-link", "qemu-system-x86_64"]
COMPARE = sys.argv[4] if len(sys.argv) > 4 else None
LIMIT_S = 120  # of everything that is waited for


def build(*command):
    subprocess.run([str(word) for word in command], check=True, cwd=SCRATCH)


def build_guest():
    windows = ["clang", "--target=x86_64-pc-windows-msvc", "-ffreestanding", "-fno-stack-protector", "-mno-stack-arg-probe", "-mno-sse", "-mno-red-zone",
               "-O1", "-fno-builtin", "-c", "-I", GUEST]
    build(*windows, GUEST / "nt.c", "-o", "nt.obj")
    build(*windows, GUEST / "trap.S", "-o", "trap.obj")
    build(*windows, GUEST / "csagent.S", "-o", "csagent.obj")
    link = ["lld-link", "/nodefaultlib", "/subsystem:native", "/fixed", "/align:4096", "/dynamicbase:no", "/timestamp:1720310000"]
    build(*link, "/driver", "/dll", "/entry:KiSystemStartup", "/base:0xfffff80208800000", "/out:ntoskrnl.exe", "nt.obj", "trap.obj")
    build(*link, "/driver", "/entry:DriverEntry", "/base:0xfffff8020eae0000", "/out:CSAgent.sys", "csagent.obj")
    linux = ["clang", "--target=x86_64-linux-gnu", "-ffreestanding", "-fno-pic", "-fno-pie", "-fno-stack-protector", "-mno-sse", "-mno-red-zone", "-O1", "-fno-builtin", "-c",
             "-I", GUEST]
    build(*linux, GUEST / "boot.c", "-o", "boot.o")
    build(*linux, GUEST / "boot.S", "-o", "start.o")
    build("ld.lld", "-static", "--image-base=0x200000", "-z", "separate-code", "-e", "start", "-o", "guest.elf", "start.o", "boot.o")


class Machine:
    """QEMU, talked to over its monitor on a socket in the scratch folder."""

    def __init__(self):
        self.log = SCRATCH / "console"
        self.log.write_bytes(b"")
        path = SCRATCH / "qmp"
        path.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            ["qemu-system-x86_64", "-accel", "tcg", "-m", "64", "-display", "none", "-serial", "none", "-no-reboot", "-nodefaults",
             "-device", "vmcoreinfo", "-kernel", str(SCRATCH / "guest.elf"), "-debugcon", "file:%s" % self.log,
             "-qmp", "unix:%s,server=on,wait=off" % path], stderr=subprocess.DEVNULL)
        self.monitor = socket.socket(socket.AF_UNIX)
        self.wait(lambda: path.exists() and self.connect(path), "its monitor")
        self.stream = self.monitor.makefile("rw")
        self.stream.readline()
        self.command("qmp_capabilities")

    def connect(self, path):
        try:
            self.monitor.connect(str(path))
            return True
        except OSError:
            return False

    def wait(self, condition, what):
        end = time.monotonic() + LIMIT_S
        while not condition():
            if self.process.poll() is not None or time.monotonic() > end:
                raise SystemExit("QEMU: waited in vain for %s; the guest said %r" % (what, self.log.read_bytes()))
            time.sleep(0.02)

    def command(self, name, **arguments):
        self.stream.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
        self.stream.flush()
        while True:
            answer = json.loads(self.stream.readline())
            if "error" in answer:
                raise SystemExit("QEMU: %s: %s" % (name, answer["error"]["desc"]))
            if "return" in answer:
                return answer["return"]

    def dump(self, name, form):
        path = SCRATCH / name
        path.unlink(missing_ok=True)
        self.command("dump-guest-memory", paging=False, protocol="file:%s" % path, format=form)
        return path

    def end(self):
        self.process.terminate()
        self.process.wait(LIMIT_S)


def capture():
    machine = Machine()
    try:
        machine.wait(lambda: b"D" in machine.log.read_bytes(), "the guest's crash")
        machine.command("stop")
        return {form: machine.dump(name, form) for name, form in (("guest-elf.dmp", "elf"), ("guest-kdump.dmp", "kdump-zlib"), ("guest-win.dmp", "win-dmp"))}
    finally:
        machine.end()


def rearranged(path):
    """The kdump file that a flattened one is the stream of: records of offset, size and bytes, behind a block of 4096."""
    stream, at = path.read_bytes(), 4096
    out = path.with_suffix(".kdump")
    with open(out, "wb") as file:
        while at + 16 <= len(stream):
            offset, size = struct.unpack_from(">qq", stream, at)
            if offset < 0:
                break
            file.seek(offset)
            file.write(stream[at + 16:at + 16 + size])
            at += 16 + size
    return out


def compare_with_library(captures):
    files = [captures["elf"], rearranged(captures["kdump-zlib"])]
    result = subprocess.run([COMPARE, *files], capture_output=True, text=True)
    if result.returncode:
        raise SystemExit("libkdumpfile finds other pages: %s%s" % (result.stdout, result.stderr))
    files[1].unlink()
    print(result.stdout or result.stderr, end="")


def what_must_be_equal(record):
    return {
        "crash_id": record["crash_id"],
        "bugcheck": {key: record["bugcheck"][key] for key in ("code", "parameters")},
        "access": record["exception"]["access"],
        "fault": {key: record["fault"][key] for key in ("ip", "module", "offset", "instruction", "source")},
        "registers": record["registers"],
        "process": record["process"],
        "stack": [(frame["module"], frame["offset"], frame["trust"]) for frame in record["stack"]],
        "modules": [(module["name"], module["base"], module["size"], module["timestamp"]) for module in record["modules"]],
        "time": (record["dump"]["time"], record["dump"]["uptime_s"]),
        "matches": [(match["signature"], match["grade"]) for match in record["matches"]],
        "verdict": record["verdict"],
    }


def expect(what, wanted, found):
    if wanted != found:
        raise SystemExit("%s: expected %s, found %s" % (what, json.dumps(wanted), json.dumps(found)))


def main():
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if missing:
        print("skipped: %s not installed" % ", ".join(missing))
        return 77
    SCRATCH.mkdir(parents=True, exist_ok=True)
    build_guest()
    records = {}
    captures = capture()
    if COMPARE:
        compare_with_library(captures)
    for form, path in captures.items():
        out = subprocess.run([PROGRAM, "analyze", "--format", "json", path], capture_output=True, text=True)
        record = json.loads(out.stdout)
        records[form] = record[0] if isinstance(record, list) else record
    kinds = {form: (record["dump"]["format"], record["dump"]["kind"]) for form, record in records.items()}
    expect("kinds", {"elf": ("capture", "elf"), "kdump-zlib": ("capture", "kdump"), "win-dmp": ("kernel", "full")}, kinds)
    expect("writers", ["hypervisor"] * 3, [record["dump"]["writer"] for record in records.values()])
    equal = {form: what_must_be_equal(record) for form, record in records.items()}
    elf = equal["elf"]
    for form, found in equal.items():
        for key in elf:
            expect("%s: %s" % (form, key), elf[key], found[key])
    expect("crash_id", 32, len(elf["crash_id"] or ""))
    expect("code", "0x50", elf["bugcheck"]["code"])
    expect("address", "0xffffd6030000006a", elf["bugcheck"]["parameters"][0])
    expect("access", "read", elf["access"])
    expect("module", "CSAgent.sys", elf["fault"]["module"])
    expect("instruction", "mov r9d, dword ptr [r8]", elf["fault"]["instruction"])
    expect("ip", elf["bugcheck"]["parameters"][2], elf["fault"]["ip"])
    expect("r8", "0xffffd6030000006a", elf["registers"]["r8"])
    expect("r11", "0x14", elf["registers"]["r11"])
    expect("process", ("System", 4, 412), (elf["process"]["name"], elf["process"]["pid"], elf["process"]["thread_id"]))
    expect("time", ["2024-07-19T05:12:33Z", 93.5], list(elf["time"]))
    expect("frames", ["CSAgent.sys"] * 4, [frame[0] for frame in elf["stack"][:4]])
    expect("trust", ["context"] + ["call-site"] * 3, [frame[2] for frame in elf["stack"][:4]])
    expect("matches", [("crowdstrike-channel-file-291", "confirmed")], elf["matches"])
    expect("class", "known-incident", elf["verdict"]["class"])
    for path in SCRATCH.glob("guest-*.dmp"):
        path.unlink()
    print("ELF, kdump and Windows dump of one guest agree: %s+%s, %d frames, crash %s" % (
        elf["fault"]["module"], elf["fault"]["offset"], len(elf["stack"]), elf["crash_id"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
