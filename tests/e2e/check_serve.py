#!/usr/bin/env python3
"""serve as a helpdesk, a script and an attacker use it.

usage: check_serve.py PROGRAM BUILDER SOURCE_DIR SCRATCH_DIR [sanitized]
"""
import concurrent.futures
import hashlib
import hmac
import html
import http.client
import io
import json
import os
import pathlib
import shutil
import signal
import socket
import sqlite3
import ssl
import struct
import subprocess
import sys
import time
import unittest
import urllib.parse
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "servers"))
from postgres import Postgres  # noqa: E402
from receiver import Receiver  # noqa: E402
from server import Unavailable, listening  # noqa: E402
from serving import Serve, multipart, resident, until  # noqa: E402

PROGRAM, BUILDER, SOURCE, SCRATCH = (os.path.abspath(path) for path in sys.argv[1:5])
SANITIZED = sys.argv[5:] == ["sanitized"]
SCRATCH = pathlib.Path(SCRATCH)
RECIPES = ["csagent-50", "csagent-7e", "vgk-50", "aswsnx-50", "whea-124", "nic-d1", "plain-kernel", "user-av-x64", "tdr-116", "fastfail-139"]
SYSTEM_TIME = 0xFA8
JULY_19 = 133658244000000000
HOUR = 36000000000


def run(*args, **more):
    return subprocess.run([PROGRAM, *map(str, args)], capture_output=True, text=True, timeout=120, **more)


def built(name):
    dump = SCRATCH / "samples" / (name + ".dmp")
    if not dump.exists():
        dump.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([BUILDER, f"{SOURCE}/samples/recipes/{name}.recipe", str(dump)], check=True)
    return dump.read_bytes()


def dump_at(name, when, serial=0):
    data = bytearray(built(name))
    struct.pack_into("<Q", data, SYSTEM_TIME, when + serial)
    return bytes(data)


