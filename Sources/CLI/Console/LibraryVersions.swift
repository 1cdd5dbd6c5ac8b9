import CCrypto
import CCurl
import CGnuTLS
import CMicroHTTPD
import COneDNN
import CPCRE2
import CUTF8Proc
import CYAML
import CZlib

/// The versions of the libraries that this process runs with, as they say themselves.
enum LibraryVersions {
  static var all: [(name: String, version: String)] {
    [
      ("oneDNN", String(cString: onednn_version())),
      ("libmicrohttpd", text(MHD_get_version())),
      ("gnutls", text(gnutls_check_version(nil))),
      ("libcurl", text(curl_version_info(CURLVERSION_FIRST)?.pointee.version)),
      ("openssl", text(OpenSSL_version(OPENSSL_VERSION_STRING))),
      ("pcre2", pcre2),
      ("utf8proc", text(utf8proc_version())),
      ("libyaml", text(yaml_get_version_string())),
      ("zlib", text(zlibVersion())),
    ]
  }

  private static func text(_ pointer: UnsafePointer<CChar>?) -> String {
    pointer.map { String(cString: $0) } ?? "unknown"
  }

  /// As in `10.42 2022-12-11`, of which the number counts.
  private static var pcre2: String {
    var buffer = [UInt8](repeating: 0, count: 64)
    guard pcre2_config_8(UInt32(PCRE2_CONFIG_VERSION), &buffer) > 0 else { return "unknown" }
    return String(decoding: buffer.prefix { $0 != 0 && $0 != UInt8(ascii: " ") }, as: UTF8.self)
  }
}
