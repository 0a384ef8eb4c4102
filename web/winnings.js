/** What somebody has won over hands, as a line. Pure, but for the drawing. */
import { el, svg } from "./dom.js";
import { chips } from "./format.js";
import { change } from "./money.js";
import { say } from "./phrases/history.js";

/** Whoever has not played for so long begins a session. */
const SESSION_MS = 30 * 60_000;
const WIDTH = 800;
const HEIGHT = 200;
/** The line stays so far from the edges. */
const EDGE = 8;

/**
 * What hands add up to, in their order. Hands that do not count are left out. Chips of one kind and size are added as they are, others as big blinds.
 * @param {object[]} hands the latest first, as reception lists them
 * @returns {{sums: number[], sessions: number[], digits: number, inBlinds: boolean}} `sums` begins with 0 and has one more for each hand;
 *   `sessions` are the places in it where one begins, but for the first
 */
export function winnings(hands) {
  const counted = hands.filter((hand) => !hand.void && hand.net !== null).reverse();
  const kinds = new Set(counted.map(({ currency, digits, big_blind }) => `${currency} ${digits} ${big_blind}`));
  const inBlinds = kinds.size > 1;
  const sums = [0];
  const sessions = [];
  counted.forEach((hand, at) => {
    sums.push(sums.at(-1) + (inBlinds ? hand.net / hand.big_blind : hand.net));
    if (at > 0 && hand.started_ms - counted[at - 1].ended_ms >= SESSION_MS) sessions.push(at);
  });
  return { sums, sessions, digits: counted[0]?.digits ?? 0, inBlinds };
}

/** The line in a box of this size: `{points: [x, y][], zero: y}`. */
export function plot(sums, width = WIDTH, height = HEIGHT) {
  const [low, high] = [Math.min(...sums), Math.max(...sums)];
  const scale = (height - 2 * EDGE) / (high - low || 1);
  const y = (sum) => height - EDGE - (sum - low) * scale;
  const step = sums.length > 1 ? width / (sums.length - 1) : 0;
  return { points: sums.map((sum, at) => [at * step, y(sum)]), zero: y(0), step };
}

/** Draws it; null where there is too little for a line. */
export function drawWinnings(hands) {
  const { sums, sessions, digits, inBlinds } = winnings(hands);
  if (sums.length < 3) return null;
  const { points, zero, step } = plot(sums);
  const tell = (sum) => (inBlinds ? say.inBlinds(change(sum, { digits: 1 })) : change(sum, { digits }));
  const path = points.map(([x, y], at) => `${at === 0 ? "M" : "L"}${round(x)} ${round(y)}`).join("");
  const last = points.at(-1);
  const line = (x1, y1, x2, y2, name) => svg("line", { class: name, x1, y1, x2, y2, "vector-effect": "non-scaling-stroke" });
  const drawing = svg(
    "svg",
    { class: "winnings-line", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("path", { class: "winnings-area", d: `${path}L${round(last[0])} ${round(zero)}L0 ${round(zero)}Z` }),
    ...sessions.map((at) => line(round(at * step), 0, round(at * step), HEIGHT, "winnings-session")),
    line(0, round(zero), WIDTH, round(zero), "winnings-zero"),
    svg("path", { class: "winnings-path", d: path, "vector-effect": "non-scaling-stroke" }),
  );
  const [now, least, most] = [sums.at(-1), Math.min(...sums), Math.max(...sums)];
  const end = el("b", { class: now < 0 ? "went" : "came", text: () => tell(now), data: { testid: "winnings-sum", sum: String(now) } });
  return el(
    "figure",
    { class: "winnings", data: { testid: "winnings" } },
    el("figcaption", {}, el("span", { text: () => say.wonOver(sums.length - 1) }), end),
    el("div", { class: "winnings-box", role: "img", "aria-label": () => say.graph(chips(sums.length - 1), tell(now), tell(least), tell(most)) }, drawing, el("span", { class: "winnings-most", text: () => tell(most) }), el("span", { class: "winnings-least", text: () => tell(least) })),
  );
}

function round(length) {
  return Math.round(length * 10) / 10;
}
