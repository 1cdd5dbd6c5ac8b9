// swift-tools-version: 6.2
import PackageDescription

// The server's pages, and what they load.
let pageFiles = [
  "chat.html", "run.html", "style.css", "chat.css", "answer.css", "run.css", "icon.svg", "common.js",
  "toast.js", "problems.js", "chat.js", "chat-settings.js", "chat-words.js", "conversations.js", "answers.js",
  "markdown.js", "code.js", "math.js", "run.js", "run-words.js", "curves.js", "chart.js",
  "vendor/katex.js.gz",
  "vendor/prism.js.gz",
]

// The commit that `firefly env` tells; the Makefile says it, so that a build without it leaves nothing old behind.
let commit = Context.environment["FIREFLY_COMMIT"] ?? ""

// Targets stand in the order of the data's way; a target may import only what it lists.
let package = Package(
  name: "Firefly",
  products: [
    .executable(name: "firefly", targets: ["FireflyCommand"]),
    .library(name: "Firefly", targets: ["Firefly"]),
    // For tests: opened in the place of a card's driver.
    .library(name: "CardStandIn", type: .dynamic, targets: ["CCardStandIn"]),
  ],
  targets: [
    // MARK: - C and C++ beneath
    .target(
      name: "CBuild", path: "Sources/C/Build",
      cSettings: commit.isEmpty ? [] : [.define("FIREFLY_COMMIT", to: commit)]),
    .target(name: "CKernels", path: "Sources/C/Kernels", cSettings: [.headerSearchPath(".")]),
    .target(
      name: "CTiles", dependencies: ["CKernels"], path: "Sources/C/Tiles",
      cSettings: [.headerSearchPath(".")]),
    .target(name: "CSilicon", dependencies: ["CTiles"], path: "Sources/C/Silicon"),
    .target(name: "CPause", path: "Sources/C/Pause"),
    .target(name: "CNodes", path: "Sources/C/Nodes"),
    .target(name: "CShadow", path: "Sources/C/Shadow"),
    .target(name: "CColumns", path: "Sources/C/Columns"),
    .target(name: "CMappings", path: "Sources/C/Mappings"),
    .target(name: "CMPI", path: "Sources/C/MPI"),
    .target(
      name: "CCard", path: "Sources/C/Card", exclude: ["kernels"],
      cSettings: [.headerSearchPath("operations")]),
    .target(name: "COneDNN", path: "Sources/C/OneDNN", linkerSettings: [.linkedLibrary("dnnl")]),
    .systemLibrary(
      name: "CPCRE2", path: "Sources/C/PCRE2", pkgConfig: "libpcre2-8",
      providers: [.apt(["libpcre2-dev"])]),
    .systemLibrary(
      name: "CEdit", path: "Sources/C/Edit", pkgConfig: "libedit", providers: [.apt(["libedit-dev"])]),
    .systemLibrary(
      name: "CZlib", path: "Sources/C/Zlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    // Its pkg-config file has a flag that the package manager warns of.
    .systemLibrary(
      name: "CUTF8Proc", path: "Sources/C/UTF8Proc", providers: [.apt(["libutf8proc-dev"])]),
    .systemLibrary(
      name: "CMicroHTTPD", path: "Sources/C/MicroHTTPD", pkgConfig: "libmicrohttpd",
      providers: [.apt(["libmicrohttpd-dev"])]),
    .systemLibrary(
      name: "CGnuTLS", path: "Sources/C/GnuTLS", pkgConfig: "gnutls",
      providers: [.apt(["libgnutls28-dev"])]),
    .systemLibrary(
      name: "CCurl", path: "Sources/C/Curl", pkgConfig: "libcurl",
      providers: [.apt(["libcurl4-openssl-dev"])]),
    .systemLibrary(
      name: "CYAML", path: "Sources/C/YAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
    .systemLibrary(
      name: "CCrypto", path: "Sources/C/Crypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),

    // MARK: - The library
    .target(
      name: "FireflyBase", dependencies: ["CColumns", "CPause", "CNodes", "CPCRE2", "CMappings"],
      path: "Sources/Base"),
    .target(name: "FireflyRanks", dependencies: ["FireflyBase", "CMPI"], path: "Sources/Ranks"),
    .target(name: "FireflyHub", dependencies: ["FireflyBase", "CCurl", "CCrypto"], path: "Sources/Hub"),
    .target(
      name: "FireflyTensors", dependencies: ["FireflyBase", "CKernels", "CTiles", "COneDNN", "CShadow"],
      path: "Sources/Tensors"),
    .target(
      name: "FireflyCards", dependencies: ["FireflyBase", "FireflyRanks", "FireflyTensors", "CCard"],
      path: "Sources/Cards"),
    .target(
      name: "FireflyWeights", dependencies: ["FireflyBase", "FireflyHub", "FireflyTensors"],
      path: "Sources/Weights"),
    .target(name: "FireflyJinja", dependencies: ["FireflyBase"], path: "Sources/Jinja"),
    .target(
      name: "FireflyText", dependencies: ["FireflyBase", "FireflyJinja", "CUTF8Proc", "CZlib"],
      path: "Sources/Text"),
    .target(
      name: "FireflyModels",
      dependencies: ["FireflyBase", "FireflyHub", "FireflyTensors", "FireflyWeights"],
      path: "Sources/Models"),
    .target(
      name: "FireflyPretrained",
      dependencies: [
        "FireflyBase", "FireflyHub", "FireflyTensors", "FireflyCards", "FireflyWeights", "FireflyText",
        "FireflyModels",
      ], path: "Sources/Pretrained"),
    .target(
      name: "FireflyConversion",
      dependencies: [
        "FireflyBase", "FireflyTensors", "FireflyWeights", "FireflyText", "FireflyModels",
        "FireflyPretrained",
      ], path: "Sources/Conversion"),
    .target(
      name: "FireflyGeneration",
      dependencies: [
        "FireflyBase", "FireflyTensors", "FireflyWeights", "FireflyText", "FireflyModels",
        "FireflyPretrained",
      ], path: "Sources/Generation"),
    .target(
      name: "FireflyEvaluation",
      dependencies: [
        "FireflyRanks", "FireflyBase", "FireflyTensors", "FireflyCards", "FireflyWeights", "FireflyText",
        "FireflyModels",
        "FireflyPretrained", "FireflyGeneration", "CZlib",
      ], path: "Sources/Evaluation"),
    .target(
      name: "FireflyServer",
      dependencies: [
        "FireflyBase", "FireflyWeights", "FireflyText", "FireflyModels", "FireflyPretrained",
        "FireflyGeneration", "CMicroHTTPD", "CGnuTLS",
      ], path: "Sources/Server",
      exclude: ["README.md", "SHA256SUMS", "fetch.sh", "katex.LICENSE", "prism.LICENSE"].map {
        "Pages/vendor/\($0)"
      },
      resources: pageFiles.map { .embedInCode("Pages/\($0)") }),
    .target(
      name: "FireflyTraining",
      dependencies: [
        "FireflyRanks", "FireflyBase", "FireflyTensors", "FireflyCards", "FireflyWeights", "FireflyText",
        "FireflyModels",
        "FireflyPretrained", "FireflyConversion", "FireflyGeneration", "FireflyEvaluation", "CYAML",
      ], path: "Sources/Training"),
    .target(
      name: "Firefly",
      dependencies: [
        "FireflyBase", "FireflyHub", "FireflyTensors", "FireflyCards", "FireflyWeights", "FireflyText",
        "FireflyModels", "FireflyPretrained", "FireflyConversion", "FireflyGeneration", "FireflyEvaluation",
        "FireflyServer", "FireflyTraining",
      ], path: "Sources/Firefly"),

    // MARK: - Programs
    .target(
      name: "FireflyBench",
      dependencies: [
        "FireflyBase", "FireflyTensors", "FireflyText", "FireflyModels", "FireflyPretrained",
        "FireflyTraining", "CSilicon",
      ], path: "Sources/Bench"),
    .target(
      name: "FireflyStudio",
      dependencies: [
        "FireflyBase", "FireflyHub", "FireflyCards", "FireflyText", "FireflyModels", "FireflyPretrained",
        "FireflyConversion", "FireflyGeneration", "FireflyServer", "FireflyTraining", "FireflyBench",
      ], path: "Sources/Studio",
      resources: [
        "studio.html", "studio.css", "studio.js", "words.js", "kit.js", "setup.js", "data.js", "runs.js",
        "chart.js", "use.js",
      ].map { .embedInCode("Pages/\($0)") }),
    .executableTarget(
      name: "FireflyCommand",
      dependencies: [
        "CBuild", "CEdit", "COneDNN", "CPCRE2", "CZlib", "CMicroHTTPD", "CGnuTLS", "CCurl", "CYAML",
        "CCrypto", "CUTF8Proc",
        "FireflyRanks", "FireflyBase", "FireflyHub", "FireflyTensors", "FireflyCards", "FireflyWeights",
        "FireflyText",
        "FireflyModels",
        "FireflyPretrained", "FireflyConversion", "FireflyGeneration", "FireflyEvaluation",
        "FireflyServer", "FireflyTraining", "FireflyBench", "FireflyStudio",
      ], path: "Sources/CLI", resources: [.embedInCode("VERSION")]),
    .executableTarget(
      name: "FireflyDemoData", dependencies: ["FireflyBase"], path: "demo/DemoData"),

    // MARK: - Tests
    // A card that is not there, the checks of what is done with one, and a driver made of it.
    .target(
      name: "CCardEmulator", dependencies: ["CCard"], path: "Tests/CardEmulator",
      cxxSettings: [.headerSearchPath(".")]),
    .target(name: "CCardChecks", dependencies: ["CCard"], path: "Tests/CardChecks"),
    .target(name: "CCardStandIn", dependencies: ["CCard", "CCardEmulator"], path: "Tests/CardStandIn"),
    .target(
      name: "FireflyTestSupport",
      dependencies: ["FireflyBase", "FireflyHub", "FireflyTensors", "FireflyCards", "CCardEmulator"],
      path: "Tests/TestSupport"),
    .target(
      name: "FireflyDoubles",
      dependencies: [
        "FireflyRanks", "FireflyBase", "FireflyTensors", "FireflyWeights", "FireflyText", "FireflyModels",
        "FireflyGeneration", "FireflyTraining", "FireflyTestSupport",
      ],
      path: "Tests/Doubles"),
    .testTarget(
      name: "StormTests",
      dependencies: [
        "Firefly", "FireflyBase", "FireflyTensors", "FireflyWeights", "FireflyText", "FireflyConversion",
        "FireflyTestSupport",
      ],
      path: "Tests/StormTests"),
    .testTarget(
      name: "BaseTests", dependencies: ["FireflyBase", "FireflyTestSupport", "CNodes"],
      path: "Tests/BaseTests"),
    .testTarget(
      name: "RanksTests", dependencies: ["FireflyBase", "FireflyRanks", "FireflyDoubles"],
      path: "Tests/RanksTests"),
    .testTarget(
      name: "HubTests", dependencies: ["FireflyBase", "FireflyHub", "FireflyTestSupport"],
      path: "Tests/HubTests"),
    .testTarget(
      name: "JinjaTests", dependencies: ["FireflyBase", "FireflyJinja"], path: "Tests/JinjaTests",
      exclude: ["Fixtures"]),
    .testTarget(
      name: "TensorsTests",
      dependencies: ["FireflyBase", "FireflyTensors", "FireflyTestSupport", "CKernels", "CTiles"],
      path: "Tests/TensorsTests", exclude: ["Fixtures"]),
    .testTarget(
      name: "CardsTests",
      dependencies: [
        "FireflyBase", "FireflyTensors", "FireflyCards", "FireflyTestSupport", "CCard", "CCardChecks",
        "CCardEmulator",
      ], path: "Tests/CardsTests"),
    .testTarget(
      name: "WeightsTests",
      dependencies: ["FireflyBase", "FireflyTensors", "FireflyWeights", "FireflyTestSupport"],
      path: "Tests/WeightsTests", exclude: ["Fixtures"]),
    .testTarget(
      name: "TextTests", dependencies: ["FireflyBase", "FireflyText", "FireflyTestSupport"],
      path: "Tests/TextTests", exclude: ["Fixtures"]),
    .testTarget(
      name: "ModelsTests",
      dependencies: [
        "FireflyBase", "FireflyTensors", "FireflyCards", "FireflyWeights", "FireflyModels",
        "FireflyTestSupport",
      ], path: "Tests/ModelsTests", exclude: ["Fixtures"]),
    .testTarget(
      name: "PretrainedTests",
      dependencies: [
        "FireflyBase", "FireflyTensors", "FireflyWeights", "FireflyText", "FireflyPretrained",
        "FireflyTestSupport",
      ], path: "Tests/PretrainedTests"),
    .testTarget(
      name: "ConversionTests",
      dependencies: [
        "FireflyBase", "FireflyHub", "FireflyTensors", "FireflyWeights", "FireflyText", "FireflyModels",
        "FireflyPretrained", "FireflyConversion", "FireflyGeneration", "FireflyTestSupport",
      ], path: "Tests/ConversionTests", exclude: ["Fixtures"]),
    .testTarget(
      name: "GenerationTests",
      dependencies: [
        "FireflyBase", "FireflyTensors", "FireflyText", "FireflyPretrained", "FireflyGeneration",
        "FireflyTestSupport", "FireflyDoubles",
      ], path: "Tests/GenerationTests", exclude: ["Fixtures"]),
    .testTarget(
      name: "EvaluationTests",
      dependencies: [
        "FireflyBase", "FireflyRanks", "FireflyTensors", "FireflyWeights", "FireflyText", "FireflyModels",
        "FireflyGeneration", "FireflyEvaluation", "FireflyTestSupport", "FireflyDoubles", "CZlib",
      ], path: "Tests/EvaluationTests"),
    .testTarget(
      name: "ServerTests",
      dependencies: [
        "FireflyBase", "FireflyTensors", "FireflyText", "FireflyModels", "FireflyPretrained",
        "FireflyGeneration", "FireflyServer", "FireflyDoubles", "FireflyTestSupport", "CGnuTLS",
      ], path: "Tests/ServerTests", exclude: ["Fixtures"]),
    .testTarget(
      name: "TrainingTests",
      dependencies: [
        "FireflyBase", "FireflyRanks", "FireflyTensors", "FireflyCards", "FireflyWeights", "FireflyText",
        "FireflyModels", "FireflyPretrained", "FireflyConversion", "FireflyEvaluation", "FireflyTraining",
        "FireflyTestSupport", "FireflyDoubles",
      ], path: "Tests/TrainingTests", exclude: ["Fixtures"]),
    .testTarget(
      name: "FireflyTests", dependencies: ["Firefly", "FireflyDoubles"], path: "Tests/FireflyTests"),
    .testTarget(
      name: "BenchTests",
      dependencies: [
        "FireflyBase", "FireflyTensors", "FireflyWeights", "FireflyModels", "FireflyTraining",
        "FireflyBench", "FireflyTestSupport",
      ], path: "Tests/BenchTests"),
    .testTarget(
      name: "StudioTests",
      dependencies: [
        "FireflyBase", "FireflyTensors", "FireflyText", "FireflyWeights", "FireflyTraining", "FireflyStudio",
        "FireflyTestSupport", "FireflyCommand",
      ], path: "Tests/StudioTests"),
    .testTarget(
      name: "CLITests",
      dependencies: [
        "FireflyBase", "FireflyText", "FireflyTestSupport", "FireflyCommand", "FireflyDemoData",
      ],
      path: "Tests/CLITests", exclude: ["Fixtures"]),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .c17,
  cxxLanguageStandard: .cxx17
)

for target in package.targets where target.type != .system {
  if target.name.hasPrefix("C") && target.name != "CLITests" {
    target.cSettings = (target.cSettings ?? []) + [.enableWarning("all"), .treatAllWarnings(as: .error)]
    target.cxxSettings =
      (target.cxxSettings ?? []) + [.enableWarning("all"), .treatAllWarnings(as: .error)]
  } else {
    target.swiftSettings = [
      .treatAllWarnings(as: .error),
      .enableUpcomingFeature("ExistentialAny"),
      .enableUpcomingFeature("MemberImportVisibility"),
    ]
    // Naive sums, element by element: without optimisation most of what checks compute, many times over.
    if ["TensorsTests", "FireflyTestSupport"].contains(target.name) {
      target.swiftSettings?.append(.unsafeFlags(["-O"]))
    }
  }
}
