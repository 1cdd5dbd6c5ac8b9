import FireflyBase

/// What becomes of each key.
extension ForeignKeys {
  static let table: [String: Rule] = {
    var table: [String: Rule] = [:]
    for key in harmless { table[key] = .harmless }
    for key in hub { table[key] = .told(unless: none, why: "nothing is uploaded") }
    for key in distributed { table[key] = .told(unless: none, why: "training runs in one process") }
    return [transformers, trl, peft, original].reduce(into: table) { table, rules in
      table.merge(rules) { $1 }
    }
  }()

  private static let off: [JSONValue] = [.bool(false)]
  private static let none: [JSONValue] = [.string(""), .array([]), .object([:]), .bool(false)]

  private static let harmless = [
    // Where an editor finds the schema of the file.
    "$schema",
    "accelerator_config", "activation_checkpointing_kwargs", "average_tokens_across_devices",
    "batch_eval_metrics", "bf16_full_eval",
    "dataloader_in_order", "dataloader_multiprocessing_context", "dataloader_num_workers",
    "dataloader_persistent_workers", "dataloader_pin_memory", "dataloader_prefetch_factor",
    "ddp_broadcast_buffers", "ddp_bucket_cap_mb", "ddp_find_unused_parameters", "ddp_static_graph",
    "dispatch_batches", "do_predict", "do_train", "enable_jit_checkpoint",
    "eval_accumulation_steps", "eval_do_concat_batches", "eval_use_gather_object",
    "fp16_backend", "fp16_full_eval", "fp16_opt_level", "full_determinism", "gradient_checkpointing_kwargs",
    "half_precision_backend", "hub_always_push", "hub_private_repo", "hub_revision",
    "hub_strategy", "include_for_metrics", "include_inputs_for_metrics", "include_num_input_tokens_seen",
    "include_tokens_per_second", "jit_mode_eval", "keep_batchnorm_fp32", "label_names",
    "length_column_name", "liger_kernel_config", "local_rank", "log_level", "log_level_replica",
    "log_on_each_node", "logging_nan_inf_filter", "mp_parameters",
    "past_index", "prediction_loss_only", "project", "ray_scope",
    "remove_unused_columns", "restore_callback_states_from_checkpoint", "run_name", "save_on_each_node",
    "skip_memory_metrics", "split_batches", "tf32", "tokenize_num_workers", "torch_compile_backend",
    "torch_compile_mode", "torch_empty_cache_steps", "torchdynamo", "trackio_bucket_id",
    "trackio_space_id", "trackio_static_space_id", "use_cache", "use_ipex",
    "use_legacy_prediction_loop", "use_liger_kernel", "use_mps_device",
    // TRL's: how its data sets are prepared, and what belongs to keys that are refused.
    "dataset_num_proc", "discopop_tau", "f_alpha_divergence_coef", "label_pad_token_id", "packing_strategy",
    "pad_to_multiple_of", "padding_free", "padding_value", "precompute_ref_batch_size",
    "ref_model_mixup_alpha", "ref_model_sync_steps", "trust_remote_code", "use_logits_to_keep",
    // PEFT's: what belongs to keys that are refused, and what its own files say of themselves.
    "arrow_config", "auto_mapping", "inference_mode", "megatron_core", "peft_version", "qalora_group_size",
    "runtime_config",
  ]

  private static let hub = [
    "hub_model_id", "hub_token", "push_to_hub", "push_to_hub_model_id", "push_to_hub_organization",
    "push_to_hub_token",
  ]

  private static let distributed = [
    "ddp_backend", "fsdp", "fsdp_config", "fsdp_min_num_params",
    "fsdp_transformer_layer_cls_to_wrap", "megatron_config", "parallelism_config", "tpu_metrics_debug",
    "tpu_num_cores", "xpu_backend",
  ]

  private static let transformers: [String: Rule] = [
    "adafactor": .refused(unless: off, why: "the optimizer is AdamW"),
    "auto_find_batch_size": .told(unless: off, why: "the batch size is the one given"),
    "deepspeed": .told(
      unless: none,
      why:
        "training runs in one process, with the keys of this file; what DeepSpeed offloads lies in memory here, and "
        + "\"optim\": \"paged_adamw_32bit\" puts the optimizer's part into a file"),
    "debug": .told(unless: none, why: "there is no such mode"),
    "group_by_length": .told(unless: off, why: "rows are not padded, so grouping them saves nothing"),
    "ignore_data_skip": .refused(unless: off, why: "a resumed run continues at its place in the data"),
    "label_smoothing_factor": .refused(unless: [.int(0)], why: "the loss is the plain cross-entropy"),
    "optim_args": .refused(unless: none, why: "AdamW is set by adam_beta1, adam_beta2 and adam_epsilon"),
    "optim_target_modules": .refused(unless: none, why: "every adapter matrix is trained alike"),
    "save_only_model": .told(unless: off, why: "checkpoints always hold what resuming needs"),
    "save_safetensors": .told(unless: [.bool(true)], why: "adapters are always written as safetensors"),
    "torch_compile": .told(unless: off, why: "there is nothing to compile"),
  ]

