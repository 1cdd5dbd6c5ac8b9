import FireflyBase

/// How several processes of one run were started, by the variables that launchers set.
package struct Launch: Equatable, Sendable {
  /// MPICH's family of libraries, not Open MPI's.
  package var isMPICH: Bool
  /// Processes; nil where the launcher does not say.
  package var size: Int?
  /// This process's number; nil where the launcher does not say.
  package var rank: Int?
  /// Its number among those of its machine; nil where the launcher does not say.
  package var localRank: Int?

  /// nil: this process was started by itself.
  package init?(_ environment: [String: String]) {
    func number(_ name: String) -> Int? { environment[name].flatMap { Int($0) } }
    if let size = number("OMPI_COMM_WORLD_SIZE") {
      self.init(isMPICH: false, size: size, rank: number("OMPI_COMM_WORLD_RANK"))
    } else if environment["PMIX_RANK"] != nil {
      self.init(
        isMPICH: false, size: number("SLURM_STEP_NUM_TASKS") ?? number("SLURM_NTASKS"),
        rank: number("PMIX_RANK"))
    } else if environment["PMI_RANK"] != nil {
      self.init(isMPICH: true, size: number("PMI_SIZE"), rank: number("PMI_RANK"))
    } else if environment["SLURM_PROCID"] != nil, let size = number("SLURM_STEP_NUM_TASKS") {
      // srun without an interface for MPI: its tasks do not find each other, which opening MPI will tell.
      self.init(isMPICH: false, size: size, rank: number("SLURM_PROCID"))
    } else {
      return nil
    }
    if size == 1 { return nil }
    // Open MPI's, Slurm's, and those of MPICH and its relatives.
    let names = [
      "OMPI_COMM_WORLD_LOCAL_RANK", "SLURM_LOCALID", "MPI_LOCALRANKID", "MV2_COMM_WORLD_LOCAL_RANK",
    ]
    localRank = names.lazy.compactMap(number).first { $0 >= 0 }
  }

  private init(isMPICH: Bool, size: Int?, rank: Int?) {
    self.isMPICH = isMPICH
    self.size = size
    self.rank = rank
  }
}
