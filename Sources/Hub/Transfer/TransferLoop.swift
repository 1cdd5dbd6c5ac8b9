import CCurl
import FireflyBase
import Foundation

/// Runs transfers side by side in the thread that asks for it, by libcurl's multi interface.
final class TransferLoop {
  private let multi: UnsafeMutableRawPointer
  private var running: [UnsafeMutableRawPointer: Transfer] = [:]

  init() {
    guard let multi = curl_multi_init() else { preconditionFailure("libcurl does not start") }
    self.multi = multi
  }

  deinit {
    for handle in running.keys { curl_multi_remove_handle(multi, handle) }
    curl_multi_cleanup(multi)
  }

  func add(_ transfer: Transfer) {
    running[transfer.handle] = transfer
    curl_multi_add_handle(multi, transfer.handle)
  }

  /// Moves what can be moved, waiting at most `milliseconds` for something to.
  ///
  /// - Returns: the transfers that ended, and how.
  func step(milliseconds: Int32) -> [(transfer: Transfer, code: CURLcode)] {
    var count: Int32 = 0
    curl_multi_perform(multi, &count)
    let ended = takeEnded()
    if ended.isEmpty { curl_multi_poll(multi, nil, 0, milliseconds, nil) }
    return ended
  }

  private func takeEnded() -> [(Transfer, CURLcode)] {
    var ended: [(Transfer, CURLcode)] = []
    var left: Int32 = 0
    while let message = curl_multi_info_read(multi, &left) {
      guard message.pointee.msg == CURLMSG_DONE, let handle = message.pointee.easy_handle,
        let transfer = running.removeValue(forKey: handle)
      else { continue }
      let code = message.pointee.data.result
      curl_multi_remove_handle(multi, handle)
      ended.append((transfer, code))
    }
    return ended
  }
}
