import FireflyBase
import FireflyModels
import FireflyTensors
import FireflyWeights
import Foundation

/// `output_dir/checkpoint-N` on disk: complete when resume_state.json is there, which is written last, and every
/// file it lists has its size.
package struct CheckpointFolder: Equatable {
  package let path: String
  /// N: the optimizer steps that were done when it was written.
  package let step: Int

  package static let stateName = "resume_state.json"
  package static let optimizerName = "optimizer.safetensors"

  /// The complete checkpoints of a folder, oldest first.
  package static func complete(in folder: String) -> [CheckpointFolder] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.compactMap { name -> CheckpointFolder? in
      guard name.hasPrefix("checkpoint-"), let step = Int(name.dropFirst("checkpoint-".count)) else {
        return nil
      }
      let checkpoint = CheckpointFolder(path: "\(folder)/\(name)", step: step)
      return checkpoint.isComplete ? checkpoint : nil
    }
    .sorted { $0.step < $1.step }
  }

  /// A checkpoint that the user names.
  ///
  /// - Throws: `FireflyError` saying what is missing.
  package static func named(_ path: String) throws -> CheckpointFolder {
    let state = try JSONValue.read("\(path)/\(stateName)")
    let checkpoint = CheckpointFolder(path: path, step: state["step"]?.int ?? 0)
    guard checkpoint.isComplete else {
      throw FireflyError(
        "the checkpoint is not complete", at: path, fix: "Choose another one, or resume from the latest.")
    }
    return checkpoint
  }

  /// What stands before the name of a parameter's float32 value in the optimizer's file.
  static let valuePrefix = "value."

  /// Gives the model what the checkpoint has trained: its adapter, or the weights' float32 values.
  ///
  /// - Parameter parameters: of weights, whose values are written instead; nil: the model's.
  /// - Throws: `FireflyError` when it is damaged.
  func readTrained(into model: Transformer, _ trainable: Trainable, _ parameters: [Parameter]? = nil) throws {
    guard trainable.full != nil else { return try model.loadAdapter(AdapterFile(path), onOwnBase: true) }
    let weights = try WeightStore.open("\(path)/\(CheckpointFolder.optimizerName)")
    for parameter in parameters ?? model.parameters {
      let name = CheckpointFolder.valuePrefix + parameter.name
      let saved = try weights.tensor(name, shape: parameter.slot.shape, as: .float32)
      Ops.convert(parameter.value.matrix, saved.on(parameter.value.device).matrix)
      weights.release(name)
      if parameters == nil { model.arena.shard?.keep(parameter.slot) }
    }
    if parameters == nil { model.parametersChanged() }
  }

  private var isComplete: Bool {
    guard let state = try? JSONValue.read("\(path)/\(CheckpointFolder.stateName)"),
      let files = state["files"]?.object
    else { return false }
    return files.allSatisfy { name, size in CheckpointFolder.size("\(path)/\(name)") == size.int }
  }

  static func size(_ path: String) -> Int? {
    (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int
  }

  /// Takes the folder away: first its name, so that a process that is killed meanwhile leaves nothing that looks like a
  /// checkpoint, then what is in it.
  func remove() throws {
    let aside = "\(path)\(CheckpointFolder.leftover)\(getpid())"
    do {
      try? FileManager.default.removeItem(atPath: aside)
      try FileManager.default.moveItem(atPath: path, toPath: aside)
      try FileManager.default.removeItem(atPath: aside)
    } catch {
      throw FireflyError("cannot remove the old checkpoint: \(error.localizedDescription)", at: path)
    }
  }

  /// Keeps `limit` of the complete ones: the newest, the best, and then the newest of the others. The newest and the
  /// best stay also where the limit is 1, as with transformers.
  ///
  /// - Parameter best: the best one's path; nil where there is none.
  package static func prune(in folder: String, keeping limit: Int?, best: String? = nil) throws {
    guard let limit else { return }
    let newestFirst = Array(complete(in: folder).reversed())
    let protected = newestFirst.enumerated().filter { $0.offset == 0 || $0.element.path == best }
    let others = newestFirst.dropFirst().filter { $0.path != best }
    for checkpoint in others.dropFirst(max(0, limit - protected.count)) { try checkpoint.remove() }
  }

  private static let leftover = ".partial-"

  /// Removes what a process that was killed left half-written or half-removed. A folder that was moved aside for a new one
  /// which did not come gets its name back.
  package static func removeLeftovers(in folder: String) {
    let manager = FileManager.default
    for name in (try? manager.contentsOfDirectory(atPath: folder)) ?? [] {
      let path = "\(folder)/\(name)"
      if name.contains(leftover) {
        try? manager.removeItem(atPath: path)
      } else if let end = name.range(of: ".old-", options: .backwards), Int(name[end.upperBound...]) != nil {
        let own = "\(folder)/\(name[..<end.lowerBound])"
        if manager.fileExists(atPath: own) {
          try? manager.removeItem(atPath: path)
        } else {
          try? manager.moveItem(atPath: path, toPath: own)
        }
      }
    }
  }
}
