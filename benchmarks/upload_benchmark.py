"""Uploads, next to what the same machine needs for the same bytes by other means.

  large:   one file of --mib into nginx (DAV PUT) behind a Hub's answers, plain and TLS, against `openssl dgst
           -sha256` plus `curl -T` to the same nginx (the sha256 must be known before a transfer can start)
  overlap: 8 files of --mib / 4, against hashing alone and sending alone
  many:    one commit of --files files of 4 KiB to `cohub serve`, against the Python client if its sources are
           given
  kill:    a file of 2 * --mib in parts to `cohub serve`, killed (SIGKILL) at 20 random moments
  folder:  `upload-large-folder` of --files small and 3 large files, killed 5 times

Needs curl, openssl, time, and nginx with its DAV module (Debian: nginx-light is not enough, nginx-core is).

Usage: upload_benchmark.py COHUB [large overlap many kill folder] [--mib 1024] [--rounds 3] [--files 20000]
       [--work DIR] [--python-client SRC]
"""

import argparse
import contextlib
import hashlib
import http.server
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from measure import alternate, measured, report, together
from nginx import free_port, make_certificate, start_nginx


class Sink:
    """nginx that takes PUTs of whole objects, plain or TLS."""

    def __init__(self, folder, tls):
        self.folder = folder
        self.port = free_port()
        self.scheme = "https" if tls else "http"
        (folder / "store").mkdir(parents=True)
        configuration = f"""
daemon off; worker_processes 2; pid {folder}/nginx.pid; error_log {folder}/error.log;
{"user root;" if os.geteuid() == 0 else ""}
include /etc/nginx/modules-enabled/*.conf;
events {{ worker_connections 512; }}
http {{
  access_log off; client_max_body_size 0; client_body_buffer_size 1m;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{self.port}{" ssl" if tls else ""};
    {f"ssl_certificate {folder}/certificate.pem; ssl_certificate_key {folder}/key.pem;" if tls else ""}
    location / {{ root {folder}/store; dav_methods PUT; create_full_put_path on; }}
  }}
}}
"""
        if tls:
            make_certificate(folder)
        self.process = start_nginx(folder, configuration, self.port)

    def url(self, name):
        return f"{self.scheme}://127.0.0.1:{self.port}/{name}"

    def empty(self):
        shutil.rmtree(self.folder / "store")
        (self.folder / "store").mkdir()

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Answers(http.server.BaseHTTPRequestHandler):
    """What a Hub says of uploads whose bytes go elsewhere."""

    protocol_version = "HTTP/1.1"
    sink = None

    def log_message(self, *_):
        pass

    def say(self, body):
        text = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self):
        self.say({"id": "bench/up", "sha": "0" * 40, "siblings": []})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if "/preupload/" in self.path:
            files = json.loads(body)["files"]
            self.say({"files": [{"path": f["path"], "uploadMode": "lfs", "shouldIgnore": False} for f in files],
                      "commitOid": "0" * 40})
        elif self.path.endswith("/objects/batch"):
            self.say({"transfer": "basic", "objects": [
                {"oid": o["oid"], "size": o["size"],
                 "actions": {"upload": {"href": self.sink.url(o["oid"])}}}
                for o in json.loads(body)["objects"]]})
        elif "/commit/" in self.path:
            self.say({"success": True, "commitOid": "1" * 40, "commitUrl": "http://hub/bench/up/commit/" + "1" * 40})
        else:
            self.say({"url": "http://hub/bench/up", "name": "bench/up"})


def write_noise(path, mib):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as stream:
        for _ in range(mib):
            stream.write(os.urandom(1 << 20))


def sha256_of(path):
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class UploadHub:
    """A Hub's answers in front of an nginx that takes the bytes."""

    def __init__(self, work, tls):
        self.work = work
        self.sink = Sink(work / ("sink-tls" if tls else "sink"), tls)
        handler = type("Handler", (Answers,), {"sink": self.sink})
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.homes = 0

    def environment(self):
        """Of a user who has uploaded nothing before."""
        self.homes += 1
        return dict(os.environ, HF_ENDPOINT=f"http://127.0.0.1:{self.server.server_port}", HF_TOKEN="hf_x",
                    HF_HOME=str(self.work / f"home-{self.sink.scheme}-{self.homes}"),
                    SSL_CERT_FILE=str(self.sink.folder / "certificate.pem"))

    def curl(self, *files):
        trust = ["--cacert", self.sink.folder / "certificate.pem"] if self.sink.scheme == "https" else []
        each = [word for i, file in enumerate(files) for word in ("-T", file, self.sink.url(f"curl-{i}"))]
        return measured("curl", "-sSf", *trust, *each)

    def stop(self):
        self.server.shutdown()
        self.sink.stop()


