"""How fast transformers + PEFT train on this machine's card or processor what `firefly bench` trains there: LoRA of rank 64 on
every linear layer, checkpointing, AdamW, rows of 1,024 tokens, random weights. With bitsandbytes the base is NF4, as Firefly's is;
without, and beside it, bfloat16. Memory is what a card has lent at most, or the process's largest resident set so far.

    python3 peer.py cuda|cpu smollm2|whole-ziya13b [STEPS [ROWS]]
"""

import resource
import sys
import time

import torch
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

SHAPES = {
    "smollm2": dict(hidden_size=576, intermediate_size=1536, num_hidden_layers=30, num_attention_heads=9,
                    num_key_value_heads=3, vocab_size=49152, tie_word_embeddings=True),
    "whole-ziya13b": dict(hidden_size=5120, intermediate_size=13824, num_hidden_layers=40, num_attention_heads=40,
                          num_key_value_heads=40, vocab_size=39424, tie_word_embeddings=False),
}
TOKENS = 1024


def in_nf4(model: torch.nn.Module, device: str) -> None:
    """Puts bitsandbytes' layers, with nested scales, in the place of all linear ones but the head."""
    import bitsandbytes as bnb

    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, torch.nn.Linear) and name != "lm_head":
                layer = bnb.nn.Linear4bit(child.in_features, child.out_features, bias=False, compute_dtype=torch.bfloat16,
                                          compress_statistics=True, quant_type="nf4")
                layer.weight = bnb.nn.Params4bit(child.weight.data, requires_grad=False, quant_type="nf4").to(device)
                setattr(module, name, layer)


def wait(device: str) -> None:
    """Until the card has done what it was asked; a processor has."""
    if device == "cuda":
        torch.cuda.synchronize()


def measure(device: str, shape: str, steps: int, rows: int, nf4: bool) -> str:
    torch.manual_seed(1)
    torch.set_default_dtype(torch.bfloat16)
    with torch.device(device):
        model = LlamaForCausalLM(LlamaConfig(**SHAPES[shape], attn_implementation="sdpa", use_cache=False))
    if nf4:
        in_nf4(model, device)
    targets = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    model = get_peft_model(model, LoraConfig(r=64, lora_alpha=16, lora_dropout=0.0, target_modules=targets))
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
    model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    model.enable_input_require_grads()
    model.train()
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-4)
    ids = torch.randint(0, SHAPES[shape]["vocab_size"], (rows, TOKENS), device=device)
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    started = 0.0
    for step in range(steps + 1):  # the first warms up
        if step == 1:
            wait(device)
            started = time.perf_counter()
        with torch.autocast(device, dtype=torch.bfloat16):
            loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
    wait(device)
    rate = rows * TOKENS * steps / (time.perf_counter() - started)
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    peak = torch.cuda.max_memory_allocated() if device == "cuda" else own
    return f"{shape}, {'NF4' if nf4 else 'bfloat16'}: {rate:.0f} tokens/s, {peak / 2**30:.1f} GiB, loss {loss.item():.3f}"


def main() -> None:
    device, shape = sys.argv[1:3]
    steps = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    rows = int(sys.argv[4]) if len(sys.argv) > 4 else 8
    kinds = [False]
    try:
        import bitsandbytes  # noqa: F401

        kinds.append(True)
    except ImportError:
        pass
    lines = []
    for nf4 in kinds:
        lines.append(measure(device, shape, steps, rows, nf4))
        print(lines[-1], flush=True)
        torch.cuda.empty_cache()
    print("; ".join(lines))


main()
