import Firefly

/// QLoRA with a loop of one's own: every step is here, and may be another.
func trainByHand(_ name: String, rows: String, output: String) throws {
  let pretrained = try Pretrained.open(name)
  let model = try pretrained.load(Pretrained.Options(quantization: .nf4(double: true)))
  try model.attachAdapter(LoRAOptions(rank: 16, alpha: 32, dropout: 0.05), seed: 42)

  let template = try pretrained.template(named: nil, adapter: nil)
  let data = try Dataset.load(rows, template: template, tokenizer: pretrained.tokenizer, maxLength: 512)
  for line in data.report.summary { print(line) }

  let steps = 60
  var order = DataOrder(rows: data.samples.count, microBatchSize: 8, accumulation: 1, seed: 42)
  let objective = CrossEntropy()
  let optimizer = AdamW(training: model)
  let rate = Schedule.cosine().factor(warmup: 5, total: steps)

  for step in 0..<steps {
    model.zeroGradients()
    let batch = Batch(order.microBatches(step: step)[0].map { data.samples[$0] })
    let loss = try objective.accumulateGradients(batch, on: model, step: step).loss
    let norm = optimizer.step(model, learningRate: 2e-3 * rate(step), maxGradientNorm: 1)
    print("step \(step + 1)  loss \(loss)  gradient \(norm)")
  }
  try model.saveAdapter(to: output, baseModel: name)
}
