/// Every key that a configuration may have and Firefly follows, in the order of the documents.
package enum ConfigKeys {
  package struct Group: Sendable {
    package let title: Wording
    package let keys: [KeyDeclaration]
  }

  package static let groups = [
    Group(title: Wording("Model and machine", "模型与设备"), keys: ModelKeys.all),
    Group(title: Wording("Data", "数据"), keys: DataKeys.all),
    Group(title: Wording("The adapter", "适配器"), keys: AdapterKeys.all),
    Group(title: Wording("All weights", "全量训练"), keys: FullKeys.all),
    Group(title: Wording("Preference pairs", "偏好训练"), keys: PreferenceKeys.all),
    Group(title: Wording("Steps", "步"), keys: StepKeys.all),
    Group(title: Wording("Optimizer and learning rate", "优化器与学习率"), keys: OptimizerKeys.all),
    Group(title: Wording("Evaluation and samples", "评估与样例"), keys: EvaluationKeys.all),
    Group(title: Wording("Output, logs and checkpoints", "输出、日志与检查点"), keys: RecordKeys.all),
  ]

  package static let all = groups.flatMap(\.keys)
  package static let names = all.map(\.name)

  private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

  package static func named(_ name: String) -> KeyDeclaration? { byName[name] }
}