def large(arguments, work):
    file = work / "file.bin"
    write_noise(file, arguments.mib)
    for tls in (False, True):
        hub = UploadHub(work, tls)

        def ours():
            hub.sink.empty()
            taken = measured(arguments.cohub, "upload", "bench/up", file, "file.bin", "--quiet",
                             environment=hub.environment())
            stored = list((hub.sink.folder / "store").iterdir())
            if [path.stat().st_size for path in stored] != [arguments.mib << 20]:
                raise SystemExit("the object has not arrived")
            return taken

        def peer():
            hub.sink.empty()
            return together(measured("openssl", "dgst", "-sha256", file), hub.curl(file))

        mine, theirs = alternate(arguments.rounds, ours, peer)
        report("upload " + ("TLS" if tls else "plain"), arguments.mib,
               **{"cohub": mine, "openssl + curl": theirs})
        hub.stop()
    file.unlink()


def overlap(arguments, work):
    files = [work / "eight" / f"{i}.bin" for i in range(8)]
    for file in files:
        write_noise(file, arguments.mib // 4)
    hub = UploadHub(work / "overlap", False)

    def ours():
        hub.sink.empty()
        return measured(arguments.cohub, "upload", "bench/up", work / "eight", "--quiet",
                        environment=hub.environment())

    def hashing():
        # As many at once as cores, as we do.
        return measured("sh", "-c", "ls %s/eight/* | xargs -P2 -n1 openssl dgst -sha256" % work)

    def sending():
        hub.sink.empty()
        return hub.curl(*files)

    mine, hashed, sent = alternate(arguments.rounds, ours, hashing, sending)
    report("8 files, hashed and sent", arguments.mib * 2,
           **{"cohub": mine, "hashing alone": hashed, "sending alone": sent})
    hub.stop()
    shutil.rmtree(work / "eight")


class EmbeddedHub:
    def __init__(self, cohub, work, *flags):
        self.cohub = cohub
        self.work = work
        self.process = subprocess.Popen([cohub, "serve", "--root", work / "hub", "--port", "0", *flags],
                                        stdout=subprocess.PIPE, text=True)
        said = dict(self.process.stdout.readline().split() for _ in range(3))
        self.environment = dict(os.environ, HF_ENDPOINT=said["endpoint"], HF_TOKEN=said["token"],
                                HF_HOME=str(work / "home"), HF_HUB_DISABLE_XET="1",
                                HF_HUB_DISABLE_PROGRESS_BARS="1")

    def run(self, *words):
        return subprocess.run([self.cohub, *words], env=self.environment, check=True, text=True,
                              stdout=subprocess.PIPE).stdout

    def stop(self):
        self.process.terminate()
        self.process.wait()


def write_small(folder, count):
    for i in range(count):
        path = folder / f"{i // 1000}" / f"{i}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(hashlib.sha256(str(i).encode()).hexdigest().encode() * 64)


def many(arguments, work):
    write_small(work / "small", arguments.files)
    hub = EmbeddedHub(arguments.cohub, work)
    number = iter(range(1000))

    def ours():
        return measured(arguments.cohub, "upload", f"ours-{next(number)}", work / "small", "--quiet",
                        environment=hub.environment)

    if arguments.python_client:
        code = ("import sys; from huggingface_hub import HfApi; api = HfApi(); "
                "url = api.create_repo(sys.argv[1]); api.upload_folder(repo_id=url.repo_id, folder_path=sys.argv[2])")
        environment = dict(hub.environment, PYTHONPATH=arguments.python_client)

        def python():
            return measured("/usr/bin/python3", "-c", code, f"python-{next(number)}", work / "small",
                            environment=environment)

        mine, theirs = alternate(arguments.rounds, ours, python)
        report(f"a commit of {arguments.files} files of 4 KiB", arguments.files / 256,
               **{"cohub": mine, "python": theirs})
    else:
        (mine,) = alternate(arguments.rounds, ours)
        report(f"a commit of {arguments.files} files of 4 KiB", arguments.files / 256, cohub=mine)
    hub.stop()
    shutil.rmtree(work / "small")


def parts_there(hub_folder):
    """The parts that the Hub has of uploads that are not complete, and how many of them it was sent twice."""
    lines = [line.split()[0] for parts in (hub_folder / "uploads").glob("*/parts")
             for line in parts.read_text().splitlines() if line.count(" ") == 1]
    return len(set(lines)), len(lines) - len(set(lines))


def kill(arguments, work):
    part = 16 << 20
    file = work / "kill.bin"
    write_noise(file, arguments.mib * 2)
    digest = sha256_of(file)
    hub = EmbeddedHub(arguments.cohub, work / "kill", "--part-size", str(part))
    chance = random.Random()
    there, twice, kills, steps = 0, 0, [], [0]
    log = open(work / "kill.log", "w+b")
    while True:
        process = subprocess.Popen([arguments.cohub, "upload", "killed", file, "file.bin", "--quiet"],
                                   env=hub.environment, stdout=subprocess.DEVNULL, stderr=log)
        if len(kills) < 20:
            # Anywhere between its start and the seventh part from here on.
            wanted = there + chance.randint(0, 6)
            while process.poll() is None and parts_there(work / "kill/hub")[0] < wanted:
                time.sleep(chance.uniform(0, 0.005))
            time.sleep(chance.uniform(0, 0.02))
        else:
            process.wait()
        if process.poll() is not None:
            break
        process.kill()
        process.wait()
        there, now_twice = parts_there(work / "kill/hub")
        steps.append(now_twice - twice)
        twice = now_twice
        kills.append(there)
    if process.returncode != 0:
        log.seek(0)
        raise SystemExit(log.read().decode())
    stored = work / "kill/hub/objects" / digest[:2] / digest[2:4] / digest
    print(json.dumps({"benchmark": "kill -9 of an upload in parts", "mib": arguments.mib * 2,
                      "kills": len(kills), "parts": arguments.mib * 2 // 16, "parts_there_after_each_kill": kills,
                      "parts_sent_twice": twice, "at_most_after_one_kill": max(steps),
                      "sha256_is_right": sha256_of(stored) == digest}), flush=True)
    hub.stop()
    file.unlink()


def stored_objects(hub_folder):
    """The large objects that the Hub has, each with what changes if it is sent again."""
    there = {}
    for path in (hub_folder / "objects").glob("*/*/*"):
        with contextlib.suppress(FileNotFoundError):
            status = path.stat()
            there[path.name] = (status.st_ino, status.st_mtime_ns)
    return there


def folder(arguments, work):
    data = work / "data"
    write_small(data, arguments.files)
    for i in range(3):
        write_noise(data / "00-large" / f"{i}.bin", 64)
    hub = EmbeddedHub(arguments.cohub, work / "folder", "--part-size", str(8 << 20))
    chance = random.Random()
    stored, again = {}, 0

    def look():
        nonlocal stored, again
        now = stored_objects(work / "folder/hub")
        again += sum(now.get(name) != seen for name, seen in stored.items())
        stored = now

    kills = 0
    for wanted in (0, 1, 2, 3, 3):
        process = subprocess.Popen([arguments.cohub, "upload-large-folder", "big", data, "--quiet"],
                                   env=hub.environment, stdout=subprocess.DEVNULL)
        while process.poll() is None and len(stored_objects(work / "folder/hub")) < wanted:
            time.sleep(0.005)
        try:
            process.wait(chance.uniform(0, 1))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            kills += 1
        look()
    begin = time.monotonic()
    told = json.loads(hub.run("upload-large-folder", "big", data, "--json"))
    told["seconds_of_the_last_run"] = round(time.monotonic() - begin, 2)
    at_kills = len(stored)
    look()
    there = pathlib.Path(hub.run("download", "user/big", "--quiet", "--exclude", ".gitattributes").split("\n")[0])
    same = subprocess.run(["diff", "-rq", "-x", ".gitattributes", data, there]).returncode == 0
    print(json.dumps({"benchmark": "upload-large-folder, killed", "kills": kills, **told,
                      "large_objects": len(stored), "of_them_before_the_last_run": at_kills,
                      "large_objects_sent_again": again, "the_repository_is_the_folder": same}), flush=True)
    hub.stop()
    shutil.rmtree(data)


def main():
    parts = {"large": large, "overlap": overlap, "many": many, "kill": kill, "folder": folder}
    parser = argparse.ArgumentParser()
    parser.add_argument("cohub")
    parser.add_argument("parts", nargs="*", metavar="PART", help=" ".join(parts))
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--files", type=int, default=20000)
    parser.add_argument("--work", default=None)
    parser.add_argument("--python-client", default=None)
    arguments = parser.parse_args()
    arguments.cohub = str(pathlib.Path(arguments.cohub).resolve())
    if unknown := set(arguments.parts) - set(parts):
        parser.error(f"unknown: {' '.join(unknown)}")
    for name in arguments.parts or parts:
        with tempfile.TemporaryDirectory(dir=arguments.work) as work:
            parts[name](arguments, pathlib.Path(work))


if __name__ == "__main__":
    main()
