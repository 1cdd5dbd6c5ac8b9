import FireflyTraining

extension Completion {
  package static func fish(_ verbs: [Verb]) -> String {
    let names = verbs.map {
      "complete -c firefly -n '__firefly_words 1' -f -a \($0.name) -d \(fishText($0.summary))"
    }
    return """
      # fish completion for firefly; made by: firefly completion fish
      # __firefly_words N [VERB]: N words stand before the one that is completed (+: any number), and VERB is the first.
      function __firefly_words
        set -l before (commandline -opc)
        test "$argv[1]" = +; or test (count $before) -eq "$argv[1]"; or return
        test (count $argv) -eq 1; or test "$before[2]" = "$argv[2]"
      end
      \(fishSettings)
      \(names.joined(separator: "\n"))
      complete -c firefly -n '__firefly_words 1' -f -l help
      complete -c firefly -n '__firefly_words 1' -f -l version
      \(verbs.flatMap(fishLines).joined(separator: "\n"))

      """
  }

  /// The words that a verb's first argument may be, and its options.
  private static func fishLines(_ verb: Verb) -> [String] {
    let first = verb.positionals.first?.choices ?? []
    let choices =
      first.isEmpty
      ? [] : ["complete -c firefly -n '__firefly_words 2 \(verb.name)' -f -a \(fishText(words(first)))"]
    let here = "complete -c firefly -n '__firefly_words + \(verb.name)'"
    return choices + ["\(here) -l help"]
      + verb.options.map { option in
        "\(here) -l \(option.name.dropFirst(2))\(fishValues(option)) -d \(fishText(option.help))"
      }
  }

  /// What an option takes: nothing, words of its own, or files.
  private static func fishValues(_ option: OptionDeclaration) -> String {
    if option.takesSetting { return " -x -a '(__firefly_setting)'" }
    if let choices = option.choices { return " -x -a \(fishText(words(choices)))" }
    return option.placeholder == nil ? "" : " -r -F"
  }

  /// Prints what KEY=VALUE can be, which fish takes for one word.
  private static var fishSettings: String {
    let values = ConfigKeys.all.compactMap { key -> String? in
      let words = words(key.shape.completions)
      return words.isEmpty ? nil : "    case '\(key.name)=*'\n      printf '\(key.name)=%s\\n' \(words)"
    }
    return """
      function __firefly_setting
        switch (commandline -ct)
      \(values.joined(separator: "\n"))
          case '*=*'
          case '*'
            printf '%s=\\n' \(words(ConfigKeys.names))
        end
      end
      """
  }

  /// The text as one quoted word of fish.
  private static func fishText(_ text: String) -> String {
    "'" + text.replacing("\\", with: "\\\\").replacing("'", with: "\\'") + "'"
  }
}
