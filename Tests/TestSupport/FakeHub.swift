import FireflyBase
import FireflyHub
import Foundation

/// A hub of models in a test: speaks the protocol of huggingface.co as far as downloading goes. Large files lie on another
/// server, as the real hub's do.
package final class FakeHub: @unchecked Sendable {
  package struct Model: Sendable {
    package var commit = String(repeating: "c0ffee01", count: 5)
    package var files: [String: [UInt8]]
    /// Paths that are large files, known by their SHA-256.
    package var large: Set<String> = []

    package init(_ files: [String: [UInt8]], large: Set<String> = []) {
      self.files = files
      self.large = large
    }
  }

  /// What the hub refuses, or does otherwise.
  package struct Behaviour: Sendable {
    /// Who has no such token is told 401.
    package var token: String?
    /// The code in X-Error-Code, with its status, for every request.
    package var refusal: (status: Int, code: String?)?
    /// The listing tells only names.
    package var listsNamesOnly = false
    /// Large files are sent by the hub itself.
    package var sendsLargeFiles = false
    /// Where the hub's addresses begin.
    package var prefix = ""
    /// The hub, and the server of large files, answer without looking at Range.
    package var ignoresRange = false
    /// Changes an answer: the path of the file, how often it has been asked for before, the answer.
    package var change: @Sendable (String, Int, inout LoopbackServer.Reply) -> Void = { _, _, _ in }
  }

  private let lock = NSLock()
  private var models: [String: Model]
  private var currentBehaviour: Behaviour
  private var asked: [String: Int] = [:]
  private var servers: (hub: LoopbackServer, content: LoopbackServer)?

  package init(
    _ models: [String: Model], _ configure: (inout Behaviour) -> Void = { _ in }
  ) throws {
    self.models = models
    var behaviour = Behaviour()
    configure(&behaviour)
    currentBehaviour = behaviour
    servers = (
      try LoopbackServer { [weak self] in self?.answer($0) ?? .init(500) },
      try LoopbackServer { [weak self] in self?.content($0) ?? .init(500) }
    )
  }

  /// The hub itself.
  package var hub: LoopbackServer {
    guard let servers else { preconditionFailure("made by init") }
    return servers.hub
  }

  /// Where large files are.
  package var contentServer: LoopbackServer {
    guard let servers else { preconditionFailure("made by init") }
    return servers.content
  }

  package var endpoint: String { hub.address + behaviour.prefix }
  package var behaviour: Behaviour {
    get { lock.withLock { currentBehaviour } }
    set { lock.withLock { currentBehaviour = newValue } }
  }

  package func set(_ name: String, _ model: Model) { lock.withLock { models[name] = model } }

  /// Paths of files that bodies were asked for of, on both servers, with the first byte.
  package var fetched: [(path: String, start: Int)] {
    (hub.requests + contentServer.requests).filter { $0.method == "GET" && !$0.path.contains("/api/") }
      .filter { !$0.path.contains("/resolve/") || behaviour.sendsLargeFiles || !isLarge($0.path) }
      .map { (FakeHub.file($0.path), FakeHub.start($0)) }
  }

  package func forgetRequests() {
    hub.forgetRequests()
    contentServer.forgetRequests()
  }

  // MARK: - Answers

  private func answer(_ request: LoopbackServer.Request) -> LoopbackServer.Reply {
    let behaviour = behaviour
    if let refusal = behaviour.refusal {
      return .init(refusal.status, headers: refusal.code.map { ["X-Error-Code": $0] } ?? [:])
    }
    if let token = behaviour.token, request.headers["authorization"] != "Bearer \(token)" {
      return .init(401, headers: ["X-Error-Code": "RepoNotFound", "X-Error-Message": "Repository not found"])
    }
    guard request.path.hasPrefix(behaviour.prefix) else { return .init(404) }
    let path = request.path.dropFirst(behaviour.prefix.count)
    if path.hasPrefix("/api/models/") { return listing(String(path.dropFirst(12)), behaviour) }
    return file(request, behaviour)
  }

  private func listing(_ path: String, _ behaviour: Behaviour) -> LoopbackServer.Reply {
    let parts = path.split(separator: "?")[0].components(separatedBy: "/revision/")
    guard let model = lock.withLock({ models[parts[0]] }) else {
      return .init(404, headers: ["X-Error-Code": "RepoNotFound"])
    }
    guard parts.count == 2, ["main", "v1", "refs%2Fpr%2F1", model.commit].contains(parts[1]) else {
      return .init(404, headers: ["X-Error-Code": "RevisionNotFound"])
    }
    let siblings = model.files.sorted { $0.key < $1.key }.map { path, bytes in
      var sibling: [String: JSONValue] = ["rfilename": .string(path)]
      if !behaviour.listsNamesOnly {
        sibling["size"] = .int(bytes.count)
        sibling["blobId"] = .string(HubHash.gitBlob(bytes))
        if model.large.contains(path) {
          sibling["lfs"] = .object(["sha256": .string(HubHash.sha256(bytes)), "size": .int(bytes.count)])
        }
      }
      return JSONValue.object(sibling)
    }
    let json = JSONValue.object(["sha": .string(model.commit), "siblings": .array(siblings)])
    return .init(200, headers: ["Content-Type": "application/json"], body: Array(json.text().utf8))
  }

  private func file(_ request: LoopbackServer.Request, _ behaviour: Behaviour) -> LoopbackServer.Reply {
    guard let (model, path) = find(request.path, behaviour), let bytes = model.files[path] else {
      return .init(404, headers: ["X-Error-Code": "EntryNotFound"])
    }
    guard model.large.contains(path) else {
      return send(bytes, path, request, behaviour, headers: ["ETag": "\"\(HubHash.gitBlob(bytes))\""])
    }
    let linked = [
      "X-Linked-ETag": "\"\(HubHash.sha256(bytes))\"", "X-Linked-Size": "\(bytes.count)",
    ]
    if behaviour.sendsLargeFiles { return send(bytes, path, request, behaviour, headers: linked) }
    let place = ["Location": "\(contentServer.address)/content\(request.path)"]
    return .init(302, headers: linked.merging(place) { $1 })
  }

  private func content(_ request: LoopbackServer.Request) -> LoopbackServer.Reply {
    let behaviour = behaviour
    let path = String(request.path.dropFirst("/content".count))
    guard let (model, file) = find(path, behaviour), let bytes = model.files[file] else { return .init(404) }
    return send(bytes, file, request, behaviour, headers: ["ETag": "\"elsewhere\""])
  }

  private func send(
    _ bytes: [UInt8], _ path: String, _ request: LoopbackServer.Request, _ behaviour: Behaviour,
    headers: [String: String]
  ) -> LoopbackServer.Reply {
    let start = behaviour.ignoresRange ? 0 : FakeHub.start(request)
    var reply = LoopbackServer.Reply(200, headers: headers, body: bytes)
    if start >= bytes.count && start > 0 {
      reply = .init(416)
    } else if start > 0 {
      reply = .init(206, headers: headers, body: Array(bytes[start...]))
      reply.headers["Content-Range"] = "bytes \(start)-\(bytes.count - 1)/\(bytes.count)"
    }
    if request.method == "GET" {
      let before = lock.withLock { () -> Int in
        defer { asked[path, default: 0] += 1 }
        return asked[path, default: 0]
      }
      behaviour.change(path, before, &reply)
    }
    return reply
  }

  // MARK: - Paths

  private func find(_ path: String, _ behaviour: Behaviour) -> (Model, String)? {
    let parts = path.dropFirst(behaviour.prefix.count).components(separatedBy: "/resolve/")
    guard parts.count == 2, let model = lock.withLock({ models[String(parts[0].dropFirst())] }) else {
      return nil
    }
    let rest = parts[1].split(separator: "/", maxSplits: 1).map(String.init)
    guard rest.count == 2, rest[0] == model.commit else { return nil }
    return (model, rest[1])
  }

  private func isLarge(_ path: String) -> Bool {
    find(path, behaviour).map { $0.0.large.contains($0.1) } ?? false
  }

  private static func file(_ path: String) -> String {
    let rest = path.components(separatedBy: "/resolve/").last ?? ""
    return rest.split(separator: "/", maxSplits: 1).last.map(String.init) ?? ""
  }

  private static func start(_ request: LoopbackServer.Request) -> Int {
    let range = request.headers["range"] ?? ""
    return Int(range.replacingOccurrences(of: "bytes=", with: "").split(separator: "-").first ?? "") ?? 0
  }
}
