"""Downloads next to curl, aria2c and (if given) the Python client, against a Hub made of nginx.

Each scenario alternates with its peers on one disk and prints medians as JSON lines: seconds, MB/s, CPU
seconds (user and system of the client process) and peak memory, then the ratios.

  plain, tls   one large file from the second address, sha256 verified, into an empty cache
  capped       the same where the server gives each connection 50 MB/s
  snapshot     2,000 files of 16 KiB; curl -Z fetches the contents alone, 16 at a time
  delayed      one file and a snapshot of 200 files with 40 ms of round-trip time in front of the server,
               next to the time that bandwidth and delay leave no way around
  growth       64 MiB, 1 GiB and 8 GiB: CPU seconds a GiB, with and without what a download of one MiB
               costs (the process starts), and peak memory; curl tells what more than the page cache
               holds costs whoever writes it

Needs nginx, curl, aria2 and time (Debian packages of these names).

Usage: download_benchmark.py COHUB [SCENARIO...] [--mib 1024] [--rounds 3] [--work DIR] [--python-client SRC]
"""

import argparse
import contextlib
import itertools
import json
import os
import pathlib
import shutil
import sys
import tempfile

from delayed_link import delayed
from measure import alternate, fill_memory, measured, medians, report
from nginx_hub import NginxHub

PYTHON_FILE = "from huggingface_hub import hf_hub_download as get; get('bench/large', 'file.bin')"
PYTHON_SNAPSHOT = "from huggingface_hub import snapshot_download as get; get('bench/small')"


