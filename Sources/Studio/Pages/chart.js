// Curves over steps as SVG.
import { pieces, short, svgNode, ticks } from "./curves.js";
import { node, say } from "./kit.js";

const left = 56, right = 12, above = 10, below = 24;

/// The values of a log's entries under `key`. JSON has no NaN: such a number comes as a string and is shown as what it is.
export const series = (log, key) => log.filter(entry => entry[key] !== undefined && entry[key] !== null).map(entry => [entry.step, Number(entry[key])]);

/// lines: [{points: [[x, y]], className, name}]; those without a name are not in the legend, which one line alone does not need. Sizes are those of the screen.
export function chart(lines, height, width) {
  width = Math.max(280, Math.round(width));
  const figure = node("figure");
  const points = lines.flatMap(line => line.points).filter(p => Number.isFinite(p[1]));
  if (!points.length) { figure.append(node("p", say("nothingLogged"), "soft")); return figure; }
  const lastX = Math.max(...points.map(p => p[0]), 1);
  let low = Math.min(...points.map(p => p[1])), high = Math.max(...points.map(p => p[1]));
  if (low > 0 && low < high * 0.5) low = 0;
  if (low === high) { low -= Math.abs(low) * 0.1 || 1; high += Math.abs(high) * 0.1 || 1; }
  const x = value => left + value / lastX * (width - left - right);
  const y = value => above + (high - value) / (high - low) * (height - above - below);
  const svg = svgNode("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": lines.map(line => line.name).filter(Boolean).join(", ") });
  for (const value of ticks(low, high, 5)) svg.append(
    svgNode("line", { class: "grid", x1: left, x2: width - right, y1: y(value), y2: y(value) }),
    svgNode("text", { x: left - 6, y: y(value) + 4, "text-anchor": "end" }, short(value)));
  for (const value of ticks(0, lastX, width / 90).filter(Number.isInteger)) svg.append(
    svgNode("text", { x: x(value), y: height - 6, "text-anchor": value > lastX * 0.97 ? "end" : "middle" }, value));
  for (const line of lines) for (const piece of pieces(line.points)) svg.append(piece.length === 1
    ? svgNode("circle", { class: line.className, cx: x(piece[0][0]), cy: y(piece[0][1]), r: 2.5, fill: "none" })
    : svgNode("polyline", { class: line.className, points: piece.map(p => `${x(p[0]).toFixed(1)},${y(p[1]).toFixed(1)}`).join(" ") }));
  const mark = svgNode("line", { class: "grid", y1: above, y2: height - below, visibility: "hidden" });
  const note = svgNode("text", { x: width - right, y: above + 6, "text-anchor": "end" });
  svg.append(mark, note);
  const named = lines.filter(line => line.name);
  svg.onpointermove = event => {
    const at = (event.offsetX / svg.clientWidth * width - left) / (width - left - right) * lastX;
    const near = named.map(line => [line, line.points.reduce((a, b) => !a || Math.abs(b[0] - at) < Math.abs(a[0] - at) ? b : a, null)]).filter(pair => pair[1]);
    if (!near.length) return;
    for (const end of ["x1", "x2"]) mark.setAttribute(end, x(near[0][1][0]));
    mark.setAttribute("visibility", "visible");
    note.textContent = `${say("step")} ${near[0][1][0]}: ` + near.map(([line, p]) => `${line.name} ${short(p[1])}`).join(" · ");
  };
  svg.onpointerleave = () => { mark.setAttribute("visibility", "hidden"); note.textContent = ""; };
  const legend = node("figcaption");
  for (const line of named.length > 1 ? named : []) {
    const entry = legend.appendChild(node("span")), sign = svgNode("svg", { viewBox: "0 0 22 8" });
    sign.append(svgNode("polyline", { class: line.className, points: "0,4 22,4" }));
    entry.append(sign, line.name);
  }
  figure.append(svg, legend);
  return figure;
}
