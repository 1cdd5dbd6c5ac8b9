import FireflyBase
import FireflyCards
import FireflyText

/// Which model is trained, for what, and where it computes.
enum ModelKeys {
  static let model: ConfigKey<String> = .required(
    "model_name_or_path",
    .init(
      .original,
      "The model: a folder, a .gguf file, or a name such as Org/Name that is on this machine (firefly download).",
      "模型：文件夹、.gguf 文件，或本机已有的模型名，例如 Org/Name（见 firefly download）。",
      example: .string("Qwen/Qwen2.5-0.5B-Instruct")))

  static let task: ConfigKey<TaskType> = .choice(
    "task_type", default: .sft,
    .init(
      .original, "What is learnt: texts (pretrain), conversations (sft) or preference pairs (dpo).",
      "训练任务：纯文本（pretrain）、对话（sft）或偏好对（dpo）。", example: .string("dpo")))

  static let mode: ConfigKey<TrainMode> = .choice(
    "train_mode", default: .qlora,
    .init(
      .original,
      "Which weights are trained: all of them (full), or an adapter on frozen weights (lora), which qlora holds in 4 bits "
        + "(NF4); those of a GGUF file stay its own blocks.",
      "训练哪些权重：全部（full），或冻结权重上的适配器（lora）；qlora 将冻结权重以 4 位（NF4）保存，GGUF 文件的则保持其量化块。",
      example: .string("lora")))

  static let template: ConfigKey<String> = .text(
    "template_name", default: "", suggesting: [ChatTemplate.auto] + ChatTemplate.names,
    .init(
      .original,
      "The template that conversations are written in; \"auto\" is the model's own. Without it conversations are written as "
        + "the original did before it had templates; preference pairs need one.",
      "对话所用的模板；\"auto\" 表示模型自带的模板。不填时按原版引入模板之前的方式书写对话；偏好训练必须指定。",
      example: .string("auto"), for: .chats))

  static let templateVariables: ConfigKey<[String: JSONValue]> = ConfigKey(
    "chat_template_kwargs", .members([]), .told(Wording("none", "无")),
    .init(
      .ours, "Variables of the model's own template.", "传给模型自带模板的变量。",
      example: .object(["enable_thinking": .bool(false)]), for: .chats),
    fallback: [:]
  ) { $0.object }

  static let thinking: ConfigKey<Bool?> = .flag(
    "enable_thinking", or: Wording("as the template does", "由模板决定"),
    .init(
      .ours, "The template's variable of this name, by itself.", "单独设置模板的同名变量。",
      example: .bool(false), for: .chats))

  static let startAdapter: ConfigKey<String?> = .text(
    "adapter_name_or_path", or: Wording("a fresh adapter", "新建适配器"),
    .init(
      .ours, "An adapter in PEFT's format that is trained further; its rank and modules come with it.",
      "在此适配器（PEFT 格式）的基础上继续训练；秩与模块随它而定。", example: .string("output/first-run"),
      for: .adapters))

  static let device: ConfigKey<DeviceChoice?> = .choice(
    "device", or: Wording("as auto", "同 auto"),
    .init(
      .ours,
      "Where the run computes: an NVIDIA card where one can be used (auto), the processor (cpu), or a card and nothing else "
        + "(cuda).",
      "计算设备：有可用的 NVIDIA 显卡就用显卡（auto）、处理器（cpu），或只用显卡（cuda）。",
      example: .string("cpu")))

  static let processorOnly: ConfigKey<Bool> = .flag(
    "use_cpu", default: false,
    .init(.transformers, "The same as \"device\": \"cpu\".", "等同于 \"device\": \"cpu\"。", example: .bool(true))
  )

  static let noCard: ConfigKey<Bool> = .flag(
    "no_cuda", default: false,
    .init(
      .transformers, "The older name of use_cpu.", "use_cpu 的旧名。", example: .bool(true)))

