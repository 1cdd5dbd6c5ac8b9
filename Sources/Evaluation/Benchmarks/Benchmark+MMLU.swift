extension Benchmark {
  /// Massive Multitask Language Understanding (Hendrycks et al., 2021, arXiv:2009.03300): 57 subjects in English, with
  /// the categories of its authors' code.
  public static let mmlu = Benchmark(
    name: "mmlu", title: "MMLU", defaultSplit: "test", columns: nil,
    wording: Wording(
      description: "The following are multiple choice questions (with answers) about {subject}.\n\n",
      question: "", answer: "\nAnswer:", delimiter: " ",
      textDescription: "The following are questions (with answers) about {subject}.\n\n",
      textQuestion: "Question: "),
    subjects: mmluSubjects)

  /// A subject's name is its key with spaces.
  private static var mmluSubjects: [Subject] {
    let keys: [(Category, String)] = [
      (
        .stem,
        """
        abstract_algebra astronomy college_biology college_chemistry college_computer_science \
        college_mathematics college_physics computer_security conceptual_physics \
        electrical_engineering elementary_mathematics high_school_biology high_school_chemistry \
        high_school_computer_science high_school_mathematics high_school_physics \
        high_school_statistics machine_learning
        """
      ),
      (
        .humanities,
        """
        formal_logic high_school_european_history high_school_us_history high_school_world_history \
        international_law jurisprudence logical_fallacies moral_disputes moral_scenarios \
        philosophy prehistory professional_law world_religions
        """
      ),
      (
        .socialSciences,
        """
        econometrics high_school_geography high_school_government_and_politics \
        high_school_macroeconomics high_school_microeconomics high_school_psychology \
        human_sexuality professional_psychology public_relations security_studies sociology \
        us_foreign_policy
        """
      ),
      (
        .other,
        """
        anatomy business_ethics clinical_knowledge college_medicine global_facts human_aging \
        management marketing medical_genetics miscellaneous nutrition professional_accounting \
        professional_medicine virology
        """
      ),
    ]
    return keys.flatMap { category, words in
      words.split(separator: " ").map { key in
        Subject(key: String(key), name: String(key.replacing("_", with: " ")), category: category)
      }
    }
  }
}
