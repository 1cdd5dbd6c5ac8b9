// Formulas in an answer. KaTeX reads the TeX and makes MathML, which the browser draws and reads aloud: no fonts are needed.

import { node } from "./common.js";

/// - Parameter isBlock: whether the formula has lines of its own.
export function formula(tex, isBlock) {
  const element = node(isBlock ? "div" : "span", undefined, "formula");
  try {
    // Without trust nothing in a formula is a link, a class or an image; the limits hold one that grows without end.
    katex.render(tex, element, {
      displayMode: isBlock, output: "mathml", throwOnError: true, strict: "ignore", trust: false, maxSize: 10, maxExpand: 300,
    });
    return element;
  } catch { return node("code", tex); }
}
