extension Chinese {
  /// Chat templates in Jinja.
  static let jinja = #"""
    {} gets too many arguments
    = {} 的参数太多
    {} has no argument "{}"
    = {} 没有参数 "{}"
    {} gets the argument "{}" twice
    = {} 的参数 "{}" 给了两次
    {} needs the argument "{}"
    = {} 需要参数 "{}"
    wrong argument "{}"
    = 参数 "{}" 不正确
    there is no first item
    = 没有第一项
    there is no last item
    = 没有最后一项
    items needs a dictionary
    = items 需要字典
    batch needs a number above 0
    = batch 需要大于 0 的数
    a value of type {} has no length
    = {} 类型的值没有长度
    map needs a filter or attribute=
    = map 需要过滤器或 attribute=
    selectattr needs an attribute
    = selectattr 需要一个属性
    dictsort needs a dictionary
    = dictsort 需要字典
    dictsort orders by "key" or "value"
    = dictsort 按 "key" 或 "value" 排序
    there is no item
    = 没有元素
    abs needs a number
    = abs 需要一个数
    the filter
    = 过滤器
    indent needs a string
    = indent 需要字符串
    round needs a number
    = round 需要一个数
    round's precision is out of range
    = round 的精度超出范围
    round knows no method "{}"
    = round 没有方法 "{}"
    common, ceil or floor
    = common、ceil 或 floor
    tojson's separators are two strings
    = tojson 的 separators 是两个字符串
    dict() needs a dictionary
    = dict() 需要字典
    the chat template refuses this conversation: {}
    = 聊天模板拒绝这段对话：{}
    range() needs whole numbers
    = range() 需要整数
    range() needs one to three numbers
    = range() 需要一到三个数
    range()'s step cannot be 0
    = range() 的步长不能为 0
    range() is too long
    = range() 太长
    at most {} numbers
    = 不超过 {} 个数
    "{}" is undefined
    = "{}" 未定义
    the condition does not hold and there is no else
    = 条件不成立，又没有 else
    the chat template calls what is not there: {}
    = 聊天模板调用了不存在的内容：{}
    the chat template calls a value of type {}
    = 聊天模板调用了 {} 类型的值
    the chat template uses the filter "{}", which is not supported
    = 聊天模板用了不支持的过滤器 "{}"
    the chat template uses the test "{}", which is not supported
    = 聊天模板用了不支持的测试 "{}"
    the chat template makes too large a value
    = 聊天模板产生的值太大
    at most {} members
    = 不超过 {} 个成员
    {} has no items: it is of type {}
    = {} 没有元素：它是 {} 类型
    the chat template makes a value that is nested too deeply
    = 聊天模板产生的值嵌套太深
    the chat template does not end
    = 聊天模板没有结束
    at most {} steps
    = 不超过 {} 步
    the chat template is nested too deeply
    = 聊天模板嵌套太深
    the chat template makes too long a text
    = 聊天模板产生的文本太长
    {% generation %} inside a macro or a set block is not supported
    = 不支持宏或 set 块中的 {% generation %}
    the loop's sequence
    = 循环的序列
    cannot set {}.{}: only a namespace has members to set
    = 无法设置 {}.{}：只有 namespace 的成员可以设置
    the value to unpack
    = 要拆分的值
    cannot unpack {} values into {} names
    = 无法把 {} 个值拆分给 {} 个名字
    the tag does not end
    = 标签没有结束
    unexpected character "{}" in a tag
    = 标签中有意外的字符“{}”
    the number {} is not supported
    = 不支持数 {}
    the string does not end
    = 字符串没有结束
    not an escape: \{}{}
    = 不是转义：\{}{}
    the comment does not end
    = 注释没有结束
    expected #}
    = 应为 #}
    the raw block does not end
    = raw 块没有结束
    expected {% endraw %}
    = 应为 {% endraw %}
    the chat template is not understood: {}
    = 无法理解聊天模板：{}
    there is no previous item
    = 没有前一项
    there is no next item
    = 没有后一项
    cannot take .{}: {}
    = 无法取 .{}：{}
    a value of type {} has no member "{}"
    = {} 类型的值没有成员 "{}"
    a value of type {} has no member {}
    = {} 类型的值没有成员 {}
    cannot take a member: {}
    = 无法取成员：{}
    a slice's step cannot be 0
    = 切片的步长不能为 0
    cannot take a slice: {}
    = 无法取切片：{}
    a value of type {} has no slices
    = {} 类型的值没有切片
    a slice's bounds are whole numbers
    = 切片的界限是整数
    the value is not in the list
    = 该值不在列表中
    a template must not change a {}: .{}() is refused, as in transformers
    = 模板不得改动{}：拒绝 .{}()，与 transformers 相同
    cannot apply "{}": {}
    = 无法使用“{}”：{}
    cannot apply "{}" to values of type {} and {}
    = 无法对 {2} 和 {3} 类型的值使用“{1}”
    division by zero
    = 除数为零
    cannot apply "{}" to a value of type {}
    = 无法对 {2} 类型的值使用“{1}”
    cannot compare: {}
    = 无法比较：{}
    values of type {} and {} have no order
    = {} 和 {} 类型的值没有大小顺序
    only a string can be in a string
    = 字符串中只能包含字符串
    nothing can be in a value of type {}
    = {} 类型的值不能包含任何内容
    more than {} operators follow each other
    = 连续的运算符超过 {} 个
    a filter's name
    = 过滤器的名字
    a test's name
    = 测试的名字
    tests cannot follow each other with "is"
    = 不能用 "is" 连续测试
    a member's name
    = 成员的名字
    an index
    = 下标
    * and ** before an argument are not supported
    = 不支持参数前的 * 和 **
    an argument without a name follows one with a name
    = 没有名字的参数位于有名字的参数之后
    a value
    = 一个值
    the end of the template
    = 模板的结尾
    it is nested more than {} deep
    = 嵌套超过 {} 层
    the string '{}'
    = 字符串“{}”
    the end
    = 结尾
    the name of a tag
    = 标签的名字
    the chat template uses the tag "{}", which is not supported
    = 聊天模板用了不支持的标签 "{}"
    Name one of the templates that come with Firefly instead of "auto".
    = 请指定 Firefly 自带的一个模板，不用 "auto"。
    a tag
    = 标签
    recursive loops are not supported
    = 不支持递归循环
    the macro's name
    = 宏的名字
    {% call %} without a call
    = {% call %} 中没有调用
    a parameter
    = 参数
    a name to set
    = 要设置的名字
    the format ends in the middle of a conversion
    = 格式在转换说明的中间结束
    the format has a single brace
    = 格式中有单独的花括号
    the format "{{}}" is not supported
    = 不支持格式 "{{}}"
    the format needs more values
    = 格式需要更多的值
    the format needs a dictionary with "{}"
    = 格式需要一个含有 "{}" 的字典
    unique cannot tell values of type {} apart
    = unique 无法区分 {} 类型的值
    there is no number: {}
    = 这里没有数：{}
    no key can be a value of type {}
    = {} 类型的值不能作键
    the format needs fewer values
    = 格式需要更少的值
    the format "%{}" is not supported for a value of type {}
    = 不支持对 {2} 类型的值使用格式 "%{1}"
    the test
    = 测试
    substring not found
    = 没有找到子串
    join needs strings
    = join 需要字符串
    strip needs a string
    = strip 需要字符串
    expected a string
    = 应为字符串
    cannot split at an empty string
    = 不能按空字符串切分
    tojson cannot write a value of type {}
    = tojson 无法写出 {} 类型的值
    tojson cannot write a key of type {}
    = tojson 无法写出 {} 类型的键
    """#
}
