import FireflyBase

/// What becomes of each parameter, path by path: OpenAI's by its reference, then those that clients of vllm and of
/// llama-server send to the same paths.
enum ParameterTables {
  static let chat = answers.merging(
    [
      "messages": .followed, "logprobs": .followed, "top_logprobs": .followed,
      "max_completion_tokens": .followed,
      "response_format": .followed,
      "modalities": .only([.array([.string("text")])]),
      "tools": .followed, "tool_choice": .followed, "parallel_tool_calls": .followed,
      "functions": .only([.array([])]), "function_call": .only([.string("none"), .string("auto")]),
      "reasoning_effort": .followed, "enable_thinking": .followed, "verbosity": .only([.string("medium")]),
      "prediction": .harmless,  // makes an answer come sooner, not another one
      "audio": .refused("This model answers with text."),
      "web_search_options": .refused("This server searches nothing."),
      "moderation": .refused("This server moderates nothing."),
    ].merging(vllmChat, uniquingKeysWith: first).merging(llamaChat, uniquingKeysWith: first),
    uniquingKeysWith: first)

  static let completion = answers.merging(
    [
      "prompt": .followed, "echo": .followed, "logprobs": .followed, "best_of": .followed,
      "suffix": .only([.string("")]), "add_special_tokens": .only([.bool(true)]),
      "prompt_embeds": .refused("Send \"prompt\"."),
      "response_format": .followed,
    ], uniquingKeysWith: first)

  /// What clients send for their own ends.
  static let clients = table(
    .harmless,
    [
      "metadata", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "request_id",
      "safety_identifier", "session_id", "user",
    ]
  ).merging(
    [
      "store": .told("no answer is kept.", unless: no),
      "service_tier": .told(
        "all requests wait in one queue.", unless: [.string("auto"), .string("default")]),
    ], uniquingKeysWith: first)

  /// Chats and completions alike.
  private static let answers = table(
    .followed,
    [
      "model", "stream", "stream_options", "stop", "seed", "n", "temperature", "top_p", "top_k", "min_p",
      "repetition_penalty", "presence_penalty", "frequency_penalty", "logit_bias", "max_tokens",
    ]
  ).merging(clients, uniquingKeysWith: first).merging(vllm, uniquingKeysWith: first).merging(
    llama, uniquingKeysWith: first)

  // MARK: - vllm

  private static let vllm = table(
    .followed,
    [
      "stop_token_ids", "include_stop_str_in_output", "ignore_eos", "skip_special_tokens",
    ]
  ).merging(
    [
      "guided_json": .followed, "guided_choice": .followed, "structured_outputs": .followed,
      "guided_regex": .followed,
      "guided_grammar": .refused("Give a JSON schema, or a regular expression in \"guided_regex\"."),
      "structural_tag": .refused("Give a JSON schema."), "guided_decoding_backend": .harmless,
      "guided_whitespace_pattern": .refused("White space is bounded as it is."),
      "use_beam_search": .only(no), "length_penalty": .only(one),
      "spaces_between_special_tokens": .only([.bool(true)]),
      "truncate_prompt_tokens": .followed, "truncation_side": .followed,
      "prompt_logprobs": .refused("/v1/completions has \"echo\" with \"logprobs\"."),
      "logprob_token_ids": .refused("Ask for \"top_logprobs\"."),
      "allowed_token_ids": .followed, "bad_words": .followed, "min_tokens": .followed,
      "logits_processors": .only(empty), "watermarking": .only(no), "thinking_token_budget": .only([]),
      "repetition_detection": .only([]), "priority": .only(zero),
      "return_tokens_as_token_ids": .only(no), "return_token_ids": .only(no), "return_prompt_text": .only(no),
      "cache_salt": .refused("Beginnings of prompts are shared by all who use this server."),
      "kv_transfer_params": .only([]), "ec_transfer_params": .only([]), "vllm_xargs": .only([.object([:])]),
    ], uniquingKeysWith: first)

  private static let vllmChat: ParameterTable = [
    "echo": .only(no), "add_generation_prompt": .followed, "continue_final_message": .followed,
    "add_special_tokens": .only(no), "documents": .only(empty), "include_reasoning": .only([.bool(true)]),
    "chat_template": .refused("The server is started with one: --template."),
    "chat_template_kwargs": .followed, "media_io_kwargs": .only([.object([:])]),
    "mm_processor_kwargs": .only([.object([:])]),
  ]

