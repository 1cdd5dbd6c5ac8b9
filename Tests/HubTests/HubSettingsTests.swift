import FireflyHub
import FireflyTestSupport
import Testing

@Suite struct HubSettingsTests {
  @Test(arguments: [
    (["HF_HUB_CACHE": "/c", "HF_HOME": "/h"], "/c"), (["HF_HOME": "/h", "XDG_CACHE_HOME": "/x"], "/h/hub"),
    (["HUGGINGFACE_HUB_CACHE": "/old", "HF_HOME": "/h"], "/old"),
    (["XDG_CACHE_HOME": "/x"], "/x/huggingface/hub"), ([:], "/me/.cache/huggingface/hub"),
    (["HF_HOME": "~/models"], "/me/models/hub"),
    (["HF_HUB_CACHE": "", "HF_HOME": " "], "/me/.cache/huggingface/hub"),
  ])
  func theCacheIsWhereHuggingFaceHasIt(environment: [String: String], folder: String) {
    #expect(HubSettings(environment.merging(["HOME": "/me"]) { $1 }).cacheFolder == folder)
  }

  @Test func modelScopeHasItsOwn() {
    #expect(
      HubSettings(["HOME": "/me"]).modelScopeFolders
        == ["/me/.cache/modelscope", "/me/.cache/modelscope/hub"])
    #expect(HubSettings(["MODELSCOPE_CACHE": "/m"]).modelScopeFolders == ["/m", "/m/hub"])
  }

  @Test func theEndpointHasNoSlashAtItsEnd() {
    #expect(HubSettings(["HOME": "/me"]).endpoint == "https://huggingface.co")
    #expect(HubSettings(["HF_ENDPOINT": "https://mirror/of/it/"]).endpoint == "https://mirror/of/it")
  }

  @Test func theTokenComesFromTheEnvironmentOrFromItsFile() throws {
    try inTemporaryFolder { folder in
      try write(["token": "filed\n", "other": "elsewhere"], to: folder)
      let home = ["HOME": "/me", "HF_HOME": folder]
      #expect(HubSettings(home).token == "filed")
      #expect(HubSettings(home.merging(["HF_TOKEN": " own "]) { $1 }).token == "own")
      #expect(HubSettings(home.merging(["HF_TOKEN_PATH": folder + "/other"]) { $1 }).token == "elsewhere")
      #expect(HubSettings(home.merging(["HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"]) { $1 }).token == nil)
      #expect(HubSettings(["HOME": folder]).token == nil)
    }
  }
}
