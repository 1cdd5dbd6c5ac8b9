extension Chinese {
  /// Several processes of one run.
  static let ranks = #"""
    cannot use MPI, with which this process was started: {}
    = 本进程由 MPI 启动，但无法使用 MPI：{}
    Install MPICH's library, or another with its ABI, on each machine, so that libmpi.so.12 is found.
    = 请在每台机器上安装 MPICH 的库（或与其 ABI 相同的库），以便找到 libmpi.so.12。
    Install Open MPI on each machine (Debian: openmpi-bin), so that libmpi.so.40 is found.
    = 请在每台机器上安装 Open MPI（Debian：openmpi-bin），以便找到 libmpi.so.40。
    MPI does not see the processes that were started
    = MPI 看不到已启动的各个进程
    Start them with the mpirun of the same MPI; with Slurm, with srun --mpi=pmix.
    = 请用同一套 MPI 的 mpirun 启动；在 Slurm 中用 srun --mpi=pmix。
    MPI: {}
    = MPI：{}
    rank {}
    = 进程 {}
    rank {} ({})
    = 进程 {}（{}）
    the ranks do not have the same {}
    = 各进程的 {} 不一致
    {} as {} has
    = {}（{}）
    All machines need the same program, configuration, model and rows, at the same paths.
    = 各台机器上的程序、配置、模型和数据必须相同，路径也要相同。
    no answer from {} for {}: stopped, dead, or cut off. Look there; then go on with --resume. A higher ddp_timeout waits longer.
    = {} 已有 {} 没有回应：它已停住、退出或断开。请检查该处，然后用 --resume 继续；调大 ddp_timeout 可以等得更久。
    the ranks waited for each other for {}: the network between them carries small messages and no large ones
    = 各进程互相等待了 {}：它们之间的网络只传得了小消息，传不了大消息
    ranks: {} on one machine ({}), {} threads here, of {} processors
    = 进程：{} 个，在一台机器上（{}），此处 {} 个线程，共 {} 个处理器
    ranks: {} on one machine ({}), {} thread here, of {} processors
    = 进程：{} 个，在一台机器上（{}），此处 {} 个线程，共 {} 个处理器
    ranks: {} on {} machines ({}), {} threads here, of {} processors
    = 进程：{} 个，在 {} 台机器上（{}），此处 {} 个线程，共 {} 个处理器
    ranks: {} on {} machines ({}), {} thread here, of {} processors
    = 进程：{} 个，在 {} 台机器上（{}），此处 {} 个线程，共 {} 个处理器
    ranks: {}, which share the {} rows of a step; each sends {} a step
    = 进程：{} 个，分担每步的 {} 行；每个进程每步发送 {}
    ranks: {}, which share the {} micro-batches of a step; each sends {} a step
    = 进程：{} 个，分担每步的 {} 个微批次；每个进程每步发送 {}
    {} of the ranks have nothing to compute: a step has too few rows
    = 有 {} 个进程无事可做：每步的行数太少
    {} of the ranks have nothing to compute: a step has too few micro-batches
    = 有 {} 个进程无事可做：每步的微批次太少
    the processors are on {} memory nodes, and a rank on each keeps its memory beside its threads: mpirun -n {} --map-by numa --bind-to numa firefly train …
    = 处理器分属 {} 个内存节点，每个节点一个进程可让内存靠近其线程：mpirun -n {} --map-by numa --bind-to numa firefly train …
    time, about: {}, {} s a step, {} s of it on the network
    = 时间，约 {}，每步 {} 秒，其中网络 {} 秒
    Plans for N machines like this one, with a process on each (default: 1).
    = 按 N 台与本机相同的机器规划，每台一个进程（默认：1）。
    What the network between them carries, in Gbit a second (default: 10).
    = 它们之间网络的速率，单位 Gbit/s（默认：10）。
    """#
}
