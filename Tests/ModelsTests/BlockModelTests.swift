import FireflyBase
import FireflyModels
import FireflyTensors
import FireflyTestSupport
import FireflyWeights
import Foundation
import Testing

/// Models whose weights stay the blocks of a GGUF file, against the same file decoded.
@Suite struct BlockModelTests {
  let folder: TemporaryFolder
  private let tokens: [Int32] = (0..<40).map { Int32($0 * 7 % BlockFile.vocabulary) }
  private let starts: [Int32] = [0, 15, 40]

  init() throws { folder = try TemporaryFolder() }

  private func models(
    _ compute: DType, isTied: Bool = false
  ) throws -> (blocks: Transformer, decoded: Transformer) {
    let source = try ModelSource.open(BlockFile(in: folder.path, isTied: isTied).path)
    return (
      try Transformer.load(source, compute: compute, quantization: .stored),
      try Transformer.load(source, compute: compute, quantization: .none)
    )
  }

  @Test(arguments: [false, true]) func logitsInFloat32AreThoseOfTheDecodedFile(isTied: Bool) throws {
    let (blocks, decoded) = try models(.float32, isTied: isTied)
    let expected = decoded.logits(tokens: tokens, starts: starts).floats
    #expect((expected.max() ?? 0) > 0.5, "the logits say something")
    assertClose(
      blocks.logits(tokens: tokens, starts: starts).floats, expected, .share(2e-6, ofLargest: expected))
    // A prompt, then a token by itself.
    let steps = [blocks, decoded].map { model in
      let cache = model.makeCache(capacity: 16)
      return [Array(tokens[..<9]), [tokens[9]]].flatMap { model.step([(cache, $0)]).floats }
    }
    assertClose(steps[0], steps[1], .share(2e-6, ofLargest: steps[1]))
  }

  /// In bfloat16 a prompt differs by its embedding's rounding, and a token by itself by rows in 8 bits.
  @Test func bfloat16StaysNearTheDecodedFile() throws {
    let (blocks, decoded) = try models(.bfloat16)
    let expected = decoded.logits(tokens: tokens, starts: starts).floats
    let bound = Tolerance.share(0.03, ofLargest: expected)
    assertClose(blocks.logits(tokens: tokens, starts: starts).floats, expected, bound)
    let steps = [blocks, decoded].map { model in
      let cache = model.makeCache(capacity: 16)
      return tokens[..<12].flatMap { model.step([(cache, [$0])]).floats }
    }
    assertClose(steps[0], steps[1], .share(0.05, ofLargest: steps[1]))
  }

  @Test func aTokenDoesNotDependOnWhatIsStepped() throws {
    let model = try models(.bfloat16).blocks
    let alone = (0..<5).map { model.step([(model.makeCache(capacity: 4), [tokens[$0]])]).floats }
    let together = model.step((0..<5).map { (model.makeCache(capacity: 4), [tokens[$0]]) }).floats
    #expect(together == alone.flatMap { $0 })
  }

  /// QLoRA on the file: the adapter's gradients through the blocks.
  @Test(arguments: [false, true]) func gradientsAreThoseOfTheDecodedFile(trainsTables: Bool) throws {
    let (blocks, decoded) = try models(.float32)
    let labels = tokens.dropFirst() + [-1]
    let results = try [blocks, decoded].map { model in
      var options = LoRAOptions()
      options.dropout = 0
      if trainsTables { options.modulesToSave = ["embed_tokens", "lm_head"] }
      try model.attachAdapter(options, seed: 3)
      for parameter in model.parameters where parameter.name.contains("lora_B") {
        let values = (0..<parameter.value.count).map { Float($0 % 7 - 3) * 0.01 }
        Ops.convert(parameter.value.matrix, Tensor(values, parameter.value.shape).matrix)
      }
      model.parametersChanged()
      model.zeroGradients()
      let loss = model.accumulateGradients(
        tokens: tokens, labels: Array(labels), starts: starts,
        weights: [Float](repeating: 1, count: tokens.count), pass: Pass())
      return (loss.total.sum, model.parameters.map { (name: $0.name, values: $0.gradient.floats) })
    }
    assertClose([results[0].0], [results[1].0], Tolerance(relative: 1e-6))
    for (found, expected) in zip(results[0].1, results[1].1) {
      #expect(found.name == expected.name && expected.values.contains { $0 != 0 })
      assertClose(found.values, expected.values, .share(1e-5, ofLargest: expected.values), found.name)
    }
  }

