/// What older configurations of the original mean.
extension ChatTemplate {
  /// Names that the original's files have had, and what they are now. Its files named "llama" and "aquila2" for a day, and
  /// it had no templates of these names: before that, it wrote these models' rows in its first format.
  package static let formerNames = ["cpm3": "minicpm3", "llama": "firefly", "aquila2": "firefly"]

  /// The template that is nearest to what the original wrote before it had templates, when it went by the model's path.
  package static func beforeTemplates(modelPath: String) -> String {
    let path = modelPath.lowercased()
    let families = [
      ("chatglm2", "chatglm2"), ("chatglm3", "chatglm3"), ("mixtral", "mixtral"), ("mistral", "mistral"),
      ("zephyr", "zephyr"), ("qwen", "qwen"),
    ]
    return families.first { path.contains($0.0) }?.1 ?? "firefly"
  }
}
