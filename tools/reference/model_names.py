"""docs/model-names.md and its Chinese twin: the names that the examples of LLaMA-Factory and axolotl give most often, and what
Firefly does with each.

    git clone --bare https://github.com/hiyouga/LLaMA-Factory && git clone --bare https://github.com/axolotl-ai-cloud/axolotl
    python tools/reference/model_names.py count LLaMA-Factory.git axolotl.git    # the names with how often they stand there
    python tools/reference/model_names.py seen vllm-0.33.0                       # what transformers and vLLM say of the types
    python tools/reference/model_names.py write

`MODELS` was counted on 27 November 2026, without paths of somebody's own disk and names whose config.json is not known. No hub was
at hand: the types are from memory, but for the names that `SEEN` has: those that transformers' source names in the folder of that
type, or that vLLM lists with a class which transformers has for that type. The families are read from the sources; Tests/ModelsTests compares the pages with the program's own.
"""

import collections
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[2]

# By model_type, the most used first; `/` and a word: quantised in that way.
MODELS = {
    "llama": """meta-llama/Meta-Llama-3-8B-Instruct meta-llama/Llama-3.2-1B NousResearch/Llama-2-7b-hf NousResearch/Llama-3.2-1B
        meta-llama/Llama-3.2-3B meta-llama/Llama-3.1-8B openlm-research/open_llama_3b_v2 TinyLlama/TinyLlama_v1.1
        meta-llama/Llama-3.2-1B-Instruct codellama/CodeLlama-7b-hf codellama/CodeLlama-13b-hf codellama/CodeLlama-34b-hf
        NousResearch/Meta-Llama-3.1-8B NousResearch/Meta-Llama-3-8B NousResearch/Meta-Llama-3-8B-Instruct
        HuggingFaceTB/SmolLM2-135M huggyllama/llama-7b deepcogito/cogito-v1-preview-llama-3B casperhansen/llama-3-70b-fp16
        canopylabs/orpheus-3b-0.1-pretrained TinyLlama/TinyLlama-1.1B-Chat-v1.0 Salesforce/xgen-7b-8k-base 01-ai/Yi-34B-Chat""",
    "llama/nf4": "hugging-quants/Meta-Llama-3.1-405B-BNB-NF4-BF16",
    "llama/gptq": "TechxGenus/Meta-Llama-3-8B-Instruct-GPTQ TheBloke/Llama-2-7B-GPTQ",
    "llama/awq": "TechxGenus/Meta-Llama-3-8B-Instruct-AWQ",
    "llama/aqlm": "ISTA-DASLab/Meta-Llama-3-8B-Instruct-AQLM-2Bit-1x16",
    "mistral": """mistralai/Mistral-7B-v0.1 mistralai/Magistral-Small-2506 mistralai/Magistral-Small-2507
        mistralai/Mistral-7B-Instruct-v0.2 mistralai/Ministral-8B-Instruct-2410 mistralai/Devstral-Small-2507""",
    "mistral3": """mistralai/Ministral-3-3B-Reasoning-2512 mistralai/Mistral-Small-3.1-24B-Instruct-2503
        mistralai/Magistral-Small-2509""",
    "mixtral": "mistralai/Mixtral-8x7B-v0.1 mistral-community/Mixtral-8x22B-v0.1",
    "qwen": "Qwen/Qwen-7B",
    "qwen2": """Qwen/Qwen2.5-72B Qwen/Qwen2.5-0.5B Qwen/Qwen2-1.5B-Instruct Qwen/Qwen2.5-3B Qwen/Qwen2.5-0.5B-Instruct Qwen/Qwen2-7B
        deepcogito/cogito-v1-preview-qwen-14B agentica-org/DeepCoder-14B-Preview""",
    "qwen2_moe": "Qwen/Qwen1.5-MoE-A2.7B",
    "qwen3": "Qwen/Qwen3-4B-Instruct-2507 Qwen/Qwen3-8B Qwen/Qwen3-32B katanemo/Plano-Orchestrator-4B",
    "qwen3_moe": "Qwen/Qwen3-30B-A3B-Instruct-2507 Qwen/Qwen3-235B-A22B-Instruct-2507",
    "qwen3_moe/nvfp4": "nvidia/Qwen3-30B-A3B-NVFP4",
    "gemma": "mhenrichsen/gemma-7b",
    "gemma2": "google/gemma-2-2b google/gemma-2-9b",
    "gemma3": "google/gemma-3-12b-it google/gemma-3-4b-it google/gemma-3-27b-it",
    "gemma3_text": "google/gemma-3-1b-it google/gemma-3-270m-it",
    "phi3": "microsoft/Phi-3-mini-4k-instruct microsoft/Phi-3.5-mini-instruct",
    "deepseek_v2": "deepseek-ai/DeepSeek-V2-Lite",
    "deepseek_v2/nf4": "axolotl-quants/DeepSeek-V2.5-bnb-nf4-bf16",
    "glm4": "THUDM/GLM-4-32B-0414",
    "hunyuan_v1_dense": "tencent/Hunyuan-0.5B-Instruct",
    "olmo3": "allenai/Olmo-3-7B-Instruct-SFT",
    "seed_oss": "ByteDance-Seed/Seed-OSS-36B-Instruct",
    "gpt_oss": "openai/gpt-oss-20b openai/gpt-oss-safeguard-20b axolotl-ai-co/gpt-oss-120b-dequantized",
    # What follows is of families that are not here.
    "llama4": """axolotl-quants/Llama-4-Scout-17B-16E-Linearized-bnb-nf4-bf16
        axolotl-quants/Llama-4-Maverick-17B-128E-Linearized-bnb-nf4-bf16""",
    "mllama": "alpindale/Llama-3.2-11B-Vision-Instruct",
    "llava": "llava-hf/llava-1.5-7b-hf mistral-community/pixtral-12b",
    "qwen2_vl": "Qwen/Qwen2-VL-7B-Instruct",
    "qwen2_5_vl": "Qwen/Qwen2.5-VL-7B-Instruct",
    "qwen3_vl": "Qwen/Qwen3-VL-4B-Instruct",
    "qwen3_vl_moe": "Qwen/Qwen3-VL-30B-A3B-Instruct",
    "qwen3_5": "Qwen/Qwen3.5-9B Qwen/Qwen3.5-4B Qwen/Qwen3.5-27B",
    "qwen3_5_moe": "Qwen/Qwen3.5-35B-A3B Qwen/Qwen3.5-35B-A3B-Base Qwen/Qwen3.5-122B-A10B Qwen/Qwen3.5-397B-A17B",
    "qwen3_next": "Qwen/Qwen3-Next-80B-A3B-Instruct",
    "gemma3n": "google/gemma-3n-E2B-it",
    "gemma4": "google/gemma-4-26B-A4B google/gemma-4-E2B-it google/gemma-4-31B",
    "glm4_moe": "zai-org/GLM-4.5-Air",
    "glm4_moe_lite": "zai-org/GLM-4.7-Flash",
    "glm4v": "zai-org/GLM-4.6V-Flash",
    "falcon": "tiiuae/falcon-7b",
    "falcon_h1": """tiiuae/Falcon-H1-1.5B-Deep-Base tiiuae/Falcon-H1-0.5B-Instruct tiiuae/Falcon-H1-1.5B-Base
        tiiuae/Falcon-H1-3B-Base tiiuae/Falcon-H1-7B-Base tiiuae/Falcon-H1-34B-Base""",
    "dbrx": "LnL-AI/dbrx-base-converted-v2",
    "stablelm": "stabilityai/stablelm-2-1_6b",
    "nemotron": "nvidia/Nemotron-Mini-4B-Instruct",
    "nemotron_h": "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16 nvidia/NVIDIA-Nemotron-3-Super-120B-A12B-BF16",
    "voxtral": "mistralai/Voxtral-Mini-3B-2507",
    "phi": "microsoft/phi-1_5 microsoft/phi-2",
    "jamba": "ai21labs/Jamba-v0.1 ai21labs/AI21-Jamba-1.5-Large",
    "gpt_neox": """togethercomputer/RedPajama-INCITE-Chat-3B-v1 EleutherAI/pythia-12b-deduped
        EleutherAI/pythia-1.4b-deduped""",
    "gptj": "EleutherAI/gpt-j-6b",
    "gpt2": "cerebras/Cerebras-GPT-1.3B",
    "btlm": "cerebras/btlm-3b-8k-base",
    "mpt": "mosaicml/mpt-7b",
    "starcoder2": "bigcode/starcoder2-3b",
    "apertus": "swiss-ai/Apertus-8B-Instruct-2509",
    "granitemoehybrid": "ibm-granite/granite-4.0-tiny-preview",
    "arcee": "arcee-ai/AFM-4.5B",
    "mimo": "XiaomiMiMo/MiMo-7B-RL",
    "kimi_linear": "moonshotai/Kimi-Linear-48B-A3B-Instruct",
    "minimax_m2": "MiniMaxAI/MiniMax-M2",
    "deepseek_v3": "deepseek-ai/DeepSeek-V3-0324-BF16",
    "lfm2": "LiquidAI/LFM2-350M",
    "lfm2_moe": "LiquidAI/LFM2-8B-A1B",
    "lfm2_vl": "LiquidAI/LFM2-VL-450M",
    "cohere2": "CohereForAI/c4ai-command-r7b-12-2024",
    "internvl": "OpenGVLab/InternVL3_5-8B-HF",
    "smolvlm": "HuggingFaceTB/SmolVLM2-2.2B-Instruct",
}  # fmt: skip

