"""A Hub that says what a test has it say, for what no Hub should."""

import http.server
import json
import threading


class ScriptedHub(http.server.ThreadingHTTPServer):
    """Answers each request with what `reply(path)` yields: a JSON value, or a status, headers and a JSON value.
    What is posted is in `posted`."""

    def __init__(self, reply):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                self.server.posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.do_GET()

            def do_GET(self):
                told = reply(self.path)
                status, headers, value = told if isinstance(told, tuple) else (200, {}, told)
                body = json.dumps(value).encode()
                self.send_response(status)
                for name, text in {"Content-Type": "application/json", "Content-Length": len(body), **headers}.items():
                    self.send_header(name, str(text))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.daemon_threads = True
        self.posted = []
        self.endpoint = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def stop(self):
        self.shutdown()
        self.server_close()
