extension Chinese {
  /// Keys of configurations that are called otherwise here or have no effect.
  static let configKeys = #"""
    nothing is uploaded
    = 不会上传任何内容
    training runs in one process
    = 训练在单个进程中进行
    the optimizer is AdamW
    = 优化器是 AdamW
    the batch size is the one given
    = 批大小就是给出的值
    training runs in one process, with the keys of this file; what DeepSpeed offloads lies in memory here, \#
    and "optim": "paged_adamw_32bit" puts the optimizer's part into a file
    = 训练在单个进程中进行，设置以本文件为准；DeepSpeed 卸载的内容在这里都放在内存中，"optim": \#
    "paged_adamw_32bit" 可以把优化器的部分放到文件里
    there is no such mode
    = 没有这种模式
    rows are not padded, so grouping them saves nothing
    = 各行不做填充，按长度分组没有好处
    a resumed run continues at its place in the data
    = 继续训练时从数据的原位置接着读
    the loss is the plain cross-entropy
    = 损失就是普通的交叉熵
    AdamW is set by adam_beta1, adam_beta2 and adam_epsilon
    = AdamW 由 adam_beta1、adam_beta2 和 adam_epsilon 设置
    every adapter matrix is trained alike
    = 所有适配器矩阵都以同样方式训练
    checkpoints always hold what resuming needs
    = 检查点始终包含继续训练所需的一切
    adapters are always written as safetensors
    = 适配器始终写成 safetensors
    there is nothing to compile
    = 没有需要编译的内容
    activations lie in memory; see gradient_checkpointing
    = 激活值放在内存中；参见 gradient_checkpointing
    answers alone are learnt; "train_on_prompt": true learns the rest too
    = 默认只学习回答；"train_on_prompt": true 则连同其余部分一起学习
    rows are read by their shape
    = 数据格式按每行的内容识别
    a plain text's key is "text"
    = 纯文本的键是 "text"
    an answer ends with the template's stop token
    = 回答以模板的停止词元结束
    rows are not padded, so packing them saves nothing
    = 各行不做填充，拼接它们没有好处
    the divergence is the reverse Kullback-Leibler one
    = 散度取反向 Kullback-Leibler 散度
    the key here is dpo_reference
    = 这里对应的键是 dpo_reference
    the keys here are sample_prompts and sample_steps
    = 这里对应的键是 sample_prompts 和 sample_steps
    all tokens of an answer count alike
    = 回答中的所有词元权重相同
    there is one loss_type, and rpo_alpha weighs the chosen answers' own loss
    = loss_type 只能取一个，所选回答自身的损失由 rpo_alpha 加权
    a model is opened as its files say
    = 模型按其文件的内容打开
    rows are not padded
    = 各行不做填充
    the reference is always computed before training
    = 参考模型的结果总是在训练之前计算
    the reference is part of the loss
    = 参考模型是损失的一部分
    the weight of the routers' auxiliary loss is that of the model's config.json
    = 路由辅助损失的权重取自模型的 config.json
    the key here is "shuffle", true or false
    = 这里对应的键是 "shuffle"，取 true 或 false
    the reference stays as it is
    = 参考模型保持不变
    every pair counts alike
    = 每一对的权重相同
    the adapter holds for every token
    = 适配器对所有词元起作用
    the model is model_name_or_path
    = 模型由 model_name_or_path 给出
    biases stay as they are
    = 偏置保持不变
    an adapter begins at zero
    = 适配器从零开始
    how weights lie is the model's own
    = 权重的存放方式由模型自身决定
    an adapter begins at zero, with A as PEFT's default draws it
    = 适配器从零开始，A 按 PEFT 的默认方式初始化
    adapters are LoRA
    = 适配器只有 LoRA 一种
    the model has the layers of its files
    = 模型的层数以其文件为准
    an adapter has no bias
    = 适配器没有偏置
    a revision is part of the model's name here
    = 在这里，修订版本写在模型名中
    adapters are of linear layers
    = 适配器只用于线性层
    texts are packed into blocks of max_seq_length
    = 文本拼接成长度为 max_seq_length 的块
    Firefly has its own kernels
    = Firefly 使用自己的内核
    "{}": {} is ignored: {}
    = "{}": {} 不起作用：{}
    "{}" is not supported: {}
    = 不支持 "{}"：{}
    "{}" is called "{}" now
    = "{}" 现在叫 "{}"
    this is DeepSpeed's configuration, not a training run's
    = 这是 DeepSpeed 的配置，不是训练配置
    a file with "model_name_or_path" and "train_file"
    = 包含 "model_name_or_path" 和 "train_file" 的文件
    Give the file that names it with "deepspeed"; Firefly itself needs none.
    = 请给出用 "deepspeed" 引用它的那个文件；Firefly 本身不需要它。
    It is called "{}" here.
    = 在这里叫 "{}"。
    There are no 8-bit weights: "train_mode" is "qlora" (4 bits) or "lora".
    = 没有 8 位权重："train_mode" 取 "qlora"（4 位）或 "lora"。
    It is "lora_target_modules": "all-linear" here, which is the default.
    = 在这里是 "lora_target_modules": "all-linear"，也是默认值。
    It is "gradient_checkpointing": false here, which is the default.
    = 在这里是 "gradient_checkpointing": false，也是默认值。
    It is "eval_strategy": "steps" with "eval_steps": a part of all steps below 1.
    = 在这里是 "eval_strategy": "steps" 加 "eval_steps"（占总步数的比例，小于 1）。
    It is "save_steps" here: a part of all steps below 1.
    = 在这里是 "save_steps"（占总步数的比例，小于 1）。
    It is "report_to": "tensorboard" here, which is the default.
    = 在这里是 "report_to": "tensorboard"，也是默认值。
    Remove it: every run draws loss.svg.
    = 请删除它：每次训练都会画出 loss.svg。
    A revision is part of the model's name here: Org/Name@REVISION.
    = 在这里，修订版本写在模型名中：Org/Name@REVISION。
    It is "train_last_layers" with "train_mode": "full" here.
    = 在这里是 "train_last_layers"，与 "train_mode": "full" 一起使用。
    "train_last_layers" or "freeze_layers" choose what "train_mode": "full" trains.
    = "train_mode": "full" 训练哪些层由 "train_last_layers" 或 "freeze_layers" 决定。
    Remove it: the tokenizer's files decide, and answers end with the template's stop token.
    = 请删除它：由分词器的文件决定，回答以模板的停止词元结束。
    Remove it: a tokenizer is told by its files.
    = 请删除它：分词器由其文件决定。
    Remove it: a model is told by its config.json.
    = 请删除它：模型由其 config.json 决定。
    It is called "max_seq_length" here.
    = 在这里叫 "max_seq_length"。
    It is "per_device_train_batch_size" times "gradient_accumulation_steps" here: set the two.
    = 在这里是 "per_device_train_batch_size" 乘以 "gradient_accumulation_steps"：请设置这两个键。
    Remove it: training starts no other program.
    = 请删除它：训练不会启动其他程序。
    Remove it: 'firefly merge' and 'firefly export' make other forms of a model.
    = 请删除它：“firefly merge”和“firefly export”可以得到模型的其他形式。
    It is "train_mode" here: "full", "lora" or "qlora".
    = 在这里是 "train_mode"："full"、"lora" 或 "qlora"。
    It is "train_mode": "qlora" here: the base in 4 bits (NF4).
    = 在这里是 "train_mode": "qlora"：基础模型为 4 位（NF4）。
    It is "task_type" here: "pretrain", "sft" or "dpo".
    = 在这里是 "task_type"："pretrain"、"sft" 或 "dpo"。
    It is "bf16": true here, or "precision": "float32".
    = 在这里是 "bf16": true，或 "precision": "float32"。
    "train_file" is the path of a file of rows, or a list of paths.
    = "train_file" 是数据文件的路径，或路径的列表。
    "train_file" takes a list of {"file", "share", "max_samples"} here.
    = 在这里，"train_file" 接受 {"file", "share", "max_samples"} 的列表。
    It is "template_name": "auto" here: the model's own template.
    = 在这里是 "template_name": "auto"，即模型自带的模板。
    It is "shuffle" here, true or false.
    = 在这里是 "shuffle"，取 true 或 false。
    A system text stands in each row here: its key "system".
    = 在这里，系统提示写在每一行的 "system" 键中。
    Remove it: rows are not padded, so packing them saves nothing.
    = 请删除它：各行不做填充，拼接它们没有好处。
    Remove it: Firefly has its own kernels, for the processor it runs on.
    = 请删除它：Firefly 使用自己的内核，适配所在的处理器。
    Remove it: nothing here needs it.
    = 请删除它：这里不需要它。
    Remove it: the optimizer is AdamW.
    = 请删除它：优化器是 AdamW。
    Remove it: "lr_scheduler_type" has no such course.
    = 请删除它："lr_scheduler_type" 没有这样的曲线。
    It is "lr_scheduler_type": "cosine_with_min_lr" here, with "lr_scheduler_kwargs": {"min_lr": …} or \#
    {"min_lr_rate": …}.
    = 在这里是 "lr_scheduler_type": "cosine_with_min_lr"，配合 "lr_scheduler_kwargs": {"min_lr": …} 或 {"min_lr_rate": …}。
    Remove it: one learning_rate holds for all that is trained.
    = 请删除它：所有训练的参数共用一个 learning_rate。
    Remove it: TensorBoard is what there is, by "report_to".
    = 请删除它：这里只有 TensorBoard，由 "report_to" 设置。
    The former name of "{}", which is set by it.
    = "{}" 的旧名，设置的是同一项。
    Accepted, and changes nothing here, whatever its value.
    = 接受，无论取何值，在这里都没有影响。
    Accepted, and told {}: {}.
    = 接受，{}会给出提示：{}。
    Refused {}: {}.
    = {}会报错：{}。
    when given
    = 给出时
    unless it is {}
    = 除非取值为 {}，否则
    at place {}{}
    = 第 {} 项{}
    Remove it: the weight is that of the model's config.json.
    = 请删除它：权重取自模型的 config.json。
    Remove it: evaluations tell the accuracy of tokens, or of pairs.
    = 请删除它：评测会给出词元或偏好对的准确率。
    Remove it: every run records its speed.
    = 请删除它：每次训练都会记录速度。
    Remove it: a resumed run goes on with all that it was.
    = 请删除它：继续训练时会恢复全部状态。
    Remove it: 'firefly merge' the first adapter, and train a fresh one on the result.
    = 请删除它：用“firefly merge”合并第一个适配器，再在结果上训练新的适配器。
    Remove it: the tokenizer's files say which tokens there are.
    = 请删除它：有哪些词元由分词器的文件决定。
    It is "dpo_reference" here: "start" or "base".
    = 在这里是 "dpo_reference"："start" 或 "base"。
    Remove it: preference pairs are trained by DPO, with "loss_type".
    = 请删除它：偏好对用 DPO 训练，由 "loss_type" 设置。
    Remove it: the models here read text alone.
    = 请删除它：这里的模型只读取文本。
    Remove it: adapters are LoRA, and begin at zero.
    = 请删除它：适配器是 LoRA，从零开始。
    Remove it: the model is as its config.json says.
    = 请删除它：模型以其 config.json 为准。
    Remove it: the environment's HF_TOKEN is the token of 'firefly download'.
    = 请删除它：“firefly download”的令牌取自环境变量 HF_TOKEN。
    Rows say what is learnt: an answer's "weight": 0, "train": false or "loss": false leaves it out.
    = 学习什么由数据说明：回答带 "weight": 0、"train": false 或 "loss": false 时不参与训练。
    Remove it: a run answers "sample_prompts" alone; 'firefly eval' measures answers.
    = 请删除它：训练中只回答 "sample_prompts"；评测回答用“firefly eval”。
    Remove it: what is longer than "max_seq_length" is cut.
    = 请删除它：超过 "max_seq_length" 的部分会被截断。
    It is "template_name": "auto" here: the model's own template writes tools.
    = 在这里是 "template_name": "auto"：由模型自带的模板写出工具。
    Remove it: a run stops when its loss is no number.
    = 请删除它：损失不是数时训练会停止。
    """#
}
