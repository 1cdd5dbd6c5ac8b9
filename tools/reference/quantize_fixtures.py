#!/usr/bin/env python3
"""Writes Tests/ConversionTests/Fixtures/quantized: what llama.cpp's quantiser makes of numbers and of small models.

    python tools/reference/quantize_fixtures.py --library PATH/libllama.so --llama-quantize PATH/llama-quantize [FOLDER]

blocks.safetensors has rows of numbers, an importance of their columns, and what `ggml_quantize_chunk` of the library makes
of them in every format, with the importance and without. models.json has for small models of `number`s and for each type
what llama-quantize stores each tensor in, and the SHA-256 of its bytes. importance.gguf and importance.dat are a small
importance matrix, as llama-imatrix lays it out. Needs numpy, gguf, safetensors. Any library with ggml's symbols does; builds
for x86-64 agree, as ggml's quantisers are compiled without fused multiply-add there.
"""

import argparse
import ctypes
import hashlib
import json
import pathlib
import struct
import subprocess
import tempfile

import gguf
import manifest
import numpy as np
from gguf import GGMLQuantizationType as Type
from safetensors.numpy import save_file

ROOT = pathlib.Path(__file__).resolve().parents[2]
FORMATS = [Type.Q4_0, Type.Q4_1, Type.Q5_0, Type.Q5_1, Type.Q8_0, Type.Q4_K, Type.Q5_K, Type.Q6_K, Type.Q2_K, Type.Q3_K,
           Type.IQ4_NL, Type.IQ4_XS, Type.MXFP4]  # fmt: skip
TYPES = ["q6_k", "q5_k_m", "q5_k_s", "q5_1", "q5_0", "q4_k_m", "q4_k_s", "q4_1", "q4_0", "q8_0", "iq4_nl", "iq4_xs",
         "q3_k_l", "q3_k_m", "q3_k_s", "q2_k"]  # fmt: skip
MODELS = {
    "untied": {"hidden": 256, "inner": 256, "layers": 8, "heads": 4, "kv": 1, "tied": False},
    "tied": {"hidden": 256, "inner": 512, "layers": 3, "heads": 4, "kv": 2, "tied": True},
    # Rows that are no whole blocks of 256.
    "narrow": {"hidden": 96, "inner": 352, "layers": 2, "heads": 4, "kv": 4, "tied": True},
}
VOCABULARY = 320

# MARK: - Blocks


def rows() -> np.ndarray:
    """Rows of 512: of usual sizes, of few values, of one sign, with outliers, zeros, tiny and large ones."""
    generator = np.random.default_rng(17)
    x = [generator.normal(0, 0.02, 512), generator.laplace(0, 0.05, 512), np.round(generator.normal(0, 4, 512))]
    x += [np.abs(generator.normal(0, 1, 512)), generator.normal(0, 0.02, 512) * 10.0 ** generator.integers(-6, 3, 512)]
    x += [np.where(np.arange(512) % 7 == 0, -0.75, 0) * (np.arange(512) < 300), generator.normal(0, 1e-7, 512)]
    return np.stack(x).astype(np.float32)


