import FireflyBase
import Foundation

let usage = """
  usage: FireflyDemoData OUTDIR [CONVERSATIONS]

  Writes OUTDIR/train.jsonl (5,000 word problems in English and Chinese, mixed with the conversations of
  CONVERSATIONS, by default demo/conversations.jsonl), OUTDIR/test.jsonl (200 other problems) and
  OUTDIR/pairs.jsonl (1,000 problems with a right and a wrong solution, for DPO).
  """

let arguments = Array(CommandLine.arguments.dropFirst())
if arguments.contains("--help") || arguments.contains("-h") {
  print(usage)
  exit(0)
}
guard (1...2).contains(arguments.count), !arguments.contains(where: { $0.hasPrefix("-") }) else {
  FileHandle.standardError.write(Data((usage + "\n").utf8))
  exit(2)
}
do {
  try DemoFiles.write(
    to: arguments[0], conversations: arguments.count > 1 ? arguments[1] : "demo/conversations.jsonl", seed: 42
  )
} catch {
  FileHandle.standardError.write(Data("error: \(error)\n".utf8))
  exit(1)
}
