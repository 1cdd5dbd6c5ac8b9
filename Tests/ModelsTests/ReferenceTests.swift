import FireflyBase
import FireflyModels
import FireflyTensors
import FireflyTestSupport
import Foundation
import Testing

/// Whole tensors against transformers 5 + PEFT + bitsandbytes on tiny random models; for families that transformers lacks,
/// against plain PyTorch (MANIFEST.json says which).
@Suite struct ReferenceTests {
  static let llama = [
    "gqa", "biased_tied", "rope_llama3", "rope_linear", "rope_yarn", "rope_dynamic", "gqa_nf4",
  ]
  static let folders = llama + ModelFixture.families
  /// (folder, variant) pairs that have an adapter.
  static let adapted =
    folders.map { ($0, "lora") }
    + [("gqa", "rslora"), ("biased_tied", "rslora"), ("families/mistral", "saved")]
    + ModelFixture.families.map { ($0, "nf4") }

  /// A family without a fixture is not checked.
  @Test func everyFamilyHasAFixture() throws {
    let fixtures = try Set(
      Self.folders.map { try JSONValue.read(ModelFixture.root + "/\($0)/config.json")["model_type"]?.string })
    let same: Set = ["aquila"]  // llama under another name
    #expect(Set(Architecture.familyNames).subtracting(fixtures.compactMap { $0 }) == same)
    let routed = [
      "deepseek_moe", "deepseek_v2", "deepseek_v2_lite", "gpt_oss", "mixtral", "qwen2_moe", "qwen3_moe",
    ]
    #expect(ModelFixture.routed == routed.map { "families/" + $0 })
  }

  @Test(arguments: folders) func logitsOfTheBase(_ name: String) throws {
    let fixture = try ModelFixture(name)
    let logits = try fixture.model().logits(tokens: fixture.tokens, starts: fixture.starts)
    assertClose(logits.floats, try fixture.tensor("base.logits"), Tolerance(absolute: 1e-4))
  }

  @Test(arguments: adapted) func logitsWithAdapter(_ name: String, _ variant: String) throws {
    let fixture = try ModelFixture(name)
    let logits = try fixture.model(variant).logits(tokens: fixture.tokens, starts: fixture.starts)
    assertClose(logits.floats, try fixture.tensor(variant + ".logits"), Tolerance(absolute: 1e-4))
  }

  @Test(arguments: adapted) func everyAdapterGradient(_ name: String, _ variant: String) throws {
    let fixture = try ModelFixture(name)
    let model = try fixture.model(variant)
    let loss = fixture.accumulate(model)
    let expectedLoss = try #require(fixture.lossSums[variant])
    #expect(loss.count == fixture.targets)
    #expect(abs(loss.sum - expectedLoss) <= 1e-4 * expectedLoss)
    let balance = fixture.balanceLosses[variant] ?? 0
    #expect(abs(loss.balance / Double(loss.count) - balance) <= 1e-4 * balance)

    let gradients = Dictionary(uniqueKeysWithValues: model.parameters.map { ($0.name, $0.gradient.floats) })
    let expected = try fixture.gradients(variant)
    #expect(!expected.isEmpty)
    for (name, values) in expected {
      let found = try #require(gradients[name])
      assertClose(found, values, .share(1e-3, ofLargest: values), "\(name)")
    }
  }

  /// bfloat16 keeps 8 bits: logits of magnitude about 1 agree within a few hundredths,
  /// gradients (of adapters with random, large B) within 20 % of each tensor's largest element.
  @Test(arguments: adapted.filter { !ModelFixture.routed.contains($0.0) }) func bfloat16StaysNear(
    _ name: String, _ variant: String
  ) throws {
    let fixture = try ModelFixture(name)
    let model = try fixture.model(variant, compute: .bfloat16)
    let logits = model.logits(tokens: fixture.tokens, starts: fixture.starts)
    let expected = try fixture.tensor(variant + ".logits")
    assertClose(logits.floats, expected, .share(0.05, ofLargest: expected))

    let loss = fixture.accumulate(model)
    let expectedLoss = try #require(fixture.lossSums[variant])
    #expect(abs(loss.sum - expectedLoss) <= 0.01 * expectedLoss)
    let gradients = Dictionary(uniqueKeysWithValues: model.parameters.map { ($0.name, $0.gradient.floats) })
    for (name, values) in try fixture.gradients(variant) {
      assertClose(try #require(gradients[name]), values, .share(0.2, ofLargest: values), "\(name)")
    }
  }

  /// Where a router's choice is nearly a tie, bfloat16 may take the other expert: such a row has other logits, and those
  /// that attend to it slightly other ones. Most rows agree as dense models do.
  @Test(arguments: ModelFixture.routed, ["lora", "nf4"])
  func bfloat16RoutesMostRowsTheSame(_ name: String, _ variant: String) throws {
    let fixture = try ModelFixture(name)
    let model = try fixture.model(variant, compute: .bfloat16)
    let logits = model.logits(tokens: fixture.tokens, starts: fixture.starts)
    let (found, expected) = (logits.floats, try fixture.tensor(variant + ".logits"))
    let tolerance = Tolerance.share(0.04, ofLargest: expected)
    let near = stride(from: 0, to: found.count, by: logits.columns).count { start in
      let row = start..<start + logits.columns
      return row.allSatisfy { tolerance.holds(found[$0], expected[$0]) }
    }
    #expect(near * 10 >= 7 * logits.rows, "\(near) of \(logits.rows) rows")

    let loss = fixture.accumulate(model)
    let expectedLoss = try #require(fixture.lossSums[variant])
    #expect(abs(loss.sum - expectedLoss) <= 0.05 * expectedLoss)
    #expect(model.parameters.allSatisfy { $0.gradient.floats.allSatisfy { $0.isFinite } })
  }
}
