import FireflyBase
import FireflyHub
import FireflyTestSupport
import Foundation
import Testing

/// Names in caches made up of empty files.
@Suite struct LocalModelsTests {
  private let commit = String(repeating: "0123456789", count: 4)
  private let older = String(repeating: "9876543210", count: 4)

  /// A machine with one cache of each kind under a home folder.
  private func machine(_ folder: String) -> LocalModels {
    LocalModels(HubSettings(["HOME": folder]))
  }

  private func hugging(_ files: [String: String], _ repository: String = "Org--Name", in home: String) throws
  {
    try write(files, to: "\(home)/.cache/huggingface/hub/models--\(repository)")
  }

  private func modelScope(_ files: [String: String], in home: String) throws {
    try write(files, to: "\(home)/.cache/modelscope")
  }

  private func snapshot(_ folder: String, _ commit: String, _ repository: String = "Org--Name") -> String {
    "\(folder)/.cache/huggingface/hub/models--\(repository)/snapshots/\(commit)"
  }

  @Test func aNameIsTheSnapshotOfMain() throws {
    try inTemporaryFolder { home in
      try hugging(
        [
          "refs/main": commit, "snapshots/\(commit)/config.json": "{}",
          "snapshots/\(commit)/model.safetensors": "",
          "snapshots/\(older)/config.json": "{}",
        ], in: home)
      #expect(try machine(home).path(of: "Org/Name", for: .model) == snapshot(home, commit))
    }
  }

  @Test func aNameWithoutAnOwnerIsTheOldModelsKind() throws {
    try inTemporaryFolder { home in
      try hugging(
        [
          "refs/main": commit + "\n", "snapshots/\(commit)/config.json": "",
          "snapshots/\(commit)/pytorch_model.bin": "",
        ], "gpt2", in: home)
      #expect(try machine(home).path(of: "gpt2", for: .model) == snapshot(home, commit, "gpt2"))
    }
  }

  @Test(arguments: ["v1", "refs/pr/3", "9876543210987654321098765432109876543210"])
  func aRevisionIsABranchATagOrACommit(revision: String) throws {
    try inTemporaryFolder { home in
      try hugging(
        [
          "refs/main": commit, "refs/v1": older, "refs/refs/pr/3": older,
          "snapshots/\(older)/config.json": "", "snapshots/\(older)/model.safetensors": "",
        ], in: home)
      #expect(try machine(home).path(of: "Org/Name@\(revision)", for: .model) == snapshot(home, older))
    }
  }

