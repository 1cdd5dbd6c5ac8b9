extension Chinese {
  /// Rows of training data.
  static let rows = #"""
    max_seq_length leaves nothing to predict
    = max_seq_length 太小，没有可以预测的内容
    at least 2
    = 不小于 2
    tokenised rows
    = 分词后的数据
    Choose another folder with the key data_cache, or none with "data_cache": "off".
    = 请用键 data_cache 另选一个文件夹，或用 "data_cache": "off" 关闭缓存。
    the file is a plain text and holds no conversations
    = 该文件是纯文本，不含对话
    rows, .jsonl or .json
    = .jsonl 或 .json 数据文件
    Plain texts are trained on with "task_type": "pretrain".
    = 纯文本请用 "task_type": "pretrain" 训练。
    the file has no rows
    = 文件中没有数据
    one JSON object per line, or one list
    = 每行一个 JSON 对象，或一个列表
    the line is not valid UTF-8
    = 这一行不是有效的 UTF-8
    Save the file as UTF-8 (iconv -t UTF-8).
    = 请把文件存为 UTF-8（iconv -t UTF-8）。
    the row is not an object
    = 这一行不是对象
    preference pairs
    = 偏好对
    {} of {} rows chosen by what they hold
    = 按内容选出 {} 行，共 {} 行
    {} texts in {} blocks
    = {} 段文本，分为 {} 块
    {}, {} tokens, {} of them targets
    = {}，{} 个词元，其中 {} 个是训练目标
    {} at most
    = 最长 {}
    {} at {} %
    = {2} % 处为 {1}
    {} length: mean {}, {}
    = {}长度：平均 {}，{}
    tokens left over at the ends of groups of texts: {}
    = 各组文本末尾剩余的词元：{}
    row formats: {}
    = 数据格式：{}
    dropped, {}: {}
    = 丢弃，{}：{}
    truncated to {} tokens: {}; the longest row has {}
    = 截断到 {} 个词元：{}；最长的一行有 {} 个
    answers cut before their stop token: {}
    = 在停止词元之前被截断的回答：{}
    key that nothing reads, "{}": {}
    = 没有用到的键 "{}"：{}
    blank lines skipped: {}
    = 跳过的空行：{}
    the stored report is not one
    = 存储的报告无效
    no row is left to train on
    = 没有剩下可训练的数据
    no row is held out to evaluate on
    = 没有留出可评测的数据
    none of {} rows chosen
    = {} 行中一行也没有选中
    Lower val_size, or raise share.
    = 请减小 val_size，或增大 share。
    Raise val_size.
    = 请增大 val_size。
    Raise max_seq_length (now {}; the longest row has {} tokens).
    = 请增大 max_seq_length（现为 {}；最长的一行有 {} 个词元）。
    {}, lines {}
    = {}，第 {} 行
    the text is too long to be one
    = 文本太长，不能作为一段
    at most 1 GiB
    = 不超过 1 GiB
    Cut it into rows {"text": …} of a .jsonl file.
    = 请把它切分为 .jsonl 文件中的多行 {"text": …}。
    the file is not valid UTF-8
    = 文件不是有效的 UTF-8
    no memory to unpack the file
    = 内存不足，无法解压文件
    the packed file is damaged or cut off
    = 压缩文件已损坏或不完整
    a whole gzip file
    = 完整的 gzip 文件
    Make or download it again; gzip -t tests it.
    = 请重新生成或下载；gzip -t 可以检查它。
    a folder holds no conversations
    = 文件夹不能作为对话数据
    one file of rows, .jsonl, .json or .csv
    = 一个数据文件：.jsonl、.json 或 .csv
    Name its files: "train_file" may be a list.
    = 请写出其中的文件："train_file" 可以是列表。
    the folder has no texts
    = 文件夹中没有文本
    files named *{}
    = 名为 *{} 的文件
    the file is {}
    = 该文件是{}
    rows as .jsonl, .json, .csv or .tsv, packed by gzip or not
    = .jsonl、.json、.csv 或 .tsv 数据，可用 gzip 压缩
    Convert it: {}
    = 请转换它：{}
    a Parquet file
    = Parquet 文件
    an Arrow file
    = Arrow 文件
    an Arrow stream, as the datasets library keeps rows
    = Arrow 流，即 datasets 库保存数据的格式
    python3 -c "from datasets import Dataset; Dataset.from_file('FILE').to_json('rows.jsonl', \#
    force_ascii=False)"
    = python3 -c "from datasets import Dataset; Dataset.from_file('FILE').to_json('rows.jsonl', \#
    force_ascii=False)"
    a zip archive, or a spreadsheet (.xlsx)
    = zip 压缩包，或电子表格（.xlsx）
    unpack it (unzip), or save the sheet as CSV in UTF-8
    = 解压（unzip），或把工作表存为 UTF-8 的 CSV
    a spreadsheet of an old Excel
    = 旧版 Excel 的电子表格
    save the sheet as CSV in UTF-8
    = 把工作表存为 UTF-8 的 CSV
    packed by xz
    = xz 压缩文件
    packed by zstd
    = zstd 压缩文件
    packed by bzip2
    = bzip2 压缩文件
    a 7z archive
    = 7z 压缩包
    unpack it (7z x FILE)
    = 解压（7z x FILE）
    a data base of SQLite
    = SQLite 数据库
    a pickle of Python
    = Python 的 pickle 文件
    write its rows with json.dumps in the program that made it, one a line
    = 在生成它的程序中用 json.dumps 写出数据，每行一条
    text in UTF-32
    = UTF-32 文本
    text in UTF-16
    = UTF-16 文本
    a pointer to a file that Git LFS keeps
    = 指向 Git LFS 文件的指针
    git lfs pull, in the folder that it came with
    = 在它所在的文件夹中运行 git lfs pull
    a web page
    = 网页
    download the file itself, by the address behind "download" or "raw"
    = 下载文件本身，即“download”或“raw”背后的地址
    a PDF
    = PDF
    pdftotext FILE rows.txt, and train on plain texts
    = 先 pdftotext FILE rows.txt，再按纯文本训练
    expected "," or "]"
    = 应为“,”或“]”
    the list does not end
    = 列表没有结束
    something follows the list
    = 列表之后还有内容
    a row is missing
    = 缺少一行数据
    a string does not end
    = 字符串没有结束
    not valid JSON: {}
    = 不是有效的 JSON：{}
    a list of rows, […]
    = 数据列表，[…]
    the table is empty
    = 表格是空的
    a line with the names of the columns
    = 一行列名
    the table's fields are separated by another character
    = 表格的字段之间用了别的分隔符
    a tab
    = 制表符
    Save it with commas (.csv) or tabs (.tsv) between its fields.
    = 请以逗号（.csv）或制表符（.tsv）分隔字段保存。
    two columns have one name
    = 有两列同名
    Rename one of them.
    = 请重命名其中一列。
    the row has other columns than the table's header
    = 这一行的列数与表头不同
    {} fields
    = {} 个字段
    A field that holds a comma, a quote or a line break stands in quotes.
    = 含有逗号、引号或换行的字段要放在引号中。
    an object with "turn_1", "turn_2", …
    = 包含 "turn_1"、"turn_2"…… 的对象
    an object with "messages"
    = 含 "messages" 的对象
    a list of texts, questions and answers in turn
    = 文本的列表，问与答轮流
    Name its parts so, for example: jq -c '{conversation: [{human: .QUESTION, assistant: .ANSWER}]}'.
    = 请按此命名各部分，例如：jq -c '{conversation: [{human: .QUESTION, assistant: .ANSWER}]}'。
    at least one turn
    = 至少一轮
    as many messages as in "chosen", {}
    = 与 "chosen" 相同的消息数，{}
    an answer of a preference pair is marked as not to be learnt
    = 偏好对中的一个回答被标记为不学习
    Remove the row.
    = 请删除这一行。
    no answer within max_seq_length
    = max_seq_length 之内没有回答
    every answer is marked as not to be learnt
    = 所有回答都标记为不学习
    user and assistant do not alternate
    = user 与 assistant 没有交替出现
    an answer has neither text nor calls
    = 有回答既没有文本也没有调用
    tool messages are not supported in rows of this shape
    = 这种格式的数据不支持工具消息
    tool calls that this template has no place for
    = 此模板无法表示的工具调用
    the row has no shape that is known
    = 这一行的格式无法识别
    an empty object
    = 空对象
    [user text, assistant text]
    = [用户文本, 助手文本]
    an empty list
    = 空列表
    wrong "{}"
    = "{}" 不正确
    an object with "name" and "arguments"
    = 包含 "name" 和 "arguments" 的对象
    a call and the answer that it belongs to differ in whether they are learnt
    = 一次调用与它所属的回答，是否学习的标记不一致
    the JSON text of {"name": …, "arguments": …}, or of a list of such
    = {"name": …, "arguments": …} 或其列表的 JSON 文本
    a list of {"type": "function", "function": {"name": …, "arguments": …}}
    = {"type": "function", "function": {"name": …, "arguments": …}} 的列表
    false: only the assistant's messages are learnt
    = false：只学习 assistant 的消息
    "{}" and "{}" contradict each other
    = "{}" 与 "{}" 互相矛盾
    true or false, 1 or 0
    = true 或 false，1 或 0
    An answer counts in full or not at all.
    = 一个回答要么完整学习，要么不学习。
    answers that are to be avoided
    = 应当避免的回答
    parts of a message that are learnt
    = 只学习消息的一部分
    weights of messages but 0 and 1
    = 0 和 1 之外的消息权重
    answers that are continued
    = 需要续写的回答
    a key of several meanings ("loss": false leaves an answer out)
    = 有多种含义的键（"loss": false 使一个回答不参与训练）
    Remove the key, or the row.
    = 请删除这个键，或这一行。
    a list of objects
    = 对象的列表
    a list of objects, or its JSON text
    = 对象的列表，或它的 JSON 文本
    the row is no preference pair (its shape is "{}")
    = 这一行不是偏好对（其格式为 "{}"）
    "chosen" and "rejected"
    = "chosen" 和 "rejected"
    Conversations are trained on with "task_type": "sft".
    = 对话请用 "task_type": "sft" 训练。
    the row is a plain text, not a conversation
    = 这一行是纯文本，不是对话
    the row is a preference pair ("chosen" and "rejected"), which is for DPO
    = 这一行是偏好对（"chosen" 和 "rejected"），用于 DPO
    a conversation
    = 一段对话
    Pairs are trained on with "task_type": "dpo".
    = 偏好对请用 "task_type": "dpo" 训练。
    an answer is marked as not to be learnt, and "train_on_prompt" is true
    = 一个回答标记为不学习，而 "train_on_prompt" 为 true
    Remove the mark, or "train_on_prompt".
    = 请删除这个标记，或删除 "train_on_prompt"。
    the row is no plain text (its shape is "{}")
    = 这一行不是纯文本（其格式为 "{}"）
    {"text": …}
    = {"text": …}
    damaged data cache: {}
    = 数据缓存已损坏：{}
    made for other data
    = 它属于另外的数据
    sizes out of range
    = 大小超出范围
    sizes do not add up
    = 大小对不上
    wrong checksum
    = 校验和不符
    not a data cache
    = 不是数据缓存
    not a data cache of this version
    = 不是此版本的数据缓存
    damaged data cache: row {} is out of range
    = 数据缓存已损坏：第 {} 行超出范围
    damaged data cache: rows are missing
    = 数据缓存已损坏：缺少数据
    one row a line, or one list of rows
    = 每行一条数据，或一个数据列表
    a row takes several lines
    = 一条数据占了多行
    Write each on a line of its own: jq -c . {} > rows.jsonl
    = 请把每条数据写在一行上：jq -c . {} > rows.jsonl
    It holds columns: pandas writes rows with to_json(…, orient="records", lines=True).
    = 它按列存放：pandas 可用 to_json(…, orient="records", lines=True) 写成数据行。
    Its list "{}" may be the rows: jq -c '."{}"[]' {} > rows.jsonl
    = 其中的列表 "{}" 可能就是数据：jq -c '."{}"[]' {} > rows.jsonl
    If it is a row, write it on one line: jq -c . {} > rows.jsonl
    = 如果它是一条数据，请写在一行上：jq -c . {} > rows.jsonl
    the file is one JSON object
    = 该文件是单个 JSON 对象
    an object with {}{}
    = 含有{}{}的对象
    lines
    = 行
    line
    = 行
    lists of messages in "prompt" and "completion"
    = "prompt" 和 "completion" 中的消息列表
    A text with its answer is {"conversation": [{"human": …, "assistant": …}]}.
    = 带回答的文本写作 {"conversation": [{"human": …, "assistant": …}]}。
    key that nothing reads, "{}"
    = 没有用到的键 "{}"
    system text of the row, before which --system has no effect
    = 行自带系统文本，--system 对它不起作用
    """#
}
