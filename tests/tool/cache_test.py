"""The words "cache ls", "rm", "prune" and "verify" as a user meets them."""

import fcntl
import json
import os
import pathlib
import signal
import subprocess
import unittest

from folder_watch import wait_until
from hub_process import COHUB, Hub

OLD = "0" * 40


class Usage(unittest.TestCase):
    def run_cohub(self, *words):
        return subprocess.run([COHUB, "cache", *words], text=True, capture_output=True, timeout=60)

    def test_help_shows_examples(self):
        for words in (["ls"], ["list"], ["rm"], ["prune"], ["verify"]):
            done = self.run_cohub(*words, "--help")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("Example", done.stdout, words)

    def test_misuse_is_status_2_and_one_line(self):
        for words in ([], ["fly"], ["rm"], ["verify"], ["ls", "--format", "xml"], ["ls", "--limit", "-1"],
                      ["verify", "a/b", "--cache-dir", "x", "--local-dir", "y"]):
            done = self.run_cohub(*words)
            self.assertEqual(done.returncode, 2, words)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
            self.assertEqual(done.stdout, "")


class Cache(Hub):
    """Two repositories in the cache: user/big and the data set user/small, each at two commits."""

    def setUp(self):
        super().setUp()
        self.cache = self.folder / "home/hub"
        self.big = self.fill("big", "model", 3_000_000)
        self.small = self.fill("small", "dataset", 2_000)

    def fill(self, name, kind, size):
        commits = []
        for number in range(2):
            self.write("w.bin", bytes([number]) * size)
            self.write("same.txt", b"the same")
            self.cohub("upload", name, ".", "--include", "w.bin", "--include", "same.txt", "--type", kind)
            out, _ = self.cohub("download", f"user/{name}", "--type", kind, "--quiet")
            commits.append(pathlib.Path(out.strip()).name)
        return commits

    def json(self, *words, **how):
        out, _ = self.cohub("cache", *words, "--json", **how)
        return json.loads(out)

    def ids(self, *words):
        out, _ = self.cohub("cache", "ls", *words, "--quiet")
        return out.split()

    def test_a_listing(self):
        out, err = self.cohub("cache", "ls")
        lines = out.splitlines()
        self.assertEqual(lines[0].split(), ["ID", "SIZE", "LAST_ACCESSED", "LAST_MODIFIED", "REFS"])
        self.assertRegex(lines[2], r"^dataset/user/small +\d\.\dK a few seconds ago +a few seconds ago +main$")
        self.assertRegex(lines[3], r"^model/user/big +6\.0M ")
        self.assertIn("Found 2 repo(s) for a total of 4 revision(s) and 6.0M on disk.", out)
        self.assertEqual(err, "")
        repos = self.json("ls")
        self.assertEqual([repo["id"] for repo in repos], ["dataset/user/small", "model/user/big"])
        self.assertEqual(repos[1]["repo_type"], "model")
        self.assertEqual(repos[1]["refs"], ["main"])
        self.assertGreater(repos[1]["size_on_disk"], 6_000_000)
        revisions = self.json("ls", "--revisions")
        self.assertEqual(sorted(one["revision"] for one in revisions), sorted(self.big + self.small))
        refs = {one["revision"]: one["refs"] for one in revisions}
        self.assertEqual((refs[self.big[0]], refs[self.big[1]]), ([], ["main"]))
        self.assertEqual(self.cohub("cache", "ls", "--format", "agent")[0].splitlines()[0],
                         "id\tsize\tlast_accessed\tlast_modified\trefs")

    def test_filters_orders_and_limits(self):
        big, small = "model/user/big", "dataset/user/small"
        self.assertEqual(self.ids("--filter", "size>1MB"), [big])
        self.assertEqual(self.ids("--filter", "size<=1MB"), [small])
        self.assertEqual(self.ids("-f", "type=dataset"), [small])
        self.assertEqual(self.ids("-f", "type=dataset", "-f", "size>1MB"), [])
        self.assertEqual(self.ids("-f", "refs=MAIN", "--revisions"), sorted([self.small[1]]) + [self.big[1]])
        self.assertEqual(self.ids("-f", "modified>1h"), [])
        self.assertEqual(self.ids("-f", "accessed < 1h"), [small, big])
        self.assertEqual(self.ids("--sort", "size"), [big, small])
        self.assertEqual(self.ids("--sort", "size:asc"), [small, big])
        self.assertEqual(self.ids("--sort", "name:desc", "--limit", "1"), [big])
        self.assertEqual(self.ids("--limit", "0"), [])
        for wrong in ("size", "size=", "size>1XB", "color=red", "size=>1", "type>model", ">1"):
            self.fails("cache", "ls", "--filter", wrong, status=2)
        for wrong in ("color", "size:up"):
            self.fails("cache", "ls", "--sort", wrong, status=2)

    def test_no_cache(self):
        self.assertIn("nowhere", self.fails("cache", "ls", "--cache-dir", self.folder / "nowhere"))

    def test_oddities_are_told(self):
        (self.cache / "stray").write_text("1")
        (self.cache / "models--user--big/blobs" / "e.incomplete").write_text("1")
        _, err = self.cohub("cache", "ls")
        self.assertIn("--show-warnings", err)
        self.assertIn("cohub cache prune", err)
        _, err = self.cohub("cache", "ls", "--show-warnings")
        self.assertIn("stray is no folder of a repository: left out", err)

    def test_deleting_revisions_and_repositories(self):
        before = self.json("ls", "--revisions")
        plan = self.json("rm", self.big[0], "--dry-run")
        self.assertEqual(plan, {"dry_run": True, "repos": 0, "revisions": 1, "size": "3.0M"})
        self.assertEqual(self.json("ls", "--revisions"), before)
        self.assertIn("--yes", self.fails("cache", "rm", self.big[0], "--quiet"))
        self.cohub("cache", "rm", self.big[0], status=1)  # nobody answers
        self.assertEqual(self.json("ls", "--revisions"), before)
        done = self.json("rm", self.big[0], "--yes")
        self.assertEqual(done, {"repos_deleted": 0, "revisions_deleted": 1, "freed": "3.0M", "left": 0})
        self.assertEqual(self.ids("--revisions", "-f", "type=model"), [self.big[1]])
        out, err = self.cohub("cache", "rm", "MODEL/user/big", "hf://datasets/user/small", OLD, "--yes")
        self.assertIn("(entire repo)", out)
        self.assertIn(OLD, err)
        self.assertEqual(self.ids(), [])
        self.assertEqual(list(self.cache.glob("*--*")), [])
        out, _ = self.cohub("cache", "rm", "model/user/big")
        self.assertEqual(out, "Nothing to delete.\n")
        self.assertEqual(self.json("rm", "model/user/big"),
                         {"repos_deleted": 0, "revisions_deleted": 0, "freed": "0.0", "left": 0})
        self.fails("cache", "rm", "hf://user/big@main", status=2)

    def test_a_terminal_is_asked(self):
        status, shown = self.on_terminal("cache", "rm", "model/user/big", answer="n\n")
        self.assertEqual(status, 1)
        self.assertIn("Proceed with deletion? [y/N]", shown)
        self.assertIn("model/user/big", self.ids())
        status, shown = self.on_terminal("cache", "rm", "model/user/big", answer="y\n")
        self.assertEqual(status, 0, shown)
        self.assertNotIn("model/user/big", self.ids())

    def test_what_another_process_has_stays(self):
        blob = (self.cache / "models--user--big/snapshots" / self.big[0] / "w.bin").resolve()
        lock = self.cache / ".locks/models--user--big" / (blob.name + ".lock")
        with open(lock, "w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            out, err = self.cohub("cache", "rm", "model/user/big", "--yes")
            self.assertIn("is locked by another process", err)
            self.assertTrue(blob.exists())
        self.cohub("cache", "prune", "--yes")
        self.assertFalse((self.cache / "models--user--big").exists())

    def test_what_could_not_be_deleted_is_told_as_json_too(self):
        blob = (self.cache / "models--user--big/snapshots" / self.big[0] / "w.bin").resolve()
        lock = self.cache / ".locks/models--user--big" / (blob.name + ".lock")
        lock.unlink()
        lock.mkdir()  # which nobody can lock
        for words in (["rm", self.big[0]], ["prune"]):  # which finds an old revision of the other, too
            out, err = self.cohub("cache", *words, "--yes", "--json", status=1)
            told = json.loads(out)
            self.assertEqual((told["revisions_deleted"], told["left"]), (1, 1))
            self.assertIn(" stays: ", err)

    def test_pruning(self):
        blobs = self.cache / "models--user--big/blobs"
        (blobs / "e.0123abcd.incomplete").write_text("1")
        temporary = blobs / ".tmp-0123abcd"  # of a write that was killed
        temporary.write_text("1")
        os.utime(temporary, (1, 1))
        plan = self.json("prune", "--dry-run")
        self.assertEqual(plan, {"dry_run": True, "revisions": 2, "incomplete": 2, "size": "3.0M"})
        self.cohub("cache", "prune", "--yes")
        self.assertEqual(sorted(self.ids("--revisions")), sorted([self.big[1], self.small[1]]))
        self.assertEqual(len(list(blobs.iterdir())), 3)  # with .gitattributes
        out, _ = self.cohub("cache", "prune")
        self.assertIn("Nothing to prune", out)
        self.assertEqual(self.json("prune", "--dry-run"),
                         {"dry_run": True, "revisions": 0, "incomplete": 0, "size": "0.0"})
        self.cohub("download", "user/big", "w.bin", HF_HUB_OFFLINE="1")

    def test_verifying(self):
        out, _ = self.cohub("cache", "verify", "user/big")
        self.assertIn("Verified 3 file(s)", out)
        snapshot = self.cache / "models--user--big/snapshots" / self.big[1]
        (snapshot / "same.txt").unlink()
        (snapshot / "mine.txt").write_text("1")
        _, err = self.cohub("cache", "verify", "user/big")
        self.assertEqual(err.count("warning: "), 2)
        out, _ = self.cohub("cache", "verify", "user/big", "--fail-on-missing-files", status=1)
        self.assertIn("same.txt", out)
        out, _ = self.cohub("cache", "verify", "user/big", "--fail-on-extra-files", status=1)
        self.assertIn("mine.txt", out)
        blob = (snapshot / "w.bin").resolve()
        blob.write_bytes(blob.read_bytes()[:-1] + b"x")
        out, err = self.cohub("cache", "verify", "user/big", "--format", "json", status=1)
        found = json.loads(out)
        self.assertEqual([one["path"] for one in found["mismatches"]], ["w.bin"])
        self.assertEqual((found["missing"], found["extra"]), (["same.txt"], ["mine.txt"]))
        self.assertIn("verification failed", err)
        out, _ = self.cohub("cache", "verify", "user/big", "--revision", self.big[0])

        self.cohub("download", "user/small", "--type", "dataset", "--local-dir", "here", "--quiet")
        self.cohub("cache", "verify", "user/small", "--type", "dataset", "--local-dir", "here",
                   "--fail-on-extra-files", "--fail-on-missing-files")

    def test_kill_9_of_a_deletion_leaves_a_cache_that_can_be_used(self):
        repo = self.cache / "models--user--big"
        for number in range(2_000):  # so that it takes a while
            blob = repo / "blobs" / f"e{number}"
            blob.write_text("1")
            (repo / "snapshots" / self.big[0] / str(number)).symlink_to(f"../../blobs/e{number}")
        process = subprocess.Popen([COHUB, "cache", "rm", self.big[0], "--yes"], env=self.environment(),
                                   stdout=subprocess.DEVNULL)
        snapshot = repo / "snapshots" / self.big[0]
        self.assertTrue(wait_until(lambda: not snapshot.exists(), snapshot.parent, process))
        self.interrupt(process, signal.SIGKILL)
        out, _ = self.cohub("download", "user/big", "--quiet", HF_HUB_OFFLINE="1")
        self.assertTrue((pathlib.Path(out.strip()) / "w.bin").exists())
        out, err = self.cohub("cache", "ls", "--show-warnings")
        self.assertNotIn("warning", err)
        self.cohub("cache", "prune", "--yes")
        self.assertEqual(len(list((repo / "blobs").iterdir())), 3)
        self.assertEqual([p.name for p in repo.glob(".tmp-*")], [])


if __name__ == "__main__":
    unittest.main()