  @Test func aRevisionThatIsNotThereIsToldWithThoseThatAre() throws {
    try inTemporaryFolder { home in
      try hugging(["refs/v1": older, "snapshots/\(older)/config.json": ""], in: home)
      let error = try #require(throws: FireflyError.self) {
        try machine(home).path(of: "Org/Name@v2", for: .model)
      }
      #expect(error.what == "the model is on this machine, but not its revision v2")
      #expect(error.found == "v1, \(older)")
      #expect(error.fix?.contains("firefly download Org/Name --revision v2") == true)
    }
  }

  @Test func aPathThatExistsIsThatPath() throws {
    try inTemporaryFolder { home in
      try hugging(["refs/main": commit, "snapshots/\(commit)/config.json": ""], in: home)
      #expect(try machine(home).path(of: home, for: .model) == home)
    }
  }

  @Test func missingFilesAreToldByName() throws {
    try inTemporaryFolder { home in
      let index = #"{"weight_map": {"a": "m-1.safetensors", "b": "m-2.safetensors", "c": "m-3.safetensors"}}"#
      try hugging(
        [
          "refs/main": commit, "snapshots/\(commit)/model.safetensors.index.json": index,
          "snapshots/\(commit)/m-2.safetensors": "",
        ], in: home)
      let path = snapshot(home, commit)
      // A link to what has been removed is no file.
      try FileManager.default.createSymbolicLink(
        atPath: "\(path)/m-3.safetensors", withDestinationPath: "../../blobs/gone")
      let error = try #require(throws: FireflyError.self) {
        try machine(home).path(of: "Org/Name", for: .model)
      }
      #expect(
        error.what
          == "the model is not completely on this machine: 3 missing: config.json, m-1.safetensors, m-3.safetensors"
      )
      #expect(error.place == "Org/Name, in \(path)")
      #expect(error.fix == "Fetch what is missing: firefly download Org/Name.")
      try write(["beside.gguf": ""], to: path)
      #expect(throws: error) { try machine(home).path(of: "Org/Name", for: .model) }
      // Its tokenizer may be all that is wanted.
      try write(["tokenizer.json": ""], to: path)
      #expect(try machine(home).path(of: "Org/Name", for: .tokenizer) == path)
    }
  }

  @Test func aFolderWithoutWeightsIsNotWhole() throws {
    try inTemporaryFolder { home in
      try hugging(["refs/main": commit, "snapshots/\(commit)/config.json": ""], in: home)
      let error = try #require(throws: FireflyError.self) {
        try machine(home).path(of: "Org/Name", for: .model)
      }
      #expect(error.what.contains("1 missing: the weights (model.safetensors or pytorch_model.bin"))
    }
  }

  @Test func whatIsNowhereIsToldWithThePlacesAndTheCommand() throws {
    try inTemporaryFolder { home in
      let error = try #require(throws: FireflyError.self) {
        try machine(home).path(of: "Org/Name.1@v1", for: .model)
      }
      let text = error.description
      for part in [
        "Org/Name.1@v1: the model is not on this machine",
        "\(home)/.cache/huggingface/hub/models--Org--Name.1",
        "\(home)/.cache/modelscope/hub/models/Org/Name___1", "firefly download Org/Name.1@v1",
        "hf download Org/Name.1", "modelscope download Org/Name.1",
      ] {
        #expect(text.contains(part), "\(part) in \(text)")
      }
      let path = try #require(throws: FireflyError.self) {
        try machine(home).path(of: "/no/such/folder", for: .model)
      }
      #expect(path.what == "there is no such model")
      #expect(path.fix?.contains("firefly download Org/Name") == true)
    }
  }

  // MARK: - GGUF files and adapters

  @Test func theOnlyGGUFFileOfAModelIsTheModel() throws {
    try inTemporaryFolder { home in
      try hugging(["refs/main": commit, "snapshots/\(commit)/q/name.Q4_0.gguf": ""], in: home)
      let path = snapshot(home, commit) + "/q/name.Q4_0.gguf"
      #expect(try machine(home).path(of: "Org/Name", for: .model) == path)
      #expect(try machine(home).path(of: "Org/Name", for: .tokenizer) == path)
      #expect(try machine(home).path(of: "Org/Name/q/name.Q4_0.gguf", for: .model) == path)
    }
  }

  @Test func ofSeveralGGUFFilesOneMustBeNamed() throws {
    try inTemporaryFolder { home in
      try hugging(
        ["refs/main": commit, "snapshots/\(commit)/a.gguf": "", "snapshots/\(commit)/b.gguf": ""], in: home)
      let error = try #require(throws: FireflyError.self) {
        try machine(home).path(of: "Org/Name", for: .model)
      }
      #expect(error.found == "a.gguf, b.gguf" && error.fix == "Name one: Org/Name/a.gguf.")
      #expect(try machine(home).path(of: "Org/Name/b.gguf", for: .model).hasSuffix("/b.gguf"))
      let absent = try #require(throws: FireflyError.self) {
        try machine(home).path(of: "Org/Name/c.gguf", for: .model)
      }
      #expect(absent.what.hasSuffix("1 missing: c.gguf"))
    }
  }

  @Test func anAdapterHasItsOwnFiles() throws {
    try inTemporaryFolder { home in
      let path = snapshot(home, commit)
      try hugging(["refs/main": commit, "snapshots/\(commit)/adapter_config.json": ""], in: home)
      let error = try #require(throws: FireflyError.self) {
        try machine(home).path(of: "Org/Name", for: .adapter)
      }
      #expect(error.what.hasSuffix("1 missing: adapter_model.safetensors or adapter_model.bin"))
      try write(["adapter_model.bin": ""], to: path)
      #expect(try machine(home).path(of: "Org/Name", for: .adapter) == path)
      #expect(try machine(home).path(of: "Org/Name", for: .anything) == path)
      // Who opens it as a model says what it is.
      #expect(try machine(home).path(of: "Org/Name", for: .model) == path)
    }
  }

  // MARK: - ModelScope

  @Test(arguments: [
    "hub/models/Org/Name___1", "hub/Org/Name___1", "models/Org/Name___1", "hub/models/Org/Name.1",
    "models/Org--Name.1/snapshots/master", "models/Org--Name.1/snapshots/some",
  ])
  func modelScopesLayoutsAreRead(folder: String) throws {
    try inTemporaryFolder { home in
      try modelScope(["\(folder)/config.json": "", "\(folder)/model.safetensors": ""], in: home)
      let expected = "\(home)/.cache/modelscope/\(folder)"
      #expect(try machine(home).path(of: "Org/Name.1", for: .model) == expected)
    }
  }

  @Test func modelScopesRevisionsAreFolders() throws {
    try inTemporaryFolder { home in
      for revision in ["v1", "v2"] {
        let folder = "models/Org--Name/snapshots/\(revision)"
        try modelScope(["\(folder)/config.json": "", "\(folder)/model.safetensors": ""], in: home)
      }
      #expect(try machine(home).path(of: "Org/Name@v2", for: .model).hasSuffix("/snapshots/v2"))
      let error = try #require(throws: FireflyError.self) {
        try machine(home).path(of: "Org/Name", for: .model)
      }
      #expect(error.found == "v1, v2")
    }
  }

  @Test func aWholeModelOfModelScopeGoesBeforeHalfAOneOfHuggingFace() throws {
    try inTemporaryFolder { home in
      try hugging(["refs/main": commit, "snapshots/\(commit)/config.json": ""], in: home)
      let folder = "hub/models/Org/Name"
      try modelScope(["\(folder)/config.json": "", "\(folder)/model.safetensors": ""], in: home)
      #expect(
        try machine(home).path(of: "Org/Name", for: .model) == "\(home)/.cache/modelscope/\(folder)")
    }
  }

  @Test func anUnfinishedDownloadOfModelScopeIsTold() throws {
    try inTemporaryFolder { home in
      // What is on its way lies in a folder of its own.
      try modelScope(
        ["hub/models/Org/Name/config.json": "", "hub/models/Org/Name/._____temp/model.safetensors": ""],
        in: home)
      let error = try #require(throws: FireflyError.self) {
        try machine(home).path(of: "Org/Name", for: .model)
      }
      #expect(error.fix == "Fetch what is missing: modelscope download Org/Name.")
    }
  }
}
