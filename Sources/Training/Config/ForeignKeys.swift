import FireflyBase

/// Keys of the original and of transformers' TrainingArguments (4.34 to 5.23) that steer nothing here.
///
/// They are accepted so that existing files run unchanged. A value that asks for something Firefly does
/// not do is said once, by name; one that would change the trained numbers is refused.
enum ForeignKeys {
  private enum Rule {
    /// Any value is fine: the key concerns machinery that does not exist here.
    case silent
    /// Said unless the value is one of these (null always is).
    case said(unless: [JSONValue], why: String)
    /// Refused unless the value is one of these (null always is).
    case refused(unless: [JSONValue], why: String)
  }

  /// Reads every foreign key, so that it counts as known.
  ///
  /// - Returns: one line for each value that is not followed.
  static func read(from keys: inout ConfigReader) -> [String] {
    var notices: [String] = []
    for (key, rule) in table.sorted(by: { $0.key < $1.key }) {
      guard let value = keys.raw(key) else { continue }
      switch rule {
      case .silent: break
      case .said(let quiet, let why):
        if !quiet.contains(value) { notices.append("\"\(key)\": \(value.text()) is ignored: \(why)") }
      case .refused(let accepted, let why):
        if !accepted.contains(value) {
          keys.problem(
            "\"\(key)\" is not supported: \(why)", key: key, found: value.text(), fix: "Remove the key.")
        }
      }
    }
    return notices
  }

  private static let off: [JSONValue] = [.bool(false)]
  private static let none: [JSONValue] = [.string(""), .array([]), .object([:]), .bool(false)]

  private static let table: [String: Rule] = {
    var table: [String: Rule] = [:]
    for key in silent { table[key] = .silent }
    for key in hub { table[key] = .said(unless: none, why: "nothing is uploaded") }
    for key in distributed { table[key] = .said(unless: none, why: "training runs in one process") }
    for (key, rule) in single { table[key] = rule }
    return table
  }()

  private static let silent = [
    "accelerator_config", "average_tokens_across_devices", "batch_eval_metrics", "bf16_full_eval",
    "dataloader_in_order", "dataloader_multiprocessing_context", "dataloader_num_workers",
    "dataloader_persistent_workers", "dataloader_pin_memory", "dataloader_prefetch_factor",
    "ddp_broadcast_buffers", "ddp_bucket_cap_mb", "ddp_find_unused_parameters", "ddp_static_graph",
    "ddp_timeout", "dispatch_batches", "do_predict", "do_train", "enable_jit_checkpoint",
    "eval_accumulation_steps", "eval_do_concat_batches", "eval_use_gather_object",
    "fp16_backend", "fp16_full_eval", "fp16_opt_level", "full_determinism", "gradient_checkpointing_kwargs",
    "half_precision_backend", "hub_always_push", "hub_private_repo", "hub_revision",
    "hub_strategy", "include_for_metrics", "include_inputs_for_metrics", "include_num_input_tokens_seen",
    "include_tokens_per_second", "jit_mode_eval", "keep_batchnorm_fp32", "label_names",
    "length_column_name", "local_rank", "log_level", "log_level_replica", "log_on_each_node",
    "logging_nan_inf_filter", "mp_parameters",
    "past_index", "precompute_ref_batch_size", "prediction_loss_only", "project", "ray_scope",
    "remove_unused_columns", "restore_callback_states_from_checkpoint", "run_name", "save_on_each_node",
    "skip_memory_metrics", "split_batches", "tf32", "tokenize_num_workers", "torch_compile_backend",
    "torch_compile_mode", "torch_empty_cache_steps", "torchdynamo", "trackio_bucket_id",
    "trackio_space_id", "trackio_static_space_id", "use_cache", "use_ipex",
    "use_legacy_prediction_loop", "use_liger_kernel", "use_mps_device",
  ]

  private static let hub = [
    "hub_model_id", "hub_token", "push_to_hub", "push_to_hub_model_id", "push_to_hub_organization",
    "push_to_hub_token",
  ]

  private static let distributed = [
    "ddp_backend", "fsdp", "fsdp_config", "fsdp_min_num_params",
    "fsdp_transformer_layer_cls_to_wrap", "parallelism_config", "tpu_metrics_debug", "tpu_num_cores",
    "xpu_backend",
  ]

  private static let single: [String: Rule] = [
    "activation_checkpointing": .said(unless: off, why: "the key here is gradient_checkpointing"),
    "activation_checkpointing_kwargs": .silent,
    "adafactor": .refused(unless: off, why: "the optimizer is AdamW"),
    "auto_find_batch_size": .said(unless: off, why: "the batch size is the one given"),
    "deepspeed": .said(
      unless: none,
      why:
        "training runs in one process, with the keys of this file; what DeepSpeed offloads lies in memory here, and "
        + "\"optim\": \"paged_adamw_32bit\" puts the optimizer's part into a file"),
    "debug": .said(unless: none, why: "there is no such mode"),
    "group_by_length": .said(unless: off, why: "rows are not padded, so grouping them saves nothing"),
    "ignore_data_skip": .refused(unless: off, why: "a resumed run continues at its place in the data"),
    "label_smoothing_factor": .refused(
      unless: [.int(0), .double(0)], why: "the loss is the plain cross-entropy"),
    "liger_kernel_config": .silent,
    "lr_scheduler_kwargs": .refused(unless: none, why: "the schedules take no further settings"),
    "min_seq_length": .said(unless: [], why: "texts are packed into blocks of max_seq_length"),
    "neftune_noise_alpha": .refused(unless: [.int(0), .double(0)], why: "no noise is added to embeddings"),
    "optim_args": .refused(unless: none, why: "AdamW is set by adam_beta1, adam_beta2 and adam_epsilon"),
    "optim_target_modules": .refused(unless: none, why: "every adapter matrix is trained alike"),
    "f_divergence_type": .refused(
      unless: [.string("reverse_kl")], why: "the divergence is the reverse Kullback-Leibler one"),
    "ld_alpha": .refused(unless: [.int(1), .double(1)], why: "all tokens of an answer count alike"),
    "loss_weights": .refused(
      unless: [.array([.int(1)]), .array([.double(1)])],
      why: "there is one loss_type, and rpo_alpha weighs the chosen answers' own loss"),
    "padding_free": .silent,
    "precompute_ref_log_probs": .said(
      unless: [.bool(true)], why: "the reference is always computed before training"),
    "save_only_model": .said(unless: off, why: "checkpoints always hold what resuming needs"),
    "save_safetensors": .said(unless: [.bool(true)], why: "adapters are always written as safetensors"),
    "sync_ref_model": .refused(unless: off, why: "the reference stays as it is"),
    "torch_compile": .said(unless: off, why: "there is nothing to compile"),
    "train_sampling_strategy": .said(
      unless: [.string("random")], why: "the key here is \"shuffle\", true or false"),
    "truncation_mode": .said(
      unless: [], why: "pairs are cut as the original does: first the prompt on the left, then the answers"),
    "window_step_size": .said(unless: [], why: "texts are packed into blocks of max_seq_length"),
    "use_unsloth": .said(unless: off, why: "Firefly has its own kernels"),
    "use_weighting": .refused(unless: off, why: "every pair counts alike"),
  ]
}
