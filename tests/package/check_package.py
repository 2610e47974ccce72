#!/usr/bin/env python3
"""The Debian packages: built, looked at by lintian, built again in another folder, and (--long) installed into a fresh Debian.

usage: check_package.py SOURCE_DIR SCRATCH_DIR MAKE_SAMPLE
"""
import hashlib
import json
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import unittest

import hardening

SOURCE, SCRATCH, MAKE = (pathlib.Path(a).resolve() for a in sys.argv[1:4])
LONG = bool(os.environ.get("DT_TEST_LONG"))
EPOCH = "1700000000"
NAMES = ["dumptriage", "libdumptriage-dev", "libdumptriage1"]


def run(*command, **more):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=1500, **more)
    if done.returncode:
        raise AssertionError(f"{command}: {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return done.stdout


def copy_of_the_sources(source, folder):
    """What a person who gets the sources has: no build, no history."""
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("build", ".git", "__pycache__"))
    return folder


def packages(source):
    """Builds in the source's own folder; gives {package: file}."""
    env = dict(os.environ, SOURCE_DATE_EPOCH=EPOCH, LC_ALL="C.UTF-8")
    env.pop("CCACHE_BASEDIR", None)
    run("cmake", "-S", source, "--preset", "package", env=env)
    run("cmake", "--build", source / "build/package", "--target", "deb", env=env)
    return {p.name.split("_")[0]: p for p in (source / "build/package/deb").glob("*.deb")}


def unpacked(deb, name):
    out = SCRATCH / "unpacked" / name
    out.parent.mkdir(exist_ok=True)
    run("dpkg-deb", "-R", deb, out)
    return out


