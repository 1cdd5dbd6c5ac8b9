extension Chinese {
  /// The program, its options and what it says while it runs.
  static let console = #"""
    {} is missing
    = 缺少 {}
    unexpected argument '{}'
    = 多余的参数“{}”
    {} is given twice
    = {} 给了两次
    {} takes no value (found '{}')
    = {} 不带值（实际为“{}”）
    {}: expected {}, found '{}'
    = {}：应为{}，实际为“{}”
    write {}={} if that is the value
    = 如果这就是它的值，请写 {}={}
    {} needs a value, {}{}
    = {} 需要一个值 {}{}
    did you mean {}?
    = 你要写的是不是 {}？
    unknown option {}{}
    = 未知的选项 {}{}
    {} cannot be used together: {}
    = {} 不能同时使用：{}
    {} cannot be used here: {}
    = {} 不能在这里使用：{}
    firefly help VERB tells a verb's arguments, firefly --version the version; firefly manual | man -l - \#
    is all of it.
    = firefly help VERB 说明一个命令的参数，firefly --version 显示版本；firefly manual | man -l - 显示全部\#
    说明。
    Fine-tunes pretrained language models on conversations, and uses them.
    = 在对话上微调预训练语言模型，并使用它们。
    Usage: firefly VERB [arguments]
    = 用法：firefly VERB [arguments]
    Verbs:
    = 命令：
    Usage: firefly {}{} [options]
    = 用法：firefly {}{} [options]
    May be repeated.
    = 可以重复给出。
    Shows this text.
    = 显示本说明。
    A PEFT adapter to put on the model: its folder, or its name.
    = 加在模型上的 PEFT 适配器：它的文件夹或名字。
    What products are computed in; float16 on a card alone (default: bfloat16 where the device multiplies it fast, \#
    on other cards float16).
    = 矩阵乘法的精度；float16 只用于显卡（默认：设备的 bfloat16 乘法较快时用 bfloat16，其他显卡用 float16）。
    How the linear layers are held: nf4 quantises them, none decodes a GGUF file's (default: as the files have them).
    = 线性层的存放方式：nf4 将其量化，none 将 GGUF 文件的量化块解码（默认：保持文件原样）。
    loading {}
    = 加载 {}
    Where to compute: the processor (cpu), an NVIDIA card (cuda), or auto: the card where there is one \#
    (default: auto).
    = 在哪里计算：处理器（cpu）、NVIDIA 显卡（cuda），或 auto：有显卡就用显卡（默认：auto）。
    The most tokens of an answer (default: the model's, or 500).
    = 回答的词元数上限（默认：模型的设置，或 500）。
    Always takes the most likely token; the same as --temperature 0.
    = 始终取最可能的词元，等同于 --temperature 0。
    Below 1 sharpens, above 1 flattens (default: the model's, or 0.35).
    = 小于 1 使分布更集中，大于 1 更平缓（默认：模型的设置，或 0.35）。
    Keeps the fewest tokens that are together this likely (default: the model's, or 0.9).
    = 保留累计概率达到此值的最少词元（默认：模型的设置，或 0.9）。
    Keeps the K most likely tokens; 0 keeps all (default: the model's, or 50).
    = 保留最可能的 K 个词元；0 表示全部保留（默认：模型的设置，或 50）。
    Keeps tokens that are at least this likely beside the most likely one; 0 keeps all (default: the model's, or 0).
    = 保留可能性与最可能词元之比不低于此值的词元；0 表示全部保留（默认：模型的设置，或 0）。
    Above 1 makes tokens that were already used less likely (default: the model's, or 1).
    = 大于 1 时，已出现过的词元可能性降低（默认：模型的设置，或 1）。
    Above 1: a beam search for the most likely answer instead of sampling, with N times the memory for \#
    keys and values (default: the model's, or 1).
    = 大于 1 时不采样，用集束搜索寻找最可能的回答，键值缓存占 N 倍内存（默认：模型的设置，或 1）。
    With --beams: answers are compared by log-probability / tokens^X; above 0 favours long ones (default: \#
    the model's, or 1).
    = 与 --beams 一起使用：回答按 对数概率 / 词元数^X 比较；大于 0 时偏向长回答（默认：模型的设置，或 1）。
    With --beams, when N answers are found: true ends, false ends unless a beam is better as it stands, \#
    never ends when no beam can become better (default: the model's, or false).
    = 与 --beams 一起使用，找到 N 个回答时：true 立即结束；false 在没有更好的候选时结束；never 在不可能再\#
    有更好的候选时结束（默认：模型的设置，或 false）。
    Equal seeds give equal answers (default: 42).
    = 相同的种子得到相同的回答（默认：42）。
    A text that ends the answer.
    = 遇到这段文本就结束回答。
    --greedy is temperature 0
    = --greedy 就是 temperature 0
    beams take the most likely answer, and no token is chosen alone
    = 集束搜索取最可能的回答，不单独选择词元
    --json has every answer
    = --json 输出全部回答
    the most likely token is always taken; --temperature above 0 lets others come
    = 总是取最可能的词元；--temperature 大于 0 才会取其他词元
    it needs --beams of at least 2
    = 它需要至少为 2 的 --beams
    The chat template (default: the one that the adapter was trained with; else auto, the model's own).
    = 聊天模板（默认：训练适配器时所用的模板；否则为 auto，即模型自带的模板）。
    Replaces the template's system text.
    = 替换模板的系统提示。
    Variables of the model's own template, as one JSON object: {"enable_thinking": false}.
    = 模型自带模板的变量，写成一个 JSON 对象：{"enable_thinking": false}。
    The template's variable enable_thinking by itself.
    = 单独设置模板变量 enable_thinking。
    {} takes a JSON object
    = {} 需要一个 JSON 对象
    no value
    = 没有值
    The folder to write; it must not exist yet, or be empty.
    = 要写入的文件夹；必须尚不存在，或为空。
    Replaces an older OUT, a model's folder, when the new one is whole.
    = 新模型写完整后，替换原有的模型文件夹 OUT。
    The most bytes of a weights file: a number with MB or GB (default: 5GB).
    = 每个权重文件的最大字节数：带 MB 或 GB 的数（默认：5GB）。
    {}: expected a size such as 5GB or 500MB, found '{}'
    = {}：应为 5GB 或 500MB 这样的大小，实际为“{}”
    interrupted: nothing was written
    = 已中断：没有写出任何内容
    {}: {} MB
    = {}：{} MB
    template {}; /help lists what else can be asked, Ctrl-D ends
    = 模板 {}；/help 列出可用的命令，Ctrl-D 结束
    Ctrl-C clears the line, and stops an answer; /exit or Ctrl-D ends
    = Ctrl-C 清除这一行，或停止回答；/exit 或 Ctrl-D 结束
    the conversation is forgotten
    = 已清空对话
    the template's own system text
    = 恢复模板自带的系统提示
    the system text is changed
    = 已更改系统提示
    there is no conversation to save
    = 没有可以保存的对话
    {} turns appended to {}
    = 已将 {} 轮对话追加到 {}
    the base alone
    = 只用基础模型
    cut off after {} tokens; {} allows longer answers
    = 在 {} 个词元处截断；{} 允许更长的回答
    cut off by the model's max_length {}; {} allows longer answers
    = 因模型的 max_length {} 被截断；{} 允许更长的回答
    cut off: the model reads no more than {} tokens; /reset forgets earlier turns
    = 被截断：模型最多读取 {} 个词元；/reset 清空之前的对话
    {} tokens, {} tokens/s
    = {} 个词元，{} 词元/秒
    replaces the system text; without TEXT the template's own is back
    = 替换系统提示；不带 TEXT 则恢复模板自带的
    forgets the conversation
    = 清空对话
    shows how answers are chosen; /params NAME VALUE changes it
    = 显示回答的参数；/params NAME VALUE 更改一个
    puts another adapter on the model; /adapter none takes it off
    = 换上另一个适配器；/adapter none 取下
    appends the conversation to FILE as a row of training data
    = 把对话追加到 FILE，作为一行训练数据
    shows this list
    = 显示此列表
    ends, as Ctrl-D does on an empty line
    = 结束，与空行上按 Ctrl-D 相同
    sends /TEXT as a message
    = 把 /TEXT 作为消息发送
    begins and ends a message of several lines, on lines of their own
    = 单独成行，表示多行消息的开始和结束
    begins another line of the message; pasted lines are one message
    = 在消息中换行；粘贴的多行文本是一条消息
    stops an answer, or clears the line; the conversation stays
    = 停止回答，或清除这一行；对话保留
    /{} needs {}
    = /{} 需要{}
    a file
    = 文件
    an adapter's folder, or none
    = 适配器的文件夹，或 none
    there is no /{}
    = 没有 /{} 这个命令
    /help lists the orders; a message that begins with / needs two.
    = /help 列出可用的命令；以 / 开头的消息要写两个 /。
    below 1 sharpens, above 1 flattens; 0 is greedy
    = 小于 1 更集中，大于 1 更平缓；0 为贪心
    keeps the fewest tokens that are together this likely
    = 保留累计概率达到此值的最少词元
    keeps this many most likely tokens; 0 keeps all
    = 保留这么多最可能的词元；0 表示全部保留
    keeps tokens at least this likely beside the best; 0 keeps all
    = 保留与最可能词元之比不低于此值的词元；0 表示全部保留
    above 1 makes used tokens less likely
    = 大于 1 时，已用过的词元可能性降低
    above 1 searches for the most likely answer
    = 大于 1 时搜索最可能的回答
    of beams: above 0 favours long answers
    = 集束搜索：大于 0 时偏向长回答
    of beams: true, false or never
    = 集束搜索：true、false 或 never
    where an answer is cut off
    = 回答在此处截断
    of the next answer; equal seeds give equal answers
    = 下一个回答的种子；相同的种子得到相同的回答
    not a value
    = 值不正确
    {} has no effect: beams take the most likely answer
    = {} 不起作用：集束搜索取最可能的回答
    /params num_beams 1 ends that.
    = /params num_beams 1 可关闭集束搜索。
    true, false or never
    = true、false 或 never
    there is no parameter {}
    = 没有参数 {}
    the system gives no pipe: {}
    = 系统无法提供管道：{}
    the terminal cannot be used for typing
    = 终端无法用于输入
    cannot write to standard output: {}
    = 无法写到标准输出：{}
    {} left
    = 剩余 {}
    a conversation needs a template
    = 对话需要模板
    "prompt" with --raw
    = "prompt"，并加上 --raw
    evaluating {} %
    = 评测 {} %
    stopping after this step, with a checkpoint; press Ctrl-C again to stop at once
    = 在这一步之后保存检查点并停止；再按 Ctrl-C 立即停止
    firefly: {}
    = firefly: {}
    Try '{}'.
    = 请运行“{}”查看用法。
    this process may not open enough files
    = 这个进程可以打开的文件太少
    at least {}
    = 至少 {}
    Raise the limit: ulimit -n 1024.
    = 请提高上限：ulimit -n 1024。
    a verb is missing
    = 缺少命令
    help tells of one verb, found '{}'
    = help 只说明一个命令，实际为“{}”
    unknown {} {}{}
    = 未知的 {} {}{}
    {} tokens/s
    = {} 词元/秒
    note: {}
    = 提示：{}
    together
    = 合计
    saved {}
    = 已保存 {}
    training {}
    = 训练 {}
    generation {}
    = 生成 {}
    comparing: {}
    = 比较：{}
    template {}
    = 模板 {}
    adapter {}
    = 适配器 {}
    message {}
    = 第 {} 条消息
    {} turns
    = {} 轮
    {} elements
    = {} 个元素
    stopping
    = 正在停止
    verb
    = 命令
    option
    = 选项
    merged
    = 合并后
    right
    = 正确
    wrong
    = 错误
    Arguments:
    = 参数：
    Options:
    = 选项：
    {} s
    = {} 秒
    {} d {} h
    = {} 天 {} 小时
    {} appended to {}
    = 已将 {}追加到 {}
    1 turn
    = 1 轮对话
    no longer fits and is left out: the first {}
    = 已放不下，略去：前 {}
    A model folder in Hugging Face's format, a .gguf file, or the name of a model that is on this machine \#
    (firefly download fetches one).
    = Hugging Face 格式的模型文件夹、.gguf 文件，或本机已有的模型名（firefly download 可以下载）。
    Replaces one key of the configuration; VALUE is JSON or a bare string. 'firefly keys' lists the keys.
    = 替换配置中的一个键；VALUE 是 JSON 或不带引号的字符串。“firefly keys”列出所有的键。
    {} (this processor runs {})
    = {}（这台处理器支持 {}）
    none: {}
    = 无：{}
    none that Firefly uses
    = 没有 Firefly 会用到的
    limited to {} by a control group
    = 受控制组限制为 {}
    {}, {} available{}
    = {}，可用 {}{}
    a prompt comes after --prompt
    = 提示要写在 --prompt 之后
    unexpected argument '{}'{}
    = 多余的参数“{}”{}
    Usage: firefly
    = 用法：firefly
    """#
}
