import CPCRE2

/// A compiled regular expression over UTF-8 (PCRE2, compiled to machine code where the processor allows it).
package final class RegularExpression: @unchecked Sendable {
  // The compiled code is never changed after init, and PCRE2 allows matching it from many threads.
  private let code: OpaquePointer

  /// - Parameter pattern: in PCRE2's syntax, or the exact text to find when `literal`.
  package init(_ pattern: String, literal: Bool = false, at place: String) throws {
    var errorCode: Int32 = 0
    var errorOffset = 0
    let options =
      UInt32(PCRE2_UTF) | UInt32(PCRE2_NO_UTF_CHECK)
      | (literal ? PCRE2_LITERAL : UInt32(PCRE2_UCP) | UInt32(PCRE2_MULTILINE))
    let context = pcre2_compile_context_create_8(nil)
    defer { pcre2_compile_context_free_8(context) }
    pcre2_set_newline_8(context, UInt32(PCRE2_NEWLINE_LF))
    let bytes = Array(pattern.utf8)
    let compiled = bytes.withUnsafeBufferPointer {
      pcre2_compile_8($0.baseAddress, $0.count, options, &errorCode, &errorOffset, context)
    }
    guard let compiled else {
      throw FireflyError(
        "not a regular expression: \(RegularExpression.message(errorCode)) at byte \(errorOffset)", at: place,
        found: pattern)
    }
    code = compiled
    pcre2_jit_compile_8(code, UInt32(PCRE2_JIT_COMPLETE))
  }

  deinit { pcre2_code_free_8(code) }

  /// The first match at or after `start`, as byte offsets; `text` must be valid UTF-8.
  package func firstMatch(
    in text: UnsafeBufferPointer<UInt8>, from start: Int, workspace: RegularExpressionWorkspace
  ) throws -> Range<Int>? {
    let result = pcre2_match_8(
      code, text.baseAddress, text.count, start, UInt32(PCRE2_NO_UTF_CHECK), workspace.data,
      workspace.context)
    if result == PCRE2_ERROR_NOMATCH { return nil }
    guard result >= 0, let offsets = pcre2_get_ovector_pointer_8(workspace.data) else {
      throw FireflyError(
        "cannot match the text with a regular expression: \(RegularExpression.message(result))",
        fix: "Shorten the text's longest run without spaces.")
    }
    return offsets[0]..<offsets[1]
  }

  /// Calls `body` with every match, in order; an empty one may stand anywhere but right behind the match before.
  package func forEachMatch(
    in text: UnsafeBufferPointer<UInt8>, workspace: RegularExpressionWorkspace, _ body: (Range<Int>) -> Void
  ) throws {
    var start = 0
    var last: Int?
    while start <= text.count, let match = try firstMatch(in: text, from: start, workspace: workspace) {
      if match.isEmpty && last == match.upperBound {
        // Sought again from the next character on.
        start += 1
        while start < text.count, text[start] & 0xC0 == 0x80 { start += 1 }
      } else {
        body(match)
        start = match.upperBound
        last = start
      }
    }
  }

  /// Whether it matches somewhere in `text`.
  package func matches(_ text: String) throws -> Bool {
    var text = text
    return try text.withUTF8 {
      try firstMatch(in: $0, from: 0, workspace: RegularExpressionWorkspace()) != nil
    }
  }

  private static func message(_ code: Int32) -> String {
    var buffer = [UInt8](repeating: 0, count: 256)
    let count = pcre2_get_error_message_8(code, &buffer, buffer.count)
    return String(decoding: buffer.prefix(Int(max(0, count))), as: UTF8.self)
  }
}

/// What one thread needs to match; serves any expression.
package final class RegularExpressionWorkspace {
  fileprivate let data: OpaquePointer?
  fileprivate let context: OpaquePointer?
  private let stack: OpaquePointer?

  package init() {
    data = pcre2_match_data_create_8(1, nil)
    context = pcre2_match_context_create_8(nil)
    stack = pcre2_jit_stack_create_8(32 << 10, 8 << 20, nil)
    pcre2_jit_stack_assign_8(context, nil, UnsafeMutableRawPointer(stack))
  }

  deinit {
    pcre2_match_data_free_8(data)
    pcre2_match_context_free_8(context)
    pcre2_jit_stack_free_8(stack)
  }
}