class Packages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        shutil.rmtree(SCRATCH, ignore_errors=True)
        SCRATCH.mkdir(parents=True)
        cls.source = copy_of_the_sources(SOURCE, SCRATCH / "a")
        cls.debs = packages(cls.source)
        cls.roots = {name: unpacked(deb, name) for name, deb in cls.debs.items()}

    def elf_files(self):
        for root in self.roots.values():
            for path in root.rglob("*"):
                if path.is_file() and not path.is_symlink() and path.read_bytes()[:4] == b"\x7fELF":
                    yield path

    def test_parts(self):
        self.assertEqual(sorted(self.debs), NAMES)
        program, library, development = (self.roots[n] for n in ("dumptriage", "libdumptriage1", "libdumptriage-dev"))
        for path in ("usr/bin/dumptriage", "usr/libexec/dumptriage/dumptriage-worker", "lib/systemd/system/dumptriage-work.service",
                     "usr/lib/sysusers.d/dumptriage.conf", "usr/lib/tmpfiles.d/dumptriage.conf", "usr/share/man/man1/dumptriage.1.gz",
                     "usr/share/bash-completion/completions/dumptriage"):
            self.assertTrue((program / path).is_file(), path)
        self.assertTrue(list(library.glob("usr/lib/*/libdumptriage.so.1")))
        self.assertTrue((development / "usr/include/dumptriage.h").is_file())
        self.assertFalse(list(program.glob("usr/include")) + list(library.glob("usr/include")))

    def test_what_they_depend_on(self):
        depends = re.search(r"Depends: (.*)", (self.roots["dumptriage"] / "DEBIAN/control").read_text())[1]
        for package in ("libssl3", "libsqlite3-0", "libpq5", "libseccomp2", "libkdumpfile10"):
            self.assertIn(package, depends)
        shlibs = (self.roots["libdumptriage1"] / "DEBIAN/shlibs").read_text()
        self.assertRegex(shlibs, r"libdumptriage 1 libdumptriage1 ")
        names = set(re.findall(r"^ (dt_\w+)@DUMPTRIAGE_1.0 0.1.0$", (self.roots["libdumptriage1"] / "DEBIAN/symbols").read_text(), re.M))
        self.assertEqual(names, set(re.findall(r"\b(dt_\w+);", (SOURCE / "cmake/dumptriage.map").read_text())))
        self.assertIn("dt_open", names)
        self.assertIn("ldconfig", (self.roots["libdumptriage1"] / "DEBIAN/triggers").read_text())

    @unittest.skipUnless(shutil.which("lintian"), "skipped: lintian is not installed")
    def test_lintian_has_no_errors(self):
        done = subprocess.run(["lintian", "--allow-root", "--fail-on", "error", *map(str, self.debs.values())], capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_hardened(self):
        found = list(self.elf_files())
        self.assertEqual(len(found), 8)
        for path in found:
            self.assertEqual(hardening.lacks(path, ".so." in path.name), [], path.name)

    @unittest.skipUnless(platform.machine() == "x86_64", "skipped: the checks are of x86-64 processors")
    def test_objects_are_marked_for_cet(self):
        archives = list((self.source / "build/package").glob("libdt_*.a"))
        self.assertGreater(len(archives), 30)
        for archive in archives:
            without, count = hardening.objects_without_cet(archive)
            self.assertEqual(without, [], archive.name)
            self.assertGreater(count, 0, archive.name)

    def test_a_soft_program_is_seen(self):
        unit, soft = SCRATCH / "soft.c", SCRATCH / "soft"
        unit.write_text("int main(void) { return 0; }\n")
        run("gcc", "-O0", "-no-pie", "-z", "execstack", "-z", "norelro", "-z", "lazy", "-fno-stack-protector", "-fcf-protection=none", "-Wl,-rpath,/x", unit, "-o", soft)
        self.assertEqual(hardening.lacks(soft), ["bind-now", "fortify", "no-rpath", "position-independent", "relro", "stack-not-executable",
                                                 "stack-protector"])
        run("gcc", "-fcf-protection=none", "-c", unit, "-o", SCRATCH / "soft.o")
        run("ar", "rc", SCRATCH / "soft.a", SCRATCH / "soft.o")
        self.assertEqual(hardening.objects_without_cet(SCRATCH / "soft.a")[1], 1)
        self.assertEqual(len(hardening.objects_without_cet(SCRATCH / "soft.a")[0]), 1)

    def test_no_path_of_the_build_in_the_files(self):
        for path in self.elf_files():
            self.assertNotIn(str(SCRATCH).encode(), path.read_bytes(), path.name)

    def test_bill_of_materials(self):
        sbom = json.loads((self.roots["dumptriage"] / "usr/share/doc/dumptriage/dumptriage.spdx.json").read_text())
        self.assertEqual((sbom["spdxVersion"], sbom["dataLicense"], sbom["SPDXID"]), ("SPDX-2.3", "CC0-1.0", "SPDXRef-DOCUMENT"))
        self.assertRegex(sbom["documentNamespace"], r"^https://[^#]+$")
        self.assertEqual(sbom["creationInfo"]["created"], "2023-11-14T22:13:20Z")
        self.assertRegex(sbom["creationInfo"]["creators"][0], r"^(Tool|Organization|Person): ")
        ids = [p["SPDXID"] for p in sbom["packages"]]
        self.assertEqual(len(ids), len(set(ids)))
        for package in sbom["packages"]:
            self.assertRegex(package["SPDXID"], r"^SPDXRef-[A-Za-z0-9.-]+$")
            for field in ("name", "versionInfo", "downloadLocation", "licenseConcluded", "copyrightText"):
                self.assertTrue(package[field], (package["name"], field))
            self.assertIs(package["filesAnalyzed"], False)
        for relation in sbom["relationships"]:
            self.assertIn(relation["spdxElementId"], [*ids, "SPDXRef-DOCUMENT"])
            self.assertIn(relation["relatedSpdxElement"], ids)
        self.assertEqual([r["relatedSpdxElement"] for r in sbom["relationships"] if r["relationshipType"] == "DESCRIBES"], ["SPDXRef-Package-dumptriage"])
        self.needed_is_in(sbom)

    def needed_is_in(self, sbom):
        """Every library that a program of the packages needs is a package of the list, and what is loaded later is, too."""
        names = {p["name"] for p in sbom["packages"]}
        self.assertLessEqual({"libssl3", "libcapstone4", "libyaml-0-2", "libjansson4", "libpcre2-8-0", "libsqlite3-0", "libpq5", "libarchive13",
                              "libseccomp2", "libmicrohttpd12", "librabbitmq4", "libzstd1", "libc6", "libkdumpfile10"}, names)
        self.assertTrue({"libcurl4", "libcurl3-gnutls"} & names)
        later = {r["spdxElementId"] for r in sbom["relationships"] if r["relationshipType"] == "OPTIONAL_DEPENDENCY_OF"}
        self.assertIn("SPDXRef-Package-libkdumpfile10", later)

    def test_same_bits_from_another_folder(self):
        second = packages(copy_of_the_sources(self.source, SCRATCH / "another folder of a different length"))
        for name, deb in self.debs.items():
            self.assertEqual(hashlib.sha256(deb.read_bytes()).hexdigest(), hashlib.sha256(second[name].read_bytes()).hexdigest(), name)

    @unittest.skipUnless(LONG, "skipped: only in --long")
    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("debootstrap"), "skipped: debootstrap wants root")
    def test_a_fresh_debian_installs_them(self):
        root = SCRATCH / "debian"
        mirror = os.environ.get("DT_DEBIAN_MIRROR", "http://deb.debian.org/debian")
        done = subprocess.run(["debootstrap", "--variant=minbase", "bookworm", str(root), mirror], capture_output=True, text=True, timeout=1500)
        if done.returncode:
            self.skipTest("skipped: debootstrap could not fetch Debian: " + done.stdout[-300:])
        recipes = ("csagent-50", "full-1")
        for recipe in recipes:
            run(MAKE, SOURCE / "samples/recipes" / f"{recipe}.recipe", root / f"tmp/{recipe}.dmp")
        for deb in self.debs.values():
            shutil.copy(deb, root / "tmp")
        for path in (*pathlib.Path("/etc/apt").glob("apt.conf.d/*proxy*"), pathlib.Path("/etc/resolv.conf")):
            if path.exists():
                shutil.copy(path, root / str(path)[1:])

        def inside(command, status=0):
            done = subprocess.run(["chroot", str(root), "sh", "-ec", command], capture_output=True, text=True, timeout=900,
                                  env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"})
            self.assertEqual(done.returncode, status, command + "\n" + done.stdout[-3000:] + done.stderr[-3000:])
            return done.stdout

        (root / "proc").mkdir(exist_ok=True)
        if subprocess.run(["mount", "-t", "proc", "proc", str(root / "proc")]).returncode:
            self.skipTest("skipped: /proc cannot be mounted in the new root")
        self.addCleanup(subprocess.run, ["umount", str(root / "proc")])
        inside("apt-get update -q && apt-get install -qy --no-install-recommends /tmp/dumptriage_*.deb /tmp/libdumptriage1_*.deb")
        out = inside("dumptriage analyze /tmp/csagent-50.dmp")
        self.assertIn("known-incident (confidence 98 of 100)", out)
        record = json.loads(inside("dumptriage analyze --format jsonl /tmp/full-1.dmp"))
        self.assertGreater(len(record["modules"]), 0)  # page tables were walked: libaddrxlat is there
        inside("dumptriage scan /tmp --include '*.dmp' --db /tmp/s.db && dumptriage incidents --db /tmp/s.db | grep -q CrowdStrike")
        inside("test \"$(find /usr/lib -name libdumptriage.so.1)\" && ldd /usr/libexec/dumptriage/dumptriage-serve | grep -c 'not found' | grep -qx 0")
        inside("dpkg -r dumptriage libdumptriage1 && ! test -e /usr/bin/dumptriage")


class Units(unittest.TestCase):
    @unittest.skipUnless(shutil.which("systemd-analyze"), "skipped: systemd-analyze is not installed")
    def test_exposure(self):
        """At most 2.0 of 10; a unit without the hardening is far over it."""
        units = sorted((SOURCE / "docs/systemd").glob("*.service"))
        self.assertEqual([u.stem for u in units], ["dumptriage-feed", "dumptriage-serve", "dumptriage-work"])
        for unit in units:
            done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", str(unit)], capture_output=True,
                                  text=True, timeout=60)
            self.assertEqual(done.returncode, 0, done.stdout[-300:])
        soft = SCRATCH / "soft.service"
        soft.write_text("[Service]\nExecStart=/bin/true\n")
        done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", str(soft)], capture_output=True, text=True)
        self.assertNotEqual(done.returncode, 0)

    @unittest.skipUnless(shutil.which("systemd-analyze"), "skipped: systemd-analyze is not installed")
    def test_they_are_units(self):
        for unit in sorted((SOURCE / "docs/systemd").glob("*.service")):
            copy = SCRATCH / unit.name
            copy.write_text(unit.read_text().replace("/usr/bin/dumptriage", "/bin/true"))
            done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(copy)], capture_output=True, text=True, timeout=60)
            self.assertNotIn(unit.name, done.stdout + done.stderr)

    @unittest.skipUnless(shutil.which("systemd-sysusers"), "skipped: systemd-sysusers is not installed")
    def test_user_and_folder(self):
        root = SCRATCH / "root"
        (root / "etc").mkdir(parents=True, exist_ok=True)
        run("systemd-sysusers", f"--root={root}", SOURCE / "docs/systemd/dumptriage.sysusers")
        self.assertIn("dumptriage:", (root / "etc/passwd").read_text())
        if os.geteuid() == 0:
            run("systemd-tmpfiles", f"--root={root}", "--create", SOURCE / "docs/systemd/dumptriage.tmpfiles")
            self.assertEqual((root / "var/lib/dumptriage").stat().st_mode & 0o777, 0o700)


def main():
    for tool in ("dpkg-deb", "dpkg-shlibdeps", "cpack", "scdoc"):
        if shutil.which(tool) is None:
            print(f"skipped: {tool} is not installed")
            return 77
    result = unittest.main(argv=["package"], exit=False, verbosity=2).result
    return 0 if result.wasSuccessful() and result.testsRun else 1


if __name__ == "__main__":
    sys.exit(main())
