import FireflyHub
import Testing

@Suite struct ModelNameTests {
  @Test(arguments: [
    ("Org/Name", "Org/Name", nil, nil), ("gpt2", "gpt2", nil, nil),
    ("THUDM/chatglm3-6b@v1.1", "THUDM/chatglm3-6b", nil, "v1.1"),
    ("Org/N.1_b-c@refs/pr/1", "Org/N.1_b-c", nil, "refs/pr/1"),
    ("Org/Name-GGUF/q4/name.Q4_0.gguf", "Org/Name-GGUF", "q4/name.Q4_0.gguf", nil),
    ("Org/Name/a.gguf@main", "Org/Name", "a.gguf", "main"),
  ])
  func namesAreTakenApart(text: String, repository: String, file: String?, revision: String?) throws {
    let name = try #require(ModelName(text))
    #expect(name.repository == repository && name.file == file && name.revision == revision)
    #expect(name.description == text)
  }

  @Test(arguments: [
    "", "/abs", "./Org/Name", "../Name", "~/Name", "Org/", "Org//Name", "Org/Name/", "a/b/c", "-Org/Name",
    "Org/Name.", "Org/Na--me", "Org/Na..me", "Org/Name.git", "model.gguf", "folder/model.gguf",
    "Org/Name/../x.gguf", "Org/Name@", "Org/Name@a..b", "Org/Name@/x", "Org/Name@a b", "Org/Näme",
    "some file", "tokenizer.json", "Org/model.safetensors",
  ])
  func whatNoModelCanBeCalledIsNoName(text: String) { #expect(ModelName(text) == nil) }
}
