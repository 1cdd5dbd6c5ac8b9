import FireflyModels
import FireflyTensors
import FireflyTraining

/// What the parts of a step cost on this machine, measured on a step of one block of the model's own shape.
package struct StepRates: Sendable {
  /// FLOP/s of products with weights, and of attention.
  var matrices, attention: Double
  /// Seconds for each weight decoded.
  var decoding: Double
  /// Seconds for each element of the residual stream that passes a block: norms, activations, sums, and what no part
  /// accounts for.
  var residual: Double
  /// Seconds for each logit that the loss looks at, and for each parameter that is updated.
  var logit, parameter: Double

  /// Seconds that the measured run may take.
  private static let patience = 0.7
  private static let fewestTokens = 64
  /// Rows of the tables that are measured; their number decides nothing but the loss, which goes by the logit.
  private static let vocabulary = 4096

  /// Measures for a second or two: first a few tokens, then as many of a usual micro-batch as there is time for.
  package init(_ step: PlannedStep) throws {
    var architecture = step.architecture
    // The first block with experts, where the model has them: they are most of such a model.
    let block = (0..<architecture.layers).first { architecture.experts?.layers.contains($0) ?? true }
    architecture.layers = (block ?? 0) + 1
    architecture.vocabularySize = min(architecture.vocabularySize, StepRates.vocabulary)
    let few = StepRates.cut(step.lengths, to: StepRates.fewestTokens)
    let model = try StepRates.model(architecture, step)
    let first = try MeasuredStep(model, step, few, runs: 1)
    let affordable = Double(few.reduce(0, +)) * StepRates.patience / first.seconds
    let lengths = StepRates.cut(step.lengths, to: max(StepRates.fewestTokens, Int(min(affordable, 1e6))))
    self.init(try MeasuredStep(model, step, lengths, runs: 3))
  }

  /// Random weights of a shape, held as in the run; every block does all that one within the model does.
  package static func model(_ architecture: Architecture, _ step: PlannedStep) throws -> Transformer {
    let quantized: Quantization = step.blocks.isEmpty ? .nf4(double: true) : .stored
    return try Transformer.random(
      architecture, compute: step.compute, quantization: step.isNF4 ? quantized : .none,
      blocks: step.blocks.formats(architecture),
      training: step.adapter == nil ? FullOptions() : nil, firstTakesInputGradient: true, on: step.device)
  }

  package init(_ measured: MeasuredStep) {
    let work = measured.work
    let gradients = measured.gradients
    let parts = Dictionary(uniqueKeysWithValues: gradients.parts.map { ($0.part, $0.entry) })
    func seconds(_ part: Ledger.Part) -> Double { parts[part]?.seconds ?? 0 }
    func rate(_ part: Ledger.Part) -> Double {
      guard let entry = parts[part], entry.seconds > 0 else { return .infinity }
      return entry.flop / entry.seconds
    }
    matrices = rate(.matrices)
    attention = rate(.attention)
    decoding = seconds(.decoding) / max(1, work.decodedWeights)
    residual =
      (seconds(.norms) + seconds(.elementwise) + gradients.otherSeconds) / max(1, work.residualElements)
    logit = seconds(.loss) / max(1, work.logits)
    parameter = measured.update.seconds / Double(max(1, measured.parameters))
  }

  /// What some work takes; updates of parameters apart.
  func seconds(_ work: StepWork) -> Double {
    work.matrices / matrices + work.attention / attention + work.decodedWeights * decoding
      + work.residualElements * residual + work.logits * logit
  }

  /// The lengths up to `most` tokens together, the last one shortened; at least two tokens.
  package static func cut(_ lengths: [Int], to most: Int) -> [Int] {
    var rest = most
    var cut: [Int] = []
    for length in lengths where rest >= 2 {
      cut.append(min(length, rest))
      rest -= length
    }
    return cut
  }
}

/// A step that was measured: its gradients, and its update.
package struct MeasuredStep {
  package let gradients: Measurement
  package let update: Measurement
  /// What the gradients compute.
  package let work: StepWork
  /// Elements that the update changes.
  package let parameters: Int

  package var seconds: Double { gradients.seconds + update.seconds }

  /// - Parameter lengths: tokens of the sequences.
  package init(_ model: Transformer, _ step: PlannedStep, _ lengths: [Int], runs: Int) throws {
    let training = try TrainingStep(
      model, step.adapter?.limited(to: model.architecture), lengths: lengths,
      checkpointing: step.checkpointing, targetShare: step.targetShare)
    gradients = Measurement(runs: runs, after: 1, on: step.device) { training.accumulate() }
    update = Measurement(runs: runs, after: 1, on: step.device) { training.update() }
    let trainable = model.arena.trainable
    parameters = trainable.count
    work = StepWork(
      WorkModel(
        model.architecture, trainable, checkpointing: step.checkpointing, isNF4: step.isNF4,
        decodesHead: step.blocks.holdsHead(of: model.architecture)),
      lengths: lengths, targets: training.targets)
  }
}
