import FireflyBase
import FireflyCards
import FireflyGeneration
import FireflyModels
import FireflyPretrained
import FireflyTensors
import FireflyText
import FireflyWeights

/// What the verbs that use a model share: which model, and how it is held.
enum ModelOptions {
  static let model = Positional(
    "MODEL",
    "A model folder in Hugging Face's format, a .gguf file, or the name of a model that is on this machine (firefly download fetches one)."
  )
  static let adapter = Option.text(
    "--adapter", "DIR", "A PEFT adapter to put on the model: its folder, or its name.")
  static let precision = Option.choice(
    "--precision", ["bfloat16", "float32", "float16"],
    "What products are computed in; float16 on a card alone (default: bfloat16 where the device multiplies it fast, on other cards float16)."
  )
  static let quantize = Option.choice(
    "--quantize", ["nf4", "none"],
    "How the linear layers are held: nf4 quantises them, none decodes a GGUF file's (default: as the files have them)."
  )
  static let declarations = [
    adapter.declaration, precision.declaration, quantize.declaration, DeviceOption.device.declaration,
  ]

  static func options(_ arguments: Arguments, adapter: String?) -> Pretrained.Options {
    Pretrained.Options(
      compute: arguments[precision].flatMap(DType.init(name:)),
      quantization: quantization(arguments[quantize]), adapter: adapter,
      device: DeviceOption.choice(arguments) ?? .auto)
  }

  private static func quantization(_ choice: String?) -> Quantization {
    switch choice {
    case "nf4": .nf4(double: true)
    case "none": .none
    default: .stored
    }
  }

  /// Opens the model with the adapter that is given.
  static func open(_ arguments: Arguments) throws -> Pretrained {
    try Pretrained.open(arguments[model], adapter: arguments[adapter])
  }

  /// Reads the weights, with progress on standard error.
  static func load(_ pretrained: Pretrained, _ arguments: Arguments) throws -> Generator<Transformer> {
    try load(pretrained, arguments, adapter: arguments[adapter])
  }

  static func load(_ pretrained: Pretrained, _ arguments: Arguments, adapter: String?) throws
    -> Generator<Transformer>
  {
    let device = try DeviceOption.open(arguments)
    let progress = ProgressLine("loading \(pretrained.source.name)")
    let model = try pretrained.load(options(arguments, adapter: adapter), on: device) { progress.update($0) }
    progress.clear()
    pretrained.blocksNote(quantization(arguments[quantize]), on: device).map(Messages.note)
    (pretrained.tokenizer.notes + model.notes).forEach(Messages.note)
    return Generator(model: model, tokenizer: pretrained.tokenizer)
  }
}

/// Where to compute.
enum DeviceOption {
  static let device = Option.choice(
    "--device", DeviceChoice.allCases.map(\.rawValue),
    "Where to compute: the processor (cpu), an NVIDIA card (cuda), or auto: the card where there is one (default: auto)."
  )

  /// nil where none was given.
  static func choice(_ arguments: Arguments) -> DeviceChoice? { arguments[device].flatMap(DeviceChoice.init) }

  /// Opens it; says on standard error which was taken, where that is news.
  static func open(_ arguments: Arguments) throws -> any Device {
    let choice = choice(arguments)
    let opened = try (choice ?? .auto).open()
    if !opened.isUsual || choice == .auto { Messages.note(opened.note) }
    return opened.device
  }
}

/// How answers are chosen and when they end.
enum AnswerOptions {
  static let maxNewTokens = Option.integer(
    "--max-new-tokens", "N", atLeast: 1, "The most tokens of an answer (default: the model's, or 500).")
  static let greedy = Flag("--greedy", "Always takes the most likely token; the same as --temperature 0.")
  static let temperature = Option.number(
    "--temperature", "T", in: 0...100, "Below 1 sharpens, above 1 flattens (default: the model's, or 0.35).")
  static let topP = Option.number(
    "--top-p", "P", in: 1e-9...1,
    "Keeps the fewest tokens that are together this likely (default: the model's, or 0.9).")
  static let topK = Option.integer(
    "--top-k", "K", atLeast: 0, "Keeps the K most likely tokens; 0 keeps all (default: the model's, or 50).")
  static let minP = Option.number(
    "--min-p", "P", in: 0...1,
    "Keeps tokens that are at least this likely beside the most likely one; 0 keeps all (default: the model's, or 0)."
  )
  static let repetitionPenalty = Option.number(
    "--repetition-penalty", "R", in: 0.01...100,
    "Above 1 makes tokens that were already used less likely (default: the model's, or 1).")
  static let beams = Option.integer(
    "--beams", "N", in: 1...GenerationOptions.mostBeams,
    "Above 1: a beam search for the most likely answer instead of sampling, with N times the memory for keys and values (default: the model's, or 1)."
  )
  static let lengthPenalty = Option.number(
    "--length-penalty", "X", in: GenerationOptions.lengthPenalties,
    "With --beams: answers are compared by log-probability / tokens^X; above 0 favours long ones (default: the model's, or 1)."
  )
  static let earlyStopping = Option.choice(
    "--early-stopping", EarlyStopping.allCases.map(\.rawValue),
    "With --beams, when N answers are found: true ends, false ends unless a beam is better as it stands, never ends when no beam can become better (default: the model's, or false)."
  )
  static let seed = Option.integer("--seed", "N", atLeast: 0, "Equal seeds give equal answers (default: 42).")
  static let stop = Option.text("--stop", "TEXT", "A text that ends the answer.", repeated: true)

