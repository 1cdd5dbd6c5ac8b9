import FireflyBase
import FireflyRanks
import Foundation

/// Ranks that are threads of this process.
package enum LocalRanks {
  /// Runs `body` once for each rank, all at the same time.
  ///
  /// - Returns: what each gave or threw.
  package static func run<Value: Sendable>(
    _ count: Int, patience: Double = 60, _ body: @escaping @Sendable (Ranks) throws -> Value
  ) -> [Result<Value, any Error>] {
    let post = Post()
    let results = Results<Value>(count)
    let ended = DispatchGroup()
    for rank in 0..<count {
      ended.enter()
      let thread = Thread {
        let ranks = Ranks(LocalTransport(rank, of: count, post))
        ranks.patience = patience
        let result = Result { try body(ranks) }
        results.values.withLock { $0[rank] = result }
        ended.leave()
      }
      thread.stackSize = 16 << 20
      thread.start()
    }
    ended.wait()
    return results.values.withLock { values in values.compactMap(\.self) }
  }

  private final class Results<Value: Sendable>: Sendable {
    let values: Locked<[Result<Value, any Error>?]>
    init(_ count: Int) { values = Locked([Result<Value, any Error>?](repeating: nil, count: count)) }
  }
}

/// Messages on their way between threads.
private final class Post: Sendable {
  struct Route: Hashable {
    let from: Int
    let to: Int
    let tag: Tag
  }

  struct Letters {
    /// By their number on the route.
    var waiting: [Int: [UInt8]] = [:]
    var sent = 0
    var asked = 0
  }

  let routes = Locked<[Route: Letters]>([:])
}

private final class LocalTransport: Transport {
  let rank: Int
  let size: Int
  private let post: Post

  init(_ rank: Int, of size: Int, _ post: Post) {
    self.rank = rank
    self.size = size
    self.post = post
  }

  func send(_ bytes: UnsafeRawBufferPointer, to rank: Int, tag: Tag) -> any Transfer {
    let (route, letter) = (Post.Route(from: self.rank, to: rank, tag: tag), Array(bytes))
    post.routes.withLock {
      let number = $0[route, default: .init()].sent
      $0[route, default: .init()].waiting[number] = letter
      $0[route, default: .init()].sent += 1
    }
    return Gone()
  }

  func receive(_ bytes: UnsafeMutableRawBufferPointer, from rank: Int, tag: Tag) -> any Transfer {
    let route = Post.Route(from: rank, to: self.rank, tag: tag)
    let number = post.routes.withLock {
      $0[route, default: .init()].asked += 1
      return $0[route, default: .init()].asked - 1
    }
    return Expected(post, route, number, bytes)
  }

  func abort(status: Int32) { preconditionFailure("a thread cannot end the others") }
  func close() {}

  private final class Gone: Transfer {
    func isDone() -> Bool { true }
  }

  private final class Expected: Transfer {
    private let post: Post
    private let route: Post.Route
    private let number: Int
    private let bytes: UnsafeMutableRawBufferPointer
    private var isOver = false

    init(_ post: Post, _ route: Post.Route, _ number: Int, _ bytes: UnsafeMutableRawBufferPointer) {
      self.post = post
      self.route = route
      self.number = number
      self.bytes = bytes
    }

    func isDone() -> Bool {
      guard !isOver else { return true }
      let (route, number) = (route, number)
      guard let letter = post.routes.withLock({ $0[route]?.waiting.removeValue(forKey: number) }) else {
        return false
      }
      precondition(letter.count == bytes.count, "\(letter.count) bytes came, \(bytes.count) were expected")
      bytes.copyBytes(from: letter)
      isOver = true
      return true
    }
  }
}
