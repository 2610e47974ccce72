"""What a program or library was built with, read from its file: each name is a protection that it lacks."""
import re
import subprocess


def readelf(*arguments):
    return subprocess.run(["readelf", "-W", *map(str, arguments)], check=True, capture_output=True, text=True).stdout


def lacks(path, shared=False):
    """The protections that the file does not have. shared: a library, which is position-independent in another way."""
    header, segments = readelf("-h", path), readelf("-l", path)
    dynamic, symbols = readelf("-d", path), readelf("--dyn-syms", path)
    stack = re.search(r"GNU_STACK .* (\w+) +0x\w+$", segments, re.M)
    present = {
        "position-independent": "DYN" in re.search(r"Type:.*", header)[0] and (shared or "PIE" in dynamic),
        "relro": "GNU_RELRO" in segments,
        "bind-now": "BIND_NOW" in dynamic or re.search(r"\(FLAGS_1\).*NOW", dynamic) is not None,
        "stack-not-executable": stack is not None and "E" not in stack[1],
        "no-text-relocations": "TEXTREL" not in dynamic,
        "no-rpath": "RPATH" not in dynamic and "RUNPATH" not in dynamic,
        "stack-protector": "__stack_chk_fail" in symbols,
        "fortify": re.search(r"__\w+_chk(@| |$)", symbols.replace("__stack_chk_fail", "")) is not None,
    }
    return sorted(name for name, there in present.items() if not there)


def objects_without_cet(archive):
    """Objects of an archive that are not marked for both of Intel's checks (indirect branches, shadow stacks).

    Debian's own start-up objects are not marked, so no whole program of Debian 12 is: what can be held is ours."""
    text = readelf("-n", archive)
    parts = re.split(r"^File: ", text, flags=re.M)[1:]
    return [part.splitlines()[0] for part in parts if not ("IBT" in part and "SHSTK" in part)], len(parts)
