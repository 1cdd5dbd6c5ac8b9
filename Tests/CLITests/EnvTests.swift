import FireflyBase
import FireflyTestSupport
import Foundation
import Testing

/// `firefly env`: what a report of a fault needs, and nobody's secrets.
@Suite struct EnvTests {
  private func facts(_ environment: [String: String] = [:]) throws -> JSONValue {
    let outcome = try Command.run(["env", "--json"], environment: environment)
    #expect(outcome.status == 0 && outcome.errors.isEmpty)
    return try JSONValue.parse(outcome.output, source: "env")
  }

  @Test func theSameFactsStandInTextAndJSON() throws {
    let facts = try #require(try facts().object)
    let lines = try Command.run("env").output.split(separator: "\n").map(String.init)
    let keys = lines.map { String($0.prefix { $0 != " " }) }
    #expect(keys.count == facts.count && Set(keys) == Set(facts.keys))
    // Aligned: every value begins in one column, two beyond the longest key.
    let column = (keys.map(\.count).max() ?? 0) + 2
    for line in lines {
      let characters = Array(line)
      #expect(characters[column - 1] == " " && characters[column] != " ", "\(line)")
    }
    #expect(facts["version"]?.string == Fixture.version)
  }

  @Test func whatIsChosenIsShown() throws {
    let facts = try facts(["FIREFLY_ISA": "generic", "FIREFLY_THREADS": "1", "LC_ALL": "zh_CN.UTF-8"])
    #expect(facts["kernels"]?["chosen"]?.string == "generic")
    #expect(facts["threads"]?.int == 1)
    #expect(facts["variables"]?["LC_ALL"]?.string == "zh_CN.UTF-8")
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../scripts/isa.sh").standardizedFileURL.path
    let tables = try Command.shell("sh '\(script)'").output.split(separator: "\n").map(String.init)
    #expect(facts["kernels"]?["available"]?.array == tables.map(JSONValue.string))
    let memory = try #require(facts["memory"]?["bytes"]?.int)
    #expect(try #require(facts["memory"]?["available_bytes"]?.int) < memory)
  }

  @Test func librariesTellTheirVersions() throws {
    let libraries = try #require(try facts()["libraries"]?.object)
    #expect(libraries.count == 9)
    for (name, version) in libraries {
      let number = version.string?.prefix { $0.isNumber || $0 == "." } ?? ""
      #expect(number.contains("."), "\(name): \(version)")
    }
  }

  @Test func secretsAreNotShown() throws {
    let secrets = ["HF_TOKEN": "hf_secret", "FIREFLY_API_KEY": "secret", "HF_ENDPOINT": "https://u:secret@h"]
    let outcome = try Command.run(["env"], environment: secrets)
    #expect(outcome.status == 0 && !outcome.output.contains("secret"))
  }
}
