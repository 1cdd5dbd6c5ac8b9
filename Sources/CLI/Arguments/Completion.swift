/// Completion scripts, made from the verbs' declarations alone.
package enum Completion {
  package static func bash(_ verbs: [Verb]) -> String {
    let cases = verbs.map { verb in
      let names = (verb.options.map(\.name) + ["--help"]).joined(separator: " ")
      let choices = verb.options.compactMap { option in
        option.choices.map { "      \(verb.name):\(option.name)) words=\"\($0.joined(separator: " "))\" ;;" }
      }
      return (verb: "    \(verb.name)) options=\"\(names)\" ;;", choices: choices)
    }
    return """
      # bash completion for firefly; made by: firefly completion bash
      _firefly() {
        local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} verb=${COMP_WORDS[1]}
        local options= words=
        COMPREPLY=()
        if [ "$COMP_CWORD" -eq 1 ]; then
          COMPREPLY=($(compgen -W "\(verbs.map(\.name).joined(separator: " ")) --help --version" -- "$current"))
          return
        fi
        case $verb:$before in
      \(cases.flatMap(\.choices).joined(separator: "\n"))
        esac
        if [ -n "$words" ]; then
          COMPREPLY=($(compgen -W "$words" -- "$current"))
          return
        fi
        case $verb in
      \(cases.map(\.verb).joined(separator: "\n"))
        esac
        if [[ $current == -* ]]; then
          COMPREPLY=($(compgen -W "$options" -- "$current"))
        else
          compopt -o filenames
          COMPREPLY=($(compgen -f -- "$current"))
        fi
      }
      complete -F _firefly firefly

      """
  }

  package static func zsh(_ verbs: [Verb]) -> String {
    let names = verbs.map { "    '\($0.name):\(zshText($0.summary))'" }.joined(separator: "\n")
    let cases = verbs.map { verb in
      let positionals = verb.positionals.enumerated().map { index, positional in
        "'\(index + 1):\(positional.isOptional ? ":" : "")\(positional.name):_files'"
      }
      let options = verb.options.map(zshOption) + ["'--help[Shows the help.]'"]
      let arguments = (options + positionals).map { "          \($0)" }.joined(separator: " \\\n")
      return "      \(verb.name))\n        _arguments \\\n\(arguments) ;;"
    }
    return """
      #compdef firefly
      # zsh completion for firefly; made by: firefly completion zsh
      _firefly() {
        local -a verbs=(
      \(names)
        )
        if (( CURRENT == 2 )); then
          _describe verb verbs
          return
        fi
        local verb=$words[2]
        shift words
        (( CURRENT-- ))
        case $verb in
      \(cases.joined(separator: "\n"))
        esac
      }
      _firefly "$@"

      """
  }

  private static func zshOption(_ option: OptionDeclaration) -> String {
    let repeated = option.repeated ? "*" : ""
    guard let placeholder = option.placeholder else {
      return "'\(repeated)\(option.name)[\(zshText(option.help))]'"
    }
    let values = option.choices.map { "(\($0.joined(separator: " ")))" } ?? "_files"
    let name = option.choices == nil ? zshText(placeholder) : "value"
    return "'\(repeated)\(option.name)[\(zshText(option.help))]:\(name):\(values)'"
  }

  /// The text without what ends a description or a quoted word in zsh.
  private static func zshText(_ text: String) -> String {
    text.reduce(into: "") { out, character in
      switch character {
      case "'": out += "’"
      case "[", "]", ":", "\\": out += "\\\(character)"
      default: out.append(character)
      }
    }
  }
}

extension OptionDeclaration {
  /// The values of an option that takes one of a few words.
  var choices: [String]? {
    guard let placeholder, placeholder.contains("|") else { return nil }
    return placeholder.split(separator: "|").map(String.init)
  }
}
