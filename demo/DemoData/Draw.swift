/// What one problem draws from: its language, its random numbers, and the words.
package struct Draw {
  package let language: Language
  private var random: SeededRandom

  package init(_ language: Language, _ random: SeededRandom) {
    self.language = language
    self.random = random
  }

  mutating func number(_ range: ClosedRange<Int>) -> Int { random.number(range) }

  mutating func pick<Element>(_ list: [Element]) -> Element { random.pick(list) }

  /// One of the phrasings in this problem's language.
  mutating func say(english: [String], chinese: [String]) -> String {
    random.pick(language == .english ? english : chinese)
  }

  /// A step, labelled in this problem's language.
  func step(_ english: String, _ chinese: String, _ operation: Operation) -> Problem.Step {
    Problem.Step(label: language == .english ? english : chinese, operation: operation)
  }

  func problem(_ family: String, _ question: String, _ steps: Problem.Step...) -> Problem {
    Problem(family: family, language: language, question: question, steps: steps)
  }

  /// As many people as asked for, all different.
  mutating func people(_ count: Int) -> [Person] {
    var left = language == .english ? Person.english : Person.chinese
    return (0..<count).map { _ in left.remove(at: number(0...left.count - 1)) }
  }

  mutating func person() -> Person { people(1)[0] }

  /// As many things of the list as asked for, all different.
  mutating func things(_ count: Int, of list: [Thing]) -> [Thing] {
    var left = list
    return (0..<count).map { _ in
      var thing = left.remove(at: number(0...left.count - 1))
      thing.language = language
      return thing
    }
  }

  mutating func thing(of list: [Thing]) -> Thing { things(1, of: list)[0] }
}

struct Person: Sendable {
  var name: String
  /// Unused in Chinese, which repeats no subject.
  var pronoun = ""

  var capitalPronoun: String { pronoun == "she" ? "She" : "He" }

  static let english =
    ["Mia", "Anna", "Lucy", "Rosa", "Kate", "Nina", "Emma", "Ella"].map { Person(name: $0, pronoun: "she") }
    + ["Tom", "Ben", "Sam", "Leo", "Max", "Paul", "Jack", "Omar"].map { Person(name: $0, pronoun: "he") }

  static let chinese = ["小明", "小红", "小华", "小军", "小丽", "小刚", "小林", "小雨", "小文", "小东", "小天", "小美"]
    .map { Person(name: $0) }
}

struct Thing: Sendable {
  var one: String
  var many: String
  var chinese: String
  /// The Chinese measure word.
  var measure: String
  var language = Language.english

  init(_ one: String, _ many: String, _ chinese: String, _ measure: String) {
    self.one = one
    self.many = many
    self.chinese = chinese
    self.measure = measure
  }

  /// "3 pens", "3支笔".
  func count(_ number: Int) -> String {
    language == .english ? "\(number) \(many)" : "\(number)\(measure)\(chinese)"
  }

  /// The label of a step about this thing: "Pens", "笔".
  var label: String { language == .english ? many.prefix(1).uppercased() + many.dropFirst() : chinese }

  /// What a shop sells by the piece.
  static let goods = [
    Thing("pen", "pens", "笔", "支"), Thing("book", "books", "书", "本"), Thing("ball", "balls", "球", "个"),
    Thing("cup", "cups", "杯子", "个"), Thing("cake", "cakes", "蛋糕", "个"), Thing("hat", "hats", "帽子", "个"),
    Thing("bag", "bags", "包", "个"), Thing("toy", "toys", "玩具", "个"), Thing("map", "maps", "地图", "张"),
    Thing("ticket", "tickets", "票", "张"),
  ]

  /// What one has many of and gives away.
  static let trifles = [
    Thing("card", "cards", "卡片", "张"), Thing("sticker", "stickers", "贴纸", "张"),
    Thing("coin", "coins", "硬币", "个"), Thing("shell", "shells", "贝壳", "颗"),
    Thing("sweet", "sweets", "糖", "颗"), Thing("stamp", "stamps", "邮票", "张"),
    Thing("apple", "apples", "苹果", "个"), Thing("nut", "nuts", "坚果", "颗"),
  ]
}
