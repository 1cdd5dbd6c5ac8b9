import FireflyBase

extension ChatTemplate {
  /// The original's templates, word for word, "firefly", its first generation's format, and in the same style those of families
  /// that came later.
  package static let table: [PieceFormat] = [
    PieceFormat(
      name: "firefly", userFormat: "{content}", assistantFormat: "{content}", layout: .piecewise),
    PieceFormat(
      name: "default", systemFormat: "System: {content}\n\n", userFormat: "User: {content}\nAssistant: ",
      assistantFormat: "{content} {stop_token}"),
    PieceFormat(
      name: "internlm", systemFormat: "<|System|>:{content}\n", userFormat: "<|User|>:{content}\n<|Bot|>:",
      assistantFormat: "{content}</s>\n", defaultSystem: SystemText.internLM, stopWord: "</s>"),
    chatML("internlm2", defaultSystem: SystemText.internLM),
    chatML("qwen", defaultSystem: "You are a helpful assistant."),
    chatML("yi", defaultSystem: nil),
    PieceFormat(
      name: "orion", systemFormat: "<s>", userFormat: "Human: {content}\n\nAssistant: </s>",
      assistantFormat: "{content}</s>", defaultSystem: "", stopWord: "</s>"),
    PieceFormat(
      name: "deepseek", userFormat: "User: {content}\n\nAssistant: ",
      assistantFormat: "{content}<\u{FF5C}end\u{2581}of\u{2581}sentence\u{FF5C}>",
      stopWord: "<\u{FF5C}end\u{2581}of\u{2581}sentence\u{FF5C}>"),
    PieceFormat(
      name: "chatglm2", userFormat: "[Round {idx}]\n\n问：{content}\n\n答：", assistantFormat: "{content}",
      stopWord: "</s>", layout: .chatGLM2),
    PieceFormat(
      name: "chatglm3", systemFormat: "{content}", userFormat: "{content}", assistantFormat: "{content}",
      defaultSystem: SystemText.chatglm3, stopWord: "</s>", layout: .chatGLM3),
    PieceFormat(
      name: "ziya2", userFormat: "<human>:{content} <bot>:", assistantFormat: "{content}</s>",
      stopWord: "</s>"),
    PieceFormat(
      name: "xverse", userFormat: "Human: {content}\n\nAssistant: ",
      assistantFormat: "{content}<|endoftext|>", stopWord: "<|endoftext|>"),
    PieceFormat(
      name: "minicpm", userFormat: "<用户>{content}<AI>", assistantFormat: "{content}</s>", stopWord: "</s>"),
    chatML("minicpm3", defaultSystem: "You are a helpful assistant."),
    PieceFormat(
      name: "zephyr", systemFormat: "<|system|>\n{content}</s>",
      userFormat: "<|user|>\n{content}</s>\n<|assistant|>\n", assistantFormat: "{content}</s>\n",
      stopWord: "</s>"),
    PieceFormat(
      name: "mistral", systemFormat: "<s>", userFormat: "[INST]{content}[/INST]",
      assistantFormat: "{content}</s>", defaultSystem: "", stopWord: "</s>"),
    PieceFormat(
      name: "mixtral", systemFormat: "<s>", userFormat: "[INST]{content}[/INST]",
      assistantFormat: "{content}</s>", defaultSystem: "", stopWord: "</s>"),
    PieceFormat(
      name: "baichuan", userFormat: "<reserved_102>{content}<reserved_103>",
      assistantFormat: "{content}</s>", stopWord: "</s>"),
    PieceFormat(
      name: "baichuan2", userFormat: "<reserved_106>{content}<reserved_107>",
      assistantFormat: "{content}</s>", stopWord: "</s>"),
    PieceFormat(
      name: "vicuna", systemFormat: "{content}\n", userFormat: "USER: {content} ASSISTANT:",
      assistantFormat: "{content}</s>", defaultSystem: SystemText.vicuna, stopWord: "</s>"),
    PieceFormat(
      name: "llama2", systemFormat: "<<SYS>>\n{content}\n<</SYS>>\n\n",
      userFormat: "[INST]{content}[/INST]", assistantFormat: "{content} </s>",
      defaultSystem: SystemText.llama2, stopWord: "</s>"),
    PieceFormat(
      name: "llama3",
      systemFormat: "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\n{content}<|eot_id|>",
      userFormat:
        "<|start_header_id|>user<|end_header_id|>\n\n{content}<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
      assistantFormat: "{content}<|eot_id|>", stopWord: "<|eot_id|>"),
    PieceFormat(
      name: "gemma", systemFormat: "<bos>",
      userFormat: "<start_of_turn>user\n{content}<end_of_turn>\n<start_of_turn>model\n",
      assistantFormat: "{content}<eos>\n", defaultSystem: "", stopWord: "<eos>"),
    PieceFormat(
      name: "phi3", userFormat: "<|user|>\n{content}<|end|>\n<|assistant|>",
      assistantFormat: "{content}<|end|>\n", stopWord: "<|end|>"),
    // Of Qwen3's models that do not think, and of Gemma 3 without a system text, what the models' own templates write; and GLM-4's,
    // where the next speaker's token ends an answer.
    chatML("qwen3", defaultSystem: nil),
    PieceFormat(
      name: "gemma3", systemFormat: "<bos>",
      userFormat: "<start_of_turn>user\n{content}<end_of_turn>\n<start_of_turn>model\n",
      assistantFormat: "{content}<end_of_turn>\n", defaultSystem: "", stopWord: "<end_of_turn>"),
    PieceFormat(
      name: "glm4", systemFormat: "[gMASK]<sop><|system|>\n{content}<|user|>",
      userFormat: "\n{content}<|assistant|>", assistantFormat: "\n{content}<|user|>",
      bareHead: "[gMASK]<sop><|user|>", stopWord: "<|user|>"),
  ]

