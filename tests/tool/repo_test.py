"""`cohub repo`, and `cohub models`, `datasets` and `spaces`."""

import json
import pathlib
import select
import subprocess
import unittest

from hub_process import COHUB, Hub
from scripted_hub import ScriptedHub


class Repositories(Hub):
    def test_repositories_come_and_go(self):
        out, _ = self.cohub("repo", "create", "data", "--type", "dataset", "--private")
        self.assertTrue(out.strip().endswith("/datasets/user/data"))
        self.fails("repo", "create", "data", "--type", "dataset")
        self.cohub("repo", "create", "data", "--type", "dataset", "--exist-ok")
        delete = ("repo", "delete", "user/data", "--type", "dataset")
        self.cohub(*delete, status=1)  # nobody is there to be asked
        self.assertIn("--yes", self.fails(*delete, "--quiet"))
        self.cohub(*delete, "--yes")
        self.fails(*delete, "--yes")
        self.cohub(*delete, "--yes", "--missing-ok")
        out, _ = self.cohub("whoami")
        self.assertEqual(out, "user\n")

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
        self.assertEqual(self.json("auth", "logout", HF_TOKEN=""), {})
        self.assertEqual(self.json("repo", "delete", "user/renamed", "--yes"), {"repo_id": "user/renamed"})

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
        self.assertEqual(self.cohub("repo", "list", "--search", "COP", "--quiet")[0], "user/copy\n")
        self.assertEqual(self.json("repo", "list", "--type", "dataset"), [])
        self.fails("repo", "list", "--namespace", "nobody")
        _, err = self.cohub("repo", "super-squash", "user/thing", status=1)
        self.assertIn("Forget the history of main of the model user/thing for good? [y/N]", err)
        self.assertEqual(self.json("repo", "super-squash", "user/thing", "-m", "One", "--yes"),
                         {"repo_id": "user/thing", "branch": "main"})
        self.cohub("repo", "tag", "create", "user/thing", "v1", "-m", "First")
        refs = self.json("repo", "refs", "user/thing")
        self.assertEqual([one["ref"] for one in refs], ["refs/heads/main", "refs/tags/v1"])
        self.assertEqual(refs[0]["target_commit"], refs[1]["target_commit"])

    def test_a_repository_is_deleted_on_a_terminal_only_after_a_yes(self):
        self.cohub("repo", "create", "thing")
        status, shown = self.on_terminal("repo", "delete", "user/thing", answer="n\n")
        self.assertEqual(status, 1)
        self.assertIn("Delete the model user/thing and its history for good? [y/N]", shown)
        self.fails("repo", "create", "thing")  # it is still there
        status, shown = self.on_terminal("repo", "delete", "user/thing", answer="y\n")
        self.assertEqual(status, 0)
        self.cohub("repo", "create", "thing")
        status, shown = self.on_terminal("repo", "delete", "user/thing", "--yes")
        self.assertEqual(status, 0)
        self.assertNotIn("[y/N]", shown)

    def test_a_question_is_seen_before_a_pipe_answers_it(self):
        self.cohub("repo", "create", "data", "--type", "dataset")
        asked = subprocess.Popen([COHUB, "repo", "delete", "user/data", "--type", "dataset"], text=True,
                                 env=self.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE)
        self.addCleanup(self.interrupt, asked)
        question = "Delete the dataset user/data and its history for good? [y/N] "
        ready, _, _ = select.select([asked.stderr], [], [], 60)
        self.assertTrue(ready)
        self.assertEqual(asked.stderr.read(len(question)), question)
        out, err = asked.communicate("y\n", timeout=60)
        self.assertEqual((asked.returncode, out, err), (0, "Deleted user/data\n", "\n"))

    def test_files_are_deleted_by_pattern(self):
        for name in ("a.txt", "b.txt", "logs/1"):
            self.write("out/" + name, b"x")
        self.cohub("upload", "thing", "out")
        self.cohub("repo", "delete-files", "thing", "*.txt", "logs/", "--commit-message", "tidy")
        out, _ = self.cohub("download", "user/thing")
        left = [path.name for path in pathlib.Path(out.splitlines()[-1]).iterdir()]
        self.assertEqual(left, [".gitattributes"])

    def test_a_pattern_in_brackets_is_no_list(self):
        for name in ("*", "a", "b", "[x]", "x"):
            self.write("out/" + name, name.encode())
        self.cohub("upload", "thing", "out")
        out, _ = self.cohub("download", "user/thing", "[x]")
        self.assertEqual(pathlib.Path(out.strip()).read_bytes(), b"[x]")
        out, _ = self.cohub("download", "user/thing", "[ab]", "x")
        self.assertEqual(self.files(pathlib.Path(out.splitlines()[-1])), ["[x]", "a", "b", "x"])
        self.cohub("repo", "delete-files", "thing", "[*]", "[[]x]", "--commit-message", "[tidy]")
        told = self.json("models", "info", "user/thing")
        self.assertEqual([one["rfilename"] for one in told["siblings"]], [".gitattributes", "a", "b", "x"])
        self.assertIn("[model/a] is not in the cache", self.cohub("cache", "rm", "[model/a]")[1])
        self.assertIn('"[x]" is no command of cohub repo', self.fails("repo", "[x]", status=2))

    def test_a_space_is_made_as_it_is_told(self):
        self.write("secrets.env", b"# a comment\nA=1\nB='two words'\n")
        self.cohub("repo", "create", "app", "--type", "space", "--sdk", "static", "--protected", "--flavor",
                   "cpu-basic", "--sleep-time", "-1", "--secrets", "HF_TOKEN", "-s", "C=3", "--secrets-file",
                   "secrets.env", "-e", "THEME=dark", "--region", "eu", "--resource-group-id", "1")
        self.assertEqual(self.json("spaces", "info", "user/app")["visibility"], "protected")
        self.cohub("repo", "create", "--type", "space", "-e", "A=1", "-e", "B=2", "app3", "--sdk", "static")
        self.cohub("repo", "settings", "user/app", "--type", "space", "--public")
        self.assertEqual(self.json("spaces", "info", "user/app")["visibility"], "public")
        self.fails("repo", "create", "m", "--protected")
        self.assertIn("nothing.env", self.fails("repo", "create", "app2", "--type", "space", "--sdk", "static",
                                                "--env-file", "nothing.env"))

    def test_secrets_and_variables_are_read_as_they_are_meant(self):
        self.write("secrets.env", b"""\
  # indented
export API_KEY="abc" # key
OTHER = value # comment\r
SPACED='two words'
LINES="a\\nb\\\\n\\$\\"c\\d" # all of it
SINGLE='a\\$b'
HASH="a#b"
OPEN="a # comment
EMPTY=
EQUALS=a=b
HERE   # from the environment
NOWHERE
API_KEY2=1
OTHER=later
""")
        hub = ScriptedHub(lambda path: {"url": "http://hub/spaces/user/app", "name": "user/app"})
        self.addCleanup(hub.stop)

        def sent(*words, **changes):
            _, err = self.cohub("repo", "create", "user/app", "--type", "space", "--sdk", "static", *words,
                                HF_ENDPOINT=hub.endpoint, HERE="here", **changes)
            told = hub.posted.pop()
            return [(one["key"], one["value"]) for one in told.get("secrets", told.get("variables", []))], err

        wanted = [("API_KEY", "abc"), ("OTHER", "later"), ("SPACED", "two words"), ("LINES", 'a\nb\\n$"c\\d'),
                  ("SINGLE", "a\\$b"), ("HASH", "a#b"), ("OPEN", '"a'), ("EMPTY", ""), ("EQUALS", "a=b"),
                  ("HERE", "here"), ("API_KEY2", "1")]
        for flag in ("--secrets-file", "--env-file"):
            secrets, err = sent(flag, "secrets.env")
            self.assertEqual(secrets, wanted)
            self.assertEqual(err.count("names a variable without a value here: it is left out\n"), 1)
            self.assertNotIn("NOWHERE", err)  # it may be a secret whose name was forgotten
        secrets, _ = sent("--secrets-file", "secrets.env", "-s", "OTHER=last", "-s", "HERE=p#1 # 2", "-s", "NEW='a b'")
        self.assertEqual(dict(secrets), dict(wanted, OTHER="last", HERE="p#1 # 2", NEW="a b"))
        self.write("home/token", b"hf_kept\n")
        self.assertEqual(sent("--secrets", "HF_TOKEN", HF_TOKEN="")[0], [("HF_TOKEN", "hf_kept")])
        self.write("odd.env", b"A=1\n1=secret\n")
        create = ("repo", "create", "app", "--type", "space", "--sdk", "static")
        self.assertIn("cannot read .", self.fails(*create, "--secrets-file", "."))
        said = self.fails(*create, "--secrets-file", "odd.env")
        self.assertIn("line 2 of odd.env", said)
        self.assertNotIn("secret", said)

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

    def test_branches_tags_moves_and_settings(self):
        self.write("a.txt", b"1")
        self.cohub("upload", "thing", "a.txt")
        told = self.json("repo", "tag", "create", "user/thing", "v1", "-m", "First")
        self.assertEqual(list(told.items()),
                         [("tag", "v1"), ("repo_type", "model"), ("repo_id", "user/thing")])
        out, _ = self.cohub("repo", "tag", "list", "user/thing", "--json")
        tags = json.loads(out)
        self.assertEqual([tag["name"] for tag in tags], ["v1"])
        out, _ = self.cohub("repo", "branch", "create", "user/thing", "dev", "--revision", "v1", "--quiet")
        self.assertEqual(out, "dev\n")
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
        self.fails("repo", "settings", "user/thing", status=2)
        self.cohub("repo", "move", "user/thing", "user/renamed")
        out, _ = self.cohub("download", "user/renamed", "a.txt")
        self.assertEqual(pathlib.Path(out.strip()).read_bytes(), b"1")

    def test_models_are_listed_and_told_of(self):
        for name in ("one", "two"):
            self.cohub("repo", "create", name)
        self.cohub("repo", "create", "three", "--type", "dataset")
        self.assertEqual(sorted(self.cohub("models", "ls", "--author", "user", "--quiet")[0].split()),
                         ["user/one", "user/two"])
        self.assertEqual(self.cohub("datasets", "ls", "--quiet")[0].split(), ["user/three"])
        self.assertEqual(self.cohub("spaces", "list")[0], "No results found.\n")
        self.assertEqual(json.loads(self.cohub("models", "info", "user/one", "--json")[0])["id"], "user/one")
        self.assertIn('\n  "id": "user/one",\n', self.cohub("models", "info", "user/one")[0])  # indented
        told = json.loads(self.cohub("models", "info", "user/one", "--expand", "sha", "--json")[0])
        self.assertEqual(set(told), {"_id", "id", "modelId", "sha"})

    def test_the_files_of_a_model_and_its_card(self):
        card = b"---\nlicense: mit\n---\n# A model\n"
        self.write("out/README.md", card)
        self.write("out/sub/w.bin", b"1234567")
        self.cohub("upload", "thing", "out")
        self.assertEqual(self.cohub("models", "ls", "user/thing", "--quiet")[0].split(),
                         ["sub/", ".gitattributes", "README.md"])
        told = self.json("models", "ls", "user/thing", "-R")
        self.assertEqual({one["path"]: one.get("size") for one in told if "/" in one["path"]},
                         {"sub/": None, "sub/w.bin": 7})
        self.assertEqual(self.cohub("models", "card", "user/thing")[0].encode(), card)
        self.assertEqual(self.cohub("models", "card", "user/thing", "--text")[0], "# A model\n")
        self.assertEqual(self.cohub("models", "card", "user/thing", "--metadata")[0], "license: mit\n")
        self.fails("models", "card", "user/nothing")

    def test_files_as_a_tree(self):
        for name in ("b.bin", "a/z.txt", "a/deep/w.bin", "a.txt"):
            self.write(f"out/{name}", b"x" * 1500)
        self.cohub("upload", "thing", "out", "--type", "dataset")
        tree = ("datasets", "ls", "user/thing", "--tree")
        self.assertEqual(self.cohub(*tree, "-R", "-q")[0].splitlines(),
                         ["├── .gitattributes", "├── a/", "│   ├── deep/", "│   │   └── w.bin", "│   └── z.txt",
                          "├── a.txt", "└── b.bin"])
        shown = self.cohub(*tree, "-h")[0].splitlines()
        self.assertEqual(shown[1:], ["      ├── a/", "1.5K  ├── a.txt", "1.5K  └── b.bin"])
        self.assertIn("1500  └── b.bin", self.cohub(*tree)[0])
        self.fails(*tree, "--json", status=2)
        self.fails("datasets", "ls", "--tree", status=2)
        self.assertIn("1.5K b.bin\n", self.cohub("datasets", "ls", "user/thing", "-h")[0])
        told = self.json("datasets", "ls", "user/thing", "--human-readable")
        self.assertIn(("b.bin", 1500), [(one["path"], one.get("size")) for one in told])

    def test_a_tree_of_any_depth_is_drawn(self):
        deep = "a/" * 60_000 + "x"
        hub = ScriptedHub(lambda path: [{"type": "file", "path": deep, "oid": "0" * 40, "size": 1}])
        self.addCleanup(hub.stop)
        out, _ = self.cohub("models", "ls", "user/thing", "--tree", HF_ENDPOINT=hub.endpoint)
        lines = out.splitlines()
        self.assertEqual(len(lines), 64)
        self.assertTrue(lines[-1].endswith("└── " + "a/" * (60_000 - 63) + "x"), lines[-1][:200])

    def test_a_card_as_json(self):
        card = "---\nlicense: mit\nmine: [a, 1, 2.5, true, null, .inf]\n---\n# A space\n"
        self.write("out/README.md", card.encode())
        self.cohub("upload", "thing", "out", "--type", "space")
        self.assertEqual(self.json("spaces", "card", "user/thing"), {"content": card})
        self.assertEqual(self.json("spaces", "card", "user/thing", "--text"), {"text": "# A space\n"})
        self.assertEqual(self.json("spaces", "card", "user/thing", "--metadata"),
                         {"license": "mit", "mine": ["a", 1, 2.5, True, None, None]})

    def test_models_are_picked_by_what_they_are(self):
        for name in ("open", "shut"):
            self.cohub("repo", "create", name)
        self.cohub("repo", "settings", "user/shut", "--gated", "auto")
        self.assertEqual(self.cohub("models", "ls", "--gated", "-q")[0], "user/shut\n")
        self.assertEqual(self.cohub("models", "ls", "--no-gated", "-q")[0], "user/open\n")
        self.assertEqual(self.cohub("models", "ls", "--num-parameters", "min:1B", "-q")[0], "")
        self.assertEqual(self.cohub("models", "ls", "--warm", "-q")[0], "")
        self.assertEqual(self.cohub("models", "ls", "--inference-provider", "all", "-q")[0], "")
        for wrong in (["--gated", "--no-gated"], ["--warm", "--inference-provider", "x"], ["--sort", "size"],
                      ["user/open", "--warm"]):
            self.fails("models", "ls", *wrong, status=2)
        told = self.cohub("models", "ls", "--expand", "gated,likes", "--search", "shut")[0].splitlines()
        self.assertEqual(told[0].split(), ["ID", "GATED", "LIKES"])
        self.assertEqual(told[2].split(), ["user/shut", "auto", "0"])
        self.assertEqual(self.cohub("models", "ls")[0].split()[1], "LAST_MODIFIED")
        self.assertEqual(self.cohub("models", "info", "user/open", "--quiet")[0], "user/open\n")


if __name__ == "__main__":
    unittest.main()