# `seen` with transformers 5.23.0 and vLLM 0.33.0.
SEEN = {
    "transformers": """mistralai/Mistral-7B-v0.1 mistralai/Mistral-Small-3.1-24B-Instruct-2503 mistralai/Mixtral-8x7B-v0.1 Qwen/Qwen2-7B
        Qwen/Qwen1.5-MoE-A2.7B Qwen/Qwen3-8B google/gemma-2-9b google/gemma-3-4b-it microsoft/Phi-3-mini-4k-instruct
        deepseek-ai/DeepSeek-V2-Lite ByteDance-Seed/Seed-OSS-36B-Instruct llava-hf/llava-1.5-7b-hf Qwen/Qwen2-VL-7B-Instruct
        Qwen/Qwen2.5-VL-7B-Instruct Qwen/Qwen3-VL-4B-Instruct Qwen/Qwen3-VL-30B-A3B-Instruct Qwen/Qwen3.5-27B
        Qwen/Qwen3.5-35B-A3B Qwen/Qwen3-Next-80B-A3B-Instruct openai/gpt-oss-20b google/gemma-4-E2B-it tiiuae/falcon-7b
        nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16 mistralai/Voxtral-Mini-3B-2507 ai21labs/Jamba-v0.1 mosaicml/mpt-7b
        swiss-ai/Apertus-8B-Instruct-2509 arcee-ai/AFM-4.5B moonshotai/Kimi-Linear-48B-A3B-Instruct LiquidAI/LFM2-8B-A1B
        HuggingFaceTB/SmolVLM2-2.2B-Instruct""",
    "vLLM": """meta-llama/Llama-3.2-1B-Instruct mistralai/Mistral-7B-v0.1 mistralai/Mistral-Small-3.1-24B-Instruct-2503
        mistralai/Mixtral-8x7B-v0.1 mistral-community/Mixtral-8x22B-v0.1 Qwen/Qwen2.5-0.5B-Instruct Qwen/Qwen2-7B
        Qwen/Qwen1.5-MoE-A2.7B Qwen/Qwen3-8B google/gemma-2-9b google/gemma-3-4b-it google/gemma-3-27b-it google/gemma-3-1b-it
        microsoft/Phi-3-mini-4k-instruct ByteDance-Seed/Seed-OSS-36B-Instruct llava-hf/llava-1.5-7b-hf
        mistral-community/pixtral-12b Qwen/Qwen2-VL-7B-Instruct Qwen/Qwen3-VL-4B-Instruct Qwen/Qwen3-VL-30B-A3B-Instruct
        Qwen/Qwen3.5-4B Qwen/Qwen3.5-35B-A3B Qwen/Qwen3-Next-80B-A3B-Instruct openai/gpt-oss-20b google/gemma-3n-E2B-it
        google/gemma-4-E2B-it zai-org/GLM-4.7-Flash zai-org/GLM-4.6V-Flash tiiuae/falcon-7b tiiuae/Falcon-H1-34B-Base
        mistralai/Voxtral-Mini-3B-2507 microsoft/phi-1_5 microsoft/phi-2 ai21labs/Jamba-v0.1 ai21labs/AI21-Jamba-1.5-Large
        EleutherAI/gpt-j-6b bigcode/starcoder2-3b swiss-ai/Apertus-8B-Instruct-2509 ibm-granite/granite-4.0-tiny-preview
        moonshotai/Kimi-Linear-48B-A3B-Instruct MiniMaxAI/MiniMax-M2 LiquidAI/LFM2-350M LiquidAI/LFM2-8B-A1B
        LiquidAI/LFM2-VL-450M HuggingFaceTB/SmolVLM2-2.2B-Instruct""",
}  # fmt: skip

