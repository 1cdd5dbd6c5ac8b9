// Fine-tunes a model on a file of conversations: with the library's trainer, or with a loop of one's own.
//
//     swift run -c release FineTuning MODEL ROWS OUTPUT_FOLDER [--own-loop]
import Firefly

let arguments = CommandLine.arguments.dropFirst().filter { $0 != "--own-loop" }
guard arguments.count == 3 else {
  print("usage: FineTuning MODEL ROWS OUTPUT_FOLDER [--own-loop]")
  throw CancellationError()
}
let (model, rows, output) = (arguments[0], arguments[1], arguments[2])

if CommandLine.arguments.contains("--own-loop") {
  try trainByHand(model, rows: rows, output: output)
} else {
  try await train(model, rows: rows, output: output)
}
