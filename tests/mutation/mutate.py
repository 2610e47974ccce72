#!/usr/bin/env python3
"""Changes facts in a copy of the project, one at a time, and expects a test to fail for each.

A test suite that passes with two rows swapped or an offset changed does not check those rows.
usage: mutate.py SOURCE_DIR SCRATCH_DIR [NAME...]
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys

# name, file, pattern, replacement, tests that may notice (a ctest -R expression; their programs are built)
MUTATIONS = [
    ("roles of 0x50 swapped", "analyzer/core/tables/bugchecks.def",
     r'DT_READING\(0x50, ALWAYS, NULL, ADDRESS, ("[^"]*"), ACCESS_PF, ("[^"]*"), IP,', r'DT_READING(0x50, ALWAYS, NULL, IP, \1, ACCESS_PF, \2, ADDRESS,',
     "unit_triage|unit_tables|samples"),
    ("record and context of 0x7E swapped", "analyzer/core/tables/bugchecks.def",
     r'DT_READING\(0x7e,(.*)EXCEPTION_RECORD,(.*)CONTEXT_RECORD,', r'DT_READING(0x7e,\1CONTEXT_RECORD,\2EXCEPTION_RECORD,',
     "unit_triage|samples"),
    ("0x1A/41792 no longer one-bit", "analyzer/core/tables/bugchecks.def",
     r'(DT_READING\(0x1a, P1\(0x41792\).*)ONE_BIT\)', r'\1CORRUPTION)', "unit_triage|samples"),
    ("0xEF blames the stack", "analyzer/core/tables/bugchecks.def",
     r'(DT_READING\(0xef,.*)NOBODY, ANY\)', r'\1STACK, ANY)', "unit_tables|unit_blame|samples"),
    ("the kernel is no carrier", "signatures/carriers.conf",
     r'kernel ntoskrnl.exe .*\n', "", "unit_tables|unit_blame|unit_signature|samples"),
    ("a carrier too many", "signatures/carriers.conf",
     r'(kernel hal.dll .*\n)', r'\1kernel csagent.sys ignore\n', "unit_tables|unit_blame|samples"),
    ("POPCNT has no row", "analyzer/facts/insn/features.def",
     r'DT_FEATURE\(LEGACY, 1, PF3, 0xb8.*\n', "", "unit_insn|unit_triage|samples"),
    ("two rows of the record swapped", "analyzer/core/model/fields.def",
     r'(DT_TEXT\(fault, module,.*\n)(DT_HEX\(fault, offset,.*\n)', r'\2\1', "unit_model"),
    ("two words of an enumeration swapped", "analyzer/core/model/enums.def",
     r'(DT_VALUE\(access, DT_ACCESS_READ.*\n)(DT_VALUE\(access, DT_ACCESS_WRITE.*\n)', r'\2\1', "unit_model|unit_triage|samples"),
    ("r8 and r9 of a trap frame swapped", "analyzer/facts/dump/context.c",
     r'0x48(.*)\n?(.*)0x50', r'0x50\1\2 0x48', "unit_dump_context|unit_triage|samples"),
    ("uptime read where the time is", "analyzer/facts/dump/header64.c", r'0x1030', '0x0fa8', "unit_dump|unit_triage|samples"),
    ("driver stride", "analyzer/facts/dump/triage64.c", r'\{ 0x90, 0x38, 0x48, 0x80, 0x88 \}', '{ 0x98, 0x38, 0x48, 0x80, 0x88 }', "unit_dump|samples"),
    ("size and checksum of a driver swapped", "analyzer/facts/dump/triage64.c", r'\{ 0x90, 0x38, 0x48, 0x80, 0x88 \}',
     '{ 0x90, 0x38, 0x80, 0x48, 0x88 }', "unit_dump|samples"),
    ("bits and pages of a bitmap dump swapped", "analyzer/facts/dump/bitmap.c", r'newer = \{ 0x20, 8, 0x28, 0x30,', 'newer = { 0x20, 8, 0x30, 0x28,',
     "unit_dump|kinds"),
    ("a page in transition is not followed", "analyzer/facts/memory/space.c", r'PTE_TRANSITION 0x800u', 'PTE_TRANSITION 0x200u', "unit_memory|kinds"),
    ("base of an image in the kernel's list", "analyzer/facts/kernel/modules.c", r'layout64 = \{ 0x30,', 'layout64 = { 0x38,', "unit_kernel|kinds"),
    ("bytes of an encoded block are not reversed", "analyzer/facts/kernel/encoded_block.c", r'by\.plain \^ swap\(rotate', 'by.plain ^ (rotate', "unit_kernel"),
    ("a region that points elsewhere is a processor's", "analyzer/facts/kernel/stand_in.c", r' \|\| self != region', '', "unit_kernel"),
    ("CR3 of a capture", "analyzer/facts/dump/capture.c", r'Q_CR3 = 392 \+ 24', 'Q_CR3 = 392 + 16', "unit_dump|kinds"),
    ("CS of a trap frame", "analyzer/facts/triage/trap_frame.c", r'X64_FRAME_CS = 0x170', 'X64_FRAME_CS = 0x178', "unit_triage|samples"),
    ("device object in a stack location", "analyzer/facts/triage/suspects.c", r'STACK_LOCATION_DEVICE = 0x28', 'STACK_LOCATION_DEVICE = 0x30',
     "unit_triage|samples"),
    ("index 20 of Channel File 291", "signatures/crowdstrike-channel-file-291.yml", r'0x14\b(?!e)', '0x15', "unit_signature|samples"),
    ("the day of Channel File 291", "signatures/crowdstrike-channel-file-291.yml", r'2024-07-19T04:09', '2024-07-20T04:09', "unit_signature|samples"),
    ("call target ignored", "analyzer/facts/insn/call_site.c", r'0xe8', '0xe9', "unit_insn|unit_stack"),
]


def run(*command, cwd=None):
    return subprocess.run(list(map(str, command)), cwd=cwd, capture_output=True, text=True)


def programs(build, expression):
    """The test programs that a ctest expression runs, as ninja targets."""
    listed = run("ctest", "--test-dir", build, "-N", "-R", expression).stdout
    names = re.findall(r"Test +#\d+: (\S+)", listed)
    return names, [n for n in names if n.startswith("unit_")] + ["kinds_test"] * ("kinds" in names) + ["dumptriage", "make-sample"]


def main():
    source, scratch = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    wanted = sys.argv[3:]
    build = scratch / "build"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    for part in ("analyzer", "cmake", "samples", "signatures", "tests", "docs", "CMakeLists.txt"):
        (shutil.copytree if (source / part).is_dir() else shutil.copy)(source / part, scratch / part)
    made = run("cmake", "-S", scratch, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_C_FLAGS_DEBUG=-O0")
    if made.returncode:
        print(made.stdout[-2000:], made.stderr[-2000:])
        return 1
    survived = 0
    for name, file, pattern, replacement, tests in MUTATIONS:
        if wanted and not any(w in name for w in wanted):
            continue
        path = scratch / file
        before = path.read_text()
        after, count = re.subn(pattern, replacement, before, count=1)
        if count == 0 or after == before:
            print("STALE     %s: the pattern is not in %s" % (name, file))
            survived += 1
            continue
        names, targets = programs(build, tests)
        path.write_text(after)
        built = run("ninja", "-C", build, *targets)
        if built.returncode:
            noticed = "by the compiler"
        else:
            result = run("ctest", "--test-dir", build, "-j", os.cpu_count() or 1, "--stop-on-failure", "-R", tests)
            failed = re.findall(r"^\s*\d+ - (\S+) \(", result.stdout, re.M)
            noticed = "by " + failed[0] if failed else None
        path.write_text(before)
        os.utime(path)
        print("%-9s %s%s" % ("noticed" if noticed else "SURVIVED", name, ": " + noticed if noticed else " (%d tests ran)" % len(names)), flush=True)
        survived += noticed is None
    print("%d changes nobody noticed" % survived)
    shutil.rmtree(scratch, ignore_errors=True)
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