  static let samplingDeclarations = [
    greedy.declaration, temperature.declaration, topP.declaration, topK.declaration, minP.declaration,
    repetitionPenalty.declaration,
  ]
  static let beamDeclarations = [
    beams.declaration, lengthPenalty.declaration, earlyStopping.declaration,
  ]
  static let declarations =
    [maxNewTokens.declaration] + samplingDeclarations + beamDeclarations
    + [seed.declaration, stop.declaration]

  /// Refuses options that contradict each other; called before anything is opened.
  static func check(_ arguments: Arguments) throws {
    try arguments.refuse(
      [greedy.declaration, temperature.declaration], together: "--greedy is temperature 0")
    guard let beams = arguments[beams] else { return }
    for option in beams > 1 ? tokenChoice : [] {
      try arguments.refuse(
        [Self.beams.declaration, option],
        together: "beams take the most likely answer, and no token is chosen alone")
    }
    try refuseBeamOptions(arguments, beams: beams)
  }

  /// How single tokens are chosen, which no beam search does.
  private static let tokenChoice = [
    greedy.declaration, temperature.declaration, topP.declaration, topK.declaration, minP.declaration,
  ]

  private static func refuseBeamOptions(_ arguments: Arguments, beams: Int) throws {
    if beams > 1 { return }
    try arguments.refuse(
      [lengthPenalty.declaration, earlyStopping.declaration], because: "it needs --beams of at least 2")
  }

  /// Refuses what narrows the choice of tokens where there is none; called with the options of all answers.
  static func refuseIdle(_ arguments: Arguments, _ options: GenerationOptions) throws {
    guard options.numBeams == 1, options.sampling.temperature == 0 else { return }
    try arguments.refuse(
      [topP.declaration, topK.declaration, minP.declaration],
      because: "the most likely token is always taken; --temperature above 0 lets others come")
  }

  /// The model's defaults with the user's options on top; what the model asks for in vain is told on standard error.
  ///
  /// Who says how a token is chosen wants no beams, whatever the model asks for. To be called after `check`.
  static func read(_ arguments: Arguments, for pretrained: Pretrained) throws -> GenerationOptions {
    var (options, notes) = try pretrained.defaults()
    notes.forEach(Messages.note)
    if let count = arguments[maxNewTokens] { options.maxNewTokens = count }
    options.sampling.temperature =
      arguments[greedy] ? 0 : arguments[temperature] ?? options.sampling.temperature
    options.sampling.topP = arguments[topP] ?? options.sampling.topP
    options.sampling.topK = arguments[topK] ?? options.sampling.topK
    options.sampling.minP = arguments[minP] ?? options.sampling.minP
    options.sampling.repetitionPenalty = arguments[repetitionPenalty] ?? options.sampling.repetitionPenalty
    options.numBeams = arguments[beams] ?? (arguments.has(tokenChoice) ? 1 : options.numBeams)
    options.lengthPenalty = arguments[lengthPenalty] ?? options.lengthPenalty
    options.earlyStopping =
      arguments[earlyStopping].flatMap(EarlyStopping.init) ?? options.earlyStopping
    try refuseBeamOptions(arguments, beams: options.numBeams)
    options.seed = arguments[seed].map(UInt64.init) ?? options.seed
    options.stopStrings += arguments.all(stop)
    return options
  }
}

/// How messages become prompts.
enum TemplateOptions {
  static let template = Option.text(
    "--template", "NAME",
    "The chat template (default: the one that the adapter was trained with; else auto, the model's own)."
  )
  static let system = Option.text("--system", "TEXT", "Replaces the template's system text.")
  static let variables = Option.text(
    "--chat-template-kwargs", "JSON",
    "Variables of the model's own template, as one JSON object: {\"enable_thinking\": false}.")
  static let thinking = Option.choice(
    "--enable-thinking", ["true", "false"], "The template's variable enable_thinking by itself.")
  static let declarations = [template.declaration, system.declaration] + variableDeclarations
  static let variableDeclarations = [variables.declaration, thinking.declaration]

  /// The template to use, and on standard error whether it is another than the model's own.
  static func read(_ arguments: Arguments, _ pretrained: Pretrained) throws -> ChatTemplate {
    let adapter = arguments[ModelOptions.adapter]
    let template = try pretrained.template(
      named: arguments[template], adapter: adapter, variables: try variables(arguments))
    if let adapter, arguments[Self.template] == nil,
      let note = pretrained.differenceNote(template, adapter: adapter)
    {
      Messages.note(note)
    }
    if let warning = template.variablesWarning { Messages.note(warning) }
    return template
  }

  /// What the options say of the template's variables.
  static func variables(_ arguments: Arguments) throws -> JSONMembers {
    var members: JSONMembers = [:]
    if let text = arguments[variables] {
      guard let object = try OrderedJSON.parse(text, source: variables.declaration.name).object else {
        throw UsageError("\(variables.declaration.name) takes a JSON object", verb: arguments.verb)
      }
      members = object
    }
    if let value = arguments[thinking] { members["enable_thinking"] = .bool(value == "true") }
    return members
  }
}
