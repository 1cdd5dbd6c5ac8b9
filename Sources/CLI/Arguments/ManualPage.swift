import FireflyTraining

/// The manual page firefly(1), made from the declarations of verbs and keys and the few facts that they do not have.
package enum ManualPage {
  package static func text(_ verbs: [Verb], version: String) -> String {
    """
    .TH FIREFLY 1 "" "Firefly \(version)" "User commands"
    .SH NAME
    firefly \\- fine-tunes pretrained language models on conversations, and uses them
    .SH SYNOPSIS
    .B firefly
    .I VERB
    .RI [ arguments ]
    .SH DESCRIPTION
    Firefly turns a pretrained decoder-only language model and a file of conversations into a chat model, on the
    machine it runs on. It reads Hugging Face folders, bitsandbytes 4-bit folders and GGUF files, runs the training
    configurations of the original Firefly, and writes what transformers, PEFT and bitsandbytes read.
    .PP
    Results go to standard output, progress and messages to standard error.
    .SH VERBS
    \(verbs.map(section).joined(separator: "\n"))
    .SH CONFIGURATION
    A training run's configuration is one flat object, JSON or YAML, with these keys.
    \(ConfigKeys.groups.map(section).joined(separator: "\n"))
    .SH EXIT STATUS
    0 when done, 1 when something failed, 2 when the command line was not understood, 130 when training was
    interrupted and saved.
    .SH ENVIRONMENT
    .TP
    .B FIREFLY_THREADS
    Threads to compute with; by default one for each core that the process may use (taskset, cpusets, mpirun's binding),
    even where a core shows as two processors, and no more than its control group gives time to (docker --cpus). Unbound
    ranks of one machine divide them among them. Results do not depend on it.
    .TP
    .B FIREFLY_ISA
    The kernels to use: generic, avx2, avx512f (avx2 with attention in AVX-512, for processors without its bfloat16),
    avx512, or amx, which is avx512 with products on tiles; the best that the processor has by default. For tests,
    amx-imitated computes with tiles in C, slowly, on any processor.
    .TP
    .BR HF_HUB_CACHE ", " HF_HOME
    Where models are that are given by name: the first, else hub in the second; ~/.cache/huggingface/hub by default.
    .TP
    .B MODELSCOPE_CACHE
    Where ModelScope's are; ~/.cache/modelscope by default.
    .TP
    .BR HF_ENDPOINT ", " HF_TOKEN
    The hub that models are downloaded from, https://huggingface.co by default, and a token for it.
    .TP
    .BR FIREFLY_LANG ", " LC_ALL ", " LC_MESSAGES ", " LANG
    The language of help, messages and errors: Chinese where the first of these that is set begins with zh, otherwise
    English. Logs, files and JSON are always English.
    .TP
    .B NO_COLOR
    Set to anything, nothing is coloured.
    .TP
    .B XDG_CACHE_HOME
    Where caches are kept, in a folder firefly; ~/.cache by default.

    """
  }

  private static func section(_ verb: Verb) -> String {
    let names = verb.positionals.map { " \(escaped($0.usage))" }.joined()
    var lines = [".SS firefly \(escaped(verb.name))\(names) [options]", escaped(verb.summary)]
    for paragraph in verb.paragraphs {
      switch paragraph {
      case .text(let text): lines += [".PP", escaped(text)]
      case .list(let entries):
        lines += entries.flatMap { [".TP", "\\fB\(escaped($0.name))\\fR", escaped($0.text)] }
      }
    }
    for positional in verb.positionals {
      lines += [".TP", ".I \(escaped(positional.name))", escaped(positional.help)]
    }
    for option in verb.options {
      let value = option.placeholder.map { " \\fI\(escaped($0))\\fR" } ?? ""
      lines += [
        ".TP", "\\fB\(escaped(option.name))\\fR\(value)",
        escaped(option.help + (option.repeated ? " May be repeated." : "")),
      ]
    }
    return lines.joined(separator: "\n")
  }

  private static func section(_ group: ConfigKeys.Group) -> String {
    let keys = group.keys.flatMap { key in
      [
        ".TP", "\\fB\(escaped(key.name))\\fR",
        escaped("\(key.about.meaning[.english]) (\(key.facts(.english).joined(separator: "; ")))"),
      ]
    }
    return ([".SS \(escaped(group.title[.english]))"] + keys).joined(separator: "\n")
  }

  /// Text that troff takes as it is: a line must not begin with a control character.
  private static func escaped(_ text: String) -> String {
    let plain = text.reduce(into: "") { out, character in
      switch character {
      case "\\": out += "\\e"
      case "-": out += "\\-"
      case "'": out += "\\(aq"
      default: out.append(character)
      }
    }
    return plain.hasPrefix(".") ? "\\&" + plain : plain
  }
}
