import FireflyBase
import Foundation

/// `output_dir` before a run: whether it can take what the run will write, and where the run starts.
struct OutputFolder {
  let config: RunConfig
  var path: String { config.outputFolder }

  /// Checks without writing that the folder, or the nearest one above it that exists, can be written to.
  ///
  /// - Parameter model: the model's folder or file.
  func check(model: String) throws {
    try checkApart(from: model)
    var isFolder: ObjCBool = false
    let folder = DiskSpace.nearestFolder(path)
    _ = FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder)
    guard isFolder.boolValue, access(folder, W_OK | X_OK) == 0 else {
      let reason = isFolder.boolValue ? String(cString: strerror(errno)) : "not a folder"
      throw FireflyError(
        "output_dir cannot be written to: \(reason)", at: folder,
        fix: "Choose a folder that you may write to.")
    }
  }

  /// A run's records and checkpoints in the model's own folder would make it another model.
  private func checkApart(from model: String) throws {
    guard path.resolvedPath != model.resolvedPath else {
      throw FireflyError(
        "output_dir is the model's folder", at: path, fix: "Choose a folder of its own for the run.")
    }
  }

  /// Room for what is written beside checkpoints: logs, events, samples, the trained model's small files, and what file
  /// systems round up.
  private static let recordBytes = 1 << 20

  /// Checks that there is room for the optimizer's file and the checkpoints that exist at once.
  ///
  /// - Parameters:
  ///   - checkpointBytes: of one checkpoint.
  ///   - pagedBytes: of the files that the run computes in.
  func checkRoom(for checkpointBytes: Int, paged pagedBytes: Int) throws {
    let folder = DiskSpace.nearestFolder(path)
    guard let free = DiskSpace.freeBytes(at: folder) else { return }
    let best = config.evaluation?.best == nil ? 0 : 1
    let kept = config.saveInterval == .no ? 1 : min(config.saveLimit ?? 1, 1000) + 1 + best
    let needed = pagedBytes + kept * checkpointBytes + OutputFolder.recordBytes
    guard free >= needed else {
      throw FireflyError(
        "the disk is too full for the checkpoints and the optimizer's file", at: folder,
        expected: "\(Readable.bytes(needed)) free", found: Readable.bytes(free),
        fix: "Free disk space, lower save_total_limit, or choose another output_dir.")
    }
  }

  // MARK: - Where to start

  /// The checkpoint to continue from; nil to start anew.
  ///
  /// - Throws: `FireflyError` when a run's checkpoints would be mixed with an earlier run's, or when there are
  ///   only ones that Firefly cannot continue.
  func resumePoint(_ notices: inout [String]) throws -> CheckpointFolder? {
    let complete = CheckpointFolder.complete(in: path)
    switch config.resume {
    case .checkpoint(let named):
      return try CheckpointFolder.named(named)
    case .latest:
      if let latest = complete.last { return latest }
      if let foreign = unusable().first {
        throw FireflyError(
          "there is no complete checkpoint of Firefly to resume from", at: "\(path)/\(foreign)",
          fix: "Start without resuming, in another output_dir.")
      }
      notices.append("no checkpoint in \(path) yet: starting at the beginning")
      return nil
    case .fresh:
      guard let latest = complete.last, !config.overwritesOutput else {
        if !config.overwritesOutput, FileManager.default.fileExists(atPath: "\(path)/train_results.json") {
          notices.append("output_dir holds the result of an earlier run, which this one replaces")
        }
        return nil
      }
      throw FireflyError(
        "output_dir holds checkpoint-\(latest.step) of an earlier run", at: path,
        fix: "Continue it with --resume, replace it with \"overwrite_output_dir\": true, or choose another "
          + "output_dir.")
    }
  }

  private func unusable() -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    return names.filter { $0.hasPrefix("checkpoint-") && Int($0.dropFirst("checkpoint-".count)) != nil }
      .sorted()
  }

  /// Takes away what a killed run left half-written and, for a fresh run, an earlier run's checkpoints.
  func clean(fresh: Bool) throws {
    CheckpointFolder.removeLeftovers(in: path)
    if fresh {
      for checkpoint in CheckpointFolder.complete(in: path) { try checkpoint.remove() }
    }
  }
}
