import FireflyBase
import FireflyTensors
import Foundation

/// bitsandbytes' 4-bit checkpoints, as transformers 4 and 5 save and load them.
///
/// A matrix `X` of n = out·in elements is stored as
/// - `X.weight` U8 [n/2, 1]: codes, the first element in the high half of a byte; or the same bytes as numbers of another type;
/// - `X.weight.absmax`: scales of blocks of 64, F32, or U8 codes under double quantization;
/// - `X.weight.quant_map` F32 [16]: NF4's code book;
/// - `X.weight.nested_absmax` F32, a scale for 256 scales, and `X.weight.nested_quant_map` F32 [256], if double;
/// - `X.weight.quant_state.bitsandbytes__nf4` U8: JSON with shape, dtype, block sizes and the scales' mean.
package enum BitsAndBytes {
  static let stateSuffix = ".quant_state.bitsandbytes__nf4"
  /// What the names of a 4-bit weight's parts add to its own.
  static let partSuffixes = [".absmax", ".quant_map", ".nested_absmax", ".nested_quant_map", stateSuffix]

  /// The tensors that stand for `weight` under `name` (`…q_proj.weight`) in a 4-bit folder.
  package static func tensors(_ name: String, _ weight: NF4Tensor) -> [(name: String, tensor: Tensor)] {
    var state = QuantState(shape: weight.shape, dtype: weight.originalDType, nestedOffset: nil)
    var parts: [(name: String, tensor: Tensor)] = [
      (name, weight.codes.reshaped([weight.codes.count, 1])),
      (name + ".quant_map", Tensor(NF4.codeBook, [16])),
    ]
    switch weight.scales {
    case .plain(let absmax):
      parts.append((name + ".absmax", absmax))
    case .nested(let codes, let absmax, let map, let offset):
      state.nestedOffset = offset
      parts.append((name + ".absmax", codes))
      parts.append((name + ".nested_absmax", absmax))
      parts.append((name + ".nested_quant_map", map))
    }
    let (json, length) = (Array(state.json.text().utf8), stateLength(of: state))
    let packed = json + [UInt8](repeating: UInt8(ascii: " "), count: length - json.count)
    return parts + [(name + stateSuffix, Tensor(bytes: packed, [length]))]
  }

  /// A matrix in NF4.
  ///
  /// - Parameter place: names the matrix in errors.
  /// - Throws: `FireflyError` when the matrix or its scales' mean is not finite.
  package static func quantize(_ matrix: Tensor, double: Bool, at place: String) throws -> NF4Tensor {
    try matrix.checkFinite(at: place)
    let packed = NF4Tensor.quantize(matrix, double: double)
    if case .nested(_, let absmax, _, let offset) = packed.scales {
      guard offset.isFinite, !Ops.hasNonFinite(absmax) else {
        throw FireflyError(
          "the tensor's numbers are too large for double quantization", at: place,
          found: "scales whose mean is \(offset)",
          fix: "The file is damaged: no model's weights are near \(matrix.dtype)'s largest number.")
      }
    }
    return packed
  }

  /// The state's text is padded with spaces to a length that does not depend on the numbers in it, so that a file can be
  /// laid out before its matrices are quantised.
  private static func stateLength(of state: QuantState) -> Int {
    var short = state
    short.nestedOffset = state.nestedOffset.map { _ in 0 }
    let longestNumber = 24  // a double's 17 digits, point, exponent and sign
    return (short.json.text().utf8.count + longestNumber + 7) / 8 * 8
  }

  /// What `tensors` will give for a matrix that is still to be quantised.
  ///
  /// - Parameters:
  ///   - shape: [out, in].
  ///   - dtype: of the matrix before.
  package static func entries(
    _ name: String, shape: [Int], dtype: DType, double: Bool
  ) -> [SafeTensorsWriter.Item.Entry] {
    let state = QuantState(shape: shape, dtype: dtype, nestedOffset: double ? 0 : nil)
    var sizes: [(suffix: String, type: StoredType, shape: [Int])] = [
      ("", .uint8, [(state.elements + 1) / 2, 1]), (".quant_map", .float32, [NF4.codeBook.count]),
      (".absmax", double ? .uint8 : .float32, [state.blocks]),
    ]
    if double {
      sizes.append((".nested_absmax", .float32, [state.nestedBlocks]))
      sizes.append((".nested_quant_map", .float32, [DynamicMap.signed.values.count]))
    }
    sizes.append((stateSuffix, .uint8, [stateLength(of: state)]))
    return sizes.map { SafeTensorsWriter.Item.Entry(name: name + $0.suffix, type: $0.type, shape: $0.shape) }
  }

  /// `quantization_config` of such a folder's config.json.
  ///
  /// - Parameters:
  ///   - compute: what transformers shall multiply in.
  ///   - skipping: modules that stay as they are; empty: the head, as transformers has it by itself.
  package static func quantizationConfig(double: Bool, compute: DType, skipping: [String] = []) -> JSONValue {
    .object([
      "quant_method": .string("bitsandbytes"),
      "load_in_4bit": .bool(true), "load_in_8bit": .bool(false),
      "_load_in_4bit": .bool(true), "_load_in_8bit": .bool(false),
      "bnb_4bit_quant_type": .string("nf4"),
      "bnb_4bit_use_double_quant": .bool(double),
      "bnb_4bit_compute_dtype": .string(compute.description),
      "bnb_4bit_quant_storage": .string("uint8"),
      "llm_int8_threshold": .double(6),
      "llm_int8_skip_modules": skipping.isEmpty ? .null : .array(skipping.map(JSONValue.string)),
      "llm_int8_enable_fp32_cpu_offload": .bool(false), "llm_int8_has_fp16_weight": .bool(false),
    ])
  }
}

