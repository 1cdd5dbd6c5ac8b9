extension Chinese {
  /// Training configurations.
  static let config = #"""
    a run's settings as JSON or YAML
    = JSON 或 YAML 格式的训练设置
    JSON has no comments and no comma behind the last value; a .yaml file is read as YAML.
    = JSON 不允许注释，最后一个值后面也不能有逗号；.yaml 文件按 YAML 读取。
    unknown key "{}" of {}
    = {2} 中有未知的键 "{1}"
    Did you mean "{}"?
    = 你要写的是不是 "{}"？
    a number above 0 and at most 1
    = 大于 0 且不超过 1 的数
    a whole number of at least 1
    = 不小于 1 的整数
    "train_on_prompt" and "only_last_turn" are both true
    = "train_on_prompt" 与 "only_last_turn" 同时为 true
    one of them
    = 二者之一
    Set one of them to false.
    = 请把其中一个设为 false。
    "{}" is for conversations
    = "{}" 只用于对话数据
    "task_type": "sft"
    = "task_type": "sft"
    Remove the key.
    = 请删除这个键。
    "template_name": "{}" is "{}" here
    = "template_name": "{}" 在这里叫 "{}"
    "template_name" is missing
    = 缺少 "template_name"
    a template's name, or "auto"
    = 一个模板名，或 "auto"
    "auto" is the model's own template.
    = "auto" 表示使用模型自带的模板。
    "template_name" is not given: conversations are written by "{}", as the original did before it had \#
    templates; "auto" is the model's own template
    = 没有给出 "template_name"：对话按 "{}" 书写，与原版有模板之前的做法相同；"auto" 表示使用模型自带的模\#
    板
    "lr_scheduler_kwargs" does not fit "lr_scheduler_type": "{}"
    = "lr_scheduler_kwargs" 与 "lr_scheduler_type": "{}" 不符
    no settings
    = 没有附加设置
    no others than {}
    = 只有 {}
    "lr_end" below learning_rate
    = 小于 learning_rate 的 "lr_end"
    one of "min_lr" and "min_lr_rate"
    = "min_lr" 与 "min_lr_rate" 之一
    both
    = 两者都有
    both "fp16" and "bf16" are true
    = "fp16" 与 "bf16" 同时为 true
    exactly one of them
    = 只取其中一个
    neither "fp16" nor "bf16" is true
    = "fp16" 与 "bf16" 都不为 true
    Set "bf16": true, or "precision": "float32".
    = 请设置 "bf16": true，或 "precision": "float32"。
    "fp16": true is float16 with loss scaling on a card, and bfloat16 on the processor, which needs none
    = "fp16": true 在显卡上是带损失缩放的 float16，在处理器上是 bfloat16（不需要损失缩放）
    a whole number, or a part of all steps below 1
    = 整数步数，或占总步数的比例（小于 1）
    the warm-up is ignored: lr_scheduler_type "constant" has none; "constant_with_warmup" has
    = 预热设置不起作用：lr_scheduler_type 为 "constant" 时没有预热，"constant_with_warmup" 才有
    "layers_pattern" is for "layers_to_transform", which is not given
    = "layers_pattern" 用于 "layers_to_transform"，而后者没有给出
    "layers_to_transform" does not go with an expression
    = "layers_to_transform" 不能与正则表达式同时使用
    Let the expression say which layers, or list the modules' names.
    = 请在表达式中写明层号，或列出模块名称。
    "{}" does not go with "adapter_name_or_path"
    = "{}" 不能与 "adapter_name_or_path" 同时使用
    "save_strategy": "best" needs evaluations and a metric to go by
    = "save_strategy": "best" 需要评估和所依据的指标
    Set "eval_strategy" to "steps" or "epoch", and "metric_for_best_model": "eval_loss".
    = 请把 "eval_strategy" 设为 "steps" 或 "epoch"，并设置 "metric_for_best_model": "eval_loss"。
    "optim": "{}" runs with 32-bit states
    = "optim": "{}" 按 32 位状态运行
    "shuffle" and "train_sampling_strategy" differ
    = "shuffle" 与 "train_sampling_strategy" 互相矛盾
    Remove one of them.
    = 请删除其中一个。
    "train_sampling_strategy": "group_by_length" is ignored: rows are not padded, so grouping them saves \#
    nothing
    = "train_sampling_strategy": "group_by_length" 不起作用：各行不做填充，按长度分组没有好处
    "truncation_mode": "{}" is ignored: pairs are cut as the original does: first the prompt on the left, \#
    then the answers
    = "truncation_mode": "{}" 不起作用：偏好对的截断方式与原版相同，先从左边截断提示，再截断回答
    "truncation_mode": "{}" is ignored: what is too long is cut on the right
    = "truncation_mode": "{}" 不起作用：过长的内容从右边截断
    a list of module names, or "all-linear"
    = 模块名列表，或 "all-linear"
    "adapter_name_or_path" does not go with "train_mode": "full"
    = "adapter_name_or_path" 不能与 "train_mode": "full" 同时使用
    Remove the key, or set "train_mode": "qlora"; 'firefly merge' makes a model of base and adapter.
    = 删除这个键，或设置 "train_mode": "qlora"；“firefly merge”可以把基础模型与适配器合成一个模型。
    a list of module names
    = 模块名列表
    a whole number of at least 1, or a part of all steps below 1
    = 不小于 1 的整数，或占总步数的比例（小于 1）
    "report_to": {} is ignored: TensorBoard is what there is
    = "report_to": {} 不起作用：这里只有 TensorBoard
    not a configuration
    = 不是训练配置
    one JSON object
    = 一个 JSON 对象
    a string that is not empty
    = 非空字符串
    a whole number {}
    = {}的整数
    a number {}
    = {}的数
    a number above {}{}
    = 大于 {} 的数{}
    one of {}
    = {} 之一
    "{}" has a wrong value
    = "{}" 的值不正确
    unknown key "{}"
    = 未知的键 "{}"
    Remove it; the README lists the keys.
    = 请删除它；README 列出了可用的键。
    {} settings are wrong:{}
    = 有 {} 项设置不正确：{}
    "{}" is missing
    = 缺少 "{}"
    of at least {}
    = 不小于 {}
    from {} to {}
    = {} 到 {} 之间
    the key "{}" stands twice
    = 键 "{}" 出现了两次
    Remove one of the two.
    = 请删除其中一个。
    there is no evaluation during training: "eval_strategy" is "no"
    = 训练中不做评测："eval_strategy" 为 "no"
    "load_best_model_at_end" needs evaluations
    = "load_best_model_at_end" 需要评测
    Set "eval_strategy" and "save_strategy" alike, to "steps" or "epoch".
    = 请把 "eval_strategy" 与 "save_strategy" 设为相同的值，"steps" 或 "epoch"。
    "val_size" holds rows out for evaluations, and there are none
    = "val_size" 留出了用于评测的行，但训练中没有评测
    Set "eval_strategy" to "steps" or "epoch", or remove the key.
    = 把 "eval_strategy" 设为 "steps" 或 "epoch"，或删除这个键。
    "eval_file" is missing
    = 缺少 "eval_file"
    a file of rows like train_file, or val_size
    = 与 train_file 同类的数据文件，或 val_size
    Name it, or set "val_size": 0.1, or "eval_strategy": "no".
    = 请给出文件，或设置 "val_size": 0.1，或 "eval_strategy": "no"。
    "eval_file" and "val_size" are both given
    = "eval_file" 与 "val_size" 不能同时给出
    "eval_strategy" and "evaluation_strategy" differ
    = "eval_strategy" 与 "evaluation_strategy" 不一致
    They are two names of one setting.
    = 它们是同一个设置的两个名字。
    "load_best_model_at_end" needs checkpoints where there are evaluations
    = "load_best_model_at_end" 要求评测的时刻都有检查点
    "{}", the eval_strategy
    = "{}"，即 eval_strategy 的值
    a multiple of eval_steps, {}
    = eval_steps（{}）的倍数
    "early_stopping_threshold" is for early stopping, which is off
    = "early_stopping_threshold" 用于提前停止，而提前停止没有开启
    Set "early_stopping_patience" too.
    = 请同时设置 "early_stopping_patience"。
    "early_stopping_patience" needs evaluations
    = "early_stopping_patience" 需要评测
    Set "eval_strategy" to "steps" or "epoch".
    = 请把 "eval_strategy" 设为 "steps" 或 "epoch"。
    "early_stopping_patience" needs a metric to go by
    = "early_stopping_patience" 需要一个评判指标
    Set "metric_for_best_model": "eval_loss", or "load_best_model_at_end": true.
    = 请设置 "metric_for_best_model": "eval_loss"，或 "load_best_model_at_end": true。
    "{}" belongs to "train_mode": "full"
    = "{}" 只用于 "train_mode": "full"
    Remove the key, or set "train_mode": "full".
    = 删除这个键，或设置 "train_mode": "full"。
    "freeze_layers" and "train_last_layers" are both set
    = "freeze_layers" 与 "train_last_layers" 不能同时设置
    of task_type "dpo" alone, and ignored: {}
    = 只用于 task_type "dpo"，不起作用：{}
    "loss_reduction" is ignored: pairs are averaged over each micro-batch, and those over the step
    = "loss_reduction" 不起作用：先在每个小批内对偏好对取平均，再在一步内取平均
    The weight of "sft" is the key rpo_alpha.
    = "sft" 的权重由键 rpo_alpha 设置。
    "label_smoothing" has no meaning for "loss_type": "{}"
    = "label_smoothing" 对 "loss_type": "{}" 没有意义
    0, or loss_type "sigmoid" or "robust"
    = 0，或把 loss_type 设为 "sigmoid" 或 "robust"
    "label_smoothing" is too large for "loss_type": "robust"
    = 对 "loss_type": "robust" 来说，"label_smoothing" 太大
    below 0.5
    = 小于 0.5
    "{}" is not that of the adapter that the run starts from
    = "{}" 与起始适配器的不一致
    Remove the key: the adapter's own settings hold.
    = 请删除这个键：以适配器自己的设置为准。
    the model has fewer layers
    = 模型没有这么多层
    "master_weights": "paged" has no effect here: on a card, products in float32, mixtures of experts and heads of rows of length 1 read the weights themselves
    = "master_weights": "paged" 在此无效：在显卡上，float32 的乘法、专家混合模型以及按行归一化的输出层直接读取主权重
    not a setting
    = 不是一项设置
    key=value
    = key=value
    a list of texts
    = 文本列表
    an object of names and values
    = 由名称和值组成的对象
    "enable_thinking" and "chat_template_kwargs" contradict each other
    = "enable_thinking" 与 "chat_template_kwargs" 互相矛盾
    Keep one of them.
    = 请只保留其中一个。
    no memory to read YAML
    = 内存不足，无法读取 YAML
    a second document follows
    = 后面还有第二个文档
    not valid YAML: {}
    = 不是有效的 YAML：{}
    an alias ("*")
    = 别名（"*"）
    a key that is not a text
    = 不是文本的键
    an anchor ("&")
    = 锚点（"&"）
    a tag ("!")
    = 标签（"!"）
    YAML that is not read: {}
    = 不读取这种 YAML：{}
    keys, values and lists
    = 键、值和列表
    Write it without.
    = 请改用其他写法。
    "modules_to_save": ["embed_tokens"] trains all rows
    = "modules_to_save": ["embed_tokens"] 会训练所有行
    It is "resize_vocab": true here: as many rows as there are tokens.
    = 在这里是 "resize_vocab": true：有多少词元就有多少行。
    Add them to the tokenizer first (transformers' add_tokens and save_pretrained, into the model's \#
    folder): then "resize_vocab": true gives them rows, and "modules_to_save": ["embed_tokens", "lm_head"] \#
    trains these.
    = 请先把它们加入分词器（transformers 的 add_tokens 和 save_pretrained，存入模型文件夹）：然后 \#
    "resize_vocab": true 为它们增加行，"modules_to_save": ["embed_tokens", "lm_head"] 训练这些行。
    an adapter that trains rows of some tokens cannot be trained further
    = 训练了部分词元行的适配器不能继续训练
    Merge it into the model ('firefly merge'), and train the merged model.
    = 请把它合并进模型（“firefly merge”），再训练合并后的模型。
    "template_name": "auto" is the chat template of {}, which is another than the model's own
    = "template_name": "auto" 是 {} 的聊天模板，与模型自带的不同
    a whole number of at least {}
    = 不小于 {} 的整数
    a whole number from {} to {}
    = {} 到 {} 之间的整数
    train_mode "lora" and "qlora"
    = train_mode "lora" 和 "qlora"
    of {} alone, and ignored: {}
    = 只用于 {}，不起作用：{}
    "warmup_ratio" is ignored: "warmup_steps" is given too
    = "warmup_ratio" 不起作用：同时给出了 "warmup_steps"
    "{}" has a wrong value{}
    = "{}" 的值不正确{}
    'firefly keys' lists all keys.
    = “firefly keys”列出所有的键。
    Remove it; {}
    = 请删除它；{}
    Did you mean "{}"? {}
    = 你要写的是不是 "{}"？{}
    output_dir holds the result of an earlier run, which this one replaces
    = output_dir 中有以前训练的结果，本次训练会覆盖它
    "num_train_epochs" is ignored: "max_steps" is given
    = "num_train_epochs" 不起作用：给出了 "max_steps"
    the warm-up takes {} steps and {}: learning_rate is never reached
    = 预热需要 {} 步，而{}：永远达不到 learning_rate
    "learning_rate" is 0: nothing is learnt
    = "learning_rate" 为 0：学不到任何内容
    "max_grad_norm" is 0: gradients are not clipped
    = "max_grad_norm" 为 0：不裁剪梯度
    the first step's loss alone is logged
    = 只记录第一步的损失
    no loss is logged
    = 不记录损失
    but for the one before the first step
    = 第一步之前的除外
    at all
    = 完全
    {}, which end before the first evaluation: there is none {}
    = {}，在第一次评测之前就结束：没有评测（{}）
    {}: prompts are answered before the first step and after the last
    = {}：只在第一步之前和最后一步之后回答提示
    {}: the one checkpoint is that of the end
    = {}：只有结束时的一个检查点
    "{}" is {} and {}
    = "{}" 为 {}，而{}
    the run has {} steps
    = 训练共 {} 步
    a list of {}
    = {}的列表
    a part of {} below 1
    = 占{}的比例（小于 1）
    a size such as "20GiB"
    = "20GiB" 这样的大小
    an object {{}}
    = 对象 {{}}
    paths and objects {"file", "share", "max_samples"}
    = 路径和对象 {"file", "share", "max_samples"}
    a number above {}
    = 大于 {} 的数
    a number above {} and at most {}
    = 大于 {} 且不超过 {} 的数
    a number of at least {}
    = 不小于 {} 的数
    module names
    = 模块名
    texts
    = 文本
    them
    = 上述值
    all steps
    = 总步数
    the rows
    = 总行数
    """#
}
