"""A model in shards: made and pushed to `cohub serve`, loaded from the cache, and read plainly, in one run.

Prints seconds, CPU seconds and peak memory of each as JSON lines. The peak of `look` and `load` has the mapped
files in it, which the kernel may drop at any time.

Usage: weights_benchmark.py COHUB WEIGHTS_BENCHMARK [--mib 2048] [--rounds 3] [--work DIR]
"""

import argparse
import json
import pathlib
import subprocess
import tempfile

from measure import alternate, measured, report
from os import environ


def report_ways(name, arguments, ways):
    taken = alternate(arguments.rounds, *[lambda words=words: measured(arguments.program, *words)
                                          for words in ways.values()])
    report(name, arguments.mib, **dict(zip(ways, taken)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("cohub")
    parser.add_argument("program")
    parser.add_argument("--mib", type=int, default=2048)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", default=None)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.work) as folder:
        work = pathlib.Path(folder)
        hub = subprocess.Popen([arguments.cohub, "serve", "--root", work / "hub", "--port", "0"],
                               stdout=subprocess.PIPE, text=True)
        said = dict(hub.stdout.readline().split() for _ in range(3))
        environment = dict(environ, HF_ENDPOINT=said["endpoint"], HF_TOKEN=said["token"], HF_HOME=str(work / "home"))
        try:
            pushed = measured(arguments.program, "push", "user/weights", arguments.mib, work / "model",
                              environment=environment)
            report("make and push shards", arguments.mib, cohub=[pushed])
            fetched = measured(arguments.program, "load", "user/weights", environment=environment)
            report("download and look at every value", arguments.mib, cohub=[fetched])
            shards = sorted((work / "model").glob("*.safetensors"))
            ways = {"mapped": ("look", work / "model"), "read() of 1 MiB": ("read", "1", *shards)}
            report_ways("look at every value", arguments, ways)
            ways = {"copied": ("copy", work / "model"), "read() of 64 MiB": ("read", "64", *shards)}
            report_ways("load every tensor into memory", arguments, ways)
            header = [float(subprocess.run([arguments.program, "header", "10000"], capture_output=True, text=True,
                                           check=True).stdout) for _ in range(arguments.rounds)]
            print(json.dumps({"benchmark": "header of 10,000 tensors", "milliseconds": round(min(header) * 1000, 2)}))
        finally:
            hub.terminate()
            hub.wait()


main()
