"""`cohub auth` and `cohub whoami`: tokens are kept, and never shown."""

import os
import subprocess
import unittest

from hub_process import COHUB, Hub


class Tokens(Hub):
    def test_tokens_are_kept_and_never_shown(self):
        done = subprocess.run([COHUB, "auth", "login"], input=self.token + "\n", text=True,
                              capture_output=True, env=self.environment(HF_TOKEN=""))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn(self.token, done.stdout + done.stderr)
        self.assertEqual((self.folder / "home/token").stat().st_mode & 0o777, 0o600)
        self.assertEqual(self.cohub("auth", "whoami", HF_TOKEN="")[0], "user\n")
        self.assertEqual(self.cohub("auth", "token", HF_TOKEN="")[0], self.token + "\n")
        self.assertEqual(self.cohub("auth", "token", HF_TOKEN="hf_other")[0], "hf_other\n")
        self.assertEqual(self.json("auth", "token", HF_TOKEN="hf_other"), {"token": "hf_other"})
        listed, _ = self.cohub("auth", "list", HF_TOKEN="")
        self.assertIn("user-write", listed)
        self.assertNotIn(self.token, listed)
        self.cohub("auth", "switch", "--token-name", "user-write", HF_TOKEN="")
        self.fails("auth", "switch", "--token-name", "nobody")
        _, err = self.cohub("auth", "login", "--token", self.token, "--force", "--add-to-git-credential")
        self.assertIn("git", err)
        self.assertEqual(self.cohub("auth", "whoami", "--format", "agent")[0],
                         f"user=user endpoint={self.endpoint}\n")
        self.fails("auth", "logout", "--token-name", "")  # a name that was forgotten, not all of them
        self.assertEqual(self.cohub("auth", "token")[0].strip(), self.token)
        self.assertNotEqual(self.cohub("auth", "logout", "--format", "agent")[0], "\n")  # a sentence, without facts
        self.fails("auth", "token", HF_TOKEN="")
        self.assertIn("No results", self.cohub("auth", "ls")[0])
        self.fails("auth", "login", "--token", "hf_wrong")

    def test_a_token_that_is_given_is_never_shown(self):
        self.write("w.bin", os.urandom(12_000_000))
        for words in (["upload", "thing", "w.bin"], ["download", "user/thing", "w.bin"], ["whoami"]):
            out, err = self.cohub(*words, "--token", self.token, HF_TOKEN="hf_wrong")
            self.assertNotIn(self.token, out + err)
        _, err = self.cohub("whoami", "--token", "hf_also_wrong", status=1)
        self.assertNotIn("hf_also_wrong", err)


if __name__ == "__main__":
    unittest.main()
