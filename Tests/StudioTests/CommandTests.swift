import FireflyBase
import FireflyTestSupport
import Foundation
import Testing

/// `firefly studio` as a process.
@Suite struct CommandTests {
  @Test func aRunOutlivesTheStudioThatStartedIt() throws {
    let bench = try StudioBench()
    let pipe = Pipe()
    let process = Process()
    process.executableURL = URL(filePath: try StudioBench.program())
    process.arguments = ["studio", bench.path]
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    try process.run()
    var text = ""
    while !text.contains("\n") {
      let data = pipe.fileHandleForReading.availableData
      try #require(!data.isEmpty, "it ended: \(text)")
      text += String(decoding: data, as: UTF8.self)
    }
    let parts = text.split(whereSeparator: { "/\n".contains($0) })
    let port = try #require(Int(parts[1].split(separator: ":")[1]))
    let config = bench.config("out", ["max_steps": .int(100_000)])
    let body = JSONValue.object(["name": .string("long"), "config": config]).text()
    let started = try Reply(
      port: port,
      "POST /api/start HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nAuthorization: Bearer \(parts[3])\r\n"
        + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    ).json()
    let number = try #require(started["pid"]?.int, "\(started.text())")
    kill(process.processIdentifier, SIGINT)
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == 0)
    // Another studio of the folder finds the run, and stops it.
    let found = try bench.waits(for: "long") { ($0["step"]?.int ?? 0) >= 1 }
    #expect(found["pid"]?.int == number && found["state"] == .string("running"))
    _ = try bench.answer("stop", ["run": .string("long")])
    #expect(try bench.waits(for: "long", toBe: "stopped")["checkpoints"]?.array?.isEmpty == false)
  }

  @Test func aFolderThatIsNoneIsRefused() throws {
    let process = Process()
    process.executableURL = URL(filePath: try StudioBench.program())
    process.arguments = ["studio", "/dev/null"]
    let pipe = Pipe()
    process.standardError = pipe
    try process.run()
    let errors = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 1 && errors.contains("/dev/null: there is no such folder"))
  }
}
