#!/bin/sh
# The binary interface against that which was promised last (packaging/libdumptriage1.abi) and, where there is one, against the last tag's: what
# programs built with it count on is still there. First that the comparison sees something: a library with a function less must fail.
# usage: check_abi.sh SOURCE_DIR SCRATCH_DIR [--write]
# --write enters the present interface into the file: when a function is added, or with a new major version.
set -eu
source=$1 scratch=$2 promised=$1/packaging/libdumptriage1.abi
command -v abidiff >/dev/null || { echo "skipped: abigail-tools are not installed"; exit 77; }
rm -rf "$scratch"
mkdir -p "$scratch"

# bit 3 (8) of abidiff's status: the interface changed in a way that breaks programs
printf 'int dt_one(void); int dt_two(void);\nint dt_one(void) { return 1; }\nint dt_two(void) { return 2; }\n' >"$scratch/two.c"
printf 'int dt_one(void);\nint dt_one(void) { return 1; }\n' >"$scratch/one.c"
for n in one two; do ${CC:-cc} -g -shared -fPIC -Wl,-soname,lib.so.1 "$scratch/$n.c" -o "$scratch/$n.so"; done
status=0
abidiff "$scratch/two.so" "$scratch/one.so" >"$scratch/found" || status=$?
[ $((status & 8)) != 0 ] || { cat "$scratch/found"; echo "a function that went away was not seen"; exit 1; }

# Types are compared by their debug information, which a release does not have.
build() {
	cmake -S "$1" -B "$2" -G Ninja -DBUILD_TESTING=OFF -DCMAKE_C_FLAGS=-g >"$scratch/log" 2>&1 &&
		ninja -C "$2" libdumptriage >>"$scratch/log" 2>&1 || { tail -n 20 "$scratch/log"; exit 1; }
}
build "$source" "$scratch/now"
if [ "${3:-}" = --write ]; then
	abidw --exported-interfaces-only --drop-private-types --headers-dir "$source/analyzer/include" --no-corpus-path --no-comp-dir-path --no-show-locs \
		--type-id-style hash "$scratch/now/libdumptriage.so.1" | sed "s| path='$source/| path='|" >"$promised"
	exit 0
fi
status=0
abidiff --headers-dir2 "$source/analyzer/include" "$promised" "$scratch/now/libdumptriage.so.1" >"$scratch/changes" || status=$?
cat "$scratch/changes"
[ $((status & 8)) = 0 ] || { echo "the interface is not what was promised: programs would break"; exit 1; }
[ "$status" = 0 ] || { echo "the interface has changed: where it has only grown, tests/library/check_abi.sh SOURCE SCRATCH --write enters it"; exit 1; }
echo "compatible with $(basename "$promised")"

tag=$(git -C "$source" describe --tags --abbrev=0 --match 'v[0-9]*' 2>/dev/null) || tag=
[ -n "$tag" ] || { echo "there is no tag to compare with"; exit 0; }
mkdir "$scratch/old"
git -C "$source" archive "$tag" | tar -x -C "$scratch/old"
[ -f "$scratch/old/cmake/library.cmake" ] || { echo "$tag has no library yet"; exit 0; }
build "$scratch/old" "$scratch/before"
status=0
abidiff --no-added-syms --headers-dir1 "$scratch/old/analyzer/include" --headers-dir2 "$source/analyzer/include" \
	"$scratch/before/libdumptriage.so.1" "$scratch/now/libdumptriage.so.1" >"$scratch/changes" || status=$?
cat "$scratch/changes"
[ "$status" = 0 ] || { echo "the interface of $tag is not what it was"; exit 1; }
echo "compatible with $tag"
