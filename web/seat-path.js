/** The path around the felt on which seats stand, and how they are spread along it. */

/** Steps in which the path is measured. */
const STEPS = 120;
/**
 * The paths to try, the best looking first. `square`: 2 is an ellipse, more comes nearer to a rectangle, on which more fits; `neighbours`: how far
 * the seats next to the one at the bottom are from it, where 1 is as far as all the others are from each other.
 */
export const SHAPES = [2.5, 2, 3.5, 6, 14].flatMap((square) => [1, 0.8, 1.3].map((neighbours) => ({ square, neighbours })));

/**
 * Points along |x/reach.x|^square + |y/reach.y|^square = 1, from the bottom on clockwise as seen on the screen. Distances are measured in
 * boxes: low seats may stand closer above each other than beside each other.
 */
export function around(count, reach, box, { square, neighbours }) {
  const points = curve(square).map(({ x, y }) => ({ x: reach.x * x, y: reach.y * y }));
  const lengths = [0];
  for (let at = 1; at <= STEPS; at += 1) {
    const [from, to] = [points[at - 1], points[at]];
    lengths.push(lengths[at - 1] + Math.hypot((to.x - from.x) / box.width, (to.y - from.y) / box.height));
  }
  return spread(count, lengths[STEPS], neighbours).map((along) => pointAt(points, lengths, along));
}

const curves = new Map();

/** The path of reach 1. */
function curve(square) {
  if (!curves.has(square)) {
    const angles = Array.from({ length: STEPS + 1 }, (_, step) => (2 * Math.PI * step) / STEPS);
    curves.set(square, angles.map((angle) => ({ x: -power(Math.sin(angle), 2 / square), y: power(Math.cos(angle), 2 / square) })));
  }
  return curves.get(square);
}

/** Distances along a path of this length: the first at its beginning, the others evenly between its two neighbours. */
function spread(count, length, neighbours) {
  if (count < 3) return Array.from({ length: count }, (_, at) => (length * at) / count);
  const first = (length / count) * neighbours;
  return Array.from({ length: count }, (_, at) => (at === 0 ? 0 : first + ((length - 2 * first) * (at - 1)) / (count - 2)));
}

function pointAt(points, lengths, along) {
  const next = Math.max(1, lengths.findIndex((length) => length >= along - 1e-9));
  const share = (along - lengths[next - 1]) / (lengths[next] - lengths[next - 1] || 1);
  const [from, to] = [points[next - 1], points[next]];
  return { x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share };
}

function power(base, exponent) {
  return Math.sign(base) * Math.abs(base) ** exponent;
}
