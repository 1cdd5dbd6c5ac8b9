import FireflyBase

/// A file of rows, or a folder of plain texts, and how much of it is taken.
public struct DataFile: Equatable, Sendable {
  public var path: String
  /// The part of its rows, above 0 and at most 1; nil for all.
  public var share: Double?
  /// The most rows taken of it; nil for all.
  public var maxRows: Int?

  public init(_ path: String, share: Double? = nil, maxRows: Int? = nil) {
    self.path = path
    self.share = share
    self.maxRows = maxRows
  }
}

/// How many rows are kept out of training, to evaluate on.
public enum HeldOut: Equatable, Sendable {
  /// A part of the rows, between 0 and 1.
  case share(Double)
  case rows(Int)
}

/// Which rows of which files make a data set.
///
/// A row is chosen by what it holds: its bytes make a number from 0 to 1, and a share of 0.3 is the rows below 0.3. So a row's
/// lot does not change when others are added, taken away or moved; a share of n rows is met within about √n. Rows that are
/// the same have the same lot: none of the held-out rows is also trained on.
public struct DataSelection: Equatable, Sendable {
  public enum Part: Equatable, Sendable {
    case training, heldOut
  }

  public var files: [DataFile]
  /// Another seed takes other rows of a file. It does not decide which rows are held out.
  public var seed: UInt64
  /// nil: none.
  public var heldOut: HeldOut?
  /// The most rows that are trained on, of all files; nil for all.
  public var maxRows: Int?
  public var part: Part

  public init(
    _ files: [DataFile], seed: UInt64 = 0, heldOut: HeldOut? = nil, maxRows: Int? = nil,
    part: Part = .training
  ) {
    precondition(!files.isEmpty, "a selection of no file")
    self.files = files
    self.seed = seed
    self.heldOut = heldOut
    self.maxRows = maxRows
    self.part = part
  }

  /// The files as messages name them.
  public var path: String { files.map(\.path).joined(separator: ", ") }

  /// Every row of every file is taken.
  var isWhole: Bool {
    heldOut == nil && maxRows == nil && files.allSatisfy { $0.share == nil && $0.maxRows == nil }
  }

  /// A text that is the same only for selections that choose alike; the data cache goes by it.
  var identity: String {
    func number(_ value: Int?) -> JSONValue { value.map(JSONValue.int) ?? .null }
    let held: JSONValue =
      switch heldOut {
      case nil: .null
      case .share(let share): .array([.string("share"), .double(share)])
      case .rows(let rows): .array([.string("rows"), .int(rows)])
      }
    let files = files.map { file in
      JSONValue.array([file.share.map(JSONValue.double) ?? .null, number(file.maxRows)])
    }
    return JSONValue.array(
      files + [.string("\(seed)"), held, number(maxRows), .string("\(part)")]
    ).text()
  }
}
