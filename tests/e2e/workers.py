"""The processes that read dumps for a program, for tests that kill them."""
import os
import pathlib


def workers(pid):
    """Process numbers. Other children are not for killing: LeakSanitizer looks from one of its own when the program ends, and the program
    waits without end for what that one says."""
    try:
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [int(child) for child in children if program(child) == "dumptriage-worker"]


def program(pid):
    try:
        return os.path.basename(os.readlink(f"/proc/{pid}/exe"))
    except OSError:
        return None
