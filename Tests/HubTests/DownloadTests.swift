import FireflyBase
import FireflyHub
import FireflyTestSupport
import Foundation
import Testing

/// A model comes whole, into the right places, and nothing else comes.
@Suite struct DownloadTests {
  @Test func aModelComesIntoHuggingFacesCache() throws {
    try inTemporaryFolder { folder in
      let model = FakeHub.Model.small()
      let hub = try FakeHub([modelName: model])
      let download = try ModelDownload(hub, in: folder)
      var events: [DownloadEvent] = []
      let path = try download.run(progress: { events.append($0) })

      #expect(path == "\(download.cached)/snapshots/\(model.commit)")
      #expect(try files(in: path) == ["config.json", "model.safetensors", "tokenizer.json"])
      for name in ["config.json", "model.safetensors", "tokenizer.json"] {
        let content = try #require(model.files[name])
        let hash = model.large.contains(name) ? HubHash.sha256(content) : HubHash.gitBlob(content)
        #expect(
          try FileManager.default.destinationOfSymbolicLink(atPath: "\(path)/\(name)")
            == "../../blobs/\(hash)")
        #expect(try read("\(path)/\(name)") == content)
      }
      #expect(try read("\(download.cached)/refs/main") == Array(model.commit.utf8))
      #expect(try files(in: "\(download.cached)/blobs").count == 3)
      let size = ["config.json", "tokenizer.json", "model.safetensors"].reduce(0) {
        $0 + (model.files[$1]?.count ?? 0)
      }
      #expect(events.last == .progress(done: size, total: size))
      #expect(events.contains(.finished(path: "model.safetensors", bytes: 200_000)))
      // What was fetched is found without a network.
      let found = LocalModels(download.settings)
      #expect(try found.path(of: modelName, for: .model) == path)
    }
  }

  @Test func aSecondTimeFetchesNothing() throws {
    try inTemporaryFolder { folder in
      let hub = try FakeHub([modelName: .small()])
      let path = try ModelDownload(hub, in: folder).run()
      hub.forgetRequests()
      #expect(try ModelDownload(hub, in: folder).run() == path)
      #expect(hub.hub.requests.map(\.path) == ["/api/models/Org/Name/revision/main?blobs=true"])
      #expect(hub.fetched.isEmpty)
    }
  }

  @Test func aNewStateFetchesOnlyWhatChanged() throws {
    try inTemporaryFolder { folder in
      let hub = try FakeHub([modelName: .small()])
      let old = try ModelDownload(hub, in: folder).run()
      var model = FakeHub.Model.small()
      model.commit = String(repeating: "beef", count: 10)
      model.files["config.json"] = Array("{\"new\": 1}".utf8)
      hub.set(modelName, model)
      hub.forgetRequests()
      let download = try ModelDownload(hub, in: folder)
      let path = try download.run()
      #expect(hub.fetched.map(\.path) == ["config.json"])
      #expect(path != old && FileManager.default.fileExists(atPath: "\(old)/config.json"))
      #expect(try LocalModels(download.settings).path(of: modelName, for: .model) == path)
    }
  }

  @Test func anOldStateStaysUntilTheNewOneIsWhole() throws {
    try inTemporaryFolder { folder in
      let hub = try FakeHub([modelName: .small()])
      let old = try ModelDownload(hub, in: folder).run()
      var model = FakeHub.Model.small(weights: bytes(1000, seed: 9))
      model.commit = String(repeating: "beef", count: 10)
      hub.set(modelName, model)
      hub.behaviour.change = { path, _, reply in if path == "model.safetensors" { reply = .init(403) } }
      let download = try ModelDownload(hub, in: folder)
      #expect(throws: FireflyError.self) { try download.run() }
      #expect(try LocalModels(download.settings).path(of: modelName, for: .model) == old)
    }
  }

  @Test func shardsComeAsTheIndexSays() throws {
    try inTemporaryFolder { folder in
      let index = #"{"weight_map": {"a": "m-1.safetensors", "b": "m-2.safetensors"}}"#
      let model = FakeHub.Model(
        [
          "config.json": [], "model.safetensors.index.json": Array(index.utf8),
          "m-1.safetensors": bytes(70_000), "m-2.safetensors": bytes(80_000, seed: 2),
          "m-3.safetensors": bytes(10, seed: 3),
        ], large: ["m-1.safetensors", "m-2.safetensors", "m-3.safetensors"])
      let download = try ModelDownload(try FakeHub([modelName: model]), in: folder)
      let path = try download.run()
      #expect(
        try files(in: path)
          == ["config.json", "m-1.safetensors", "m-2.safetensors", "model.safetensors.index.json"])
      #expect(try read("\(path)/m-2.safetensors") == model.files["m-2.safetensors"])
      #expect(try LocalModels(download.settings).path(of: modelName, for: .model) == path)
    }
  }

  @Test func manyFilesComeSideBySideEvenTwiceTheSame() throws {
    try inTemporaryFolder { folder in
      var contents: [String: [UInt8]] = ["config.json": [], "model.safetensors": bytes(10)]
      for number in 0..<20 {
        contents["additional_chat_templates/\(number).jinja"] = bytes(3000, seed: UInt64(number / 2))
      }
      let model = FakeHub.Model(contents)
      let path = try ModelDownload(try FakeHub([modelName: model]), in: folder).run(progress: {
        if case .waiting = $0 { Issue.record("nobody else is there") }
      })
      #expect(try files(in: path).count == 22)
      for (name, content) in contents { #expect(try read("\(path)/\(name)") == content, "\(name)") }
    }
  }

  @Test(arguments: [("Org/Name@v1", "v1"), ("Org/Name@refs/pr/1", "refs/pr/1")])
  func aRevisionIsKeptUnderItsName(name: String, revision: String) throws {
    try inTemporaryFolder { folder in
      let hub = try FakeHub([modelName: .small()])
      let download = try ModelDownload(hub, in: folder, name)
      let path = try download.run()
      #expect(try files(in: "\(download.cached)/refs") == [revision])
      #expect(try LocalModels(download.settings).path(of: name, for: .model) == path)
    }
  }

  @Test func aCommitNeedsNoName() throws {
    try inTemporaryFolder { folder in
      let model = FakeHub.Model.small()
      let download = try ModelDownload(
        try FakeHub([modelName: model]), in: folder, "Org/Name@\(model.commit)")
      let path = try download.run()
      #expect(!FileManager.default.fileExists(atPath: "\(download.cached)/refs"))
      #expect(try LocalModels(download.settings).path(of: "\(download.name)", for: .model) == path)
    }
  }

  @Test func aGGUFFileComesAlone() throws {
    try inTemporaryFolder { folder in
      let model = FakeHub.Model(
        ["config.json": [], "a.Q4_0.gguf": bytes(5000), "a.Q8_0.gguf": bytes(9000, seed: 2)],
        large: ["a.Q4_0.gguf", "a.Q8_0.gguf"])
      let hub = try FakeHub([modelName: model])
      for (name, patterns) in [("Org/Name", ["*Q8*"]), ("Org/Name/a.Q8_0.gguf", [])] {
        let download = try ModelDownload(hub, in: folder + "/\(patterns.count)", name, gguf: patterns)
        let path = try download.run()
        #expect(path.hasSuffix("/snapshots/\(model.commit)/a.Q8_0.gguf"))
        #expect(try read(path) == model.files["a.Q8_0.gguf"])
        #expect(try LocalModels(download.settings).path(of: "Org/Name", for: .model) == path)
      }
      #expect(!hub.fetched.contains { $0.path == "a.Q4_0.gguf" })
    }
  }

  @Test func anEndpointMayHaveAPath() throws {
    try inTemporaryFolder { folder in
      let hub = try FakeHub([modelName: .small()]) { $0.prefix = "/api/huggingface/mirror" }
      let path = try ModelDownload(hub, in: folder).run()
      #expect(try files(in: path).count == 3)
    }
  }

  /// Some mirrors' listings have only names: then headers tell the rest.
  @Test func aListingOfNamesIsEnough() throws {
    try inTemporaryFolder { folder in
      let model = FakeHub.Model.small()
      let hub = try FakeHub([modelName: model]) { $0.listsNamesOnly = true }
      let path = try ModelDownload(hub, in: folder).run()
      let weights = try #require(model.files["model.safetensors"])
      #expect(
        try FileManager.default.destinationOfSymbolicLink(atPath: "\(path)/model.safetensors")
          == "../../blobs/\(HubHash.sha256(weights))")
      #expect(try read("\(path)/model.safetensors") == weights)
      #expect(hub.hub.requests.filter { $0.method == "HEAD" }.count == 3)
    }
  }

  // MARK: - A plain folder

  @Test func aPlainFolderGetsTheFilesThemselves() throws {
    try inTemporaryFolder { folder in
      let model = FakeHub.Model.small()
      let hub = try FakeHub([modelName: model])
      var download = try ModelDownload(hub, in: folder)
      download.folder = "\(folder)/mine"
      #expect(try download.run() == "\(folder)/mine")
      #expect(try files(in: "\(folder)/mine") == ["config.json", "model.safetensors", "tokenizer.json"])
      #expect(try read("\(folder)/mine/model.safetensors") == model.files["model.safetensors"])
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["mine"])
      hub.forgetRequests()
      #expect(try download.run() == "\(folder)/mine")
      #expect(hub.fetched.isEmpty)
    }
  }

  @Test func anotherFileInAPlainFolderIsNotReplaced() throws {
    try inTemporaryFolder { folder in
      var download = try ModelDownload(try FakeHub([modelName: .small()]), in: folder)
      download.folder = folder
      try write(["config.json": "[]"], to: folder)  // of the same size
      let error = try #require(throws: FireflyError.self) { try download.run() }
      #expect(error.what == "another file of this name is there" && error.place == "\(folder)/config.json")
      #expect(try read("\(folder)/config.json") == Array("[]".utf8))
    }
  }
}
