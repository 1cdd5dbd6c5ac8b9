import FireflyBase
import FireflyHub
import FireflyTestSupport
import Foundation
import Testing

/// What a hub refuses, and what is told then; and what is told to whom.
@Suite struct RefusalTests {
  private func error(_ hub: FakeHub, _ name: String = modelName, token: String? = nil) throws -> FireflyError
  {
    try inTemporaryFolder { folder in
      let download = try ModelDownload(hub, in: folder, name, token: token)
      return try #require(throws: FireflyError.self) { try download.run() }
    }
  }

  // MARK: - Tokens

  @Test func theTokenGoesToTheHubAndToNobodyElse() throws {
    try inTemporaryFolder { folder in
      let hub = try FakeHub([modelName: .small()]) { $0.token = "hf_secret" }
      let path = try ModelDownload(hub, in: folder, token: "hf_secret").run()
      #expect(try files(in: path).count == 3)
      #expect(hub.hub.requests.allSatisfy { $0.headers["authorization"] == "Bearer hf_secret" })
      // The same machine with another port is another server.
      #expect(hub.contentServer.requests.count == 1)
      #expect(hub.contentServer.requests.allSatisfy { $0.headers["authorization"] == nil })
    }
  }

  @Test func aRedirectionWithinTheHubKeepsTheToken() throws {
    try inTemporaryFolder { folder in
      let hub = try FakeHub([modelName: .small()]) {
        $0.token = "hf_secret"
        $0.sendsLargeFiles = true
        $0.change = { path, before, reply in
          if path == "model.safetensors" && before == 0 {
            let place = "/Org/Name/resolve/\(FakeHub.Model.small().commit)/\(path)"
            reply = .init(307, headers: ["Location": place])
          }
        }
      }
      let path = try ModelDownload(hub, in: folder, token: "hf_secret").run()
      #expect(try files(in: path).count == 3)
      #expect(hub.hub.requests.allSatisfy { $0.headers["authorization"] == "Bearer hf_secret" })
    }
  }

  @Test func withoutATokenNobodyIsNamed() throws {
    try inTemporaryFolder { folder in
      let hub = try FakeHub([modelName: .small()])
      _ = try ModelDownload(hub, in: folder).run()
      #expect(hub.hub.requests.allSatisfy { $0.headers["authorization"] == nil })
    }
  }

  @Test func aTokenThatIsNoneIsRefusedBeforeItIsSent() throws {
    let hub = try FakeHub([modelName: .small()])
    let error = try error(hub, token: "hf_\u{7}x")
    #expect(error.place == "HF_TOKEN" && hub.hub.requests.isEmpty)
    #expect(!error.description.contains("hf_\u{7}"))
  }

  // MARK: - Statuses

  @Test func aPrivateModelNeedsAToken() throws {
    let hub = try FakeHub([modelName: .small()]) { $0.token = "hf_secret" }
    let nobody = try error(hub)
    #expect(nobody.what == "there is no such model on the hub, or not for everyone")
    #expect(nobody.found == "Repository not found")
    #expect(nobody.fix?.contains("set HF_TOKEN") == true)
    let stranger = try error(hub, token: "hf_other")
    #expect(stranger.what == "the hub does not let this token in")
    #expect(!stranger.description.contains("hf_other"))
  }

  @Test(arguments: [(401, "GatedRepo"), (403, "GatedRepo"), (403, nil)])
  func aGatedModelIsToldWithTheWayIn(status: Int, code: String?) throws {
    let hub = try FakeHub([modelName: .small()]) { $0.refusal = (status, code) }
    let error = try error(hub)
    #expect(error.what == "the model is gated: its owner lets in who has asked")
    #expect(error.fix?.hasPrefix("Ask for access at \(hub.endpoint)/Org/Name, make a token") == true)
    #expect(try self.error(hub, token: "hf_x").fix?.contains("the account of your token") == true)
  }

  @Test func whatIsNotThereIsToldApart() throws {
    let hub = try FakeHub([modelName: .small()])
    let model = try error(hub, "Org/Other")
    #expect(model.what == "there is no such model on the hub" && model.place == "Org/Other")
    let revision = try error(hub, "Org/Name@v7")
    #expect(revision.what == "the model has no such revision" && revision.found == "v7")
    hub.behaviour.change = { path, _, reply in
      if path == "model.safetensors" { reply = .init(404, headers: ["X-Error-Code": "EntryNotFound"]) }
    }
    let file = try error(hub)
    #expect(file.what == "the hub lists a file that it does not have" && file.found == "model.safetensors")
  }

  @Test func aHubInTroubleIsAskedAgainAndThenTold() throws {
    let hub = try FakeHub([modelName: .small()]) { $0.refusal = (503, nil) }
    let error = try error(hub)
    #expect(error.what == "the hub does not answer as it should: status 503")
    #expect(hub.hub.requests.count == 5)
  }

  // MARK: - No hub

  @Test func noServerIsToldWithTheMirrorsVariable() throws {
    let hub = try FakeHub([:])
    hub.hub.stop()
    let error = try error(hub)
    #expect(error.what.hasPrefix("cannot reach the hub: ") && error.place == hub.endpoint)
    #expect(error.fix?.contains("HF_ENDPOINT=https://") == true)
  }

  @Test func anEndpointThatIsNoAddressIsTold() throws {
    try inTemporaryFolder { folder in
      var download = try ModelDownload(try FakeHub([:]), in: folder)
      download.settings.endpoint = "ftp://somewhere"
      let error = try #require(throws: FireflyError.self) { try download.run() }
      #expect(error.what == "HF_ENDPOINT is no web address" && error.found == "ftp://somewhere")
    }
  }

  @Test func offlineMeansOffline() throws {
    try inTemporaryFolder { folder in
      let hub = try FakeHub([modelName: .small()])
      var download = try ModelDownload(hub, in: folder)
      download.settings.isOffline = true
      let error = try #require(throws: FireflyError.self) { try download.run() }
      #expect(error.what.contains("HF_HUB_OFFLINE") && hub.hub.requests.isEmpty)
    }
  }

  // MARK: - Answers that are none

  @Test(arguments: ["<html>log in</html>", "[]", #"{"sha": "x", "siblings": []}"#, #"{"siblings": []}"#])
  func anotherServersAnswerIsTold(text: String) throws {
    let server = try LoopbackServer { _ in .init(200, body: Array(text.utf8)) }
    try inTemporaryFolder { folder in
      var download = try ModelDownload(try FakeHub([:]), in: folder)
      download.settings.endpoint = server.address
      let error = try #require(throws: FireflyError.self) { try download.run() }
      #expect(error.what == "this is not a hub's answer" && error.fix?.contains("HF_ENDPOINT") == true)
    }
  }

  @Test(arguments: ["../../evil.json", "/etc/config.json", "a//b.json", "x/../../config.json"])
  func namesThatLeadElsewhereAreRefused(path: String) throws {
    let hub = try FakeHub([
      modelName: FakeHub.Model([path: [1], "model.safetensors": [2], "config.json": [3]])
    ])
    let error = try error(hub)
    #expect(error.what == "a file's name in the hub's listing is wrong")
  }

  @Test func redirectionsInCirclesEnd() throws {
    let hub = try FakeHub([modelName: .small()]) {
      $0.sendsLargeFiles = true
      $0.change = { path, _, reply in
        if path == "model.safetensors" {
          let place = "/Org/Name/resolve/\(FakeHub.Model.small().commit)/\(path)"
          reply = .init(307, headers: ["Location": place])
        }
      }
    }
    #expect(try error(hub).what.contains("redirects"))
  }
}