WORDS = {
    "en": {
        "title": "# What becomes of a model's name", "other": "[中文](model-names.zh-CN.md)",
        "about": "The {count} names that the examples of LLaMA-Factory and axolotl give most often (27 November 2026, "
                 "tools/reference/model_names.py), and what `firefly train` does with each, by its config.json. Of most only a "
                 "random model of the family has been run: [models.md](models.md) says which. No config.json was at hand: the "
                 "last column says who gives the name with its type, the sources of transformers 5.23 or of vLLM 0.33; of the "
                 "others it is what the family's names had when they were published. transformers knows `qwen`, `btlm` and "
                 "`mimo` not at all, and has Ministral-8B-Instruct-2410 as `ministral`, which runs as well.",
        "head": ("name", "`model_type`", "", "type by"), "runs": "runs", "part": "runs: its text part",
        "refused": "refused: `model_type`", "quantised": "refused: `quantization_config` ({})",
    },
    "zh-CN": {
        "title": "# 各模型名称的结果", "other": "[English](model-names.md)",
        "about": "LLaMA-Factory 与 axolotl 的示例中最常出现的 {count} 个名称（2026 年 11 月 27 日，tools/reference/model_names.py），以及 "
                 "`firefly train` 按其 config.json 的处理结果。多数只运行过该系列的随机模型，见 [models.zh-CN.md](models.zh-CN.md)。手头没有这些 config.json："
                 "最后一列写明哪一方的源码给出了该名称的类型（transformers 5.23 或 vLLM 0.33），其余是该系列发布时的类型。transformers 完全没有 "
                 "`qwen`、`btlm` 与 `mimo`，并把 Ministral-8B-Instruct-2410 归为 `ministral`，它同样可以运行。",
        "head": ("名称", "`model_type`", "", "类型出处"), "runs": "可运行", "part": "可运行：文本部分",
        "refused": "拒绝：`model_type`", "quantised": "拒绝：`quantization_config`（{}）",
    },
}


