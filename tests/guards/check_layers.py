"""Holds the order of the layers: a folder of src/ includes only those above it, public headers show
neither Beast nor OpenSSL, and the tool sees public headers alone.

Usage: check_layers.py SOURCE_DIR
"""

import pathlib
import re
import sys

ORDER = ["core", "io", "http", "hub", "cache", "transfer", "client", "model"]
ALLOWED = {layer: set(ORDER[: i + 1]) for i, layer in enumerate(ORDER)}
ALLOWED["hub"] = {"core", "hub"}  # pure: no io, no http
ALLOWED["cache"] = {"core", "io", "hub", "cache"}  # knows no sockets
ALLOWED["model"] = set(ORDER) - {"http"}
ALLOWED["server"] = {"core", "io", "http", "hub", "server"}
ALLOWED["tool"] = set()

FORBIDDEN = {
    "core": r"boost/(asio|beast)",
    "io": r"boost/(beast|asio/ssl)|openssl/",
    "hub": r"boost/(asio|beast)|openssl/",
    "cache": r"boost/(beast|asio/ssl|asio/ip)|openssl/",
    "transfer": r"boost/beast|openssl/",
    "client": r"boost/beast|openssl/",
    "model": r"boost/(beast|asio/ssl|asio/ip)|openssl/",
    "tool": r"boost/beast|openssl/",
}
FORBIDDEN_IN_PUBLIC = r"boost/(beast|asio/ssl)|openssl/|git2|yaml\.h"

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.M)


def sources(folder):
    return sorted(p for p in folder.rglob("*") if p.suffix in (".hpp", ".cpp"))


def layer_faults(root):
    for layer, allowed in ALLOWED.items():
        own_names = {p.relative_to(root / "src" / layer).as_posix()
                     for p in sources(root / "src" / layer)}
        for path in sources(root / "src" / layer):
            for name in INCLUDE.findall(path.read_text()):
                head = name.split("/")[0]
                if (root / "src" / head).is_dir() and head not in allowed and name not in own_names:
                    yield f"{path}: the layer {layer} must not include {name}"
                if layer in FORBIDDEN and re.match(FORBIDDEN[layer], name):
                    yield f"{path}: the layer {layer} must not know {name}"


def public_faults(root):
    for path in sources(root / "include"):
        for name in INCLUDE.findall(path.read_text()):
            if re.match(FORBIDDEN_IN_PUBLIC, name):
                yield f"{path}: a public header must not include {name}"
            if (root / "src" / name.split("/")[0]).is_dir() and not name.startswith("cohub/"):
                yield f"{path}: a public header must not include the private {name}"


def example_faults(root):
    for path in sources(root / "examples"):
        for name in INCLUDE.findall(path.read_text()):
            if (root / "src" / name.split("/")[0]).is_dir():
                yield f"{path}: an example includes the private {name}"


def main():
    root = pathlib.Path(sys.argv[1])
    faults = [*layer_faults(root), *public_faults(root), *example_faults(root)]
    read = sum(1 for folder in ("src", "include", "examples") for _ in sources(root / folder))
    if read < 50:
        faults.append(f"only {read} files found below {root}: is this the right folder?")
    for fault in faults:
        print(fault)
    print(f"{read} files read, {len(faults)} faults")
    return 1 if faults else 0


sys.exit(main())
