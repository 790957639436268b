"""Running a command and saying what it took, next to its peer."""

import json
import resource
import statistics
import subprocess
import tempfile
import time

LEFT_FREE_MIB = 512


def measured(*command, environment=None, directory=None):
    """Runs a command to its end: what it took. Through time(1), since a process that Python starts is
    charged with the memory of Python; its other figures are in hundredths of a second, which is too coarse."""
    with tempfile.NamedTemporaryFile("r") as peak:
        before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        done = subprocess.run(["/usr/bin/time", "-o", peak.name, "-f", "%M", *(str(word) for word in command)],
                              env=environment, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True)
        seconds, after = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode != 0:
            raise SystemExit(f"{command}: {done.stderr}")
        return {"seconds": seconds,
                "cpu_seconds": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
                "peak_mib": float(peak.read()) / 1024}


def free_mib():
    with open("/proc/meminfo") as told:
        return next(int(line.split()[1]) for line in told if line.startswith("MemFree:")) >> 10


def fill_memory(folder):
    """Fills the page cache with what nobody needs, as it is on a machine that has run for a while: what is
    written next takes the place of that. A virtual machine's host may take back memory that is free, and
    whoever needs it next would pay for it, not who used it."""
    with tempfile.NamedTemporaryFile(dir=folder, prefix="filler-", delete=False) as filler:
        filler.truncate(free_mib() << 20)  # a hole: it takes no disk
        piece = bytearray(1 << 20)
        while free_mib() > LEFT_FREE_MIB and filler.readinto(piece):
            pass


def together(*parts):
    return {"seconds": sum(p["seconds"] for p in parts),
            "cpu_seconds": sum(p["cpu_seconds"] for p in parts),
            "peak_mib": max(p["peak_mib"] for p in parts)}


def medians(rounds):
    return {key: statistics.median(r[key] for r in rounds) for key in rounds[0]}


def alternate(rounds, *contestants):
    """Runs each contestant once a round, in turn: what each took, in the order given."""
    taken = [[] for _ in contestants]
    for _ in range(rounds):
        for mine, contestant in zip(taken, contestants):
            mine.append(contestant())
    return taken


def report(what, mib, **clients):
    """Prints the medians of each client, the first being ours, and its ratio to each of the others."""
    middle = {name: medians(rounds) for name, rounds in clients.items()}
    for name, figures in middle.items():
        print(json.dumps({"benchmark": what, "client": name, "mib": mib, "rounds": len(clients[name]),
                          "seconds": round(figures["seconds"], 3),
                          "mb_per_second": round(mib * 1.048576 / figures["seconds"], 1),
                          "cpu_seconds": round(figures["cpu_seconds"], 2),
                          "peak_mib": round(figures["peak_mib"], 1)}))
    ours, *peers = middle
    for peer in peers:
        print(json.dumps({"benchmark": what, "peer": peer,
                          "wall_ratio": round(middle[ours]["seconds"] / middle[peer]["seconds"], 3),
                          "cpu_difference": round(middle[ours]["cpu_seconds"] - middle[peer]["cpu_seconds"], 2)}),
              flush=True)
