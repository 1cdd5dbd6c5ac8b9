extension Chinese {
  /// Plans, checkpoints and runs.
  static let training = #"""
    the checkpoint is damaged
    = 检查点已损坏
    the checkpoint is not complete
    = 检查点不完整
    Choose another one, or resume from the latest.
    = 换一个检查点，或从最新的检查点继续。
    cannot remove the old checkpoint: {}
    = 无法删除旧检查点：{}
    set of rows
    = 训练数据
    adapter to start from
    = 起始适配器
    the checkpoint is of a version that left out the rows behind an epoch's last whole accumulation
    = 该检查点来自旧版本：旧版本会丢弃每个轮次最后不足一次完整累积的行
    Start anew in another output_dir, or finish the run with that version.
    = 在另一个 output_dir 中重新开始，或用旧版本完成该训练。
    the checkpoint was made with another {}"{}"
    = 该检查点是用另外的{}“{}”训练的
    Restore it, or start anew in another output_dir.
    = 恢复原来的设置，或在另一个 output_dir 中重新开始。
    not a folder
    = 不是文件夹
    output_dir cannot be written to: {}
    = 无法写入 output_dir：{}
    output_dir is the model's folder
    = output_dir 就是模型所在的文件夹
    Choose a folder of its own for the run.
    = 请为本次训练另选一个文件夹。
    the disk is too full for the checkpoints and the optimizer's file
    = 磁盘空间不足，放不下检查点和优化器的文件
    {} free
    = {} 可用空间
    Free disk space, lower save_total_limit, or choose another output_dir.
    = 请清理磁盘、减小 save_total_limit，或换一个 output_dir。
    there is no complete checkpoint of Firefly to resume from
    = 没有可以继续的完整检查点
    Start without resuming, in another output_dir.
    = 请在另一个 output_dir 中重新开始，不要加 --resume。
    no checkpoint in {} yet: starting at the beginning
    = {} 中还没有检查点：从头开始
    output_dir holds checkpoint-{} of an earlier run
    = output_dir 中有以前训练留下的 checkpoint-{}
    Continue it with --resume, replace it with "overwrite_output_dir": true, or choose another output_dir.
    = 用 --resume 继续，用 "overwrite_output_dir": true 覆盖，或换一个 output_dir。
    the checkpoint is of another version of Firefly
    = 该检查点来自另一个版本的 Firefly
    format {}
    = 格式 {}
    format
    = 格式
    fingerprint and files
    = 指纹和文件
    the optimizer
    = 优化器
    set "optim": "adamw_torch", which keeps them in memory
    = 请设置 "optim": "adamw_torch"，把它们放在内存中
    program and rows
    = 程序与数据
    embedding and head
    = 嵌入与输出头
    writing the tokenizer
    = 写出分词器
    work on a block or the logits
    = 一个层块或 logits 的工作区
    reading the weights, beyond that
    = 读取权重时另需
    adapter with gradients
    = 适配器及其梯度
    weights, embedding and head
    = 权重、词嵌入与输出头
    master weights and gradients
    = 主权重与梯度
    inputs of blocks
    = 各层的输入
    activations and work
    = 激活值与工作区
    library of products
    = 矩阵乘法库
    master weights
    = 主权重
    "per_device_train_batch_size": 1, "gradient_accumulation_steps": {}, the same step
    = "per_device_train_batch_size": 1, "gradient_accumulation_steps": {}，每步不变
    "gradient_checkpointing": true, about a third slower
    = "gradient_checkpointing": true，约慢三分之一
    "optim": "paged_adamw_{}", the optimizer in the processor's memory
    = "optim": "paged_adamw_{}"，优化器放在处理器的内存里
    "checkpoint_dtype": "bfloat16", gradients of rounded inputs
    = "checkpoint_dtype": "bfloat16"，梯度按舍入后的输入计算
    "optim": "paged_adamw_{}", the optimizer in a file
    = "optim": "paged_adamw_{}"，优化器放在文件里
    "master_weights": "paged", the float32 weights in the processor's memory
    = "master_weights": "paged"，float32 权重放在处理器的内存里
    "master_weights": "paged", the float32 weights in a file
    = "master_weights": "paged"，float32 权重放在文件里
    "gradient_dtype": "bfloat16", which rounds each micro-batch's sum
    = "gradient_dtype": "bfloat16"，每个小批的和会舍入
    "train_mode": "qlora", an adapter on frozen weights in 4 bits
    = "train_mode": "qlora"，在冻结的 4 位权重上训练适配器
    "max_seq_length": {}, longer rows are cut
    = "max_seq_length": {}，更长的行会被截断
    checkpoint: about {}
    = 检查点：约 {}
    does not fit the {} of memory here
    = 放不进这台机器 {} 的内存
    {}: this needs a smaller model or a larger machine
    = {}：需要更小的模型或更大的机器
    {}; with
    = {}；可改为
    and still not: this needs a smaller model or a larger machine
    = 仍然放不下：需要更小的模型或更大的机器
    the run does not fit into memory
    = 内存放不下这次训练
    what the card has no room for does not fit into the processor's memory
    = 显存放不下的部分，处理器的内存也放不下
    Shorter rows, or fewer at a time, leave more of the card's memory to the optimizer; moments in 8 bits \#
    ("optim": "paged_adamw_8bit") or a smaller model take less.
    = 缩短数据或减少每批条数，可给优化器多留显存；8 位动量（"optim": "paged_adamw_8bit"）或更小的模型占用更少。
    about {}
    = 约 {}
    This needs a smaller model or a larger machine.
    = 需要更小的模型或更大的机器。
    {}"memory_limit": "none" starts it all the same.
    = {}"memory_limit": "none" 则不管内存直接开始。
    the model with the adapter it starts from
    = 带起始适配器的模型
    the base
    = 基础模型
    the model as it starts
    = 训练开始时的模型
    and kept in the data cache
    = 并存入数据缓存
    which saves {} % of the run's work
    = 节省 {} % 的计算量
    reference: {}, asked once about {} pairs before training{}{}
    = 参考模型：{}，训练前对约 {} 对各计算一次{}{}
    after each epoch
    = 每个轮次之后
    every {} steps
    = 每 {} 步
    evaluation data: {}
    = 评测数据：{}
    the last of an epoch of {}
    = 每个轮次最后一步为 {} 个小批
    model: {}, {}, {} parameters, {}, products in {}
    = 模型：{}，{}，{} 个参数，{}，乘法用 {}
    steps: {}, {} an epoch, each of {} × {} rows{}
    = 步数：{}，每轮 {} 步，每步 {} × {} 行{}
    learning rate: {}, {}, {} steps of warm-up
    = 学习率：{}，{}，预热 {} 步
    {} of it in files that the system can write out
    = 其中 {} 在文件里，系统可以换出
    {} trainable parameters ({} %)
    = {} 个可训练参数（{} %）
    from {}
    = 从 {} 开始
    adapter: rank {}, {}{}
    = 适配器：rank {}，{}{}
    not the embedding and the first {} of {} blocks
    = 不含嵌入和前 {} 层（共 {} 层）
    reading rows
    = 读取数据
    reading rows to evaluate
    = 读取评测数据
    an epoch has {} micro-batches, fewer than gradient_accumulation_steps {}: each step takes them all
    = 一个轮次有 {} 个小批，少于 gradient_accumulation_steps 的 {}：每步用上全部小批
    "train_mode": "full" needs the weights whole, and the model's are quantised
    = "train_mode": "full" 需要完整精度的权重，而这个模型的权重已量化
    F32, F16 or BF16
    = F32、F16 或 BF16
    bitsandbytes' 4 bits
    = bitsandbytes 的 4 位
    Use the model's 16-bit weights, or train an adapter with "train_mode": "qlora".
    = 请使用模型的 16 位权重，或用 "train_mode": "qlora" 训练适配器。
    this processor
    = 这台处理器
    {} has no bfloat16 products: computing in {}{}
    = {1} 没有 bfloat16 乘法：改用 {2} 计算{3}
    with loss scaling
    = 带损失缩放
    float16 is for cards
    = float16 只用于显卡
    The processor computes in "bfloat16" or "float32".
    = 处理器以 "bfloat16" 或 "float32" 计算。
    a scale and two counts
    = 一个缩放系数与两个计数
    "lora_dropout" is off in preference training, as in TRL; "disable_dropout": false leaves it on
    = 偏好训练中关闭 "lora_dropout"，与 TRL 相同；"disable_dropout": false 则保持开启
    this model's numbers depend on what follows it
    = 这个模型的数值与其后的内容有关
    this model's attention shares none
    = 这个模型的注意力不能共享提示
    a pair's prompt is read once for each answer: {}
    = 偏好对的提示要为每个回答各读一次：{}
    the longest row has {} tokens, more than the {} the model was made for
    = 最长的一行有 {} 个词元，超过模型设计的 {} 个
    perplexity {}  token_accuracy {}
    = perplexity {}  token_accuracy {}
    cannot write the event file: {}
    = 无法写入事件文件：{}
    cannot make the event file: {}
    = 无法创建事件文件：{}
    cannot write the file: {}
    = 无法写入文件：{}
    cannot write the log: {}
    = 无法写入日志：{}
    another run is writing to this folder
    = 另一个训练正在写这个文件夹
    Wait for its end, or choose another output_dir.
    = 请等它结束，或换一个 output_dir。
    peak memory {}
    = 内存峰值 {}
    {} steps, train_loss {}, {}, {} tokens/s ({} targets/s){}
    = 共 {} 步，train_loss {}，{}，{} 词元/秒（目标 {} 词元/秒）{}
    the pairs' loss is not a finite number
    = 偏好对的损失不是有限数
    Look at these rows, and at the weights with 'firefly inspect'.
    = 请检查这些行，并用“firefly inspect”检查权重。
    stopped by request before the first step, after {} of {} pairs for the reference
    = 应要求在第一步之前停止，参考模型已完成 {} 对（共 {} 对）
    Start again.
    = 请重新开始。
    Start again: what is done is kept.
    = 重新开始即可：已完成的部分会保留。
    the reference's log-probability of an answer is not a finite number
    = 参考模型对一个回答的对数概率不是有限数
    {} and {}
    = {} 和 {}
    The weights are damaged or overflow: try "precision": "float32".
    = 权重已损坏或溢出：请尝试 "precision": "float32"。
    asking the reference
    = 计算参考模型
    asking the reference about the rows to evaluate
    = 对评测数据计算参考模型
    {} tokens/s  {} left
    = {} 词元/秒  剩余 {}
    step {}/{}
    = 第 {}/{} 步
    reading weights
    = 读取权重
    the gradient
    = 梯度
    even with a loss scale of 1, the gradient
    = 损失缩放系数为 1 时仍然溢出的梯度
    the loss
    = 损失
    Bring it back and continue with --resume.
    = 请恢复该文件，再用 --resume 继续。
    the evaluation after step {} was broken off by the stop
    = 第 {} 步之后的评测因停止而中断
    stopped early after step {} of {}: early_stopping_patience {}
    = 在第 {} 步提前停止（共 {} 步）：early_stopping_patience {}
    there was no evaluation, so the last step's {} is kept
    = 没有做过评测，因此保留最后一步的{}
    the {} is that of {}, {} {}
    = {}取自{}，{} {}
    continue from checkpoint-{} with --resume, or start anew
    = 用 --resume 从 checkpoint-{} 继续，或重新开始
    start anew
    = 重新开始
    {} of step {} is {}
    = 第 {2} 步的{1}是 {3}
    a finite number
    = 有限数
    Look at these rows; then {}, with a lower learning_rate (now {}), with max_grad_norm, or with \#
    "precision": "float32".
    = 请检查这些行；然后{}，并减小 learning_rate（现为 {}），或设置 max_grad_norm，或 "precision": \#
    "float32"。
    evaluation: {}
    = 评测：{}
    data: {}
    = 数据：{}
    trained: {}{}
    = 训练：{}{}
    stopped: {}
    = 已停止：{}
    {} of {} rows
    = {} / {} 行
    rows
    = 行
    block
    = 块
    row
    = 行
    weights
    = 权重
    optimizer
    = 优化器
    activations
    = 激活值
    gradients
    = 梯度
    With
    = 可改为
    memory, about:
    = 内存，约：
    memory of the card, about:
    = 显存，约：
    beside it, in the processor's memory: {}, {}
    = 另在处理器的内存里：{}，{}
    on a card: {}
    = 在显卡上：{}
    with {}: {}
    = 若设 {}：{}
    and {}: {}
    = 再设 {}：{}
    {}{}; more than a card of 80 GB has
    = {}{}；超出 80 GB 的显卡
    {}{}; cards of {} GB have it
    = {}{}；{} GB 的显卡放得下
    and {} of the processor's memory
    = 另占处理器内存 {}
    the optimizer lies in the processor's memory: with it the run would take {} of the card's, which has {}
    = 优化器放在处理器的内存里：否则训练需要显存 {}，而显卡有 {}
    the master weights lie in the processor's memory: with them the run would take {} of the card's, which has {}
    = 主权重放在处理器的内存里：否则训练需要显存 {}，而显卡有 {}
    By its plan the run takes {}. With
    = 按计划训练需要 {}。可改为
    step {} moved nothing: its gradient is {} in float16; the loss scale is now {}
    = 第 {} 步没有更新：它的梯度在 float16 中是 {}；损失缩放系数现在是 {}
    stopped by request after step {}
    = 应要求在第 {} 步之后停止
    """#
}
