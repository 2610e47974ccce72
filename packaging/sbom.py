#!/usr/bin/env python3
"""What the programs are made of, as SPDX 2.3: read from the built files, not from a list.

Shared libraries from their NEEDED entries, archives from the build's cache, libraries that are loaded when they are needed from the names in
the program. Each is given by the Debian package that its file belongs to, with version and package URL.

usage: sbom.py --version V --epoch SECONDS --cache CMakeCache.txt --out FILE PROGRAM...
"""
import argparse
import datetime
import hashlib
import json
import os
import pathlib
import re
import subprocess

# base/library.h: names of binary interfaces, as they stand in the programs.
LOADED = re.compile(rb"(lib(?:addrxlat|archive|z|lzo2|snappy|zstd)\.so\.[0-9]+)\0")
OURS = "SPDXRef-Package-dumptriage"


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True, env=dict(os.environ, LC_ALL="C")).stdout


def library_files():
    """Where each shared library lies that the loader knows."""
    found = {}
    for line in run("/sbin/ldconfig", "-p").splitlines():
        name, arrow, path = line.strip().partition(" => ")
        if arrow:
            found.setdefault(name.split(" ")[0], path)
    return found


def package_of(path):
    """(name, version, architecture) of the Debian package that holds a file."""
    for candidate in (path, os.path.realpath(path), re.sub("^/lib/", "/usr/lib/", path), re.sub("^/usr/lib/", "/lib/", path)):
        out = subprocess.run(["dpkg-query", "-S", candidate], capture_output=True, text=True)
        if out.returncode == 0:
            name = out.stdout.split(": ")[0].split(",")[0]
            return tuple(run("dpkg-query", "-W", "-f", "${Package} ${Version} ${Architecture}", name).split())
    raise SystemExit(f"sbom: no package holds {path}")


def linked(programs, cache):
    """{(package): set of SPDX relationships} of everything outside."""
    places, found = library_files(), {}

    def add(path, how):
        found.setdefault(package_of(path), set()).add(how)

    for program in programs:
        for name in re.findall(r"\(NEEDED\).*\[(.*)\]", run("readelf", "-d", program)):
            add(places[name], "DYNAMIC_LINK")
        for name in LOADED.findall(pathlib.Path(program).read_bytes()):
            if name.decode() in places:
                add(places[name.decode()], "OPTIONAL_DEPENDENCY_OF")
    for path in re.findall(r"^DT_ARCHIVE_\w+:FILEPATH=(/.*\.a)$", cache.read_text(), re.M):
        add(path, "STATIC_LINK")
    return found


def package(name, version, arch):
    spdx_id = "SPDXRef-Package-" + re.sub(r"[^A-Za-z0-9.-]", "-", name)
    return {"SPDXID": spdx_id, "name": name, "versionInfo": version, "downloadLocation": "NOASSERTION", "filesAnalyzed": False,
            "licenseConcluded": "NOASSERTION", "licenseDeclared": "NOASSERTION", "copyrightText": "NOASSERTION",
            "supplier": "Organization: Debian",
            "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                              "referenceLocator": f"pkg:deb/debian/{name}@{version}?arch={arch}"}]}


def relationship(how, spdx_id):
    if how == "OPTIONAL_DEPENDENCY_OF":
        return {"spdxElementId": spdx_id, "relationshipType": how, "relatedSpdxElement": OURS}
    return {"spdxElementId": OURS, "relationshipType": how, "relatedSpdxElement": spdx_id}


def document(version, epoch, found):
    ours = {"SPDXID": OURS, "name": "dumptriage", "versionInfo": version, "downloadLocation": "NOASSERTION", "filesAnalyzed": False,
            "licenseConcluded": "NOASSERTION", "licenseDeclared": "NONE", "copyrightText": "NOASSERTION", "primaryPackagePurpose": "APPLICATION"}
    others = [package(*key) for key in sorted(found)]
    relations = [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": OURS}]
    relations += [relationship(how, p["SPDXID"]) for p, key in zip(others, sorted(found)) for how in sorted(found[key])]
    body = {"packages": [ours, *others], "relationships": relations}
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    created = datetime.datetime.fromtimestamp(epoch, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": f"dumptriage-{version}",
            "documentNamespace": f"https://dumptriage.example/spdx/dumptriage-{version}-{digest[:16]}",
            "creationInfo": {"created": created, "creators": ["Tool: dumptriage-packaging-sbom"]}, **body}


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--version", required=True)
    options.add_argument("--epoch", type=int, required=True)
    options.add_argument("--cache", type=pathlib.Path, required=True)
    options.add_argument("--out", type=pathlib.Path, required=True)
    options.add_argument("programs", nargs="+")
    given = options.parse_args()
    text = json.dumps(document(given.version, given.epoch, linked(given.programs, given.cache)), indent=1)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(text + "\n")


if __name__ == "__main__":
    main()
