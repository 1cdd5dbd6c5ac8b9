import FireflyBase
import FireflyText

extension RunConfig {
  /// A run that a program sets up: what must be given, and any further key of a configuration file.
  ///
  ///     let config = try RunConfig(
  ///       model: "Qwen/Qwen2.5-0.5B-Instruct", trainFile: "rows.jsonl", output: "output/run", maxLength: 512,
  ///       settings: ["lora_rank": 16, "learning_rate": 2e-4])
  ///
  /// Keys, values and defaults are those of docs/configuration.md, checked and recorded as those of a file are. The template
  /// of conversations is the model's own unless `template_name` is among the keys, and products are in bfloat16, where the
  /// machine has it, unless a key says otherwise.
  ///
  /// - Parameters:
  ///   - model: a folder, a `.gguf` file, or a name such as `Org/Name` that `LocalModels` finds.
  ///   - maxLength: tokens kept of a row.
  /// - Throws: `FireflyError` naming every unknown key with its nearest name, and every value of a wrong type or range.
  public init(
    model: String, trainFile: String, output: String, maxLength: Int, settings: [String: JSONValue] = [:]
  ) throws {
    var keys = settings
    keys["model_name_or_path"] = .string(model)
    keys["train_file"] = .string(trainFile)
    keys["output_dir"] = .string(output)
    keys["max_seq_length"] = .int(maxLength)
    if keys["template_name"] == nil, keys["task_type"]?.string != TaskType.pretrain.rawValue {
      keys["template_name"] = .string(ChatTemplate.auto)
    }
    if ["bf16", "fp16", "precision"].allSatisfy({ keys[$0] == nil }) { keys["bf16"] = true }
    try self.init(.object(keys), source: "the program's settings")
  }
}
