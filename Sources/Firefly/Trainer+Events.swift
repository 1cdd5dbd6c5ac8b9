import FireflyTraining

extension Trainer {
  /// Trains as `run` does, on a thread of its own, and tells how it goes on; the last event is `.ended`.
  ///
  ///     for try await event in Trainer(config: config).events() {
  ///       if case .logged(let entry) = event { print(entry.step, entry.loss) }
  ///     }
  ///
  /// Nothing is lost by listening slowly. Whoever leaves the loop, or cancels its task, stops the run as `stop` does, but does
  /// not hear of its end.
  ///
  /// - Parameter stop: asks for a checkpoint and the end after the current step.
  /// - Throws: what `run` throws, as the stream's end.
  public func events(stop: StopRequest = StopRequest()) -> AsyncThrowingStream<TrainingEvent, any Error> {
    WorkQueue("firefly.training").stream(cancel: stop.stop) { tell in
      tell(.ended(try run(stop: stop, progress: tell)))
    }
  }
}
