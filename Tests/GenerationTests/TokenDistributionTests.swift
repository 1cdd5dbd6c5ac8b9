import FireflyBase
import FireflyGeneration
import FireflyTestSupport
import Foundation
import Testing

@Suite struct TokenDistributionTests {
  /// log of the given probabilities: with temperature 1 the softmax gives them back.
  func logits(_ probabilities: [Double]) -> [Float] { probabilities.map { Float(log($0)) } }

  func plain(temperature: Double = 1, topK: Int = 0, topP: Double = 1, minP: Double = 0) -> SamplingOptions {
    SamplingOptions(temperature: temperature, topK: topK, topP: topP, minP: minP)
  }

  @Test func plainSoftmaxInDescendingOrder() throws {
    let distribution = try TokenDistribution(logits: logits([0.1, 0.6, 0.3]), options: plain())
    #expect(distribution.ids == [1, 2, 0])
    assertClose(distribution.probabilities, [0.6, 0.3, 0.1], Tolerance(absolute: 1e-6))
  }

  @Test func temperatureSharpens() throws {
    let distribution = try TokenDistribution(logits: logits([0.2, 0.8]), options: plain(temperature: 0.5))
    assertClose(distribution.probabilities, [0.64 / 0.68, 0.04 / 0.68], Tolerance(absolute: 1e-6))
  }

  @Test func temperatureZeroIsGreedyAndTakesTheFirstOfEquals() throws {
    let distribution = try TokenDistribution(logits: [1, 5, 5, 2], options: .greedy)
    #expect(distribution.ids == [1])
    #expect(distribution.probabilities == [1])
  }

  @Test func topKKeepsEqualsOfTheKth() throws {
    let row = logits([0.4, 0.2, 0.2, 0.2])
    #expect(try TokenDistribution(logits: row, options: plain(topK: 1)).ids == [0])
    #expect(try TokenDistribution(logits: row, options: plain(topK: 2)).ids == [0, 1, 2, 3])
    #expect(try TokenDistribution(logits: row, options: plain(topK: 9)).ids == [0, 1, 2, 3])
  }

  @Test func topKAgreesWithSorting() throws {
    let row = (0..<1000).map { Float(($0 * 7919) % 1009) / 100 }
    let expected = row.indices.sorted { row[$0] > row[$1] }.prefix(50).map { Int32($0) }
    #expect(try TokenDistribution(logits: row, options: plain(topK: 50)).ids == Array(expected))
  }

  @Test func topPKeepsTheFewestThatReachIt() throws {
    let row = logits([0.5, 0.3, 0.15, 0.05])
    #expect(try TokenDistribution(logits: row, options: plain(topP: 0.5 - 1e-6)).ids == [0])
    #expect(try TokenDistribution(logits: row, options: plain(topP: 0.79)).ids == [0, 1])
    #expect(try TokenDistribution(logits: row, options: plain(topP: 0.81)).ids == [0, 1, 2])
    #expect(try TokenDistribution(logits: row, options: plain(topP: 1e-9)).ids == [0])
    let kept = try TokenDistribution(logits: row, options: plain(topP: 0.79))
    assertClose(kept.probabilities, [0.625, 0.375], Tolerance(absolute: 1e-6))
  }

  @Test func topPComesAfterTopK() throws {
    // Of the two kept by top-k, 0.5 and 0.3, the first has 0.625 of the mass: enough for top-p 0.6.
    let row = logits([0.5, 0.3, 0.15, 0.05])
    #expect(try TokenDistribution(logits: row, options: plain(topK: 2, topP: 0.6)).ids == [0])
  }

