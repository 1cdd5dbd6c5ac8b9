import FireflyWeights

/// The names of an adapter that was trained on a model of texts and images, of which the text part is used: within the whole its
/// modules have a longer path.
struct TextPartNames {
  /// The text part's tensors, as its own class names them.
  let store: WeightStore
  /// The names in the file, by these.
  private let fileNames: [String: String]
  /// A line about what is for images; empty where nothing is.
  let notes: [String]

  /// nil where the file's names are a model's own.
  init?(_ file: WeightStore) throws {
    let named = file.names.map { (file: $0, own: TextPartNames.ownName(of: $0)) }
    guard named.contains(where: { $0.own != nil && $0.own != $0.file }) else { return nil }
    store = try file.renamed(TextPartNames.ownName)
    fileNames = named.reduce(into: [:]) { names, name in
      if let own = name.own { names[own] = name.file }
    }
    let images = named.count { $0.own == nil }
    notes =
      images == 0
      ? [] : ["\(file.path): \(images) tensors that are for reading images have no effect on the text part"]
  }

  /// What the file calls a module that has a pair.
  func fileName(of module: String) -> String {
    let ending = ".lora_A.weight"
    guard let name = fileNames[LoRAOptions.filePrefix + module + ending] else { return module }
    return String(name.dropFirst(LoRAOptions.filePrefix.count).dropLast(ending.count))
  }

  private static func ownName(of name: String) -> String? {
    guard name.hasPrefix(LoRAOptions.filePrefix) else { return nil }
    let module = String(name.dropFirst(LoRAOptions.filePrefix.count))
    return TextPart.ownName(of: module).map { LoRAOptions.filePrefix + $0 }
  }

  /// A tensor's name in the file of an adapter for the whole.
  static func wholeName(of name: String) -> String {
    LoRAOptions.filePrefix + TextPart.wholeName(of: String(name.dropFirst(LoRAOptions.filePrefix.count)))
  }
}
