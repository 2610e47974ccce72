#!/usr/bin/env python3
"""The verdicts of dumps by way of libdumptriage and ctypes: no module to build, no text to parse.

    ./verdict.py MEMORY.DMP minidump.dmp
"""
import ctypes
import json
import sys

LIBRARY = ctypes.CDLL("libdumptriage.so.1")


def declare(name, result, *arguments):
    function = getattr(LIBRARY, name)
    function.restype, function.argtypes = result, arguments
    return function


HANDLE, OUT = ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p)
dt_open = declare("dt_open", ctypes.c_int, OUT)
dt_close = declare("dt_close", None, HANDLE)
dt_message = declare("dt_message", ctypes.c_char_p, HANDLE)
dt_analyse_memory = declare("dt_analyse_memory", ctypes.c_int, HANDLE, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, OUT)
dt_print = declare("dt_print", ctypes.c_int, HANDLE, ctypes.c_char_p, ctypes.c_uint, OUT, ctypes.POINTER(ctypes.c_size_t))
dt_analysis_free = declare("dt_analysis_free", None, HANDLE)
dt_free = declare("dt_free", None, HANDLE)


class Analyzer:
    """Reads dumps; for one thread at a time."""

    def __enter__(self):
        self.handle = HANDLE()
        if dt_open(ctypes.byref(self.handle)):
            raise MemoryError("libdumptriage could not be opened")
        return self

    def __exit__(self, *_):
        dt_close(self.handle)

    def analyse(self, data, name):
        """The crash record of the bytes of a dump, as a dict."""
        analysis, text, size = HANDLE(), HANDLE(), ctypes.c_size_t()
        if dt_analyse_memory(self.handle, data, len(data), name.encode(), ctypes.byref(analysis)):
            raise RuntimeError(dt_message(self.handle).decode())
        try:
            if dt_print(analysis, b"jsonl", 0, ctypes.byref(text), ctypes.byref(size)):
                raise RuntimeError("the record could not be printed")
            try:
                return json.loads(ctypes.string_at(text, size.value))
            finally:
                dt_free(text)
        finally:
            dt_analysis_free(analysis)


def main():
    with Analyzer() as analyzer:
        for path in sys.argv[1:]:
            with open(path, "rb") as dump:
                record = analyzer.analyse(dump.read(), path)
            print(path, record["verdict"]["class"], record["verdict"]["summary"], sep="\t")


if __name__ == "__main__":
    main()
