import FireflyBase
import FireflyModels
import FireflyTensors

/// What a model says of an option.
public struct OptionScore: Sendable, Equatable {
  /// Σ log p of the option's tokens after the prompt, nats.
  public var logLikelihood: Double
  /// The option's tokens.
  public var tokens: Int
  /// Whether each of the option's tokens is the model's first choice.
  public var isGreedy: Bool

  public init(logLikelihood: Double, tokens: Int, isGreedy: Bool) {
    self.logLikelihood = logLikelihood
    self.tokens = tokens
    self.isGreedy = isGreedy
  }
}

/// Scores what may follow prompts that begin alike: their common beginning is read once, several prompts then share each
/// pass.
///
/// How prompts are grouped depends on the prompts alone, so that a part computed again gives the same bits.
struct ChoiceScorer {
  let model: Transformer
  /// The most prompts of a pass, their tokens beyond the common beginning, and bytes of their caches.
  var maxPrompts = 8
  var maxTokens = 2048
  var maxCacheBytes = 1 << 30

  /// Prompts that are scored together.
  struct Group: Equatable {
    /// Tokens that all of them begin with.
    var common: [Int32]
    /// Indices into what was grouped.
    var members: [Int]
  }

  /// How prompts of one subject are grouped. Those that were cut have another beginning and go apart.
  func groups(_ prompts: [EncodedChoice]) -> [Group] {
    let shots = prompts.map(\.shots).max() ?? 0
    let regular = prompts.indices.filter { prompts[$0].shots == shots && !prompts[$0].isCut }
    let others = prompts.indices.filter { prompts[$0].shots != shots || prompts[$0].isCut }
    let common = commonBeginning(regular.map { prompts[$0].context })
    return split(regular, prompts, common) + split(others, prompts, [])
  }

  private func split(_ indices: [Int], _ prompts: [EncodedChoice], _ common: [Int32]) -> [Group] {
    let tokenBytes = model.architecture.cachedSize * model.compute.byteCount
    var groups: [Group] = []
    var (tokens, bytes) = (0, 0)
    for index in indices {
      let own = prompts[index].context.count - common.count
      let cache = prompts[index].longest * tokenBytes
      if let last = groups.indices.last, groups[last].members.count < maxPrompts,
        tokens + own <= maxTokens, bytes + cache <= maxCacheBytes
      {
        groups[last].members.append(index)
      } else {
        groups.append(Group(common: common, members: [index]))
        (tokens, bytes) = (0, 0)
      }
      tokens += own
      bytes += cache
    }
    return groups
  }

  /// Tokens that a group's prompts and options have beyond their common beginning: what scoring them takes.
  func tokens(_ group: Group, _ prompts: [EncodedChoice]) -> Int {
    group.members.reduce(0) { sum, member in
      let prompt = prompts[member]
      return sum + prompt.context.count - group.common.count + prompt.options.reduce(0) { $0 + $1.count }
    }
  }

  /// What all begin with, short of the shortest one's last token, which each reads itself.
  private func commonBeginning(_ contexts: [[Int32]]) -> [Int32] {
    guard contexts.count > 1, var common = contexts.first?.dropLast() else { return [] }
    for context in contexts.dropFirst() {
      let length = zip(common, context.dropLast()).prefix { $0 == $1 }.count
      common = common.prefix(length)
    }
    return Array(common)
  }

  /// A cache that holds `tokens`; nil for none.
  func read(_ tokens: [Int32]) -> KVCache? {
    guard !tokens.isEmpty else { return nil }
    let cache = model.makeCache(capacity: tokens.count)
    for start in stride(from: 0, to: tokens.count, by: maxTokens) {
      model.read([(cache, Array(tokens[start..<min(start + maxTokens, tokens.count)]))])
    }
    return cache
  }

  /// The options of a group's prompts.
  ///
  /// - Parameter common: what `read` gave for the group's common beginning.
  /// - Returns: one list of scores for each member, in the order of its options.
  func score(_ group: Group, _ prompts: [EncodedChoice], common: KVCache?) -> [[OptionScore]] {
    let members = group.members.map { prompts[$0] }
    let caches = members.map { prompt in
      let cache = model.makeCache(capacity: prompt.longest)
      if let common { cache.copy(common) }
      return cache
    }
    let logits = model.step(
      zip(caches, members).map { ($0, Array($1.context.dropFirst(group.common.count))) })  // [members, V]
    let count = members.reduce(0) { max($0, $1.options.count) }
    var scores: [[OptionScore]] = members.map { _ in [] }
    for option in 0..<count {
      let asked = members.indices.filter { members[$0].options.count > option }
      let first = firstTokens(logits, members, option, asked)
      let rest = otherTokens(caches, members, option, asked)
      for member in asked {
        let parts = (first[member] ?? []) + (rest[member] ?? [])
        scores[member].append(
          OptionScore(
            logLikelihood: parts.reduce(0) { $0 - Double($1.loss) }, tokens: parts.count,
            isGreedy: parts.allSatisfy(\.isBest)))
      }
    }
    return scores
  }

  /// An option's first token is predicted by the prompt's last one, the same for all options.
  private func firstTokens(
    _ logits: Tensor, _ members: [EncodedChoice], _ option: Int, _ asked: [Int]
  ) -> [Int: [TargetScore]] {
    let labels = members.map { $0.options.count > option ? $0.options[option][0] : 0 }
    let losses = Ops.crossEntropy(logits: logits.matrix, labels: labels).floats
    let best = Ops.isLargest(logits.matrix, columns: labels).flags
    return Dictionary(
      uniqueKeysWithValues: asked.map { ($0, [TargetScore(loss: losses[$0], isBest: best[$0])]) })
  }

  /// The others by those before them. The caches are left as they were.
  private func otherTokens(
    _ caches: [KVCache], _ members: [EncodedChoice], _ option: Int, _ asked: [Int]
  ) -> [Int: [TargetScore]] {
    let longer = asked.filter { members[$0].options[option].count > 1 }
    guard !longer.isEmpty else { return [:] }
    let scores = model.scores(
      longer.map { member in
        let tokens = members[member].options[option]
        return (caches[member], Array(tokens.dropLast()), Array(tokens.dropFirst()))
      })
    for member in longer { caches[member].truncate(to: members[member].context.count) }
    return Dictionary(uniqueKeysWithValues: zip(longer, scores))
  }
}

extension EncodedChoice {
  /// Tokens that are read at once at most: the context, and an option but its last token.
  var longest: Int { context.count + options.reduce(0) { max($0, $1.count) } - 1 }
}
