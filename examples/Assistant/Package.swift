// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "Assistant",
  dependencies: [.package(name: "Firefly", path: "../..")],
  targets: [
    .executableTarget(name: "Assistant", dependencies: [.product(name: "Firefly", package: "Firefly")])
  ]
)
