"""`cohub upload --every`."""

import itertools
import json
import signal
import subprocess
import threading
import unittest

from hub_process import COHUB, Hub


class Watching(Hub):
    def watch(self, *words):
        process = subprocess.Popen([COHUB, "upload", *words], env=self.environment(), cwd=self.folder,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        return process

    def test_a_folder_that_is_watched_is_committed_again(self):
        self.write("out/a.log", b"one\n")
        process = subprocess.Popen([COHUB, "upload", "thing", self.folder / "out", "--every", "0.0005"],
                                   env=self.environment(), stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        self.assertIn("/commit/", process.stdout.readline())
        with open(self.folder / "out/a.log", "ab") as log:
            log.write(b"two\n")
        self.assertIn("/commit/", process.stdout.readline())
        self.assertEqual(self.read_remote("a.log"), b"one\ntwo\n")
        with open(self.folder / "out/a.log", "ab") as log:
            log.write(b"three\n")
        self.assertEqual(self.interrupt(process, signal.SIGINT), 0)  # how it is ended
        self.assertEqual(self.read_remote("a.log"), b"one\ntwo\nthree\n")

    def test_a_file_that_is_changed_during_the_first_look_comes_at_the_next(self):
        weights = self.write("out/w.bin", bytes(40_000_000))
        still = threading.Event()

        def go_on_writing():
            for step in itertools.count(1):
                if still.is_set():
                    return
                with open(weights, "r+b") as file:
                    file.write(b"%d" % step)

        training = threading.Thread(target=go_on_writing)
        training.start()
        try:
            process = self.watch("thing", "out", "--every", "0.0005")
            while "the commit failed" not in (said := process.stderr.readline()):
                self.assertTrue(said)
        finally:
            still.set()
            training.join()
        self.assertIn("/commit/", process.stdout.readline())
        self.assertEqual(self.interrupt(process, signal.SIGINT), 0)
        self.assertEqual(self.read_remote("w.bin"), weights.read_bytes())

    def test_ctrl_c_commits_what_is_left_of_a_watched_file(self):
        log = self.write("out/a.log", b"one\n")
        self.write("out/other.txt", b"not this")
        process = self.watch("thing", "out/a.log", "logs/a.log", "--every", "1000", "--json", "--private",
                             "--commit-message", "Log", "--commit-description", "of a run")
        first = json.loads(process.stdout.readline())
        self.assertEqual(first["commit_message"], "Log")
        self.assertEqual(first["commit_description"], "of a run")
        log.write_bytes(b"one\ntwo\n")
        self.assertEqual(self.interrupt(process, signal.SIGINT), 0)
        last = json.loads(process.stdout.read())
        self.assertNotEqual(last["oid"], first["oid"])
        self.assertEqual(process.stderr.read(), "")
        self.assertEqual(self.read_remote("logs/a.log"), b"one\ntwo\n")
        told = json.loads(self.cohub("models", "info", "user/thing", "--json")[0])
        self.assertTrue(told["private"])
        self.assertEqual([one["rfilename"] for one in told["siblings"]], [".gitattributes", "logs/a.log"])

    def test_a_watched_file_is_named_and_no_pattern(self):
        self.write("out/a[1]*.txt", b"this")
        self.write("out/a1x.txt", b"not this")
        process = self.watch("thing", "out/a[1]*.txt", "--every", "1000", "--json")
        self.assertTrue(json.loads(process.stdout.readline())["oid"])
        self.assertEqual(self.interrupt(process, signal.SIGINT), 0)
        told = json.loads(self.cohub("models", "info", "user/thing", "--json")[0])
        self.assertEqual([one["rfilename"] for one in told["siblings"]], [".gitattributes", "a[1]*.txt"])


if __name__ == "__main__":
    unittest.main()
