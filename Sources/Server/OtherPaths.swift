/// Paths of OpenAI's, vllm's and llama-server's services that this one does not have, and what to say there.
enum OtherPaths {
  /// The first part of a path, and why there is nothing behind it.
  private static let reasons: [(start: String, reason: String)] = [
    ("/embedding", "Use /v1/embeddings."), ("/pooling", "Use /v1/embeddings."),
    ("/v1/rerank", noScores), ("/rerank", noScores), ("/v1/score", noScores), ("/score", noScores),
    ("/classify", noScores),
    ("/v1/responses", chat), ("/v1/messages", chat), ("/v1/assistants", chat), ("/v1/threads", chat),
    ("/v1/conversations", chat), ("/v1/realtime", chat), ("/api/chat", chat), ("/api/generate", chat),
    ("/completion", "Use /v1/completions."), ("/infill", "Use /v1/completions."),
    ("/v1/moderations", text), ("/v1/audio", text), ("/v1/images", text), ("/v1/videos", text),
    ("/v1/files", nothingKept), ("/v1/uploads", nothingKept), ("/v1/batches", nothingKept),
    ("/v1/vector_stores", nothingKept), ("/v1/evals", nothingKept),
    ("/v1/chat/completions", nothingKept),
    ("/v1/fine_tuning", "Models are trained with firefly train."),
  ]

  private static let noScores = "A model that continues texts is served, and it gives no scores."
  private static let chat = "Use /v1/chat/completions."
  private static let text = "A model is served that reads and writes text."
  private static let nothingKept = "Nothing of a request is kept here."

  /// The refusal of a path that is elsewhere known; nil for others.
  static func refusal(of path: String) -> APIError? {
    reasons.first { path == $0.start || path.hasPrefix($0.start + "/") }.map { refusal(path, $0.reason) }
  }

  static func refusal(_ path: String, _ reason: String) -> APIError {
    APIError(
      status: 404, message: "This server does not have \(path.prefix(100)). \(reason)",
      type: "invalid_request_error", code: "unsupported_path")
  }
}
