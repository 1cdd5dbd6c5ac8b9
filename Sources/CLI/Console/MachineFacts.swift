import CBuild
import FireflyBase
import FireflyCards
import FireflyTensors
import FireflyTraining
import Foundation

/// What a report of a fault should say of the program and the machine.
enum MachineFacts {
  /// A fact as a line of text and as a member of a JSON object.
  struct Fact {
    let key: String
    let text: String
    let value: JSONValue

    init(_ key: String, _ text: String, _ value: JSONValue? = nil) {
      self.key = key
      self.text = text
      self.value = value ?? .string(text)
    }
  }

  /// - Throws: `FireflyError` for a value of FIREFLY_ISA or FIREFLY_THREADS that cannot be.
  static func all() throws -> [Fact] {
    [
      Fact("version", Version.number), commit, Fact("system", system),
      Fact("processor", processor.name), features, try kernels(),
      threads, card, memory, libraries, variables,
    ]
  }

  /// With the processors that the process may use where they are more: a core may show as two, and a container may have a share of
  /// their time.
  private static var threads: Fact {
    let (count, allowed) = (Parallel.threads, Processors.allowed.count)
    var text = count < allowed ? "\(count), of \(allowed) processors" : "\(count)"
    if let limit = ControlGroup.processorLimit {
      text += String(format: ", limited to %.1f by a control group", limit)
    }
    return Fact("threads", text, .int(count))
  }

  static func text(_ facts: [Fact]) -> String {
    let width = facts.map(\.key.count).max() ?? 0
    return facts.map { fact in
      fact.key + String(repeating: " ", count: width - fact.key.count) + "  " + fact.text
    }.joined(separator: "\n")
  }

  static func json(_ facts: [Fact]) -> JSONValue {
    .object(Dictionary(uniqueKeysWithValues: facts.map { ($0.key, $0.value) }))
  }

  // MARK: - Program and system

  private static var commit: Fact {
    Fact("commit", Version.commit ?? "unknown", Version.commit.map(JSONValue.string) ?? .null)
  }

  /// As in `Debian GNU/Linux 12 (bookworm), Linux 6.1.0 x86_64, glibc 2.36`.
  private static var system: String {
    let release = (try? String(contentsOfFile: "/etc/os-release", encoding: .utf8)) ?? ""
    let name = field("PRETTY_NAME", of: release, separator: "=")?
      .trimmingCharacters(in: CharacterSet(charactersIn: "\"'"))
    var names = utsname()
    uname(&names)
    let kernel = "\(text(of: names.sysname)) \(text(of: names.release)) \(text(of: names.machine))"
    return [name, kernel, "glibc \(String(cString: build_c_library()))"].compactMap { $0 }
      .joined(separator: ", ")
  }

  /// A C array of characters, up to its zero.
  private static func text<Characters>(of characters: Characters) -> String {
    withUnsafeBytes(of: characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }

  // MARK: - Processor and card

  private static let processor = Processor(
    (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? "")

  private static var features: Fact {
    let names = processor.features
    return Fact(
      "features", names.isEmpty ? "none that Firefly uses" : names.joined(separator: " "),
      .array(names.map(JSONValue.string)))
  }

  private static func kernels() throws -> Fact {
    let chosen = try InstructionSet.current()
    let names = InstructionSet.names
    return Fact(
      "kernels", "\(chosen) (this processor runs \(names.joined(separator: ", ")))",
      .object(["chosen": .string(chosen), "available": .array(names.map(JSONValue.string))]))
  }

  /// The card that `--device auto` would take, or why there is none.
  private static var card: Fact {
    do {
      let name = try DeviceChoice.cuda.open().device.name
      return Fact("card", name, .object(["name": .string(name)]))
    } catch {
      let why = "\(error)".split(whereSeparator: \.isNewline).joined(separator: " ")
      return Fact("card", "none: \(why)", .object(["name": .null, "problem": .string(why)]))
    }
  }

  // MARK: - Memory

  private static var memory: Fact {
    let (total, limit) = (ProcessMemory.machineBytes, ControlGroup.memoryLimit)
    let shown = { (bytes: Int?) in bytes.map(Readable.bytes) ?? "unknown" }
    return Fact(
      "memory",
      "\(shown(total)), \(shown(ProcessMemory.availableBytes)) available"
        + (limit.map { ", limited to \(Readable.bytes($0)) by a control group" } ?? ""),
      .object([
        "bytes": number(total), "available_bytes": number(ProcessMemory.availableBytes),
        "control_group_limit": number(limit),
      ]))
  }

  private static func number(_ value: Int?) -> JSONValue { value.map(JSONValue.int) ?? .null }

  // MARK: - Libraries and variables

  private static var libraries: Fact {
    let versions = LibraryVersions.all
    return Fact(
      "libraries", versions.map { "\($0.name) \($0.version)" }.joined(separator: ", "),
      .object(Dictionary(uniqueKeysWithValues: versions.map { ($0.name, .string($0.version)) })))
  }

  /// Those that change what Firefly does and are nobody's secret.
  private static let told = [
    "LANG", "LC_ALL", "LC_MESSAGES", "LANGUAGE", "FIREFLY_ISA", "FIREFLY_THREADS", "FIREFLY_LIBCUBLAS",
    "CUDA_VISIBLE_DEVICES", "HF_HOME", "HF_HUB_CACHE", "MODELSCOPE_CACHE", "XDG_CACHE_HOME",
    "LD_LIBRARY_PATH", "LD_PRELOAD", "TERM",
  ]

  private static var variables: Fact {
    let environment = ProcessInfo.processInfo.environment
    let set = told.compactMap { name in environment[name].map { (name, $0) } }
    return Fact(
      "variables", set.isEmpty ? "none" : set.map { "\($0)=\($1)" }.joined(separator: " "),
      .object(Dictionary(uniqueKeysWithValues: set.map { ($0, .string($1)) })))
  }

  // MARK: - Files of lines

  static func field(_ name: String, of text: String, separator: Character) -> String? {
    text.split(separator: "\n").lazy.map { $0.split(separator: separator, maxSplits: 1) }
      .first { $0.count == 2 && $0[0].trimmingCharacters(in: .whitespaces) == name }
      .map { $0[1].trimmingCharacters(in: .whitespaces) }
  }
}

/// What /proc/cpuinfo says of the processor.
struct Processor {
  let name: String
  /// The instruction sets that a table of kernels or oneDNN uses, of those that it has.
  let features: [String]

  private static let used = [
    "sse4_1", "avx", "avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512vl", "avx512dq", "avx512_bf16",
    "avx512_vnni", "avx512_fp16", "avx512vbmi", "avx_vnni", "amx_tile", "amx_bf16", "amx_int8", "asimd",
    "bf16", "i8mm", "sve",
  ]

  init(_ information: String) {
    let names = ["model name", "Model", "CPU part"].lazy.compactMap {
      MachineFacts.field($0, of: information, separator: ":")
    }
    name = names.first ?? "unknown"
    let flags = ["flags", "Features"].lazy.compactMap {
      MachineFacts.field($0, of: information, separator: ":")
    }.first
    let all = Set((flags ?? "").split(separator: " ").map(String.init))
    features = Processor.used.filter(all.contains)
  }
}