  // MARK: - llama-server

  private static let llama: ParameterTable = [
    "n_predict": .alias("max_tokens", absent: .int(-1)), "repeat_penalty": .alias("repetition_penalty"),
    "json_schema": .followed, "grammar": .only([.string("")]), "grammar_lazy": .only(no),
    "repeat_last_n": .followed, "penalize_nl": .only(no),
    "typical_p": .followed, "typ_p": .alias("typical_p"), "tfs_z": .only(one),
    "top_n_sigma": .only([.int(-1)]),
    "xtc_probability": .only(zero), "xtc_threshold": .harmless,
    "dry_multiplier": .only(zero), "dry_base": .harmless, "dry_allowed_length": .harmless,
    "dry_penalty_last_n": .harmless, "dry_sequence_breakers": .harmless,
    "dynatemp_range": .only(zero), "dynatemp_exponent": .harmless,
    "mirostat": .only(zero), "mirostat_tau": .harmless, "mirostat_eta": .harmless,
    "samplers": .refused("They come in the order of transformers' generate()."),
    "min_keep": .only(zero), "n_keep": .only([.int(0), .int(-1)]), "n_discard": .only(zero),
    "n_indent": .only(zero), "t_max_predict_ms": .only([.int(0), .int(-1)]),
    "cache_prompt": .harmless, "id_slot": .harmless, "speculative.n_max": .harmless,
    "speculative.n_min": .harmless, "speculative.p_min": .harmless,
    "n_probs": .only(zero), "post_sampling_probs": .only(no), "timings_per_token": .only(no),
    "return_tokens": .only(no), "return_progress": .only(no), "response_fields": .only(empty),
    "lora": .refused("Ask for an adapter by its name, in \"model\"."),
  ]

  private static let llamaChat: ParameterTable = [
    "reasoning_format": .followed, "thinking_forced_open": .only(no),
    "parse_tool_calls": .only([.bool(true)]), "chat_format": .only([]),
  ]

  // MARK: - Tokens

  static let tokenize: ParameterTable = [
    "content": .followed, "add_special": .followed, "parse_special": .followed, "with_pieces": .followed,
    "model": .followed, "prompt": .alias("content"), "messages": .followed,
    "add_special_tokens": .alias("add_special"),
    "return_token_strs": .followed, "add_generation_prompt": .followed,
    "continue_final_message": .followed, "tools": .followed, "chat_template_kwargs": .followed,
  ]

  static let detokenize: ParameterTable = ["tokens": .followed, "model": .followed]

  static let applyTemplate: ParameterTable = [
    "messages": .followed, "model": .followed, "tools": .followed, "chat_template_kwargs": .followed,
    "add_generation_prompt": .followed, "continue_final_message": .followed,
  ]

  // MARK: - Embeddings and adapters

  static let embeddings = clients.merging(
    [
      "model": .followed, "input": .followed, "content": .alias("input"), "encoding_format": .followed,
      "dimensions": .followed, "add_special_tokens": .only([.bool(true)]),
      "truncate_prompt_tokens": .followed,
      "truncation_side": .followed, "priority": .only(zero), "embd_normalize": .only([.int(2)]),
      "normalize": .only([.bool(true)]),
      "messages": .refused("Send \"input\"; /apply-template writes messages as text."),
    ], uniquingKeysWith: first)

  static let loadAdapter: ParameterTable = [
    "lora_name": .followed, "lora_path": .followed, "base_model_name": .harmless, "load_inplace": .only(no),
  ]

  static let unloadAdapter: ParameterTable = ["lora_name": .followed, "lora_int_id": .harmless]

  // MARK: - Values that change nothing

  private static let no: [JSONValue] = [.bool(false)]
  private static let zero: [JSONValue] = [.int(0)]
  private static let one: [JSONValue] = [.int(1)]
  private static let empty: [JSONValue] = [.array([])]

  private static func table(_ rule: ParameterRule, _ names: [String]) -> ParameterTable {
    ParameterTable(uniqueKeysWithValues: names.map { ($0, rule) })
  }

  private static func first(_ first: ParameterRule, _: ParameterRule) -> ParameterRule { first }
}
