import CCard
import CCardChecks
import CCardEmulator
import FireflyBase
import FireflyCards
import Foundation
import Testing

/// Every kernel and product against a naive version in double precision: Tests/CardChecks.
@Suite struct KernelTests {
  /// What the checks have said so far.
  private final class Report {
    var count = 0
    var wrong: [String] = []
  }

  private func check(_ card: UnsafeMutablePointer<card>) {
    let report = Report()
    let wrong = withExtendedLifetime(report) {
      card_run_checks(
        card,
        { context, name, worst in
          guard let context else { return }
          let report = Unmanaged<Report>.fromOpaque(context).takeUnretainedValue()
          report.count += 1
          if !(worst <= 1) { report.wrong.append("\(String(cString: name)): \(worst)") }
        }, Unmanaged.passUnretained(report).toOpaque())
    }
    #expect(wrong == 0, "\(report.wrong.prefix(10).joined(separator: "\n"))")
    #expect(report.count > 1000)
  }

  /// Threads in a random order; tools/card_check/faults.sh takes others too.
  @Test func kernelsOnTheEmulatedCard() {
    let card = card_emulate(3, 1 << 30)
    defer { card_emulator_end(card) }
    check(card)
    #expect(card_emulator_used(card) == 0)
  }

  /// The code that talks to a driver and to cuBLAS, with a library in their place, whose threads run in order.
  @Test func kernelsThroughTheDriversInterface() throws {
    var opened: UnsafeMutablePointer<card>?
    var detail: UnsafePointer<CChar>?
    let absence = card_open_cuda(0, StandIn.path, StandIn.path, &opened, &detail)
    try #require(absence == CARD_FOUND, "\(detail.map { String(cString: $0) } ?? "")")
    check(try #require(opened))
  }
}

/// The shared library that stands in for a card's driver and cuBLAS; it lies beside the tests.
enum StandIn {
  static let path: String = {
    let tests = Bundle.main.executablePath ?? CommandLine.arguments[0]
    return URL(filePath: tests).deletingLastPathComponent().appending(path: "libCardStandIn.so").path()
  }()
}