  @Test func topPOverAWideVocabularyEqualsTheDirectDefinition() throws {
    let row = (0..<5000).map { Float(-log(Double($0 + 2))) }
    let weights = row.map { exp(Double($0)) }
    let total = weights.reduce(0, +)
    var sum = 0.0
    let count = weights.prefix { weight in
      defer { sum += weight }
      return sum < 0.9 * total
    }.count
    #expect(
      try TokenDistribution(logits: row, options: plain(topP: 0.9)).ids == (0..<Int32(count)).map { $0 })
  }

  /// A whole vocabulary is sorted in another way than a few tokens.
  @Test(arguments: [10, 3000]) func theOrderIsByLogitThenByID(count: Int) throws {
    let row = (0..<count).map { place -> Float in
      let value = Float((place * 7919) % 257) / 8 - 16
      return place % 11 == 0 ? -.infinity : value == 0 && place % 2 == 0 ? -0.0 : value
    }
    let expected = row.indices.filter { row[$0] > -.infinity }.sorted { (row[$1], $0) < (row[$0], $1) }
    let found = try TokenDistribution(logits: row, options: plain(temperature: 8))
    #expect(found.ids == expected.map { Int32($0) })
  }

  @Test func typicalKeepsWhatIsNearestToTheMeanSurprise() throws {
    let row = (0..<400).map { Float(($0 * 7919) % 401) / 50 }
    let all = try TokenDistribution(logits: row, options: plain())
    let mean = all.probabilities.reduce(0) { $0 - $1 * log($1) }
    for share in [0.05, 0.3, 0.8, 0.999] {
      var options = plain()
      options.typicalP = share
      var (sum, expected) = (0.0, Set<Int32>())
      for (id, p) in zip(all.ids, all.probabilities).sorted(by: {
        abs(log($0.1) + mean) < abs(log($1.1) + mean)
      })
      where sum < share {
        sum += p
        expected.insert(id)
      }
      #expect(try Set(TokenDistribution(logits: row, options: options).ids) == expected)
    }
  }

  @Test func minPIsRelativeToTheBest() throws {
    let row = logits([0.5, 0.3, 0.15, 0.05])
    #expect(try TokenDistribution(logits: row, options: plain(minP: 0.31)).ids == [0, 1])
  }

  @Test func repetitionPenaltyAsTransformers() throws {
    // Positive logits are divided, negative ones multiplied, once for each distinct token.
    var options = plain()
    options.repetitionPenalty = 2
    let penalised = try TokenDistribution(logits: [4, -1, 1], seen: [0, 1], options: options)
    let expected = try TokenDistribution(logits: [2, -2, 1], options: plain())
    #expect(penalised == expected)
    options.temperature = 0
    #expect(try TokenDistribution(logits: [4, 3, 1], seen: [0], options: options).ids == [1])
  }

  @Test func presenceAndFrequencyPenaltiesAsOpenAI() throws {
    // Each generated token loses presence once and frequency for each time.
    var options = plain()
    options.presencePenalty = 0.5
    options.frequencyPenalty = 0.25
    let penalised = try TokenDistribution(logits: [4, -1, 1], generated: [0: 3, 1: 1], options: options)
    #expect(penalised == (try TokenDistribution(logits: [2.75, -1.75, 1], options: plain())))
    options.presencePenalty = -2
    options.frequencyPenalty = 0
    options.temperature = 0
    #expect(try TokenDistribution(logits: [4, 3, 1], generated: [1: 2], options: options).ids == [1])
  }

  @Test func aBiasIsAddedToItsTokens() throws {
    var options = plain()
    options.logitBias = [2: 5, 0: -100, 7: 1]
    let biased = try TokenDistribution(logits: [4, -1, 1], options: options)
    #expect(biased == (try TokenDistribution(logits: [-96, -1, 6], options: plain())))
  }

  @Test(arguments: [
    [1, .nan, 2], [-.infinity, -.infinity, -.infinity], [1, .infinity, 2], [Float](),
  ])
  func logitsThatAreNotNumbersAreRefused(row: [Float]) {
    for options in [SamplingOptions.greedy, SamplingOptions()] {
      #expect(throws: FireflyError.self) { try TokenDistribution(logits: row, options: options) }
    }
  }

  @Test func excludedTokensNeverComeBack() throws {
    let distribution = try TokenDistribution(logits: [0, -.infinity, 0], options: plain())
    #expect(distribution.ids == [0, 2])
  }

  @Test func pointsOfTheCumulativeDistribution() throws {
    let distribution = try TokenDistribution(logits: logits([0.5, 0.3, 0.2]), options: plain())
    #expect([0, 0.49, 0.51, 0.79, 0.81, 0.999_999_999].map(distribution.token(at:)) == [0, 0, 1, 1, 2, 2])
  }
}
