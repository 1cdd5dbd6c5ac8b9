/// What other trainers' keys are called here, for the message about an unknown key: LLaMA-Factory's, axolotl's, ms-swift's,
/// unsloth's, TRL's and PEFT's.
///
/// None of them is taken: a configuration that was written for another program is read by its owner first.
enum KeysElsewhere {
  /// What the owner can do about `key`; nil when it is nobody's.
  static func advice(on key: String) -> String? {
    if let name = names[key] { return "It is called \"\(name)\" here." }
    if let note = notes[key] { return note }
    if let (_, note) = families.first(where: { key.hasPrefix($0.prefix) }) { return note }
    return nil
  }

  /// Keys with the same meaning under another name.
  private static let names: [String: String] = {
    var names: [String: String] = [:]
    for (ours, theirs) in namesByOurs {
      for name in theirs.split(separator: " ") { names[String(name)] = ours }
    }
    return names
  }()

  static let namesByOurs = [
    "model_name_or_path":
      "base_model model model_name pretrained_model_name_or_path model_id model_path model_id_or_path",
    "template_name": "template chat_template template_type",
    "train_file":
      "dataset datasets train_files data_path data_files dataset_path train_data custom_train_dataset_path",
    "eval_file": "eval_dataset val_dataset test_datasets validation_file eval_files val_file",
    "val_size": "val_set_size split_dataset_ratio dataset_test_ratio validation_split_percentage",
    "max_samples": "train_dataset_sample max_train_samples",
    "max_seq_length":
      "cutoff_len sequence_len max_length model_max_length max_source_length block_size max_seq_len",
    "max_prompt_length": "max_prompt_len",
    "train_on_prompt": "train_on_inputs",
    "only_last_turn": "mask_history train_on_last_turn",
    "data_cache": "dataset_prepared_path tokenized_path cache_dir",
    "lora_rank": "r lora_r",
    "lora_dropout": "lora_dropout_p module_dropout",
    "lora_target_modules": "target_modules lora_target target_regex",
    "modules_to_save": "lora_modules_to_save additional_target",
    "use_rslora": "peft_use_rslora",
    "layers_to_transform": "peft_layers_to_transform",
    "layers_pattern": "peft_layers_pattern",
    "adapter_name_or_path": "lora_model_dir adapters adapter_path peft_model_id resume_from_adapter",
    "num_train_epochs": "num_epochs epochs train_epochs",
    "max_steps": "num_steps train_steps max_train_steps",
    "per_device_train_batch_size": "micro_batch_size per_gpu_train_batch_size train_batch_size",
    "per_device_eval_batch_size": "eval_batch_size per_gpu_eval_batch_size",
    "gradient_accumulation_steps": "accumulation_steps grad_accum_steps",
    "learning_rate": "lr",
    "lr_scheduler_type": "lr_scheduler scheduler",
    "optim": "optimizer",
    "neftune_noise_alpha": "noisy_embedding_alpha neftune_alpha",
    "max_grad_norm": "gradient_clipping grad_clip",
    "seed": "random_state random_seed",
    "gradient_checkpointing": "use_gradient_checkpointing",
    "eval_strategy": "evaluation_mode",
    "save_total_limit": "checkpoints_total_limit",
    "early_stopping_patience": "early_stopping_steps",
    "beta": "pref_beta rl_beta dpo_beta",
    "loss_type": "pref_loss dpo_loss_type",
    "label_smoothing": "dpo_label_smoothing",
    "rpo_alpha": "pref_ftx",
    "memory_limit": "gpu_memory_limit",
    "sample_max_new_tokens": "eval_max_new_tokens",
    "resume_from_checkpoint": "resume_from auto_resume_from_checkpoints",
  ]

