// Curves of numbers over a run's steps, drawn as SVG in the pixels that there are, so that text keeps its size.

import { node } from "./common.js";
import { pieces, short, svgNode, ticks } from "./curves.js";

const height = 240, top = 12, bottom = 26, gap = 8; // pixels; `gap` beside the curves and their numbers

/// Draws lines into a figure, with a legend above.
///
/// - Parameter lines: [{name, className, points: [[step, value]]}]; values that are no numbers leave a gap.
export function chart(figure, title, lines) {
  const legend = node("figcaption"), readings = [];
  for (const line of lines) {
    const item = legend.appendChild(node("span", undefined, "key")), mark = item.appendChild(svgNode("svg", { width: 22, height: 10, "aria-hidden": true }));
    mark.append(svgNode("line", { class: line.className, x1: 1, x2: 21, y1: 5, y2: 5 }));
    item.append(line.name);
    readings.push(item.appendChild(node("b")));
  }
  const scale = scales(lines, figure.clientWidth - 2 * gap), svg = svgNode("svg", { width: scale.width, height, role: "img" });
  svg.setAttribute("aria-label", `${title}: ` + lines.map(line => `${line.name} ${short(line.points.at(-1)[1])}`).join(", "));
  drawGrid(svg, scale);
  for (const line of lines) for (const piece of pieces(line.points)) svg.append(drawn(piece, line.className, scale));
  addPointer(svg, lines, readings, scale);
  figure.replaceChildren(legend, svg);
}

function scales(lines, width) {
  const points = lines.flatMap(line => line.points).filter(point => Number.isFinite(point[1]));
  const lastStep = Math.max(1, ...points.map(point => point[0]));
  let low = Math.min(...points.map(point => point[1])), high = Math.max(...points.map(point => point[1]));
  if (!points.length) [low, high] = [0, 1];
  if (low > 0 && low < high * 0.5) low = 0;
  if (low === high) {
    low -= Math.abs(low) * 0.1 || 1;
    high += Math.abs(high) * 0.1 || 1;
  }
  const values = ticks(low, high, 5), labels = values.map(short);
  const left = Math.max(...labels.map(label => label.length)) * 7.2 + 2 * gap, right = String(lastStep).length * 4 + gap;
  return {
    width, left, right, lastStep, values, labels,
    x: step => left + step / lastStep * (width - left - right),
    y: value => top + (high - value) / (high - low) * (height - top - bottom),
  };
}

function drawGrid(svg, { width, left, right, lastStep, values, labels, x, y }) {
  values.forEach((value, n) => svg.append(
    svgNode("line", { class: "grid", x1: left, x2: width - right, y1: y(value), y2: y(value) }),
    svgNode("text", { x: left - gap, y: y(value) + 4, "text-anchor": "end" }, labels[n])));
  const room = Math.max(1, Math.floor((width - left - right) / 70));
  for (const step of ticks(0, lastStep, Math.min(6, room)).filter(Number.isInteger))
    svg.append(svgNode("text", { x: x(step), y: height - gap, "text-anchor": "middle" }, step));
}

function drawn(piece, className, { x, y }) {
  if (piece.length === 1) return svgNode("circle", { class: className, cx: x(piece[0][0]), cy: y(piece[0][1]), r: 2.5 });
  return svgNode("polyline", { class: className, points: piece.map(([step, value]) => `${x(step).toFixed(1)},${y(value).toFixed(1)}`).join(" ") });
}

/// Shows in the legend what the lines are where the pointer is.
function addPointer(svg, lines, readings, { width, left, right, lastStep, x }) {
  const mark = svgNode("line", { class: "grid", y1: top, y2: height - bottom, visibility: "hidden" });
  const label = svgNode("text", { y: height - gap, "text-anchor": "middle", class: "here", visibility: "hidden" });
  svg.append(mark, label);
  svg.onpointermove = event => {
    const at = (event.offsetX - left) / (width - left - right) * lastStep;
    const near = lines.map(line => line.points.reduce((a, b) => Math.abs(b[0] - at) < Math.abs(a[0] - at) ? b : a));
    const step = near.reduce((a, b) => Math.abs(b[0] - at) < Math.abs(a[0] - at) ? b : a)[0];
    for (const name of ["x1", "x2"]) mark.setAttribute(name, x(step));
    label.setAttribute("x", x(step));
    label.textContent = step;
    for (const element of [mark, label]) element.setAttribute("visibility", "visible");
    near.forEach((point, n) => { readings[n].textContent = " " + short(point[1]); });
  };
  svg.onpointerleave = () => {
    for (const element of [mark, label]) element.setAttribute("visibility", "hidden");
    for (const reading of readings) reading.textContent = "";
  };
}
