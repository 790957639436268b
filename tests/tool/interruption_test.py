"""The cohub command killed, interrupted and crowded, and the same call again."""

import fcntl
import json
import os
import pathlib
import resource
import signal
import socket
import subprocess
import unittest

from hub_process import COHUB, Hub


class Interruptions(Hub):
    def start_download(self):
        """A download of 200 MiB that has begun to arrive."""
        content = os.urandom(1 << 20) * 200
        self.write("w.bin", content)
        self.cohub("upload", "thing", "w.bin", "--quiet")
        process = subprocess.Popen([COHUB, "download", "user/thing", "w.bin"], env=self.environment(),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        line = process.stderr.readline()  # the first ten percent are there
        self.assertIn("%", line)
        return process, content

    def check_resumed(self, content):
        out, err = self.cohub("download", "user/thing", "w.bin")
        self.assertRegex(err, r"resuming w\.bin: \d{7,} of \d+ bytes are there already")
        path = pathlib.Path(out.splitlines()[-1])
        self.assertEqual(path.read_bytes(), content)
        blobs = self.folder / "home/hub/models--user--thing/blobs"
        self.assertEqual(len(list(blobs.iterdir())), 1)  # no partial is left

    def test_kill_9_of_a_download_and_the_same_call_again(self):
        process, content = self.start_download()
        self.interrupt(process)
        refs = self.folder / "home/hub/models--user--thing/refs/main"
        self.assertFalse(refs.exists())
        self.check_resumed(content)

    def test_ctrl_c_keeps_the_partial(self):
        process, content = self.start_download()
        self.assertEqual(self.interrupt(process, signal.SIGINT), 130)
        self.assertIn("the same command goes on", process.stderr.read())
        self.check_resumed(content)

    def test_ctrl_c_promises_nothing_where_nothing_goes_on(self):
        silent = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(silent.close)
        process = subprocess.Popen([COHUB, "whoami"], stderr=subprocess.PIPE, text=True, env=self.environment(
            HF_ENDPOINT=f"http://127.0.0.1:{silent.getsockname()[1]}"))
        self.addCleanup(process.stderr.close)
        connection, _ = silent.accept()
        self.addCleanup(connection.close)
        connection.recv(1)  # it has asked
        self.assertEqual(self.interrupt(process, signal.SIGINT), 130)
        self.assertEqual(process.stderr.read(), "cohub: interrupted\n")

    def test_ctrl_c_of_an_upload_leaves_no_commit(self):
        self.write("w.bin", os.urandom(1 << 20) * 200)
        process = subprocess.Popen([COHUB, "upload", "thing", self.folder / "w.bin"],
                                   env=self.environment(), stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        while "uploading" not in process.stderr.readline():
            self.assertIsNone(process.poll())
        self.assertEqual(self.interrupt(process, signal.SIGINT), 130)
        self.assertEqual(process.stdout.read(), "")
        self.assertIn("interrupted", process.stderr.read().splitlines()[-1])
        self.fails("download", "user/thing", "w.bin")
        self.cohub("upload", "thing", "w.bin")
        out, _ = self.cohub("download", "user/thing", "w.bin")
        self.assertEqual(pathlib.Path(out.splitlines()[-1]).stat().st_size, 200 << 20)

    def run_up_to(self, limit, *words):
        """Runs a command, which the system kills in the middle of the write that would make one of its files
        longer than `limit` bytes: a moment that depends on nobody's speed. What it said, if it got through."""
        def limit_files():
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        ended = subprocess.run([COHUB, *words], env=self.environment(), preexec_fn=limit_files,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if ended.returncode == -signal.SIGXFSZ:
            return None
        self.assertEqual(ended.returncode, 0, ended.stderr)
        return ended.stderr

    def test_death_amid_an_upload_in_parts_and_the_same_call_again(self):
        self.restart("--part-size", str(1 << 20))
        content = os.urandom(1 << 20) * 64
        self.write("w.bin", content)
        deaths, said = 0, None
        while said is None:  # its journal gets a little farther each time
            deaths += 1
            said = self.run_up_to(deaths * 1_000, "upload", "thing", self.folder / "w.bin")
        self.assertGreater(deaths, 10)
        self.assertIn("resuming w.bin", said)
        self.assertNotIn("hashing", said)
        out, _ = self.cohub("download", "user/thing", "w.bin")
        self.assertEqual(pathlib.Path(out.splitlines()[-1]).read_bytes(), content)

    def test_death_amid_a_large_folder_and_the_same_call_again(self):
        names = [f"{i % 5}/{i}.txt" for i in range(800)]
        for name in names:
            self.write("data/" + name, name.encode())
        for limit in (2_000, 40_000):
            self.assertIsNone(self.run_up_to(limit, "upload-large-folder", "thing", self.folder / "data"))
        out, _ = self.cohub("upload-large-folder", "thing", "data", "--num-workers", "2", "--json")
        told = json.loads(out)
        self.assertEqual(told["files"], 800)
        self.assertEqual(told["committed"] + told["unchanged"], 800)
        self.assertGreaterEqual(told["unchanged"], 300)
        out, _ = self.cohub("download", "user/thing")
        folder = pathlib.Path(out.splitlines()[-1])
        for name in names:
            self.assertEqual((folder / name).read_text(), name)

    def test_locks_exclude_a_python_process(self):
        self.write("w.bin", os.urandom(300_000))
        self.cohub("upload", "thing", "w.bin")
        out, _ = self.cohub("download", "user/thing", "w.bin")
        blob = pathlib.Path(out.strip()).resolve()
        lock = blob.parents[2] / ".locks" / blob.parent.parent.name / (blob.name + ".lock")
        self.assertTrue(lock.is_file())
        # Gone from the cache, but for the lock, which somebody has as the Python client takes it.
        blob.unlink()
        held = os.open(lock, os.O_RDWR | os.O_CREAT, 0o664)
        self.addCleanup(os.close, held)
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        waiting = subprocess.Popen([COHUB, "download", "user/thing", "w.bin", "--quiet"],
                                   env=self.environment(), stdout=subprocess.PIPE, text=True)
        self.addCleanup(waiting.stdout.close)
        self.addCleanup(waiting.kill)
        with self.assertRaises(subprocess.TimeoutExpired):
            waiting.wait(timeout=1)
        self.assertFalse(blob.exists())
        fcntl.flock(held, fcntl.LOCK_UN)
        self.assertEqual(waiting.wait(timeout=60), 0)
        self.assertEqual(pathlib.Path(waiting.stdout.read().strip()).resolve(), blob)
        # And it is let go again, the file still there.
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self.assertEqual(os.fstat(held).st_nlink, 1)

    def test_two_commands_fetch_a_file_once(self):
        self.write("w.bin", os.urandom(30_000_000))
        self.cohub("upload", "thing", "w.bin")
        commands = [subprocess.Popen([COHUB, "download", "user/thing", "w.bin", "--quiet"],
                                     env=self.environment(HF_HUB_VERBOSITY="debug"),
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                    for _ in range(2)]
        said = [command.communicate(timeout=60) for command in commands]
        self.assertEqual([command.returncode for command in commands], [0, 0])
        self.assertEqual(len({out for out, _ in said}), 1)
        fetched = [err.count("transfer w.bin: finished") for _, err in said]
        self.assertEqual(sum(fetched), 1, said)
        for _, err in said:
            self.assertNotIn(self.token, err)
            self.assertNotIn("?", err)


if __name__ == "__main__":
    unittest.main()
