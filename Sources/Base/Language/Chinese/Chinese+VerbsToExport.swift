extension Chinese {
  /// The verbs from bench to export: help and messages.
  static let verbsToExport = #"""
    The model's shape, with random weights (default: smollm2, llama7b, ziya13b).
    = 模型的形状，权重随机（默认：smollm2、llama7b、ziya13b）。
    Measures this alone; attention by itself is measured only so.
    = 只测量这一项；单独的注意力只有这样才测量。
    Tokens of a training row (default: 1024).
    = 训练数据一行的词元数（默认：1024）。
    Training rows of a step (default: 1).
    = 每步训练的行数（默认：1）。
    In training keeps the inputs of blocks in bfloat16, and on a card the optimizer's moments in the processor's memory.
    = 训练时以 bfloat16 保存各层的输入；在显卡上，优化器状态放在处理器的内存里。
    Keeps all activations in training.
    = 训练时保留全部激活值。
    Of products; float16 on a card alone (default: bfloat16 where it is fast, on other cards float16).
    = 矩阵乘法的精度；float16 只用于显卡（默认：bfloat16 较快时用 bfloat16，其他显卡用 float16）。
    Training steps measured (default: 5).
    = 测量的训练步数（默认：5）。
    Also measures start-up and tokenisation with this model.
    = 另用这个模型测量启动和分词。
    One JSON object.
    = 输出一个 JSON 对象。
    Measures this machine's limits, and how close Firefly comes to them.
    = 测量这台机器的极限，以及 Firefly 与极限的差距。
    Writes how long each task of a training step of --shape took, for tools/scaling_model.
    = 写出 --shape 的一个训练步中每个任务所用的时间，供 tools/scaling_model 使用。
    What the processor's units and its memory do at most is measured first, and the rates of large \#
    products; everything else is given as a share of them, the units' rates being taken again between the \#
    runs. FLOP count what the algorithm needs: frozen matrices, LoRA, causal attention, recomputation. \#
    Other work on the machine lowers all figures.
    = 先测量处理器各运算单元和内存的极限，以及大矩阵乘法的速率；其余各项都以它们的百分比给出，运算单元的速率在每次\#
    测量之间重新测定。FLOP 只计算法所需：冻结矩阵、LoRA、因果注意力、重算。机器上的其他任务会使所有数字变低。
    measuring the machine
    = 测量机器
    attention of one head
    = 单个注意力头
    start-up and tokenisation
    = 启动与分词
    Tokens of conversation and answer together (default: the model's, at most 4096).
    = 对话与回答合计的词元数（默认：模型的设置，至多 4096）。
    Each message stands alone: nothing before it is remembered.
    = 每条消息各自独立，不记住之前的内容。
    Talks with a model; answers stream as they come.
    = 与模型对话；回答边生成边显示。
    A line is a message, or one of the orders and keys below. Ctrl-C stops an answer and leaves the \#
    program and the conversation as they are. Input may come from a pipe: then too each line is a message, \#
    answered in turn; firefly generate answers a whole file as one.
    = 一行就是一条消息，或下面的一个命令或按键。Ctrl-C 只停止回答，程序和对话保持不变。输入也可以来自管道：\#
    同样每行是一条消息，依次回答；firefly generate 则把整个输入作为一条来回答。
    What no longer fits into the context is left out by whole turns, the oldest first.
    = 放不进上下文时，从最早的开始，整轮略去。
    it was trained with another chat template than this conversation has: start with --adapter {}
    = 它训练时用的聊天模板与这段对话的不同：请用 --adapter {} 重新开始
    bash, zsh or fish.
    = bash、zsh 或 fish。
    Prints a shell's completion script.
    = 输出 shell 的命令补全脚本。
    For bash: firefly completion bash > ~/.local/share/bash-completion/completions/firefly
    = bash：firefly completion bash > ~/.local/share/bash-completion/completions/firefly
    For zsh: firefly completion zsh > a file named _firefly in a folder of $fpath
    = zsh：firefly completion zsh > 名为 _firefly 的文件，放在 $fpath 的某个文件夹中
    For fish: firefly completion fish > ~/.config/fish/completions/firefly.fish
    = fish：firefly completion fish > ~/.config/fish/completions/firefly.fish
    SHELL: expected bash, zsh or fish, found '{}'
    = SHELL：应为 bash、zsh 或 fish，实际为“{}”
    Prints the manual page: firefly manual | man -l -
    = 输出手册页：firefly manual | man -l -
    The training configuration, a JSON or YAML file.
    = 训练配置，JSON 或 YAML 文件。
    The line of train_file to show, counted on from file to file (default: the first row that is kept).
    = 要显示的 train_file 行号，各文件连续计数（默认：保留下来的第一行）。
    Shows the row token by token, with ids.
    = 逐词元显示这一行，带 id。
    One JSON object: the statistics, and the row with its tokens.
    = 输出一个 JSON 对象：统计信息，以及这一行和它的词元。
    Shows what training will see: statistics, and a row's text with its targets.
    = 显示训练会看到什么：统计信息，以及一行数据的文本与训练目标。
    The row stands there as the model reads it, special tokens spelled out. The targets, which are what is \#
    learnt, are green on a terminal and between ⟦ and ⟧ elsewhere; so they are on a terminal when NO_COLOR \#
    is set.
    = 数据按模型读取的样子显示，特殊词元写出。训练目标就是要学习的部分，在终端上显示为绿色，在其他地方放在 \#
    ⟦ 与 ⟧ 之间；设置了 NO_COLOR 时，终端上也用括号。
    --json has the tokens
    = --json 已经包含词元
    reading {}
    = 读取 {}
    held out: {}
    = 留出：{}
    no row is kept from line {}
    = 从第 {} 行起没有保留下来的数据
    It is blank, was dropped, or lies after the end: 'firefly data {}' lists dropped lines.
    = 它是空行、已被丢弃，或在文件末尾之后：“firefly data {}”会列出丢弃的行。
    The model's or adapter's name on the hub, Org/Name; Org/Name@REVISION for another state than main.
    = 模型或适配器的名字，Org/Name；Org/Name@REVISION 表示 main 之外的版本。
    A branch, tag or commit (default: main).
    = 分支、标签或提交（默认：main）。
    Fetches into this folder, which is then given as MODEL, and not into the cache.
    = 下载到这个文件夹（之后作为 MODEL 使用），而不是缓存。
    Fetches this GGUF file and not the folder's weights; a pattern such as '*Q4_K_M*' fetches those that \#
    match.
    = 下载这个 GGUF 文件而不是文件夹中的权重；“*Q4_K_M*”这样的模式会下载所有匹配的文件。
    Fetches a model from Hugging Face's hub, or a mirror of it.
    = 从 Hugging Face 或镜像站下载模型。
    Only the files that Firefly reads, each checked against the hub's hash, into the cache that \#
    transformers shares (HF_HUB_CACHE, HF_HOME, ~/.cache/huggingface). Afterwards NAME can be given \#
    wherever MODEL is asked for. Ctrl-C and broken connections lose nothing: the same command goes on \#
    where it ended.
    = 只下载 Firefly 会读取的文件，每个都与服务器给出的哈希值核对，存入与 transformers 共用的缓存（\#
    HF_HUB_CACHE、HF_HOME、~/.cache/huggingface）。之后凡是要求 MODEL 的地方都可以写 NAME。按 Ctrl-C 或连\#
    接中断都不会丢失已下载的部分：同一条命令会接着下载。
    HF_ENDPOINT=https://… names a mirror, HF_TOKEN a token for models that not everyone may have.
    = HF_ENDPOINT=https://… 指定镜像站，HF_TOKEN 提供受限模型所需的令牌。
    --to: the folder has no name
    = --to：文件夹没有名字
    fetching {}
    = 下载 {}
    NAME: expected Org/Name, found '{}'
    = NAME：应为 Org/Name，实际为“{}”
    NAME names a revision already: '{}'
    = NAME 已经写明了修订版本：“{}”
    --revision: expected a branch, tag or commit, found '{}'
    = --revision：应为分支、标签或提交，实际为“{}”
    {}: another process is fetching it; waiting
    = {}：另一个进程正在下载；等待中
    exact_match: answers to show (default: 3).
    = exact_match：显示多少个回答（默认：3）。
    --file is missing
    = 缺少 --file
    --file is given twice
    = --file 给了两次
    answering {}
    = 回答 {}
    answers cut off by --max-new-tokens: {}
    = 被 --max-new-tokens 截断的回答：{}
    --data is missing
    = 缺少 --data
    plain text has no system text
    = 纯文本没有系统提示
    plain text has no template
    = 纯文本没有模板
    {}, {} questions
    = {}，{} 道题
    Tokens from one window of plain text to the next (default: the window's length less one, so that each \#
    token is read once).
    = 纯文本相邻窗口的起点相隔多少词元（默认：窗口长度减一，即每个词元只读一次）。
    --file {} is given twice
    = --file {} 给了两次
    --stride needs plain text: the rows of conversations are not cut
    = --stride 只用于纯文本：对话数据不会切分
    measuring
    = 测量
    {} bits a byte,
    = 每字节 {} 比特，
    {}: perplexity {}, loss {}, token accuracy {} %, {}{} targets of {} tokens in {} rows
    = {}：困惑度 {}，损失 {}，词元准确率 {} %，{}{} 个目标，共 {} 个词元，{} 行
    What is measured: perplexity and token accuracy of texts; multiple choice; or worked answers, by what \#
    stands after the last ####.
    = 测量什么：文本的困惑度与词元准确率；选择题；或解题回答，取最后一个 #### 之后的内容。
    perplexity: conversations as for training (the answers are the targets), a .txt file, or JSONL rows \#
    {"text": …}. exact_match: JSONL rows whose last answers are the references, or {"question": …, \#
    "answer": …}.
    = perplexity：与训练相同的对话数据（回答是目标）、.txt 文件，或 JSONL 数据 {"text": …}。exact_match：\#
    最后一个回答为参考答案的 JSONL 数据，或 {"question": …, "answer": …}。
    Only the first N rows; of a benchmark, the first N questions of each subject.
    = 只取前 N 行；选择题则每个科目取前 N 道。
    Rows in a pass (default: exact_match 32, multiple choice 8, perplexity as many as make 2048 tokens).
    = 一次处理的行数（默认：exact_match 为 32，选择题为 8，perplexity 为凑满 2048 个词元的行数）。
    Keeps each finished item as a line of JSON; the same command goes on where an earlier one stopped.
    = 每完成一项就存为一行 JSON；再次运行同一条命令会从中断处继续。
    One JSON object; multiple choice and exact_match with every item.
    = 输出一个 JSON 对象；选择题和 exact_match 带上每一项。
    Tokens of a row, a window of plain text, or a prompt (default: what the model was made for; windows at \#
    most 2048).
    = 一行数据、纯文本的一个窗口或一个提示的词元数（默认：模型的设计长度；窗口至多 2048）。
    Measures a model: perplexity, multiple choice, worked answers.
    = 评测模型：困惑度、选择题、解题回答。
    Equal calls give equal results. The answers of exact_match are greedy unless --temperature is given.
    = 相同的命令得到相同的结果。exact_match 默认贪心解码，除非给出 --temperature。
    mmlu, ceval and cmmlu ask in the words of the benchmarks' authors, as plain text unless --chat or \#
    --template is given; DIR holds the published CSV files, or a zip archive of them.
    = mmlu、ceval、cmmlu 使用原作者的提问方式，默认为纯文本，除非给出 --chat 或 --template；DIR 是公布的 \#
    CSV 文件所在的文件夹，或它们的 zip 压缩包。
    --task is missing
    = 缺少 --task
    it has no meaning for --task {}
    = 它对 --task {} 没有意义
    The benchmark's CSV files: a folder, or a zip archive.
    = 评测集的 CSV 文件：文件夹，或 zip 压缩包。
    Subjects as the files are named, or categories (stem, humanities, social_sciences, other, hard, \#
    china_specific), with commas between (default: all).
    = 科目（按文件名）或类别（stem、humanities、social_sciences、other、hard、china_specific），用逗号分隔\#
    （默认：全部）。
    The split that is asked (default: test; val for ceval, whose test answers are secret).
    = 使用哪一部分（默认：test；ceval 为 val，因为其 test 的答案不公开）。
    Worked examples from the split dev before each question (default: 5).
    = 每道题之前来自 dev 的示例数（默认：5）。
    letter shows the options and scores A to D; likelihood does not and scores the options' texts, also \#
    per character and per byte (default: letter).
    = letter 列出选项并对 A 至 D 计分；likelihood 不列出选项，对选项文本计分，并另按字符和字节计算（默认：\#
    letter）。
    Asks through the chat template, examples as earlier turns; so does --template.
    = 通过聊天模板提问，示例作为之前的轮次；--template 也是如此。
    The .gguf file to write; it must not exist yet.
    = 要写入的 .gguf 文件；必须尚不存在。
    What matrices are stored in (default: f16); the quantised types are llama.cpp's mixtures.
    = 矩阵的存储类型（默认：f16）；量化类型为 llama.cpp 的混合方案。
    A PEFT adapter to merge on the way.
    = 导出时合并的 PEFT 适配器。
    With --adapter: what it is added to, the model's own weights or those rounded to NF4 as in QLoRA \#
    training (default: original).
    = 与 --adapter 一起使用：合并到模型自身的权重，或像 QLoRA 训练那样舍入为 NF4 的权重（默认：original）。
    Writes the adapter alone, for llama.cpp's --lora; MODEL tells its heads and names.
    = 只写出适配器，供 llama.cpp 的 --lora 使用；MODEL 提供头数和名字。
    Replaces an older OUT, a GGUF file, when the new one is whole.
    = 新文件写完整后，替换原有的 GGUF 文件 OUT。
    Writes a model, or an adapter, as a GGUF file for llama.cpp.
    = 把模型或适配器写成供 llama.cpp 使用的 GGUF 文件。
    For models of the families that llama.cpp shares with Firefly, with tokenizer and chat template: an \#
    adapter's own where there is one. Vectors stay in float32; quantised matrices are what llama.cpp's \#
    quantiser makes of them, byte for byte. A tokenizer that llama.cpp would not follow is refused; where \#
    it differs only beside special tokens, a message says so.
    = 用于 llama.cpp 与 Firefly 都支持的系列，连同分词器与聊天模板；适配器自带模板时用适配器的。向量保持 \#
    float32；量化后的矩阵与 llama.cpp 的量化结果逐字节相同。llama.cpp 不能照做的分词器会明确拒绝；如果只在\#
    特殊词元旁有差异，会给出提示。
    A text that the model reads first: errors of quantising count by what its layers see (an importance \#
    matrix).
    = 让模型先读的文本：量化误差按各层所见的输入计权（重要性矩阵）。
    Writes parts of at most so many bytes, a number with MB or GB: OUT's name with -00001-of-00003 and so on.
    = 分成多个文件，每个最多这么多字节，写作带 MB 或 GB 的数：文件名为 OUT 加上 -00001-of-00003 等。
    An importance matrix of llama.cpp's llama-imatrix, in place of --calibrate: GGUF or the older .dat.
    = llama.cpp 的 llama-imatrix 写出的重要性矩阵，代替 --calibrate：GGUF 或较早的 .dat。
    With --calibrate: writes the importance matrix too, as a GGUF file for llama-quantize's --imatrix.
    = 与 --calibrate 合用：另把重要性矩阵写成 GGUF 文件，供 llama-quantize 的 --imatrix 使用。
    {} needs a quantised --type
    = {} 需要量化的 --type
    --save-imatrix needs --calibrate
    = --save-imatrix 需要 --calibrate
    an adapter is written in one file
    = 适配器写在一个文件中
    an adapter is not quantised
    = 适配器不量化
    --onto needs --adapter
    = --onto 需要 --adapter
    --adapter-only needs --adapter
    = --adapter-only 需要 --adapter
    an adapter is written as f32, f16 or bf16
    = 适配器写成 f32、f16 或 bf16
    nothing is merged into an adapter
    = 不会有内容合并进适配器
    {} documents
    = {} 个文档
    {} examples
    = {} 个示例
    subject
    = 科目
    questions
    = 题数
    accuracy
    = 准确率
    total
    = 合计
    Social sciences
    = 社会科学
    China specific
    = 中国特有
    {}, expected {}
    = {}，应为 {}
    exact match: {} of {} ({} %)
    = 精确匹配：{} / {}（{} %）
    llama.cpp encodes text beside special tokens, such as {}, otherwise than the model's tokenizer: it \#
    takes it to begin with a space
    = 在 {} 这样的特殊词元旁，llama.cpp 对文本的编码与模型的分词器不同：它认为文本以空格开头
    Shows this program and machine, for a report of a fault.
    = 显示这个程序和这台机器的信息，用于报告问题。
    Version and commit, system, processor and kernels, card, memory, versions of libraries, and those \#
    variables of the environment that change what Firefly does. Keys and tokens are never shown.
    = 版本与提交、系统、处理器与内核、显卡、内存、各个库的版本，以及会影响 Firefly 的环境变量。绝不显示密\#
    钥和令牌。
    """#
}
