// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "FineTuning",
  dependencies: [.package(name: "Firefly", path: "../..")],
  targets: [
    .executableTarget(name: "FineTuning", dependencies: [.product(name: "Firefly", package: "Firefly")])
  ]
)
