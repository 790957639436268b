"""Downloads by way of real proxies: tinyproxy and squid."""

import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import tempfile
import unittest

from folder_watch import wait_until
from hub_process import COHUB, Hub

PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
TINYPROXY = shutil.which("tinyproxy", path=PATH)
SQUID = shutil.which("squid", path=PATH)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class ProxiedHub(Hub):
    """A Hub, plain or with TLS, that holds the repository user/thing, and proxies in front of it."""

    secure = False

    def setUp(self):
        super().setUp()
        self.content = os.urandom(3_000_000)
        self.write("model/w.bin", self.content)
        self.write("model/config.json", b"{}")
        self.cohub("upload", "thing", "model", "--quiet")
        self.proxies = pathlib.Path(tempfile.mkdtemp(prefix="cohub-proxy-"))
        self.addCleanup(shutil.rmtree, self.proxies, ignore_errors=True)
        self.proxies.chmod(0o777)  # squid, started by root, becomes another user

    def start(self):
        if not self.secure:
            return super().start()
        self.certificate = self.folder / "hub.crt"
        key = self.folder / "hub.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
                        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key,
                        "-out", self.certificate], check=True, capture_output=True)
        self.hub = subprocess.Popen([COHUB, "serve", "--root", self.folder / "hub", "--port", "0",
                                     "--certificate", self.certificate, "--private-key", key],
                                    stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.stop, self.hub)
        said = dict(self.hub.stdout.readline().split() for _ in range(3))
        self.endpoint, self.token = said["endpoint"], said["token"]

    def environment(self, **changes):
        if self.secure:
            changes.setdefault("SSL_CERT_FILE", str(self.certificate))
        return super().environment(**changes)

    def launch(self, command, log, listens):
        """Starts a proxy that writes to the log that it listens."""
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                   text=True)
        self.addCleanup(self.end, process)
        if not wait_until(lambda: log.exists() and listens in log.read_text(errors="replace"),
                          log.parent, process):
            self.fail(f"{command[0]} does not start: {process.stderr.read()}")

    def end(self, process):
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stderr.close()

    def tinyproxy(self, credential=None):
        """Starts it; its port. `log` is what it says of each request."""
        port = free_port()
        self.log = self.proxies / "tinyproxy.log"
        lines = [f"Port {port}", "Listen 127.0.0.1", "Timeout 60", "MaxClients 100", "Allow 127.0.0.1",
                 f'LogFile "{self.log}"', "LogLevel Info", f'PidFile "{self.proxies}/tinyproxy.pid"']
        if credential:
            lines.append("BasicAuth {} {}".format(*credential))
        settings = self.proxies / "tinyproxy.conf"
        settings.write_text("\n".join(lines) + "\n")
        self.launch([TINYPROXY, "-d", "-c", str(settings)], self.log, "Accepting connections")
        return port

    def squid(self):
        port = free_port()
        self.log = self.proxies / "access.log"
        lines = [f"http_port 127.0.0.1:{port}", "http_access allow all", "cache deny all",
                 "cache_mem 8 MB", "shutdown_lifetime 0 seconds", "pinger_enable off", "netdb_filename none",
                 f"pid_filename {self.proxies}/squid.pid", f"cache_log {self.proxies}/cache.log",
                 f"access_log stdio:{self.log}", f"coredump_dir {self.proxies}",
                 "visible_hostname proxy.test", "max_filedescriptors 1024",
                 f"cache_effective_user {pwd.getpwuid(os.getuid()).pw_name}" if os.getuid() else
                 "cache_effective_user proxy"]
        settings = self.proxies / "squid.conf"
        settings.write_text("\n".join(lines) + "\n")
        self.launch([SQUID, "-N", "-f", str(settings)], self.proxies / "cache.log",
                    "Accepting HTTP Socket connections")
        return port

    def downloads(self, **proxies):
        out, err = self.cohub("download", "user/thing", "--quiet", **proxies)
        self.assertEqual(err, "")
        folder = pathlib.Path(out.strip())
        self.assertEqual((folder / "w.bin").read_bytes(), self.content)
        self.assertEqual((folder / "config.json").read_bytes(), b"{}")

    def refused(self, *secrets, **proxies):
        line = self.fails("download", "user/thing", **proxies)
        for secret in secrets:
            self.assertNotIn(secret, line)
        return line

    def was_used(self):
        return self.log.exists() and "127.0.0.1" in self.log.read_text(errors="replace")


class Requests:
    """What holds for plain and for TLS."""

    @property
    def variable(self):
        return "HTTPS_PROXY" if self.secure else "http_proxy"

    @unittest.skipUnless(TINYPROXY, "tinyproxy is not installed")
    def test_tinyproxy(self):
        port = self.tinyproxy()
        self.downloads(**{self.variable: f"http://127.0.0.1:{port}"})
        how = "CONNECT 127.0.0.1:" if self.secure else "GET http://127.0.0.1:"
        self.assertIn(how, self.log.read_text())

    @unittest.skipUnless(TINYPROXY, "tinyproxy is not installed")
    def test_tinyproxy_with_a_password(self):
        port = self.tinyproxy(credential=("joe", "s3cret"))
        self.downloads(ALL_PROXY=f"joe:s3cret@127.0.0.1:{port}")

    @unittest.skipUnless(TINYPROXY, "tinyproxy is not installed")
    def test_a_wrong_password_is_an_error_that_does_not_show_it(self):
        port = self.tinyproxy(credential=("joe", "s3cret"))
        for user in ("joe:wr0ng-pass@", ""):
            line = self.refused("wr0ng-pass", "joe:", "am9lOn",
                                **{self.variable: f"http://{user}127.0.0.1:{port}"})
            self.assertIn(f"proxy 127.0.0.1:{port}", line)
            self.assertRegex(line, "status 40[17]")  # tinyproxy calls a wrong password 401

    @unittest.skipUnless(SQUID, "squid is not installed")
    def test_squid(self):
        port = self.squid()
        # Squid lets CONNECT to any port through here: it has no rule against it.
        self.downloads(**{self.variable: f"http://127.0.0.1:{port}"})
        self.assertTrue(self.was_used())

    @unittest.skipUnless(TINYPROXY, "tinyproxy is not installed")
    def test_no_proxy(self):
        port = self.tinyproxy()
        for exempt in ("*", "127.0.0.1", "other.example, 127.0.0.0/8"):
            shutil.rmtree(self.folder / "home", ignore_errors=True)
            self.downloads(ALL_PROXY=f"http://127.0.0.1:{port}", NO_PROXY=exempt)
        self.assertNotIn("Request", self.log.read_text())
        self.downloads(ALL_PROXY="socks5://nobody.example", no_proxy="*")

    def test_a_proxy_that_is_not_there_is_named(self):
        port = free_port()
        line = self.refused("s3cret", **{self.variable: f"http://joe:s3cret@127.0.0.1:{port}"})
        self.assertIn(f"proxy 127.0.0.1:{port}", line)


class Plain(Requests, ProxiedHub):
    pass


class Secure(Requests, ProxiedHub):
    secure = True


if __name__ == "__main__":
    unittest.main()
