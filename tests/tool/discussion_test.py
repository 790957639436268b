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
