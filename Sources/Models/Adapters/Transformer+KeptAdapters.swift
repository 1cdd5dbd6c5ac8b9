/// An adapter apart from its model, or the base's having none.
struct KeptAdapter {
  let options: LoRAOptions?
  let groups: [LinearGroup.Attached]
}

extension Transformer {
  /// Keeps what hangs on the base now, possibly nothing, under a name, so that `activate` can put it back.
  ///
  /// One base serves several adapters this way: load one, keep it, detach it, load the next.
  public func keepAdapter(as name: String) {
    kept[name] = KeptAdapter(options: adapterOptions, groups: groups.map(\.group.attached))
  }

  /// Puts what was kept under `name` on the base, in place of what is there; nothing is copied or read.
  public func activate(_ name: String) {
    guard let adapter = kept[name] else { preconditionFailure("no adapter was kept as \(name)") }
    for ((_, group), attached) in zip(groups, adapter.groups) { group.attached = attached }
    adapterOptions = adapter.options
  }
}