  /// A vocabulary of three panels: the loss and its gradients are those of whole rows of logits, whatever the threads.
  @Test func theLossOfALargeVocabularyGoesByPanels() throws {
    let (vocabulary, rows) = (33_000, 100)
    let tokens = (0..<rows).map { Int32($0 * 7919 % vocabulary) }
    let source = try ModelSource.open(BlockFile(in: folder.path, isTied: true, vocabulary: vocabulary).path)
    func run(_ device: any Device, threads: Int) throws -> (loss: BatchLoss, gradients: [[Float]]) {
      let before = Parallel.threads
      defer { Parallel.threads = before }
      Parallel.threads = threads
      let model = try Transformer.load(source, compute: .float32, quantization: .stored, device: device)
      try model.attachAdapter(LoRAOptions(rank: 2, dropout: 0), seed: 3)
      model.zeroGradients()
      let loss = model.accumulateGradients(
        tokens: tokens, labels: tokens.dropFirst() + [-1], starts: [0, Int32(rows)],
        weights: [Float](repeating: 1, count: rows), pass: Pass(training: false))
      return (loss, model.parameters.map(\.gradient.floats))
    }
    let found = try run(CPU.shared, threads: 2)
    let whole = try run(FencedDevice(takesLogitPanels: false), threads: 2)
    assertClose([found.loss.total.mean], [whole.loss.total.mean], Tolerance(relative: 1e-6))
    #expect(whole.gradients.contains { $0.contains { $0 != 0 } })
    for (gradient, expected) in zip(found.gradients, whole.gradients) {
      assertClose(gradient, expected, .share(1e-5, ofLargest: expected))
    }
    let alone = try run(CPU.shared, threads: 1)
    #expect(alone.loss == found.loss && alone.gradients == found.gradients)
  }

  @Test func weightsAreTheFilesOwnBytes() throws {
    let source = try ModelSource.open(BlockFile(in: folder.path, isTied: true).path)
    let model = try Transformer.load(source, compute: .bfloat16, quantization: .stored)
    let matrices = source.weights.names.compactMap { source.weights.info($0) }.filter { $0.shape.count == 2 }
    #expect(model.weightBytes == matrices.reduce(0) { $0 + $1.range.count })
    #expect(
      source.weights.blockFormats == [
        "IQ4_NL", "IQ4_XS", "MXFP4", "Q2_K", "Q3_K", "Q4_0", "Q4_1", "Q4_K", "Q5_0", "Q5_1", "Q5_K", "Q6_K",
        "Q8_0",
      ])
    // Asked for otherwise, they are decoded or quantised anew.
    let dense = try Transformer.load(source, compute: .bfloat16, quantization: .none)
    let packed = try Transformer.load(source, compute: .bfloat16, quantization: .nf4(double: true))
    #expect(dense.weightBytes > 2 * model.weightBytes && packed.weightBytes < dense.weightBytes)
  }

  /// Other devices get what they multiply.
  @Test func behindTheFenceTheyAreDecoded() throws {
    let source = try ModelSource.open(BlockFile(in: folder.path).path)
    let fenced = try Transformer.load(
      source, compute: .float32, quantization: .stored, device: FencedDevice())
    let here = try Transformer.load(source, compute: .float32, quantization: .none)
    let expected = here.logits(tokens: tokens, starts: starts).floats
    assertClose(
      fenced.logits(tokens: tokens, starts: starts).floats, expected, .share(1e-6, ofLargest: expected))
  }

  @Test func aTruncatedFileIsRefused() throws {
    let path = try BlockFile(in: folder.path).path
    let short = try folder.write(Data(contentsOf: URL(filePath: path)).dropLast(100_000), to: "short.gguf")
    let error = thrownError { _ = try ModelSource.open(short) }
    #expect(error?.description.contains("lies outside the file") == true)
  }
}
