"""`cohub download` and `cohub upload`: real processes, a real Hub, real terminals."""

import json
import os
import pathlib
import re
import resource
import signal
import subprocess
import unittest

from hub_process import COHUB, Hub
from scripted_hub import ScriptedHub


class Transfers(Hub):
    def test_what_is_uploaded_comes_back(self):
        weights = self.write("model/w.safetensors", os.urandom(12_000_000))
        self.write("model/sub/a.txt", b"hello")
        out, _ = self.cohub("upload", "my-model", "model", "--commit-message", "first")
        self.assertRegex(out.splitlines()[-1], r"^http://.*/user/my-model/commit/[0-9a-f]{40}$")

        out, err = self.cohub("download", "user/my-model", "w.safetensors")
        path = pathlib.Path(out.splitlines()[-1])
        self.assertEqual(path.read_bytes(), weights.read_bytes())
        self.assertIn("100 %", err)  # plain lines, since this is no terminal
        self.assertNotIn("\033", err)

        for address in ("hf://user/my-model@main/sub/a.txt", "hf://models/user/my-model/sub/a.txt"):
            out, _ = self.cohub("download", address)
            self.assertEqual(pathlib.Path(out.splitlines()[-1]).read_bytes(), b"hello")
        self.fails("download", "hf://user/my-model@main/sub/a.txt", "--revision", "other", status=2)
        self.fails("download", "hf://user/my-model/sub/a.txt", "w.safetensors", status=2)

        out, _ = self.cohub("download", "user/my-model", "--exclude", "*.safetensors", "--local-dir", "here")
        self.assertEqual(pathlib.Path(out.splitlines()[-1]), (self.folder / "here").resolve())
        self.assertEqual((self.folder / "here/sub/a.txt").read_bytes(), b"hello")
        self.assertFalse((self.folder / "here/w.safetensors").exists())

        out, err = self.cohub("upload", "user/my-model", "model")
        self.assertIn("no commit was made", err)

    def test_files_that_the_repository_ignores_are_named(self):
        self.write("rules/.gitignore", b"*.log\n")
        self.cohub("upload", "thing", "rules")
        for number in range(7):
            self.write(f"logs/{number}.log", b"x")
        _, err = self.cohub("upload", "thing", "logs")
        self.assertEqual(err.count("is left out"), 5, err)
        self.assertIn("0.log is left out: the repository's .gitignore names it", err)
        self.assertIn("2 more", err)
        self.assertIn("no commit was made", err)

    def test_a_dry_run_tells_what_a_download_would_fetch(self):
        self.write("model/a.txt", b"hello")
        self.write("model/b.bin", b"12345678")
        self.cohub("upload", "thing", "model")
        self.cohub("download", "user/thing", "a.txt")
        before = self.files(self.folder / "home")
        out, _ = self.cohub("download", "user/thing", "--exclude", ".gitattributes", "--dry-run")
        self.assertEqual(sorted(out.splitlines()[:-1]), ["cached\t5\ta.txt", "download\t8\tb.bin"])
        self.assertEqual(out.splitlines()[-1], "1 of 2 files would be downloaded, 8 bytes")
        out, _ = self.cohub("download", "user/thing", "b.bin", "--dry-run")
        self.assertEqual(out.splitlines()[0], "download\t8\tb.bin")
        self.assertEqual(self.files(self.folder / "home"), before)

    def test_a_terminal_shows_a_bar_for_a_large_file_and_a_total(self):
        self.write("model/w.bin", os.urandom(12_000_000))
        for number in range(20):
            self.write(f"model/{number}.txt", b"x" * 1000)
        self.cohub("upload", "thing", "model")
        status, shown = self.on_terminal("download", "user/thing")
        self.assertEqual(status, 0)
        last = re.split(r"\x1b\[\d+A\x1b\[J", shown)[-1]
        self.assertRegex(last, r"total of 22 files +\[#{20}\] 12\.0 MB of 12\.0 MB, .*/s")
        self.assertRegex(shown, r"downloading w\.bin +\[[#.]{20}\] .*MB of 12\.0 MB")
        self.assertNotIn("downloading 7.txt", shown)

    def test_a_terminal_is_drawn_for_time_and_not_for_each_small_file(self):
        files = 500
        for number in range(files):
            self.write(f"model/{number}.bin", os.urandom(32))
        status, shown = self.on_terminal("upload", "thing", "model")
        self.assertEqual(status, 0, shown)
        self.assertIn(f"total of {files} files", shown)
        self.assertNotIn("uploading 7.bin", shown)
        self.assertLess(shown.count("\033[J"), files)

    def test_progress_can_be_turned_off_in_the_environment(self):
        self.write("model/w.bin", os.urandom(12_000_000))
        self.cohub("upload", "thing", "model", "--quiet")
        for word, shown in (("0", True), ("", True), ("Yes", False), ("1", False)):
            _, err = self.cohub("download", "user/thing", "w.bin", "--force-download",
                                HF_HUB_DISABLE_PROGRESS_BARS=word)
            self.assertEqual("downloading w.bin: " in err, shown, (word, err))

    def test_warnings_are_told_whatever_the_output_is_for(self):
        self.write("w.bin", os.urandom(12_000_000))
        self.cohub("upload", "thing", "w.bin")
        self.cohub("download", "user/thing")
        for how in ([], ["--quiet"], ["--json"], ["--format", "agent"]):
            _, err = self.cohub("download", "user/thing", *how, HF_ENDPOINT="http://127.0.0.1:9")
            self.assertRegex(err, "^cohub: warning: the cache stands in for the Hub.*\n$")
        warning = {"X-HF-Warning": "Token; it expires tomorrow"}
        answer = {"type": "user", "name": "me", "auth": {"accessToken": {"displayName": "t", "role": "write"}}}
        hub = ScriptedHub(lambda path: (200, warning, answer))
        self.addCleanup(hub.stop)
        for how in ("--json", "--quiet"):
            _, err = self.cohub("whoami", how, HF_ENDPOINT=hub.endpoint)
            self.assertEqual(err, "cohub: warning: it expires tomorrow\n")
        for how in ("--no-bars", "--no-report"):
            _, err = self.cohub("upload-large-folder", "user/thing", ".", "--include", "w.bin", how)
            self.assertNotIn("%", err)

    def test_an_upload_tells_what_it_did_as_json(self):
        self.write("a.txt", b"a")
        told = json.loads(self.cohub("upload", "thing", "a.txt", "--json")[0])
        self.assertEqual(told["commit_url"].rsplit("/", 1)[1], told["oid"])
        self.assertFalse(told["unchanged"])
        self.assertTrue(json.loads(self.cohub("upload", "thing", "a.txt", "--json")[0])["unchanged"])

    def test_an_upload_makes_the_branch_that_is_missing(self):
        self.write("a.txt", b"1")
        self.cohub("upload", "thing", "a.txt")
        self.write("a.txt", b"2")
        for content in (b"2", b"3"):
            self.write("a.txt", content)
            self.cohub("upload", "user/thing", "a.txt", "--revision", "dev")
            out, _ = self.cohub("download", "user/thing", "a.txt", "--revision", "dev")
            self.assertEqual(pathlib.Path(out.strip()).read_bytes(), content)
        self.assertEqual(self.read_remote("a.txt"), b"1")

    def test_a_pull_request(self):
        self.write("a.txt", b"1")
        self.cohub("upload", "thing", "a.txt")
        self.write("a.txt", b"2")
        out, _ = self.cohub("upload", "user/thing", "a.txt", "--create-pr")
        self.assertRegex(out.splitlines()[-1], r"/user/thing/discussions/1$")
        out, _ = self.cohub("download", "user/thing", "a.txt", "--revision", "refs/pr/1")
        self.assertEqual(pathlib.Path(out.strip()).read_bytes(), b"2")
        out, _ = self.cohub("download", "user/thing", "a.txt")
        self.assertEqual(pathlib.Path(out.strip()).read_bytes(), b"1")

    def test_errors_name_what_is_wrong(self):
        self.write("a.txt", b"1")
        self.cohub("upload", "thing", "a.txt")
        self.assertIn("user/none", self.fails("download", "user/none"))
        self.assertIn("none.txt", self.fails("download", "user/thing", "none.txt"))
        self.assertIn("revision", self.fails("download", "user/thing", "a.txt", "--revision", "none"))
        self.assertIn("a/b/c", self.fails("download", "a/b/c"))
        self.assertIn("HF_TOKEN", self.fails("whoami", HF_TOKEN="hf_wrong"))
        self.assertIn("127.0.0.1:1", self.fails("whoami", HF_ENDPOINT="http://127.0.0.1:1"))
        self.assertIn("host.invalid", self.fails("whoami", HF_ENDPOINT="http://host.invalid"))
        self.assertIn("ftp://x", self.fails("whoami", HF_ENDPOINT="ftp://x"))
        self.assertIn("nothing-here", self.fails("upload", "user/thing", "nothing-here"))

    def test_a_cache_that_cannot_be_written(self):
        self.write("a.txt", b"1")
        self.cohub("upload", "thing", "a.txt")
        self.write("in-the-way", b"a file")
        self.assertIn("in-the-way", self.fails("download", "user/thing", "--cache-dir", "in-the-way"))

    def test_a_disk_that_is_full_leaves_nothing_visible(self):
        self.write("w.bin", os.urandom(30_000_000))
        self.cohub("upload", "thing", "w.bin")
        limited = lambda: (signal.signal(signal.SIGXFSZ, signal.SIG_IGN),
                           resource.setrlimit(resource.RLIMIT_FSIZE, (10_000_000, 10_000_000)))
        done = subprocess.run([COHUB, "download", "user/thing", "w.bin", "--quiet"], text=True,
                              env=self.environment(), capture_output=True, preexec_fn=limited, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertIn("File too large", done.stderr)
        repo = self.folder / "home/hub/models--user--thing"
        self.assertFalse((repo / "refs/main").exists())
        self.assertEqual([p for p in (repo / "snapshots").rglob("*") if not p.is_dir()], [])
        out, _ = self.cohub("download", "user/thing", "w.bin")  # with room again
        self.assertEqual(pathlib.Path(out.strip()).read_bytes(), (self.folder / "w.bin").read_bytes())

    def test_patterns_and_folders(self):
        for name in ("a.txt", "b.bin", "art/c.txt", "art/deep/d.bin"):
            self.write(name, name.encode())
        out, _ = self.cohub("upload", "thing", "*.txt")
        self.assertRegex(out.splitlines()[-1], r"/user/thing/commit/[0-9a-f]{40}$")
        out, _ = self.cohub("download", "user/thing")
        there = pathlib.Path(out.splitlines()[-1])
        self.assertEqual(self.files(there), ["a.txt", "art/c.txt"])

        self.cohub("upload", "thing", ".", "--include", "*.bin", "--delete", "a.*")
        out, _ = self.cohub("download", "user/thing", "art/", "b.bin")
        there = pathlib.Path(out.splitlines()[-1])
        self.assertEqual(self.files(there), ["art/c.txt", "art/deep/d.bin", "b.bin"])
        self.fails("download", "user/thing", "a.txt")
        self.assertIn("a.txt", self.fails("download", "user/thing", "b.bin", "a.txt"))

    def test_what_an_upload_notes_is_its_users_alone(self):
        self.write("w.bin", os.urandom(12_000_000))
        self.cohub("upload", "thing", "w.bin")
        notes = [p for p in (self.folder / "home/cohub/uploads").rglob("*") if not p.is_dir()]
        self.assertGreater(len(notes), 0)
        self.assertEqual({p.stat().st_mode & 0o777 for p in notes}, {0o600})

    def test_more_workers_than_connections(self):
        self.write("a.txt", b"1")
        self.cohub("upload", "thing", "a.txt")
        self.cohub("download", "user/thing", "--max-workers", "100")

    def test_what_is_named_must_be_on_the_hub(self):
        for name in ("a.txt", "b.txt", "art/c.txt"):
            self.write("out/" + name, name.encode())
        self.cohub("upload", "thing", "out")
        here = ("--local-dir", "here")
        self.cohub("download", "user/thing", "a.txt", "b.txt", "art/", *here)
        self.cohub("repo", "delete-files", "thing", "b.txt")
        self.assertTrue((self.folder / "here/b.txt").exists())
        self.assertIn("no b.txt in user/thing", self.fails("download", "user/thing", "a.txt", "b.txt", *here))
        for there in ((), here):
            for missing in ("/etc/passwd", "../a.txt", "nothing/", "art"):
                for how in ((), ("--dry-run",)):
                    said = self.fails("download", "user/thing", "a.txt", missing, *there, *how)
                    self.assertIn(f"no {missing} in user/thing", said)
            self.cohub("download", "user/thing", "a.txt", "art/", *there)
            self.cohub("download", "user/thing", "a.txt", "art/", *there, "--dry-run")
            self.cohub("download", "user/thing", "a.txt", "art/", *there, HF_HUB_OFFLINE="1")
        self.cohub("download", "user/thing", "a.txt", "art/c.txt", *here, HF_ENDPOINT="http://127.0.0.1:9")
        self.fails("download", "user/thing", "a.txt", "c.txt", HF_HUB_OFFLINE="1")

    def test_flags_with_patterns_leave_the_words_after_them_alone(self):
        for name in ("out/a.txt", "out/b.tmp", "out/c.log"):
            self.write(name, b"x")
        out, _ = self.cohub("upload", "--exclude", "*.tmp", "--exclude", "*.log", "user/thing", "out", "in")
        self.assertIn("/user/thing/commit/", out)
        out, _ = self.cohub("download", "--include", "*.txt", "user/thing")
        self.assertEqual(self.files(pathlib.Path(out.splitlines()[-1])), ["in/a.txt"])
        self.cohub("upload-large-folder", "--include", "*.log", "user/large", "out", "--quiet")
        self.assertEqual(self.read_remote("c.log", "user/large"), b"x")
        out, err = self.cohub("download", "--exclude", "*.log", "user/thing", "in/a.txt")
        self.assertTrue(out.endswith("/in/a.txt\n"))

    def test_an_address_says_where_an_upload_goes(self):
        self.write("out/a.txt", b"1")
        out, _ = self.cohub("upload", "hf://datasets/user/data@dev/in/", "out")
        self.assertIn("/datasets/user/data/commit/", out)
        self.cohub("upload", "hf://datasets/user/data@dev/one/", "out/a.txt", "--type", "dataset")
        out, _ = self.cohub("download", "hf://datasets/user/data@dev")
        self.assertEqual(self.files(pathlib.Path(out.splitlines()[-1])), ["in/a.txt", "one/a.txt"])
        self.fails("upload", "hf://datasets/user/data/in/", "out", "there", status=2)
        self.fails("upload", "hf://datasets/user/data", "out", "--type", "model", status=2)
        self.fails("upload", "hf://datasets/user/data@dev", "out", "--revision", "main", status=2)

    def test_names_from_a_hub_command_no_terminal(self):
        self.write("out/\u009b31m.txt", b"1")
        self.cohub("upload", "thing", "out")
        out, _ = self.cohub("download", "user/thing", "--dry-run", "--exclude", ".gitattributes")
        self.assertEqual(out.splitlines()[0], "download\t1\t?31m.txt")

    def test_quiet_means_a_path_and_nothing_else(self):
        self.write("w.bin", os.urandom(12_000_000))
        out, err = self.cohub("upload", "thing", "w.bin", "--quiet")
        self.assertEqual((out.count("\n"), err), (1, ""))
        out, err = self.cohub("download", "user/thing", "w.bin", "--quiet")
        self.assertEqual((out.count("\n"), err), (1, ""))

    def test_a_terminal_gets_bars(self):
        self.write("model/w.bin", os.urandom(40_000_000))
        self.write("model/a.txt", b"hello")
        status, shown = self.on_terminal("upload", "thing", "model")
        self.assertEqual(status, 0, shown)
        self.assertIn("uploading w.bin", shown)
        self.assertRegex(shown, r"\[#+\.*\] 40\.0 MB of 40\.0 MB")
        status, shown = self.on_terminal("download", "user/thing")
        self.assertEqual(status, 0, shown)
        self.assertRegex(shown, r"\[#+\.*\] 40\.0 MB of 40\.0 MB")
        self.assertIn("total of 3 files", shown)
        self.assertRegex(shown, "\033\\[[0-9]A\033\\[J")  # drawn in place
        self.assertLess(max(map(len, re.split("\r\n|\033\\[J", shown))), 200)


    def test_json_is_utf_8_whatever_a_path_is(self):
        self.write("w.bin", b"1")
        self.cohub("upload", "thing", "w.bin")
        folder = os.fsencode(self.folder) + b"/odd-\xff-\xc3\xa9"
        done = subprocess.run([COHUB, "download", "user/thing", "w.bin", "--local-dir", folder, "--json"],
                              env=self.environment(), capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(os.path.exists(folder + b"/w.bin"))
        self.assertIn("/odd-\ufffd-é/w.bin", json.loads(done.stdout.decode())["path"])


if __name__ == "__main__":
    unittest.main()
