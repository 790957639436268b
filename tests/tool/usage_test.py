"""What the cohub command answers to its words, without any Hub."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

from hub_process import COHUB


class Usage(unittest.TestCase):
    def run_cohub(self, *words):
        return subprocess.run([COHUB, *words], text=True, capture_output=True, timeout=60)

    def test_help_shows_examples(self):
        for words in ([], ["download"], ["upload"], ["repo", "create"], ["repo", "delete"],
                      ["repo", "list"], ["repo", "duplicate"], ["repo", "super-squash"], ["repo", "refs"],
                      ["repo", "access", "list"], ["repo", "access", "grant"], ["discussions", "edit"],
                      ["repo", "delete-files"], ["upload-large-folder"], ["whoami"], ["env"],
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
                      ["upload", "a/b", "/tmp", "--revision", "dev", "--create-pr"],
                      ["repo", "create", "a/b", "--private", "--public"],
                      ["repo", "create", "a/b", "--region", "moon"],
                      ["repo", "settings", "a/b"],
                      ["repo", "access", "list", "a/b", "--status", "odd"],
                      ["discussions", "comment", "a/b", "5"], ["discussions", "edit", "a/b", "5", "id"],
                      ["discussions", "comment", "a/b", "5", "--body", "x", "--body-file", "y"],
                      ["upload", "a/b", "/tmp", "--every", "600000"], ["upload", "a/b", "/tmp", "--every", "nan"],
                      ["repo", "create", "a/b", "--sdk", "static"], ["repo", "create", "a/b", "--flavor", "t4"],
                      ["repo", "create", "a/b", "--template", "x/y", "--type", "dataset"],
                      ["repo", "duplicate", "a/b", "c", "--secrets", "A=1"],
                      ["upload", "a/b", "/tmp", "--every", "0.00001"],
                      ["download", "hf://datasets/a/b/x", "--type", "model"],
                      ["models", "ls", "a/b", "--search", "x"], ["models", "ls", "-R"],
                      ["models", "card", "a/b", "--text", "--metadata"]):
            done = self.run_cohub(*words)
            self.assertEqual(done.returncode, 2, words)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
            self.assertEqual(done.stdout, "")

    def test_the_folder_it_is_called_in_gives_it_no_libraries(self):
        # A downloaded repository may well bear a file of such a name.
        linked = subprocess.run(["ldd", COHUB], text=True, capture_output=True, check=True).stdout
        names = [words[0] for words in map(str.split, linked.splitlines()) if "=>" in words]
        self.assertIn("libssl.so.3", names)
        with tempfile.TemporaryDirectory() as folder:
            for name in names:
                pathlib.Path(folder, name).write_text("no library")
            done = subprocess.run([os.path.abspath(COHUB), "--version"], cwd=folder, text=True,
                                  capture_output=True, timeout=60)
            self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_misuse_names_what_is_wrong_and_the_help_about_it(self):
        for words, said in ((["fly"], '"fly" is no command of cohub (see cohub --help)'),
                            (["models", "fly"], '"fly" is no command of cohub models (see cohub models --help)'),
                            (["repo", "tag"], "which command of cohub repo tag? (see cohub repo tag --help)"),
                            (["download", "a/b", "--fly"], "--fly (see cohub download --help)")):
            self.assertIn(said, self.run_cohub(*words).stderr)

    def test_a_number_is_a_number(self):
        for words in (["discussions", "list", "a/b", "--limit"], ["repo", "list", "--limit"],
                      ["models", "ls", "--limit"], ["cache", "ls", "--limit"], ["discussions", "info", "a/b"],
                      ["serve", "--root", "/tmp/x", "--part-size"], ["serve", "--root", "/tmp/x", "--port"],
                      ["download", "a/b", "--max-workers"], ["upload-large-folder", "a/b", ".", "--num-workers"]):
            for wrong in ("-1", "99999999999999999999", "1.5", "0x10", "", " 1", "many"):
                done = self.run_cohub(*words[:-1], f"{words[-1]}={wrong}" if words[-1][0] == "-" else words[-1],
                                      *([] if words[-1][0] == "-" else ["--", wrong]))
                self.assertEqual(done.returncode, 2, (words, wrong, done.stderr))
                self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
                self.assertLess(len(done.stderr), 150, done.stderr)

    def test_output_that_is_lost_is_a_failure(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([COHUB, "env"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr.count("\n")), (1, 1), done.stderr)

    def test_the_environment_without_secrets(self):
        environment = dict(os.environ, HF_TOKEN="hf_secret_of_a_test", HF_HOME="/tmp/some-home",
                           HF_ENDPOINT="http://hub.example")
        told = [subprocess.run([COHUB, "env", *flags], env=environment, text=True, capture_output=True, timeout=60)
                for flags in ([], ["--json"])]
        for done in told:
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertNotIn("hf_secret", done.stdout)
        facts = json.loads(told[1].stdout)
        self.assertEqual(facts["endpoint"], "http://hub.example")
        self.assertEqual(facts["cache_dir"], "/tmp/some-home/hub")
        self.assertEqual(facts["HF_HOME"], "/tmp/some-home")
        self.assertEqual(facts["token_path"], "/tmp/some-home/token")
        self.assertIs(facts["has_token"], True)
        self.assertIs(facts["offline"], False)
        self.assertIn("endpoint: http://hub.example\n", told[0].stdout)
        told = subprocess.run([COHUB, "env", "--json"], env=dict(environment, HF_HUB_OFFLINE="1",
                              HF_ENDPOINT="http://joe:s3cret@hub.example/a@b"), text=True, capture_output=True, timeout=60)
        self.assertIs(json.loads(told.stdout)["offline"], True)
        self.assertEqual(json.loads(told.stdout)["endpoint"], "http://hub.example/a@b")
        for odd in ("joe:s3cret@hub.example", "htp:/joe:s3cret@hub.example", "http://joe:s3cret@hub.example/?a=b"):
            for how in (["env"], ["env", "--json"], ["whoami"], ["repo", "create", "a/b"]):
                told = subprocess.run([COHUB, *how], env=dict(environment, HF_ENDPOINT=odd), text=True,
                                      capture_output=True, timeout=60)
                self.assertEqual(told.returncode, 0 if how[0] == "env" else 1, told.stderr)
                self.assertIn("HF_ENDPOINT", told.stdout + told.stderr)
                self.assertNotIn("s3cret", told.stdout + told.stderr)

    def test_the_version(self):
        told = {self.run_cohub(*words).stdout for words in (["--version"], ["-v"], ["version"])}
        self.assertEqual(len(told), 1)
        version = told.pop()
        self.assertRegex(version, r"^\d+\.\d+\.\d+\n$")
        self.assertEqual(json.loads(self.run_cohub("version", "--json").stdout), {"version": version.strip()})

    def test_what_nobody_foresaw_is_one_line_too(self):
        for words in (["upload", "a/b", "x" * 5000], ["discussions", "comment", "a/b", "1", "--body-file", "/tmp"]):
            done = self.run_cohub(*words)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertTrue(done.stderr.startswith("cohub: "), done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)

    def test_serve_says_why_it_cannot(self):
        done = self.run_cohub("serve", "--root", "/proc/no-such-place")
        self.assertEqual(done.returncode, 1)
        self.assertIn("/proc/no-such-place", done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)


if __name__ == "__main__":
    unittest.main()
