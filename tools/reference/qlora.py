"""The Hugging Face side of every comparison: a folder loaded as NF4 with double quantization, and LoRA on it."""

import peft
import torch
from transformers import AutoModelForCausalLM, BitsAndBytesConfig

LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def load_base(folder: str, dtype: torch.dtype):
    return AutoModelForCausalLM.from_pretrained(
        folder, dtype=dtype, device_map="cpu",
        quantization_config=BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=dtype))  # fmt: skip


def attach(base, rank: int = 64, alpha: float = 16, dropout: float = 0.05, checkpointing: bool = True):
    """What Firefly's original does: k-bit preparation, then LoRA on every linear layer but the head."""
    base = peft.prepare_model_for_kbit_training(base, use_gradient_checkpointing=checkpointing)
    config = peft.LoraConfig(
        r=rank, lora_alpha=alpha, lora_dropout=dropout, bias="none", target_modules=LINEAR, task_type="CAUSAL_LM")
    return peft.get_peft_model(base, config)
