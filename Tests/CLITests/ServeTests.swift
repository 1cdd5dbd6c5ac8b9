import Foundation
import Testing

@Suite struct ServeTests {
  /// Starts the server, and returns it with its port once it listens.
  func start(_ words: [String]) throws -> (process: Process, port: Int, errors: FileHandle) {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: try Command.executable())
    process.arguments = ["serve", Fixture.model, "--port", "0", "--precision", "float32"] + words
    process.standardError = pipe
    try process.run()
    var text = ""
    while !text.contains("listening on ") {
      let data = pipe.fileHandleForReading.availableData
      try #require(!data.isEmpty, "it ended: \(text)")
      text += String(decoding: data, as: UTF8.self)
    }
    let address = text.split(separator: "listening on http://127.0.0.1:")[1].prefix { $0.isNumber }
    #expect(text.contains("serving model (template auto)"))
    return (process, try #require(Int(address)), pipe.fileHandleForReading)
  }

  @Test(arguments: [SIGTERM, SIGINT]) func aSignalStopsItCleanly(number: Int32) throws {
    let (process, _, _) = try start(["--adapter", "tuned=\(Fixture.adapter)", "--grace", "0"])
    kill(process.processIdentifier, number)
    process.waitUntilExit()
    #expect(process.terminationReason == .exit)
    #expect(process.terminationStatus == 0)
  }

  @Test func wrongOptionsAreRefused() throws {
    let port = try Command.run("serve", Fixture.model, "--port", "70000")
    #expect(port.status == 2)
    for option in ["--cache-memory", "--max-body", "--max-connections", "--grace"] {
      #expect(try Command.run("serve", Fixture.model, option, "9223372036854775807").status == 2, "\(option)")
    }
    let history = try Command.run("serve", Fixture.model, "--port", "0", "--history", "/dev/null/h")
    #expect(history.status == 1 && history.errors.contains("history cannot be written"))
    let twice = try Command.run(
      "serve", Fixture.model, "--port", "0", "--adapter", "model=\(Fixture.adapter)")
    #expect(twice.status == 1)
    #expect(twice.errors.contains("same name"))
    let host = try Command.run("serve", Fixture.model, "--host", "no.such.host.invalid")
    #expect(host.status == 1)
    #expect(host.errors.contains("not an address"))
  }
}
