import FireflyRanks
import Testing

@Suite struct LaunchTests {
  /// As the launchers set them.
  @Test func launchersAreKnownByTheirVariables() throws {
    let openMPI = try #require(Launch(["OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_RANK": "3"]))
    #expect(!openMPI.isMPICH && openMPI.size == 4 && openMPI.rank == 3)
    #expect(openMPI.localRank == nil)
    let mpich = try #require(Launch(["PMI_RANK": "1", "PMI_SIZE": "2"]))
    #expect(mpich.isMPICH && mpich.size == 2 && mpich.rank == 1)
    let slurm = try #require(
      Launch(["PMIX_RANK": "0", "SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "8", "SLURM_NTASKS": "8"]))
    #expect(!slurm.isMPICH && slurm.size == 8 && slurm.rank == 0)
    let plain = try #require(Launch(["SLURM_PROCID": "2", "SLURM_STEP_NUM_TASKS": "3"]))
    #expect(plain.size == 3 && plain.rank == 2)
  }

  /// Its place on its machine, by which a process takes a card.
  @Test(arguments: [
    ["OMPI_COMM_WORLD_SIZE": "8", "OMPI_COMM_WORLD_RANK": "6", "OMPI_COMM_WORLD_LOCAL_RANK": "2"],
    ["PMIX_RANK": "6", "SLURM_STEP_NUM_TASKS": "8", "SLURM_LOCALID": "2"],
    ["PMI_RANK": "6", "PMI_SIZE": "8", "MPI_LOCALRANKID": "2"],
  ]) func launchersSayThePlaceOnTheMachine(_ environment: [String: String]) {
    #expect(Launch(environment)?.rank == 6 && Launch(environment)?.localRank == 2)
  }

  @Test(arguments: [
    [:], ["OMPI_COMM_WORLD_SIZE": "1"], ["PMI_RANK": "0", "PMI_SIZE": "1"],
    // A shell of salloc or sbatch: one task of its own.
    ["SLURM_PROCID": "0", "SLURM_NTASKS": "4"], ["SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "1"],
  ]) func aProcessByItselfIsNoLaunch(_ environment: [String: String]) {
    #expect(Launch(environment) == nil)
  }

  @Test func sharesAreEven() {
    let ranges = { (weights: [Int], count: Int) in
      EvenShares.ranges(of: weights, among: count).map { Array(weights[$0]) }
    }
    #expect(ranges([5, 1, 1, 1, 4], 2) == [[5, 1], [1, 1, 4]])
    #expect(ranges([1, 1, 1, 9], 3) == [[1, 1, 1], [9], []])
    #expect(ranges([2, 3], 4) == [[2], [3], [], []])
    #expect(ranges([], 2) == [[], []])
    #expect(ranges([7, 7, 7, 7], 4).map(\.count) == [1, 1, 1, 1])
  }
}
