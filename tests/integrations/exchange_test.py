"""Weights go from C++ to Python's torch and back: the same names in the same order, the same values.

The reader and writer of safetensors here are a few lines of their own, made from the format alone.

Usage: exchange_test.py TORCH_EXCHANGE
"""

import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest

import torch

PROGRAM = sys.argv.pop(1)
DTYPES = {"F32": torch.float32, "F64": torch.float64, "I64": torch.int64, "BF16": torch.bfloat16,
          "BOOL": torch.bool}


class Net(torch.nn.Module):
    """The net of torch_models.hpp."""

    def __init__(self, hidden_size=4):
        super().__init__()
        self.conv = torch.nn.Conv2d(1, 2, 3, bias=False)
        self.norm = torch.nn.BatchNorm2d(2)
        self.body = torch.nn.Sequential(torch.nn.Linear(8, hidden_size),
                                        torch.nn.Linear(hidden_size, hidden_size))
        self.head = torch.nn.Linear(hidden_size, 2)
        self.tail = self.head
        self.scale = torch.nn.Parameter(torch.rand(1))
        self.register_buffer("steps", torch.tensor([7]))
        self.register_buffer("halves", torch.tensor([0.25, 3.0], dtype=torch.bfloat16))
        self.register_buffer("mask", torch.tensor([False, True, True]))

    def forward(self, x):
        return self.tail(self.body(self.norm(self.conv(x)).flatten(1) * self.scale))


def sample():
    return torch.arange(16, dtype=torch.float32).view(1, 1, 4, 4) / 16


def read(path):
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8:8 + length])
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, info in header.items():
        begin, end = (8 + length + offset for offset in info["data_offsets"])
        tensors[name] = torch.frombuffer(bytearray(content[begin:end]),
                                         dtype=DTYPES[info["dtype"]]).view(info["shape"])
    return tensors, metadata


def write(path, tensors, metadata):
    header, data = {"__metadata__": metadata}, b""
    names = {dtype: name for name, dtype in DTYPES.items()}
    for name, tensor in tensors.items():
        raw = tensor.detach().contiguous().view(-1).view(torch.uint8).numpy().tobytes() \
            if tensor.dtype != torch.bool else tensor.to(torch.uint8).numpy().tobytes()
        header[name] = {"dtype": names[tensor.dtype], "shape": list(tensor.shape),
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def run(*arguments):
    return subprocess.run([PROGRAM, *map(str, arguments)], check=True, text=True,
                          stdout=subprocess.PIPE).stdout.splitlines()


class Exchange(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.folder.name)
        self.net = Net().eval()

    def tearDown(self):
        self.folder.cleanup()

    def assert_same_output(self, line):
        theirs = torch.tensor([float(word) for word in line.split()])
        ours = self.net(sample()).detach().view(-1)
        self.assertTrue(torch.allclose(ours, theirs, rtol=1e-5, atol=1e-6), f"{ours} {theirs}")

    def load(self, tensors, dropped):
        for name, kept in dropped.items():
            tensors[name] = tensors[kept]
        self.net.load_state_dict(tensors, strict=True)

    def test_from_cpp_in_one_file(self):
        names, output = run("save", self.path, "5GB")
        self.assertEqual(names.split(), list(self.net.state_dict()))
        tensors, metadata = read(self.path / "model.safetensors")
        self.assertEqual(metadata.pop("format"), "pt")
        self.assertEqual(metadata, {"tail.bias": "head.bias", "tail.weight": "head.weight"})
        self.load(tensors, metadata)
        self.assert_same_output(output)
        self.assertEqual(self.net.halves.tolist(), [1.5, -2.0])
        self.assertEqual(self.net.mask.tolist(), [True, False, True])

    def test_from_cpp_in_shards(self):
        _, output = run("save", self.path, "0.1KB")
        index = json.loads((self.path / "model.safetensors.index.json").read_text())
        total = index["metadata"].pop("total_size")
        tensors = {}
        for file in sorted(set(index["weight_map"].values())):
            part, metadata = read(self.path / file)
            self.assertEqual(metadata, {"format": "pt"})
            for name in part:
                self.assertEqual(index["weight_map"][name], file)
            tensors |= part
        self.assertEqual(total, sum(t.nelement() * t.element_size() for t in tensors.values()))
        self.load(tensors, index["metadata"])
        self.assert_same_output(output)

    def test_to_cpp_with_shared_names_dropped(self):
        tensors = self.net.state_dict()
        del tensors["tail.weight"], tensors["tail.bias"]
        write(self.path / "model.safetensors", tensors,
              {"format": "pt", "tail.weight": "head.weight", "tail.bias": "head.bias"})
        self.assert_same_output(run("load", self.path)[0])

    def test_to_cpp_with_all_names(self):
        write(self.path / "model.safetensors", self.net.state_dict(), {"format": "pt"})
        self.assert_same_output(run("load", self.path)[0])


unittest.main()
