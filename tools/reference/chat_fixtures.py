#!/usr/bin/env python3
"""Writes Tests/CLITests/Fixtures: a tiny random LLaMA with a tokenizer and an adapter, and the answers that transformers
and PEFT give with it.

    python tools/reference/chat_fixtures.py [OUT]

Needs torch, transformers, peft, tokenizers, safetensors (requirements.txt).
"""

import json
import pathlib
import shutil
import sys

import peft
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

import manifest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGES = ["torch", "transformers", "peft", "tokenizers", "safetensors"]

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
CHATML = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
TEXT = [
    "You are a helpful assistant. The user asks and the assistant answers, one after the other.",
    "Tom has three apples and buys two more; how many apples does he have? He has five apples.",
    "小明有三个苹果，又买了两个，现在有几个苹果？他有五个苹果。",
]
QUESTION = "How many apples?\n有几个苹果？"
YI = "<|im_start|>user\n" + QUESTION + "<|im_end|>\n<|im_start|>assistant\n"
TOKENS, TOP = 12, 5


def make_tokenizer() -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320, special_tokens=SPECIAL, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()))  # fmt: skip
    tokenizer.train_from_iterator(TEXT, trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|im_end|>", bos_token="<|endoftext|>", pad_token="<|endoftext|>")  # fmt: skip
    fast.chat_template = CHATML
    return fast


def make_model(vocabulary: int, end: int) -> LlamaForCausalLM:
    torch.manual_seed(11)
    config = LlamaConfig(
        vocab_size=vocabulary, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=256, initializer_range=0.4, tie_word_embeddings=False,
        bos_token_id=0, eos_token_id=end, pad_token_id=0, attn_implementation="eager")  # fmt: skip
    return LlamaForCausalLM(config).float().eval()


def make_adapter(model: LlamaForCausalLM) -> peft.PeftModel:
    torch.manual_seed(12)
    options = peft.LoraConfig(
        r=4, lora_alpha=16, lora_dropout=0.05, target_modules=["q_proj", "v_proj", "down_proj"], task_type="CAUSAL_LM",
        init_lora_weights=False)  # fmt: skip
    return peft.get_peft_model(model, options).eval()


def answer(model, prompt: list[int]) -> dict:
    """Greedy, with the most likely tokens of each step."""
    out = model.generate(
        input_ids=torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt), dtype=torch.long), do_sample=False,
        max_new_tokens=TOKENS, return_dict_in_generate=True, output_logits=True)  # fmt: skip
    best = [torch.log_softmax(logits[0].float(), dim=-1).topk(TOP) for logits in out.logits]
    return {
        "prompt_ids": prompt,
        "ids": out.sequences[0, len(prompt) :].tolist(),
        "top": [[list(pair) for pair in zip(row.indices.tolist(), row.values.tolist())] for row in best],
    }


def main() -> None:
    out = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "Tests/CLITests/Fixtures"
    shutil.rmtree(out, ignore_errors=True)
    torch.set_num_threads(1)
    tokenizer = make_tokenizer()
    model = make_model(len(tokenizer), tokenizer.convert_tokens_to_ids("<|im_end|>"))
    model.save_pretrained(out / "model")
    tokenizer.save_pretrained(out / "model")

    def encode(text: str) -> list[int]:
        return tokenizer.encode(text, add_special_tokens=False)

    raw = encode(TEXT[1][:20])
    chat = tokenizer.apply_chat_template(
        [{"role": "user", "content": QUESTION}], add_generation_prompt=True, return_dict=False)  # fmt: skip
    expected = {"question": QUESTION, "raw_prompt": TEXT[1][:20], "raw": answer(model, raw), "chat": answer(model, chat)}
    adapted = make_adapter(model)
    adapted.peft_config["default"].base_model_name_or_path = "model"
    adapted.save_pretrained(out / "run/adapter")
    (out / "run/adapter/README.md").unlink(missing_ok=True)
    (out / "run/train_args.json").write_text(json.dumps({"template_name": "yi"}) + "\n")
    expected["adapter"] = answer(adapted, encode(YI))  # "yi" is ChatML without a system part
    expected["texts"] = [
        {"text": text, "ids": encode(text)} for text in [*TEXT, QUESTION, "", " ", "a\tb\r\nc", "🙂é", *SPECIAL]
    ]
    (out / "expected.json").write_text(json.dumps(expected, ensure_ascii=False, indent=1) + "\n")
    manifest.write(out, "tools/reference/chat_fixtures.py", PACKAGES)


if __name__ == "__main__":
    main()
