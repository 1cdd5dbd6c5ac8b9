extension Chinese {
  /// Merging, quantising and exporting.
  static let conversion = #"""
    no tokenizer.json can be made of this vocabulary
    = 无法由这个词表得到 tokenizer.json
    gpt2, a byte-level vocabulary
    = gpt2，即字节级词表
    Start from the model's Hugging Face folder.
    = 请从模型的 Hugging Face 文件夹开始。
    no tokenizer.json can be made for this pre-tokenizer
    = 无法为这种预分词器生成 tokenizer.json
    the tokenizer.json made of this vocabulary would encode other ids
    = 由这个词表得到的 tokenizer.json 会编码出不同的 id
    experts that lie in one tensor a layer cannot be written in bitsandbytes' 4 bits
    = 每层在一个张量里的专家无法写成 bitsandbytes 的 4 位
    They are quantised in memory by "train_mode": "qlora"; `firefly export` writes GGUF files.
    = "train_mode": "qlora" 会在内存中量化它们；`firefly export` 可写出 GGUF 文件。
    the output has no name
    = 输出没有名字
    a path
    = 一个路径
    there is something already
    = 此处已有内容
    Choose another name, or say --overwrite.
    = 请换一个名字，或加上 --overwrite。
    what is there is not replaced
    = 已有的内容不会被替换
    a GGUF file
    = GGUF 文件
    a model's folder, with a config.json
    = 带 config.json 的模型文件夹
    Choose another name, or remove it.
    = 请换一个名字，或删除它。
    the output would replace what is read
    = 输出会覆盖正在读取的内容
    Choose another name.
    = 请换一个名字。
    the model has neither tokenizer.json nor tokenizer.model to make the GGUF file's vocabulary of
    = 模型既没有 tokenizer.json 也没有 tokenizer.model，无法生成 GGUF 文件的词表
    Save the tokenizer with transformers' fast tokenizer.
    = 请用 transformers 的 fast 分词器保存分词器。
    llama.cpp would encode texts otherwise than this tokenizer
    = llama.cpp 的编码结果会与这个分词器不同
    words cut as one of {} does
    = 切分方式与 {} 之一相同
    SentencePiece BPE that changes nothing in a text but its spaces
    = 除空格外不改动文本的 SentencePiece BPE
    Use the model with firefly, or give it a tokenizer of that kind.
    = 请用 firefly 使用这个模型，或给它换一个这样的分词器。
    the tokenizer has more tokens than the model has rows
    = 分词器的词元多于模型的行数
    no GGUF vocabulary can be made of this tokenizer
    = 无法由这个分词器得到 GGUF 词表
    true, or a byte-level tokenizer
    = true，或字节级分词器
    an adapter's GGUF file cannot hold whole modules
    = 适配器的 GGUF 文件不能包含完整的模块
    modules_to_save: {}
    = modules_to_save：{}
    Export the model with the adapter merged into it.
    = 请先把适配器合并进模型，再导出。
    an adapter's GGUF file has one rank for all experts of a layer
    = 适配器的 GGUF 文件中，一层的所有专家只能有同一个秩
    llama.cpp uses no adapter on this matrix of {}
    = 对 {} 的这个矩阵，llama.cpp 不使用适配器
    no llama_4_scaling_beta
    = 不含 llama_4_scaling_beta
    the adapter is for a tensor that GGUF files lack
    = 适配器所针对的张量在 GGUF 文件中不存在
    the adapter
    = 适配器
    models of this family cannot be exported as GGUF
    = 这个系列的模型不能导出为 GGUF
    the exported file would lose this
    = 导出的文件会丢失这一项
    windows in all but every layer number {}
    = 除层号为 {} 的倍数外，各层都有窗口
    the exported file would lose this rotary scaling
    = 导出的文件会丢失这种旋转缩放
    default, linear, yarn or llama3
    = default、linear、yarn 或 llama3
    default, linear or yarn
    = default、linear 或 yarn
    32 and 1, which llama.cpp takes whatever the file says
    = 32 与 1：无论文件怎么写，llama.cpp 都按此计算
    the exported file has no place for this tensor
    = 导出的文件中没有这个张量的位置
    a tensor of a LLaMA-like model
    = LLaMA 类模型的张量
    the probe has no text of two tokens
    = 用于比较的文本没有一段达到两个词元
    a text file
    = 文本文件
    the merged model
    = 合并后的模型
    NF4 + adapter
    = NF4 + 适配器
    original + adapter
    = 原模型 + 适配器
    the adapter is on the head, which is the embedding as well, and merging would change both
    = 适配器作用于输出头，而输出头同时也是嵌入，合并会改变两者
    Use the model with the adapter beside it.
    = 请让模型与适配器分开使用。
    the merged tensor
    = 合并后的张量
    an adapter cannot be merged into this tensor
    = 适配器不能合并进这个张量
    the model is in 4 bits already
    = 模型已经是 4 位
    Give the model in 16 bits.
    = 请给出 16 位的模型。
    the trained tensor has no type to be written in
    = 训练过的张量没有可写的类型
    the trained tensor
    = 训练过的张量
    tables of the base
    = 基础模型的表
    "{}" is missing.
    = 缺少“{}”。
    The request is no JSON object.
    = 请求不是 JSON 对象。
    "{}" must be a text.
    = “{}”必须是文本。
    "{}" must be a list of texts.
    = “{}”必须是文本的列表。
    Open the address that "firefly studio" has printed: it lets you in.
    = 请打开“firefly studio”打印的地址。
    The models are not loaded.
    = 模型尚未加载。
    "{}" is neither merge nor export.
    = “{}”既不是 merge 也不是 export。
    Two to {} runs are compared.
    = 可比较 2 到 {} 次训练。
    "{}": a run's name has letters, digits, - and _, and at most {}.
    = “{}”：训练的名称只能用字母、数字、- 和 _，最多 {} 个。
    {}: no process writes to this run.
    = {}：没有进程在写这次训练。
    {}: a run is writing to this folder (process {}).
    = {}：有训练正在写入这个文件夹（进程 {}）。
    There is something already: {}.
    = 已经存在：{}。
    {}: only the studio's folder and what is below it is listed.
    = {}：只列出 studio 的文件夹及其下的内容。
    "config" must be an object of settings.
    = “config”必须是由设置组成的对象。
    """#
}
