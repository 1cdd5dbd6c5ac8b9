/// Fine-tuning and using pretrained language models from a Swift program.
///
/// One import brings all of the library; the example opens a model, puts a trained adapter on it and asks it something:
///
///     import Firefly
///
///     let pretrained = try Pretrained.open("SmolLM2-135M-Instruct.Q4_1.gguf")
///     let model = try pretrained.load(Pretrained.Options(adapter: "output/run"))
///     let template = try pretrained.template(named: nil, adapter: "output/run")
///     var options = try pretrained.defaults().options
///     options.stopIDs.formUnion(try template.stopIDs(pretrained.tokenizer))
///     let prompt = try template.promptTokens(
///       history: [Message(role: "user", content: "What is 12 times 7?")], tokenizer: pretrained.tokenizer)
///     let generator = Generator(model: model, tokenizer: pretrained.tokenizer)
///     let answers = try generator.generate([GenerationRequest(prompt: prompt, options: options)])
///     print(answers[0].text)
@_exported import FireflyBase
@_exported import FireflyCards
@_exported import FireflyConversion
@_exported import FireflyEvaluation
@_exported import FireflyGeneration
@_exported import FireflyHub
@_exported import FireflyModels
@_exported import FireflyPretrained
@_exported import FireflyServer
@_exported import FireflyTensors
@_exported import FireflyText
@_exported import FireflyTraining
@_exported import FireflyWeights
