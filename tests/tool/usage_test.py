"""What the cohub command answers to its words, without any Hub."""

import subprocess
import unittest

from hub_process import COHUB


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


if __name__ == "__main__":
    unittest.main()