  static let bfloat16: ConfigKey<Bool> = .flag(
    "bf16", default: false,
    .init(
      .transformers,
      "Products are computed in bfloat16. Exactly one of bf16 and fp16 is true, unless precision is given.",
      "矩阵乘法使用 bfloat16。bf16 与 fp16 须恰有一个为 true，除非给出 precision。", example: .bool(true)))

  static let float16: ConfigKey<Bool> = .flag(
    "fp16", default: false,
    .init(
      .transformers,
      "Products are computed in float16 with loss scaling on a card; the processor runs it as bfloat16.",
      "在显卡上以 float16 与损失缩放计算矩阵乘法；在处理器上按 bfloat16 运行。",
      example: .bool(true)))

  static let precision: ConfigKey<Precision?> = .choice(
    "precision", or: Wording("as bf16 and fp16 say", "由 bf16 与 fp16 决定"),
    .init(
      .ours,
      "The numbers that products are computed in, on any device; overrides bf16 and fp16. float16, with loss scaling, is for "
        + "cards alone.",
      "矩阵乘法所用的数值类型，对任何设备都有效；优先于 bf16 与 fp16。float16（带损失缩放）只用于显卡。", example: .string("float32")))

  static let checkpointing: ConfigKey<Bool> = .flag(
    "gradient_checkpointing", default: false,
    .init(
      .transformers,
      "Keeps a block's input alone and computes the rest of it again for the gradients: far less memory, about a third slower.",
      "梯度检查点：每层只保存输入，反向时重新计算其余部分；显著节省内存，约慢三分之一。", example: .bool(true)))

  static let activationCheckpointing: ConfigKey<Bool?> = .flag(
    "activation_checkpointing", or: Wording("as gradient_checkpointing", "同 gradient_checkpointing"),
    .init(
      .transformers,
      "The name that transformers 5 has for gradient_checkpointing; it counts where both are given.",
      "transformers 5 对 gradient_checkpointing 的称呼；两者都给出时以它为准。", example: .bool(true)))

  static let checkpointType: ConfigKey<HeldPrecision> = .choice(
    "checkpoint_dtype", default: .float32,
    .init(
      .ours,
      "What gradient_checkpointing keeps blocks' inputs in; bfloat16 halves their memory, and gradients are those of the "
        + "rounded inputs.",
      "梯度检查点保存各层输入所用的数值类型；bfloat16 使其内存减半，梯度则按舍入后的输入计算。",
      example: .string("bfloat16")))

  static let memoryLimit: ConfigKey<MemoryLimit> = ConfigKey(
    "memory_limit", .either([.names(["none"]), .whole(1...Int.max), .size]),
    .told(Wording("what the system allows", "系统允许的大小")),
    .init(
      .ours, "A run that plans with more memory does not start; \"none\" starts every run.",
      "计划用量超过此值的训练不会启动；\"none\" 表示不限制。", unit: Wording("bytes", "字节"),
      example: .string("20GiB")),
    fallback: .system
  ) { value in
    if value == .string("none") { return MemoryLimit.none }
    return (value.int ?? value.string.flatMap(MemoryLimit.parse)).map(MemoryLimit.bytes)
  }

  static let resizesVocabulary: ConfigKey<Bool> = .flag(
    "resize_vocab", default: false,
    .init(
      .ours,
      "Embedding and head get a row for each token that the tokenizer has beyond theirs; it begins as the mean of the others.",
      "分词器的词元多于词嵌入与输出层的行数时，为多出的词元添加行，初值为其余各行的均值。", example: .bool(true)))

  static let all = [
    model.declaration, task.declaration, mode.declaration, template.declaration,
    templateVariables.declaration, thinking.declaration, startAdapter.declaration,
    resizesVocabulary.declaration,
    device.declaration,
    processorOnly.declaration, noCard.declaration, bfloat16.declaration, float16.declaration,
    precision.declaration, checkpointing.declaration, activationCheckpointing.declaration,
    checkpointType.declaration, memoryLimit.declaration,
  ]
}
