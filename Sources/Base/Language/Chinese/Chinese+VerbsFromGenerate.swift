extension Chinese {
  /// The verbs from generate to train: help and messages.
  static let verbsFromGenerate = #"""
    A prompt.
    = 一条提示。
    A JSONL file of prompts: {"prompt": …}, {"conversation": …}, {"messages": …} or a row as training takes it, \#
    a line.
    = 提示的 JSONL 文件，每行 {"prompt": …}、{"conversation": …}、{"messages": …} 或训练所用的行。
    Continues the prompt as it is, special tokens parsed, instead of answering it through the template.
    = 按原样续写提示（解析其中的特殊词元），而不是通过模板回答。
    Prompts answered at the same time (default: 8).
    = 同时回答的提示数（默认：8）。
    With --json, the K most likely tokens at each step and the logarithms of their probabilities, before \#
    sampling options.
    = 与 --json 一起使用：每一步最可能的 K 个词元及其概率的对数，不受采样选项影响。
    Answers prompts, several at a time.
    = 回答提示，可同时回答多条。
    Without --prompt and --file, all that comes from standard input is one prompt: echo 'What is a \#
    firefly?' | firefly generate MODEL. The last line's end is not part of it.
    = 没有 --prompt 和 --file 时，标准输入的全部内容作为一条提示：echo 'What is a firefly?' | firefly \#
    generate MODEL。最后一行的换行符不算在内。
    put all prompts into the file
    = 请把所有提示写进文件
    --raw uses no template
    = --raw 不使用模板
    --raw has no system text
    = --raw 没有系统提示
    --top-logprobs needs --json
    = --top-logprobs 需要 --json
    standard input
    = 标准输入
    --prompt or --file is missing
    = 缺少 --prompt 或 --file
    not UTF-8
    = 不是 UTF-8
    a prompt as plain text
    = 纯文本的提示
    {}Or continue the prompt as it is with --raw.
    = {}或用 --raw 按原样续写提示。
    the answer was
    = 回答
    {} of {} answers were
    = {} 个回答（共 {} 个）
    firefly: {} cut off after {} tokens; --max-new-tokens N allows longer ones
    = firefly: {}在 {} 个词元处截断；--max-new-tokens N 允许更长的回答
    firefly: {} cut off by the model's max_length {}; --max-new-tokens N allows longer ones
    = firefly: {}因模型的 max_length {} 被截断；--max-new-tokens N 允许更长的回答
    firefly: {} cut off: the model reads no more than {} tokens
    = firefly: {}被截断：模型最多读取 {} 个词元
    A model folder, an adapter, a checkpoint, a .gguf, .safetensors or .bin file, or a model's or \#
    adapter's name.
    = 模型文件夹、适配器、检查点、.gguf、.safetensors 或 .bin 文件，或模型、适配器的名字。
    Lists every tensor.
    = 列出每个张量。
    One JSON object, all tensors included.
    = 输出一个 JSON 对象，包含所有张量。
    Shows what is in a model, an adapter, a checkpoint or a weights file.
    = 显示模型、适配器、检查点或权重文件的内容。
    {} parameters in {} tensors, {}
    = {} 个参数，{} 个张量，{}
    {}: {} tensors, {}
    = {}：{} 个张量，{}
    not a kind of file that can be inspected
    = 不是可以查看的文件类型
    a folder, .gguf, .safetensors or .bin
    = 文件夹、.gguf、.safetensors 或 .bin
    nothing that Firefly knows is in this folder
    = 这个文件夹中没有 Firefly 认识的内容
    {}, {} or trainer_state.json
    = {}、{} 或 trainer_state.json
    The PEFT adapter's folder, or its name.
    = PEFT 适配器的文件夹，或它的名字。
    What the adapter is added to: the model's own weights, or those weights rounded to NF4 as in QLoRA \#
    training (default: original).
    = 合并到哪里：模型自身的权重，或像 QLoRA 训练那样舍入为 NF4 的权重（默认：original）。
    With --onto nf4: whether training quantised the scales as well (default: true).
    = 与 --onto nf4 一起使用：训练时是否对缩放也做了量化（默认：true）。
    A text file, a text a line, to compare the models on (default: four short texts).
    = 文本文件，每行一段，用于比较模型（默认：四段短文本）。
    Does not compare; no model is loaded.
    = 不做比较；不加载模型。
    What the comparison computes in, and weights are rounded to before NF4 (default: as in training, \#
    bfloat16 where the processor multiplies it fast).
    = 比较时的计算精度，也是转为 NF4 之前权重舍入到的精度（默认：与训练相同，处理器的 bfloat16 乘法较快时\#
    为 bfloat16）。
    The comparison as one JSON object.
    = 比较结果输出为一个 JSON 对象。
    The folder to write, or of a GGUF model a .gguf file; it must not exist yet, a folder may be empty.
    = 要写出的文件夹；GGUF 模型也可写成 .gguf 文件。必须尚不存在，文件夹可以为空。
    Merges an adapter into the model's weights and writes the result as it came.
    = 把适配器合并进模型的权重，按模型原来的形式写出。
    it is for folders, and OUT is a .gguf file
    = 它只用于文件夹，而 OUT 是 .gguf 文件
    A GGUF model becomes a .gguf file again, in the types of its own tensors: what the adapter leaves alone \#
    is copied byte for byte, what it changes is quantised again as llama.cpp does it. Otherwise, or where \#
    OUT is no .gguf file, a model folder is written. Tensors are merged in float32 and rounded to the type \#
    of the model's files, one at a time. The folder has no quantization_config; its template, tokenizer and end-of-answer token are those that the adapter \#
    was trained with. Then the merged model is compared with the base under its adapter, the base once as \#
    stored and once in NF4: the smaller difference tells which base the merge matches.
    = GGUF 模型仍写成 .gguf 文件，各张量保持原来的类型：适配器未改动的逐字节复制，改动的按 llama.cpp 的方式\#
    重新量化。其他模型，或 OUT 不是 .gguf 文件时，写成模型文件夹。张量逐个以 float32 合并，再舍入为模型文件的类型。文件夹没有 quantization_config；模板、分词器和结束词\#
    元取自训练适配器时的设置。然后把合并后的模型与带适配器的基础模型比较，基础模型分别取存储的权重和 NF4：\#
    差异较小的，就是与合并结果相符的那一个。
    one of them is in vain
    = 其中一个没有作用
    there is nothing to print
    = 没有可输出的内容
    on {} tokens                perplexity   |logit difference| mean, largest
    = {} 个词元                   困惑度       |logit 差| 平均，最大
    The merged model is closest to: {}.
    = 合并后的模型最接近：{}。
    Says what a training run will take: memory, time and disk, before it starts.
    = 在开始之前说明一次训练需要多少内存、时间和磁盘。
    Reads the rows and the model's header, measures a block of the model's shape with random weights for a \#
    second or two, and neither loads weights nor writes anything. When the run does not fit into memory, \#
    says what to change and what that comes to.
    = 读取数据和模型的文件头，用随机权重对该模型形状的一个层块测量一两秒，不加载权重，也不写任何文件。内存\#
    放不下时，说明改什么、改后是多少。
    disk: {} for paged memory, and the checkpoints that are kept
    = 磁盘：{} 用于分页内存，另加保留的检查点
    time, about: {}, {} s a step
    = 时间，约 {}，每步 {} 秒
    Whether the scales are quantised as well (default: true).
    = 是否对缩放也做量化（默认：true）。
    Writes a model in 4 bits (NF4), as transformers with bitsandbytes loads it.
    = 把模型写成 4 位（NF4），transformers 与 bitsandbytes 可直接加载。
    The linear layers of the blocks become NF4; embeddings, norms and the head stay in 16 bits. Matrices \#
    are quantised one at a time: the peak of memory is one of them. OUT is written whole or not at all.
    = 层块中的线性层变为 NF4；嵌入、归一化和输出头保持 16 位。矩阵逐个量化，内存峰值为一个矩阵。OUT 要么完\#
    整写出，要么不写。
    Serves the model with this PEFT adapter as NAME (default: the folder's name), beside the base.
    = 以 NAME 为名，提供带这个 PEFT 适配器的模型（默认：文件夹名），与基础模型并存。
    The base's name in requests (default: that of its file or folder).
    = 基础模型在请求中的名字（默认：文件名或文件夹名）。
    The address to listen at (default: 127.0.0.1, which only this machine reaches; 0.0.0.0 is all).
    = 监听的地址（默认：127.0.0.1，只有本机可以访问；0.0.0.0 表示所有地址）。
    The port (default: 8000); 0 takes a free one.
    = 端口（默认：8000）；0 表示取一个空闲端口。
    Lets web pages of this origin (https://example.org, or *) use the server, beside its own.
    = 除自身之外，还允许这个来源（https://example.org，或 *）的网页使用服务。
    The chat template (default: the one that each adapter was trained with; for the base auto, the model's \#
    own).
    = 聊天模板（默认：训练各适配器时所用的模板；基础模型为 auto，即模型自带的模板）。
    Answers generated at a time (default: 16).
    = 同时生成的回答数（默认：16）。
    Answers that may wait for a place; more are refused with 429 (default: 256).
    = 可以排队等待的回答数；超出的以 429 拒绝（默认：256）。
    The most tokens of an answer, and how many a chat's may have when it does not say (default: 4096).
    = 回答的词元数上限，也是聊天请求没有说明时的上限（默认：4096）。
    Memory for keys and values, of running answers and of finished ones kept for their beginnings \#
    (default: 1024).
    = 键值缓存的内存，用于进行中的回答，以及为共同开头而保留的已完成回答（默认：1024）。
    The largest body of a request (default: 8192).
    = 请求正文的最大大小（默认：8192）。
    The most connections at a time (default: 512).
    = 同时的连接数上限（默认：512）。
    Seconds within which a request must be answered (default: 600).
    = 请求须在多少秒内回答完（默认：600）。
    Seconds within which a connection must bring a whole request (default: 60).
    = 连接须在多少秒内发来完整的请求（默认：60）。
    Seconds that running answers have when the server is stopped (default: 10).
    = 服务停止时，留给进行中回答的秒数（默认：10）。
    Appends each exchange of /firefly to this file, as JSON lines.
    = 把 /firefly 的每次问答以 JSON 行追加到这个文件。
    Shows the training run of this output_dir at /run, while it goes on and afterwards.
    = 在 /run 显示这个 output_dir 的训练，进行中或结束后均可。
    Answers over HTTP, as OpenAI's service does.
    = 通过 HTTP 提供回答，接口与 OpenAI 相同。
    SIGTERM or Ctrl-C stops: running answers may end within --grace; a second one stops at once.
    = SIGTERM 或 Ctrl-C 停止服务：进行中的回答可在 --grace 之内结束；再按一次则立即停止。
    no chat template: completions only
    = 没有聊天模板：只能续写
    serving {} ({})
    = 正在提供 {}（{}）
    listening on http://{}:{}
    = 正在监听 http://{}:{}
    an API key is empty
    = API 密钥为空
    --adapter must be NAME=DIR or DIR, not {}
    = --adapter 应为 NAME=DIR 或 DIR，而不是 {}
    line {}{}{}: {} tokens, {} targets
    = 第 {} 行{}{}：{} 个词元，{} 个目标
    * is a target
    = * 表示目标
    A model folder, a .gguf file, a model's name, a tokenizer.json, a tokenizer.model or a qwen.tiktoken.
    = 模型文件夹、.gguf 文件、模型名、tokenizer.json、tokenizer.model 或 qwen.tiktoken。
    Puts the begin-of-sequence token before each text, and the end-of-sequence token behind it, where the \#
    model expects them.
    = 在模型需要的地方，给每段文本加上序列开始词元和序列结束词元。
    Strings of special tokens inside a text become those tokens (the default, as with Hugging Face's \#
    tokenizers, but for a tokenizer.model, as with SentencePiece).
    = 文本中特殊词元的字符串解析为这些词元（默认如此，与 Hugging Face 的分词器相同；但 tokenizer.model 除\#
    外，与 SentencePiece 相同）。
    Strings of special tokens inside a text are text like any other.
    = 文本中特殊词元的字符串当作普通文本。
    Reads a JSON string from each line, which may hold line breaks, and writes {"ids": […], "decoded": \#
    "…"} for it, special tokens spelled out.
    = 每行读取一个可含换行的 JSON 字符串，写出 {"ids": […], "decoded": "…"}，特殊词元写出。
    Writes one line instead: how many texts and tokens there are, and the seconds of processor time that \#
    loading the tokenizer and encoding the texts took.
    = 只写一行：文本数、词元数，以及加载分词器和编码文本所用的处理器秒数。
    Turns texts into token ids.
    = 把文本变成词元 id。
    Each line of standard input is a text; its ids are written on one line: echo text | firefly \#
    tokenize MODEL. No BOS or EOS is added unless asked for.
    = 标准输入的每一行是一段文本，它的 id 写在一行上：echo text | firefly tokenize MODEL。除非要求，否\#
    则不加 BOS 和 EOS。
    one is the opposite of the other
    = 两者互相矛盾
    a text a line; Ctrl-D ends
    = 每行一段文本；按 Ctrl-D 结束
    not a JSON string
    = 不是 JSON 字符串
    "text"
    = "text"
    Continues from the newest complete checkpoint of output_dir.
    = 从 output_dir 中最新的完整检查点继续。
    Continues from this checkpoint's folder.
    = 从这个检查点文件夹继续。
    Checks everything, prints the plan, and writes and trains nothing.
    = 检查一切并显示计划，不写文件，也不训练。
    Fine-tunes a model on conversations, preference pairs (DPO) or texts: QLoRA, LoRA or all weights.
    = 在对话、偏好对（DPO）或文本上微调模型：QLoRA、LoRA 或全量训练。
    Ctrl-C saves a checkpoint after the current step and stops (status 130); a second one stops at once. \#
    The run then goes on with --resume, bit for bit as if it had not been interrupted.
    = Ctrl-C 在当前步之后保存检查点并停止（状态 130）；再按一次则立即停止。之后用 --resume 继续，与未中断\#
    的运行逐位相同。
    both say where to start
    = 两者都说明从哪里开始
    everything is in order; nothing was written
    = 一切正常；没有写任何文件
    the run was finished already, after step {}: nothing was changed. A higher num_train_epochs or \#
    max_steps continues it, where its learning rate does not depend on its length.
    = 训练在第 {} 步之后已经完成：没有改动任何内容。增大 num_train_epochs 或 max_steps 可以继续训练，只要\#
    学习率与总长度无关。
    stopped after step {}; saved {}. Continue with --resume.
    = 在第 {} 步之后停止；已保存 {}。用 --resume 继续。
    One JSON object for each prompt: source, prompt_ids, ids, text, finish_reason (stop, or length for a \#
    cut-off answer), top_logprobs, beam_score.
    = 每条提示输出一个 JSON 对象：source、prompt_ids、ids、text、finish_reason（stop；被截断的回答为 \#
    length）、top_logprobs、beam_score。
    {} cut off after {} tokens; --max-new-tokens N allows longer ones
    = {}在 {} 个词元处截断；--max-new-tokens N 允许更长的回答
    {} cut off by the model's max_length {}; --max-new-tokens N allows longer ones
    = {}因模型的 max_length {} 被截断；--max-new-tokens N 允许更长的回答
    {} cut off: the model reads no more than {} tokens
    = {}被截断：模型最多读取 {} 个词元
    num_beams {} of the model has no effect: requests to /firefly may ask for beams
    = 模型的 num_beams {} 不起作用：发往 /firefly 的请求可以要求集束搜索
    whoever reaches {} can use this server; --api-key asks for a key
    = 能访问 {} 的人都可以使用这个服务；--api-key 可要求密钥
    Asks requests for this key, except for pages and /health. FIREFLY_API_KEY does the same unseen by others.
    = 要求请求带上这个密钥，页面与 /health 除外。FIREFLY_API_KEY 作用相同，且不会被他人看到。
    firefly: a request: {}
    = firefly: 请求：{}
    Answers by HTTPS (TLS 1.2 or later) with this certificate, in PEM, those that lead to its authority \#
    behind it.
    = 用这个证书提供 HTTPS（TLS 1.2 或更高），PEM 格式，其后依次是上级证书。
    The certificate's key, in PEM and without a password.
    = 证书的私钥，PEM 格式，不带密码。
    Another name for a model that is served (default: for the base).
    = 所提供模型的另一个名字（默认：基础模型的）。
    Lets requests load and unload adapters while the server runs (/v1/load_lora_adapter), from any folder \#
    that it can read.
    = 允许请求在服务运行时加载和卸载适配器（/v1/load_lora_adapter），来自服务可以读取的任何文件夹。
    What /v1/embeddings makes of a text's states: their mean, or the last (default: as the model's files \#
    say, or mean).
    = /v1/embeddings 如何汇总文本的各个状态：取平均，或取最后一个（默认：按模型文件，否则取平均）。
    / is a chat page, /run a page of a training run (--run); /v1/chat/completions, /v1/completions, \#
    /v1/embeddings, /v1/models, /health, /metrics (Prometheus), and the original Firefly's /firefly. \#
    Requests run together; equal beginnings of prompts are read once.
    = / 是聊天页面，/run 是训练页面（--run）；另有 /v1/chat/completions、/v1/completions、/v1/embeddings、\#
    /v1/models、/health、/metrics（Prometheus），以及原版 Firefly 的 /firefly。请求一起运行，提示中相同的\#
    开头只读一次。
    listening on {}://{}:{}
    = 正在监听 {}://{}:{}
    A name that others ask the server by (firefly.example), beside localhost, this machine's name and its \#
    addresses; requests by another name are refused.
    = 除 localhost、本机名和本机地址之外，他人访问服务所用的名字（firefly.example）；以其他名字发来的请求\#
    会被拒绝。
    What its file browser shows, and where it keeps its runs, in studio (default: the folder that one is \#
    in).
    = 文件浏览器显示的文件夹，训练保存在其中的 studio 里（默认：当前文件夹）。
    The port (default: 0, which takes a free one).
    = 端口（默认：0，即取一个空闲端口）。
    A page in the browser for all of it: choose, train, watch, compare, ask, write.
    = 在浏览器页面中完成一切：选择、训练、查看、比较、提问、导出。
    Prints an address for this machine's browser; the token in it lets in who opens it, and nobody else. \#
    The page writes the configurations that train reads, and shows every command that it runs. A run is a \#
    process of its own: it goes on when the studio is stopped with Ctrl-C, and the next studio of the same \#
    folder finds it. From another machine: ssh -L PORT:127.0.0.1:PORT with --port PORT.
    = 输出一个供本机浏览器打开的地址；只有持其中令牌的人可以进入。页面写出 train 所读的配置，并显示它运行\#
    的每条命令。每次训练是独立的进程：用 Ctrl-C 停止 studio 后训练继续，同一文件夹的下一个 studio 会找到它。\#
    从另一台机器访问：用 --port PORT 启动，并运行 ssh -L PORT:127.0.0.1:PORT。
    open this address in a browser; Ctrl-C ends the studio, and no run
    = 请在浏览器中打开这个地址；Ctrl-C 结束 studio，不会停止训练
    cannot find the program's own file: {}
    = 找不到程序自身的文件：{}
    The key to tell in full (default: a list of all).
    = 要完整说明的键（默认：列出全部）。
    Tells what each key of this configuration came to, and what holds for those that it has not.
    = 说明这个配置中每个键的实际取值，以及没有写出的键的默认值。
    One JSON value.
    = 输出一个 JSON 值。
    The page docs/configuration.md.
    = 输出 docs/configuration.md 页面。
    Tells the keys of a training configuration: values, defaults and what they mean.
    = 说明训练配置的各个键：取值、默认值和含义。
    A key of transformers, TRL or PEFT that steers nothing here is told with what becomes of it, a key of \#
    another trainer with its name here.
    = transformers、TRL 或 PEFT 中在此不起作用的键，会说明如何处理；其他训练程序的键，会给出这里的名字。
    they are two forms of one list
    = 它们是同一列表的两种形式
    Prints the JSON Schema of a training configuration, by which editors complete and check it.
    = 输出训练配置的 JSON Schema，编辑器可据此补全和检查。
    firefly schema > firefly.schema.json, and in the configuration "$schema": "./firefly.schema.json".
    = firefly schema > firefly.schema.json，并在配置中写上 "$schema": "./firefly.schema.json"。
    The language of the descriptions (default: that of messages; en for JSON and --markdown).
    = 说明所用的语言（默认：与提示的语言相同；JSON 与 --markdown 为 en）。
    """#
}
