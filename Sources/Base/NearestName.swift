/// The name that `word` was probably meant to be: fewest edits, at most a third of its length and one more;
/// nil for words longer than any name.
package func nearestName(to word: String, among names: some Collection<String>) -> String? {
  guard word.utf8.count <= 100 else { return nil }
  let limit = word.count / 3 + 1
  let ranked = names.sorted().map { (name: $0, edits: editDistance(word, $0)) }
  return ranked.min { $0.edits < $1.edits }.flatMap { $0.edits <= limit ? $0.name : nil }
}

/// Levenshtein distance in characters.
private func editDistance(_ first: String, _ second: String) -> Int {
  let second = Array(second)
  var row = Array(0...second.count)
  for (index, letter) in first.enumerated() {
    var diagonal = row[0]
    row[0] = index + 1
    for column in second.indices {
      let substitution = diagonal + (letter == second[column] ? 0 : 1)
      diagonal = row[column + 1]
      row[column + 1] = min(substitution, diagonal + 1, row[column] + 1)
    }
  }
  return row[second.count]
}
