extension Chinese {
  /// Files of GGUF and model folders.
  static let gguf = #"""
    the tensor's numbers are too large for double quantization
    = 张量中的数太大，无法做二次量化
    scales whose mean is {}
    = 均值为 {} 的缩放
    The file is damaged: no model's weights are near {}'s largest number.
    = 文件已损坏：没有模型的权重会接近 {} 的最大值。
    the 4-bit tensor's quant_map is not NF4's code book
    = 4 位张量的 quant_map 不是 NF4 的码表
    the 4-bit tensor has another shape than the model needs
    = 4 位张量的形状与模型需要的不同
    The weights and config.json do not belong together.
    = 权重与 config.json 不匹配。
    the tensor is quantised in a way that is not supported
    = 张量的量化方式不受支持
    bitsandbytes' NF4 with {}
    = bitsandbytes 的 NF4，{}
    a part of a 4-bit tensor is wrong
    = 4 位张量的一部分不正确
    a part of a 4-bit tensor
    = 4 位张量的一部分
    {} of {} shards are missing: {}
    = 缺少 {} 个分片（共 {} 个）：{}
    Download the missing files into the folder.
    = 请把缺少的文件下载到该文件夹。
    in no shard
    = 不在任何分片中
    the index is stale: it does not belong to these shards
    = 索引已过时：它与这些分片不匹配
    Download the folder again, or write the model again.
    = 请重新下载该文件夹，或重新写出模型。
    {}, or an index and its shards
    = {}，或索引及其分片
    the folder's weights have no index
    = 文件夹中的权重没有索引
    Download {} too, or rename the only file to {}.
    = 请把 {} 也下载下来，或把唯一的文件改名为 {}。
    the folder holds no weights
    = 文件夹中没有权重
    the number of parts is wrong
    = 分片数不正确
    the file is one of several parts and is not called so
    = 该文件是多个分片之一，文件名却不是这样
    a name that ends in {}, or another part's number
    = 以 {} 结尾的文件名，或其他分片的编号
    Give the parts the names that they had.
    = 请恢复各分片原来的文件名。
    {} of the model's {} parts are missing
    = 缺少 {} 个分片（模型共 {} 个）
    Put all parts into one folder.
    = 请把全部分片放在同一个文件夹中。
    the parts do not belong together
    = 这些分片不属于同一个模型
    Take all parts from one place.
    = 请从同一来源取得全部分片。
    the model would have too many parts
    = 模型的分片会过多
    Choose a larger size of a part.
    = 请选择更大的分片大小。
    an even number below {}
    = 小于 {} 的偶数
    an even number up to {}
    = 不超过 {} 的偶数
    the text to calibrate with is empty
    = 用于校准的文本是空的
    some pages of text
    = 几页文本
    the model's numbers are not finite on the text to calibrate with
    = 模型在校准文本上的数值不是有限数
    The weights are damaged or overflow: 'firefly eval perplexity' tells where.
    = 权重已损坏或溢出：“firefly eval perplexity”会指出位置。
    0 in every layer number {}, 1 in the others
    = 每第 {} 层为 0，其余为 1
    experts in every layer
    = 每一层都有专家
    biases on queries, keys and values alone
    = 仅查询、键、值带偏置
    the metadata lacks a number
    = 元数据缺少一个数
    a number above 0
    = 大于 0 的数
    the tensor token_embd.weight is missing
    = 缺少张量 token_embd.weight
    the tensor's shape and the metadata do not fit together
    = 张量的形状与元数据不一致
    the token id is wrong
    = 词元 id 不正确
    0 to {}
    = 0 到 {}
    {} together with {}
    = {}与{}同时出现
    {} without a factor
    = {}没有系数
    the rotary factors have a wrong shape
    = 旋转系数的形状不正确
    {} that do not follow Llama 3's rule
    = {}不符合 Llama 3 的规则
    the rotary scaling is not supported
    = 不支持这种旋转缩放
    none, linear, yarn, or Llama 3's factors
    = 无、linear、yarn，或 Llama 3 的系数
    the architecture is not supported
    = 不支持这种架构
    the model's sizes do not fit together
    = 模型的各项大小互相矛盾
    a divisor of {}
    = {} 的约数
    an even number
    = 偶数
    {}, all of a head
    = {}，即整个头
    the model has a feature that is not supported
    = 模型有不支持的特性
    the tensor's rows do not fit the heads
    = 张量的行与头不一致
    {} heads of {}
    = {} 个头，每个 {}
    {} rows
    = {} 行
    the metadata value is wrong
    = 元数据的值不正确
    a whole number from 1, the same in every layer
    = 不小于 1 的整数，各层相同
    the metadata lacks a size
    = 元数据缺少一项大小
    a whole number from 1
    = 不小于 1 的整数
    {} is larger than the rest of the file
    = {}超出文件的剩余部分
    The file is truncated or damaged: download it again.
    = 文件不完整或已损坏：请重新下载。
    the length of {}
    = {}的长度
    {} is not UTF-8
    = {}不是 UTF-8
    the type of {}
    = {}的类型
    the metadata value has an unknown type
    = 元数据的值类型未知
    0 to 12
    = 0 到 12
    not a boolean
    = 不是布尔值
    0 or 1
    = 0 或 1
    the metadata's arrays are nested too deeply
    = 元数据的数组嵌套太深
    at most 4
    = 不超过 4
    the element type of {}
    = {}的元素类型
    the file ends within {}
    = 文件在{}中间结束
    {} bytes
    = {} 字节
    The file is truncated: download it again.
    = 文件不完整：请重新下载。
    GGUF
    = GGUF
    the number of tensors
    = 张量的数量
    the number of metadata pairs
    = 元数据的数量
    the magic
    = 文件标识
    not a GGUF file: its first four bytes differ
    = 不是 GGUF 文件：开头的四个字节不对
    the version
    = 版本
    the GGUF file is big-endian
    = GGUF 文件是大端字节序
    the version of GGUF is not supported
    = 不支持这个 GGUF 版本
    version 2 or 3, little-endian
    = 版本 2 或 3，小端字节序
    version {}
    = 版本 {}
    Convert the model again with a current llama.cpp.
    = 请用新版 llama.cpp 重新转换模型。
    metadata key {}
    = 元数据的键 {}
    the metadata holds the key {} twice
    = 元数据的键 {} 出现了两次
    the tensor stands twice in the header
    = 张量在文件头中出现了两次
    the alignment is wrong
    = 对齐值不正确
    a power of two up to 2^20
    = 不超过 2^20 的 2 的幂
    the tensor's data overlaps that of {}
    = 张量的数据与 {} 的重叠
    the name of tensor {}
    = 第 {} 个张量的名字
    the dimensions of {}
    = {} 的维度
    the tensor's number of dimensions is wrong
    = 张量的维数不正确
    1 to 4
    = 1 到 4
    the offset of {}
    = {} 的偏移
    the tensor's type is not supported
    = 不支持这种张量类型
    Take a file of the same model in one of these types.
    = 请取同一模型、类型属于这些的文件。
    the tensor's dimensions are not possible
    = 张量的维度不可能成立
    numbers from 1 whose product fits, rows of whole blocks of {}
    = 从 1 起、乘积不溢出的整数，每行由大小为 {} 的整块组成
    the tensor's data lies outside the file or is not aligned
    = 张量的数据在文件之外，或没有对齐
    a multiple of {}, and {} bytes within the {} of data
    = {} 的倍数，且 {} 字节在数据的 {} 字节之内
    offset {}
    = 偏移 {}
    an integer
    = 整数
    a float
    = 浮点数
    an array
    = 数组
    wrong JSON
    = JSON 不正确
    the model is quantised in a way that is not supported
    = 模型的量化方式不受支持
    bitsandbytes with load_in_4bit and nf4, or no quantisation
    = 带 load_in_4bit 和 nf4 的 bitsandbytes，或不量化
    bitsandbytes
    = bitsandbytes
    bitsandbytes {}
    = bitsandbytes {}
    bitsandbytes without load_in_4bit
    = 没有 load_in_4bit 的 bitsandbytes
    Use the model's 16-bit weights.
    = 请使用模型的 16 位权重。
    Give a folder as Hugging Face models come in, or a .gguf file.
    = 请给出 Hugging Face 模型的文件夹，或 .gguf 文件。
    Give the path of the file: {}/{}.
    = 请给出文件的路径：{}/{}。
    This folder is an adapter: give the base model's folder, and this one as the adapter.
    = 这个文件夹是适配器：请给出基础模型的文件夹，并把它作为适配器。
    the folder has no config.json
    = 文件夹中没有 config.json
    the file is not a model
    = 该文件不是模型
    a Hugging Face folder or a .gguf file
    = Hugging Face 文件夹或 .gguf 文件
    Give the folder that holds the file and config.json.
    = 请给出包含该文件和 config.json 的文件夹。
    cannot make {}'s file
    = 无法为{}创建文件
    no room for {}'s {}
    = 没有空间放{}的 {}
    Free disk space, or {}.
    = 请清理磁盘，或{}。
    cannot map {}'s file
    = 无法映射{}的文件
    {} of the 4-bit tensor is wrong
    = 4 位张量的 {} 不正确
    bfloat16, float16 or float32
    = bfloat16、float16 或 float32
    [out, in]
    = [out, in]
    the tensor cannot be read as {}
    = 张量不能按 {} 读取
    F32, F16, BF16 or a supported block type
    = F32、F16、BF16 或支持的块类型
    the tensor is also in {}
    = 该张量也在 {} 中
    {} of {} tensors are missing: {}{}
    = 缺少 {} 个张量（共 {} 个）：{}{}
    For {}, the nearest name is {}.
    = 与 {} 最接近的名字是 {}。
    the tensor has another shape than the model needs
    = 张量的形状与模型需要的不同
    the tensor {} is missing
    = 缺少张量 {}
    The nearest name is {}.
    = 最接近的名字是 {}。
    """#
}
