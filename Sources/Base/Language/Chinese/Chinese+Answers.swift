extension Chinese {
  /// Generating answers, and formats of answers.
  static let answers = #"""
    {}, token {} of the answer
    = {}，回答的第 {} 个词元
    {}: do_sample has no effect: num_beams {} take the most likely answer
    = {}：do_sample 不起作用：num_beams {} 取最可能的回答
    {}: {} names token {}, which has no effect: the model has {} tokens
    = {}：{} 中的词元 {} 不起作用：模型只有 {} 个词元
    the prompt has no tokens
    = 提示中没有词元
    the prompt is too long for the model
    = 提示太长，超出模型的长度
    fewer than {} tokens
    = 少于 {} 个词元
    the prompt is as long as an answer may be with it, by the model's max_length
    = 按模型的 max_length，提示已经占满了连同回答在内的长度
    Say how many new tokens there may be.
    = 请说明可以生成多少个新词元。
    the prompt has a token that the model does not know
    = 提示中有模型不认识的词元
    ids below {}
    = 小于 {} 的 id
    no token
    = 没有词元
    The tokenizer and the weights do not belong together.
    = 分词器与权重不匹配。
    the format is too large
    = 格式太大
    at most {} places in it
    = 其中不超过 {} 个位置
    Leave out bounds of many hundreds (maxLength, maxItems), or parts.
    = 请去掉数百以上的界限（maxLength、maxItems），或去掉一部分。
    a part of the format is itself, with nothing around it
    = 格式的一部分就是它自身，外面没有其他内容
    Take the $ref out of the circle.
    = 请去掉循环的 $ref。
    parts of the format refer to others too many times
    = 格式各部分之间的引用次数太多
    the schema is too large
    = schema 太大
    at most {} parts
    = 不超过 {} 个部分
    the schema is nested too deep
    = schema 嵌套太深
    at most {} levels
    = 不超过 {} 层
    a schema
    = schema
    the name of a part of this schema, such as "#/$defs/Name"
    = 此 schema 中一个部分的名字，例如 "#/$defs/Name"
    the name of a part of this schema
    = 此 schema 中一个部分的名字
    "oneOf" is supported for parts of different types, or with a required member that tells them apart
    = "oneOf" 只支持类型不同、或由一个必需成员区分的各部分
    Use "anyOf".
    = 请使用 "anyOf"。
    the schema's keyword "{}" is not supported
    = 不支持 schema 的关键字 "{}"
    Leave it out, and check the answer for it.
    = 请去掉它，自行检查回答。
    a list of at least one value
    = 至少一个值的列表
    a list of at least one schema
    = 至少一个 schema 的列表
    Write them as one schema.
    = 请把它们写成一个 schema。
    the schema's "type" is missing
    = 缺少 schema 的 "type"
    {}, or a list of them
    = {}，或它们的列表
    a whole number of at least 0
    = 不小于 0 的整数
    the bound is too large
    = 界限太大
    {} is below {}
    = {} 小于 {}
    a list of names
    = 名字的列表
    a whole number of at most 15 digits
    = 不超过 15 位的整数
    no whole number is within the schema's bounds
    = schema 的界限之内没有整数
    {} of the schema has a wrong value
    = schema 的 {} 值不正确
    no token of the vocabulary leads on to a text of the format that was asked for
    = 词表中没有词元能接着写出所要求格式的文本
    Ask without it: this model's vocabulary cannot spell it.
    = 请不要使用这种格式：这个模型的词表拼不出它。
    a number from {} to {}
    = {} 到 {} 之间的数
    a whole number{}
    = 整数{}
    true, false or "never"
    = true、false 或 "never"
    a token id or a list of them
    = 一个词元 id 或其列表
    a list of lists of token ids
    = 词元 id 列表的列表
    a list of pairs of token ids and a number: [[[1, 2], -0.5]]
    = 词元 id 与数成对的列表：[[[1, 2], -0.5]]
    a whole number and a factor: [10, 1.05]
    = 一个整数和一个系数：[10, 1.05]
    a text or a list of texts
    = 一段文本或文本列表
    one JSON object a line
    = 每行一个 JSON 对象
    the row has no prompt
    = 这一行没有提示
    "prompt", "question", or a list "conversation" or "messages"
    = "prompt"、"question"，或列表 "conversation" 或 "messages"
    keys {}
    = 键 {}
    the row has no message of the user to answer
    = 这一行没有需要回答的 user 消息
    the row cannot be used
    = 这一行无法使用
    wrong value
    = 值不正确
    nothing
    = 什么也没有
    the model's logits are not finite numbers
    = 模型的 logits 不是有限数
    NaN
    = NaN
    The weights are damaged or overflow: try --precision float32, and 'firefly inspect' on the model.
    = 权重已损坏或溢出：请尝试 --precision float32，并用“firefly inspect”检查模型。
    what is forbidden leaves no token that may come next
    = 按所禁止的内容，没有词元可以接下去
    Remove some of suppress_tokens, bad_words_ids or no_repeat_ngram_size (the model's generation_config.json has \#
    them), or of a request's bad_words, min_tokens or allowed_token_ids.
    = 请去掉一部分 suppress_tokens、bad_words_ids 或 no_repeat_ngram_size（在模型的 generation_config.json \#
    中），或请求的 bad_words、min_tokens、allowed_token_ids。
    the schemas that must hold together are too large
    = 必须同时成立的 schema 太大
    minItems is more than the schema's items
    = minItems 多于 schema 的元素
    "required" names a member that "additionalProperties" leaves out
    = "required" 中有 "additionalProperties" 所排除的成员
    so many groups within groups
    = 层数这么多的嵌套分组
    $ before the end
    = 结尾之前的 $
    {} twice
    = 两次 {}
    a group without an end
    = 没有结束的分组
    a set without an end
    = 没有结束的字符集
    half a character
    = 半个字符
    what is no character
    = 不是字符的内容
    no text is of the format
    = 没有文本符合这种格式
    Take out what excludes the rest of it.
    = 请去掉其中与其余部分相互排斥的内容。
    the expression has a part that is not supported
    = 正则表达式中有不支持的部分
    the schema's "pattern" has a part that is not supported
    = schema 的 "pattern" 中有不支持的部分
    The schema's "{}": "{}" is not held to (at {}).
    = 不强制 schema 的 "{}": "{}"（位于 {}）。
    a number of at most 15 digits before the point and 16 behind it
    = 小数点前不超过 15 位、后不超过 16 位的数
    no number is within the schema's bounds
    = schema 的界限之内没有数
    a part of the schema is itself, with nothing around it
    = schema 的一部分就是它自身，外面没有其他内容
    a bound
    = 界限
    schemas that must hold together are of different types
    = 必须同时成立的 schema 类型不同
    "{}" of schemas that must hold together ("allOf") is not supported where they differ
    = 必须同时成立（"allOf"）的 schema 之间不支持不同的 "{}"
    keywords that must hold together make the format too large
    = 必须同时成立的关键字使格式太大
    at most {} values beside other keywords
    = 与其他关键字并列时至多 {} 个取值
    at most {} states
    = 至多 {} 个状态
    Leave one of them out, and check the answer for it.
    = 请去掉其中一个，自行检查回答。
    "uniqueItems" is supported for items of an "enum", and for at most one item
    = "uniqueItems" 只支持取自 "enum" 的元素，或至多一个元素
    "minProperties" is supported for members that are listed and one more
    = "minProperties" 只支持已列出的成员，以及另外一个
    List members in "properties", or leave it out, and check the answer for it.
    = 请在 "properties" 中列出成员，或去掉它，自行检查回答。
    "patternProperties" is supported with at most 4 patterns
    = "patternProperties" 最多支持 4 个模式
    "propertyNames" is supported with values alone, or with keywords of strings
    = "propertyNames" 只支持单独的取值，或字符串的关键字
    no value is of the schema
    = 没有值符合 schema
    "not" with lists or objects as values is not supported
    = 不支持以列表或对象为值的 "not"
    "multipleOf" has too many digits
    = "multipleOf" 位数太多
    at most {} of its last decimal place
    = 按其最后一位小数计至多 {}
    "{}" beside lists or objects as values is not supported
    = 不支持 "{}" 与作为取值的列表或对象并列
    at most 20 levels of "not"
    = "not" 至多 20 层
    "{}" within "not" or "if" is not supported
    = 不支持 "not" 或 "if" 中的 "{}"
    none of the schema's values is of its other keywords
    = schema 列出的值都不符合它的其他关键字
    values that must hold together are different
    = 必须同时成立的取值不同
    "not" of the schema leaves no value
    = schema 的 "not" 没有留下任何值
    false of the schema allows no value
    = schema 的 false 不允许任何值
    minItems is more than there are different items
    = minItems 多于不同元素的个数
    maxContains is below minContains
    = maxContains 小于 minContains
    an object, true or false
    = 对象、true 或 false
    a number above 0 of at most 15 digits before the point and 16 behind it
    = 大于 0、小数点前不超过 15 位、后不超过 16 位的数
    the model's embeddings are pooled in a way that is not supported
    = 模型的嵌入使用了不支持的汇总方式
    the mean or the last token
    = 取平均或最后一个词元
    Choose one: --pooling mean or --pooling last.
    = 请选择 --pooling mean 或 --pooling last。
    """#
}