  /// Keys whose meaning has another form here.
  private static let notes: [String: String] = [
    "finetuning_type": trainMode, "train_type": trainMode, "tuner_type": trainMode, "sft_type": trainMode,
    "adapter": trainMode, "use_peft": trainMode, "full_finetuning": trainMode,
    "quantization_bit": fourBits, "quant_bits": fourBits, "load_in_4bit": fourBits, "quant_method": fourBits,
    "quantization_method": fourBits, "quantization_config": fourBits, "double_quantization": fourBits,
    "use_bnb_nested_quant": fourBits, "bnb_config_kwargs": fourBits,
    "load_in_8bit": "There are no 8-bit weights: \"train_mode\" is \"qlora\" (4 bits) or \"lora\".",
    "stage": task, "rl": task, "rlhf_type": task, "trainer_cls": task,
    "lora_target_linear": "It is \"lora_target_modules\": \"all-linear\" here, which is the default.",
    "torch_dtype": precision, "dtype": precision, "compute_dtype": precision, "bfloat16": precision,
    "float16": precision, "float32": precision, "pure_bf16": precision,
    "dataset_dir": paths, "dataset_name": paths, "dataset_config": paths, "dataset_train_split": paths,
    "dataset_test_split": paths, "ds_type": paths,
    "interleave_probs": shares, "interleave_prob": shares, "mix_strategy": shares,
    "stopping_strategy": shares, "dataset_sample": shares,
    "disable_shuffling": order, "dataset_shuffle": order, "shuffle_merged_datasets": order,
    "disable_gradient_checkpointing": "It is \"gradient_checkpointing\": false here, which is the default.",
    "evals_per_epoch": "It is \"eval_strategy\": \"steps\" with \"eval_steps\": a part of all steps below 1.",
    "saves_per_epoch": "It is \"save_steps\" here: a part of all steps below 1.",
    "use_tensorboard": "It is \"report_to\": \"tensorboard\" here, which is the default.",
    "chat_template_path": ownTemplate, "chat_template_jinja": ownTemplate, "use_chat_template": ownTemplate,
    "plot_loss": "Remove it: every run draws loss.svg.",
    "system": systemText, "default_system": systemText, "default_system_message": systemText,
    "system_prompt": systemText,
    "sample_packing": noPadding, "neat_packing": noPadding, "eval_sample_packing": noPadding,
    "pad_to_sequence_len": noPadding, "padding_side": noPadding, "sample_packing_eff_est": noPadding,
    "multipack_real_batches": noPadding, "batch_flattening": noPadding,
    "flash_attn": kernels, "flash_attention": kernels, "attn_implementation": kernels, "attn_impl": kernels,
    "sdp_attention": kernels, "xformers_attention": kernels, "eager_attention": kernels,
    "enable_liger_kernel": kernels, "use_unsloth_gc": kernels, "device_map": kernels,
    "low_cpu_mem_usage": kernels,
    "preprocessing_num_workers": machinery, "dataset_processes": machinery, "overwrite_cache": machinery,
    "lazy_tokenize": machinery, "streaming": machinery, "buffer_size": machinery,
    "preprocessing_batch_size": machinery, "dataset_batch_size": machinery, "use_fast_tokenizer": machinery,
    "strict": machinery, "use_hf": machinery, "is_preprocess": machinery, "save_first_step": machinery,
    "add_tokens": newTokens, "add_special_tokens": newTokens, "new_special_tokens": newTokens,
    "new_special_tokens_config": newTokens, "new_tokens": newTokens, "tokens": newTokens,
    "additional_special_tokens": newTokens, "added_tokens_overrides": newTokens,
    "resize_token_embeddings_to_32x": "It is \"resize_vocab\": true here: as many rows as there are tokens.",
    "init_special_tokens": ownTokens, "split_special_tokens": ownTokens,
    "ref_model": reference, "ref_model_adapters": reference, "ref_adapters": reference,
    "ref_model_quantization_bit": reference,
    "pref_bco_weight": preferences, "kto_chosen_weight": preferences, "kto_rejected_weight": preferences,
    "kto_desirable_weight": preferences, "kto_undesirable_weight": preferences, "simpo_gamma": preferences,
    "cpo_alpha": preferences, "orpo_alpha": preferences, "rl_alpha": preferences, "reward_model": preferences,
    "reward_model_type": preferences,
    "freeze_trainable_modules": frozen, "freeze_extra_modules": frozen, "freeze_parameters": frozen,
    "freeze_parameters_ratio": frozen, "trainable_parameters": frozen, "freeze_llm": frozen,
    "freeze_language_model": frozen,
    "media_dir": images, "image_max_pixels": images, "image_min_pixels": images, "video_max_pixels": images,
    "max_pixels": images, "freeze_vision_tower": images, "freeze_multi_modal_projector": images,
    "freeze_vit": images, "freeze_aligner": images, "vit_lr": images, "aligner_lr": images,
    "pissa_init": plainLoRA, "pissa_iter": plainLoRA, "pissa_convert": plainLoRA,
    "lora_bias_trainable": plainLoRA, "lora_fan_in_fan_out": plainLoRA, "lora_on_cpu": plainLoRA,
    "peft_use_dora": plainLoRA, "peft_init_lora_weights": plainLoRA, "use_lora_plus": plainLoRA,
    "init_weights": plainLoRA,
    "lora_dtype": plainLoRA,
    "use_llama_pro": layers, "mixture_of_depths": layers, "shift_attn": layers, "s2_attention": layers,
    "rope_scaling": layers, "train_from_scratch": layers, "num_layers": layers,
    "use_reentrant_gc": kernels, "lora_mlp_kernel": kernels, "lora_qkv_kernel": kernels,
    "lora_o_kernel": kernels, "cut_cross_entropy": kernels, "use_cache_kernel": kernels,
    "use_v1_kernels": kernels, "offload_folder": kernels,
    "infer_backend": machinery, "infer_dtype": machinery, "use_kv_cache": machinery,
    "data_shared_file_system": machinery, "dataset_keep_in_memory": machinery, "dataset_shard_num": machinery,
    "dataset_shard_idx": machinery, "load_from_cache_file": machinery, "add_version": machinery,
    "create_checkpoint_symlink": machinery, "profiler_steps": machinery, "plugins": machinery,
    "external_plugins": machinery, "use_ray": machinery, "ignore_pad_token_for_loss": machinery,
    "print_param_status": machinery, "tokenizer_use_fast": machinery, "tokenizer_legacy": machinery,
    "is_llama_derived_model": machinery, "is_mistral_derived_model": machinery,
    "is_falcon_derived_model": machinery, "is_qwen_derived_model": machinery, "base_model_config": machinery,
    "tokenizer_config": machinery, "base_model_ignore_patterns": machinery, "min_sample_len": machinery,
    "loraplus_lr_embedding": oneRate, "lorap_lr_ratio": oneRate, "loraplus_lr_ratio_embedding": oneRate,
    "lr_quadratic_warmup": schedules, "hf_hub_token": tokensOfHubs, "ms_hub_token": tokensOfHubs,
    "om_hub_token": tokensOfHubs, "hf_use_auth_token": tokensOfHubs,
    "roles_to_train": learnt, "train_on_eos": learnt, "train_on_eot": learnt, "loss_scale": learnt,
    "predict_with_generate": answers, "do_sample": answers, "temperature": answers, "top_p": answers,
    "top_k": answers, "max_new_tokens": answers, "num_beams": answers, "repetition_penalty": answers,
    "eval_num_beams": answers, "eval_table_size": answers,
    "use_swanlab": reports, "use_wandb": reports,
    "fp8": precision, "upcast_layernorm": precision, "upcast_lmhead_output": precision,
    "excess_length_strategy": cutting, "truncation_strategy": cutting,
    "moe_aux_loss_coef": "Remove it: the weight is that of the model's config.json.",
    "compute_accuracy": "Remove it: evaluations tell the accuracy of tokens, or of pairs.",
    "include_effective_tokens_per_second": "Remove it: every run records its speed.",
    "resume_only_model": "Remove it: a resumed run goes on with all that it was.",
    "create_new_adapter":
      "Remove it: 'firefly merge' the first adapter, and train a fresh one on the result.",
    "agent_template": ownTools, "tool_format": ownTools,
    "loss_watchdog_threshold": watchdog, "loss_watchdog_patience": watchdog,
    "model_revision": "A revision is part of the model's name here: Org/Name@REVISION.",
    "use_galore": adamW, "use_apollo": adamW, "use_badam": adamW, "use_adam_mini": adamW, "use_muon": adamW,
    "cosine_min_lr_ratio": leastRate, "cosine_constant_lr_ratio": schedules, "min_lr": leastRate,
    "loraplus_lr_ratio": oneRate, "embedding_lr": oneRate, "lr_groups": oneRate,
    "freeze_trainable_layers": "It is \"train_last_layers\" with \"train_mode\": \"full\" here.",
    "unfrozen_parameters": frozen,
    "special_tokens":
      "Remove it: the tokenizer's files decide, and answers end with the template's stop token.",
    "tokenizer_type": "Remove it: a tokenizer is told by its files.",
    "model_type": "Remove it: a model is told by its config.json.",
    "cutoff_length": "It is called \"max_seq_length\" here.",
    "batch_size":
      "It is \"per_device_train_batch_size\" times \"gradient_accumulation_steps\" here: set the two.",
  ]

