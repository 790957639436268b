"""Runs the cohub command, and a Hub that it serves."""

import json
import os
import pathlib
import pty
import signal
import subprocess
import tempfile
import unittest
import urllib.request

COHUB = os.environ["COHUB"]


class Hub(unittest.TestCase):
    """A Hub in a process of its own, and an empty folder for everything."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.start()

    def start(self, *flags):
        self.hub = subprocess.Popen([COHUB, "serve", "--root", self.folder / "hub", "--port", "0", *flags],
                                    stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.stop, self.hub)
        said = dict(self.hub.stdout.readline().split() for _ in range(3))
        self.endpoint = said["endpoint"]
        self.token = said["token"]

    def restart(self, *flags):
        self.stop(self.hub)
        self.start(*flags)

    def read_remote(self, path, repo="user/thing"):
        request = urllib.request.Request(f"{self.endpoint}/{repo}/resolve/main/{path}",
                                         headers={"Authorization": f"Bearer {self.token}"})
        with urllib.request.urlopen(request) as answer:
            return answer.read()

    def stop(self, hub):
        if hub.poll() is None:
            hub.kill()
        hub.wait()
        hub.stdout.close()

    def environment(self, **changes):
        kept = {name: value for name, value in os.environ.items()
                if not name.startswith(("HF_", "HUGGING", "TRANSFORMERS"))
                and not name.lower().endswith("_proxy")}
        kept.update(HF_ENDPOINT=self.endpoint, HF_TOKEN=self.token, HF_HOME=str(self.folder / "home"))
        kept.update(changes)
        return kept

    def cohub(self, *words, status=0, **changes):
        """Runs the command and checks its exit status; (standard output, standard error)."""
        done = subprocess.run([COHUB, *map(str, words)], env=self.environment(**changes), text=True,
                              capture_output=True, timeout=120, cwd=self.folder)
        self.assertEqual(done.returncode, status, f"{words}: {done.stdout}{done.stderr}")
        return done.stdout, done.stderr

    def fails(self, *words, status=1, **changes):
        """Runs a command that fails in one line on standard error; that line."""
        out, err = self.cohub(*words, "--quiet", status=status, **changes) if words[0] in (
            "download", "upload") else self.cohub(*words, status=status, **changes)
        self.assertEqual(err.count("\n"), 1, err)
        self.assertTrue(err.startswith("cohub: "), err)
        self.assertNotIn(self.token, err)
        return err

    def on_terminal(self, *words, answer=""):
        """Runs the command on a terminal that is all three of its streams, and types the answer;
        (exit status, what the terminal shows)."""
        terminal, other_end = pty.openpty()
        process = subprocess.Popen([COHUB, *map(str, words)], env=self.environment(), cwd=self.folder,
                                   stdin=other_end, stdout=other_end, stderr=other_end)
        os.close(other_end)
        self.addCleanup(self.interrupt, process)
        os.write(terminal, answer.encode())
        shown = b""
        try:
            while part := os.read(terminal, 4096):
                shown += part
        except OSError:  # how Linux says that nobody has the terminal any more
            pass
        os.close(terminal)
        return process.wait(timeout=60), shown.decode()

    def write(self, name, content):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def interrupt(self, process, how=signal.SIGKILL):
        process.send_signal(how)
        return process.wait(timeout=60)

    def json(self, *words, **changes):
        out, _ = self.cohub(*words, "--json", **changes)
        return json.loads(out)

    def files(self, folder):
        return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*")
                      if not p.is_dir() and p.name != ".gitattributes")
