/// Pages that are part of the program.
enum Pages {
  /// `GET /`. It may load nothing from elsewhere and run no script but its own.
  static let index = HTTPResponse(
    status: 200,
    headers: [
      "Content-Security-Policy":
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; "
        + "img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
      "Cache-Control": "no-cache",
    ],
    contentType: "text/html; charset=utf-8", body: IndexPage.html)
}