  /// Services and machinery, by how their keys begin.
  private static let families: [(prefix: String, note: String)] = [
    ("wandb_", reports), ("swanlab_", reports), ("mlflow_", reports), ("comet_", reports),
    ("trackio_", reports), ("neptune_", reports),
    ("bnb_4bit_", fourBits), ("galore_", adamW), ("apollo_", adamW), ("badam_", adamW),
    ("relora_", plainLoRA), ("lora_ga_", plainLoRA), ("oft_", plainLoRA), ("ppo_", preferences),
    ("liger_", kernels), ("flash_attn_", kernels),
    ("sglang_", "Remove it: training starts no other program."),
    ("ray_", machinery), ("hqq_", fourBits),
    ("vllm_", "Remove it: training starts no other program."),
    ("export_", "Remove it: 'firefly merge' and 'firefly export' make other forms of a model."),
  ]

  private static let newTokens =
    "Add them to the tokenizer first (transformers' add_tokens and save_pretrained, into the model's folder): then "
    + "\"resize_vocab\": true gives them rows, and \"modules_to_save\": [\"embed_tokens\", \"lm_head\"] trains these."
  private static let ownTokens = "Remove it: the tokenizer's files say which tokens there are."
  private static let reference = "It is \"dpo_reference\" here: \"start\" or \"base\"."
  private static let preferences = "Remove it: preference pairs are trained by DPO, with \"loss_type\"."
  private static let frozen =
    "\"train_last_layers\" or \"freeze_layers\" choose what \"train_mode\": \"full\" trains."
  private static let images = "Remove it: the models here read text alone."
  private static let plainLoRA = "Remove it: adapters are LoRA, and begin at zero."
  private static let layers = "Remove it: the model is as its config.json says."
  private static let tokensOfHubs =
    "Remove it: the environment's HF_TOKEN is the token of 'firefly download'."
  private static let learnt =
    "Rows say what is learnt: an answer's \"weight\": 0, \"train\": false or \"loss\": false leaves it out."
  private static let answers =
    "Remove it: a run answers \"sample_prompts\" alone; 'firefly eval' measures answers."
  private static let cutting = "Remove it: what is longer than \"max_seq_length\" is cut."
  private static let ownTools =
    "It is \"template_name\": \"auto\" here: the model's own template writes tools."
  private static let watchdog = "Remove it: a run stops when its loss is no number."
  private static let trainMode = "It is \"train_mode\" here: \"full\", \"lora\" or \"qlora\"."
  private static let fourBits = "It is \"train_mode\": \"qlora\" here: the base in 4 bits (NF4)."
  private static let task = "It is \"task_type\" here: \"pretrain\", \"sft\" or \"dpo\"."
  private static let precision = "It is \"bf16\": true here, or \"precision\": \"float32\"."
  private static let paths = "\"train_file\" is the path of a file of rows, or a list of paths."
  private static let shares =
    "\"train_file\" takes a list of {\"file\", \"share\", \"max_samples\"} here."
  private static let ownTemplate = "It is \"template_name\": \"auto\" here: the model's own template."
  private static let order = "It is \"shuffle\" here, true or false."
  private static let systemText = "A system text stands in each row here: its key \"system\"."
  private static let noPadding = "Remove it: rows are not padded, so packing them saves nothing."
  private static let kernels = "Remove it: Firefly has its own kernels, for the processor it runs on."
  private static let machinery = "Remove it: nothing here needs it."
  private static let adamW = "Remove it: the optimizer is AdamW."
  private static let schedules = "Remove it: \"lr_scheduler_type\" has no such course."
  private static let leastRate =
    "It is \"lr_scheduler_type\": \"cosine_with_min_lr\" here, with \"lr_scheduler_kwargs\": {\"min_lr\": …} or {\"min_lr_rate\": …}."
  private static let oneRate = "Remove it: one learning_rate holds for all that is trained."
  private static let reports = "Remove it: TensorBoard is what there is, by \"report_to\"."
}