class Scenarios:
    def __init__(self, arguments, work):
        self.arguments = arguments
        self.work = work
        self.rounds = arguments.rounds
        self.homes = itertools.count()

    def hub(self, name, **settings):
        folder = self.work / name
        folder.mkdir()
        return NginxHub(folder, **settings)

    @contextlib.contextmanager
    def fresh_folder(self):
        """A folder that nothing was in before: ext4 takes its time to use the inodes of files again that
        were deleted a moment ago. Large ones are emptied at once, the rest goes at the end."""
        number = next(self.homes)
        folder = self.work / f"run-{number}"
        folder.mkdir()
        fill_memory(self.work)
        yield folder
        for large in folder.rglob("*"):
            if large.is_file() and not large.is_symlink() and large.stat().st_size > 1 << 20:
                os.truncate(large, 0)

    def cohub(self, hub, *words):
        def run():
            with self.fresh_folder() as home:
                return measured(self.arguments.cohub, "download", *words, "--quiet",
                                environment=hub.environment(home))
        return run

    def python(self, hub, program):
        def run():
            with self.fresh_folder() as home:
                environment = hub.environment(home)
                environment["PYTHONPATH"] = self.arguments.python_client
                return measured("/usr/bin/python3", "-c", program, environment=environment)
        return run

    def curl(self, hub, url):
        authority = ["--cacert", hub.certificate] if hub.tls else []

        def run():
            with self.fresh_folder() as folder:
                return measured("curl", "-sSfL", *authority, "-o", folder / "file.bin", url)
        return run

    def aria2(self, hub, url):
        authority = [f"--ca-certificate={hub.certificate}"] if hub.tls else []

        def run():
            with self.fresh_folder() as folder:
                return measured("aria2c", "-q", "-x16", "-s16", "--file-allocation=none", *authority,
                                "-d", folder, "-o", "file.bin", url)
        return run

    def large(self, name, repository="large", **settings):
        hub = self.hub(name, **settings)
        hub.put_large(self.arguments.mib)
        hub.start()
        url = f"{hub.endpoint}/bench/{repository}/resolve/main/file.bin"
        clients = {"cohub": self.cohub(hub, f"bench/{repository}", "file.bin"),
                   "curl": self.curl(hub, url), "aria2c -x16": self.aria2(hub, url)}
        if self.arguments.python_client and repository == "large":
            clients["python"] = self.python(hub, PYTHON_FILE)
        try:
            taken = alternate(self.rounds, *clients.values())
            report(name, self.arguments.mib, **dict(zip(clients, taken)))
        finally:
            hub.stop()
            shutil.rmtree(hub.folder)

    def plain(self):
        self.large("plain")

    def tls(self):
        self.large("tls", tls=True)

    def capped(self):
        self.large("capped", repository="capped")

    def curl_of_all(self, hub):
        wanted = self.work / "wanted.txt"
        wanted.write_text("".join(
            f'url = "http://127.0.0.1:{hub.content}/small/{entry["path"]}"\noutput = "{entry["path"]}"\n'
            for entry in hub.small))

        def run():
            with self.fresh_folder() as folder:
                return measured("curl", "-sSf", "-Z", "--parallel-max", "16", "--create-dirs", "-K", wanted,
                                directory=folder)
        return run

    def snapshot(self):
        count, size = 2000, 16 * 1024
        hub = self.hub("snapshot", log_requests=True)
        hub.put_small(count, size)
        hub.start()
        clients = {"cohub": self.cohub(hub, "bench/small"), "curl -Z": self.curl_of_all(hub)}
        if self.arguments.python_client:
            clients["python"] = self.python(hub, PYTHON_SNAPSHOT)
        try:
            taken = alternate(self.rounds, *clients.values())
            report("snapshot", count * size / (1 << 20), **dict(zip(clients, taken)))
            hub.log.write_text("")
            os.kill(hub.process.pid, 10)  # reopens its log
            clients["cohub"]()
            asked = hub.log.read_text().splitlines()
            print(json.dumps({"benchmark": "snapshot", "files": count, "requests": len(asked),
                              "heads": sum(" HEAD " in line for line in asked)}), flush=True)
        finally:
            hub.stop()
            shutil.rmtree(hub.folder)

    def delayed(self):
        mib, files, round_trip, connections = 256, 200, 0.040, 16
        hub = self.hub("delayed", behind_link=True)
        hub.put_large(mib)
        hub.put_small(files, 16 * 1024)
        hub.start()
        ports = [(hub.public_api, hub.api), (hub.public_content, hub.content)]
        # Connect, question for the file, connect to the contents, first byte; or connect, commit, listing,
        # connect the others, and then as many files in turn as connections leave over.
        trips = {"file": 4, "snapshot": 4 + -(-files // connections)}
        words = {"file": ("bench/large", "file.bin"), "snapshot": ("bench/small",)}
        try:
            for what in words:
                seconds = {}
                for delay in (0, round_trip):
                    with delayed(delay, ports):
                        seconds[delay] = medians(alternate(self.rounds, self.cohub(hub, *words[what]))[0])["seconds"]
                ideal = seconds[0] + trips[what] * round_trip
                print(json.dumps({"benchmark": f"delayed {what}", "round_trip_ms": round_trip * 1000,
                                  "seconds_without_delay": round(seconds[0], 3),
                                  "seconds": round(seconds[round_trip], 3), "ideal_seconds": round(ideal, 3),
                                  "ratio": round(seconds[round_trip] / ideal, 3)}), flush=True)
        finally:
            hub.stop()
            shutil.rmtree(hub.folder)

    def of_size(self, mib, rounds):
        """The medians of cohub and of curl for one file of that size."""
        hub = self.hub(f"growth-{mib}")
        hub.put_large(mib)
        hub.start()
        url = f"{hub.endpoint}/bench/large/resolve/main/file.bin"
        clients = {"cohub": self.cohub(hub, "bench/large", "file.bin"), "curl": self.curl(hub, url)}
        try:
            return dict(zip(clients, map(medians, alternate(rounds, *clients.values()))))
        finally:
            hub.stop()
            shutil.rmtree(hub.folder)

    def growth(self):
        short = max(self.rounds, 11)
        first = self.of_size(1, short)
        for mib in (64, 1024, 8192):
            for client, figures in self.of_size(mib, short if mib < 1024 else self.rounds).items():
                after_first = figures["cpu_seconds"] - first[client]["cpu_seconds"]
                print(json.dumps({"benchmark": "growth", "client": client, "mib": mib,
                                  "seconds": round(figures["seconds"], 3),
                                  "cpu_seconds_a_gib": round(figures["cpu_seconds"] * 1024 / mib, 3),
                                  "first_mib_cpu_seconds": round(first[client]["cpu_seconds"], 3),
                                  "cpu_seconds_a_gib_after_it": round(after_first * 1024 / (mib - 1), 3),
                                  "peak_mib": round(figures["peak_mib"], 1)}), flush=True)


def main():
    names = ["plain", "tls", "capped", "snapshot", "delayed", "growth"]
    parser = argparse.ArgumentParser()
    parser.add_argument("cohub", type=pathlib.Path)
    parser.add_argument("scenarios", nargs="*", default=names)
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", default=None)
    parser.add_argument("--python-client", default=None)
    arguments = parser.parse_args()
    unknown = set(arguments.scenarios) - set(names)
    if unknown:
        sys.exit(f"unknown scenarios: {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory(dir=arguments.work) as folder:
        pathlib.Path(folder).chmod(0o755)
        scenarios = Scenarios(arguments, pathlib.Path(folder))
        for name in arguments.scenarios:
            getattr(scenarios, name)()


if __name__ == "__main__":
    main()
