"""What the Hubs that are made of nginx have in common."""

import socket
import subprocess
import time


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def make_certificate(folder):
    """certificate.pem and key.pem of 127.0.0.1."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                    "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder / "key.pem",
                    "-out", folder / "certificate.pem"], check=True, stderr=subprocess.DEVNULL)


def start_nginx(folder, configuration, port):
    """Runs nginx, which is to listen at the port. Its path is Debian's, which users' PATH lacks."""
    file = folder / "nginx.conf"
    file.write_text(configuration)
    process = subprocess.Popen(["/usr/sbin/nginx", "-c", file], stderr=subprocess.DEVNULL)
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return process
        if process.poll() is not None:
            break
        time.sleep(0.02)
    raise SystemExit("nginx does not listen: " + (folder / "error.log").read_text())
