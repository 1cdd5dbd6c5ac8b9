@_exported import FireflyBase
@_exported import FireflyGeneration
@_exported import FireflyModels
@_exported import FireflyTensors
@_exported import FireflyText
@_exported import FireflyTraining
@_exported import FireflyWeights
