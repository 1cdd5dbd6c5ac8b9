import FireflyBase

/// Files that the pages load. Nothing comes from elsewhere: the program answers without a network.
///
/// They are served under a path that holds a hash of them all: a browser may keep what it has, and another version of the
/// program has another path.
package enum Assets {
  /// Where they are served; ends in a slash.
  static let folder = "/assets/\(hash)/"

  private struct Asset {
    let type: String
    let bytes: [UInt8]
    /// Whether the bytes are gzip's, as the libraries' are: each byte that is embedded costs time when the program is built.
    var isPacked = false
  }

  private static let style = "text/css; charset=utf-8"
  private static let script = "text/javascript; charset=utf-8"

  /// What the studio's page draws with too.
  package static let curves = PackageResources.curves_js

  private static let table: [String: Asset] = [
    "style.css": Asset(type: style, bytes: PackageResources.style_css),
    "chat.css": Asset(type: style, bytes: PackageResources.chat_css),
    "answer.css": Asset(type: style, bytes: PackageResources.answer_css),
    "run.css": Asset(type: style, bytes: PackageResources.run_css),
    "icon.svg": Asset(type: "image/svg+xml", bytes: PackageResources.icon_svg),
    "common.js": Asset(type: script, bytes: PackageResources.common_js),
    "toast.js": Asset(type: script, bytes: PackageResources.toast_js),
    "problems.js": Asset(type: script, bytes: PackageResources.problems_js),
    "chat.js": Asset(type: script, bytes: PackageResources.chat_js),
    "chat-settings.js": Asset(type: script, bytes: PackageResources.chat_settings_js),
    "chat-words.js": Asset(type: script, bytes: PackageResources.chat_words_js),
    "conversations.js": Asset(type: script, bytes: PackageResources.conversations_js),
    "answers.js": Asset(type: script, bytes: PackageResources.answers_js),
    "markdown.js": Asset(type: script, bytes: PackageResources.markdown_js),
    "code.js": Asset(type: script, bytes: PackageResources.code_js),
    "math.js": Asset(type: script, bytes: PackageResources.math_js),
    "run.js": Asset(type: script, bytes: PackageResources.run_js),
    "run-words.js": Asset(type: script, bytes: PackageResources.run_words_js),
    "curves.js": Asset(type: script, bytes: curves),
    "chart.js": Asset(type: script, bytes: PackageResources.chart_js),
    "katex.js": Asset(type: script, bytes: PackageResources.katex_js_gz, isPacked: true),
    "prism.js": Asset(type: script, bytes: PackageResources.prism_js_gz, isPacked: true),
  ]

  private static let hash: String = {
    var hash = StableHash()
    for (name, asset) in table.sorted(by: { $0.key < $1.key }) {
      hash.add(name.utf8)
      hash.add(asset.bytes)
    }
    return hash.text
  }()

  /// The file at a path; nil where there is none, as under another version's hash.
  static func response(_ path: String) -> HTTPResponse? {
    guard path.hasPrefix(folder), let asset = table[String(path.dropFirst(folder.count))] else { return nil }
    var headers = ["Cache-Control": "public, max-age=31536000, immutable"]
    if asset.isPacked { headers["Content-Encoding"] = "gzip" }
    return HTTPResponse(status: 200, headers: headers, contentType: asset.type, body: asset.bytes)
  }
}
