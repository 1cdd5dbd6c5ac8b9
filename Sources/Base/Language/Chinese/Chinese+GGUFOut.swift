extension Chinese {
  /// GGUF files that are written, and importance matrices.
  static let ggufOut = #"""
    {} of another size
    = 另一种大小的 {}
    an adapter is merged into a GGUF file only where the model is one
    = 只有模型本身是 GGUF 文件时，才能合并为 GGUF 文件
    Merge into a folder and export that, or export with --adapter.
    = 先合并为文件夹再导出，或用 --adapter 导出。
    the adapter's model has another number of tokens than the file
    = 适配器的模型与文件的词元数不同
    Export with --adapter and a --type.
    = 用 --adapter 与 --type 导出。
    {}, by which llama.cpp knows ALiBi
    = {}，llama.cpp 据此识别 ALiBi
    rotary positions
    = 旋转位置编码
    the importance matrix is of another model
    = 重要性矩阵属于另一个模型
    {} numbers
    = {} 个数
    names as blk.0.attn_q.weight
    = 形如 blk.0.attn_q.weight 的名字
    the model's windows are not supported
    = 不支持该模型的窗口
    the importance matrix has a number that is no mean of squares
    = 重要性矩阵中有不是平方平均值的数
    0 or more
    = 0 或更大
    Make the file again.
    = 请重新生成该文件。
    the file is no importance matrix
    = 该文件不是重要性矩阵
    Give a file that llama-imatrix has written.
    = 请给出 llama-imatrix 写出的文件。
    sums and counts do not belong together
    = 和与计数不匹配
    as many rows
    = 相同的行数
    {} is no count of what the file can hold
    = {} 不是文件能容纳的数目
    The file is damaged, or no importance matrix of llama.cpp.
    = 文件已损坏，或不是 llama.cpp 的重要性矩阵。
    """#
}
