extension Chinese {
  /// Evaluations and measurements.
  static let evaluation = #"""
    {} has no such subject or category
    = {}没有这个科目或类别
    an option is longer than the model's context
    = 一个选项比模型的上下文还长
    an option has no tokens
    = 一个选项没有词元
    a text to score
    = 用于计分的文本
    there is no table of {} for the split "{}"
    = 没有 {} 的“{}”数据表
    files like {}/{}.csv or {}_{}.csv
    = 形如 {}/{}.csv 或 {}_{}.csv 的文件
    {} files{}
    = {} 个文件{}
    there is no table of the subject {} for the split "{}"
    = 没有科目 {} 的“{}”数据表
    a file like {}/{}.csv or {}_{}.csv
    = 形如 {}/{}.csv 或 {}_{}.csv 的文件
    the id {} comes twice
    = id {} 出现了两次
    also on line {}
    = 第 {} 行也是
    rows of questions
    = 题目数据
    the column "{}" is missing
    = 缺少列 "{}"
    rows of questions below the header
    = 表头之下的题目数据
    the row has a wrong number of fields
    = 这一行的字段数不正确
    the question is empty
    = 题目为空
    the answer is not one of the letters
    = 答案不是选项字母之一
    only the first {} of them are measured
    = 只测量其中前 {} 个
    the file has no text to predict
    = 文件中没有可以预测的文本
    at least two tokens
    = 至少两个词元
    1 document
    = 1 个文档
    {}, {} windows of at most {} tokens, {} targets
    = {}，{} 个窗口，每个至多 {} 个词元，{} 个目标
    documents without anything to predict: {}
    = 没有内容可以预测的文档：{}
    the row has no text
    = 这一行没有文本
    {"text": "…"}
    = {"text": "…"}
    text
    = 文本
    the row has no result to compare with
    = 这一行没有可以比较的结果
    an answer that ends in "#### N"
    = 以 "#### N" 结尾的回答
    no answer
    = 没有回答
    an answer without ####
    = 没有 #### 的回答
    the problem of {} was another one when its answer was saved
    = 保存 {} 的回答时，题目与现在的不同
    The file of problems has changed: name another file of results.
    = 题目文件已改变：请另外指定结果文件。
    the answer of {} is damaged
    = {} 的回答已损坏
    Remove its line.
    = 请删除这一行。
    another evaluation is writing to this file
    = 另一个评测正在写这个文件
    Wait for its end, or name another file.
    = 请等它结束，或另外指定文件。
    the file's results were made with another "{}"
    = 文件中的结果是用另外的 "{}" 得到的
    Name another file, remove this one, or go on with its settings.
    = 请另外指定文件，删除这个文件，或沿用它的设置。
    the line is not a result
    = 这一行不是结果
    an object with an "id"
    = 带 "id" 的对象
    the file has a result twice
    = 文件中有重复的结果
    Remove one of the two lines.
    = 请删除两行中的一行。
    not a file of an evaluation's results
    = 不是评测结果文件
    {"{}": 1, …} on the first line
    = 第一行为 {"{}": 1, …}
    Name another file.
    = 请另外指定文件。
    the archive has no such entry
    = 压缩包中没有这个条目
    the entry is too large
    = 条目太大
    the entry is damaged: its size or checksum is wrong
    = 条目已损坏：大小或校验和不符
    Download the archive again.
    = 请重新下载压缩包。
    the question {} had another prompt when its result was saved
    = 保存题目 {} 的结果时，提示与现在的不同
    The benchmark's files have changed: name another file.
    = 评测数据文件已改变：请另外指定文件。
    the result of {} is damaged
    = {} 的结果已损坏
    the tokenizer gives an id that the model does not have
    = 分词器给出了模型没有的 id
    below {}
    = 小于 {}
    per char
    = 按字符
    per byte
    = 按字节
    1 example
    = 1 个示例
    {}, {}, by {}, {}
    = {}，{}，按{}，{}
    mean of subjects
    = 各科平均
    {} questions have no published answer and are not scored
    = {} 道题没有公布答案，不计分
    {} prompts have fewer examples: more do not fit or do not exist
    = {} 个提示的示例较少：放不下更多，或没有更多
    {} prompts were too long and were cut on the left
    = {} 个提示太长，从左边截断
    the likelihood of option {} is not a finite number
    = 选项 {} 的似然不是有限数
    The weights are damaged or overflow: try float32, and 'firefly inspect' on the model.
    = 权重已损坏或溢出：请尝试 float32，并用“firefly inspect”检查模型。
    the row's loss is not a finite number
    = 这一行的损失不是有限数
    the row {} was another one when its result was saved
    = 保存第 {} 行的结果时，该行与现在的不同
    The file of rows or the template has changed: name another file of results.
    = 数据文件或模板已改变：请另外指定结果文件。
    the window leaves nothing to predict
    = 窗口太小，没有可以预测的内容
    at least 2 tokens
    = 至少 2 个词元
    the stride does not fit the window
    = 步幅与窗口不合
    from 1 to {}, the window's length less one
    = 1 到 {} 之间，即窗口长度减一
    bfloat16 products  {} GFLOP/s
    = bfloat16 乘法      {} GFLOP/s
    float32 products   {} GFLOP/s
    = float32 乘法       {} GFLOP/s
    reading memory     {} GB/s
    = 读取内存           {} GB/s
    {}, {} threads, kernels {}
    = {}，{} 个线程，{} 内核
    bfloat16 products  {} GFLOP/s one thread, {} all
    = bfloat16 乘法      单线程 {} GFLOP/s，全部 {}
    float32 products   {} GFLOP/s one thread, {} all
    = float32 乘法       单线程 {} GFLOP/s，全部 {}
    reading memory     {} GB/s one thread, {} all
    = 读取内存           单线程 {} GB/s，全部 {}
    training {}, {} tokens a step: {} tokens/s, {}, at most {} in tensors
    = 训练{}，每步 {} 个词元：{} 词元/秒，{}，张量至多占 {}
    generation {}, NF4: prompt of {} tokens at {} tokens/s, {}
    = 生成 {}，NF4：{} 个词元的提示，{} 词元/秒，{}
    {} at a time: {} tokens/s, {} of what reading the weights allows
    = 同时 {} 个：{} 词元/秒，达到读取权重所允许的 {}
    {} of the matrix rate ({} of {} GFLOP/s)
    = 达到矩阵速率的 {}（{}，上限 {} GFLOP/s）
    attention of one head, one thread: GFLOP/s forward and backward, and their shares of the matrix rate
    = 单个注意力头，单线程：前向与反向的 GFLOP/s，及其占矩阵速率的百分比
    {} tokens, head of {}
    = {} 个词元，头的大小 {}
    {} tokens, head of {}, window {}
    = {} 个词元，头的大小 {}，窗口 {}
    start-up to the first token: {} s (tokenizer {} s)
    = 启动到第一个词元：{} 秒（其中分词器 {} 秒）
    tokenisation, one thread: {} million tokens/s Chinese, {} English
    = 分词，单线程：中文每秒 {} 百万词元，英文 {}
    four blocks of SmolLM2-135M
    = SmolLM2-135M 的四个层块
    two blocks of LLaMA-7B
    = LLaMA-7B 的两个层块
    two blocks of Ziya-LLaMA-13B
    = Ziya-LLaMA-13B 的两个层块
    unknown processor
    = 未知处理器
    cannot start the program: {}
    = 无法启动程序：{}
    generating one token failed
    = 生成一个词元失败
    exit status {}
    = 退出状态 {}
    Run: firefly generate {} --prompt Hello --max-new-tokens 1
    = 请运行：firefly generate {} --prompt Hello --max-new-tokens 1
    The tokenizer and the weights of {} do not belong together, unless tokens were added to it: a training \#
    run's "resize_vocab": true gives them rows.
    = 分词器与 {} 的权重不匹配，除非是增加了词元：训练时的 "resize_vocab": true 会为它们增加行。
    {}, {}, by letter, {}
    = {}，{}，按选项字母，{}
    {}, {}, by likelihood, {}
    = {}，{}，按选项文本的似然，{}
    """#
}
