"""A receiver of events on loopback, for _bulk, HEC and webhooks, that answers as a test plans it: `with Receiver(plan) as r: r.url`.

plan(number, kind, body) is called for each request and gives None (as a good receiver answers), or
  ("status", 503, {"Retry-After": "1"}), ("html",), ("drop",), ("half",), ("slow", seconds), ("items", {index: status}), ("json", status, object)
"""
import http.server
import json
import ssl
import threading
import time


class Receiver:
    def __init__(self, plan=None, context=None):
        self.plan = plan or (lambda *_: None)
        self.stored = {}  # id -> event, as an index with `create` would have it
        self.order = []  # (id, event) of each time one came
        self.requests = []  # (path, headers, body)
        self.envelopes = []  # HEC
        self.duplicates = 0
        self.acks = {}
        self.lock = threading.Lock()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_POST(self):  # noqa: N802
                receiver.handle(self)

        class Quiet(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, *_):
                pass

        self.server = Quiet(("127.0.0.1", 0), Handler)
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        self.url = f"http{'s' if context else ''}://localhost:{self.port}/"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def answer(self, handler, status, body, kind="application/json", headers=None):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(data)

    def handle(self, handler):
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        with self.lock:
            kind = "bulk" if handler.path.endswith("/_bulk") else "ack" if handler.path.endswith("/ack") else \
                "hec" if handler.path.startswith("/services/collector/event") else "hook"
            number = len(self.requests)
            self.requests.append((handler.path, dict(handler.headers), body))
            action = self.plan(number, kind, body)
            rules = action or ("good",)
            if rules[0] == "slow":
                time.sleep(rules[1])
            if rules[0] == "drop":
                handler.close_connection = True
                handler.connection.close()
                return
            if rules[0] == "html":
                self.answer(handler, 200, b"<html><body>Please log in</body></html>", "text/html")
            elif rules[0] == "status":
                self.answer(handler, rules[1], {"error": "planned"}, headers=rules[2] if len(rules) > 2 else None)
            elif rules[0] == "json":
                self.answer(handler, rules[1], rules[2])
            else:
                getattr(self, "take_" + kind)(handler, body, rules)

    def keep(self, name, event):
        self.order.append((name, event))
        fresh = name not in self.stored
        self.duplicates += not fresh
        self.stored.setdefault(name, event)
        return fresh

    def take_bulk(self, handler, body, rules):
        assert handler.headers["Content-Type"] == "application/x-ndjson" and body.endswith(b"\n")
        lines = body.decode("utf-8").split("\n")[:-1]
        assert len(lines) % 2 == 0
        statuses = rules[1] if rules[0] == "items" else {}
        items = []
        for index in range(len(lines) // 2):
            action, event = json.loads(lines[2 * index]), json.loads(lines[2 * index + 1])
            assert list(action) == ["create"]
            name = action["create"]["_id"]
            status = statuses.get(index, statuses.get("*", 0)) if not callable(statuses) else statuses(event)
            if not status:
                status = 201 if self.keep(name, event) else 409
            item = {"_index": "x", "_id": name, "status": status}
            if status >= 400:
                item["error"] = {"type": "planned_exception", "reason": "as planned"}
            items.append({"create": item})
        if rules[0] == "half":  # it kept them, and the answer is lost
            handler.connection.close()
            handler.close_connection = True
            return
        self.answer(handler, 200, {"took": 1, "errors": any("error" in i["create"] for i in items), "items": items})

    def take_hec(self, handler, body, rules):
        if not (handler.headers["Authorization"] or "").startswith("Splunk "):
            self.answer(handler, 401, {"text": "Token is required", "code": 2})
            return
        for index, line in enumerate(body.decode("utf-8").split("\n")[:-1]):
            envelope = json.loads(line)
            if rules[0] == "items" and rules[1](envelope["event"]):
                self.answer(handler, 400, {"text": "Invalid data format", "code": 6, "invalid-event-number": index})
                return
            event = envelope["event"]
            self.envelopes.append(envelope)
            self.keep(event["event"]["id"] if "event" in event else event["metadata"]["uid"], event)
        reply = {"text": "Success", "code": 0}
        if handler.headers["X-Splunk-Request-Channel"]:
            reply["ackId"] = len(self.acks)
            self.acks[len(self.acks)] = 0
        self.answer(handler, 200, reply)

    def take_ack(self, handler, body, _rules):
        """The indexer has it when it is asked the second time."""
        out = {}
        for number in json.loads(body)["acks"]:
            self.acks[number] += 1
            out[str(number)] = self.acks[number] > 1
        self.answer(handler, 200, {"acks": out})

    def take_hook(self, handler, body, _rules):
        self.order.append(("hook", json.loads(body)))
        self.answer(handler, 200, {})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def server_context(certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
