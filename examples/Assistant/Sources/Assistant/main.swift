// Talks to a model on the terminal; with --serve, to whoever asks over HTTP as OpenAI's clients do.
//
//     swift run -c release Assistant MODEL [--adapter FOLDER] [--serve PORT]
import Firefly

var arguments = CommandLine.arguments.dropFirst()

@MainActor func value(of option: String) -> String? {
  guard let index = arguments.firstIndex(of: option), index + 1 < arguments.endIndex else { return nil }
  defer { arguments.removeSubrange(index...index + 1) }
  return arguments[index + 1]
}

let adapter = value(of: "--adapter")
let port = value(of: "--serve").map { Int($0) ?? 8000 }

guard let name = arguments.first else {
  print("usage: Assistant MODEL [--adapter FOLDER] [--serve PORT]")
  throw CancellationError()
}

if let port {
  try serve(name, adapter: adapter, port: port)
} else {
  try await chat(name, adapter: adapter)
}
