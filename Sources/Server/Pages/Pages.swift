/// Pages that are part of the program. What they load is among `Assets`.
enum Pages {
  /// `GET /`: talking to the models.
  static let index = page(PackageResources.chat_html)
  /// `GET /run`: a training run as it goes.
  static let run = page(PackageResources.run_html)

  /// A page may load this server's files and ask this server, and nothing else: no script stands in a page, so text that
  /// became markup would still run nothing.
  private static let policy =
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
    + "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

  /// - Parameter source: names its files as `"/assets/NAME"`.
  private static func page(_ source: [UInt8]) -> HTTPResponse {
    let text = String(decoding: source, as: UTF8.self).replacing("\"/assets/", with: "\"\(Assets.folder)")
    return HTTPResponse(
      status: 200,
      headers: [
        "Content-Security-Policy": policy, "Referrer-Policy": "no-referrer", "Cache-Control": "no-cache",
      ],
      contentType: "text/html; charset=utf-8", body: Array(text.utf8))
  }
}