def zipped(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return out.getvalue()


class Case(unittest.TestCase):
    options = ()

    def setUp(self):
        self.folder = SCRATCH / self.id().split(".", 1)[1]
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.db = self.folder / "store.db"
        self.spool = self.folder / "store.db.spool"
        self.log = self.folder / "serve.log"

    def serve(self, *options, **more):
        server = Serve(PROGRAM, more.pop("db", self.db), *self.options, *options, log=self.log, **more)
        self.addCleanup(server.__exit__)
        return server

    def token(self, name, scopes):
        out = run("token", "add", name, "--scopes", scopes, "--db", self.db)
        self.assertEqual(out.returncode, 0, out.stderr)
        return {"Authorization": "Bearer " + out.stdout.strip()}

    def postgres(self):
        """A server of its own, which ends with the test."""
        try:
            database = Postgres()
        except Unavailable as reason:
            self.skipTest(f"no PostgreSQL: {reason}")
        self.addCleanup(database.close)
        return database

    def left_in_spool(self):
        return sorted(str(p.relative_to(self.spool)) for p in self.spool.rglob("*") if p.is_file())

    def healthy(self):
        out = run("store", "check", "--db", self.db)
        self.assertEqual(out.returncode, 0, out.stderr)
        self.assertIn("nothing disagrees", out.stdout)

    def assertProblem(self, answer, status):
        self.assertEqual(answer.status, status, answer.text)
        self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
        self.assertEqual(answer.json["status"], status)
        self.assertTrue(answer.json["title"] and answer.json["detail"])

    def only(self, answer):
        self.assertEqual(answer.status, 200, answer.text)
        self.assertEqual(answer.json["state"], "done")
        self.assertEqual(len(answer.json["crashes"]), 1, answer.text)
        return answer.json["crashes"][0]


class Uploads(Case):
    def test_a_dump_has_its_verdict_at_once(self):
        server = self.serve()
        answer = server.upload(("a.dmp", built("csagent-50")), host="PC-7.example.com", ticket="INC0001", note="after the update")
        crash = self.only(answer)
        self.assertEqual((crash["class"], crash["confidence"], crash["host"]), ("known-incident", 98, "pc-7"))
        self.assertIn("CrowdStrike", crash["summary"])
        record = server.get(f"/api/v1/crashes/{crash['id']}").json
        self.assertEqual(record["host"], {"name": "pc-7", "source": "upload"})
        self.assertEqual(record["file"]["sha256"], hashlib.sha256(built("csagent-50")).hexdigest())
        self.assertEqual(record["verdict"]["class"], "known-incident")
        page = server.get(f"/crashes/{crash['id']}").text
        main = page.split("<main", 1)[1]
        self.assertIn("CrowdStrike Falcon sensor, Channel File 291", main.split("</h1>")[0])
        for text in ("INC0001", "after the update", "Copy as ticket text", "mov r9d, dword ptr [r8]", "data-steps"):
            self.assertIn(text, page)
        self.assertEqual(self.left_in_spool(), [])
        self.healthy()

    def test_the_record_is_that_of_analyze(self):
        """What the page says is what the command says: facts and judgement are made by the same code."""
        server = self.serve()
        for name in RECIPES:
            crash = self.only(server.upload((name + ".dmp", built(name))))
            record = server.get(f"/api/v1/crashes/{crash['id']}?raw=1").json
            out = run("analyze", "--format", "jsonl", SCRATCH / "samples" / (name + ".dmp"))
            wanted = json.loads(out.stdout)
            for one in (record, wanted):
                one["judged"]["at"] = None
                one["file"].update(path=None, mtime=None, name=None)
            self.assertEqual(record, wanted)

    def test_raw_body_polling_and_events(self):
        server = self.serve()
        answer = server.ask("POST", "/api/v1/dumps?name=x.dmp&host=pc-1", built("vgk-50"), {"Content-Type": "application/octet-stream"})
        self.assertEqual(answer.status, 202)
        self.assertEqual(answer.headers["Location"], answer.json["status"])
        done = until(lambda: (lambda a: a.json["state"] == "done" and a)(server.get(answer.json["status"])))
        self.assertEqual(done.json["crashes"][0]["name"], "x.dmp")
        waited = server.get(answer.json["status"] + "?wait=5")
        self.assertEqual(waited.json["state"], "done")
        stream = server.get(answer.json["events"])
        self.assertEqual(stream.headers["Content-Type"], "text/event-stream")
        last = [line for line in stream.text.splitlines() if line.startswith("data: ")][-1]
        self.assertEqual(json.loads(last[6:])["state"], "done")

    def test_events_follow_an_upload(self):
        """Each state is told while it happens, over one connection."""
        server = self.serve("--jobs", 1)
        big = zipped((f"{i}.dmp", dump_at("nic-d1", JULY_19, i)) for i in range(60))
        first = server.upload(("all.zip", big), wait=0)
        stream = server.get(first.json["events"]).text
        states = [json.loads(line[6:]) for line in stream.splitlines() if line.startswith("data: ")]
        self.assertEqual(states[-1]["state"], "done")
        self.assertEqual(len(states[-1]["crashes"]), 60)
        counts = [len(state["crashes"]) for state in states]
        self.assertEqual(counts, sorted(counts))

    def test_an_archive_of_twenty_and_several_files_at_once(self):
        server = self.serve()
        members = [(f"pc{i}/MEMORY.DMP", dump_at("csagent-50", JULY_19 + i * HOUR)) for i in range(20)]
        answer = server.upload(("PC-0042_20240719.zip", zipped(members)), ("one.dmp", built("nic-d1")))
        self.assertEqual(answer.json["state"], "done")
        crashes = answer.json["crashes"]
        self.assertEqual(len(crashes), 21)
        self.assertEqual({c["host"] for c in crashes if c["name"].startswith("PC-")}, {"pc-0042"})
        self.assertEqual([c["host"] for c in crashes if c["name"] == "one.dmp"], [None])
        record = server.get(f"/api/v1/crashes/{[c for c in crashes if c['name'].endswith('pc3/MEMORY.DMP')][0]['id']}").json
        self.assertEqual(record["host"]["source"], "path")
        page = server.get(answer.json["url"]).text
        self.assertEqual(page.count('data-label="File"'), 21)
        self.healthy()

    def test_the_same_bytes_answer_from_the_store(self):
        server = self.serve()
        first = self.only(server.upload(("a.dmp", built("aswsnx-50"))))
        inputs = lambda: int([line for line in server.get("/api/v1/metrics").text.splitlines() if line.startswith("dumptriage_inputs_total ")][0].split()[1])  # noqa: E731
        before = inputs()
        again = server.upload(("copy.dmp", built("aswsnx-50")), host="pc-9")
        self.assertEqual(self.only(again)["id"], first["id"])
        self.assertTrue(again.json["files"][0]["known"])
        self.assertEqual(inputs(), before)
        # a host that was not known is learned all the same
        self.assertEqual(server.get(f"/api/v1/crashes/{first['id']}").json["host"], {"name": "pc-9", "source": "upload"})
        self.assertEqual(len(server.pages("/api/v1/crashes")), 1)
        # an archive is known as a whole
        archive = zipped([("x/a.dmp", built("aswsnx-50")), ("x/b.dmp", built("nic-d1"))])
        self.assertEqual(len(server.upload(("one.zip", archive)).json["crashes"]), 2)
        before = inputs()
        names = [c["name"] for c in server.upload(("two.zip", archive)).json["crashes"]]
        self.assertEqual(sorted(names), ["two.zip!/x/a.dmp", "two.zip!/x/b.dmp"])
        self.assertEqual(inputs(), before)
        self.healthy()

    def test_what_is_no_dump_says_so(self):
        server = self.serve()
        for name in ("raw-zero", "raw-text", "raw-empty"):
            crash = self.only(server.upload((name, built(name))))
            self.assertEqual(crash["class"], "unreadable")
            page = server.get(f"/crashes/{crash['id']}")
            self.assertEqual(page.status, 200)
            self.assertIn("unreadable", page.text)
            self.assertIn("time of the crash unknown", page.text)
        self.assertEqual(server.get("/crashes").text.count(">time not known</a>"), 3)
        zero = self.only(server.upload(("zeros.dmp", bytes(300000))))
        self.assertIn("zero", zero["summary"])

    def test_a_group_that_names_no_module_claims_none(self):
        server = self.serve()
        page = server.get(f"/crashes/{self.only(server.upload(('a.dmp', built('livedump-161')), host='pc-1'))['id']}").text
        self.assertIn("the same kind of crash, in no known module", page)
        self.assertNotIn("the same module", page)
        self.assertNotIn("the same place", page)
        self.assertIn("captured <time", page)
        self.assertIn("| Captured | ", page)
        page = server.get(f"/crashes/{self.only(server.upload(('b.dmp', built('csagent-50')), host='pc-2'))['id']}").text
        self.assertIn("the same module, all builds", page)
        self.assertIn("the same place in the same build", page)

    def test_who_else_has_it_is_not_the_crash_itself(self):
        server = self.serve()
        first = self.only(server.upload(("a.dmp", dump_at("csagent-50", JULY_19)), host="pc-1"))["id"]
        page = server.get(f"/crashes/{first}").text
        self.assertIn("this crash alone</a>: the same known incident", page)
        self.assertNotIn("1 host</a>", page)
        self.only(server.upload(("b.dmp", dump_at("csagent-50", JULY_19 + HOUR)), host="pc-2"))
        self.assertIn("2 hosts</a>, 2 crashes: the same known incident", server.get(f"/crashes/{first}").text)

    def test_the_form_without_javascript(self):
        server = self.serve()
        cookie, csrf = server.form()
        body, kind = multipart([("file", "a.dmp", built("csagent-50"))], {"csrf": csrf, "host": "", "ticket": "", "note": ""})
        answer = server.ask("POST", "/upload", body, {"Content-Type": kind, "Cookie": cookie})
        self.assertEqual(answer.status, 303)
        status = server.ask("GET", answer.headers["Location"], headers={"Cookie": cookie})
        self.assertEqual(status.status, 303)
        self.assertTrue(status.headers["Location"].startswith("/crashes/"))

    def test_everything_is_as_it_was_after_a_restart(self):
        server = self.serve()
        answer = server.upload(("a.dmp", built("csagent-50")), host="pc-1")
        crash = self.only(answer)
        self.assertEqual(server.stop(), 0)
        server = self.serve()
        self.assertEqual(self.only(server.get(answer.json["status"]))["id"], crash["id"])
        self.assertIn("event: status", server.get(answer.json["events"]).text)
        self.assertEqual(server.get(answer.json["url"]).status, 303)


class Api(Case):
    def fill(self, server, count=24):
        for i in range(count):
            name = RECIPES[i % 7]
            self.only(server.upload((f"{i}.dmp", dump_at(name, JULY_19 + i * HOUR)), host=f"pc-{i % 5}"))

    def test_search_and_pages(self):
        server = self.serve()
        self.fill(server)
        everything = server.pages("/api/v1/crashes?limit=7")
        self.assertEqual(len(everything), 24)
        self.assertEqual(len({item["id"] for item in everything}), 24)
        self.assertEqual([i["id"] for i in everything], [i["id"] for i in server.pages("/api/v1/crashes")])
        for query, wanted in {"host=PC-3": lambda i: i["host"] == "pc-3", "class=known-incident": lambda i: i["class"] == "known-incident",
                              "module=VGK.sys": lambda i: i["module"] == "vgk.sys", "code=0xd1": lambda i: (i["code"] or "").startswith("0xd1 "),
                              "code=PAGE_FAULT_IN_NONPAGED_AREA": lambda i: (i["code"] or "").startswith("0x50 "),
                              "signature=crowdstrike-channel-file-291": lambda i: i["signature"] == "crowdstrike-channel-file-291",
                              "since=2024-07-19T05:00:00Z&until=2024-07-19T09:00:00Z": lambda i: "2024-07-19T05" <= i["time"] < "2024-07-19T09",
                              "text=acmeNIC": lambda i: i["module"] == "acmenic.sys", "text=pc-2": lambda i: i["host"] == "pc-2"}.items():
            found = [item["id"] for item in server.pages("/api/v1/crashes?limit=3&" + query)]
            self.assertEqual(found, [item["id"] for item in everything if wanted(item)], query)
            self.assertTrue(found, query)
            self.assertEqual(server.get("/crashes?" + query).status, 200)
        record = server.get(f"/api/v1/crashes/{everything[0]['id']}").json
        self.assertIn(everything[0]["id"], [i["id"] for i in server.pages("/api/v1/crashes?bucket=" + record["bucket"]["own"].replace("|", "%7C").replace("+", "%2B"))])
        incident = server.get("/api/v1/incidents?kind=signature").json["items"][0]
        self.assertEqual(len(server.pages(f"/api/v1/crashes?incident={incident['id']}")), incident["crashes"])

    def test_formats_incidents_signatures(self):
        server = self.serve("--url", "https://dumps.example")
        self.fill(server, 7)
        crash = server.pages("/api/v1/crashes?class=known-incident")[0]
        for name in ("text", "json", "jsonl", "markdown", "ticket", "ecs", "ocsf", "cef"):
            answer = server.get(f"/api/v1/crashes/{crash['id']}?format={name}")
            self.assertEqual(answer.status, 200)
            self.assertIn("CSAgent" if name in ("ecs",) else "CrowdStrike", answer.text) if name != "cef" else self.assertIn("CEF:0|", answer.text)
        ticket = server.get(f"/api/v1/crashes/{crash['id']}?format=ticket").text
        self.assertLessEqual(len(ticket.splitlines()[0].removeprefix("Short description: ").encode()), 160)
        # the same text as the page has, with what only the server knows
        self.assertRegex(ticket, r"\nSeen on \d+ hosts? with incident i\d+\.\nRecord: https://dumps\.example/crashes/" + crash["id"])
        self.assertTrue(ticket.strip() in html.unescape(server.get(f"/crashes/{crash['id']}").text))
        self.assertEqual(server.get(f"/api/v1/crashes/{crash['id']}?format=ticket").headers["Cache-Control"], "no-store")
        incidents = server.get("/api/v1/incidents").json
        self.assertEqual(incidents["crashes"], 7)
        one = server.get(f"/api/v1/incidents/i{incidents['items'][0]['id']}").json
        self.assertTrue(one["hours"])
        self.assertEqual(server.get(f"/incidents/{one['id']}").status, 200)
        self.assertIn("crowdstrike-channel-file-291", [s["id"] for s in server.get("/api/v1/signatures").json["items"]])
        self.assertEqual(server.get("/api/v1/healthz").json["status"], "ok")

    def test_signatures_are_taken_up_when_they_change(self):
        rules = self.folder / "rules"
        rules.mkdir()
        text = """id: acme-nic
title: %s
version: "1"
detection:
  a:
    fault.module: acmenic.sys
    bugcheck.code: 0xd1
  grades:
    probable: a
"""
        (rules / "a.yml").write_text(text % "One")
        server = self.serve("--signatures", rules)
        titles = lambda: [s["title"] for s in server.get("/api/v1/signatures").json["items"]]  # noqa: E731
        self.assertEqual(titles(), ["One"])
        (rules / "a.yml").write_text(text % "Two")
        until(lambda: titles() == ["Two"])
        self.assertIn("Two", self.only(server.upload(("a.dmp", built("nic-d1"))))["summary"])
        (rules / "b.yml").write_text("id: [broken")
        until(lambda: server.get("/api/v1/signatures").json["error"])
        self.assertIn("b.yml:2:1", server.get("/api/v1/signatures").json["error"])
        self.assertIn("b.yml:2:1", server.get("/signatures").text)
        self.assertEqual(titles(), ["Two"])
        (rules / "b.yml").unlink()
        until(lambda: not server.get("/api/v1/signatures").json["error"])
        self.assertEqual(titles(), ["Two"])
        self.assertIn("b.yml", self.log.read_text())

    def test_what_is_wrong_is_a_problem_document(self):
        server = self.serve()
        for path in ("/api/v1/crashes?class=bad", "/api/v1/crashes?since=never", "/api/v1/crashes?until=x", "/api/v1/crashes?code=zz", "/api/v1/crashes?incident=x",
                     "/api/v1/crashes?limit=0", "/api/v1/crashes?limit=201", "/api/v1/crashes?cursor=x", "/api/v1/incidents?kind=x", "/api/v1/incidents?limit=x",
                     "/api/v1/incidents?state=foo", "/api/v1/incidents?state=NEW", "/api/v1/incidents?kind=own&state=foo", "/api/v1/incidents?kind=fleet",
                     "/api/v1/crashes?class=DRIVER", "/api/v1/crashes/00?raw=0", "/api/v1/audit?limit=x", "/api/v1/uploads/00?wait=61"):
            self.assertProblem(server.get(path), 400)
        for state in ("outbreak", "new", "growing", "steady", "over", ""):
            for kind in ("signature", "own", "family", ""):
                self.assertEqual(server.get(f"/api/v1/incidents?kind={kind}&state={state}").status, 200)
                self.assertEqual(server.get(f"/incidents?kind={kind}&state={state}&span=2d").status, 200)
        # pages, too
        for path in ("/incidents?state=foo", "/incidents?kind=foo", "/incidents?span=1y", "/crashes?class=foo"):
            self.assertEqual(server.get(path).status, 400, path)
        for path in ("/api/v1/crashes/00", "/api/v1/crashes/" + "0" * 32, "/api/v1/crashes/x?format=json", "/api/v1/uploads/x", "/api/v1/incidents/0", "/api/v1/incidents/99",
                     "/api/v1/crashes/" + "0" * 32 + "/dump", "/api/v1/nothing", "/api/v1", "/api/v1/uploads/" + "0" * 32 + "/events"):
            self.assertProblem(server.get(path), 404)
        self.assertProblem(server.ask("DELETE", "/api/v1/crashes/" + "0" * 32), 404)
        self.assertProblem(server.ask("PUT", "/api/v1/dumps", b"x"), 405)
        self.assertProblem(server.ask("POST", "/api/v1/dumps?wait=x", b"x"), 400)
        crash = self.only(server.upload(("a.dmp", built("nic-d1"))))
        self.assertProblem(server.get(f"/api/v1/crashes/{crash['id']}?format=pdf"), 400)
        self.assertProblem(server.get(f"/api/v1/crashes/{crash['id']}/dump"), 404)
        # on a page it is a page
        answer = server.get("/crashes/00")
        self.assertEqual((answer.status, answer.headers["Content-Type"]), (404, "text/html; charset=utf-8"))
        self.assertEqual(server.get("/crashes?since=never").status, 400)

    def test_metrics_are_clean(self):
        server = self.serve()
        server.upload(("a.dmp", built("nic-d1")))
        text = server.get("/api/v1/metrics").text
        self.assertIn("dumptriage_crashes_added_total 1", text)
        promtool = shutil.which("promtool")
        if not promtool:
            self.skipTest("promtool is not installed")
        out = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True)
        self.assertEqual(out.returncode, 0, out.stderr + out.stdout)

    def test_the_description_of_the_api_is_true(self):
        """Each operation is called; what comes back keeps to the schema that the description gives for it."""
        import jsonschema
        server = self.serve()
        answer = server.upload(("a.dmp", built("csagent-50")), host="pc-1")
        crash = self.only(answer)
        description = server.get("/api/v1/openapi.json").json
        self.assertEqual(description["openapi"], "3.1.0")
        incident = server.get("/api/v1/incidents").json["items"][0]["id"]
        ids = {"/uploads/{id}": answer.json["id"], "/uploads/{id}/events": answer.json["id"], "/incidents/{id}": incident}
        called = set()
        operations = [(path, method) for path, item in description["paths"].items() for method in item if method in ("get", "post", "delete")]
        for path, method in sorted(operations, key=lambda o: o[1] == "delete"):
            operation = description["paths"][path][method]
            url = "/api/v1" + path.replace("{id}", str(ids.get(path, crash["id"])))
            body, headers = None, {}
            if method == "post":
                body, kind = multipart([("file", "b.dmp", built("nic-d1"))])
                headers = {"Content-Type": kind}
            got = server.ask(method.upper(), url, body, headers)
            self.assertIn(str(got.status), operation["responses"], (method, path, got.text))
            response = operation["responses"][str(got.status)]
            response = description["components"]["responses"][response["$ref"].rsplit("/", 1)[1]] if "$ref" in response else response
            kind = (got.headers["Content-Type"] or "").split(";")[0]
            if got.status == 204:
                called.add((path, method))
                continue
            self.assertIn(kind, response["content"], (path, method))
            schema = response["content"][kind].get("schema")
            if kind.endswith("json") and schema:
                document = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "components": description["components"]}
                jsonschema.Draft202012Validator(document).validate(got.json)
            called.add((path, method))
        self.assertEqual(len(called), len(operations))
        # and nothing is there that the description does not know
        routes = set()
        for line in pathlib.Path(SOURCE, "analyzer/doors/serve/visit.c").read_text().splitlines():
            if '"/api/v1' in line and line.strip().startswith("{"):
                method, path = [part.strip().strip('"') for part in line.strip(" {\t").split(",")[:2]]
                routes.add((path.removeprefix("/api/v1"), method.lower()))
        self.assertEqual(routes, set(operations))


