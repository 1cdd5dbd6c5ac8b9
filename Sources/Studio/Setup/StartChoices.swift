import FireflyBase
import FireflyConversion
import FireflyHub
import FireflyText
import FireflyTraining

/// What the page offers before anything is chosen.
struct StartChoices {
  let folder: String

  /// What a new run starts from; the page makes a field of each, by its JSON type. What is not here is added by its key.
  private static let settings: [(group: String, keys: [(String, JSONValue)])] = [
    (
      "task",
      [("task_type", .string("sft")), ("train_mode", .string("qlora")), ("template_name", .string("auto"))]
    ),
    ("rows", [("max_seq_length", .int(1024)), ("val_size", .double(0))]),
    (
      "steps",
      [
        ("num_train_epochs", .int(1)), ("max_steps", .int(-1)), ("per_device_train_batch_size", .int(1)),
        ("gradient_accumulation_steps", .int(16)), ("learning_rate", .double(2e-4)),
        ("lr_scheduler_type", .string("cosine")), ("warmup_steps", .int(10)), ("max_grad_norm", .double(1)),
        ("seed", .int(42)),
      ]
    ),
    ("adapter", [("lora_rank", .int(16)), ("lora_alpha", .int(32)), ("lora_dropout", .double(0.05))]),
    (
      "memory",
      [
        ("bf16", .bool(true)), ("gradient_checkpointing", .bool(true)),
        ("optim", .string("paged_adamw_32bit")),
      ]
    ),
    (
      "records",
      [
        ("logging_steps", .int(1)), ("save_steps", .int(100)), ("save_total_limit", .int(2)),
        ("sample_prompts", .array([])), ("sample_steps", .int(50)),
      ]
    ),
  ]

  /// Keys whose values are one of a few.
  private static var words: [String: JSONValue] {
    var words: [String: JSONValue] = [:]
    for key in ConfigKeys.all {
      if case .names(let names) = key.shape { words[key.name] = .array(names.map(JSONValue.string)) }
    }
    words["template_name"] = .array(([ChatTemplate.auto] + ChatTemplate.names).map(JSONValue.string))
    return words
  }

  /// What each key means, in the page's languages, and what holds without it.
  private static var keys: [String: JSONValue] {
    Dictionary(
      uniqueKeysWithValues: ConfigKeys.all.map { key in
        var entry = Dictionary(
          uniqueKeysWithValues: KeyLanguage.allCases.map {
            ($0.rawValue, JSONValue.string(key.about.meaning[$0]))
          })
        if case .value(let value) = key.standard { entry["default"] = value }
        return (key.name, .object(entry))
      })
  }

  var json: JSONValue {
    let groups = StartChoices.settings.map { group in
      JSONValue.object([
        "group": .string(group.group),
        "keys": .array(group.keys.map { .object(["key": .string($0.0), "value": $0.1]) }),
      ])
    }
    return .object([
      "folder": .string(folder), "settings": .array(groups), "words": .object(StartChoices.words),
      "keys": .object(StartChoices.keys),
      "gguf_types": .array(GGUFType.allCases.map { .string($0.rawValue) }),
    ])
  }

  /// Models of the hubs' caches, and those in the studio's folder.
  var models: JSONValue {
    func list(_ models: [LocalModel]) -> JSONValue {
      .array(models.map { .object(["name": .string($0.name), "path": .string($0.path)]) })
    }
    return .object(["cached": list(LocalModels().inCaches), "folder": list(LocalModels.below(folder))])
  }
}
