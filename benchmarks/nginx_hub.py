"""A Hub made of nginx and files: it answers what a download asks, as fast as files can be served.

Three repositories: `bench/large` (file.bin; resolve redirects to the second address, as the public Hub does
for large files), `bench/small` (many little files, served by resolve itself) and `bench/capped` (file.bin,
contents at a bounded rate a connection). Plain or TLS, with a certificate made for the run.
"""

import hashlib
import json
import os
import pathlib

from nginx import free_port, make_certificate, start_nginx

COMMIT = "c0ffee" + "0" * 34
CONFIGURATION = """
worker_processes 2;
{user}
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 2048; }}
http {{
  log_format requests '$server_port $request_method $uri $status';
  access_log {access_log};
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  sendfile on; tcp_nopush on; tcp_nodelay on; keepalive_requests 100000; etag off; default_type application/octet-stream;
  {tls}
  map_hash_max_size 65536; map_hash_bucket_size 256;
  map $uri $small_etag {{ include {folder}/etags.map; default ""; }}
  server {{
    listen 127.0.0.1:{api}{ssl} backlog=1024;
    add_header X-Repo-Commit {commit} always;
    location /bench/large/resolve/ {{
      add_header X-Repo-Commit {commit} always;
      add_header X-Linked-Size {size} always;
      add_header X-Linked-Etag '"{sha256}"' always;
      return 302 {scheme}://127.0.0.1:{public_content}/large/file.bin;
    }}
    location /bench/capped/resolve/ {{
      add_header X-Repo-Commit {commit} always;
      add_header X-Linked-Size {size} always;
      add_header X-Linked-Etag '"{sha256}"' always;
      return 302 {scheme}://127.0.0.1:{public_content}/capped/file.bin;
    }}
    location /bench/small/resolve/ {{
      rewrite ^/bench/small/resolve/[^/]+/(.*)$ /small/$1 break;
      root {folder}/content;
      add_header X-Repo-Commit {commit} always;
      add_header ETag '"$small_etag"' always;
    }}
    location /api/models/bench/small/revision/ {{ try_files /small-info.json =404; root {folder}/api; default_type application/json; }}
    location /api/models/bench/small/tree/ {{
      root {folder}/api; default_type application/json;
      add_header Link $next_page always;
      try_files /small-tree-$page.json =404;
    }}
  }}
  map $arg_cursor $page {{ "" 0; default $arg_cursor; }}
  map $page $next_page {{ include {folder}/pages.map; default ""; }}
  server {{
    listen 127.0.0.1:{content}{ssl} backlog=1024;
    root {folder}/content;
    location /capped/ {{ alias {folder}/content/large/; limit_rate 50m; }}
  }}
}}
"""


def git_blob_id(content):
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class NginxHub:
    page_size = 1000

    def __init__(self, folder, tls=False, log_requests=False, behind_link=False):
        self.folder = pathlib.Path(folder)
        self.tls = tls
        self.scheme = "https" if tls else "http"
        self.api, self.content = free_port(), free_port()
        # Where clients are sent: elsewhere if a link stands in front.
        self.public_api, self.public_content = self.api, self.content
        if behind_link:
            self.public_api, self.public_content = free_port(), free_port()
        self.endpoint = f"{self.scheme}://127.0.0.1:{self.public_api}"
        self.certificate = self.folder / "certificate.pem"
        self.log = self.folder / "access.log" if log_requests else None
        self.sha256, self.size, self.small = "0" * 64, 0, []
        for name in ("content/large", "content/small", "api", "body", "proxy"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o755)

    def put_large(self, mib):
        digest = hashlib.sha256()
        with open(self.folder / "content/large/file.bin", "wb") as stream:
            for _ in range(mib):
                piece = os.urandom(1 << 20)
                digest.update(piece)
                stream.write(piece)
        self.sha256, self.size = digest.hexdigest(), mib << 20

    def put_small(self, count, size):
        entries = []
        for number in range(count):
            content = os.urandom(size)
            path = f"part-{number // 100:03}/file-{number:05}.bin"
            target = self.folder / "content/small" / path
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(content)
            entries.append({"type": "file", "oid": git_blob_id(content), "size": size, "path": path})
        self.small = entries

    def write_api(self):
        (self.folder / "etags.map").write_text(
            "".join(f"/small/{e['path']} {e['oid']};\n" for e in self.small))
        (self.folder / "api/small-info.json").write_text(json.dumps({"id": "bench/small", "sha": COMMIT}))
        pages = [self.small[i:i + self.page_size] for i in range(0, len(self.small), self.page_size)] or [[]]
        with open(self.folder / "pages.map", "w") as links:
            for number, page in enumerate(pages):
                (self.folder / f"api/small-tree-{number}.json").write_text(json.dumps(page))
                if number + 1 < len(pages):
                    links.write(f"{number} '<{self.endpoint}/api/models/bench/small/tree/{COMMIT}?recursive=true"
                                f"&expand=false&cursor={number + 1}>; rel=\"next\"';\n")

    def start(self):
        self.write_api()
        tls = ""
        if self.tls:
            make_certificate(self.folder)
            tls = (f"ssl_certificate {self.certificate}; ssl_certificate_key {self.folder}/key.pem; "
                   "ssl_session_cache shared:s:4m; ssl_protocols TLSv1.2 TLSv1.3;")
        configuration = CONFIGURATION.format(
            user="user root;" if os.geteuid() == 0 else "", folder=self.folder, api=self.api, content=self.content,
            public_content=self.public_content, commit=COMMIT, size=self.size, sha256=self.sha256,
            scheme=self.scheme, ssl=" ssl" if self.tls else "", tls=tls,
            access_log=f"{self.log} requests" if self.log else "off")
        self.process = start_nginx(self.folder, configuration, self.content)
        return self

    def environment(self, home):
        """What a client needs to take this for the Hub."""
        variables = dict(os.environ, HF_ENDPOINT=self.endpoint, HF_HOME=str(home),
                         HF_HUB_DISABLE_XET="1", HF_HUB_DISABLE_PROGRESS_BARS="1")
        for name in ("HF_TOKEN", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
            variables.pop(name, None)
        if self.tls:
            variables["SSL_CERT_FILE"] = str(self.certificate)
        return variables

    def stop(self):
        self.process.terminate()
        self.process.wait()
