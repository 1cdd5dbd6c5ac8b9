import FireflyBase

/// The keys as documents: docs/configuration.md and its Chinese twin.
package enum ConfigReference {
  package static func markdown(_ language: KeyLanguage) -> String {
    let groups = ConfigKeys.groups.map { group in
      (["## \(group.title[language])"] + group.keys.map { section($0, language) }).joined(separator: "\n\n")
    }
    return ([introduction[language]] + groups + [foreign(language), elsewhere(language)])
      .joined(separator: "\n\n") + "\n"
  }

  private static let introduction = Wording(
    """
    # The keys of a configuration

    [中文](configuration.zh-CN.md)

    Made by `firefly keys --markdown`; the same table checks a configuration when it is read. `firefly keys` lists the keys on a \
    terminal, `firefly keys KEY` tells one in full, and `firefly keys --config FILE` what each key of a file came to.

    A configuration is one flat object, JSON or YAML. null is the same as no value. `--set KEY=VALUE` replaces a key for one run; the \
    shell completes keys and values.

    An editor completes and checks a configuration by its JSON Schema: `firefly schema > firefly.schema.json`, and in the \
    configuration `"$schema": "./firefly.schema.json"`, which changes nothing else. VS Code follows it as it is; for YAML its \
    YAML extension takes `# yaml-language-server: $schema=./firefly.schema.json` as the first line.

    After a key's name stand its values, what holds without it, whose name it is, and the trainings it belongs to where those are \
    not all.
    """,
    """
    # 配置项

    [English](configuration.md)

    本页由 `firefly keys --markdown --lang zh` 生成；读取配置时用的是同一张表。`firefly keys` 在终端列出全部配置项，\
    `firefly keys KEY` 给出某一项的完整说明，`firefly keys --config FILE` 说明一个文件中每一项的实际取值。

    配置是一个扁平的对象，格式为 JSON 或 YAML。null 等同于不填。`--set KEY=VALUE` 只为这一次运行替换某一项；命令行补全会补全配置项和取值。

    编辑器可以借助 JSON Schema 补全和检查配置：运行 `firefly schema --lang zh > firefly.schema.json`，并在配置中写上 \
    `"$schema": "./firefly.schema.json"`，它不影响训练。VS Code 可直接使用；YAML 文件在 YAML 扩展中以首行 \
    `# yaml-language-server: $schema=./firefly.schema.json` 指定。

    每一项之后依次是：取值、默认值、名称的来源，以及所属的训练（适用于全部训练时省略）。
    """)

  private static func section(_ key: KeyDeclaration, _ language: KeyLanguage) -> String {
    """
    ### `\(key.name)`

    \(key.facts(language).joined(separator: " · "))

    \(key.about.meaning[language])\(Wording(" Example: ", "例：")[language])`\(key.assignment)`
    """
  }

  private static func foreign(_ language: KeyLanguage) -> String {
    let groups: [(Wording, (ForeignKeys.Rule) -> Bool)] = [
      (
        Wording("Accepted, and without effect here:", "可以填写，但在此不起作用："),
        { if case .harmless = $0 { true } else { false } }
      ),
      (
        Wording(
          "Accepted, and told where their value would have an effect elsewhere:", "可以填写；若其取值在别处会产生作用，则给出提示："),
        { if case .told = $0 { true } else { false } }
      ),
      (
        Wording("Refused where their value would change what is trained:", "若其取值会改变训练结果，则报错："),
        { if case .refused = $0 { true } else { false } }
      ),
    ]
    let lists = groups.map { title, isOf in
      let names = ForeignKeys.table.filter { isOf($0.value) }.keys.sorted()
      return "\(title[language]) " + names.map { "`\($0)`" }.joined(separator: ", ")
    }
    let heading = Wording(
      "## Keys of transformers, TRL and PEFT that steer nothing here\n\n`firefly keys KEY` says why.",
      "## transformers、TRL 与 PEFT 中在此不起作用的配置项\n\n原因见 `firefly keys KEY`。")
    return ([heading[language]] + lists).joined(separator: "\n\n")
  }

  private static func elsewhere(_ language: KeyLanguage) -> String {
    let heading = Wording(
      """
      ## Names in other trainers

      What LLaMA-Factory, axolotl, ms-swift, unsloth and PEFT call the same. Their names are not read: the error about one says \
      this one, or what else to write.

      | here | there |
      |---|---|
      """,
      """
      ## 其他训练框架中的名称

      LLaMA-Factory、axolotl、ms-swift、unsloth 与 PEFT 对同一配置项的称呼。这些名称不会被读取：报错信息会给出这里的名称或改写方法。

      | 这里 | 别处 |
      |---|---|
      """)
    let rows = KeysElsewhere.namesByOurs.sorted { $0.key < $1.key }.map { ours, theirs in
      "| `\(ours)` | " + theirs.split(separator: " ").map { "`\($0)`" }.joined(separator: ", ") + " |"
    }
    return ([heading[language]] + rows).joined(separator: "\n")
  }
}

extension KeyDeclaration {
  /// Values with their unit, default, whose name it is, and the trainings that it belongs to where those are not all.
  package func facts(_ language: KeyLanguage) -> [String] {
    let values = shape.words(language) + (about.unit.map { " (\($0[language]))" } ?? "")
    let trainings = about.trainings == .all ? [] : [about.trainings.text]
    return [values, defaultText(language), about.origin.name[language]] + trainings
  }

  package func defaultText(_ language: KeyLanguage) -> String {
    switch standard {
    case .required: Wording("required", "必填")[language]
    case .value(let value): Wording("default \(value.text())", "默认 \(value.text())")[language]
    case .told(let text): Wording("default: \(text[.english])", "默认：\(text[.chinese])")[language]
    }
  }

  /// The example as a member of a configuration: `"learning_rate": 0.0002`.
  package var assignment: String { "\"\(name)\": \(about.example.text())" }
}
