/// Texts and their translations, found by a text or by a template with its places filled.
struct Catalogue: Sendable {
  fileprivate struct Entry: Sendable {
    let original: Template
    let translation: Template
  }

  fileprivate private(set) var exact: [String: String] = [:]
  /// Templates by the word that they begin with, else by the one that they end with, and those with neither.
  private var beginning: [Substring: [Entry]] = [:]
  private var ending: [Substring: [Entry]] = [:]
  private var others: [Entry] = []

  /// - Parameter tables: lines of a text, each followed by one of `= ` and the translation.
  init(_ tables: [String]) {
    for table in tables {
      var original = ""
      for line in table.split(separator: "\n") {
        if line.hasPrefix("= ") {
          add(original, String(line.dropFirst(2)))
        } else {
          original = String(line)
        }
      }
    }
  }

  private mutating func add(_ original: String, _ translation: String) {
    let entry = Entry(original: Template(original), translation: Template(translation))
    let (first, last) = (entry.original.literals[0], entry.original.literals[entry.original.places])
    if entry.original.places == 0 {
      exact[original] = translation
    } else if first.contains(" "), let word = first.split(separator: " ").first {
      beginning[word, default: []].append(entry)
    } else if last.contains(" "), let word = last.split(separator: " ").last {
      ending[word, default: []].append(entry)
    } else {
      others.append(entry)
    }
  }

  /// The templates that may match the text: those that begin as it does come first, then those that say more.
  fileprivate func candidates(_ text: Substring) -> [Entry] {
    guard let first = text.split(separator: " ", maxSplits: 1).first else { return [] }
    let last = text.lastIndex(of: " ").map { text[text.index(after: $0)...] } ?? first
    let rest = (ending[last] ?? []) + others
    return (beginning[first] ?? []) + rest.sorted { $0.original.weight > $1.original.weight }
  }

  // MARK: - Translating

  /// The translation, as far as there is one; spaces around the text stay.
  func translation(of text: String) -> String {
    let inner = text.drop { $0 == " " }
    let core = inner.withoutSpacesBehind
    var reader = Reader(catalogue: self)
    guard let reading = reader.reading(core, depth: 0) else { return text }
    return text.prefix(text.count - inner.count) + reading.text + inner.dropFirst(core.count)
  }

  /// Of a place such as `rows.jsonl: line 5`, whose names stay as they are.
  func place(_ text: String) -> String {
    text.split(separator: ": ", omittingEmptySubsequences: false).map { piece in
      var reader = Reader(catalogue: self)
      return reader.reading(piece, depth: Reader.deepest - 1)?.text ?? String(piece)
    }.joined(separator: ": ")
  }
}

/// How a text is understood.
private struct Reading {
  let text: String
  /// How many texts of the catalogue it is made of.
  let entries: Int
  /// Bytes of the original that are explained: in the catalogue, or evidently data.
  let explained: Int
  /// Bytes of plain words that are neither.
  let strange: Int

  var isTranslated: Bool { entries > 0 }

  func isBetter(than other: Reading) -> Bool {
    (explained, -entries) > (other.explained, -other.entries)
  }
}

/// Finds the reading of one text of which the catalogue explains most: the text itself, a template whose fillings are read
/// in turn, or parts that punctuation puts together.
private struct Reader {
  let catalogue: Catalogue
  private var known: [Substring: Reading?] = [:]

  /// Texts stand within texts within texts.
  static let deepest = 8
  /// Longer texts are data.
  private static let longest = 4000

  init(catalogue: Catalogue) { self.catalogue = catalogue }

  /// - Parameter text: without spaces around it.
  /// - Returns: nil where too much stays strange: then the text is none of the catalogue's.
  mutating func reading(_ text: Substring, depth: Int) -> Reading? {
    if let translation = catalogue.exact[String(text)] {
      return Reading(text: translation, entries: 1, explained: text.utf8.count, strange: 0)
    }
    guard depth < Reader.deepest, !text.isEmpty, text.utf8.count <= Reader.longest else { return nil }
    if let reading = known[text] { return reading }
    var best: Reading?
    func consider(_ reading: Reading?) {
      if let reading, best.map(reading.isBetter) ?? true { best = reading }
    }
    // Of two readings as good as each other, the first one holds.
    let candidates = catalogue.candidates(text)
    for entry in candidates where entry.original.isDistinct { consider(filled(entry, text, depth)) }
    if !text.contains("  ") {
      for (mark, own) in [("; ", "；"), (", ", "，")] {
        consider(joined(text.split(separator: mark, omittingEmptySubsequences: false), mark, own, depth))
      }
      // What is one entry may have colons and several sentences.
      for (mark, own) in [(": ", "："), (", or ", "，或")] {
        for place in text.ranges(of: mark) {
          consider(joined([text[..<place.lowerBound], text[place.upperBound...]], mark, own, depth))
        }
      }
      for stop in text.ranges(of: ". ") {
        consider(joined([text[...stop.lowerBound], text[stop.upperBound...]], " ", "", depth))
      }
      consider(stopped(text, depth))
      consider(bracketed(text, depth))
      consider(counted(text, depth))
    }
    for entry in candidates where !entry.original.isDistinct { consider(filled(entry, text, depth)) }
    known[text] = .some(best)
    return best
  }

