"""The cohub command as a user meets it: real processes, a real Hub, real signals."""

import fcntl
import json
import os
import pathlib
import re
import resource
import signal
import subprocess
import unittest

from hub_process import COHUB, Hub


class Usage(unittest.TestCase):
    def run_cohub(self, *words):
        return subprocess.run([COHUB, *words], text=True, capture_output=True, timeout=60)

    def test_help_shows_examples(self):
        for words in ([], ["download"], ["upload"], ["repo", "create"], ["repo", "delete"],
                      ["repo", "list"], ["repo", "duplicate"], ["repo", "super-squash"], ["repo", "refs"],
                      ["repo", "access", "list"], ["repo", "access", "grant"], ["discussions", "edit"],
                      ["repo", "delete-files"], ["upload-large-folder"], ["whoami"],
                      ["serve"]):
            done = self.run_cohub(*words, "--help")
            self.assertEqual(done.returncode, 0)
            self.assertIn("Example", done.stdout, words)
            self.assertEqual(done.stderr, "")

    def test_misuse_is_status_2_and_one_line(self):
        for words in ([], ["fly"], ["download"], ["download", "a/b", "--what"], ["repo"],
                      ["repo", "create", "a/b", "--type", "car"], ["serve"],
                      ["serve", "--root", "/tmp/x", "--port", "99999999"],
                      ["download", "a/b", "--cache-dir", "x", "--local-dir", "y"],
                      ["upload", "a/b", "*.bin", "--include", "*.txt"],
                      ["upload", "a/b", "/tmp", "--every", "1", "--create-pr"],
                      ["repo", "create", "a/b", "--private", "--public"],
                      ["repo", "create", "a/b", "--region", "moon"],
                      ["repo", "access", "list", "a/b", "--status", "odd"]):
            done = self.run_cohub(*words)
            self.assertEqual(done.returncode, 2, words)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
            self.assertEqual(done.stdout, "")

    def test_serve_says_why_it_cannot(self):
        done = self.run_cohub("serve", "--root", "/proc/no-such-place")
        self.assertEqual(done.returncode, 1)
        self.assertIn("/proc/no-such-place", done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)


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

    def test_progress_can_be_turned_off_in_the_environment(self):
        self.write("model/w.bin", os.urandom(12_000_000))
        self.cohub("upload", "thing", "model", "--quiet")
        for word, shown in (("0", True), ("", True), ("Yes", False), ("1", False)):
            _, err = self.cohub("download", "user/thing", "w.bin", "--force-download",
                                HF_HUB_DISABLE_PROGRESS_BARS=word)
            self.assertEqual("downloading w.bin: " in err, shown, (word, err))

    def test_an_upload_tells_what_it_did_as_json(self):
        self.write("a.txt", b"a")
        told = json.loads(self.cohub("upload", "thing", "a.txt", "--json")[0])
        self.assertEqual(told["commit_url"].rsplit("/", 1)[1], told["oid"])
        self.assertFalse(told["unchanged"])
        self.assertTrue(json.loads(self.cohub("upload", "thing", "a.txt", "--json")[0])["unchanged"])

    def test_files_are_deleted_by_pattern(self):
        for name in ("a.txt", "b.txt", "logs/1"):
            self.write("out/" + name, b"x")
        self.cohub("upload", "thing", "out")
        self.cohub("repo", "delete-files", "thing", "*.txt", "logs/", "--commit-message", "tidy")
        out, _ = self.cohub("download", "user/thing")
        left = [path.name for path in pathlib.Path(out.splitlines()[-1]).iterdir()]
        self.assertEqual(left, [".gitattributes"])

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
        while self.read_remote("a.log") != b"one\ntwo\n":
            self.assertIsNone(process.poll())
        with open(self.folder / "out/a.log", "ab") as log:
            log.write(b"three\n")
        self.assertEqual(self.interrupt(process, signal.SIGINT), 0)  # how it is ended
        self.assertEqual(self.read_remote("a.log"), b"one\ntwo\nthree\n")

    def watch(self, *words):
        process = subprocess.Popen([COHUB, "upload", *words], env=self.environment(), cwd=self.folder,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        return process

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

    def test_repositories_come_and_go(self):
        out, _ = self.cohub("repo", "create", "data", "--type", "dataset", "--private")
        self.assertTrue(out.strip().endswith("/datasets/user/data"))
        self.fails("repo", "create", "data", "--type", "dataset")
        self.cohub("repo", "create", "data", "--type", "dataset", "--exist-ok")
        self.cohub("repo", "delete", "user/data", "--type", "dataset")
        self.fails("repo", "delete", "user/data", "--type", "dataset")
        self.cohub("repo", "delete", "user/data", "--type", "dataset", "--missing-ok")
        out, _ = self.cohub("whoami")
        self.assertEqual(out, "user\n")

    def json(self, *words, **changes):
        out, _ = self.cohub(*words, "--json", **changes)
        return json.loads(out)

    def test_every_command_that_tells_something_tells_it_as_json(self):
        self.write("out/a.txt", b"a")
        made = self.json("repo", "create", "thing", "--private")
        self.assertEqual(made["repo_id"], "user/thing")
        self.assertTrue(made["url"].endswith("/user/thing"))
        self.assertEqual(self.cohub("repo", "create", "other", "--quiet")[0], "user/other\n")
        self.json("upload", "user/thing", "out")
        self.assertTrue(self.json("download", "user/thing", "a.txt")["path"].endswith("/a.txt"))
        self.assertEqual(self.json("download", "user/thing", "a.txt", "--dry-run"),
                         [{"file": "a.txt", "size": 1, "will_download": False}])
        self.assertEqual(self.json("repo", "settings", "user/thing", "--public"), {"repo_id": "user/thing"})
        self.assertEqual(self.json("repo", "move", "user/other", "user/renamed"),
                         {"from_id": "user/other", "to_id": "user/renamed"})
        gone = self.json("repo", "delete-files", "user/thing", "*.txt")
        self.assertIn(gone["oid"], gone["commit_url"])
        self.assertEqual(self.json("whoami"), {"user": "user", "orgs": None, "endpoint": self.endpoint})
        self.assertEqual(self.json("auth", "login", "--token", self.token)["name"], "user-write")
        self.assertEqual(self.json("auth", "switch", "--token-name", "user-write"), {"name": "user-write"})
        self.assertEqual(self.json("auth", "list")[0]["name"], "user-write")
        self.assertEqual(self.json("auth", "logout"), {})
        self.assertEqual(self.json("repo", "delete", "user/renamed"), {"repo_id": "user/renamed"})

    def test_the_banner_of_a_hub_as_json(self):
        hub = subprocess.Popen([COHUB, "serve", "--root", self.folder / "second", "--json"],
                               stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.stop, hub)
        said = json.loads(hub.stdout.readline())
        self.assertEqual(set(said), {"endpoint", "owner", "token"})
        self.assertEqual(self.json("whoami", HF_ENDPOINT=said["endpoint"], HF_TOKEN=said["token"])["user"],
                         said["owner"])
        self.assertEqual(self.interrupt(hub, signal.SIGINT), 0)

    def test_repositories_are_copied_listed_and_squashed(self):
        self.write("w.bin", b"weights")
        self.cohub("upload", "thing", "w.bin")
        told = self.json("repo", "duplicate", "user/thing", "copy", "--private")
        self.assertEqual((told["from_id"], told["to_id"]), ("user/thing", "user/copy"))
        self.fails("repo", "duplicate", "user/thing", "user/copy")
        self.cohub("repo", "duplicate", "user/thing", "copy", "--exist-ok")
        self.assertEqual(self.read_remote("w.bin", "user/copy"), b"weights")
        own = self.json("repo", "ls")
        self.assertEqual({one["id"]: one["visibility"] for one in own},
                         {"user/thing": "public", "user/copy": "private"})
        self.assertEqual(own[0]["storage"], "7.0")
        self.assertEqual(self.cohub("repo", "list", "--search", "cop", "--quiet")[0], "user/copy\n")
        self.assertEqual(self.json("repo", "list", "--type", "dataset"), [])
        self.fails("repo", "list", "--namespace", "nobody")
        self.assertEqual(self.json("repo", "super-squash", "user/thing", "-m", "One"),
                         {"repo_id": "user/thing", "branch": "main"})
        self.cohub("repo", "tag", "create", "user/thing", "v1", "-m", "First")
        refs = self.json("repo", "refs", "user/thing")
        self.assertEqual([one["ref"] for one in refs], ["refs/heads/main", "refs/tags/v1"])
        self.assertEqual(refs[0]["target_commit"], refs[1]["target_commit"])

    def test_a_space_is_made_as_it_is_told(self):
        self.write("secrets.env", b"# a comment\nA=1\nB='two words'\n")
        self.cohub("repo", "create", "app", "--type", "space", "--sdk", "static", "--protected", "--flavor",
                   "cpu-basic", "--sleep-time", "-1", "--secrets", "HF_TOKEN", "-s", "C=3", "--secrets-file",
                   "secrets.env", "-e", "THEME=dark", "--region", "eu", "--resource-group-id", "1")
        self.assertEqual(self.json("spaces", "info", "user/app")["visibility"], "protected")
        self.cohub("repo", "settings", "user/app", "--type", "space", "--public")
        self.assertEqual(self.json("spaces", "info", "user/app")["visibility"], "public")
        self.fails("repo", "create", "m", "--protected")
        self.assertIn("nothing.env", self.fails("repo", "create", "app2", "--type", "space", "--sdk", "static",
                                                "--env-file", "nothing.env"))

    def test_access_to_a_gated_repository(self):
        self.cohub("repo", "create", "thing")
        self.fails("repo", "access", "grant", "user/thing", "user")  # it is not gated
        self.cohub("repo", "settings", "user/thing", "--gated", "manual")
        self.cohub("repo", "access", "grant", "user/thing", "user")
        self.assertEqual([one["username"] for one in
                          self.json("repo", "access", "ls", "user/thing", "--status", "accepted")], ["user"])
        self.cohub("repo", "access", "reject", "user/thing", "user", "--reason", "no")
        self.assertEqual(self.json("repo", "access", "list", "user/thing"), [])
        self.cohub("repo", "access", "cancel", "user/thing", "user")
        self.assertEqual(self.cohub("repo", "access", "list", "user/thing", "--quiet")[0], "user\n")
        told = self.json("repo", "access", "accept", "user/thing", "user")
        self.assertEqual(told, {"user": "user", "repo_id": "user/thing"})

    def test_what_a_pull_request_changes(self):
        self.write("a.txt", b"one\n")
        self.cohub("upload", "thing", "a.txt")
        self.write("a.txt", b"two\n")
        self.cohub("upload", "user/thing", "a.txt", "--create-pr")
        out, _ = self.cohub("discussions", "diff", "user/thing", "1")
        self.assertIn("-one\n+two\n", out)
        self.assertEqual(self.json("discussions", "diff", "user/thing", "1")["diff"], out)
        self.write("a.txt", b"three\n")
        self.cohub("upload", "user/thing", "a.txt")
        told = self.json("discussions", "info", "user/thing", "1")
        self.assertEqual(told["conflicting_files"], ["a.txt"])
        self.assertIn("conflicts", self.fails("discussions", "merge", "user/thing", "1"))
        self.cohub("discussions", "comment", "user/thing", "1", "--body", "first")
        told = self.json("discussions", "info", "user/thing", "1")
        comment = [one for one in told["events"] if one["type"] == "comment"][-1]
        self.cohub("discussions", "edit", "user/thing", "1", comment["id"], "--body", "second")
        told = self.json("discussions", "info", "user/thing", "1")
        self.assertIn("second", [one.get("content") for one in told["events"]])

    def test_branches_tags_moves_and_settings(self):
        self.write("a.txt", b"1")
        self.cohub("upload", "thing", "a.txt")
        self.cohub("repo", "tag", "create", "user/thing", "v1", "-m", "First")
        out, _ = self.cohub("repo", "tag", "list", "user/thing", "--json")
        tags = json.loads(out)
        self.assertEqual([tag["name"] for tag in tags], ["v1"])
        self.cohub("repo", "branch", "create", "user/thing", "dev", "--revision", "v1")
        self.fails("repo", "branch", "create", "user/thing", "dev")
        self.cohub("repo", "branch", "create", "user/thing", "dev", "--exist-ok")
        out, _ = self.cohub("download", "user/thing", "a.txt", "--revision", "dev")
        self.assertEqual(pathlib.Path(out.strip()).read_bytes(), b"1")
        self.cohub("repo", "branch", "delete", "user/thing", "dev")
        self.fails("download", "user/thing", "a.txt", "--revision", "dev")
        self.cohub("repo", "tag", "delete", "user/thing", "v1")
        out, _ = self.cohub("repo", "tag", "list", "user/thing", "--quiet")
        self.assertEqual(out, "")

        self.cohub("repo", "settings", "user/thing", "--private")
        self.fails("download", "user/thing", "a.txt", HF_TOKEN="", HF_HOME=str(self.folder / "other"))
        self.cohub("repo", "settings", "user/thing", "--public")
        self.cohub("download", "user/thing", "a.txt", HF_TOKEN="", HF_HOME=str(self.folder / "other"))
        self.fails("repo", "settings", "user/thing")
        self.cohub("repo", "move", "user/thing", "user/renamed")
        out, _ = self.cohub("download", "user/renamed", "a.txt")
        self.assertEqual(pathlib.Path(out.strip()).read_bytes(), b"1")

    def test_discussions_from_opening_to_merging(self):
        self.write("a.txt", b"a")
        self.cohub("upload", "thing", "a.txt")
        told = json.loads(self.cohub("discussions", "create", "user/thing", "--title", "A change", "--pr",
                                     "--body", "It is better", "--json")[0])
        number = str(told["num"])
        self.write("b.txt", b"b")
        self.cohub("upload", "thing", "b.txt", "--revision", f"refs/pr/{number}")
        self.cohub("discussions", "comment", "user/thing", number, "--body", "Fine")
        self.cohub("discussions", "rename", "user/thing", number, "Another title")
        listed = json.loads(self.cohub("discussions", "list", "user/thing", "--json")[0])
        self.assertEqual([(one["title"], one["status"]) for one in listed], [("Another title", "draft")])
        self.cohub("discussions", "merge", "user/thing", number, "--comment", "Thanks")
        shown = json.loads(self.cohub("discussions", "info", "user/thing", number, "--json")[0])
        self.assertEqual(shown["status"], "merged")
        self.assertIn("Fine", [event.get("content") for event in shown["events"]])
        self.assertEqual(self.read_remote("b.txt"), b"b")
        self.cohub("discussions", "create", "user/thing", "--title", "A question")
        other = str(int(number) + 1)
        self.cohub("discussions", "close", "user/thing", other, "--comment", "answered")
        self.cohub("discussions", "reopen", "user/thing", other)
        self.assertIn("A question (open", self.cohub("discussions", "info", "user/thing", other)[0])

    def test_models_are_listed_and_told_of(self):
        for name in ("one", "two"):
            self.cohub("repo", "create", name)
        self.cohub("repo", "create", "three", "--type", "dataset")
        self.assertEqual(sorted(self.cohub("models", "ls", "--author", "user", "--quiet")[0].split()),
                         ["user/one", "user/two"])
        self.assertEqual(self.cohub("datasets", "ls", "--quiet")[0].split(), ["user/three"])
        self.assertEqual(self.cohub("spaces", "list")[0], "No results found.\n")
        self.assertEqual(json.loads(self.cohub("models", "info", "user/one", "--json")[0])["id"], "user/one")
        told = json.loads(self.cohub("models", "info", "user/one", "--expand", "sha", "--json")[0])
        self.assertEqual(set(told), {"_id", "id", "modelId", "sha"})

    def test_tokens_are_kept_and_never_shown(self):
        done = subprocess.run([COHUB, "auth", "login"], input=self.token + "\n", text=True,
                              capture_output=True, env=self.environment(HF_TOKEN=""))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn(self.token, done.stdout + done.stderr)
        self.assertEqual((self.folder / "home/token").stat().st_mode & 0o777, 0o600)
        self.assertEqual(self.cohub("auth", "whoami", HF_TOKEN="")[0], "user\n")
        listed, _ = self.cohub("auth", "list", HF_TOKEN="")
        self.assertIn("user-write", listed)
        self.assertNotIn(self.token, listed)
        self.cohub("auth", "switch", "--token-name", "user-write", HF_TOKEN="")
        self.fails("auth", "switch", "--token-name", "nobody")
        self.cohub("auth", "logout")
        self.assertIn("No results", self.cohub("auth", "ls")[0])
        self.fails("auth", "login", "--token", "hf_wrong")

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

    def files(self, folder):
        return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*")
                      if not p.is_dir() and p.name != ".gitattributes")

    def test_quiet_means_a_path_and_nothing_else(self):
        self.write("w.bin", os.urandom(12_000_000))
        out, err = self.cohub("upload", "thing", "w.bin", "--quiet")
        self.assertEqual((out.count("\n"), err), (1, ""))
        out, err = self.cohub("download", "user/thing", "w.bin", "--quiet")
        self.assertEqual((out.count("\n"), err), (1, ""))

    def test_a_token_that_is_given_is_never_shown(self):
        self.write("w.bin", os.urandom(12_000_000))
        for words in (["upload", "thing", "w.bin"], ["download", "user/thing", "w.bin"], ["whoami"]):
            out, err = self.cohub(*words, "--token", self.token, HF_TOKEN="hf_wrong")
            self.assertNotIn(self.token, out + err)
        _, err = self.cohub("whoami", "--token", "hf_also_wrong", status=1)
        self.assertNotIn("hf_also_wrong", err)

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

    def test_a_repository_is_deleted_on_a_terminal_only_after_a_yes(self):
        self.cohub("repo", "create", "thing")
        status, shown = self.on_terminal("repo", "delete", "user/thing", answer="n\n")
        self.assertEqual(status, 1)
        self.assertIn("[y/N]", shown)
        self.fails("repo", "create", "thing")  # it is still there
        status, shown = self.on_terminal("repo", "delete", "user/thing", answer="y\n")
        self.assertEqual(status, 0)
        self.cohub("repo", "create", "thing")
        status, shown = self.on_terminal("repo", "delete", "user/thing", "--yes")
        self.assertEqual(status, 0)
        self.assertNotIn("[y/N]", shown)


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
        self.check_resumed(content)

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

    def parts_noted(self):
        folder = self.folder / "home/cohub/uploads/parts"
        return sum(max(0, file.read_bytes().count(b"\n") - 2) for file in folder.glob("*"))

    def test_kill_9_of_an_upload_in_parts_and_the_same_call_again(self):
        self.restart("--part-size", str(1 << 20))
        content = os.urandom(1 << 20) * 64
        self.write("w.bin", content)
        stored = 0
        for parts in (1, 9, 23, 40):
            process = subprocess.Popen([COHUB, "upload", "thing", self.folder / "w.bin", "--quiet"],
                                       env=self.environment(), stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
            while self.parts_noted() < parts:
                self.assertIsNone(process.poll())
            self.interrupt(process)
            self.assertGreaterEqual(self.parts_noted(), stored)
            stored = self.parts_noted()
        _, err = self.cohub("upload", "thing", "w.bin")
        self.assertIn("resuming w.bin", err)
        self.assertNotIn("hashing", err)
        self.assertEqual(self.parts_noted(), 0)
        out, _ = self.cohub("download", "user/thing", "w.bin")
        self.assertEqual(pathlib.Path(out.splitlines()[-1]).read_bytes(), content)

    def test_kill_9_of_a_large_folder_and_the_same_call_again(self):
        names = [f"{i % 5}/{i}.txt" for i in range(800)]
        for name in names:
            self.write("data/" + name, name.encode())
        record = self.folder / "home/cohub/uploads/folders"
        for committed in (1, 300):
            process = subprocess.Popen([COHUB, "upload-large-folder", "thing", self.folder / "data",
                                        "--quiet"], env=self.environment(),
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            while sum(file.read_bytes().count(b"\n") for file in record.glob("*")) <= committed:
                self.assertIsNone(process.poll())
            self.interrupt(process)
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

    def test_serve_stops_cleanly_and_starts_again(self):
        self.write("a.txt", b"kept")
        self.cohub("upload", "thing", "a.txt")
        token = self.token
        self.assertEqual(self.interrupt(self.hub, signal.SIGTERM), 0)
        self.start()
        self.assertEqual(self.token, token)
        out, _ = self.cohub("download", "user/thing", "a.txt")
        self.assertEqual(pathlib.Path(out.strip()).read_bytes(), b"kept")
        self.assertEqual(self.interrupt(self.hub, signal.SIGINT), 0)

    def test_serve_has_users_who_share_an_organisation(self):
        users = []
        for _ in range(2):
            hub = subprocess.Popen([COHUB, "serve", "--root", self.folder / "team", "--json",
                                    "--user", "alice:team", "--user", "bob:team,other"],
                                   stdout=subprocess.PIPE, text=True)
            self.addCleanup(self.stop, hub)
            said = json.loads(hub.stdout.readline())
            users.append(said["users"])
            self.assertEqual([user["owner"] for user in said["users"]], ["alice", "bob"])
            self.assertEqual(said["token"], said["users"][0]["token"])
            for user in said["users"]:
                self.cohub("repo", "create", "team/shared", "--exist-ok",
                           HF_ENDPOINT=said["endpoint"], HF_TOKEN=user["token"])
            self.interrupt(hub, signal.SIGTERM)
        self.assertEqual(users[0], users[1])

    def test_kill_9_of_the_hub_loses_nothing_it_acknowledged(self):
        for number in range(5):
            self.write("a.txt", b"%d" % number)
            out, _ = self.cohub("upload", "thing", "a.txt")
            commit = out.strip().rsplit("/", 1)[1]
            self.interrupt(self.hub)
            self.start()
            out, _ = self.cohub("download", "user/thing", "a.txt")
            path = pathlib.Path(out.strip())
            self.assertIn(commit, path.parts)
            self.assertEqual(path.read_bytes(), b"%d" % number)


if __name__ == "__main__":
    unittest.main()
