import CCard
import FireflyBase

/// What a card says, as a message.
enum CardFailure {
  /// - Parameters:
  ///   - what: was to be done.
  ///   - result: of a function of the card's table.
  static func error(_ card: UnsafeMutablePointer<CCard.card>, _ what: String, _ result: Int32) -> FireflyError
  {
    let problem = String(cString: card.pointee.problem(card))
    return FireflyError(
      "the card failed", at: String(cString: card.pointee.name), found: "\(what): \(problem)",
      fix: "Look at the system's log (dmesg, nvidia-smi). A run goes on from its last checkpoint.")
  }

  static func outOfMemory(
    _ card: UnsafeMutablePointer<CCard.card>, asked: Int, used: Int
  ) -> FireflyError {
    var (free, total) = (0, 0)
    _ = card.pointee.memory(card, &free, &total)
    return FireflyError(
      "the card's memory is used up", at: String(cString: card.pointee.name),
      found: "\(asked) bytes more than the \(used) in use, of \(total) of which \(free) are free",
      fix: "Take shorter rows (max_seq_length) or fewer at a time (per_device_train_batch_size, with more "
        + "gradient_accumulation_steps), gradient_checkpointing, or 4-bit weights; `firefly plan` counts them."
    )
  }
}
