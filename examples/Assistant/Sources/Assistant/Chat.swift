import Firefly

/// A conversation: each line of standard input is a message, each answer is printed as it is made.
func chat(_ name: String, adapter: String?) async throws {
  let chat = try await ChatModel.open(name, ChatModel.Options(adapter: adapter))
  for note in chat.notes { print("note: \(note)") }

  var options = chat.defaults
  options.maxNewTokens = 256
  var messages: [Message] = []
  while let line = readLine() {
    messages.append(Message(role: "user", content: line))
    for try await part in chat.stream(messages, options: options) {
      switch part {
      case .text(let text):
        print(text, terminator: "")
      case .finished(let answer):
        print(answer.finishReason == .length ? " …" : "")
        messages.append(Message(role: "assistant", content: answer.text))
      }
    }
  }
}
