import FireflyBase
import FireflyTestSupport
import Foundation
import Testing

/// `firefly keys` and `firefly schema`.
@Suite struct KeysTests {
  @Test func listsEveryKeyOnce() throws {
    let outcome = try Command.run("keys")
    let names = outcome.output.split(separator: "\n").filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") }
      .compactMap { $0.split(separator: " ").first.map(String.init) }
    #expect(names.contains("learning_rate") && names.contains("train_last_layers"))
    #expect(Set(names).count == names.count && names.count > 75)
  }

  @Test func tellsOneKey() throws {
    let outcome = try Command.run("keys", "loss_reduction")
    #expect(outcome.output.hasPrefix("loss_reduction\n  How a step's loss is averaged"))
    for part in ["one of token, micro_batch_mean", "default \"token\"", "pretrain, sft; full, lora, qlora"] {
      #expect(outcome.output.contains(part), "\(outcome.output)")
    }
    #expect(try Command.run("keys", "loss_reduction", "--lang", "zh").output.contains("每步损失的平均方式"))
    let json = try JSONValue.parse(Command.run("keys", "loss_reduction", "--json").output, source: "t")
    #expect(json["default"] == .string("token") && json["origin"] == .string("ours"))
  }

  @Test func tellsForeignAndUnknownKeys() throws {
    #expect(try Command.run("keys", "fsdp").output.contains("training runs in one process"))
    #expect(try Command.run("keys", "cutoff_len").output.contains("It is called \"max_seq_length\" here."))
    let outcome = try Command.run("keys", "learning_rat")
    #expect(outcome.status == 1 && outcome.output.isEmpty)
    #expect(outcome.errors.contains("Did you mean \"learning_rate\"?"))
  }

  @Test func explainsAConfiguration() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(
      #"""
      {"model_name_or_path": "m", "train_file": "rows.jsonl", "output_dir": "out", "template_name": "qwen",
       "max_seq_length": 64, "fp16": true, "fsdp": "full_shard"}
      """#, to: "c.json")
    let outcome = try Command.run("keys", "--config", path, "--set", "lora_rank=8")
    #expect(outcome.status == 0)
    let lines = outcome.output.split(separator: "\n").map {
      $0.split(separator: " ", maxSplits: 1).map(String.init)
    }
    #expect(lines.contains { $0[0] == "lora_rank" && $0[1].hasSuffix(" 8") })
    #expect(lines.contains { $0[0] == "lora_alpha" && $0[1].hasSuffix("default 16.0") })
    #expect(lines.contains { $0[0] == "fsdp" && $0[1].contains("training runs in one process") })
    #expect(outcome.output.contains("note: \"fp16\": true is float16"))
  }

  @Test func theSchemaIsJSON() throws {
    let schema = try JSONValue.parse(Command.run("schema").output, source: "t")
    #expect(schema["$schema"] == .string("https://json-schema.org/draft/2020-12/schema"))
    #expect(schema["properties"]?["lora_rank"]?["default"] == .int(64))
  }
}
