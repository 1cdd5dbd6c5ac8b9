/// A kind of problem: draws its numbers and words.
package struct Family: Sendable {
  package let name: String
  package let make: @Sendable (inout Draw) -> Problem

  package static let all = money + quantities + measures
}

// MARK: - Buying, earning, saving

extension Family {
  static let money = [
    Family(name: "shopping", make: shopping), Family(name: "change", make: change),
    Family(name: "half price", make: halfPrice), Family(name: "saving", make: saving),
    Family(name: "wages", make: wages), Family(name: "unit price", make: unitPrice),
  ]

  @Sendable private static func shopping(_ draw: inout Draw) -> Problem {
    let (a, b) = (draw.number(2...6), draw.number(2...6))
    let (p, q) = (draw.number(2...9), draw.number(2...9))
    let things = draw.things(2, of: Thing.goods)
    let (x, y) = (things[0], things[1])
    let who = draw.person().name
    let question = draw.say(
      english: [
        "\(who) buys \(x.count(a)) at \(p) dollars each and \(y.count(b)) at \(q) dollars each. How much does \(who) pay?",
        "One \(x.one) costs \(p) dollars and one \(y.one) costs \(q) dollars. How much are \(x.count(a)) and \(y.count(b))?",
        "\(who) wants \(x.count(a)) for \(p) dollars each and \(y.count(b)) for \(q) dollars each. How much money is that in all?",
      ],
      chinese: [
        "\(who)买\(x.count(a))，每\(x.measure)\(p)元，又买\(y.count(b))，每\(y.measure)\(q)元。一共多少元？",
        "\(x.chinese)每\(x.measure)\(p)元，\(y.chinese)每\(y.measure)\(q)元。买\(x.count(a))和\(y.count(b))要多少元？",
      ])
    return draw.problem(
      "shopping", question, draw.step(x.label, x.label, .times(a, p)),
      draw.step(y.label, y.label, .times(b, q)),
      draw.step("Total", "一共", .plus(a * p, b * q)))
  }

  @Sendable private static func change(_ draw: inout Draw) -> Problem {
    let (n, p) = (draw.number(2...9), draw.number(2...9))
    let note = draw.pick([20, 50, 100].filter { $0 > n * p })
    let thing = draw.thing(of: Thing.goods)
    let who = draw.person().name
    let question = draw.say(
      english: [
        "\(who) buys \(thing.count(n)) at \(p) dollars each and pays with a \(note)-dollar note. How much change does \(who) get?",
        "One \(thing.one) costs \(p) dollars. \(who) takes \(n) and pays with \(note) dollars. How much change is there?",
        "\(who) has \(note) dollars and buys \(thing.count(n)) for \(p) dollars each. How many dollars are left?",
      ],
      chinese: [
        "\(who)买\(thing.count(n))，每\(thing.measure)\(p)元，付了\(note)元。应找回多少元？",
        "\(thing.chinese)每\(thing.measure)\(p)元。\(who)有\(note)元，买了\(n)\(thing.measure)，还剩多少元？",
      ])
    return draw.problem(
      "change", question, draw.step("Cost", "花了", .times(n, p)), draw.step("Left", "剩下", .minus(note, n * p)))
  }

  @Sendable private static func halfPrice(_ draw: inout Draw) -> Problem {
    let (half, n) = (draw.number(2...12), draw.number(2...9))
    let thing = draw.thing(of: Thing.goods)
    let who = draw.person().name
    let question = draw.say(
      english: [
        "One \(thing.one) costs \(2 * half) dollars. Today it is half price. How much do \(thing.count(n)) cost today?",
        "All \(thing.many) are half price. The old price was \(2 * half) dollars each. How much does \(who) pay for \(n)?",
      ],
      chinese: [
        "\(thing.chinese)原价每\(thing.measure)\(2 * half)元，今天半价。买\(n)\(thing.measure)要多少元？",
        "今天\(thing.chinese)半价，原价\(2 * half)元。\(who)买\(thing.count(n))，要付多少元？",
      ])
    return draw.problem(
      "half price", question, draw.step("Half price", "半价", .over(2 * half, 2)),
      draw.step("Cost", "花了", .times(half, n)))
  }

  @Sendable private static func saving(_ draw: inout Draw) -> Problem {
    let (amount, weeks) = (draw.number(3...9), draw.number(3...9))
    let spent = draw.number(2...amount * weeks - 2)
    let who = draw.person()
    let question = draw.say(
      english: [
        "\(who.name) saves \(amount) dollars a week for \(weeks) weeks and then spends \(spent) dollars. How much is left?",
        "\(who.name) gets \(amount) dollars a day for \(weeks) days. \(who.capitalPronoun) gives \(spent) dollars to a friend. How much does \(who.pronoun) keep?",
      ],
      chinese: [
        "\(who.name)每周存\(amount)元，存了\(weeks)周，花了\(spent)元。还剩多少元？",
        "\(who.name)每天得\(amount)元，得了\(weeks)天，给了朋友\(spent)元。还有多少元？",
      ])
    return draw.problem(
      "saving", question, draw.step("Saved", "存了", .times(amount, weeks)),
      draw.step("Left", "剩下", .minus(amount * weeks, spent)))
  }

  @Sendable private static func wages(_ draw: inout Draw) -> Problem {
    let rate = draw.number(3...9)
    let (first, second) = (draw.number(2...6), draw.number(2...6))
    let who = draw.person()
    let question = draw.say(
      english: [
        "\(who.name) earns \(rate) dollars an hour. \(who.capitalPronoun) works \(first) hours on Monday and \(second) hours on Tuesday. How much does \(who.pronoun) earn?",
        "\(who.name) works \(first) hours today and \(second) hours tomorrow for \(rate) dollars an hour. How much money is that?",
      ],
      chinese: [
        "\(who.name)每小时挣\(rate)元，周一做\(first)小时，周二做\(second)小时。一共挣多少元？",
        "\(who.name)今天做\(first)小时，明天做\(second)小时，每小时\(rate)元。一共多少元？",
      ])
    return draw.problem(
      "wages", question, draw.step("Hours", "时间", .plus(first, second)),
      draw.step("Pay", "挣了", .times(first + second, rate)))
  }

  @Sendable private static func unitPrice(_ draw: inout Draw) -> Problem {
    let (few, price) = (draw.number(2...6), draw.number(2...9))
    let many = draw.pick((2...9).filter { $0 != few })
    let thing = draw.thing(of: Thing.goods)
    let question = draw.say(
      english: [
        "\(thing.count(few)) cost \(few * price) dollars. How much do \(thing.count(many)) cost?",
        "The price of \(thing.count(few)) is \(few * price) dollars. What is the price of \(many)?",
      ],
      chinese: [
        "\(thing.count(few))\(few * price)元，\(thing.count(many))多少元？",
        "买\(thing.count(few))要\(few * price)元，买\(many)\(thing.measure)要多少元？",
      ])
    return draw.problem(
      "unit price", question, draw.step("One", "每\(thing.measure)", .over(few * price, few)),
      draw.step("Cost", "花了", .times(price, many)))
  }
}
