import FireflyBase
import FireflyHub
import FireflyTestSupport
import Foundation
import Testing

/// What of a machine's models can be offered: those that are whole, each by the name that opens it.
@Suite struct ModelListTests {
  private let commit = String(repeating: "0123456789", count: 4)

  @Test func wholeModelsOfBothCachesByTheirNames() throws {
    let home = try TemporaryFolder()
    func hugging(_ repository: String, _ files: [String]) throws {
      let folder = ".cache/huggingface/hub/models--\(repository)"
      try home.write(commit, to: "\(folder)/refs/main")
      for file in files { try home.write("", to: "\(folder)/snapshots/\(commit)/\(file)") }
    }
    try hugging("Org--Whole", ["config.json", "model.safetensors"])
    try hugging("gpt2", ["config.json", "pytorch_model.bin"])
    try hugging("Org--Half", ["config.json"])
    try hugging("Org--One-GGUF", ["a.gguf"])
    try hugging("Org--Two-GGUF", ["a.gguf", "b.gguf"])
    let scope = ".cache/modelscope"
    for folder in ["\(scope)/hub/models/Owner/Name-1___5", "\(scope)/models/Owner--Newer/snapshots/master"] {
      for file in ["config.json", "model.safetensors"] { try home.write("", to: "\(folder)/\(file)") }
    }
    let models = LocalModels(HubSettings(["HOME": home.path]))
    let found = models.inCaches
    #expect(
      found.map(\.name) == [
        "Org/One-GGUF", "Org/Two-GGUF/a.gguf", "Org/Two-GGUF/b.gguf", "Org/Whole", "Owner/Name-1.5",
        "Owner/Newer", "gpt2",
      ])
    // Each name opens what is listed.
    for model in found {
      #expect(try models.path(of: model.name, for: .model) == model.path, "\(model.name)")
    }
  }

  @Test func aFolderIsLookedThrough() throws {
    let folder = try TemporaryFolder()
    for file in [
      "models/whole/config.json", "models/whole/model.safetensors", "models/half/config.json", "file.gguf",
      ".hidden/file.gguf", "adapter/adapter_config.json", "adapter/adapter_model.safetensors",
      "a/b/c/d/e/f/deep.gguf",
    ] { try folder.write("{}", to: file) }
    let names = LocalModels.below(folder.path).map { $0.name.dropFirst(folder.path.count + 1) }
    #expect(names == ["file.gguf", "models/whole"])
    #expect(LocalModels.below(folder.path + "/models/whole").map(\.path) == [folder.path + "/models/whole"])
    #expect(LocalModels.below(folder.path + "/none").isEmpty)
  }
}
