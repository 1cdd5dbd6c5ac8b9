extension Chinese {
  /// Models, adapters and devices.
  static let models = #"""
    unsupported pattern
    = 不支持的模式
    module names with numbers
    = 带数字的模块名
    null
    = null
    PEFT does more than add this adapter to the model. Save it as plain LoRA with PEFT's
    = PEFT 所做的不只是把这个适配器加到模型上。请把它存为普通的 LoRA，用 PEFT 的
    {}save_pretrained(…, path_initial_model_for_weight_conversion=…), or merge it with merge_and_unload().
    = {}save_pretrained(…, path_initial_model_for_weight_conversion=…)，或用 merge_and_unload() 合并。
    {}convert_to_lora(), or merge it with merge_and_unload().
    = {}convert_to_lora()，或用 merge_and_unload() 合并。
    Merge the adapter with PEFT: it has trained biases of the base ("bias").
    = 请用 PEFT 合并这个适配器：它训练了基础模型的偏置。
    no linear layer of the model gets an adapter
    = 模型中没有线性层会加适配器
    modules like {}
    = 形如 {} 的模块
    A text is an expression that a module's whole path fits; names stand in a list.
    = 字符串是匹配模块完整路径的正则表达式；名称请写成列表。
    the pattern fits no layer that has an adapter
    = 该模式不匹配任何加适配器的层
    the end of a module's path, or an expression of it
    = 模块路径的结尾，或其正则表达式
    two patterns say different things of a layer
    = 两个模式对同一层的规定不同
    Write them so that one of them fits it.
    = 请改写，使只有一个模式与之匹配。
    a whole number from 1 to 65536
    = 1 到 65536 的整数
    the head is trained whole and has an adapter too
    = 输出层既被完整训练，又加了适配器
    Leave it out of "lora_target_modules" or of "modules_to_save".
    = 请从 "lora_target_modules" 或 "modules_to_save" 中去掉它。
    the pair of the experts' parameter has an unknown shape
    = 专家参数的这一对矩阵形状未知
    A of a multiple of {} rows, and B of as many columns
    = A 的行数为 {} 的倍数，B 的列数与之相同
    the tensor has not the parts that are read of it
    = 该张量没有要从中读取的部分
    a matrix of floats
    = 浮点数矩阵
    an adapter of parameters cannot be trained further
    = 针对参数的适配器不能继续训练
    the adapter's weights lack a module of "modules_to_save"
    = 适配器的权重缺少 "modules_to_save" 中的一个模块
    {}.weight
    = {}.weight
    the adapter holds no tensors of the modules that adapter_config.json targets
    = 适配器中没有 adapter_config.json 所指模块的张量
    {}: {} tensors that are for reading images have no effect on the text part
    = {}：{} 个用于读图的张量对文本部分不起作用
    {}: pairs of {} modules that adapter_config.json does not target have no effect ({}{})
    = {}：adapter_config.json 没有指到的 {} 个模块的矩阵对不起作用（{}{}）
    the adapter's weights are missing
    = 缺少适配器的权重
    or of older PEFT
    = 或旧版 PEFT 的
    unsupported tensor in an adapter
    = 适配器中有不支持的张量
    {}….lora_A.weight or ….lora_B.weight
    = {}….lora_A.weight 或 ….lora_B.weight
    an adapter needs lora_A and lora_B
    = 适配器需要 lora_A 和 lora_B
    unusable value
    = 不可用的值
    {}: the weights stay the file's own blocks: {}
    = {}：权重保持文件原有的量化块：{}
    tensors in the files that the model does not use: {} ({})
    = 文件中有模型用不到的张量：{}（{}）
    sizes must be positive and below 2^24
    = 大小必须为正且小于 2^24
    a model may have 4096 layers
    = 模型最多 4096 层
    the attention heads must be a multiple of the key-value heads
    = 注意力头数必须是键值头数的倍数
    the size of a head must be even
    = 头的大小必须是偶数
    the number of positions must be positive
    = 位置数必须为正
    sliding_window must be positive
    = sliding_window 必须为正
    the norm's epsilon must be positive
    = 归一化的 epsilon 必须为正
    a scale must be positive
    = 缩放必须为正
    the sizes of latent attention must be positive and below 2^24
    = 潜在注意力的大小必须为正且小于 2^24
    the experts' sizes must be positive and below 2^24
    = 专家的大小必须为正且小于 2^24
    there must be 1 to 4096 experts
    = 专家数必须在 1 到 4096 之间
    a row can go to 1 to all of the experts
    = 一行可以经过 1 个到全部专家
    the experts must fall into equal groups, of which a row can go to 1 to all
    = 专家必须等分成组，一行可以经过 1 组到全部组
    {} experts, {} of {} groups
    = {} 个专家，{2} 组（共 {3} 组）
    the chosen groups must have as many experts as a row goes through
    = 选中的组中的专家数，必须不少于一行经过的专家数
    {} of {} groups of {}
    = {} 组（共 {} 组），每组 {}
    the experts' scale must be positive
    = 专家的缩放必须为正
    the auxiliary loss's coefficient must not be negative
    = 辅助损失的系数不能为负
    this model's head is no plain linear layer, so it can have no adapter
    = 这个模型的输出头不是普通的线性层，不能带适配器
    the adapter is for a linear layer that this model does not have
    = 适配器所针对的线性层在这个模型中不存在
    names like {}
    = 形如 {} 的名字
    Use the adapter with the base model that it was trained on.
    = 请与训练它时所用的基础模型一起使用。
    rotary positions that differ from layer to layer are not supported in this family
    = 这个系列不支持各层不同的旋转位置
    must be above 1
    = 必须大于 1
    out of range
    = 超出范围
    above 0, at most 1
    = 大于 0，不超过 1
    must give an even part of a head
    = 必须得到头的偶数部分
    {} of {}
    = {}（共 {}）
    unsupported rotary scaling
    = 不支持的旋转缩放
    default, linear, dynamic, llama3, yarn or longrope
    = default、linear、dynamic、llama3、yarn 或 longrope
    wrong factors
    = 系数不正确
    {} positive numbers
    = {} 个正数
    mscale and mscale_all_dim go together
    = mscale 与 mscale_all_dim 必须同时使用
    both or none
    = 两者都有，或都没有
    unsupported model family
    = 不支持的模型系列
    latent attention has a key to every head
    = 潜在注意力的每个头都有自己的键
    wrong number of layers
    = 层数不正确
    windows as sliding_window and max_window_layers say
    = 与 sliding_window 和 max_window_layers 一致的窗口
    {} at layer {}
    = 第 {2} 层为 {1}
    {}: {} is not the embedding, so the head is not tied, whatever tie_word_embeddings says
    = {}：{} 不是嵌入，因此输出头不与它共享，不论 tie_word_embeddings 怎样
    random weights
    = 随机权重
    the adapter's rank is out of range
    = 适配器的 rank 超出范围
    must be finite
    = 必须是有限数
    no linear layer of the model has this name
    = 模型中没有叫这个名字的线性层
    Leave it out, or train all weights with "train_mode": "full".
    = 请去掉它，或用 "train_mode": "full" 训练全部权重。
    a head whose rows are divided by their lengths cannot be trained whole beside an adapter
    = 各行除以其长度的输出头，不能与适配器一起完整训练
    a module's pattern
    = 模块的模式
    the master weights
    = 主权重
    set "master_weights": "memory"
    = 请设置 "master_weights": "memory"
    no NVIDIA driver
    = 没有 NVIDIA 驱动
    Install the card's driver, or train on the processor with --device cpu.
    = 请安装显卡驱动，或用 --device cpu 在处理器上训练。
    the NVIDIA driver is too old
    = NVIDIA 驱动太旧
    one that takes PTX 6.0 (2018 or later)
    = 支持 PTX 6.0 的驱动（2018 年或之后）
    Install a newer driver.
    = 请安装更新的驱动。
    the NVIDIA card is too old
    = NVIDIA 显卡太旧
    compute capability 7.0 (Volta, 2017) or later
    = 计算能力 7.0（Volta，2017 年）或更高
    Train on the processor with --device cpu.
    = 请用 --device cpu 在处理器上训练。
    no NVIDIA card
    = 没有 NVIDIA 显卡
    Look at nvidia-smi and CUDA_VISIBLE_DEVICES, or train on the processor with --device cpu.
    = 请检查 nvidia-smi 和 CUDA_VISIBLE_DEVICES，或用 --device cpu 在处理器上训练。
    no cuBLAS
    = 没有 cuBLAS
    libcublas.so.13, .12 or .11
    = libcublas.so.13、.12 或 .11
    pip install nvidia-cublas (PyTorch has it too) and set FIREFLY_LIBCUBLAS to its libcublas.so.
    = 请 pip install nvidia-cublas（PyTorch 也自带），并把 FIREFLY_LIBCUBLAS 设为其中的 libcublas.so。
    cuBLAS is too old
    = cuBLAS 太旧
    version 11 or later
    = 版本 11 或更高
    pip install nvidia-cublas and set FIREFLY_LIBCUBLAS to its libcublas.so.
    = 请 pip install nvidia-cublas，并把 FIREFLY_LIBCUBLAS 设为其中的 libcublas.so。
    the NVIDIA card does not start
    = NVIDIA 显卡无法启动
    Look at nvidia-smi: another program may hold the card.
    = 请查看 nvidia-smi：可能有其他程序占用显卡。
    a product [{}, {}]·[{}, {}]
    = 乘法 [{}, {}]·[{}, {}]
    waiting for the card
    = 等待显卡
    copying to the card
    = 向显卡复制
    copying from the card
    = 从显卡复制
    asking for memory
    = 申请内存
    the card failed
    = 显卡出错
    Look at the system's log (dmesg, nvidia-smi). A run goes on from its last checkpoint.
    = 请查看系统日志（dmesg、nvidia-smi）。训练可以从最后一个检查点继续。
    the card's memory is used up
    = 显存已用完
    {} bytes more than the {} in use, of {} of which {} are free
    = 在已用的 {2} 之外还需 {1} 字节，共 {3}，可用 {4}
    Take shorter rows (max_seq_length) or fewer at a time (per_device_train_batch_size, with more \#
    gradient_accumulation_steps), gradient_checkpointing, or 4-bit weights; `firefly plan` counts them.
    = 请缩短每行（max_seq_length），减少同时处理的行数（per_device_train_batch_size，相应增大 \#
    gradient_accumulation_steps），使用 gradient_checkpointing，或使用 4 位权重；`firefly plan` 会计算它们。
    computing on the processor: {}
    = 在处理器上计算：{}
    computing on {}
    = 在 {} 上计算
    the processor
    = 处理器
    the instruction set is not one that this processor and build can run
    = 这台处理器或这个构建不支持该指令集
    Set FIREFLY_ISA to one of these, or leave it unset
    = 请把 FIREFLY_ISA 设为其中之一，或不设置
    weight's gradient
    = 权重的梯度
    the tensor
    = 张量
    {} holds numbers that are not finite
    = {}含有非有限数
    an infinity or NaN in {}
    = {} 中的无穷或 NaN
    The file is damaged, or its numbers are too large for {}: take another one.
    = 文件已损坏，或其中的数对 {} 来说太大：请换一个。
    first moment
    = 一阶矩
    second moment
    = 二阶矩
    nested absmax
    = 嵌套的 absmax
    nested map
    = 嵌套的码表
    the vocabulary's lists differ in length
    = 词表的各列表长度不同
    {} entries
    = {} 项
    the file has no tokenizer
    = 文件中没有分词器
    Take a GGUF file of the whole model.
    = 请取整个模型的 GGUF 文件。
    32-bit floats
    = 32 位浮点数
    32-bit integers
    = 32 位整数
    a token id
    = 词元 id
    the id is not in the vocabulary
    = id 不在词表中
    wrong kind of value
    = 值的类型不对
    nothing tells this model's chat template
    = 无法得知这个模型的聊天模板
    Name it: --template {}.
    = 请指定：--template {}。
    {} was trained with another chat template than the model's own: the adapter's is used
    = {} 训练时用的聊天模板与模型自带的不同：使用适配器的模板
    the adapter brings another tokenizer than the model's
    = 适配器带有与模型不同的分词器
    the tokenizer of {}
    = {} 的分词器
    Use it by itself (chat, generate), or serve what 'firefly merge' makes of both.
    = 请单独使用它（chat、generate），或用“firefly merge”合并后再提供服务。
    the folder is not an adapter
    = 该文件夹不是适配器
    {} and an adapter's weights
    = {} 和适配器的权重
    the adapter's weights and "trainable_token_indices" do not belong together
    = 适配器的权重与 "trainable_token_indices" 不匹配
    no rows of tokens
    = 没有词元的行
    an embedding's low-rank pair is not supported
    = 不支持嵌入的低秩矩阵对
    Merge the adapter with PEFT's merge_and_unload(), or train the embedding by "modules_to_save".
    = 请用 PEFT 的 merge_and_unload() 合并适配器，或通过 "modules_to_save" 训练嵌入。
    a list of token ids, or an object of modules with such lists
    = 词元 id 的列表，或由模块和这种列表组成的对象
    the adapter's tables differ in their rows
    = 适配器各表的行数不同
    low-rank pairs, and of whole modules {}
    = 低秩矩阵对，以及完整的模块 {}
    the adapter was trained on other tables, embedding or head, than the model has
    = 训练适配器时的嵌入或输出头与模型的不同
    Open the model with this adapter alone (--adapter), or merge the two first.
    = 请让模型只带这个适配器打开（--adapter），或先把两者合并。
    only the embedding and the head can be trained whole beside an adapter
    = 与适配器一起完整训练的，只能是嵌入和输出头
    the embedding is the head as well: the model has to be opened for the adapter that takes them apart
    = 嵌入同时也是输出头：需要为把两者分开的适配器打开模型
    Set "ensure_weight_tying": true to train the two as one.
    = 请设置 "ensure_weight_tying": true，把两者作为一个来训练。
    """#
}
