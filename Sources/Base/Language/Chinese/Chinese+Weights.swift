extension Chinese {
  /// Safetensors and files of torch.save.
  static let weights = #"""
    the model's text part is not described
    = 没有描述模型的文本部分
    {}: of this model of texts and images the text part is used; {} tensors that read images are left out, and \#
    what is written is {}
    = {}：这个图文模型只使用文本部分；读取图像的 {} 个张量略去，写出的是 {}
    safetensors
    = safetensors
    too short for a safetensors file
    = 文件太短，不是 safetensors 文件
    at least 8 bytes
    = 至少 8 字节
    the safetensors header does not fit: the file is truncated or not safetensors
    = safetensors 文件头不合：文件不完整，或不是 safetensors
    a header of at most {} bytes
    = 不超过 {} 字节的文件头
    the safetensors header is not an object
    = safetensors 文件头不是对象
    the safetensors header holds {} twice
    = safetensors 文件头中 {} 出现了两次
    __metadata__ of the safetensors header is wrong
    = safetensors 文件头的 __metadata__ 不正确
    a value in __metadata__ of the safetensors header is wrong
    = safetensors 文件头的 __metadata__ 中有不正确的值
    the tensor's entry in the header is incomplete
    = 文件头中该张量的条目不完整
    dtype, shape and data_offsets
    = dtype、shape 和 data_offsets
    the tensor's dtype is not known
    = 张量的 dtype 未知
    the tensor's shape is not possible
    = 张量的形状不可能成立
    whole numbers from 0 whose product fits
    = 从 0 起、乘积不溢出的整数
    the tensor's data_offsets lie outside the file: it is truncated or its header is wrong
    = 张量的 data_offsets 在文件之外：文件不完整，或文件头不正确
    begin and end within the {} bytes of data
    = 起止都在数据的 {} 字节之内
    the tensor's size does not follow from its shape
    = 张量的大小与其形状不符
    {} bytes for {} of {}
    = {} 字节（{2} 类型，形状 {3}）
    the tensor's data overlaps another's
    = 张量的数据与另一个的重叠
    a gap lies before the tensor's data
    = 张量的数据之前有空隙
    data_offsets from {}
    = 从 {} 开始的 data_offsets
    bytes follow the last tensor
    = 最后一个张量之后还有内容
    the file is a Git LFS pointer, not the weights
    = 该文件是 Git LFS 指针，不是权重
    Run git lfs pull in the model's repository.
    = 请在模型的仓库中运行 git lfs pull。
    an opcode that weights do not need is refused
    = 拒绝权重用不到的操作码
    Save the tensors alone: torch.save(model.state_dict(), …).
    = 请只保存张量：torch.save(model.state_dict(), …)。
    the pickle is truncated
    = pickle 不完整
    the pickle's protocol is not supported
    = 不支持这个 pickle 协议版本
    a whole number is too large
    = 整数太大
    a string is not UTF-8
    = 字符串不是 UTF-8
    the stack is empty
    = 栈是空的
    a mark is missing
    = 缺少标记
    there are more lists and dictionaries than weights need
    = 列表和字典多于权重所需
    nothing was stored under memo {}
    = memo {} 处没有存放内容
    tuples are nested too deeply
    = 元组嵌套太深
    items for what is no list
    = 向不是列表的对象添加元素
    members for what is no dictionary
    = 向不是字典的对象添加成员
    a Python object that weights do not need is refused
    = 拒绝权重用不到的 Python 对象
    OrderedDict and torch's tensors
    = OrderedDict 和 torch 的张量
    the reference to a storage is not understood
    = 无法理解对存储的引用
    a view of a storage in the oldest format is not supported
    = 不支持最旧格式中的存储视图
    a call of what is no function
    = 调用了不是函数的对象
    the arguments of {} are not understood
    = 无法理解 {} 的参数
    the call is not understood
    = 无法理解这个调用
    {} of {} arguments
    = {}，带 {} 个参数
    attributes of what is no dictionary
    = 给不是字典的对象设置属性
    a tuple
    = 元组
    a dictionary
    = 字典
    a storage
    = 存储
    a tensor
    = 张量
    torch's storage of {}
    = torch 的 {} 存储
    tensors
    = 张量
    not a file of torch.save, or one of an unknown version
    = 不是 torch.save 的文件，或版本未知
    In Python: torch.save(torch.load(PATH, weights_only=True), PATH) with a current torch.
    = 请在 Python 中用新版 torch 运行：torch.save(torch.load(PATH, weights_only=True), PATH)。
    the archive does not come from torch.save
    = 压缩包不是由 torch.save 写出的
    one NAME/data.pkl
    = 一个 NAME/data.pkl
    the file is a TorchScript program, not a state dict
    = 该文件是 TorchScript 程序，不是 state dict
    Save its weights: torch.save(module.state_dict(), …).
    = 请保存它的权重：torch.save(module.state_dict(), …)。
    the file is big-endian
    = 文件是大端字节序
    byteorder little
    = byteorder little
    the file's pickle is too large for a state dict
    = 文件的 pickle 太大，不像 state dict
    the file does not hold named tensors
    = 文件中没有带名字的张量
    a state dict
    = state dict
    the file holds more than tensors
    = 文件中不只有张量
    the tensor's data is missing
    = 缺少张量的数据
    storage {}
    = 存储 {}
    the tensor's data is truncated
    = 张量的数据不完整
    {} elements of {}
    = {} 个 {} 元素
    the list of storages is not understood
    = 无法理解存储列表
    the file's list of storages does not fit its tensors
    = 文件的存储列表与张量不一致
    the file is truncated
    = 文件不完整
    the tensor does not lie within its storage
    = 张量不在其存储之内
    a view of {} elements
    = {} 个元素的视图
    shape {}, strides {}, offset {}
    = 形状 {}，步长 {}，偏移 {}
    its end is missing
    = 缺少结尾
    its 64-bit end is missing
    = 缺少 64 位结尾
    its directory lies outside the file
    = 目录在文件之外
    its directory ends within an entry
    = 目录在一个条目中间结束
    {} is in it twice
    = {} 出现了两次
    its directory is broken
    = 目录已损坏
    an entry's name is broken
    = 一个条目的名字已损坏
    {} has two sizes
    = {} 有两个不同的大小
    an entry of the archive is encrypted
    = 压缩包中有加密的条目
    an entry of the archive is compressed
    = 压缩包中有压缩的条目
    stored or deflated entries
    = 存储或 deflate 的条目
    stored entries, as torch.save writes them
    = torch.save 所写的存储条目
    deflate
    = deflate
    method {}
    = 方法 {}
    Pack the archive anew with zip.
    = 请用 zip 重新打包。
    Save the file again with torch.save.
    = 请用 torch.save 重新保存。
    a 64-bit size is missing
    = 缺少一个 64 位大小
    the header of {} is missing
    = 缺少 {} 的文件头
    {} lies outside the file
    = {} 在文件之外
    it is truncated
    = 文件不完整
    the zip archive is damaged: {}
    = zip 压缩包已损坏：{}
    type {}
    = 类型 {}
    opcode {}
    = 操作码 {}
    status {}
    = 状态 {}
    the experts' blocks and scales do not belong together
    = 专家的块与缩放不匹配
    U8 [experts, out, in/32, 16] and {}_scales U8 [experts, out, in/32]
    = U8 [专家, 输出, 输入/32, 16] 与 {}_scales U8 [专家, 输出, 输入/32]
    the experts' tensor has an unknown shape
    = 专家的张量形状未知
    {} dimensions, the first that of the experts
    = {} 维，第一维是专家
    the tensor is no table
    = 该张量不是表
    a row that the table has not
    = 表中没有的一行
    """#
}
