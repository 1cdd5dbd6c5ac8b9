// MARK: - Time, distance, age, length

extension Family {
  static let measures = [
    Family(name: "walking", make: walking), Family(name: "driving", make: driving),
    Family(name: "ages", make: ages), Family(name: "reading", make: reading),
    Family(name: "average", make: average), Family(name: "fence", make: fence),
  ]

  @Sendable private static func walking(_ draw: inout Draw) -> Problem {
    let (speed, hours, more) = (draw.number(3...9), draw.number(2...6), draw.number(2...15))
    let who = draw.person()
    let question = draw.say(
      english: [
        "\(who.name) walks \(speed) km an hour for \(hours) hours and then \(more) km more. How many km is that?",
        "\(who.name) runs \(speed) km a day for \(hours) days. The next day \(who.pronoun) runs \(more) km. How many km is that in all?",
      ],
      chinese: [
        "\(who.name)每小时走\(speed)公里，走了\(hours)小时，又走了\(more)公里。一共多少公里？",
        "\(who.name)每天跑\(speed)公里，跑了\(hours)天，最后一天又跑\(more)公里。一共多少公里？",
      ])
    return draw.problem(
      "walking", question, draw.step("First", "先", .times(speed, hours)),
      draw.step("Total", "一共", .plus(speed * hours, more)))
  }

  @Sendable private static func driving(_ draw: inout Draw) -> Problem {
    let (speed, hours) = (draw.number(11...29), draw.number(2...4))
    let rest = draw.number(3...40)
    let way = speed * hours + rest
    let who = draw.person().name
    let question = draw.say(
      english: [
        "The way is \(way) km. \(who) rides \(speed) km an hour for \(hours) hours. How many km are left?",
        "A town is \(way) km away. \(who) goes \(speed) km each hour. How far is it still after \(hours) hours?",
      ],
      chinese: [
        "全程\(way)公里，\(who)每小时骑\(speed)公里，骑了\(hours)小时。还剩多少公里？",
        "家到城里\(way)公里，\(who)每小时行\(speed)公里。\(hours)小时后还有多少公里？",
      ])
    return draw.problem(
      "driving", question, draw.step("Done", "走了", .times(speed, hours)),
      draw.step("Left", "剩下", .minus(way, speed * hours)))
  }

  @Sendable private static func ages(_ draw: inout Draw) -> Problem {
    let (age, older) = (draw.number(4...30), draw.number(2...18))
    let people = draw.people(2).map(\.name)
    let (a, b) = (people[0], people[1])
    let question = draw.say(
      english: [
        "\(a) is \(age) years old. \(b) is \(older) years older than \(a). How old are they together?",
        "\(b) is \(older) years older than \(a), who is \(age). What is the sum of their ages?",
      ],
      chinese: [
        "\(a)今年\(age)岁，\(b)比\(a)大\(older)岁。两人一共多少岁？",
        "\(b)比\(a)大\(older)岁，\(a)\(age)岁。两人年龄的和是多少？",
      ])
    return draw.problem(
      "ages", question, draw.step(b, b, .plus(age, older)),
      draw.step("Together", "一共", .plus(age, age + older)))
  }

  @Sendable private static func reading(_ draw: inout Draw) -> Problem {
    let (pages, days, rest) = (draw.number(4...15), draw.number(2...6), draw.number(3...40))
    let book = pages * days + rest
    let who = draw.person().name
    let question = draw.say(
      english: [
        "A book has \(book) pages. \(who) reads \(pages) pages a day for \(days) days. How many pages are left?",
        "\(who) reads \(pages) pages every day. The book has \(book) pages. How many pages are left after \(days) days?",
      ],
      chinese: [
        "一本书\(book)页，\(who)每天读\(pages)页，读了\(days)天。还剩多少页？",
        "\(who)每天读\(pages)页，这本书有\(book)页。\(days)天后还有多少页没读？",
      ])
    return draw.problem(
      "reading", question, draw.step("Read", "读了", .times(pages, days)),
      draw.step("Left", "剩下", .minus(book, pages * days)))
  }

  @Sendable private static func average(_ draw: inout Draw) -> Problem {
    let (first, second) = (draw.number(2...15), draw.number(2...15))
    let third = draw.pick((2...15).filter { (first + second + $0) % 3 == 0 })
    let thing = draw.thing(of: Thing.trifles)
    let who = draw.person().name
    let question = draw.say(
      english: [
        "\(who) finds \(thing.count(first)) on Monday, \(second) on Tuesday and \(third) on Wednesday. How many is that a day on average?",
        "Three children have \(first), \(second) and \(third) \(thing.many). They share them all equally. How many does each get?",
      ],
      chinese: [
        "\(who)周一得到\(thing.count(first))，周二\(second)\(thing.measure)，周三\(third)\(thing.measure)。平均每天几\(thing.measure)？",
        "三人各有\(first)、\(second)、\(third)\(thing.measure)\(thing.chinese)，放在一起平均分。每人几\(thing.measure)？",
      ])
    return draw.problem(
      "average", question, draw.step("First two", "前两个", .plus(first, second)),
      draw.step("In all", "一共", .plus(first + second, third)),
      draw.step("Each", "每份", .over(first + second + third, 3)))
  }

  @Sendable private static func fence(_ draw: inout Draw) -> Problem {
    let width = draw.number(2...18)
    let length = width + draw.number(1...15)
    let place = draw.pick([("garden", "花园"), ("field", "菜地"), ("yard", "院子"), ("pool", "水池")])
    let who = draw.person().name
    let question = draw.say(
      english: [
        "A \(place.0) is \(length) m long and \(width) m wide. How many metres of fence go around it?",
        "\(who) walks once around a \(place.0) that is \(length) m long and \(width) m wide. How many metres is that?",
      ],
      chinese: [
        "\(place.1)长\(length)米，宽\(width)米。围一圈要多少米？",
        "\(who)绕长\(length)米、宽\(width)米的\(place.1)走一圈。走了多少米？",
      ])
    return draw.problem(
      "fence", question, draw.step("Long and wide", "长加宽", .plus(length, width)),
      draw.step("Around", "一圈", .times(length + width, 2)))
  }
}
