"""`cohub discussions`."""

import json
import unittest

from hub_process import Hub


class Discussions(Hub):
    def test_discussions_from_opening_to_merging(self):
        self.write("a.txt", b"a")
        self.cohub("upload", "thing", "a.txt")
        told = json.loads(self.cohub("discussions", "create", "user/thing", "--title", "A change", "--pr",
                                     "--body", "It is better", "--json")[0])
        number = str(told["num"])
        self.assertEqual(list(told.items()), [("num", 1), ("url", f"{self.endpoint}/user/thing/discussions/1"),
                                              ("ref", "refs/pr/1")])
        self.write("b.txt", b"b")
        self.cohub("upload", "thing", "b.txt", "--revision", f"refs/pr/{number}")
        self.cohub("discussions", "comment", "user/thing", number, "--body", "Fine")
        self.cohub("discussions", "rename", "user/thing", number, "Another title")
        listed = json.loads(self.cohub("discussions", "list", "user/thing", "--json")[0])
        self.assertEqual([(one["title"], one["status"]) for one in listed], [("Another title", "draft")])
        self.cohub("discussions", "merge", "user/thing", number, "--comment", "Thanks")
        shown = json.loads(self.cohub("discussions", "info", "user/thing", number, "--json")[0])
        self.assertEqual(shown["status"], "merged")
        for status, nums in (("merged", [1]), ("draft", []), ("open", [])):
            listed = self.json("discussions", "list", "user/thing", "--status", status)
            self.assertEqual([one["num"] for one in listed], nums)
        self.assertIn("Fine", [event.get("content") for event in shown["events"]])
        self.assertEqual(self.read_remote("b.txt"), b"b")
        out, _ = self.cohub("discussions", "create", "user/thing", "--title", "A question", "--format", "agent")
        self.assertEqual(out, f"num=2 url={self.endpoint}/user/thing/discussions/2\n")
        other = str(int(number) + 1)
        self.cohub("discussions", "close", "user/thing", other, "--comment", "answered")
        self.cohub("discussions", "reopen", "user/thing", other)
        self.assertIn("A question (open", self.cohub("discussions", "info", "user/thing", other)[0])

    def test_what_somebody_wrote_commands_no_terminal(self):
        self.cohub("repo", "create", "thing")
        self.cohub("discussions", "create", "user/thing", "--title", "A \033]0;title\007",
                   "--body", "one\n\033[2Jtwo \u009b31m\x7f \u202egpj.exe\u2069\u200f")
        for words in (("info", "user/thing", "1"), ("list", "user/thing")):
            for how in ("human", "agent"):
                out, _ = self.cohub("discussions", *words, "--format", how)
                self.assertNotRegex(out, "[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\u202a-\u202e\u2066-\u2069]")
        self.assertIn("user: one\n?[2Jtwo ?31m? ?gpj.exe?\u200f", self.cohub("discussions", "info", "user/thing", "1")[0])

        out, _ = self.cohub("discussions", "info", "user/thing", "1", "--json")
        self.assertNotRegex(out, "[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
        self.assertIn("two \u009b31m\x7f \u202egpj.exe\u2069\u200f", json.loads(out)["events"][0]["content"])

    def test_a_password_in_the_endpoint_is_never_shown(self):
        self.cohub("repo", "create", "thing")
        endpoint = self.endpoint.replace("://", "://joe:s3cret@")
        for how in ("human", "agent", "json"):
            for words in (("discussions", "create", "user/thing", "--title", "A title"), ("whoami",), ("env",),
                          ("download", "user/thing", ".gitattributes")):
                out, err = self.cohub(*words, "--format", how, HF_ENDPOINT=endpoint)
                self.assertNotIn("s3cret", out + err)

    def test_lines_that_end_as_on_windows_are_lines(self):
        self.cohub("repo", "create", "thing")
        self.write("body.md", b"one\r\ntwo\rthree\r\n")
        self.cohub("discussions", "create", "user/thing", "--title", "A title", "--body-file", "body.md")
        self.assertIn("user: one\ntwo?three\n", self.cohub("discussions", "info", "user/thing", "1")[0])

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


if __name__ == "__main__":
    unittest.main()
