import FireflyBase
import Foundation

/// What the environment says about model hubs, in the variables of huggingface_hub and modelscope.
public struct HubSettings: Sendable {
  /// Hugging Face's cache: `HF_HUB_CACHE`, else `HF_HOME/hub`, else `XDG_CACHE_HOME/huggingface/hub`, else
  /// `~/.cache/huggingface/hub`.
  public var cacheFolder: String
  /// ModelScope's caches: `MODELSCOPE_CACHE`, else `~/.cache/modelscope`; each with its `hub` within.
  public var modelScopeFolders: [String]
  /// Where the hub answers, without a slash at the end: `HF_ENDPOINT`, or huggingface.co.
  public var endpoint: String
  /// Who asks: `HF_TOKEN`, else the content of `HF_TOKEN_PATH`, else of `HF_HOME/token`; nil: nobody in particular.
  public var token: String?
  /// No network is to be used: `HF_HUB_OFFLINE`.
  public var isOffline: Bool

  public static let standardEndpoint = "https://huggingface.co"

  public init(_ environment: [String: String] = ProcessInfo.processInfo.environment) {
    let values = Values(environment)
    let home = values.path("HF_HOME") ?? values.path("XDG_CACHE_HOME").map { "\($0)/huggingface" }
    let hugging = home ?? "\(values.home)/.cache/huggingface"
    cacheFolder =
      values.path("HF_HUB_CACHE") ?? values.path("HUGGINGFACE_HUB_CACHE") ?? "\(hugging)/hub"
    let modelScope = values.path("MODELSCOPE_CACHE") ?? "\(values.home)/.cache/modelscope"
    modelScopeFolders = [modelScope, "\(modelScope)/hub"]
    endpoint = values.text("HF_ENDPOINT") ?? HubSettings.standardEndpoint
    while endpoint.hasSuffix("/") { endpoint.removeLast() }
    token = values.token(file: values.path("HF_TOKEN_PATH") ?? "\(hugging)/token")
    isOffline = values.flag("HF_HUB_OFFLINE") || values.flag("TRANSFORMERS_OFFLINE")
  }
}

/// An environment's values; an empty one is as good as none.
private struct Values {
  let environment: [String: String]

  init(_ environment: [String: String]) { self.environment = environment }

  var home: String { text("HOME") ?? FileManager.default.homeDirectoryForCurrentUser.path }

  func text(_ name: String) -> String? {
    environment[name]?.trimmingCharacters(in: .whitespacesAndNewlines).nonEmpty
  }

  /// With `~` for the home folder.
  func path(_ name: String) -> String? {
    text(name).map { $0 == "~" || $0.hasPrefix("~/") ? home + $0.dropFirst() : $0 }
  }

  func flag(_ name: String) -> Bool {
    ["1", "ON", "YES", "TRUE"].contains(text(name)?.uppercased() ?? "")
  }

  func token(file: String) -> String? {
    if let token = text("HF_TOKEN") ?? text("HUGGING_FACE_HUB_TOKEN") { return token }
    guard !flag("HF_HUB_DISABLE_IMPLICIT_TOKEN") else { return nil }
    let content = try? String(contentsOfFile: file, encoding: .utf8)
    return content?.trimmingCharacters(in: .whitespacesAndNewlines).nonEmpty
  }
}

extension String {
  /// nil when empty.
  fileprivate var nonEmpty: String? { isEmpty ? nil : self }
}
