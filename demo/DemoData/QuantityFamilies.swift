// MARK: - Having, sharing, counting

extension Family {
  static let quantities = [
    Family(name: "sharing", make: sharing), Family(name: "boxes", make: boxes),
    Family(name: "fewer", make: fewer), Family(name: "times as many", make: timesAsMany),
    Family(name: "bus", make: bus), Family(name: "packing", make: packing),
  ]

  @Sendable private static func sharing(_ draw: inout Draw) -> Problem {
    let (each, friends, kept) = (draw.number(2...9), draw.number(2...9), draw.number(2...12))
    let all = each * friends + kept
    let thing = draw.thing(of: Thing.trifles)
    let who = draw.person()
    let question = draw.say(
      english: [
        "\(who.name) has \(thing.count(all)). \(who.capitalPronoun) keeps \(kept) and shares the rest equally among \(friends) friends. How many does each friend get?",
        "There are \(thing.count(all)). \(who.name) takes \(kept), and \(friends) children share the others equally. How many does each child get?",
      ],
      chinese: [
        "\(who.name)有\(thing.count(all))，自己留\(kept)\(thing.measure)，其余平均分给\(friends)个朋友。每人几\(thing.measure)？",
        "一共\(thing.count(all))，\(who.name)拿走\(kept)\(thing.measure)，剩下的\(friends)人平均分。每人几\(thing.measure)？",
      ])
    return draw.problem(
      "sharing", question, draw.step("To share", "要分", .minus(all, kept)),
      draw.step("Each", "每人", .over(all - kept, friends)))
  }

  @Sendable private static func boxes(_ draw: inout Draw) -> Problem {
    let (count, each, loose) = (draw.number(2...8), draw.number(2...9), draw.number(2...20))
    let all = count * each + loose
    let sold = draw.number(2...all - 1)
    let thing = draw.thing(of: Thing.goods + Thing.trifles)
    let question = draw.say(
      english: [
        "A shop has \(count) boxes with \(thing.count(each)) each and \(loose) more on the shelf. It sells \(sold). How many are left?",
        "There are \(count) bags of \(thing.count(each)) and \(loose) more \(thing.many) in a drawer. \(sold) are taken away. How many remain?",
      ],
      chinese: [
        "店里有\(count)盒\(thing.chinese)，每盒\(each)\(thing.measure)，另外还有\(loose)\(thing.measure)。卖了\(sold)\(thing.measure)，还剩多少\(thing.measure)？",
        "\(count)包\(thing.chinese)，每包\(each)\(thing.measure)，又来了\(loose)\(thing.measure)，拿走\(sold)\(thing.measure)。还有多少\(thing.measure)？",
      ])
    return draw.problem(
      "boxes", question, draw.step("Packed", "装好", .times(count, each)),
      draw.step("In all", "一共", .plus(count * each, loose)), draw.step("Left", "剩下", .minus(all, sold)))
  }

  @Sendable private static func fewer(_ draw: inout Draw) -> Problem {
    let first = draw.number(8...45)
    let difference = draw.number(2...first - 3)
    let thing = draw.thing(of: Thing.trifles)
    let people = draw.people(2).map(\.name)
    let (a, b) = (people[0], people[1])
    let question = draw.say(
      english: [
        "\(a) has \(thing.count(first)). \(b) has \(difference) fewer than \(a). How many do they have together?",
        "\(a) finds \(thing.count(first)) and \(b) finds \(difference) fewer. How many \(thing.many) do they find in all?",
      ],
      chinese: [
        "\(a)有\(thing.count(first))，\(b)比\(a)少\(difference)\(thing.measure)。两人一共多少\(thing.measure)？",
        "\(a)找到\(thing.count(first))，\(b)少找到\(difference)\(thing.measure)。他们一共找到多少\(thing.measure)？",
      ])
    return draw.problem(
      "fewer", question, draw.step(b, b, .minus(first, difference)),
      draw.step("Together", "一共", .plus(first, first - difference)))
  }

  @Sendable private static func timesAsMany(_ draw: inout Draw) -> Problem {
    let (first, factor) = (draw.number(3...12), draw.number(2...5))
    let lost = draw.number(2...first * factor - 1)
    let thing = draw.thing(of: Thing.trifles)
    let people = draw.people(2).map(\.name)
    let (a, b) = (people[0], people[1])
    let question = draw.say(
      english: [
        "\(a) has \(thing.count(first)). \(b) has \(factor) times as many as \(a) and then loses \(lost). How many does \(b) have now?",
        "\(b) has \(factor) times as many \(thing.many) as \(a), who has \(first). \(b) gives \(lost) away. How many are left for \(b)?",
      ],
      chinese: [
        "\(a)有\(thing.count(first))，\(b)的是\(a)的\(factor)倍，又用掉\(lost)\(thing.measure)。\(b)还有多少\(thing.measure)？",
        "\(b)的\(thing.chinese)是\(a)的\(factor)倍，\(a)有\(first)\(thing.measure)。\(b)送出\(lost)\(thing.measure)，还剩多少\(thing.measure)？",
      ])
    return draw.problem(
      "times as many", question, draw.step("First", "原来", .times(first, factor)),
      draw.step("Left", "剩下", .minus(first * factor, lost)))
  }

  @Sendable private static func bus(_ draw: inout Draw) -> Problem {
    let start = draw.number(15...50)
    let (off, on) = (draw.number(2...12), draw.number(2...20))
    let again = draw.number(2...start - off + on - 1)
    let question = draw.say(
      english: [
        "There are \(start) people on a bus. \(off) get off and \(on) get on. Then \(again) get off. How many are still on it?",
        "A train has \(start) people. At the first stop \(off) leave and \(on) come in. At the next stop \(again) leave. How many are left?",
      ],
      chinese: [
        "车上有\(start)人，下去\(off)人，上来\(on)人，又下去\(again)人。车上还有多少人？",
        "店里有\(start)人，走了\(off)人，来了\(on)人，又走了\(again)人。现在有多少人？",
      ])
    return draw.problem(
      "bus", question, draw.step("After \(off) leave", "走\(off)人", .minus(start, off)),
      draw.step("After \(on) come", "来\(on)人", .plus(start - off, on)),
      draw.step("After \(again) leave", "走\(again)人", .minus(start - off + on, again)))
  }

  @Sendable private static func packing(_ draw: inout Draw) -> Problem {
    let (hens, eggs) = (draw.number(2...9), draw.number(2...9))
    let size = draw.pick((2...9).filter { hens * eggs % $0 == 0 && hens * eggs / $0 <= 12 })
    let who = draw.person().name
    let question = draw.say(
      english: [
        "\(who) has \(hens) hens and each lays \(eggs) eggs. The eggs go into boxes of \(size). How many boxes are filled?",
        "\(hens) hens lay \(eggs) eggs each. One box holds \(size) eggs. How many boxes does \(who) need?",
      ],
      chinese: [
        "\(hens)只鸡每只生\(eggs)个蛋，\(size)个装一盒。能装几盒？",
        "\(who)有\(hens)只鸡，每只生\(eggs)个蛋，每盒放\(size)个。要几个盒子？",
      ])
    return draw.problem(
      "packing", question, draw.step("Eggs", "蛋", .times(hens, eggs)),
      draw.step("Boxes", "盒子", .over(hens * eggs, size)))
  }
}
