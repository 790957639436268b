"""The Hub that `cohub serve` runs: its banner, its end, and its beginning again."""

import json
import pathlib
import signal
import subprocess
import unittest

from hub_process import COHUB, Hub


class Serving(Hub):
    def test_the_banner_of_a_hub_as_json(self):
        hub = subprocess.Popen([COHUB, "serve", "--root", self.folder / "second", "--json"],
                               stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.stop, hub)
        said = json.loads(hub.stdout.readline())
        self.assertEqual(set(said), {"endpoint", "owner", "token"})
        self.assertEqual(self.json("whoami", HF_ENDPOINT=said["endpoint"], HF_TOKEN=said["token"])["user"],
                         said["owner"])
        self.assertEqual(self.interrupt(hub, signal.SIGINT), 0)

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

    def test_what_is_private_is_nobody_elses(self):
        hub = subprocess.Popen([COHUB, "serve", "--root", self.folder / "new/root/"], stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.stop, hub)
        hub.stdout.readline()
        self.assertEqual((self.folder / "new/root").stat().st_mode & 0o777, 0o700)
        self.interrupt(hub, signal.SIGTERM)

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
