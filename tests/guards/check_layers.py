"""Holds the order of the layers: a folder of src/ includes only those above it, a folder of a layer only
those before it, public headers show neither Beast nor OpenSSL, and the tool sees public headers alone.

Usage: check_layers.py SOURCE_DIR | --self-test
"""

import pathlib
import re
import sys
import tempfile

ORDER = ["core", "io", "http", "hub", "cache", "transfer", "client", "model"]
ALLOWED = {layer: set(ORDER[: i + 1]) for i, layer in enumerate(ORDER)}
ALLOWED["hub"] = {"core", "hub"}  # pure: no io, no http
ALLOWED["cache"] = {"core", "io", "hub", "cache"}  # knows no sockets
ALLOWED["model"] = set(ORDER) - {"http"}
ALLOWED["server"] = {"core", "io", "http", "hub", "server"}
ALLOWED["tool"] = set()
ALLOWED["integrations"] = set()  # public headers alone, as other people's

# Folders of a layer: each includes only those before it, and what lies in none of them.
FOLDERS = {
    "transfer": ["download", "remote_file", "snapshot", "upload", "commit", "folder"],
    "server": ["wire", "git", "store", "handlers"],
    "model": ["card", "safetensors", "mixin"],
}

FORBIDDEN = {
    "core": r"boost/(asio|beast)",
    "io": r"boost/(beast|asio/ssl)|openssl/",
    "hub": r"boost/(asio|beast)|openssl/",
    "cache": r"boost/(beast|asio/ssl|asio/ip)|openssl/",
    "transfer": r"boost/beast|openssl/",
    "client": r"boost/beast|openssl/",
    "model": r"boost/(beast|asio/ssl|asio/ip)|openssl/",
    "tool": r"boost/beast|openssl/",
    "integrations": r"boost/beast|openssl/",
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


def folder_faults(root):
    for layer, folders in FOLDERS.items():
        for path in sources(root / "src" / layer):
            own = path.relative_to(root / "src" / layer).parts[0]
            for name in INCLUDE.findall(path.read_text()):
                included = name.split("/")
                if (included[0] == layer and own in folders and included[1] in folders
                        and folders.index(included[1]) > folders.index(own)):
                    yield f"{path}: {layer}/{own} must not include {name}"


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


def header_faults(root):
    """Every public header is named by a target, or it would not be installed."""
    named = "".join((root / "src" / part / "CMakeLists.txt").read_text()
                    for part in (".", "server", "integrations"))
    for path in sources(root / "include"):
        name = path.relative_to(root / "include" / "cohub").as_posix()
        if not re.search(rf"(^|[\s/]){re.escape(name)}(\s|\)|$)", named):
            yield f"{path}: no target has this header in its FILE_SET"


def all_faults(root):
    return [*layer_faults(root), *folder_faults(root), *public_faults(root), *example_faults(root),
            *header_faults(root)]


def self_test():
    """A tree with one fault of each kind, and one where all is as it should be."""
    good = {
        "src/core/hex.cpp": '#include "core/hex.hpp"\n#include <string>\n',
        "src/core/hex.hpp": '#include "cohub/error.hpp"\n',
        "src/transfer/plan.cpp": '#include "cache/layout.hpp"\n#include "core/hex.hpp"\n#include "plan.hpp"\n',
        "src/transfer/plan.hpp": "",
        "src/transfer/commit/body.cpp": '#include "transfer/plan.hpp"\n#include "transfer/upload/spool.hpp"\n',
        "src/transfer/upload/spool.hpp": "",
        "src/cache/layout.hpp": "",
        "src/http/message.hpp": "#include <boost/beast/http.hpp>\n",
        "src/server/api.cpp": '#include "http/message.hpp"\n',
        "src/tool/main.cpp": '#include "cohub/error.hpp"\n#include <CLI/CLI.hpp>\n',
        "include/cohub/error.hpp": "#include <boost/system/error_code.hpp>\n",
        "examples/async/a.cpp": "#include <cohub/error.hpp>\n",
        "src/CMakeLists.txt": "error.hpp)",
        "src/server/CMakeLists.txt": "",
        "src/integrations/CMakeLists.txt": "",
        "src/integrations/torch/save.cpp": '#include "cohub/error.hpp"\n#include <torch/nn/module.h>\n',
    }
    bad = {
        "src/core/hex.cpp": '#include "http/message.hpp"\n',
        "src/core/hex.hpp": "#include <boost/asio/awaitable.hpp>\n",
        "src/cache/layout.hpp": '#include "http/message.hpp"\n',
        "src/transfer/plan.cpp": "#  include <boost/beast/core.hpp>\n",
        "src/transfer/upload/spool.hpp": '#include "transfer/commit/body.hpp"\n',
        "src/server/api.cpp": '#include "transfer/plan.hpp"\n',
        "src/tool/main.cpp": '#include "core/hex.hpp"\n',
        "src/integrations/torch/save.cpp": '#include "core/hex.hpp"\n',
        "include/cohub/error.hpp": "#include <openssl/ssl.h>\n",
        "examples/async/a.cpp": '#include "core/hex.hpp"\n',
        "src/CMakeLists.txt": "",
    }
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)

        for name, content in good.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(content)
        for fault in all_faults(root):
            wrong += 1
            print("wrongly found:", fault)
        for name, content in bad.items():
            (root / name).write_text(content)
            if not all_faults(root):
                wrong += 1
                print(f"not found: {name}: {content}")
            (root / name).write_text(good[name])
    print(f"{len(bad) + 1} trees, {wrong} judged wrongly")
    return 1 if wrong else 0


def main():
    if sys.argv[1] == "--self-test":
        return self_test()
    root = pathlib.Path(sys.argv[1])
    faults = all_faults(root)
    read = sum(1 for folder in ("src", "include", "examples") for _ in sources(root / folder))
    if read < 50:
        faults.append(f"only {read} files found below {root}: is this the right folder?")
    for fault in faults:
        print(fault)
    print(f"{read} files read, {len(faults)} faults")
    return 1 if faults else 0


sys.exit(main())