  /// The names that `named` accepts.
  public static let names: [String] = table.map(\.name)

  /// Stands for the model's own template in place of a name.
  public static let auto = "auto"

  /// The template called `name`, one of `names` or of `formerNames`.
  ///
  /// - Throws: `FireflyError` naming the nearest template and all of them.
  public static func named(_ name: String) throws -> ChatTemplate {
    let current = formerNames[name] ?? name
    if let format = table.first(where: { $0.name == current }) {
      return ChatTemplate(name: current, format: .pieces(format))
    }
    let all = [auto] + names
    let guess = nearestName(to: name, among: all).map { "Did you mean \"\($0)\"? " } ?? ""
    throw FireflyError(
      "unknown template \"\(name)\"", at: "template_name",
      fix: guess + "Known templates: \(all.joined(separator: ", ")).")
  }

  /// The template called `name`; `"auto"` is the one that came with the model.
  ///
  /// - Throws: `FireflyError` for an unknown name, for "auto" when the model brings no template, and for a template of the
  ///   model that uses what is not supported.
  public static func named(_ name: String, tokenizer: any Tokenizer) throws -> ChatTemplate {
    guard name == auto else { return try named(name) }
    guard let source = tokenizer.ownTemplate else {
      throw FireflyError(
        "the model brings no chat template of its own", at: "template_name",
        expected:
          "chat_template in tokenizer_config.json, chat_template.jinja, or tokenizer.chat_template in a GGUF file",
        fix: "Name one: \(names.joined(separator: ", ")).")
    }
    return try own(source, tokenizer: tokenizer)
  }

  /// A template that a model or an adapter brings.
  ///
  /// - Throws: `FireflyError` for what is not supported, with its line.
  package static func own(_ source: OwnTemplate, tokenizer: any Tokenizer) throws -> ChatTemplate {
    ChatTemplate(name: auto, format: .jinja(try JinjaFormat(source, tokenizer)))
  }

  private static func chatML(_ name: String, defaultSystem: String?) -> PieceFormat {
    PieceFormat(
      name: name, systemFormat: "<|im_start|>system\n{content}<|im_end|>\n",
      userFormat: "<|im_start|>user\n{content}<|im_end|>\n<|im_start|>assistant\n",
      assistantFormat: "{content}<|im_end|>\n", defaultSystem: defaultSystem, stopWord: "<|im_end|>")
  }
}

/// The default system texts that are longer than a line.
private enum SystemText {
  static let internLM = """
    You are an AI assistant whose name is InternLM (书生·浦语).
    - InternLM (书生·浦语) is a conversational language model that is developed by Shanghai AI Laboratory \
    (上海人工智能实验室). It is designed to be helpful, honest, and harmless.
    - InternLM (书生·浦语) can understand and communicate fluently in the language chosen by the user such as \
    English and 中文.
    """

  static let chatglm3 = """
    You are ChatGLM3, a large language model trained by Zhipu.AI. Follow the user's instructions carefully. \
    Respond using markdown.
    """

  static let vicuna = """
    A chat between a curious user and an artificial intelligence assistant. The assistant gives helpful, detailed, \
    and polite answers to the user's questions.
    """

  static let llama2 = """
    You are a helpful, respectful and honest assistant. Always answer as helpfully as possible, while being safe. \
    Your answers should not include any harmful, unethical, racist, sexist, toxic, dangerous, or illegal content. \
    Please ensure that your responses are socially unbiased and positive in nature.

    If a question does not make any sense, or is not factually coherent, explain why instead of answering something \
    not correct. If you don't know the answer to a question, please don't share false information.
    """
}
