import FireflyBase
import FireflyCards
import FireflyGeneration
import FireflyHub
import FireflyModels
import FireflyPretrained
import FireflyServer
import Foundation

/// A base and what was trained from it, side by side: the same prompt, two answers.
///
/// An adapter stands beside its base in one model; a trained folder is a model of its own.
final class ChatRoom: Sendable {
  /// Which of the two answers; the names are the last parts of their paths.
  enum Side: String {
    case base = "chat-base"
    case trained = "chat-trained"
  }

  private enum State {
    case empty
    case loading(share: Double)
    case ready([String: Server])
    case failed(String)
  }

  private struct Content {
    var state = State.empty
    var model = ""
    var trained = ""
    /// Counts what was opened, so that a loading that was given up changes nothing.
    var number = 0
  }

  private let content = Locked(Content())

  var state: JSONValue {
    let content = content.withLock { $0 }
    var members: [String: JSONValue] = ["model": .string(content.model), "trained": .string(content.trained)]
    switch content.state {
    case .empty: members["state"] = .string("empty")
    case .loading(let share):
      members["state"] = .string("loading")
      members["share"] = .double(share)
    case .ready: members["state"] = .string("ready")
    case .failed(let message):
      members["state"] = .string("failed")
      members["error"] = .string(message)
    }
    return .object(members)
  }

  /// Begins to load; `state` tells how far it is.
  ///
  /// - Parameter request: `model`, and `trained`: an adapter's or a trained model's folder.
  func open(_ request: StudioRequest) throws -> JSONValue {
    let (model, trained) = (try request.requiredText("model"), try request.requiredText("trained"))
    let number = replace {
      $0 = Content(state: .loading(share: 0), model: model, trained: trained, number: $0.number + 1)
    }
    Thread { [self] in load(model, trained, number) }.start()
    return self.state
  }

  /// Lets the models go.
  func close() { _ = replace { $0 = Content(number: $0.number + 1) } }

  /// Servers that are let go stop, which may take a moment: not under the lock.
  private func replace(_ change: (inout Content) -> Void) -> Int {
    let (old, number) = content.withLock { content in
      let old = content.state
      change(&content)
      return (old, content.number)
    }
    if case .ready(let servers) = old { servers.values.forEach { $0.stop() } }
    return number
  }

  func answer(_ exchange: HTTPExchange, _ side: Side) throws {
    guard case .ready(let servers) = content.withLock({ $0.state }), let server = servers[side.rawValue]
    else {
      throw APIError(
        status: 409, message: "The models are not loaded.", type: "invalid_request_error", code: "not_loaded")
    }
    try server.answerChat(exchange)
  }

  // MARK: - Loading

  private func load(_ model: String, _ trained: String, _ number: Int) {
    func become(_ state: State) {
      content.withLock { if $0.number == number { $0.state = state } }
    }
    do {
      become(.ready(try ChatRoom.servers(model, trained) { become(.loading(share: $0)) }))
    } catch {
      become(.failed("\(error)"))
    }
  }

  private static func servers(
    _ model: String, _ trained: String, progress: @escaping (Double) -> Void
  ) throws -> [String: Server] {
    let path = try LocalModels().path(of: trained, for: .anything)
    let isAdapter = FileManager.default.fileExists(atPath: "\(path)/\(ModelFiles.adapterConfig)")
    if isAdapter {
      let server = try server(model, adapters: [(Side.trained.rawValue, path)], named: .base, progress)
      return [Side.base.rawValue: server, Side.trained.rawValue: server]
    }
    return [
      Side.base.rawValue: try server(model, named: .base) { progress($0 / 2) },
      Side.trained.rawValue: try server(trained, named: .trained) { progress(0.5 + $0 / 2) },
    ]
  }

  private static func server(
    _ model: String, adapters: [(name: String, folder: String)] = [], named side: Side,
    _ progress: @escaping (Double) -> Void
  ) throws -> Server {
    let pretrained = try Pretrained.open(model)
    let loaded = try pretrained.load(Pretrained.Options(device: .auto), progress: progress)
    let served = try ServedModel.load(pretrained, into: loaded, base: side.rawValue, adapters: adapters)
    var options = ServerOptions()
    options.rows = 4
    options.graceTime = .seconds(1)
    return Server(
      model: loaded, tokenizer: pretrained.tokenizer, models: served,
      defaults: try pretrained.defaults().options,
      options: options)
  }
}
