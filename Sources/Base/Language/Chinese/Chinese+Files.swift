extension Chinese {
  /// Files, JSON and keys.
  static let files = #"""
    cannot rename the finished file
    = 无法为写好的文件改名
    cannot move the old folder aside
    = 无法移开原有的文件夹
    cannot rename the finished folder
    = 无法为写好的文件夹改名
    cannot make the folder: {}
    = 无法创建文件夹：{}
    Choose a folder that you may write to.
    = 请选择一个可以写入的文件夹。
    cannot open the folder
    = 无法打开文件夹
    cannot synchronise the folder
    = 无法同步文件夹
    Free disk space, or choose another place.
    = 请清理磁盘，或换一个位置。
    Choose a place that you may write to.
    = 请选择一个可以写入的位置。
    cannot write the file
    = 无法写入文件
    cannot write a temporary file for {}
    = 无法为 {} 写临时文件
    cannot write {} bytes: {}
    = 无法写入 {} 字节：{}
    the table is not valid UTF-8
    = 表格不是有效的 UTF-8
    Save it as UTF-8 (iconv -t UTF-8).
    = 请存为 UTF-8（iconv -t UTF-8）。
    a quoted field does not end
    = 带引号的字段没有结束
    a closing quote before the file's end
    = 文件结束之前的右引号
    expected {}, found {}
    = 应为 {}，实际为 {}
    expected {}
    = 应为 {}
    found {}
    = 实际为 {}
    bytes that are not UTF-8
    = 不是 UTF-8 的字节
    the end of the text
    = 文本在此结束
    lists or objects nested too deep
    = 列表或对象嵌套太深
    a number out of range
    = 超出范围的数
    a control character in a string
    = 字符串中的控制字符
    the end of the text inside a string
    = 文本在字符串中间结束
    an unknown escape
    = 未知的转义
    half of a surrogate pair
    = 半个代理对
    an escape without four hexadecimal digits
    = 没有四位十六进制数字的转义
    not valid JSON: {} in column {}
    = 不是有效的 JSON：第 {2} 列，{1}
    not valid JSON: {} in line {}, column {}
    = 不是有效的 JSON：第 {2} 行第 {3} 列，{1}
    an unexpected byte
    = 意外的字节
    an unexpected byte {}
    = 意外的字节 {}
    unexpected "{}"
    = 意外的 "{}"
    the file is empty
    = 文件是空的
    JSON
    = JSON
    a boolean
    = 布尔值
    a number
    = 数
    a string
    = 字符串
    a list
    = 列表
    an object
    = 对象
    a whole number
    = 整数
    the number is too large
    = 数太大
    at most {}
    = 不超过 {}
    must be positive
    = 必须为正
    true or false
    = true 或 false
    a list of numbers
    = 数的列表
    a list of whole numbers
    = 整数的列表
    a list of strings
    = 字符串的列表
    missing key
    = 缺少键
    unsupported value
    = 不支持的值
    none
    = 无
    wrong type
    = 类型不对
    {} is not supported and has no effect (found {})
    = 不支持 {}，它不起作用（实际为 {}）
    an unknown key that may change the result
    = 未知的键，可能影响结果
    Say it in rope_parameters, for full_attention and for sliding_attention.
    = 请写在 rope_parameters 中，分别给出 full_attention 与 sliding_attention 的值。
    Remove it if you know that it does not.
    = 如果确知它没有影响，请删除它。
    the chat template does not ask for these variables, which have no effect: {}
    = 对话模板没有用到这些变量，它们不起作用：{}
    special tokens that the vocabulary does not have are left out, where transformers adds them: {}
    = 词表中没有的特殊词元会被略去（transformers 会添加它们）：{}
    the environment's {} is not known and has no effect
    = 环境变量 {} 未知，不起作用
    the environment's {} is not known and has no effect; did you mean {}?
    = 环境变量 {} 未知，不起作用；是否想写 {}？
    FIREFLY_LANG is "{}", for which English is spoken: there are en and zh
    = FIREFLY_LANG 为“{}”，因此使用英文：可用的是 en 与 zh
    {}: keys that are not known and have no effect: {}
    = {}：以下键未知，不起作用：{}
    the file has become shorter while it was in use
    = 文件在使用中变短了
    Bring it back and start again. To replace a file that is in use, rename another one to its name.
    = 请恢复它并重新开始。要替换正在使用的文件，请把另一个文件改名为它的名字。
    cannot open the file: {}
    = 无法打开文件：{}
    not a plain file
    = 不是普通文件
    cannot map the file: {}
    = 无法映射文件：{}
    the index lacks weight_map
    = 索引缺少 weight_map
    an object of tensor names and files
    = 由张量名和文件组成的对象
    a file name in weight_map is wrong
    = weight_map 中有不正确的文件名
    the name of a file in the same folder
    = 同一文件夹中的文件名
    FIREFLY_THREADS is "{}": expected a number from 1 to 1024
    = FIREFLY_THREADS 为“{}”：应为 1 到 1024 之间的数
    {} min {} s
    = {} 分 {} 秒
    {} h {} min
    = {} 小时 {} 分
    not a regular expression: {} at byte {}
    = 不是正则表达式：{}，位于第 {} 字节
    unsupported regular expression: a repetition without a lower bound, or "[:"
    = 不支持的正则表达式：没有下限的重复，或“[:”
    Write {0,3} for {,3}.
    = 请把 {,3} 写成 {0,3}。
    a key that differs from another only in its Unicode form
    = 与另一个键只有 Unicode 形式不同的键
    cannot match the text with a regular expression: {}
    = 无法用正则表达式匹配文本：{}
    Shorten the text's longest run without spaces.
    = 请缩短文本中最长的无空格片段。
    a folder
    = 文件夹
    """#
}
