"""llama.cpp through llama-cpp-python's bindings: making a Q4_0 file, speeds as llama-bench takes them, losses of a text."""

import ctypes
import math
import time

import numpy
from llama_cpp import llama_cpp as llama

FTYPE_Q4_0 = 2
QUIET = llama.llama_log_callback(lambda *_: None)


def start() -> None:
    llama.llama_log_set(QUIET, None)
    llama.llama_backend_init()


def make_q4_0(source: str, target: str, threads: int) -> None:
    """A file of any type as Q4_0; llama.cpp keeps what does not fit (SmolLM2's embedding and head) as Q8_0."""
    options = llama.llama_model_quantize_default_params()
    options.ftype = FTYPE_Q4_0
    options.allow_requantize = True
    options.nthread = threads
    if llama.llama_model_quantize(source.encode(), target.encode(), ctypes.byref(options)) != 0:
        raise SystemExit(f"llama.cpp could not quantise {source}")


class Model:
    def __init__(self, path: str, threads: int, context: int = 1024):
        self.model = llama.llama_model_load_from_file(path.encode(), llama.llama_model_default_params())
        options = llama.llama_context_default_params()
        options.n_ctx = context
        options.n_batch = options.n_ubatch = 512
        options.n_threads = options.n_threads_batch = threads
        self.context = llama.llama_init_from_model(self.model, options)
        self.memory = llama.llama_get_memory(self.context)
        self.vocabulary = llama.llama_vocab_n_tokens(llama.llama_model_get_vocab(self.model))

    def close(self) -> None:
        llama.llama_free(self.context)
        llama.llama_model_free(self.model)

    def read(self, tokens: list[int]) -> None:
        ids = (llama.llama_token * len(tokens))(*tokens)
        if llama.llama_decode(self.context, llama.llama_batch_get_one(ids, len(tokens))) != 0:
            raise SystemExit("llama_decode failed")
        llama.llama_synchronize(self.context)

    def prefill_rate(self, count: int) -> float:
        """Tokens per second of reading a prompt of `count` tokens."""
        llama.llama_memory_clear(self.memory, True)
        tokens = [i * 31 % self.vocabulary for i in range(count)]
        began = time.perf_counter()
        self.read(tokens)
        return count / (time.perf_counter() - began)

    def generation_rate(self, past: int, count: int) -> float:
        """Tokens per second of `count` single tokens after `past`."""
        llama.llama_memory_clear(self.memory, True)
        self.read([i * 31 % self.vocabulary for i in range(past)])
        began = time.perf_counter()
        for i in range(count):
            self.read([i * 31 % self.vocabulary])
        return count / (time.perf_counter() - began)

    def losses(self, window: list[int]) -> float:
        """Σ −log p of a window's tokens but the first."""
        llama.llama_memory_clear(self.memory, True)
        batch = llama.llama_batch_init(len(window), 0, 1)
        batch.n_tokens = len(window)
        for i, token in enumerate(window):
            batch.token[i], batch.pos[i], batch.n_seq_id[i], batch.seq_id[i][0] = token, i, 1, 0
            batch.logits[i] = 1
        if llama.llama_decode(self.context, batch) != 0:
            raise SystemExit("llama_decode failed")
        total = 0.0
        for i, following in enumerate(window[1:]):
            logits = numpy.ctypeslib.as_array(llama.llama_get_logits_ith(self.context, i), (self.vocabulary,))
            logits = logits.astype(numpy.float64)
            largest = logits.max()
            total += largest + math.log(numpy.exp(logits - largest).sum()) - logits[following]
        llama.llama_batch_free(batch)
        return total
