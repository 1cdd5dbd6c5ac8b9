/// The Chinese catalogue, split by what a text is about.
///
/// A text stands on one line, its translation on the next one, behind `= `. `{}` is what changes from time to time; a
/// translation that needs the places in another order numbers them, `{2}`. Texts stand without the spaces, commas,
/// semicolons and brackets around them. tools/wording/check.py compares the catalogue with the sources.
enum Chinese {
  static let tables = [
    files, console, verbsToExport, verbsFromGenerate, hub, gguf, ggufOut, weights, models, rows, tokenizers,
    jinja,
    answers, conversion, evaluation, configKeys, config, training, ranks, system,
  ]

  /// What the C library says, which stands in no source here.
  static let system = #"""
    No such file or directory
    = 没有那个文件或目录
    Permission denied
    = 权限不够
    Operation not permitted
    = 不允许的操作
    Is a directory
    = 是一个目录
    Not a directory
    = 不是目录
    File exists
    = 文件已存在
    File name too long
    = 文件名过长
    File too large
    = 文件过大
    No space left on device
    = 设备上没有空间
    Disk quota exceeded
    = 超出磁盘限额
    Read-only file system
    = 只读文件系统
    Too many open files
    = 打开的文件过多
    Too many levels of symbolic links
    = 符号链接的层数过多
    Input/output error
    = 输入/输出错误
    Cannot allocate memory
    = 无法分配内存
    Invalid argument
    = 无效的参数
    Address already in use
    = 地址已在使用
    Cannot assign requested address
    = 无法使用所要求的地址
    Name or service not known
    = 未知的名称或服务
    Connection refused
    = 连接被拒绝
    Broken pipe
    = 断开的管道
    """#
}
