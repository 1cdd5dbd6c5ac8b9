#!/usr/bin/env python3
"""One side of compare.py: QLoRA by the Hugging Face Trainer with PEFT and bitsandbytes. Prints one line of JSON:
the seconds and the real tokens of each step. The caller measures the memory of this process.

    hugging_face.py MODEL ROWS.jsonl LENGTH BATCH
"""

import json
import pathlib
import sys
import tempfile
import time
import warnings

import torch
import transformers

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "reference"))
import chat_rows  # noqa: E402
import qlora  # noqa: E402


class InOrder(transformers.Trainer):
    """Takes the rows as they stand."""

    def _get_train_sampler(self, *_):
        return torch.utils.data.SequentialSampler(self.train_dataset)


def padded(samples: list[dict]) -> dict[str, torch.Tensor]:
    """A batch, each row filled up to the longest: what Firefly's original does."""
    longest = max(len(sample["input_ids"]) for sample in samples)
    fill = {"input_ids": 0, "attention_mask": 0, "labels": -100}
    return {
        key: torch.tensor([sample[key] + [value] * (longest - len(sample[key])) for sample in samples])
        for key, value in fill.items()
    }


class StepClock(transformers.TrainerCallback):
    def __init__(self):
        self.marks = []

    def on_train_begin(self, *_, **__):
        self.marks.append(time.perf_counter())

    def on_step_end(self, *_, **__):
        self.marks.append(time.perf_counter())


def main() -> None:
    model_folder, rows, length, batch = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    warnings.filterwarnings("ignore")
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()

    tokenizer = transformers.AutoTokenizer.from_pretrained(model_folder)
    samples = []
    for row in chat_rows.read(rows):
        ids, labels = chat_rows.render(row, tokenizer, length)
        samples.append({"input_ids": ids, "attention_mask": [1] * len(ids), "labels": labels})
    model = qlora.attach(qlora.load_base(model_folder, torch.bfloat16))
    clock = StepClock()
    with tempfile.TemporaryDirectory() as scratch:
        trainer = InOrder(
            model=model, train_dataset=samples, callbacks=[clock], data_collator=padded,
            args=transformers.TrainingArguments(
                output_dir=scratch, use_cpu=True, bf16=True, max_steps=len(samples) // batch, per_device_train_batch_size=batch,
                gradient_checkpointing=True, learning_rate=2e-4, lr_scheduler_type="constant_with_warmup",
                warmup_steps=2, max_grad_norm=0.3, optim="adamw_torch", save_strategy="no", report_to="none",
                logging_strategy="no", disable_tqdm=True, seed=42))  # fmt: skip
        trainer.train()
    seconds = [end - start for start, end in zip(clock.marks, clock.marks[1:])]
    tokens = [
        sum(len(sample["input_ids"]) for sample in samples[start : start + batch])
        for start in range(0, len(samples), batch)
    ]
    print(json.dumps({"step_seconds": seconds, "step_tokens": tokens}))


if __name__ == "__main__":
    main()
