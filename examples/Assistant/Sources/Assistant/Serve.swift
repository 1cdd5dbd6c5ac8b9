import Firefly
import Foundation

/// Serves the model at /v1/chat/completions of this machine, until the program is ended.
func serve(_ name: String, adapter: String?, port: Int) throws {
  let pretrained = try Pretrained.open(name)
  let model = try pretrained.load()
  let served = try ServedModel.load(
    pretrained, into: model, adapters: adapter.map { [(name: "tuned", folder: $0)] } ?? [])

  var options = ServerOptions()
  options.port = port
  let server = Server(
    model: model, tokenizer: pretrained.tokenizer, models: served,
    defaults: try pretrained.defaults().options, options: options)
  print("http://127.0.0.1:\(try server.start())/v1")
  while true { Thread.sleep(forTimeInterval: 3600) }
}
