"""Numbers for Tests/TensorsTests: bitsandbytes' NF4 and AdamW8bit, torch's AdamW, the gguf package's block formats.

    python tools/reference/tensors_fixtures.py

Needs torch, bitsandbytes, gguf, safetensors, numpy; runs on a CPU. One thread: torch's mean of the scales, which
bitsandbytes keeps as the offset, depends on how a long sum is split.
"""

import pathlib

import bitsandbytes
import bitsandbytes.functional as bnb
import gguf
import manifest
import numpy
import torch
from safetensors.torch import save_file

FOLDER = pathlib.Path(__file__).parents[2] / "Tests/TensorsTests/Fixtures"


def nf4_inputs() -> dict[str, torch.Tensor]:
    """Shapes that end inside a block, inside a byte and inside a block of scales; zeros, ties, subnormals."""
    generator = torch.Generator().manual_seed(4)
    normal = lambda *shape: torch.randn(*shape, generator=generator)
    zeros = normal(4, 64)
    zeros[1] = 0
    codes = bnb.get_4bit_type("nf4", device="cpu")
    midpoints = (codes[1:] + codes[:-1]) / 2
    infinity = torch.tensor(float("inf"))
    near = [codes, midpoints, torch.nextafter(midpoints, infinity), torch.nextafter(midpoints, -infinity)]
    ties = torch.cat([torch.cat([torch.ones(1), row, torch.zeros(63 - row.numel())]) for row in near]).view(4, 64)
    return {
        "odd": normal(5, 7) * 0.02,
        "one_block": normal(1, 64),
        "zeros": zeros,
        "all_zero": torch.zeros(2, 40),
        "ties": ties,
        "tiny": normal(3, 64) * 1e-39,
        "straddling": normal(40, 100).bfloat16(),
        "many_blocks": (normal(96, 192) * 0.02).bfloat16(),
        "half": (normal(7, 33) * 0.5).half(),
        "half_tiny": (normal(2, 64) * 1e-6).half(),
    }


def nf4_fixtures() -> dict[str, torch.Tensor]:
    tensors = {"map": bnb.create_dynamic_map(signed=True)}
    for name, x in nf4_inputs().items():
        tensors[f"{name}.x"] = x
        for double in (False, True):
            codes, state = bnb.quantize_4bit(x, blocksize=64, quant_type="nf4", compress_statistics=double)
            kind = "double" if double else "plain"
            tensors[f"{name}.{kind}.codes"] = codes.flatten()
            tensors[f"{name}.{kind}.absmax"] = state.absmax
            if double:
                tensors[f"{name}.{kind}.nested_absmax"] = state.state2.absmax
                tensors[f"{name}.{kind}.offset"] = state.offset.reshape(1)
            # As one row: on AVX-512, 0.50.2 takes wrong scales where rows are a multiple of 16 but not of 64.
            state.shape = torch.Size([1, x.numel()])
            weights = bnb.dequantize_4bit(codes, state)
            tensors[f"{name}.{kind}.weights"] = weights.reshape(x.shape)
    return tensors


def adamw_fixtures() -> dict[str, torch.Tensor]:
    """Five steps of torch.optim.AdamW, one tensor at a time."""
    generator = torch.Generator().manual_seed(5)
    value = torch.nn.Parameter(torch.randn(37, generator=generator))
    gradients = torch.randn(5, 37, generator=generator) * 10 ** torch.randint(-6, 1, (37,), generator=generator)
    optimizer = torch.optim.AdamW(
        [value], lr=2e-2, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.1, foreach=False, fused=False)
    tensors = {"start": value.detach().clone(), "gradients": gradients}
    values = []
    for gradient in gradients:
        value.grad = gradient.clone()
        optimizer.step()
        values.append(value.detach().clone())
    state = optimizer.state[value]
    return tensors | {"values": torch.stack(values), "m": state["exp_avg"], "v": state["exp_avg_sq"]}


def adamw_8bit_fixtures() -> dict[str, torch.Tensor]:
    """Four steps of bitsandbytes' AdamW8bit of one tensor that ends inside a block; a block without gradients, and gradients
    of very different sizes. torch's square root is not the nearest, so that values are not bits to compare; moments are."""
    generator = torch.Generator().manual_seed(7)
    count = 4096 + 77
    value = torch.nn.Parameter(torch.randn(count, generator=generator) * 0.1)
    sizes = 10 ** (torch.rand(4, count, generator=generator) * 5 - 5)
    gradients = torch.randn(4, count, generator=generator) * sizes
    gradients[:, 256:512] = 0
    gradients[1, 512:700] = 0
    tensors = {"start": value.detach().clone(), "gradients": gradients}
    optimizer = bitsandbytes.optim.AdamW8bit([value], lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.1)
    for step, gradient in enumerate(gradients):
        value.grad = gradient.clone()
        optimizer.step()
        state = optimizer.state[value]
        names = {"m": "state1", "m.absmax": "absmax1", "v": "state2", "v.absmax": "absmax2"}
        tensors |= {f"{step}.{name}": state[key].clone() for name, key in names.items()}
        tensors[f"{step}.value"] = value.detach().clone()
    return tensors | {"unsigned_map": bnb.create_dynamic_map(signed=False)}


# Where a block keeps its float16 scales.
SCALE_OFFSETS = {"Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "Q4_K": [0, 2],
                 "Q5_K": [0, 2], "Q6_K": [208], "Q2_K": [80, 82], "Q3_K": [108], "IQ4_NL": [0], "IQ4_XS": [0], "MXFP4": []}


def block_fixtures() -> dict[str, torch.Tensor]:
    """Blocks of random bytes, their scales finite."""
    random = numpy.random.default_rng(6)
    tensors = {}
    for name, offsets in SCALE_OFFSETS.items():
        kind = gguf.GGMLQuantizationType[name]
        _, size = gguf.GGML_QUANT_SIZES[kind]
        blocks = random.integers(0, 256, (3, size), dtype=numpy.uint8)
        for offset in offsets:
            scales = (random.standard_normal(3) * 0.1).astype(numpy.float16)
            blocks[:, offset:offset + 2] = scales.view(numpy.uint8).reshape(3, 2)
        if name == "MXFP4":  # its scale is a byte: one below float32's normal numbers, and usual ones
            blocks[:, 0] = [1, 118, 131]
        values = gguf.quants.dequantize(blocks, kind).astype(numpy.float32)
        tensors[f"{name}.bytes"] = torch.from_numpy(blocks.flatten())
        tensors[f"{name}.values"] = torch.from_numpy(values.flatten())
    return tensors


def main() -> None:
    torch.set_num_threads(1)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, tensors in [("nf4", nf4_fixtures()), ("adamw", adamw_fixtures()), ("adamw_8bit", adamw_8bit_fixtures()),
                          ("blocks", block_fixtures())]:
        save_file({key: value.contiguous() for key, value in tensors.items()}, FOLDER / f"{name}.safetensors")
    manifest.write(FOLDER, "tools/reference/tensors_fixtures.py",
                   ["torch", "bitsandbytes", "gguf", "numpy", "safetensors"])


if __name__ == "__main__":
    main()
