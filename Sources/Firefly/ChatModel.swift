import FireflyBase
import FireflyGeneration
import FireflyModels
import FireflyPretrained
import FireflyText
import FireflyTraining

/// A model to talk to: weights, tokenizer, chat template, and how the model's own files want answers chosen.
///
///     let chat = try await ChatModel.open("SmolLM2-135M-Instruct.Q4_1.gguf")
///     for try await part in chat.stream([Message(role: "user", content: "Who are you?")]) {
///       if case .text(let text) = part { print(text, terminator: "") }
///     }
///
/// Any task may ask at any time. Answers are made one after the other on a thread of the model's own, and a conversation
/// that goes on is not read again from its beginning. Many answers at a time: `Generator`, or `Server`.
public final class ChatModel: Sendable {
  /// How a model is opened, beside its name.
  public struct Options: Sendable {
    /// A PEFT folder, or an adapter's name on a hub, that is put on top; nil for none.
    public var adapter: String?
    /// A template's name, "auto" for the model's own; nil: the one that it was trained with, else its own.
    public var template: String?
    /// Variables of the template, as transformers' `chat_template_kwargs`.
    public var templateVariables: JSONMembers = [:]
    /// How weights are held: `.stored` as the files have them, `.none` decoded, `.nf4` in 4 bits.
    public var quantization = Quantization.stored
    /// The processor unless it is said otherwise.
    public var device = DeviceChoice.cpu

    public init(adapter: String? = nil) { self.adapter = adapter }
  }

  /// What an answer tells while it is made.
  public enum Part: Sendable {
    /// Whole characters, as soon as they are certain.
    case text(String)
    /// The answer is whole: its tokens, and why it ended.
    case finished(GenerationResult)
  }

  public let pretrained: Pretrained
  public let template: ChatTemplate
  /// How answers are chosen where a call says nothing: as generation_config.json says, with the template's stop tokens.
  public let defaults: GenerationOptions
  /// One line for each thing in the model's files that its user should know.
  public let notes: [String]
  private let work = WorkQueue("firefly.chat")
  private let speaker: Speaker

  private init(
    _ pretrained: Pretrained, _ template: ChatTemplate, _ defaults: GenerationOptions, _ notes: [String],
    _ speaker: Speaker
  ) {
    self.pretrained = pretrained
    self.template = template
    self.defaults = defaults
    self.notes = notes
    self.speaker = speaker
  }

  /// Opens a Hugging Face folder, a `.gguf` file, or a model in the hub's cache by its name, and reads its weights.
  ///
  /// - Parameters:
  ///   - name: a path, or a model's name such as `Org/Name`.
  ///   - options: an adapter, another template, 4 bits, a card.
  ///   - progress: the share of the weights that is read, 0…1, on a thread of its own.
  /// - Throws: `FireflyError` when something is missing, damaged or not supported.
  public static func open(
    _ name: String, _ options: Options = Options(), progress: (@Sendable (Double) -> Void)? = nil
  ) async throws -> ChatModel {
    try await WorkQueue("firefly.opening").run {
      let pretrained = try Pretrained.open(name, adapter: options.adapter)
      let template = try pretrained.template(
        named: options.template, adapter: options.adapter, variables: options.templateVariables)
      var (defaults, notes) = try pretrained.defaults()
      defaults.stopIDs.formUnion(try template.stopIDs(pretrained.tokenizer))
      let model = try pretrained.load(
        Pretrained.Options(
          quantization: options.quantization, adapter: options.adapter, device: options.device),
        progress: progress)
      let generator = Generator(model: model, tokenizer: pretrained.tokenizer)
      return ChatModel(
        pretrained, template, defaults, pretrained.tokenizer.notes + notes + model.notes, Speaker(generator))
    }
  }

  /// The model's answer to a conversation, whole.
  ///
  /// - Parameters:
  ///   - messages: an optional system message, then user and assistant in turn, the last one the user's.
  ///   - options: in the place of `defaults`; take a copy of these and change what differs.
  /// - Throws: `FireflyError` for messages that the template refuses, a conversation that is too long, and logits that are
  ///   not finite; `CancellationError` when its task is cancelled.
  public func answer(
    _ messages: [Message], options: GenerationOptions? = nil
  ) async throws -> GenerationResult {
    var result: GenerationResult?
    for try await part in stream(messages, options: options) {
      if case .finished(let whole) = part { result = whole }
    }
    guard let result else { throw CancellationError() }
    return result
  }

  /// The model's answer to a conversation, as it is made; who stops listening stops it.
  ///
  /// Parameters and errors are those of `answer`.
  public func stream(
    _ messages: [Message], options: GenerationOptions? = nil
  ) -> AsyncThrowingStream<Part, any Error> {
    let options = options ?? defaults
    let stop = StopRequest()
    return work.stream(cancel: stop.stop) { [template, pretrained, speaker] tell in
      let prompt = try template.promptTokens(history: messages, tokenizer: pretrained.tokenizer)
      let request = GenerationRequest(prompt: prompt, options: options, place: "the conversation")
      let result = try speaker.answer(request, isCancelled: { stop.isAsked }) { tell(.text($0)) }
      tell(.finished(result))
    }
  }
}

/// What makes the answers, and remembers what it has read. Only its model's queue may use it, which its users see to.
private final class Speaker: @unchecked Sendable {
  private let generator: Generator<Transformer>
  private let memory = PromptMemory<Transformer>()

  init(_ generator: Generator<Transformer>) { self.generator = generator }

  func answer(
    _ request: GenerationRequest, isCancelled: () -> Bool, onText: (String) -> Void
  ) throws -> GenerationResult {
    try generator.generate(request, memory: memory, isCancelled: isCancelled, onText: onText)
  }
}
