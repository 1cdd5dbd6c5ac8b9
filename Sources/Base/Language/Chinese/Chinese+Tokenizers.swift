extension Chinese {
  /// Tokenizers and templates.
  static let tokenizers = #"""
    it lies behind the message that follows it
    = 它位于其后的消息之后
    its text is not written as it is
    = 它的文本没有原样写出
    neither it nor the message before it is written as it is
    = 它和它前面的消息都没有原样写出
    it stands before its question
    = 它位于其问题之前
    cannot find an answer in what the model's own chat template writes: {}
    = 在模型自带聊天模板的输出中找不到一个回答：{}
    Choose a template by name instead of "auto".
    = 请指定一个模板的名字，不用 "auto"。
    the message does not fit into the context, even alone
    = 即使单独一条，这条消息也放不进上下文
    at most {} tokens
    = 不超过 {} 个词元
    {} tokens
    = {} 个词元
    Shorten it, or allow fewer new tokens.
    = 请缩短它，或减少新词元的上限。
    unknown template "{}"
    = 未知的模板 "{}"
    {}Known templates: {}.
    = {}已知的模板：{}。
    the model brings no chat template of its own
    = 模型没有自带聊天模板
    chat_template in tokenizer_config.json, chat_template.jinja, or tokenizer.chat_template in a GGUF file
    = tokenizer_config.json 中的 chat_template、chat_template.jinja，或 GGUF 文件中的 \#
    tokenizer.chat_template
    Name one: {}.
    = 请指定一个：{}。
    an end-of-sequence token
    = 序列结束词元
    "{}" is no variable of the template's own
    = "{}" 不是模板自己的变量
    template "{}" has no variables
    = 模板 "{}" 没有变量
    Use the model's own template, "auto".
    = 请使用模型自带的模板，"auto"。
    system text that this template has no place for
    = 此模板无法表示的系统提示
    tools that this template has no place for
    = 此模板无法表示的工具
    answers whose reasoning this template leaves out
    = 有思考内容的回答，而此模板略去思考
    answers whose text this template leaves out beside their calls
    = 调用之外还有文本的回答，而此模板略去文本
    template "{}" needs {}, and this tokenizer has none
    = 模板 "{}" 需要{}，而这个分词器没有
    {}_token
    = {}_token
    Choose a template made for this model, or name its {}_token in tokenizer_config.json.
    = 请选择为此模型而设的模板，或在 tokenizer_config.json 中写明 {}_token。
    there is no message to answer
    = 没有需要回答的消息
    a message with role "user" at the end
    = 末尾是 role 为 "user" 的消息
    the last message must be the user's
    = 最后一条消息必须来自 user
    the model's own chat template writes no token that ends an answer: a model trained with it does not \#
    learn to stop. Choose a template by name ("default" fits any base model).
    = 模型自带的聊天模板没有写出结束回答的词元：用它训练的模型学不会停止。请指定一个模板的名字（"default" \#
    适用于任何基础模型）。
    a begin-of-sequence token
    = 序列开始词元
    template "{}" needs the token {}, and this tokenizer has none
    = 模板 "{}" 需要词元 {}，而这个分词器没有
    Choose a template made for this model.
    = 请选择为此模型而设的模板。
    template "{}" has no place for tools
    = 模板 "{}" 无法表示工具
    messages must be the user's and the assistant's in turn
    = 消息必须由 user 与 assistant 交替发出
    role "{}"
    = role "{}"
    template "{}" ends an answer with {}, which is not a token of this tokenizer: chat will not stop \#
    there. Choose a template made for this model ("default" fits any base model).
    = 模板 "{}" 以 {} 结束回答，而它不是这个分词器的词元：聊天时不会在那里停止。请选择为此模型而设的模板（\#
    "default" 适用于任何基础模型）。
    too many tokens
    = 词元太多
    unsupported tokenizer model
    = 不支持的分词器模型
    gpt2 or llama
    = gpt2 或 llama
    a special token's id is out of range
    = 特殊词元的 id 超出范围
    unsupported pre-tokenizer
    = 不支持的预分词器
    one score a token is needed
    = 每个词元需要一个分数
    a score is not a number
    = 有一个分数不是数
    no GGUF vocabulary can be made of this SentencePiece model
    = 无法由这个 SentencePiece 模型得到 GGUF 词表
    BPE
    = BPE
    a SentencePiece model
    = SentencePiece 模型
    two pieces are equal
    = 有两个相同的词片
    not a SentencePiece model
    = 不是 SentencePiece 模型
    unsupported type of piece
    = 不支持的词片类型
    unsupported type of model
    = 不支持的模型类型
    unsupported: a map for decoded text (denormalizer_spec)
    = 不支持：用于解码文本的映射（denormalizer_spec）
    no pieces
    = 没有词片
    too many pieces
    = 词片太多
    unsupported SentencePiece model
    = 不支持的 SentencePiece 模型
    bpe or unigram
    = bpe 或 unigram
    the piece is empty, not UTF-8 or without a score
    = 词片为空、不是 UTF-8 或没有分数
    piece {}
    = 第 {} 个词片
    a model needs exactly one piece for unknown text
    = 模型恰好需要一个表示未知文本的词片
    tokens and their ranks
    = 词元及其次序
    not a token and its rank
    = 不是词元及其次序
    base64 and {}
    = base64 和 {}
    not a token id
    = 不是词元 id
    no chat template is named "default"
    = 没有名为 "default" 的聊天模板
    a key is missing
    = 缺少一个键
    "vocab"
    = "vocab"
    token id out of range
    = 词元 id 超出范围
    tokenizer model
    = 分词器模型
    BPE, Unigram, WordPiece or WordLevel
    = BPE、Unigram、WordPiece 或 WordLevel
    unsupported: merges left out at random
    = 不支持：随机略去合并
    null or 0
    = null 或 0
    "merges"
    = "merges"
    a list of tokens with scores
    = 带分数的词元列表
    a token and its score
    = 一个词元及其分数
    Sequence, NFC, NFD, NFKC, NFKD, Lowercase, StripAccents, Strip, Prepend, Replace, Precompiled, Nmt, \#
    BertNormalizer or ByteLevel
    = Sequence、NFC、NFD、NFKC、NFKD、Lowercase、StripAccents、Strip、Prepend、Replace、Precompiled、Nmt、\#
    BertNormalizer 或 ByteLevel
    not base64
    = 不是 base64
    length out of range
    = 长度超出范围
    Sequence, ByteLevel, Digits, Split, Metaspace, Whitespace, WhitespaceSplit, Punctuation, \#
    BertPreTokenizer, CharDelimiterSplit or FixedLength
    = Sequence、ByteLevel、Digits、Split、Metaspace、Whitespace、WhitespaceSplit、Punctuation、\#
    BertPreTokenizer、CharDelimiterSplit 或 FixedLength
    split behavior
    = 切分方式
    Removed, Isolated, Contiguous or MergedWith…
    = Removed、Isolated、Contiguous 或 MergedWith…
    prepend scheme
    = 前缀方式
    always, first or never
    = always、first 或 never
    decoder beside ByteLevel
    = 与 ByteLevel 并列的解码器
    ByteLevel, and Fuse behind it
    = ByteLevel，其后可有 Fuse
    the pattern is empty
    = 模式为空
    the content is empty
    = 内容为空
    Sequence, ByteLevel, Replace, ByteFallback, Fuse, Strip, Metaspace, WordPiece or BPEDecoder
    = Sequence、ByteLevel、Replace、ByteFallback、Fuse、Strip、Metaspace、WordPiece 或 BPEDecoder
    tokenizer_config.json: {} has no effect beside tokenizer.json, whose post-processor says otherwise \#
    (found {})
    = tokenizer_config.json：有 tokenizer.json 时 {} 不起作用，其 post-processor 另有规定（实际为 {}）
    Sequence, ByteLevel, TemplateProcessing, BertProcessing or RobertaProcessing
    = Sequence、ByteLevel、TemplateProcessing、BertProcessing 或 RobertaProcessing
    a token and its id
    = 一个词元及其 id
    a template's token has no id
    = 模板中的词元没有 id
    unsupported key
    = 不支持的键
    unsupported {} "{}"
    = 不支持的{} "{}"
    there is no such file or folder
    = 没有这个文件或文件夹
    a tokenizer
    = 分词器
    the folder has no tokenizer
    = 文件夹中没有分词器
    Copy the tokenizer files of the base model into it.
    = 请把基础模型的分词器文件复制进去。
    the normalisation map is broken
    = 规范化映射已损坏
    not a merge
    = 不是一条合并规则
    "left right"
    = "left right"
    an empty token
    = 空词元
    a merge names a token that is not in the vocabulary
    = 一条合并规则用到了词表中没有的词元
    "left right" or two strings
    = "left right" 或两个字符串
    byte tokens are missing
    = 缺少字节词元
    the tokenizer's normalizer makes too long a text
    = 分词器的规范化器产生的文本太长
    at most {} bytes
    = 不超过 {} 字节
    the group "(?{}"
    = 分组“(?{}”
    a backslash at the end
    = 末尾的反斜杠
    more than {} brackets within each other
    = 超过 {} 层的嵌套括号
    a group without its end
    = 没有结束的分组
    a bracket ")" without its opening one
    = 没有左括号的“)”
    a repetition of nothing
    = 前面没有内容的重复
    the repetition "{{},{}}"
    = 重复“{{},{}}”
    a class that has no end
    = 没有结束的字符类
    an empty class
    = 空的字符类
    a range that ends with a class
    = 以字符类结尾的范围
    the class "[:{}:]"
    = 字符类“[:{}:]”
    the escape "\{}"
    = 转义“\{}”
    {} without braces
    = 不带花括号的 {}
    an escape without {} hexadecimal digits
    = 没有 {} 位十六进制数字的转义
    unsupported regular expression: {}
    = 不支持的正则表达式：{}
    the vocabulary has no token for a character and none for unknown text
    = 词表中既没有某个字符的词元，也没有表示未知文本的词元
    the tokenizer's normalizer leaves nothing of an added token
    = 分词器的 normalizer 使某个附加词元变为空
    Set "normalized" to false for it in tokenizer.json.
    = 请在 tokenizer.json 中把它的 "normalized" 设为 false。
    unsupported: two post-processors that add tokens
    = 不支持：两个添加词元的 post-processor
    a template must have the text once
    = 模板中文本必须恰好出现一次
    tokenizer.json: ids of added tokens are not those that follow the vocabulary; they are counted as tokenizers does, from "{}" on ({}, found {})
    = tokenizer.json：附加词元的 id 不是紧接词表的 id；从“{}”起按 tokenizers 的方式编号（{}，文件中为 {}）
    the vocabulary has no token for a word and none for unknown text
    = 词表中既没有某个词的词元，也没有表示未知文本的词元
    a call
    = 调用
    there is no answer to go on with
    = 没有可以续写的回答
    a message with role "assistant" at the end
    = 末尾是 role 为 "assistant" 的消息
    has no text
    = 没有文本
    calls a tool
    = 调用了工具
    the last answer cannot be gone on with: it {}
    = 最后一个回答无法续写：它{}
    names of speakers that this template leaves out
    = 此模板略去的发言者名字
    the last answer cannot be gone on with: the chat template does not write its text as it is
    = 最后一个回答无法续写：聊天模板没有原样写出它的文本
    Leave it out, or send the text without its reasoning.
    = 请去掉它，或发送不带思考内容的文本。
    a message with role "user" before the answer
    = 回答之前是 role 为 "user" 的消息
    transformers makes a tokenizer.json of vocab.json and merges.txt: \#
    AutoTokenizer.from_pretrained("{}").save_pretrained("{}").
    = transformers 可由 vocab.json 和 merges.txt 得到 tokenizer.json：\#
    AutoTokenizer.from_pretrained("{}").save_pretrained("{}")。
    vocab.json
    = vocab.json
    """#
}