  private mutating func filled(_ entry: Catalogue.Entry, _ text: Substring, _ depth: Int) -> Reading? {
    guard let places = entry.original.match(Array(text.utf8)) else { return nil }
    let parts = zip(places, entry.original.quoted).map { place, isQuoted in
      isQuoted ? Reader.data(text.part(place)) : filling(text.part(place), depth)
    }
    let strange = parts.reduce(0) { $0 + $1.strange }
    guard strange == 0 || entry.original.isDistinct else { return nil }
    return Reading(
      text: entry.translation.filled(parts.map { ($0.text, $0.isTranslated) }),
      entries: parts.reduce(1) { $0 + $1.entries },
      explained: parts.reduce(entry.original.weight) { $0 + $1.explained }, strange: 0)
  }

  /// What stands in a place, translated where it can be.
  private mutating func filling(_ text: Substring, _ depth: Int) -> Reading {
    let core = text.drop { $0 == " " }.withoutSpacesBehind
    if Reader.isData(core) { return Reader.data(text) }
    if let reading = reading(core, depth: depth + 1) { return reading }
    return Reading(text: String(text), entries: 0, explained: 0, strange: Reader.plainWords(core))
  }

  /// Whether it is evidently no text: quoted, a path, JSON or numbers.
  private static func isData(_ text: Substring) -> Bool {
    guard let first = text.first, let last = text.last else { return true }
    switch first {
    case "\"", "'": return last == first
    case "{": return last == "}"
    case "[": return last == "]"
    case "/", "~", ".": return !["; ", ": ", ", "].contains { text.contains($0) }
    default: return !text.contains(where: \.isLetter)
    }
  }

  /// What is the user's own stays as it is.
  private static func data(_ text: Substring) -> Reading {
    Reading(text: String(text), entries: 0, explained: text.utf8.count, strange: 0)
  }

  /// Bytes of words such as a sentence is made of: small letters alone.
  private static func plainWords(_ text: Substring) -> Int {
    text.split { " ,;:()".contains($0) }.reduce(0) { sum, word in
      let isPlain = word.utf8.count > 1 && word.utf8.allSatisfy { (0x61...0x7A).contains($0) || $0 == 0x27 }
      return isPlain ? sum + word.utf8.count : sum
    }
  }

  // MARK: - Texts of several

  /// Parts with a mark between them, `a; b`. Between two translations it is this language's own.
  private mutating func joined(_ texts: [Substring], _ mark: String, _ own: String, _ depth: Int) -> Reading?
  {
    guard texts.count > 1 else { return nil }
    let parts = texts.map { filling($0, depth) }
    var text = parts[0].text
    var marks = 0
    for (before, part) in zip(parts, parts.dropFirst()) {
      let isOwn = (before.isTranslated || before.text.isEmpty) && part.isTranslated
      if isOwn { marks += mark.utf8.count }
      // A sentence has its stop already.
      text += text.last.map { "。？".contains($0) } ?? false ? "" : isOwn ? own : mark
      text += part.text
    }
    return Reader.sum(parts, text, marks: marks)
  }

  /// A sentence whose stop is not in the catalogue.
  private mutating func stopped(_ text: Substring, _ depth: Int) -> Reading? {
    guard text.hasSuffix(".") else { return nil }
    let part = filling(text.dropLast(), depth)
    return Reader.sum([part], part.text + "。", marks: 1)
  }

  /// A name and its number: `weights 6.10 GiB`.
  private mutating func counted(_ text: Substring, _ depth: Int) -> Reading? {
    guard let digit = text.firstIndex(where: \.isNumber), digit > text.startIndex,
      text[text.index(before: digit)] == " "
    else { return nil }
    let parts = [filling(text[..<digit], depth), filling(text[digit...], depth)]
    return Reader.sum(parts, "\(parts[0].text) \(parts[1].text)", marks: 1)
  }

  /// `(a)` and `a (b)`.
  private mutating func bracketed(_ text: Substring, _ depth: Int) -> Reading? {
    guard text.hasSuffix(")") else { return nil }
    if text.hasPrefix("(") {
      let inner = filling(text.dropFirst().dropLast(), depth)
      return Reader.sum([inner], "（\(inner.text)）", marks: 2)
    }
    guard let open = text.ranges(of: " (").last else { return nil }
    let parts = [
      filling(text[..<open.lowerBound], depth), filling(text[open.upperBound...].dropLast(), depth),
    ]
    return Reader.sum(parts, "\(parts[0].text)（\(parts[1].text)）", marks: 3)
  }

  /// Nil where no part is in the catalogue or most is strange: then the marks are the user's.
  ///
  /// - Parameter marks: bytes of those that stand between two texts of the catalogue.
  private static func sum(_ parts: [Reading], _ text: String, marks: Int) -> Reading? {
    let explained = parts.reduce(marks) { $0 + $1.explained }
    let strange = parts.reduce(0) { $0 + $1.strange }
    let entries = parts.reduce(0) { $0 + $1.entries }
    guard entries > 0, explained >= strange else { return nil }
    return Reading(text: text, entries: entries, explained: explained, strange: strange)
  }
}

extension Substring {
  fileprivate var withoutSpacesBehind: Substring {
    var text = self
    while text.last == " " { text.removeLast() }
    return text
  }

  /// - Parameter range: of the text's bytes, between characters.
  fileprivate func part(_ range: Range<Int>) -> Substring {
    self[
      utf8.index(startIndex, offsetBy: range.lowerBound)..<utf8.index(startIndex, offsetBy: range.upperBound)]
  }
}
