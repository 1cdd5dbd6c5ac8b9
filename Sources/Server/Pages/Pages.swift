/// Pages that are part of the program: one file each, which loads nothing from elsewhere.
enum Pages {
  /// `GET /`: talking to the models.
  static let index = page(PackageResources.chat_html)
  /// `GET /run`: a training run as it goes.
  static let run = page(PackageResources.run_html)

  private static func page(_ bytes: [UInt8]) -> HTTPResponse {
    HTTPResponse(
      status: 200,
      headers: [
        "Content-Security-Policy":
          "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; "
          + "img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
        "Cache-Control": "no-cache",
      ],
      contentType: "text/html; charset=utf-8", body: String(decoding: bytes, as: UTF8.self))
  }
}
