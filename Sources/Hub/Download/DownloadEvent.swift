/// What happens while a model is fetched.
public enum DownloadEvent: Sendable, Equatable {
  /// Bytes that are there, and of all files together.
  case progress(done: Int, total: Int)
  /// A file has come, whole and checked.
  case finished(path: String, bytes: Int)
  /// Another process is fetching this file; it is waited for.
  case waiting(path: String)
  case note(String)
}