  private static let trl: [String: Rule] = [
    "activation_offloading": .told(unless: off, why: "activations lie in memory; see gradient_checkpointing"),
    "assistant_only_loss": .told(
      unless: [.bool(true)], why: "answers alone are learnt; \"train_on_prompt\": true learns the rest too"),
    "completion_only_loss": .told(
      unless: [.bool(true)], why: "answers alone are learnt; \"train_on_prompt\": true learns the rest too"),
    "dataset_kwargs": .told(unless: none, why: "rows are read by their shape"),
    "dataset_text_field": .refused(unless: [.string("text")], why: "a plain text's key is \"text\""),
    "eos_token": .told(unless: none, why: "an answer ends with the template's stop token"),
    "eval_packing": .told(unless: off, why: "rows are not padded, so packing them saves nothing"),
    "f_divergence_type": .refused(
      unless: [.string("reverse_kl")], why: "the divergence is the reverse Kullback-Leibler one"),
    "force_use_ref_model": .told(unless: off, why: "the key here is dpo_reference"),
    "generate_during_eval": .told(unless: off, why: "the keys here are sample_prompts and sample_steps"),
    "ld_alpha": .refused(unless: [.int(1)], why: "all tokens of an answer count alike"),
    "loss_weights": .refused(
      unless: [.array([.int(1)])],
      why: "there is one loss_type, and rpo_alpha weighs the chosen answers' own loss"),
    "model_init_kwargs": .told(unless: none, why: "a model is opened as its files say"),
    "packing": .told(unless: off, why: "rows are not padded, so packing them saves nothing"),
    "pad_token": .told(unless: none, why: "rows are not padded"),
    "precompute_ref_log_probs": .told(
      unless: [.bool(true)], why: "the reference is always computed before training"),
    "reference_free": .refused(unless: off, why: "the reference is part of the loss"),
    "router_aux_loss_coef": .refused(
      unless: [], why: "the weight of the routers' auxiliary loss is that of the model's config.json"),
    "shuffle_dataset": .told(unless: off, why: "the key here is \"shuffle\", true or false"),
    "sync_ref_model": .refused(unless: off, why: "the reference stays as it is"),
    "use_weighting": .refused(unless: off, why: "every pair counts alike"),
  ]

  /// Keys that LoraConfig has and ours have not; those that are called otherwise here are in `KeysElsewhere`.
  private static let peft: [String: Rule] = [
    "alora_invocation_tokens": .refused(unless: none, why: "the adapter holds for every token"),
    "base_model_name_or_path": .told(unless: none, why: "the model is model_name_or_path"),
    "bias": .refused(unless: [.string("none")], why: "biases stay as they are"),
    "corda_config": .refused(unless: none, why: "an adapter begins at zero"),
    "eva_config": .refused(unless: none, why: "an adapter begins at zero"),
    "fan_in_fan_out": .told(unless: off, why: "how weights lie is the model's own"),
    "init_lora_weights": .refused(
      unless: [.bool(true)], why: "an adapter begins at zero, with A as PEFT's default draws it"),
    "kasa_config": .refused(unless: none, why: "adapters are LoRA"),
    "layer_replication": .refused(unless: none, why: "the model has the layers of its files"),
    "loftq_config": .refused(unless: none, why: "an adapter begins at zero"),
    "lora_bias": .refused(unless: off, why: "an adapter has no bias"),
    "lora_ga_config": .refused(unless: none, why: "an adapter begins at zero"),
    "monteclora_config": .refused(unless: none, why: "adapters are LoRA"),
    "peft_type": .refused(unless: [.string("LORA")], why: "adapters are LoRA"),
    "revision": .told(unless: none + [.string("main")], why: "a revision is part of the model's name here"),
    "target_parameters": .refused(unless: none, why: "adapters are of linear layers"),
    "trainable_token_indices": .refused(
      unless: none, why: "\"modules_to_save\": [\"embed_tokens\"] trains all rows"),
    "use_bdlora": .refused(unless: none, why: "adapters are LoRA"),
    "use_dora": .refused(unless: off, why: "adapters are LoRA"),
    "use_qalora": .refused(unless: off, why: "adapters are LoRA"),
    "velora_config": .refused(unless: none, why: "adapters are LoRA"),
  ]

  private static let original: [String: Rule] = [
    "min_seq_length": .told(unless: [], why: "texts are packed into blocks of max_seq_length"),
    "use_unsloth": .told(unless: off, why: "Firefly has its own kernels"),
    "window_step_size": .told(unless: [], why: "texts are packed into blocks of max_seq_length"),
  ]
}
