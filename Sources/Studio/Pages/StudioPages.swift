import FireflyServer

/// The files of the studio's page, which loads nothing from elsewhere and has no script within its markup.
enum StudioPages {
  private static let files: [String: (bytes: [UInt8], type: String)] = [
    "/": (PackageResources.studio_html, "text/html"),
    "/studio.css": (PackageResources.studio_css, "text/css"),
    "/studio.js": (PackageResources.studio_js, "text/javascript"),
    "/words.js": (PackageResources.words_js, "text/javascript"),
    "/kit.js": (PackageResources.kit_js, "text/javascript"),
    "/setup.js": (PackageResources.setup_js, "text/javascript"),
    "/data.js": (PackageResources.data_js, "text/javascript"),
    "/runs.js": (PackageResources.runs_js, "text/javascript"),
    "/curves.js": (Assets.curves, "text/javascript"),
    "/chart.js": (PackageResources.chart_js, "text/javascript"),
    "/use.js": (PackageResources.use_js, "text/javascript"),
  ]

  static func page(_ path: String) -> HTTPResponse? {
    guard let file = files[path] else { return nil }
    return HTTPResponse(
      status: 200,
      headers: [
        "Content-Security-Policy":
          "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; "
          + "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
        "Cache-Control": "no-cache",
      ],
      contentType: "\(file.type); charset=utf-8", body: String(decoding: file.bytes, as: UTF8.self))
  }
}
