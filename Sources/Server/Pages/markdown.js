// Markdown as elements. They are built one by one and text is only ever text: what a model says cannot become markup.

import { node } from "./common.js";
import { codeBlock } from "./code.js";
import { formula } from "./math.js";

/// In their order: code, formulas, escapes, strong, struck, emphasis, links. A dollar that begins a formula is followed by
/// no space, and the one that ends it by no digit: "$5 and $6" are prices.
const inlinePattern = new RegExp([
  /(`+)(?<code>[^`]|[^`].*?[^`])\1(?!`)/, /\$\$(?<block>.+?)\$\$/, /\\\[(?<block2>.+?)\\\]/, /\\\((?<math>.+?)\\\)/,
  /\$(?![\s$])(?<math2>(?:\\.|[^$\\\n])*?)(?<!\s)\$(?!\d)/, /\\(?<escaped>[\\`*_{}[\]()#+\-.!|~$<>])/,
  /\*\*(?<strong>.+?)\*\*/, /__(?<strong2>.+?)__/, /~~(?<struck>.+?)~~/, /\*(?<em>[^*\s](?:[^*]*[^*\s])?)\*/,
  /\[(?<label>[^\]]+)\]\((?<link>https?:\/\/[^\s)]+)\)/,
].map(part => part.source).join("|"), "s");

function inline(parent, text) {
  for (let match; (match = inlinePattern.exec(text)); text = text.slice(match.index + match[0].length)) {
    parent.append(text.slice(0, match.index));
    const { code, block, block2, math, math2, escaped, strong, strong2, struck, em, label, link } = match.groups;
    if (code !== undefined) parent.append(node("code", code.trim()));
    else if (block ?? block2) parent.append(formula(block ?? block2, true));
    else if (math ?? math2) parent.append(formula(math ?? math2, false));
    else if (escaped) parent.append(escaped);
    else if (strong ?? strong2) inline(parent.appendChild(node("strong")), strong ?? strong2);
    else if (struck) inline(parent.appendChild(node("s")), struck);
    else if (em) inline(parent.appendChild(node("em")), em);
    else if (link) {
      const anchor = parent.appendChild(node("a", label));
      anchor.href = link;
      anchor.target = "_blank";
      anchor.rel = "noopener noreferrer nofollow";
    } else parent.append(match[0]);
  }
  parent.append(text);
}

const fence = /^\s*(```+|~~~+)\s*([\w+#.-]*)/, heading = /^(#{1,6})\s+(.*)/, item = /^\s*([-*+]|\d+[.)])\s+/;
const rule = /^\s*([-*_])(\s*\1){2,}\s*$/, underHeader = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;
const breaksParagraph = /^\s*(```|~~~|\$\$|\\\[|#{1,6}\s|>|[-*+]\s|\d+[.)]\s)/;

export function markdown(text) {
  const out = document.createDocumentFragment(), lines = text.split("\n");
  let i = 0;
  while (i < lines.length) {
    const line = lines[i];
    let match;
    if (!line.trim()) i++;
    else if ((match = fence.exec(line))) i = code(out, lines, i, match);
    else if ((match = /^\s*(\$\$|\\\[)/.exec(line)) && endOfFormula(lines, i, match[1]) > 0) i = blockFormula(out, lines, i, match[1]);
    else if ((match = heading.exec(line))) {
      // The page has headings of its own above those of an answer.
      inline(out.appendChild(node("h" + Math.min(6, match[1].length + 2))), match[2]);
      i++;
    } else if (rule.test(line)) {
      out.append(node("hr"));
      i++;
    } else if (/^\s*>/.test(line)) i = quotation(out, lines, i);
    else if (line.includes("|") && underHeader.test(lines[i + 1] ?? "")) i = table(out, lines, i);
    else if (item.test(line)) i = list(out, lines, i);
    else i = paragraph(out, lines, i);
  }
  return out;
}

// Each of these puts what begins at line `i` into `out` and returns the line after it.

function paragraph(out, lines, i) {
  const start = i++;
  while (i < lines.length && lines[i].trim() && !breaksParagraph.test(lines[i])) i++;
  // A formula may have several lines; other lines stay lines.
  const text = lines.slice(start, i).join("\n"), element = out.appendChild(node("p"));
  element.className = "lines";
  inline(element, text);
  return i;
}

function code(out, lines, i, [, mark, name]) {
  const start = ++i;
  while (i < lines.length && !lines[i].trim().startsWith(mark)) i++;
  out.append(codeBlock(lines.slice(start, i).join("\n"), name));
  return i + 1;
}

const endMarks = { "$$": "$$", "\\[": "\\]" };

/// The line at whose end the formula that begins at line `i` ends; -1 where it does not, or text follows it.
function endOfFormula(lines, i, mark) {
  const end = endMarks[mark];
  for (let last = i; last < lines.length; last++) {
    const text = last === i ? lines[i].trim().slice(mark.length) : lines[last];
    if (text.includes(end)) return text.trimEnd().endsWith(end) ? last : -1;
  }
  return -1;
}

function blockFormula(out, lines, i, mark) {
  const last = endOfFormula(lines, i, mark), text = lines.slice(i, last + 1).join("\n").trim();
  out.append(formula(text.slice(mark.length, -mark.length), true));
  return last + 1;
}

function quotation(out, lines, i) {
  const start = i;
  while (i < lines.length && /^\s*>/.test(lines[i])) i++;
  out.appendChild(node("blockquote")).append(markdown(lines.slice(start, i).map(line => line.replace(/^\s*> ?/, "")).join("\n")));
  return i;
}

function table(out, lines, i) {
  const cells = line => line.trim().replace(/^\||\|$/g, "").split("|").map(cell => cell.trim());
  const body = out.appendChild(node("table")), header = i;
  for (; i < lines.length && lines[i].includes("|"); i++) {
    if (i === header + 1) continue; // the line beneath the header
    const row = body.appendChild(node("tr"));
    for (const cell of cells(lines[i])) inline(row.appendChild(node(i === header ? "th" : "td")), cell);
  }
  return i;
}

function list(out, lines, i) {
  const depth = line => /^\s*/.exec(line)[0].length;
  const start = depth(lines[i]), number = /^\s*(\d+)[.)]/.exec(lines[i]);
  const body = out.appendChild(node(number ? "ol" : "ul"));
  if (number) body.start = +number[1];
  while (i < lines.length && item.test(lines[i]) && depth(lines[i]) >= start) {
    const entry = body.appendChild(node("li"));
    inline(entry, lines[i].replace(item, ""));
    const inner = ++i;
    while (i < lines.length && lines[i].trim() && depth(lines[i]) > start) i++;
    if (i > inner) entry.append(markdown(lines.slice(inner, i).map(line => line.slice(Math.min(depth(line), start + 2))).join("\n")));
    if (i + 1 < lines.length && !lines[i].trim() && item.test(lines[i + 1])) i++; // an empty line between two items
  }
  return i;
}