def count(repositories: list[str]) -> None:
    found = collections.Counter()
    for repository in repositories:
        git = ["git", f"--git-dir={repository}"]
        files = subprocess.run([*git, "ls-tree", "-r", "--name-only", "HEAD", "examples"], capture_output=True, text=True)
        for file in files.stdout.splitlines():
            if file.endswith((".yaml", ".yml")):
                text = subprocess.run([*git, "show", f"HEAD:{file}"], capture_output=True, text=True).stdout
                found.update(set(re.findall(r"^(?:base_model|model_name_or_path): *([\w./-]+/[\w./-]+)", text, re.M)))
    for name, times in found.most_common():
        print(f"{times:4} {name}")


def transformers_names() -> dict[str, set[str]]:
    """The names in the source of each type of the installed transformers."""
    from transformers.models.auto import configuration_auto as auto

    folder = pathlib.Path(auto.__file__).parents[1]
    found = {}
    for kind in auto.CONFIG_MAPPING_NAMES:
        module = auto.model_type_to_module_name(kind)
        text = "".join(path.read_text() for path in (folder / module).glob("*.py"))
        found[kind] = set(re.findall(r"[\w.-]+/[\w.-]+", text))
    return found


def vllm_names(folder: pathlib.Path) -> dict[str, set[str]]:
    """The names that vLLM gives beside each class, by the types that transformers has the class for."""
    from transformers.models.auto import modeling_auto as auto

    by_class = collections.defaultdict(set)
    for mapping in (auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES, auto.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES,
                    auto.MODEL_FOR_SPEECH_SEQ_2_SEQ_MAPPING_NAMES):  # fmt: skip
        for kind, name in mapping.items():
            for one in [name] if isinstance(name, str) else name:
                by_class[one].add(kind)
    text = (folder / "tests/models/registry.py").read_text()
    text += re.sub(r"^\| `(\w+)`", r'"\1": _HfExamplesInfo(', (folder / "docs/models/supported_models.md").read_text(), flags=re.M)
    found = collections.defaultdict(set)
    for entry in re.split(r'"(?=\w+": _HfExamplesInfo\()', text)[1:]:
        for kind in by_class[entry.partition('"')[0]]:
            found[kind] |= set(re.findall(r'["`]([\w.-]+/[\w.-]+)["`]', entry.split("\n\n")[0]))
    return found


