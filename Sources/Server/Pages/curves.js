// What drawings of curves have in common: this page's and the studio's.

export const svgNode = (tag, attributes, text) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
};

/// A number in few characters.
export const short = value => !Number.isFinite(value) ? String(value) : value === 0 ? "0"
  : Math.abs(value) >= 1000 ? value.toFixed(0) : Math.abs(value) >= 0.01 ? String(+value.toPrecision(3)) : value.toExponential(1);

/// Round numbers between two, about `count` of them.
export function ticks(low, high, count) {
  const raw = (high - low) / count, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map(factor => factor * power).find(step => step >= raw);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step + 1e-6) - first + 1 }, (_, n) => +((first + n) * step).toPrecision(12));
}

/// The runs of points that have numbers.
export function pieces(points) {
  const out = [[]];
  for (const point of points) {
    if (Number.isFinite(point[1])) out.at(-1).push(point);
    else if (out.at(-1).length) out.push([]);
  }
  return out.filter(piece => piece.length);
}

/// An exponential mean, corrected for its start.
export function smooth(points, keep = 0.9) {
  let sum = 0, weight = 0;
  return points.filter(point => Number.isFinite(point[1])).map(([step, value]) => {
    sum = keep * sum + (1 - keep) * value;
    weight = keep * weight + 1 - keep;
    return [step, sum / weight];
  });
}
