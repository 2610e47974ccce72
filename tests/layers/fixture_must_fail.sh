#!/bin/sh
# The check must fail where an edge is not allowed: a copy of the project in which
# core/base includes a header of the dump layer, and bucket calls into report.
# usage: fixture_must_fail.sh SOURCE_DIR SCRATCH_DIR PYTHON
set -eu
source=$1 scratch=$2 python=$3
rm -rf "$scratch"
mkdir -p "$scratch"
cp -r "$source/analyzer" "$source/cmake" "$source/samples" "$source/signatures" "$source/CMakeLists.txt" "$scratch/"
mkdir -p "$scratch/docs"
cp "$source/docs/openapi.json" "$scratch/docs/" # part of the program
sed 's,^| bucket | `judgement/bucket` |,& report,' "$source/docs/architecture.md" >"$scratch/docs/architecture.md"
printf '#include "facts/dump/dump.h"\nint dt_layer_fixture_base(void);\nint dt_layer_fixture_base(void) { return (int)sizeof(struct dt_dump); }\n' \
	>"$scratch/analyzer/core/base/fixture.c"
printf 'extern void *dt_report_format(const char *name);\nvoid *dt_layer_fixture_bucket(void);\nvoid *dt_layer_fixture_bucket(void) { return dt_report_format("text"); }\n' \
	>"$scratch/analyzer/judgement/bucket/fixture.c"
cmake -S "$scratch" -B "$scratch/build" -G Ninja -DBUILD_TESTING=OFF >"$scratch/log" 2>&1
layers=$(sed -n 's/.*"name": "\([a-z_]*\)".*/dt_\1/p' "$scratch/build/layers.json")
# shellcheck disable=SC2086 # a list of targets
ninja -C "$scratch/build" $layers >>"$scratch/log" 2>&1 || { tail -n 20 "$scratch/log"; exit 1; }
if "$python" "$source/tests/layers/check_layers.py" "$scratch" "$scratch/build" >"$scratch/found"; then
	echo "the check passed a project with two forbidden edges"
	exit 1
fi
cat "$scratch/found"
grep -q '^base may not use dump: core/base/fixture.c includes facts/dump/dump.h$' "$scratch/found"
grep -q '^bucket may not use report: it calls dt_report_format$' "$scratch/found"
grep -q '^docs/architecture.md has .* for bucket' "$scratch/found"
rm -rf "$scratch"
