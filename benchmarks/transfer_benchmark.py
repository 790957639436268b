"""One large file, down and up, next to curl with the same bytes in the same run.

The Hub is `cohub serve` on the same machine. Each measurement alternates with its peer's; medians of the
rounds are printed as JSON lines: seconds, MB/s, CPU seconds (user and system of the client process) and
peak memory.

  download: `cohub download` into an empty cache, sha256 verified, against `curl -L` to a file
  upload:   `cohub upload` to a new repository, against `openssl dgst -sha256` plus `curl -T` to a signed url
            of the same store (the sha256 must be known before a transfer can start)

Needs curl, openssl and time (Debian packages of these names).

Usage: transfer_benchmark.py COHUB [--mib 1024] [--rounds 3] [--work DIR]
"""

import argparse
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import urllib.request

from measure import measured, report, together


class Benchmark:
    def __init__(self, arguments, work):
        self.cohub = arguments.cohub
        self.mib = arguments.mib
        self.rounds = arguments.rounds
        self.work = work
        self.file = work / "file.bin"
        with open(self.file, "wb") as stream:
            for _ in range(self.mib):
                stream.write(os.urandom(1 << 20))
        self.hub = subprocess.Popen([self.cohub, "serve", "--root", work / "hub", "--port", "0"],
                                    stdout=subprocess.PIPE, text=True)
        said = dict(self.hub.stdout.readline().split() for _ in range(3))
        self.endpoint, self.token = said["endpoint"], said["token"]
        self.environment = dict(os.environ, HF_ENDPOINT=self.endpoint, HF_TOKEN=self.token,
                                HF_HOME=str(work / "home"))

    def stop(self):
        self.hub.terminate()
        self.hub.wait()

    def upload(self, number):
        return measured(self.cohub, "upload", f"up-{number}", self.file, "file.bin", "--quiet",
                        environment=self.environment)

    def forget_object(self):
        """Empties the store between uploads, so that each sends all bytes."""
        shutil.rmtree(self.work / "hub" / "objects", ignore_errors=True)

    def signed_url(self, digest):
        body = {"operation": "upload", "transfers": ["basic"], "hash_algo": "sha256",
                "objects": [{"oid": digest, "size": self.file.stat().st_size}]}
        request = urllib.request.Request(
            f"{self.endpoint}/user/curl.git/info/lfs/objects/batch", json.dumps(body).encode(),
            {"Authorization": f"Bearer {self.token}", "Content-Type": "application/vnd.git-lfs+json"})
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)["objects"][0]["actions"]["upload"]["href"]

    def upload_by_curl(self, digest):
        hashing = measured("openssl", "dgst", "-sha256", self.file)
        sending = measured("curl", "-sSf", "-T", self.file, self.signed_url(digest))
        return together(hashing, sending)

    def download(self):
        shutil.rmtree(self.work / "home", ignore_errors=True)
        return measured(self.cohub, "download", "user/up-0", "file.bin", "--quiet",
                        environment=self.environment)

    def download_by_curl(self):
        target = self.work / "curl.bin"
        target.unlink(missing_ok=True)
        return measured("curl", "-sSfL", "-H", f"Authorization: Bearer {self.token}", "-o", target,
                        f"{self.endpoint}/user/up-0/resolve/main/file.bin")

    def run(self):
        with open(self.file, "rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        subprocess.run([self.cohub, "repo", "create", "curl"], env=self.environment, check=True,
                       stdout=subprocess.DEVNULL)
        ups, curl_ups = [], []
        for number in range(self.rounds):
            self.forget_object()
            curl_ups.append(self.upload_by_curl(digest))
            self.forget_object()
            ups.append(self.upload(number))
        report("upload", self.mib, **{"cohub": ups, "openssl + curl": curl_ups})
        downs, curl_downs = [], []
        for _ in range(self.rounds):
            curl_downs.append(self.download_by_curl())
            downs.append(self.download())
        report("download", self.mib, cohub=downs, curl=curl_downs)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("cohub")
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", default=None)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.work) as folder:
        benchmark = Benchmark(arguments, pathlib.Path(folder))
        try:
            benchmark.run()
        finally:
            benchmark.stop()


main()
