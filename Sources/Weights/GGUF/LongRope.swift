/// LongRoPE in GGUF files: a divisor for each frequency, for short and for long texts, as tensors of the file.
///
/// llama.cpp takes the second ones where its context is longer than the texts that the model was first trained on,
/// however long a text is; transformers looks at the text.
package enum LongRope {
  package static let short = "rope_factors_short.weight"
  package static let long = "rope_factors_long.weight"
  static let tensorNames = [short, long]
}
