import FireflyTestSupport
import FireflyTraining
import Foundation
import Testing

@Suite struct EventFileTests {
  /// The check value of CRC-32C, and the vectors of RFC 3720, B.4.
  @Test func crcIsCastagnoli() {
    #expect(crc32c(Array("123456789".utf8)) == 0xe306_9283)
    #expect(crc32c([UInt8](repeating: 0, count: 32)) == 0x8a91_36aa)
    #expect(crc32c([UInt8](repeating: 0xff, count: 32)) == 0x62a8_ab43)
    #expect(crc32c((0..<32).map { UInt8($0) }) == 0x46dd_794e)
  }

  /// Bytes that tensorboard 2.21 wrote and read (tools/reference/tensorboard_check.py --golden).
  @Test func bytesAreTensorBoards() throws {
    let folder = try TemporaryFolder()
    let file = try EventFile(folder: folder.path + "/runs", resumedStep: 6, clock: { 1_700_000_000.5 })
    try file.write([("train/loss", 1.5), ("train/learning_rate", .nan)], step: 300)
    let names = try folder.names("runs")
    #expect(names.count == 1)
    #expect(names[0].hasPrefix("events.out.tfevents.1700000000."))
    let bytes = try folder.data("runs/" + names[0])
    #expect(bytes.base64EncodedString() == golden)
  }

  @Test func twoFilesOfOneSecondDoNotCollide() throws {
    let folder = try TemporaryFolder()
    let first = try EventFile(folder: folder.path, clock: { 0 })
    let second = try EventFile(folder: folder.path, clock: { 0 })
    try first.write([("a", 1)], step: 1)
    try second.write([("a", 2)], step: 2)
    #expect(try folder.names().count == 2)
  }
}

private let golden =
  "GAAAAAAAAACjf0siCQAAIED8VNlBGg1icmFpbi5FdmVudDoyKzUxEA8AAAAAAAAAbVMrCQkAACBA/FTZQRAHOgIIAZ"
  + "vrBqc9AAAAAAAAAGBJ8ewJAAAgQPxU2UEQrAIqLwoRCgp0cmFpbi9sb3NzFQAAwD8KGgoTdHJhaW4vbGVhcm5pbmdf"
  + "cmF0ZRUAAMB/h30nhw=="
