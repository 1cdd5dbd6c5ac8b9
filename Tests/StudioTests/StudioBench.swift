import FireflyBase
import FireflyStudio
import FireflyTestSupport
import Foundation
import Testing

/// A studio over a folder with a tiny model and rows, and what asks it as the page does.
final class StudioBench {
  private let folder: TemporaryFolder
  private(set) var studio: Studio
  private(set) var port = 0
  private(set) var token = ""

  /// The folder as the studio names it.
  var path: String { folder.path.resolvedPath }
  var model: String { path + "/model" }
  var rows: String { path + "/rows.jsonl" }

  init() throws {
    folder = try TemporaryFolder()
    studio = try Studio(StudioOptions(folder: folder.path, program: StudioBench.program()))
    let fixture = (#filePath as NSString).deletingLastPathComponent + "/../CLITests/Fixtures/model"
    try FileManager.default.copyItem(atPath: fixture, toPath: model)
    let lines = (0..<12).map { n in
      #"{"conversation": [{"human": "say \#(n)", "assistant": "\#(n)!"}]}"# + "\n"
    }
    try folder.write(lines.joined(), to: "rows.jsonl")
    try open()
  }

  /// A studio that is started anew over the same folder.
  func restart() throws {
    studio.stop()
    studio = try Studio(StudioOptions(folder: folder.path, program: StudioBench.program()))
    try open()
  }

  private func open() throws {
    let address = try studio.start()
    let parts = address.split(separator: "/")
    token = String(parts[parts.count - 1])
    port = try #require(Int(parts[1].split(separator: ":")[1]))
  }

  /// `firefly` beside the test binary.
  static func program() throws -> String {
    let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    return (own as NSString).deletingLastPathComponent + "/firefly"
  }

  // MARK: - Asking

  func send(_ line: String, headers: String = "", body: String = "") throws -> Reply {
    try Reply(
      port: port,
      "\(line) HTTP/1.1\r\nConnection: close\r\nContent-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)")
  }

  /// As the page asks.
  func ask(_ name: String, _ members: [String: JSONValue] = [:]) throws -> Reply {
    try send(
      "POST /api/\(name)", headers: "Host: 127.0.0.1:\(port)\r\nCookie: firefly-studio-\(port)=\(token)\r\n",
      body: JSONValue.object(members).text())
  }

  /// The answer, which must be a good one.
  func answer(_ name: String, _ members: [String: JSONValue] = [:]) throws -> JSONValue {
    let reply = try ask(name, members)
    try #require(reply.status == 200, "\(name): \(reply.text)")
    return try reply.json()
  }

  /// Asks for a run until it is as wanted; an error when it is not within a minute.
  func waits(for run: String, _ isWanted: (JSONValue) -> Bool) throws -> JSONValue {
    let end = ContinuousClock.now + .seconds(60)
    var last = JSONValue.null
    while ContinuousClock.now < end {
      last = try answer("run", ["run": .string(run)])
      if isWanted(last) { return last }
    }
    throw FireflyError("the run did not come so far", at: run, found: last.text())
  }

  func waits(for run: String, toBe state: String) throws -> JSONValue {
    try waits(for: run) { $0["state"]?.string == state }
  }

  // MARK: - Settings

  /// Six steps of the tiny model, all logged.
  func config(_ output: String, _ changes: [String: JSONValue] = [:]) -> JSONValue {
    let base: [String: JSONValue] = [
      "model_name_or_path": .string(model), "train_file": .string(rows),
      "output_dir": .string("\(path)/\(output)"),
      "template_name": .string("auto"), "max_seq_length": .int(64), "precision": .string("float32"),
      "lora_rank": .int(4), "per_device_train_batch_size": .int(2), "max_steps": .int(6),
      "logging_steps": .int(1),
      "learning_rate": .double(0.01), "lr_scheduler_type": .string("constant"), "save_steps": .int(100),
      "data_cache": .string("off"), "device": .string("cpu"),
    ]
    return .object(base.merging(changes) { $1 })
  }

  func start(_ name: String, _ changes: [String: JSONValue] = [:], replace: Bool = false) throws -> Reply {
    try ask(
      "start", ["name": .string(name), "config": config(name, changes), "replace": .bool(replace)])
  }
}

/// One answer of the studio, read to its end.
struct Reply {
  let status: Int
  let headers: String
  let text: String

  func json() throws -> JSONValue { try JSONValue.parse(text, source: "answer") }
  func code() throws -> String? { try json()["error"]?["code"]?.string }

  init(port: Int, _ request: String) throws {
    let socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(socket) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var patience = timeval(tv_sec: 60, tv_usec: 0)
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    let failed = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard failed == 0 else { throw FireflyError("cannot connect: \(String(cString: strerror(errno)))") }
    if let failure = writeAll(Array(request.utf8), to: socket) {
      throw FireflyError("cannot send: \(String(cString: strerror(failure)))")
    }
    var received: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = recv(socket, &buffer, buffer.count, 0), count > 0 { received += buffer[..<count] }
    let parts = String(decoding: received, as: UTF8.self).split(separator: "\r\n\r\n", maxSplits: 1)
    guard let head = parts.first,
      let status = head.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
    else {
      throw FireflyError("no answer came")
    }
    self.status = status
    headers = String(head)
    text = parts.count > 1 ? String(parts[1]) : ""
  }
}
