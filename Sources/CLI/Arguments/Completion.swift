import FireflyTraining

/// Completion scripts, made from the declarations of verbs and keys alone.
package enum Completion {
  package static func bash(_ verbs: [Verb]) -> String {
    let choices = verbs.flatMap { verb in
      verb.options.compactMap { option in
        option.choices.map { "      \(verb.name):\(option.name)) words=\"\(words($0))\" ;;" }
      }
    }
    let cases = verbs.map { verb in
      let names = words(verb.options.map(\.name) + ["--help"])
      let first = verb.positionals.first.map { " words=\"\(words($0.choices))\"" } ?? ""
      return "    \(verb.name)) options=\"\(names)\"\(first) ;;"
    }
    return """
      # bash completion for firefly; made by: firefly completion bash
      \(bashSettings)
      _firefly() {
        local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} verb=${COMP_WORDS[1]}
        local options= words=
        COMPREPLY=()
        if [ "$COMP_CWORD" -eq 1 ]; then
          COMPREPLY=($(compgen -W "\(words(verbs.map(\.name))) --help --version" -- "$current"))
          return
        fi
        if _firefly_setting; then return; fi
        case $verb:$before in
      \(choices.joined(separator: "\n"))
        esac
        if [ -n "$words" ]; then
          COMPREPLY=($(compgen -W "$words" -- "$current"))
          return
        fi
        case $verb in
      \(cases.joined(separator: "\n"))
        esac
        if [[ $current == -* ]]; then
          COMPREPLY=($(compgen -W "$options" -- "$current"))
        elif [ -n "$words" ] && [ "$COMP_CWORD" -eq 2 ]; then
          COMPREPLY=($(compgen -W "$words" -- "$current"))
        else
          compopt -o filenames
          COMPREPLY=($(compgen -f -- "$current"))
        fi
      }
      complete -F _firefly firefly

      """
  }

  /// Completes KEY=VALUE after the option that takes it. bash makes three words of it, or one where "=" is no word break.
  private static var bashSettings: String {
    let values = ConfigKeys.all.compactMap { key -> String? in
      let words = words(key.shape.completions)
      return words.isEmpty ? nil : "    \(key.name)) words=\"\(words)\" ;;"
    }
    return """
      _firefly_setting() {
        local at=$COMP_CWORD set=\(RunOptions.set.declaration.name) key= words=
        if [ "$before" = "$set" ] && [[ $current != *=* ]]; then
          compopt -o nospace
          COMPREPLY=($(compgen -S = -W "\(words(ConfigKeys.names))" -- "$current"))
          return 0
        elif [ "$before" = "$set" ]; then
          key=${current%%=*}
        elif [ "$current" = = ] && [ "${COMP_WORDS[at-2]}" = "$set" ]; then
          key=$before current=
        elif [ "$before" = = ] && [ "$at" -gt 2 ] && [ "${COMP_WORDS[at-3]}" = "$set" ]; then
          key=${COMP_WORDS[at-2]}
        else
          return 1
        fi
        case $key in
      \(values.joined(separator: "\n"))
        esac
        if [ "$before" = "$set" ]; then
          COMPREPLY=($(compgen -P "$key=" -W "$words" -- "${current#*=}"))
        else
          COMPREPLY=($(compgen -W "$words" -- "$current"))
        fi
      }
      """
  }

  static func words(_ list: [String]) -> String { list.joined(separator: " ") }

  package static func zsh(_ verbs: [Verb]) -> String {
    let names = verbs.map { "    '\($0.name):\(zshText($0.summary))'" }.joined(separator: "\n")
    let cases = verbs.map { verb in
      let positionals = verb.positionals.enumerated().map { index, positional in
        let files = positional.choices.isEmpty ? "_files" : "(\(words(positional.choices)))"
        return "'\(index + 1):\(positional.isOptional ? ":" : "")\(positional.name):\(files)'"
      }
      let options = verb.options.map(zshOption) + ["'--help[Shows the help.]'"]
      let arguments = (options + positionals).map { "          \($0)" }.joined(separator: " \\\n")
      return "      \(verb.name))\n        _arguments \\\n\(arguments) ;;"
    }
    return """
      #compdef firefly
      # zsh completion for firefly; made by: firefly completion zsh
      \(zshSettings)
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

  /// Completes KEY=VALUE.
  private static var zshSettings: String {
    let values = ConfigKeys.all.compactMap { key -> String? in
      let words = words(key.shape.completions)
      return words.isEmpty ? nil : "      \(key.name)) compadd -- \(words) ;;"
    }
    return """
      _firefly_setting() {
        if compset -P '*='; then
          case ${${IPREFIX%=}##*=} in
      \(values.joined(separator: "\n"))
          esac
        else
          compadd -S = -- \(words(ConfigKeys.names))
        fi
      }
      """
  }

  private static func zshOption(_ option: OptionDeclaration) -> String {
    let repeated = option.repeated ? "*" : ""
    guard let placeholder = option.placeholder else {
      return "'\(repeated)\(option.name)[\(zshText(option.help))]'"
    }
    let values =
      option.takesSetting ? "_firefly_setting" : option.choices.map { "(\(words($0)))" } ?? "_files"
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