def seen(folder: str) -> None:
    """Prints what `SEEN` has."""
    sources = {"transformers": transformers_names(), "vLLM": vllm_names(pathlib.Path(folder))}
    listed = [(name, kind.partition("/")[0]) for kind, names in MODELS.items() for name in names.split()]
    for source, found in sources.items():
        print(source, *[name for name, kind in listed if name in found.get(kind, ())])
    for name, kind in listed:
        others = {other for found in sources.values() for other, names in found.items() if name in names}
        if kind not in sources["transformers"] or (others and kind not in others):
            print(f"{name}: {kind}, {'which transformers has' if kind in sources['transformers'] else 'unknown'}; {others}")


def result(kind: str, families: set[str], parts: set[str], words: dict[str, str]) -> str:
    family, _, quantised = kind.partition("/")
    if family not in families | parts:
        return words["refused"]
    if quantised and quantised != "nf4":
        return words["quantised"].format(quantised)
    return words["part"] if family in parts else words["runs"]


def write() -> None:
    sources = ROOT / "Sources"
    families = set(re.findall(r'^    "(\w+)": \w+\.architecture', (sources / "Models/Families/Families.swift").read_text(), re.M))
    parts = set(re.findall(r'^    "(\w+)": Kind\(', (sources / "Weights/TextPart.swift").read_text(), re.M))
    names = [(name, kind) for kind, names in MODELS.items() for name in names.split()]
    for language, words in WORDS.items():
        lines = [words["title"], "", words["other"], "", words["about"].format(count=len(names)), "",
                 "| " + " | ".join(words["head"]) + " |", "|---|---|---|---|"]
        for name, kind in names:
            sources = ", ".join(source for source, seen in SEEN.items() if name in seen.split())
            lines.append(f"| {name} | {kind.partition('/')[0]} | {result(kind, families, parts, words)} | {sources} |")
        path = "model-names" + (".zh-CN" if language == "zh-CN" else "") + ".md"
        (ROOT / "docs" / path).write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    match sys.argv[1]:
        case "count": count(sys.argv[2:])
        case "seen": seen(sys.argv[2])
        case _: write()
