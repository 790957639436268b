"""`cohub auth` and `cohub whoami`: tokens are kept, and never shown."""

import json
import os
import pty
import signal
import subprocess
import termios
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
        self.assertNotEqual(self.cohub("auth", "logout", "--format", "agent", HF_TOKEN="")[0], "\n")  # a sentence, without facts
        self.fails("auth", "token", HF_TOKEN="")
        self.assertIn("No results", self.cohub("auth", "ls")[0])
        self.fails("auth", "login", "--token", "hf_wrong")

    def test_what_the_environment_names_is_told_where_it_matters(self):
        instead = "cohub: warning: HF_TOKEN or HUGGING_FACE_HUB_TOKEN is set, and is used instead of this token\n"
        login = ("auth", "login", "--token", self.token, "--quiet")
        self.assertEqual(self.cohub(*login, HF_TOKEN="")[1], "")
        self.assertEqual(self.cohub(*login)[1], "")
        self.assertEqual(self.cohub(*login, HF_TOKEN="hf_other")[1], instead)
        switch = ("auth", "switch", "--token-name", "user-write", "--quiet")
        self.assertEqual(self.cohub(*switch)[1], "")
        self.assertEqual(self.cohub(*switch, HF_TOKEN="", HUGGING_FACE_HUB_TOKEN="hf_other")[1], instead)
        self.assertEqual(self.json("auth", "list")[0]["active"], "*")
        out, err = self.cohub("auth", "list", "--json", HF_TOKEN="hf_other")
        self.assertEqual(json.loads(out)[0]["active"], "")
        self.assertIn("which is not kept", err)
        self.assertIn("HF_TOKEN", self.fails("auth", "logout", "--token-name", "user-write"))
        self.assertEqual(self.json("auth", "list", HF_TOKEN=""), [])
        self.cohub(*login, HF_TOKEN="")
        self.cohub("auth", "logout", "--token-name", "user-write", HF_TOKEN="hf_other")
        self.assertIn("HF_TOKEN", self.fails("auth", "logout", HF_TOKEN="hf_other"))
        self.cohub("auth", "logout", HF_TOKEN="")

    def ask_on_terminal(self):
        """A login that waits on a terminal for a token; the process, and this end of the terminal."""
        terminal, other_end = pty.openpty()
        self.addCleanup(os.close, terminal)
        process = subprocess.Popen([COHUB, "auth", "login"], env=self.environment(HF_TOKEN=""), stdin=other_end,
                                   stdout=other_end, stderr=other_end, process_group=0)  # stops, whoever runs us
        os.close(other_end)
        self.addCleanup(self.interrupt, process)
        self.read_up_to(terminal, b"Token (is not shown): ")
        self.assertFalse(self.shows_what_is_typed(terminal))
        return process, terminal

    def read_up_to(self, terminal, text):
        shown = b""
        while not shown.endswith(text):
            shown += os.read(terminal, 1)

    def shows_what_is_typed(self, terminal):
        return bool(termios.tcgetattr(terminal)[3] & termios.ECHO)

    def test_a_terminal_is_as_it_was_when_a_login_is_interrupted(self):
        for how in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP):
            process, terminal = self.ask_on_terminal()
            self.assertEqual(self.interrupt(process, how), -how)
            self.assertTrue(self.shows_what_is_typed(terminal))

    def test_a_login_that_is_stopped_asks_again(self):
        process, terminal = self.ask_on_terminal()
        process.send_signal(signal.SIGTSTP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED)
        self.assertTrue(self.shows_what_is_typed(terminal))
        process.send_signal(signal.SIGCONT)
        self.read_up_to(terminal, b"Token (is not shown): ")
        self.assertFalse(self.shows_what_is_typed(terminal))
        os.write(terminal, self.token.encode() + b"\n")
        self.read_up_to(terminal, b"kept as user-write\r\n")
        self.assertEqual(process.wait(timeout=60), 0)
        self.assertTrue(self.shows_what_is_typed(terminal))
        self.assertEqual(self.cohub("auth", "token", HF_TOKEN="")[0], self.token + "\n")

    def test_a_token_may_come_from_a_file_of_another_system(self):
        given = f" {self.token}\r\n"
        self.assertEqual(self.cohub("whoami", "--token", given, HF_TOKEN="")[0], "user\n")
        self.write("out/a.bin", b"1")
        self.cohub("upload-large-folder", "user/thing", "out", "--token", given, HF_TOKEN="")

    def test_a_token_that_is_given_is_never_shown(self):
        self.write("w.bin", os.urandom(12_000_000))
        for words in (["upload", "thing", "w.bin"], ["download", "user/thing", "w.bin"], ["whoami"]):
            out, err = self.cohub(*words, "--token", self.token, HF_TOKEN="hf_wrong")
            self.assertNotIn(self.token, out + err)
        _, err = self.cohub("whoami", "--token", "hf_also_wrong", status=1)
        self.assertNotIn("hf_also_wrong", err)


if __name__ == "__main__":
    unittest.main()