extension WeightStore {
  /// The weight as stored by bitsandbytes in 4 bits; nil when it is stored plainly.
  ///
  /// - Parameter shape: [out, in].
  /// - Throws: `FireflyError` when it is missing, has another shape, or any of its parts is missing or wrong.
  package func nf4(_ name: String, shape: [Int]) throws -> NF4Tensor? {
    guard try is4Bit(name) else { return nil }
    guard let state = try quantState(name) else { return nil }
    let place = "\(path): \(name)"
    try check(state, name, shape)
    guard try part(name + ".quant_map", .float32, [NF4.codeBook.count]).floats == NF4.codeBook else {
      throw FireflyError("the 4-bit tensor's quant_map is not NF4's code book", at: place)
    }
    return NF4Tensor(
      codes: try codes(name, state), shape: shape, scales: try scales(name, state),
      originalDType: state.dtype)
  }

  func check(_ state: QuantState, _ name: String, _ shape: [Int]) throws {
    guard state.shape == shape else {
      throw FireflyError(
        "the 4-bit tensor has another shape than the model needs", at: "\(path): \(name)",
        expected: "\(shape)", found: "\(state.shape)",
        fix: "The weights and config.json do not belong together.")
    }
  }

  /// What the file says of a 4-bit tensor; nil when it is stored plainly.
  func quantState(_ name: String) throws -> QuantState? {
    guard contains(name + BitsAndBytes.stateSuffix) else { return nil }
    let text = try part(name + BitsAndBytes.stateSuffix, .uint8, nil)
    let json = try JSONValue.parse(
      text.withHostBytes { Data($0) }, source: "\(path): \(name)\(BitsAndBytes.stateSuffix)")
    return try QuantState(json, at: "\(path): \(name)")
  }

  /// The codes, two in a byte: as bytes, or as numbers of the type that `bnb_4bit_quant_storage` names, for programs that
  /// spread tensors of one type over processes.
  private func codes(_ name: String, _ state: QuantState) throws -> Tensor {
    let count = (state.elements + 1) / 2
    let stored = try take(name)
    let (type, size) = (stored.info.type, stored.info.type.blockBytes)
    guard type != .uint8, !type.isBlock, stored.info.shape == [count / size, 1], count % size == 0 else {
      return try part(name, .uint8, [count, 1]).reshaped([count])
    }
    let codes = Tensor([count], .uint8)
    stored.plainBytes().withHostBytes(codes.copyBytes)
    return codes
  }

  private func scales(_ name: String, _ state: QuantState) throws -> NF4Tensor.Scales {
    guard let offset = state.nestedOffset else {
      return .plain(absmax: try finite(name + ".absmax", [state.blocks]))
    }
    return .nested(
      codes: try part(name + ".absmax", .uint8, [state.blocks]),
      absmax: try finite(name + ".nested_absmax", [state.nestedBlocks]),
      map: try finite(name + ".nested_quant_map", [DynamicMap.signed.values.count]), offset: offset)
  }

  /// Whether `name` has a quantization state; other bitsandbytes types are refused.
  private func is4Bit(_ name: String) throws -> Bool {
    guard let info = info(name) else { throw missingTensor(name) }
    if contains(name + BitsAndBytes.stateSuffix) { return true }
    let stem = name.hasSuffix(".weight") ? String(name.dropLast("weight".count)) : name + "."
    for other in [name + ".quant_state.bitsandbytes__fp4", name + ".absmax", stem + "SCB"]
    where contains(other) {
      throw FireflyError(
        "the tensor is quantised in a way that is not supported", at: "\(info.path): \(name)",
        expected: "bitsandbytes' NF4 with \(BitsAndBytes.stateSuffix.dropFirst())", found: other)
    }
    return false
  }

  /// A part of a 4-bit tensor; any shape when nil.
  private func part(_ name: String, _ type: StoredType, _ shape: [Int]?) throws -> Tensor {
    let stored = try take(name)
    guard stored.info.type == type, let dtype = type.dtype, shape == nil || stored.info.shape == shape else {
      throw FireflyError(
        "a part of a 4-bit tensor is wrong", at: stored.place,
        expected: "\(type) \(shape.map { "\($0)" } ?? "")", found: "\(stored.info.type) \(stored.info.shape)")
    }
    return try stored.tensor(as: dtype)
  }

  private func finite(_ name: String, _ shape: [Int]) throws -> Tensor {
    let tensor = try part(name, .float32, shape)
    try tensor.checkFinite("a part of a 4-bit tensor", at: "\(path): \(name)")
    return tensor
  }
}

extension NF4Tensor {
  /// [out, in] as numbers: float32, bfloat16 or float16.
  func decoded(as dtype: DType) -> Tensor {
    let isCompute = dtype != .float16
    let out = Tensor(shape, isCompute ? dtype : .float32)
    Ops.decodeNF4(self, rows: 0..<outputs, columns: 0..<inputs, into: out.matrix)
    return isCompute ? out : out.converted(to: dtype)
  }
}
