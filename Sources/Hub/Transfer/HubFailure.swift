import CCurl
import FireflyBase
import Foundation

/// Why a request got no answer, or the wrong one; and what to do about it.
struct HubFailure {
  let transfer: Transfer
  let code: CURLcode
  let name: ModelName
  let settings: HubSettings

  /// Whether the same request may succeed a little later.
  var isPassing: Bool {
    if code == CURLE_OK { return [408, 429, 500, 502, 503, 504].contains(transfer.status) }
    return isDisconnection || isBrokenOff
  }

  /// There was no server to talk to.
  var isDisconnection: Bool {
    [
      CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_CONNECT, CURLE_SSL_CONNECT_ERROR,
    ].contains { $0 == code }
  }

  /// A server stopped talking.
  private var isBrokenOff: Bool {
    [
      CURLE_PARTIAL_FILE, CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_GOT_NOTHING, CURLE_OPERATION_TIMEDOUT,
      CURLE_HTTP2, CURLE_HTTP2_STREAM,
    ].contains { $0 == code }
  }

  /// What happened, in a few words.
  var reason: String { code == CURLE_OK ? "status \(transfer.status)" : transfer.text(code) }

  /// - Parameter file: the file that was asked for, if it was one.
  func error(file: String? = nil) -> FireflyError {
    guard code == CURLE_OK else { return unreachable }
    switch transfer.status {
    case 401, 403: return forbidden
    case 404: return absent(file)
    default:
      return FireflyError(
        "the hub does not answer as it should: status \(transfer.status)", at: transfer.url, found: words,
        fix: "Try again later; HF_ENDPOINT names a mirror.")
    }
  }

  private var unreachable: FireflyError {
    if code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL {
      return FireflyError(
        "HF_ENDPOINT is no web address", expected: "such as \(HubSettings.standardEndpoint)",
        found: settings.endpoint)
    }
    return FireflyError(
      "cannot reach the hub: \(transfer.text(code))", at: settings.endpoint,
      fix: "Is this machine online? A mirror is named by HF_ENDPOINT=https://…, a proxy by https_proxy. "
        + "Models that are on this machine already need no network.")
  }

  private var page: String { "\(settings.endpoint)/\(name.repository)" }
  private static let tokens = "\(HubSettings.standardEndpoint)/settings/tokens"

  private var forbidden: FireflyError {
    let errorCode = transfer.headers["x-error-code"]
    if errorCode == "GatedRepo" || (transfer.status == 403 && errorCode == nil) {
      return FireflyError(
        "the model is gated: its owner lets in who has asked", at: name.description, found: words,
        fix: settings.token == nil
          ? "Ask for access at \(page), make a token at \(HubFailure.tokens), and set HF_TOKEN to it."
          : "Ask for access at \(page), with the account of your token (HF_TOKEN).")
    }
    return FireflyError(
      settings.token == nil
        ? "there is no such model on the hub, or not for everyone" : "the hub does not let this token in",
      at: name.description, found: words,
      fix: settings.token == nil
        ? "Check the name at \(page). For a private model, set HF_TOKEN to a token of \(HubFailure.tokens)."
        : "Is the token (HF_TOKEN) still valid, and may it read this model? See \(HubFailure.tokens).")
  }

  private func absent(_ file: String?) -> FireflyError {
    switch transfer.headers["x-error-code"] {
    case "RevisionNotFound":
      return FireflyError(
        "the model has no such revision", at: name.repository, found: name.revision ?? "main",
        fix: "Branches and tags are listed at \(page)/tree/main.")
    case "EntryNotFound":
      return FireflyError(
        "the hub lists a file that it does not have", at: name.description, found: file,
        fix: "Try again later.")
    default:
      return FireflyError(
        "there is no such model on the hub", at: name.description, found: words,
        fix: "Look it up at \(settings.endpoint): names are written Org/Name.")
    }
  }

  /// The server's own, if they are words.
  private var words: String? {
    let body = String(decoding: transfer.errorBody, as: UTF8.self)
    let json = (try? JSONValue.parse(body, source: transfer.url))?["error"]?.string
    guard let text = transfer.headers["x-error-message"] ?? json else { return nil }
    let line = text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : String($0) }.joined()
    return line.isEmpty ? nil : String(line.prefix(200))
  }
}
