import FireflyModels
import FireflyTensors
import FireflyTestSupport
import Testing

/// What a server needs of one model: several adapters on one base, caches that share a beginning.
@Suite struct ServingTests {
  let fixture: ModelFixture

  init() throws { fixture = try ModelFixture("gqa") }

  var prompt: [Int32] { Array(fixture.tokens[..<Int(fixture.starts[1])]) }

  func logits(_ model: Transformer) -> [Float] {
    model.step([(model.makeCache(capacity: 64), prompt)]).floats
  }

  @Test func keptAdaptersTakeTurnsOnOneBase() throws {
    let model = try fixture.model()
    model.keepAdapter(as: "base")
    for name in ["lora", "rslora"] {
      try model.loadAdapter(fixture.folder + "/adapter_" + name)
      model.keepAdapter(as: name)
    }
    for name in ["base", "lora", "rslora", "lora", "base"] {
      model.activate(name)
      #expect(logits(model) == logits(try fixture.model(name)))
      #expect((model.adapterOptions == nil) == (name == "base"))
    }
    #expect(logits(try fixture.model("lora")) != logits(try fixture.model()))
  }

  @Test func aCopiedCacheGoesOnAsItsOriginalAndAlone() throws {
    let model = try fixture.model()
    let whole = model.makeCache(capacity: 64)
    _ = model.step([(whole, prompt)])
    let copy = whole.copy(count: 3)
    #expect(copy.count == 3)
    #expect(copy.byteCount == whole.byteCount)
    whole.truncate(to: 3)
    let rest = Array(prompt[3...])
    #expect(model.step([(copy, rest)]).floats == model.step([(whole, rest)]).floats)
    // What one appends, the other does not see.
    _ = model.step([(whole, [1])])
    #expect(copy.count == prompt.count)
    #expect(model.step([(copy, [2])]).floats != model.step([(whole, [2])]).floats)
  }

  /// A beam takes over the cache of another: what they have in common stays, the rest is copied.
  @Test(arguments: [0, 1, 3, 4]) func aCacheTakesOverWhatDiffers(kept: Int) throws {
    let model = try fixture.model()
    let (one, other) = (model.makeCache(capacity: 64), model.makeCache(capacity: 64))
    _ = model.step([(one, prompt)])
    _ = model.step([(other, prompt.indices.map { $0 < 4 ? prompt[$0] : 7 })])
    other.copy(one, keeping: kept)
    #expect(other.count == prompt.count)
    #expect(model.step([(other, [5, 6])]).floats == model.step([(one, [5, 6])]).floats)
  }

  @Test func everyPositionsLogitsAreThoseOfAPassWithoutCache() throws {
    let model = try fixture.model()
    let cache = model.makeCache(capacity: 64)
    let first = model.stepKeepingAll(cache, Array(prompt[..<2]))
    let rest = model.stepKeepingAll(cache, Array(prompt[2...]))
    let expected = model.logits(tokens: prompt, starts: [0, Int32(prompt.count)])
    assertClose(
      first.floats + rest.floats, expected.floats, Tolerance(relative: 1e-4, absolute: 1e-4), "logits")
  }
}