class Rights(Case):
    def test_where_it_may_listen(self):
        for options, said in ((["--listen", "0.0.0.0:0"], "--behind-proxy"), (["--listen", "[::]:0", "--behind-proxy"], "--auth"),
                              (["--listen", "0.0.0.0:0", "--auth", "token"], "--behind-proxy"), (["--listen", "127.0.0.1:0", "--behind-proxy"], "--auth"),
                              (["--listen", "127.0.0.1:0", "--auth", "proxy"], "--behind-proxy"), (["--listen", "nowhere"], "--listen"),
                              (["--listen", "127.0.0.1:0", "--user-header", "X"], "--auth proxy")):
            out = run("serve", "--db", self.db, *options)
            self.assertEqual(out.returncode, 2, options)
            self.assertIn(said, out.stderr)

    def test_tokens_and_their_scopes(self):
        upload, read, admin = self.token("in", "upload"), self.token("out", "read"), self.token("boss", "admin")
        server = self.serve("--auth", "token")
        self.assertProblem(server.get("/api/v1/crashes"), 401)
        self.assertProblem(server.get("/api/v1/crashes", Authorization="Bearer dt_wrong"), 401)
        self.assertProblem(server.upload(("a.dmp", built("nic-d1")), headers=read), 403)
        answer = server.upload(("a.dmp", built("nic-d1")), headers=upload)
        crash = self.only(answer)
        self.assertEqual(answer.json["by"], "in")
        self.assertEqual(server.get(answer.json["status"], **upload).status, 200)
        self.assertProblem(server.get(f"/api/v1/crashes/{crash['id']}", **upload), 403)
        self.assertEqual(server.get(f"/api/v1/crashes/{crash['id']}", **read).status, 200)
        self.assertProblem(server.get(f"/api/v1/crashes/{crash['id']}?raw=1", **read), 403)
        self.assertProblem(server.ask("DELETE", f"/api/v1/crashes/{crash['id']}", headers=read), 403)
        self.assertProblem(server.get("/api/v1/audit", **read), 403)
        self.assertEqual(server.get(f"/api/v1/crashes/{crash['id']}?raw=1", **admin).status, 200)
        self.assertEqual(server.ask("DELETE", f"/api/v1/crashes/{crash['id']}", headers=admin).status, 204)
        self.assertEqual(server.get("/api/v1/healthz").status, 200)
        self.assertEqual(server.get("/assets/app.css").status, 200)
        said = [(a["who"], a["action"], a["object"]) for a in server.get("/api/v1/audit", **admin).json["items"]]
        self.assertEqual(said, [("boss", "delete", crash["id"]), ("boss", "view-raw", crash["id"]), ("in", "upload", answer.json["id"])])
        # nothing of a token is in the store
        stored = self.db.read_bytes() + (self.folder / "store.db-wal").read_bytes()
        for token in (upload, read, admin):
            self.assertNotIn(token["Authorization"].split()[1].encode(), stored)
        out = run("token", "revoke", "boss", "--db", self.db)
        self.assertEqual(out.returncode, 0, out.stderr)
        until(lambda: server.get("/api/v1/audit", **admin).status == 401, 15)
        self.assertIn("revoked", run("token", "list", "--db", self.db).stdout)
        self.assertEqual(run("token", "revoke", "boss", "--db", self.db).returncode, 1)
        self.assertEqual(run("token", "add", "in", "--db", self.db).returncode, 2)
        self.assertEqual(run("token", "add", "x", "--scopes", "root", "--db", self.db).returncode, 2)

    def test_signing_in_on_a_page(self):
        token = self.token("desk", "upload,read")["Authorization"].split()[1]
        server = self.serve("--auth", "token")
        answer = server.get("/crashes")
        self.assertEqual((answer.status, answer.headers["Location"]), (303, "/sign-in?back=%2Fcrashes"))
        cookie, csrf = server.form("/sign-in?back=%2Fcrashes")
        self.assertEqual(server.submit("/sign-in", cookie, csrf=csrf, token="dt_no", back="/").status, 403)
        self.assertEqual(server.submit("/sign-in", cookie, csrf="0" * 32, token=token, back="/").status, 403)
        self.assertEqual(server.submit("/sign-in", cookie, csrf=csrf, token=token, back="//evil.example/").headers["Location"], "/")
        answer = server.submit("/sign-in", cookie, csrf=csrf, token=token, back="/crashes")
        self.assertEqual((answer.status, answer.headers["Location"]), (303, "/crashes"))
        session = answer.headers["Set-Cookie"]
        for word in ("HttpOnly", "SameSite=Strict"):
            self.assertIn(word, session)
        session = session.split(";")[0]
        self.assertNotEqual(session, cookie)
        page = server.ask("GET", "/crashes", headers={"Cookie": session})
        self.assertEqual(page.status, 200)
        self.assertIn("desk", page.text)
        self.assertNotIn("Delete", page.text)
        _, csrf = server.form("/", session)
        self.assertEqual(server.submit("/sign-out", session, csrf=csrf).status, 303)
        self.assertEqual(server.ask("GET", "/crashes", headers={"Cookie": session}).status, 303)

    def test_behind_a_proxy(self):
        server = self.serve("--behind-proxy", "--auth", "proxy", "--user-header", "X-Remote-User", "--role-header", "X-Role")
        self.assertProblem(server.get("/api/v1/crashes"), 401)
        self.assertProblem(server.get("/api/v1/crashes", X_Remote_User="eve", X_Role="god"), 401)
        self.assertEqual(server.get("/api/v1/crashes", X_Remote_User="ann", X_Role="read").status, 200)
        self.assertProblem(server.get("/api/v1/audit", X_Remote_User="ann", X_Role="read"), 403)
        answer = server.upload(("a.dmp", built("nic-d1")), headers={"X-Remote-User": "ann", "X-Role": "upload", "X-Forwarded-For": "1.2.3.4, 10.9.8.7"})
        self.assertEqual(answer.json["by"], "ann")
        audit = server.get("/api/v1/audit", X_Remote_User="root", X_Role="admin").json["items"]
        self.assertEqual((audit[0]["who"], audit[0]["address"]), ("ann", "10.9.8.7"))
        self.assertIn("Secure", server.get("/", X_Remote_User="ann", X_Role="read").headers["Set-Cookie"])
        other = self.serve("--behind-proxy", "--auth", "proxy", "--user-header", "X-Remote-User", "--proxy", "10.0.0.1", "--spool", self.folder / "s2",
                           db=self.folder / "two.db")
        self.assertProblem(other.get("/api/v1/crashes", X_Remote_User="ann"), 403)

    def test_forged_requests(self):
        server = self.serve()
        crash = self.only(server.upload(("a.dmp", built("nic-d1"))))
        # another site's page: by what the browser says of it, by a name that is not ours, by a form without the hidden value
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
            self.assertProblem(server.upload(("a.dmp", b"x"), headers=headers), 403)
            self.assertProblem(server.ask("DELETE", f"/api/v1/crashes/{crash['id']}", headers=headers), 403)
        self.assertEqual(server.upload(("a.dmp", built("nic-d1")), headers={"Origin": f"http://127.0.0.1:{server.port}"}).status, 200)
        self.assertEqual(server.ask("GET", "/", headers={"Host": "evil.example"}).status, 403)
        cookie, csrf = server.form()
        other, _ = server.form()
        for sent_cookie, value in ((cookie, "0" * 32), (other, csrf), (cookie, "")):
            self.assertEqual(server.submit(f"/crashes/{crash['id']}/delete", sent_cookie, csrf=value).status, 403)
            body, kind = multipart([("file", "a.dmp", built("vgk-50"))], {"csrf": value})
            self.assertEqual(server.ask("POST", "/upload", body, {"Content-Type": kind, "Cookie": sent_cookie}).status, 403)
        self.assertEqual(len(server.pages("/api/v1/crashes")), 1)
        self.assertEqual(self.left_in_spool(), [])
        self.assertEqual(server.submit(f"/crashes/{crash['id']}/delete", cookie, csrf=csrf).status, 303)
        self.assertEqual(server.pages("/api/v1/crashes"), [])

    def test_every_page_has_its_policy(self):
        server = self.serve()
        crash = self.only(server.upload(("a.dmp", built("nic-d1"))))
        for path in ("/", "/crashes", f"/crashes/{crash['id']}", "/incidents", "/incidents/1", "/signatures", "/sign-in", "/nothing"):
            answer = server.get(path)
            policy = answer.headers["Content-Security-Policy"]
            self.assertIn("default-src 'none'", policy)
            self.assertNotIn("unsafe", policy)
            self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")
            self.assertNotIn(" style=", answer.text)
            self.assertNotIn("<script>", answer.text)
            self.assertNotIn("//", answer.text.replace("https://", "").split("<footer")[0].split("src=", 1)[1][:40])

    def test_too_many_requests(self):
        token = self.token("fast", "read")
        server = self.serve("--auth", "token", "--rate", 2, "--burst", 5)
        answers = [server.get("/api/v1/crashes", **token) for _ in range(12)]
        self.assertEqual({a.status for a in answers}, {200, 429})
        late = [a for a in answers if a.status == 429][0]
        self.assertProblem(late, 429)
        time.sleep(int(late.headers["Retry-After"]))
        self.assertEqual(server.get("/api/v1/crashes", **token).status, 200)

    def test_guessed_tokens_do_not_reach_the_store(self):
        token = self.token("good", "read")
        server = self.serve("--auth", "token", "--rate", 1, "--burst", 3)
        self.assertEqual(server.get("/api/v1/crashes", **token).status, 200)
        answers = [server.get("/api/v1/crashes", Authorization=f"Bearer guess-{i}").status for i in range(8)]
        self.assertEqual(set(answers), {401, 429})
        self.assertEqual(answers[-1], 429)
        # who is known already is not held back by them
        self.assertEqual(server.get("/api/v1/crashes", **token).status, 200)