def quantized(library: ctypes.CDLL, kind: Type, x: np.ndarray, importance: np.ndarray | None) -> np.ndarray:
    elements, size = gguf.GGML_QUANT_SIZES[kind]
    out = np.zeros((x.shape[0], x.shape[1] // elements * size), np.uint8)
    pointer = ctypes.c_void_p
    chunk = library.ggml_quantize_chunk
    chunk.argtypes = [ctypes.c_int, pointer, pointer] + [ctypes.c_int64] * 3 + [pointer]
    chunk.restype = ctypes.c_size_t
    weights = importance.ctypes.data if importance is not None else None
    assert chunk(int(kind), x.ctypes.data, out.ctypes.data, 0, *x.shape, weights) == out.size
    return out


def write_blocks(library: ctypes.CDLL, folder: pathlib.Path) -> None:
    x = rows()
    importance = (np.random.default_rng(18).random(512) ** 4 * 3).astype(np.float32)
    tensors = {"x": x, "importance": importance}
    for kind in FORMATS:
        tensors[kind.name] = quantized(library, kind, x, None)
        tensors[kind.name + ".weighed"] = quantized(library, kind, x, importance)
    save_file(tensors, folder / "blocks.safetensors", metadata={"format": "pt"})


# MARK: - Models


def numbers(seed: int, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers in ±1/16 that follow from their place and the seed; the test makes the same."""
    x = (np.arange(np.prod(shape), dtype=np.uint64) * 2654435761 + seed * 40503) & 0xFFFFFFFF
    x ^= x >> 15
    x = (x * 2246822519) & 0xFFFFFFFF
    x ^= x >> 13
    return (((x >> 8).astype(np.float32) - 2**23) / 2**27).reshape(shape)


def tensors(model: dict) -> dict[str, tuple[int, tuple[int, ...]]]:
    """Every tensor by its name in GGUF: its seed and shape."""
    hidden, inner, kv = model["hidden"], model["inner"], model["hidden"] // model["heads"] * model["kv"]
    shapes = {"token_embd": (VOCABULARY, hidden), "output_norm": (hidden,)}
    if not model["tied"]:
        shapes["output"] = (VOCABULARY, hidden)
    for layer in range(model["layers"]):
        for name, shape in {
            "attn_norm": (hidden,), "ffn_norm": (hidden,), "attn_q": (hidden, hidden), "attn_k": (kv, hidden),
            "attn_v": (kv, hidden), "attn_output": (hidden, hidden), "ffn_gate": (inner, hidden),
            "ffn_up": (inner, hidden), "ffn_down": (hidden, inner),
        }.items():  # fmt: skip
            shapes[f"blk.{layer}.{name}"] = shape
    return {name + ".weight": (seed, shapes[name]) for seed, name in enumerate(sorted(shapes))}


def in_file_order(x: np.ndarray, heads: int) -> np.ndarray:
    """llama.cpp's order of the rows of q and k."""
    return x.reshape(heads, 2, -1, x.shape[1]).swapaxes(1, 2).reshape(x.shape)


def write_model(model: dict, path: pathlib.Path) -> None:
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(model["layers"])
    writer.add_context_length(128)
    writer.add_embedding_length(model["hidden"])
    writer.add_feed_forward_length(model["inner"])
    writer.add_head_count(model["heads"])
    writer.add_head_count_kv(model["kv"])
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(VOCABULARY)
    for name, (seed, shape) in tensors(model).items():
        x = numbers(seed, shape)
        if ".attn_q." in name or ".attn_k." in name:
            x = in_file_order(x, model["heads" if ".attn_q." in name else "kv"])
        writer.add_tensor(name, x)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_importance(model: dict, path: pathlib.Path) -> None:
    """In llama.cpp's older form: for every matrix of a layer, as many numbers as it has columns."""
    entries = {n: s for n, s in tensors(model).items() if n.startswith("blk.") and len(s[1]) == 2}
    data = struct.pack("<i", len(entries))
    for name, (seed, shape) in entries.items():
        values = importance(seed, shape[1])
        data += struct.pack("<i", len(name)) + name.encode() + struct.pack("<ii", 1, len(values)) + values.tobytes()
    path.write_bytes(data)


def write_matrices(folder: pathlib.Path) -> None:
    """Importance matrices in both of llama.cpp's forms, as its llama-imatrix writes them: sums and rows; means and calls."""
    means = {"blk.0.attn_q.weight": importance(1, 8), "blk.0.ffn_down.weight": importance(2, 16),
             "blk.0.ffn_up_exps.weight": np.array([0.5, 1, 1.5, 2, 1, 1, 1, 1], np.float32)}  # fmt: skip
    writer = gguf.GGUFWriter(folder / "importance.gguf", "imatrix")
    writer.add_type("imatrix")
    writer.add_array("imatrix.datasets", ["a text.txt"])
    writer.add_uint32("imatrix.chunk_count", 3)
    writer.add_uint32("imatrix.chunk_size", 512)
    data = struct.pack("<i", len(means))
    for name, values in sorted(means.items()):
        counts = np.array([[1536], [0]] if "exps" in name else [[1536]], np.float32)
        writer.add_tensor(name + ".in_sum2", values.reshape(len(counts), -1) * counts)
        writer.add_tensor(name + ".counts", counts)
        data += struct.pack("<i", len(name)) + name.encode() + struct.pack("<ii", 3, len(values)) + (values * 3).tobytes()
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    (folder / "importance.dat").write_bytes(data + struct.pack("<ii", 3, 10) + b"a text.txt")


def importance(seed: int, columns: int) -> np.ndarray:
    return np.square(numbers(seed + 1000, (columns,)) * 16)


def stored(path: pathlib.Path) -> dict[str, str]:
    """Each tensor's type and the start of its bytes' SHA-256."""
    return {
        tensor.name: tensor.tensor_type.name + " " + hashlib.sha256(tensor.data.tobytes()).hexdigest()[:16]
        for tensor in gguf.GGUFReader(path).tensors
    }


def write_models(program: str, folder: pathlib.Path) -> None:
    found: dict[str, dict] = {}
    with tempfile.TemporaryDirectory() as scratch:
        base, out = pathlib.Path(scratch) / "base.gguf", pathlib.Path(scratch) / "out.gguf"
        matrix = pathlib.Path(scratch) / "importance.dat"
        for name, model in MODELS.items():
            write_model(model, base)
            write_importance(model, matrix)
            runs = {kind: [] for kind in TYPES}
            runs |= {kind + " weighed": ["--imatrix", str(matrix)] for kind in ("q4_k_m", "q4_0", "q5_0", "iq4_xs", "q2_k")}
            found[name] = model | {"types": {}}
            for run, options in runs.items():
                command = [program, *options, str(base), str(out), run.split()[0].upper(), "1"]
                subprocess.run(command, check=True, capture_output=True)
                found[name]["types"][run] = stored(out)
    (folder / "models.json").write_text(json.dumps(found, indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", required=True, help="a shared library with ggml's symbols")
    parser.add_argument("--llama-quantize", required=True, help="llama.cpp's program")
    parser.add_argument("folder", nargs="?", default=ROOT / "Tests/ConversionTests/Fixtures/quantized", type=pathlib.Path)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    write_blocks(ctypes.CDLL(arguments.library), arguments.folder)
    write_models(arguments.llama_quantize, arguments.folder)
    write_matrices(arguments.folder)
    manifest.write(arguments.folder, "tools/reference/quantize_fixtures.py", ["numpy", "gguf", "safetensors"])


if __name__ == "__main__":
    main()
