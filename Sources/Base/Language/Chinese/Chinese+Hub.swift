extension Chinese {
  /// Downloads and the models of this machine.
  static let hub = #"""
    the cache cannot hold links: {}
    = 缓存所在的文件系统不支持链接：{}
    Choose a cache on another file system (HF_HUB_CACHE), or a plain folder (--to).
    = 请把缓存放到另一个文件系统（HF_HUB_CACHE），或用普通文件夹（--to）。
    cannot make the link
    = 无法创建链接
    another file of this name is there
    = 已有同名的另一个文件
    the hub's, of {} bytes
    = 模型仓库中的文件，{} 字节
    one of {} bytes
    = {} 字节的文件
    Remove it, or choose another folder.
    = 请删除它，或另选一个文件夹。
    the model's index names shards that the repository has not
    = 模型的索引列出了仓库中没有的分片
    Its owner must mend it.
    = 只有模型的作者才能修正。
    the model has no GGUF files
    = 模型没有 GGUF 文件
    no GGUF file of the model is called so
    = 模型没有叫这个名字的 GGUF 文件
    the model comes as several GGUF files
    = 模型有多个 GGUF 文件
    Say which: firefly download {} --gguf {}; a pattern such as '*Q4_K_M*' will do.
    = 请指定一个：firefly download {} --gguf {}；也可以用“*Q4_K_M*”这样的模式。
    the repository has no weights that Firefly reads
    = 仓库中没有 Firefly 能读取的权重
    {} and {}; an adapter; or GGUF files
    = {} 和 {}；适配器；或 GGUF 文件
    no files
    = 没有文件
    … ({} files)
    = ……（{} 个文件）
    the server sends another part of the file than was asked for
    = 服务器发来的不是所要求的那一段
    from byte {}
    = 从第 {} 字节起
    cannot make the lock
    = 无法创建锁
    the download breaks off again and again: {}
    = 下载一再中断：{}
    {} of {}, which are kept
    = 已有 {}（共 {}），会保留
    Try again later: the same command goes on from there. HF_ENDPOINT names a mirror.
    = 请稍后再试：同一条命令会接着下载。可以用 HF_ENDPOINT 指定镜像站。
    the hub tells no hash of {}: only its size was checked
    = 服务器没有给出 {} 的哈希值：只核对了大小
    the file is damaged on its way: its hash is not the hub's
    = 文件在传输中损坏：哈希值与服务器给出的不符
    Try again; if it happens again, try another HF_ENDPOINT.
    = 请重试；如果仍然如此，换一个 HF_ENDPOINT。
    cannot read the file
    = 无法读取文件
    cannot remove the file
    = 无法删除文件
    the file is not the one that the hub lists
    = 该文件不是服务器所列的那个
    Try again later, or without HF_ENDPOINT if a mirror is set.
    = 请稍后再试；如果设置了镜像站，可去掉 HF_ENDPOINT 再试。
    the weights ({}, or an index and its shards)
    = 权重（{}，或索引及其分片）
    main
    = main
    the model is on this machine, but not its revision {}
    = 本机有这个模型，但没有它的修订版本 {}
    Fetch it: {}, or name one that is there: {}@REVISION.
    = 请下载：{}，或使用本机已有的版本：{}@REVISION。
    the model is not completely on this machine: {} missing: {}
    = 本机的这个模型不完整：缺少 {}：{}
    Fetch what is missing: {}.
    = 请下载缺少的文件：{}。
    adapter
    = 适配器
    model
    = 模型
    the {} is not on this machine
    = 本机没有这个{}
    nor at
    = 也不在
    nothing {}
    = {} 处没有
    Fetch it: firefly download {}. What {}, has fetched is found too; HF_HOME, HF_HUB_CACHE and \#
    MODELSCOPE_CACHE say where.
    = 请下载：firefly download {}。也会使用{}已下载的内容；位置由 HF_HOME、HF_HUB_CACHE 和 \#
    MODELSCOPE_CACHE 决定。
    there is no such model
    = 没有这个模型
    a Hugging Face folder, a .gguf file
    = Hugging Face 文件夹、.gguf 文件
    there is no such adapter
    = 没有这个适配器
    a PEFT folder
    = PEFT 文件夹
    a model, an adapter, a weights file
    = 模型、适配器、权重文件
    {}, or a model's name on a hub such as Org/Name
    = {}，或 Org/Name 这样的模型名
    Models by name are fetched with: firefly download Org/Name.
    = 按名字下载模型：firefly download Org/Name。
    the model has several GGUF files
    = 模型有多个 GGUF 文件
    Name one: {}/{}{}.
    = 请指定一个：{}/{}{}。
    no network is to be used: HF_HUB_OFFLINE is set
    = 设置了 HF_HUB_OFFLINE，不使用网络
    Unset HF_HUB_OFFLINE and TRANSFORMERS_OFFLINE.
    = 请取消 HF_HUB_OFFLINE 和 TRANSFORMERS_OFFLINE。
    the token is none: it holds characters that no token has
    = 令牌无效：含有令牌中不会出现的字符
    Set HF_TOKEN to a token of {}/settings/tokens.
    = 请把 HF_TOKEN 设为 {}/settings/tokens 中的令牌。
    the disk is too full for the model
    = 磁盘空间不足，放不下模型
    Free disk space, or choose another place: HF_HUB_CACHE=FOLDER, or --to FOLDER.
    = 请清理磁盘，或换一个位置：HF_HUB_CACHE=FOLDER，或 --to FOLDER。
    interrupted: what has come is kept, and the same command goes on from there
    = 已中断：已下载的部分会保留，同一条命令会接着下载
    the hub's listing is too long
    = 服务器返回的列表太长
    the hub leads in circles
    = 服务器在循环重定向
    the hub does not answer as it should: status {}
    = 服务器的应答不正常：状态 {}
    Try again later; HF_ENDPOINT names a mirror.
    = 请稍后再试；可以用 HF_ENDPOINT 指定镜像站。
    HF_ENDPOINT is no web address
    = HF_ENDPOINT 不是网址
    such as {}
    = 例如 {}
    cannot reach the hub: {}
    = 无法连接服务器：{}
    Is this machine online? A mirror is named by HF_ENDPOINT=https://…, a proxy by https_proxy. Models \#
    that are on this machine already need no network.
    = 这台机器联网了吗？镜像站用 HF_ENDPOINT=https://… 指定，代理用 https_proxy 指定。本机已有的模型不需要\#
    网络。
    the model is gated: its owner lets in who has asked
    = 这个模型需要申请：作者同意后才能下载
    Ask for access at {}, make a token at {}, and set HF_TOKEN to it.
    = 请在 {} 申请，在 {} 创建令牌，并设置 HF_TOKEN。
    Ask for access at {}, with the account of your token (HF_TOKEN).
    = 请用令牌（HF_TOKEN）所属的账号在 {} 申请。
    there is no such model on the hub, or not for everyone
    = 服务器上没有这个模型，或它不公开
    the hub does not let this token in
    = 服务器不接受这个令牌
    Check the name at {}. For a private model, set HF_TOKEN to a token of {}.
    = 请在 {} 核对名字。私有模型需要把 HF_TOKEN 设为 {} 的令牌。
    Is the token (HF_TOKEN) still valid, and may it read this model? See {}.
    = 令牌（HF_TOKEN）是否仍然有效，是否有权读取这个模型？见 {}。
    the model has no such revision
    = 模型没有这个修订版本
    Branches and tags are listed at {}/tree/main.
    = 分支和标签列在 {}/tree/main。
    the hub lists a file that it does not have
    = 服务器列出了一个它并没有的文件
    Try again later.
    = 请稍后再试。
    there is no such model on the hub
    = 服务器上没有这个模型
    Look it up at {}: names are written Org/Name.
    = 请在 {} 查找：名字写作 Org/Name。
    this is not a hub's answer
    = 这不是模型服务器的应答
    a model's commit and files, as JSON
    = JSON 格式的模型提交与文件列表
    Does HF_ENDPOINT name a hub or a mirror of one?
    = HF_ENDPOINT 是否指向 Hugging Face 或它的镜像站？
    a file's name in the hub's listing is wrong
    = 服务器列表中的一个文件名不正确
    a path within the model
    = 模型之内的路径
    rfilename
    = rfilename
    the hub does not tell the file's size and hash
    = 服务器没有给出文件的大小和哈希值
    X-Linked-Size and X-Linked-ETag, or Content-Length and ETag
    = X-Linked-Size 和 X-Linked-ETag，或 Content-Length 和 ETag
    the history cannot be written: {}
    = 无法写入历史记录：{}
    Choose a file that you may write to.
    = 请选择一个可以写入的文件。
    libmicrohttpd did not start: {}
    = libmicrohttpd 无法启动：{}
    not an address to listen at: {}
    = 不是可以监听的地址：{}
    Give --host an address of this machine, such as 127.0.0.1 or 0.0.0.0.
    = 请给 --host 一个本机地址，例如 127.0.0.1 或 0.0.0.0。
    Choose another --port or --host.
    = 请换一个 --port 或 --host。
    two models have the same name
    = 两个模型同名
    Name it: NAME=DIR.
    = 请命名：NAME=DIR。
    there is no run
    = 没有这次训练
    a run's name or its output_dir, with a progress.jsonl
    = 训练的名字或其 output_dir，其中有 progress.jsonl
    the run's settings are not there
    = 找不到这次训练的设置
    cannot write the log
    = 无法写入日志
    the program cannot be started: {}
    = 无法启动程序：{}
    the folder cannot be read: {}
    = 无法读取文件夹：{}
    there is no such folder
    = 没有这个文件夹
    the key is encrypted
    = 私钥已加密
    a key without a password
    = 不带密码的私钥
    Decrypt it into a file that only you can read: openssl pkey -in {} -out plain.pem.
    = 请解密到只有你能读取的文件：openssl pkey -in {} -out plain.pem。
    the key does not belong to the certificate
    = 私钥与证书不匹配
    the key of {}
    = {} 的私钥
    Give --tls-cert the server's own certificate first, and --tls-key the key that it was made with.
    = 请让 --tls-cert 的文件以服务自己的证书开头，--tls-key 为生成它的私钥。
    the certificate or its key cannot be used
    = 证书或其私钥无法使用
    both in PEM, whole
    = 两者都是完整的 PEM
    Look at them: openssl x509 -in {} -text; openssl pkey -in {} -check.
    = 请检查：openssl x509 -in {} -text；openssl pkey -in {} -check。
    not the file that TLS needs
    = 不是 TLS 所需的文件
    PEM with -----BEGIN {}-----
    = 带 -----BEGIN {}----- 的 PEM
    PEM of something else
    = 其他内容的 PEM
    an alias is for a model that is not served
    = 别名所指的模型没有在提供
    nothing here, nor at {}
    = 当前位置没有，{} 中也没有
    nothing here, nor at {}, nor at {}
    = 当前位置没有，{} 与 {} 中也没有
    Fetch it: firefly download {}. What {}, or {}, or {}, has fetched is found too; HF_HOME, HF_HUB_CACHE \#
    and MODELSCOPE_CACHE say where.
    = 请下载：firefly download {}。{}、{} 或 {} 下载过的模型也可以使用；位置由 HF_HOME、HF_HUB_CACHE 和 \#
    MODELSCOPE_CACHE 决定。
    """#
}
