#!/usr/bin/env python3
"""Links between the documents lead somewhere: to a file of the project, and to a heading of it.

usage: check_links.py SOURCE_DIR
"""
import pathlib
import re
import sys

SOURCE = pathlib.Path(sys.argv[1]).resolve()
SKIPPED = ("build", ".git", "node_modules")


def anchors(text):
    """Headings as a page's addresses have them: lower case, words joined, other signs dropped."""
    return {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in re.findall(r"^#+ (.*)$", text, re.M)}


def broken(path, text):
    prose = re.sub(r"^(```.*?^```|    .*?)$", "", text, flags=re.S | re.M)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        there = (path.parent / name).resolve() if name else path
        if not there.exists():
            yield target
        elif anchor and there.suffix == ".md" and anchor not in anchors(there.read_text()):
            yield target


def main():
    pages = [p for p in SOURCE.rglob("*.md") if not set(p.relative_to(SOURCE).parts) & set(SKIPPED)]
    bad = [f"{p.relative_to(SOURCE)}: {target} leads nowhere" for p in pages for target in broken(p, p.read_text())]
    wanted = ["[a](#no-such-heading)", "[b](no-such-file.md)"]
    if list(broken(SOURCE / "README.md", "\n".join(wanted))) != ["#no-such-heading", "no-such-file.md"]:
        bad.append("the check does not see broken links")
    print("\n".join(bad) or f"{len(pages)} pages, every link leads somewhere")
    return 1 if bad or len(pages) < 10 else 0


if __name__ == "__main__":
    sys.exit(main())