class Webhook(Case):
    def hosts(self, server, numbers):
        bags = [(f"PC-{i:04d}_1.zip", zipped([("MEMORY.DMP", dump_at("csagent-50", JULY_19 + i * HOUR // 30, i))])) for i in numbers]
        answer = server.upload(*bags)
        self.assertEqual((answer.status, answer.json["crash_count"]), (200, len(bags)))

    def test_incidents_are_told_signed_and_sent_again(self):
        secret, template = self.folder / "key", self.folder / "hook.json"
        secret.write_text("key of the hook\n")
        template.write_text('{"text": "{{title}} is {{state}}", "hosts": {{hosts}}, "see": "{{url}}", "id": "{{id}}"}')
        failures = [("status", 500), ("drop",)]
        with Receiver(lambda number, *_: failures[number] if number < 2 else None) as receiver:
            options = ("--webhook", receiver.url + "hook/1", "--webhook-secret-file", secret, "--webhook-template", template, "--url", "https://dumps.example/")
            # a webhook begins with what changes from then on
            server = self.serve()
            self.hosts(server, range(29))
            server.stop()
            server = self.serve(*options)
            self.hosts(server, range(29, 30))
            until(lambda: len(receiver.order) >= 1, 60)
            for path, headers, body in receiver.requests:
                self.assertEqual(path, "/hook/1")
                self.assertEqual(headers["X-Dumptriage-Signature"], "sha256=" + hmac.new(b"key of the hook", body, hashlib.sha256).hexdigest())
            # sent again is the same event, counted anew: the 30th host may come in between
            sent = [json.loads(body) for _, _, body in receiver.requests[:2]]
            self.assertEqual(len({(t["id"], t["text"], t["see"]) for t in sent}), 1, sent)
            told = [event for _, event in receiver.order]
            self.assertTrue(any("CrowdStrike" in t["text"] and "outbreak" in t["text"] and t["hosts"] in (29, 30) for t in told), told)
            incident = [i for i in server.get("/api/v1/incidents").json["items"] if i["kind"] == "signature"][0]
            self.assertIn(f"https://dumps.example/incidents/{str(incident['id']).lstrip('i')}", [t["see"] for t in told])
            until(lambda: f'dumptriage_feed_events_total{{result="accepted"}} {len(receiver.order)}' in server.get("/api/v1/metrics").text, 30)
            self.assertEqual(server.stop(), 0)
            # what was told is not told again by the next run, and the same incident going on is no news
            before = len(receiver.requests)
            server = self.serve(*options)
            self.hosts(server, range(30, 32))
            time.sleep(3)
            self.assertEqual(len(receiver.requests), before)

    def test_one_that_is_away_gets_it_later(self):
        with Receiver() as receiver:
            port = receiver.port
        server = self.serve("--webhook", f"http://127.0.0.1:{port}/hook")
        self.hosts(server, range(10))
        until(lambda: "dumptriage_feed_failing 1" in server.get("/api/v1/metrics").text, 60)
        self.assertEqual(server.get("/api/v1/healthz").status, 200)
        server.stop()
        with Receiver() as receiver:
            # the address belongs to the name of the feed; another one would be another receiver
            status = run("feed", "status", "--db", self.db)
            self.assertRegex(status.stdout, r"webhook\+http://127.0.0.1:\d+/hook template\n.*; 0 events sent\n  \d+ changes wait")
            out = run("feed", "--db", self.db, "--to", f"webhook+{receiver.url}hook", "--replay")
            self.assertEqual(out.returncode, 0, out.stderr)
            self.assertTrue(receiver.order)

    def test_a_feed_that_is_removed_begins_anew(self):
        with Receiver() as receiver:
            server = self.serve("--webhook", receiver.url + "hook")
            self.hosts(server, range(3))
            until(lambda: receiver.order, 60)
            self.assertEqual(run("feed", "remove", "1", "--db", self.db).returncode, 0)
            until(lambda: "removed; it begins anew" in self.log.read_text(), 60)
            until(lambda: "hook template" in run("feed", "status", "--db", self.db).stdout, 60)

    def test_wrong_usage(self):
        for options, words in [(("--webhook", "ftp://host/"), "--webhook takes"), (("--webhook-secret-file", "x"), "go with --webhook"),
                               (("--webhook", "https://h/", "--webhook-template", SOURCE + "/README.md"), "no JSON"), (("--url", "dumps.example"), "--url takes"),
                               (("--webhook", "https://user:word@host/"), "URL: --webhook-secret-file FILE, or DUMPTRIAGE_WEBHOOK_SECRET in"),
                               (("--carriers", SOURCE + "/README.md"), "carriers: " + SOURCE + "/README.md:"),
                               (("--signatures", SOURCE + "/README.md"), "signatures: " + SOURCE + "/README.md"),
                               (("--webhook", "https://h/", "--webhook-template", "/nowhere"), "/nowhere")]:
            out = run("serve", "--db", self.db, "--listen", "127.0.0.1:0", *options)
            self.assertIn(out.returncode, (2, 3))
            self.assertIn(words, out.stderr)
            self.assertNotRegex(out.stderr, r"signatures: .*carriers|carriers: .*signatures| --secret-file")


class Privacy(Case):
    def test_dumps_are_deleted_or_kept_as_told(self):
        server = self.serve()
        crash = self.only(server.upload(("a.dmp", built("nic-d1"))))
        self.assertEqual(self.left_in_spool(), [])
        self.assertProblem(server.get(f"/api/v1/crashes/{crash['id']}/dump"), 404)
        server.stop()
        server = self.serve("--keep-dumps", 3)
        crash = self.only(server.upload(("b.dmp", built("vgk-50"))))
        kept = list((self.spool / "kept").iterdir())
        self.assertEqual([k.name for k in kept], [hashlib.sha256(built("vgk-50")).hexdigest()])
        self.assertEqual(kept[0].stat().st_mode & 0o777, 0o600)
        self.assertEqual(self.spool.stat().st_mode & 0o777, 0o700)
        self.assertEqual(server.get(f"/api/v1/crashes/{crash['id']}/dump").body, built("vgk-50"))
        actions = [a["action"] for a in server.get("/api/v1/audit").json["items"]]
        self.assertEqual(actions[0], "download")
        # deletion takes it everywhere, and it does not come back
        self.assertEqual(server.ask("DELETE", f"/api/v1/crashes/{crash['id']}").status, 204)
        self.assertEqual(self.left_in_spool(), [])
        self.assertProblem(server.get(f"/api/v1/crashes/{crash['id']}"), 404)
        again = server.upload(("b.dmp", built("vgk-50")))
        self.assertTrue(self.only(again)["deleted"])
        self.assertIn("deleted", server.get(again.json["url"] + "?list=1").text)
        self.assertProblem(server.get(f"/api/v1/crashes/{crash['id']}"), 404)
        self.healthy()
        server.stop()
        # what was kept before goes when it is too old
        old = self.spool / "kept" / ("0" * 64)
        old.write_bytes(b"x")
        os.utime(old, (time.time() - 4 * 86400,) * 2)
        server = self.serve("--keep-dumps", 3)
        until(lambda: not old.exists())

    def test_records_expire(self):
        server = self.serve()
        self.only(server.upload(("a.dmp", built("nic-d1"))))
        server.stop()
        with sqlite3.connect(self.db) as db:
            db.execute("UPDATE crashes SET added = added - 40 * 864000000000")
            db.execute("UPDATE uploads SET done = done - 40 * 864000000000")
            db.execute("UPDATE audit SET at = at - 40 * 864000000000")
        server = self.serve("--keep-records", 30, "--keep-audit", 90)
        until(lambda: not server.pages("/api/v1/crashes"))
        self.assertTrue(server.get("/api/v1/audit").json["items"])
        with sqlite3.connect(self.db) as db:
            self.assertEqual(db.execute("SELECT count(*) FROM uploads").fetchone(), (0,))
            self.assertEqual(db.execute("SELECT count(*) FROM upload_items").fetchone(), (0,))
        self.healthy()
        server.stop()
        server = self.serve("--keep-audit", 30)
        until(lambda: not server.get("/api/v1/audit").json["items"])

    def test_names_of_users_are_masked(self):
        read, admin = self.token("r", "read"), self.token("a", "admin")
        server = self.serve("--auth", "token")
        archive = zipped([("Users/Alice.Smith/AppData/Local/CrashDumps/x.dmp", built("user-av-x64"))])
        crash = self.only(server.upload(("bag.zip", archive), headers=admin))
        for name in ("json", "markdown", "ticket", "text", "ecs", "ocsf", "cef"):
            self.assertNotIn("Alice", server.get(f"/api/v1/crashes/{crash['id']}?format={name}", **read).text, name)
        self.assertNotIn("Alice", server.get(f"/api/v1/crashes/{crash['id']}", **admin).text)
        self.assertIn("Alice", server.get(f"/api/v1/crashes/{crash['id']}?raw=1", **admin).text)
        self.assertEqual(server.get("/api/v1/crashes?text=alice", **read).json["items"], [])
        self.assertEqual(len(server.get("/api/v1/crashes?text=alice", **admin).json["items"]), 1)
        page = server.ask("GET", f"/crashes/{crash['id']}", headers=read).text
        self.assertNotIn("Alice", page)


class Hostile(Case):
    def test_names(self):
        """Names are text: no folder, no header, no markup comes of them."""
        server = self.serve()
        names = [b"../../../etc/passwd", b"C:\\Users\\x\\..\\..\\evil.dmp", b"<script>alert(1)</script>.dmp", b"a\x01\x1b[31mb.dmp", b"x%0d%0aSet-Cookie: a=b",
                 b"\xff\xfe" + b"A\x01" * 2048, b"." * 300, b"..", b"'; DROP TABLE crashes; --", "näme ☃.dmp".encode(), b"\xe2\x80\xaegnp.exe"]
        for i, name in enumerate(names):
            answer = server.upload((name, dump_at("nic-d1", JULY_19, i)))
            crash = self.only(answer)
            self.assertLessEqual(len(crash["name"].encode()), 255)
            self.assertNotIn("/", crash["name"].replace("</script>", ""))
            self.assertNotIn("\n", crash["name"])
            self.assertNotIn("Set-Cookie: a=b", str(answer.headers))
            for path in (f"/crashes/{crash['id']}", answer.json["url"] + "?list=1"):
                page = server.get(path).text
                self.assertNotIn("<script>alert", page)
                self.assertNotIn("\x1b", page)
        self.assertEqual(len(server.pages("/api/v1/crashes")), len(names))
        # a name with NULs ends the header early: refused, and nothing stays of it
        self.assertIn(server.upload((b"\xd8\x00\xdc\x00.dmp", built("nic-d1"))).status, (400, 413))
        self.assertEqual(self.left_in_spool(), [])
        self.assertEqual(sorted(os.listdir(self.folder)), ["serve.log", "store.db", "store.db-shm", "store.db-wal", "store.db.spool"])
        self.healthy()

    def test_fields(self):
        server = self.serve()
        evil = "<img src=x onerror=alert(1)>\x00\r\nX: y"
        crash = self.only(server.upload(("a.dmp", built("nic-d1")), ticket=evil, note="n" * 1000 + "</textarea><script>alert(1)</script>"))
        page = server.get(f"/crashes/{crash['id']}").text
        self.assertNotIn("<img", page)
        self.assertNotIn("<script>alert", page)
        for fields in ({"host": "<b>"}, {"host": "a b"}, {"host": "h" * 300}, {"ticket": "t" * 201}, {"note": "n" * 2001}):
            self.assertProblem(server.upload(("a.dmp", b"x"), **fields), 400)
        self.assertProblem(server.upload(("a.dmp", b"x"), note="n" * 70000), 413)
        self.assertEqual(self.left_in_spool(), [])

    def test_module_names_that_are_html(self):
        server = self.serve()
        data = built("nic-d1").replace("acmenic.sys".encode("utf-16le"), "<b>ab<b>x.s".encode("utf-16le"))
        self.assertNotEqual(data, built("nic-d1"))
        crash = self.only(server.upload(("a.dmp", data), host="pc-1"))
        self.assertIn("<b>ab<b>x.s", crash["summary"])
        for path in (f"/crashes/{crash['id']}", "/crashes", "/", "/incidents", "/crashes?module=%3Cb%3Eab%3Cb%3Ex.s"):
            page = server.get(path).text
            self.assertNotIn("<b>ab", page)
            self.assertIn("&lt;b&gt;ab", page)

    def test_bodies_that_are_wrong(self):
        server = self.serve()
        form = "multipart/form-data; boundary=XYZ"
        part = b'--XYZ\r\nContent-Disposition: form-data; name="file"; filename="a.dmp"\r\n\r\n'
        for body, kind, status in ((b"nonsense", form, 400), (b"", form, 400), (part + b"12345", form, 400), (part + b"12345\r\n--XYZ--\r\n", form, 202),
                                   (b"", "application/octet-stream", 400), (b"x", "multipart/form-data", 400), (b"a=b", "application/x-www-form-urlencoded", 202)):
            answer = server.ask("POST", "/api/v1/dumps", body, {"Content-Type": kind})
            self.assertEqual(answer.status, status, (body, answer.text))
        many, kind = multipart([("file", "a", b"x")] * 257)
        self.assertProblem(server.ask("POST", "/api/v1/dumps", many, {"Content-Type": kind}), 413)
        until(lambda: self.left_in_spool() == [])

    def test_a_form_in_small_pieces_is_the_same_form(self):
        server = self.serve()
        body, kind = multipart([("file", "a.dmp", built("nic-d1")[:500]), ("file", "b.dmp", b"x" * 30)], {"host": "pc-5", "ticket": "T1"})
        for step in (1, 2, 3, 7):
            with socket.create_connection(("127.0.0.1", server.port)) as connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection.sendall(f"POST /api/v1/dumps?wait=20 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: {kind}\r\n"
                                   f"Content-Length: {len(body)}\r\n\r\n".encode())
                for at in range(0, len(body), step):
                    connection.sendall(body[at:at + step])
                said = b""
                while more := connection.recv(65536):
                    said += more
            upload = json.loads(said.split(b"\r\n\r\n", 1)[1])
            self.assertEqual((upload["host"], upload["ticket"], [f["size"] for f in upload["files"]]), ("pc-5", "T1", [500, 30]), step)

    def test_thousands_of_members_with_long_names(self):
        """An answer holds the first of them; the page and the stream end; memory stays what it was."""
        server = self.serve()
        many = zipped((f"{i:05}" + "n" * 900, b"no dump") for i in range(3000))
        answer = server.upload(("all.zip", many), wait=60)
        until(lambda: server.get(answer.json["status"] + "?wait=30").json["state"] == "done", 120)
        done = server.get(answer.json["status"]).json
        self.assertEqual((done["crash_count"], len(done["crashes"])), (3000, 200))
        self.assertEqual(server.get(done["url"]).status, 200)
        self.assertIn('"state":"done"', server.get(done["events"]).text)
        server.stop()
        server = self.serve()
        done = server.get(answer.json["status"]).json
        self.assertEqual((done["crash_count"], len(done["crashes"])), (3000, 200))

    def test_an_upload_over_the_limit(self):
        server = self.serve("--max-upload", "1M")
        for announced in (True, False):
            connection = server.connect()
            connection.putrequest("POST", "/api/v1/dumps")
            connection.putheader("Content-Type", "application/octet-stream")
            if announced:
                connection.putheader("Content-Length", str(10 << 30))
            else:
                connection.putheader("Transfer-Encoding", "chunked")
            connection.endheaders()
            try:
                for _ in range(1 if announced else 40):
                    chunk = b"\0" * 65536
                    connection.send(chunk if announced else b"%x\r\n%s\r\n" % (len(chunk), chunk))
                if not announced:
                    connection.send(b"0\r\n\r\n")
                answer = connection.getresponse()
                self.assertEqual(answer.status, 413)
                self.assertIn("1048576 bytes", answer.read().decode())
            except (BrokenPipeError, ConnectionResetError):
                self.assertTrue(announced or not announced)  # cut while it was still sending: refused as well
            connection.close()
        self.assertEqual(self.only(server.upload(("a.dmp", built("nic-d1"))))["class"], "driver")
        until(lambda: self.left_in_spool() == [])

    def test_uploads_that_break_off(self):
        server = self.serve()
        body, kind = multipart([("file", "a.dmp", built("csagent-50"))])
        for part in (0, 10, 200, len(body) // 2, len(body) - 1):
            with socket.create_connection(("127.0.0.1", server.port)) as connection:
                connection.sendall(f"POST /api/v1/dumps HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body[:part])
        until(lambda: self.left_in_spool() == [])
        self.assertEqual(server.pages("/api/v1/crashes"), [])
        self.assertEqual(self.only(server.upload(("a.dmp", built("csagent-50"))))["class"], "known-incident")

    def test_slow_ones_are_cut_and_hold_up_nobody(self):
        server = self.serve("--header-timeout", 2, "--body-grace", 2, "--connections", 400)
        slow = []
        for i in range(300):
            connection = socket.create_connection(("127.0.0.1", server.port))
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " if i % 2 else
                               b"POST /api/v1/dumps HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/octet-stream\r\nContent-Length: 1000000\r\n\r\nabc")
            slow.append(connection)
        began = time.monotonic()
        self.assertEqual(self.only(server.upload(("a.dmp", built("csagent-50"))))["class"], "known-incident")
        for connection in slow:
            connection.settimeout(30)
            self.assertIn(connection.recv(1), (b"", b"H"))
            connection.close()
        self.assertLess(time.monotonic() - began, 30)
        until(lambda: self.left_in_spool() == [])

    def test_five_hundred_at_once(self):
        server = self.serve()
        count = 150 if SANITIZED else 500

        def one(i):
            answer = server.upload((f"{i}.dmp", dump_at(RECIPES[i % 6], JULY_19, i)), host=f"pc-{i}", wait=60)
            return answer.status, answer.json["state"], len(answer.json["crashes"])

        with concurrent.futures.ThreadPoolExecutor(count) as pool:
            answers = list(pool.map(one, range(count)))
        self.assertEqual(set(answers), {(200, "done", 1)})
        self.assertEqual(len(server.pages("/api/v1/crashes?limit=200")), count)
        self.assertEqual(self.left_in_spool(), [])
        if not SANITIZED:
            self.assertLess(resident(server.process.pid)[1], 150)
        self.assertEqual(server.stop(), 0)
        self.healthy()

    def test_no_route_leads_to_a_file(self):
        server = self.serve()
        crash = self.only(server.upload(("a.dmp", built("nic-d1"))))
        for path in ("/assets/../serve.c", "/assets/..%2f..%2fetc%2fpasswd", "/assets//etc/passwd", "/assets/%2e%2e/app.css", "/../../etc/passwd", "//etc/passwd",
                     "/api/v1/crashes/..%2f..%2fetc%2fpasswd", f"/api/v1/crashes/{crash['id']}/..%2fdump", "/uploads/../../etc/passwd", "/assets/app.css%00.html",
                     "/assets/"):
            connection = server.connect()
            connection.putrequest("GET", path, skip_host=False)
            connection.endheaders()
            answer = connection.getresponse()
            body = answer.read()
            # a NUL ends the address: what stands before it is one of our own files
            self.assertIn(answer.status, (200,) if "%00" in path else (400, 404), path)
            self.assertNotIn(b"root:", body)
            connection.close()

    def test_too_many_that_wait(self):
        with self.serve("--queue-limit", 3, "--jobs", 1) as server:
            big = zipped((f"{i}.dmp", dump_at("nic-d1", JULY_19, i)) for i in range(300))
            answers = [server.upload((f"{i}.zip", big + bytes(i)), wait=0) for i in range(8)]
            self.assertIn(503, {a.status for a in answers})
            late = [a for a in answers if a.status == 503][0]
            self.assertProblem(late, 503)
            self.assertTrue(late.headers["Retry-After"])


class Faults(Case):
    def test_it_ends_in_order(self):
        """SIGTERM: what comes in is taken to its end and stored; a second server finds nothing half done."""
        server = self.serve()
        body, kind = multipart([("file", "a.dmp", built("csagent-50"))])
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(f"POST /api/v1/dumps?wait=30 HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
                               + body[:1000])
            until(lambda: self.left_in_spool())
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            with self.assertRaises(OSError):
                socket.create_connection(("127.0.0.1", server.port), timeout=5).close()
            connection.sendall(body[1000:])
            connection.settimeout(30)
            said = b""
            while b'"state":"done"' not in said:
                more = connection.recv(65536)
                self.assertTrue(more, said)
                said += more
        self.assertEqual(server.process.wait(60), 0)
        self.assertEqual(self.left_in_spool(), [])
        self.healthy()

    def test_an_upload_that_does_not_end_is_cut_at_the_end(self):
        server = self.serve("--grace", 1)
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(b"POST /api/v1/dumps HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/octet-stream\r\nContent-Length: 1000000\r\n\r\nabc")
            until(lambda: self.left_in_spool())
            self.assertEqual(server.stop(timeout=60), 0)
        self.assertEqual(self.left_in_spool(), [])

    def test_what_is_not_done_at_the_end_is_done_by_the_next(self):
        server = self.serve("--grace", 0, "--jobs", 1)
        big = zipped((f"{i}.dmp", dump_at("nic-d1", JULY_19, i)) for i in range(400))
        uploads = [server.upload((f"{i}.zip", big + bytes(i)), wait=0).json for i in range(6)]
        self.assertEqual(server.stop(timeout=60), 0)
        self.assertTrue(any(name.endswith(".json") for name in self.left_in_spool()))
        server = self.serve()
        for upload in uploads:
            done = until(lambda: (lambda a: a.status == 200 and a.json["state"] == "done" and a)(server.get(upload["status"] + "?wait=30")), 120)
            self.assertEqual((done.json["crash_count"], len(done.json["crashes"])), (400, 200))
        self.assertEqual(len(server.pages("/api/v1/crashes?limit=200")), 400)
        until(lambda: self.left_in_spool() == [])
        server.stop()
        self.healthy()

    def test_killed_anywhere(self):
        """kill -9 at each place between the last byte and the answer: after a restart all that was accepted is there, once."""
        for place in ("before-accept:1", "after-accept:1", "after-record:1", "in-batch:1", "before-commit:1", "after-commit:1", "before-leave-spool:1"):
            with self.subTest(place):
                shutil.rmtree(self.spool, ignore_errors=True)
                for path in self.folder.glob("store.db*"):
                    path.unlink()
                server = self.serve(env={"DUMPTRIAGE_KILL_AT": place})
                accepted = False
                try:
                    accepted = server.upload(("a.zip", zipped([("1.dmp", built("csagent-50")), ("2.dmp", built("nic-d1"))])), host="pc-1").status in (200, 202)
                except OSError:
                    pass
                self.assertEqual(server.process.wait(60), -signal.SIGKILL)
                server = self.serve()
                if place.startswith("before-accept"):
                    # nobody was told that it was taken, and nothing of it stays
                    self.assertFalse(accepted)
                    until(lambda: self.left_in_spool() == [])
                    self.assertEqual(server.pages("/api/v1/crashes"), [])
                else:
                    until(lambda: not server.get("/api/v1/healthz").json["open_uploads"])
                    self.assertEqual(len(server.pages("/api/v1/crashes")), 2)
                    with sqlite3.connect(self.db) as db:
                        self.assertEqual(db.execute("SELECT count(*) FROM uploads").fetchone(), (1,))
                        self.assertEqual(db.execute("SELECT count(*) FROM upload_items").fetchone(), (2,))
                        self.assertEqual(db.execute("SELECT count(*) FROM audit").fetchone(), (1,))
                    self.assertEqual(self.left_in_spool(), [])
                server.stop()
                self.healthy()

    def test_a_full_disk(self):
        small = self.folder / "small"
        small.mkdir()
        if os.getuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(small)], capture_output=True).returncode:
            self.skipTest("a small file system cannot be mounted here")
        self.addCleanup(subprocess.run, ["umount", "-l", str(small)])
        server = self.serve("--spool", small / "spool", "--spool-reserve", "1K")
        answer = server.upload(("a.dmp", bytes(4 << 20)))
        self.assertProblem(answer, 507)
        self.assertIn("spool", self.log.read_text())
        # it goes on when there is room
        self.assertEqual(self.only(server.upload(("a.dmp", built("csagent-50"))))["class"], "known-incident")
        self.assertEqual([p for p in (small / "spool").rglob("*") if p.is_file()], [])
        server.stop()
        full = self.serve("--spool", small / "spool", "--spool-reserve", "1G")
        self.assertProblem(full.upload(("a.dmp", built("csagent-50"))), 507)

    def test_a_spool_of_somebody_else(self):
        first = self.serve()
        out = run("serve", "--db", self.db, "--listen", "127.0.0.1:0")
        self.assertEqual(out.returncode, 3)
        self.assertIn("used by another server", out.stderr)
        first.stop()
        os.chmod(self.spool, 0o755)
        out = run("serve", "--db", self.db, "--listen", "127.0.0.1:0")
        self.assertEqual(out.returncode, 3)
        self.assertIn("read by others", out.stderr)

    def test_the_store_is_away(self):
        server_db = self.postgres()
        server = self.serve("--spool", self.folder / "spool", db=server_db.url)
        self.only(server.upload(("a.dmp", built("nic-d1"))))
        server_db.crash()
        # pages say that it is away; uploads are taken and wait
        self.assertIn(server.get("/crashes").status, (503,))
        self.assertProblem(server.get("/api/v1/crashes"), 503)
        self.assertEqual(server.get("/api/v1/healthz").status, 503)
        waiting = server.upload(("b.dmp", built("csagent-50")), wait=3)
        self.assertEqual(waiting.status, 202)
        self.assertNotEqual(waiting.json["state"], "done")
        self.assertIn("store", waiting.json["waiting"])
        server_db.start()
        done = until(lambda: (lambda a: a.status == 200 and a.json["state"] == "done" and a)(server.get(waiting.json["status"] + "?wait=5")), 90)
        self.assertEqual(self.only(done)["class"], "known-incident")
        self.assertEqual(len(server.pages("/api/v1/crashes")), 2)
        self.assertEqual(server.get("/api/v1/healthz").status, 200)
        self.assertEqual(server.stop(), 0)

    def test_the_store_hangs(self):
        """The server's processes are stopped, their connections stay."""
        server_db = self.postgres()
        server = self.serve("--spool", self.folder / "spool", db=server_db.url + "?options=-c%20statement_timeout%3D1000")
        self.only(server.upload(("a.dmp", built("nic-d1"))))
        self.assertEqual(server.get("/api/v1/crashes").status, 200)
        stopped = server_db.stop_backends()
        # each thread finds it out once, and has a connection that works from then on
        begin = time.monotonic()
        until(lambda: server.get("/api/v1/crashes").status == 200, 120)
        self.assertLess(time.monotonic() - begin, 120)
        done = server.upload(("b.dmp", built("csagent-50")), wait=1)
        until(lambda: server.get(done.json["status"] + "?wait=5").json["state"] == "done", 120)
        server_db.go_on(stopped)
        self.assertEqual(len(server.pages("/api/v1/crashes")), 2)
        self.assertEqual(server.stop(), 0)


class Deployed(Case):
    """The files of docs/ that people install."""

    def test_behind_the_nginx_of_the_documentation(self):
        nginx, openssl = shutil.which("nginx") or "/usr/sbin/nginx", shutil.which("openssl")
        if not os.access(nginx, os.X_OK) or not openssl:
            self.skipTest("nginx is not installed")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        token = self.token("desk", "upload,read")
        server = self.serve("--behind-proxy", "--auth", "token")
        subprocess.run([openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem", "-days", "2", "-subj",
                        "/CN=dumptriage.example.com", "-addext", "subjectAltName=DNS:dumptriage.example.com"], cwd=self.folder, check=True, capture_output=True)
        text = pathlib.Path(SOURCE, "docs/nginx/dumptriage.conf").read_text()
        for old, new in (("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;"), ("    listen [::]:443 ssl;\n", ""), ("127.0.0.1:8080", f"127.0.0.1:{server.port}"),
                         ("/etc/ssl/certs/dumptriage.pem", str(self.folder / "cert.pem")), ("/etc/ssl/private/dumptriage.key", str(self.folder / "key.pem"))):
            self.assertIn(old, text)
            text = text.replace(old, new)
        conf = self.folder / "nginx.conf"
        conf.write_text(f"daemon off; pid {self.folder}/nginx.pid; error_log {self.folder}/error.log; events {{}}\nhttp {{ access_log off;"
                        + "".join(f" {name}_temp_path {self.folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")) + f"\n{text}\n}}\n")
        process = subprocess.Popen([nginx, "-c", str(conf)], stderr=subprocess.DEVNULL)
        self.addCleanup(lambda: (process.terminate(), process.wait()))
        until(lambda: listening(port))
        context = ssl.create_default_context(cafile=str(self.folder / "cert.pem"))

        def ask(method, path, body=None, headers=None):
            connection = http.client.HTTPSConnection("dumptriage.example.com", port, context=context)
            connection._create_connection = lambda address, *rest: socket.create_connection(("127.0.0.1", port), *rest)
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            said = response.read()
            connection.close()
            return response, said

        body, kind = multipart([("file", "a.dmp", built("csagent-50"))])
        response, said = ask("POST", "/api/v1/dumps?wait=30", body, {"Content-Type": kind, "X-Forwarded-For": "6.6.6.6", **token})
        self.assertEqual(response.status, 200, said)
        upload = json.loads(said)
        self.assertEqual(upload["crashes"][0]["class"], "known-incident")
        # a page of ours may change things, another site's may not; who asks is who nginx saw
        origin = f"https://dumptriage.example.com:{port}"
        response, said = ask("GET", "/sign-in")
        cookie = response.headers["Set-Cookie"].split(";")[0]
        csrf = said.decode().split('name="csrf" value="')[1][:32]
        form = urllib.parse.urlencode({"csrf": csrf, "token": token["Authorization"].split()[1], "back": "/crashes"})
        headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
        self.assertEqual(ask("POST", "/sign-in", form, {**headers, "Origin": "https://evil.example"})[0].status, 403)
        self.assertEqual(ask("POST", "/sign-in", form, {**headers, "Origin": origin})[0].status, 303)
        with sqlite3.connect(self.db) as db:
            self.assertEqual(db.execute("SELECT address FROM audit WHERE object = ?", (upload["id"],)).fetchone(), ("127.0.0.1",))
        response, said = ask("GET", f"/api/v1/uploads/{upload['id']}/events", None, token)
        self.assertIn(b"event: status", said)

    def test_the_systemd_unit_is_one(self):
        analyze = shutil.which("systemd-analyze")
        if not analyze:
            self.skipTest("systemd-analyze is not installed")
        unit = self.folder / "dumptriage-serve.service"
        unit.write_text(pathlib.Path(SOURCE, "docs/systemd/dumptriage-serve.service").read_text().replace("/usr/bin/dumptriage", PROGRAM))
        out = subprocess.run([analyze, "verify", "--man=no", str(unit)], capture_output=True, text=True)
        self.assertNotIn("dumptriage-serve.service:", out.stdout + out.stderr)


if __name__ == "__main__":
    SCRATCH.mkdir(parents=True, exist_ok=True)
    unittest.main(argv=[sys.argv[0], "-v"])
