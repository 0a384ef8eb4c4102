/** The picture of a player: nobody uploads one, it follows from the user alone, so everybody sees the same one. Pure but for drawing. */
import { svg } from "./dom.js";

/** Far enough apart to tell them. */
const HUES = [168, 198, 224, 262, 292, 322, 350, 16, 36, 58, 92, 136];
/** How far the hue of the shape is from that of its ground. */
const TURNS = [0, 40, 150, 210];
const POINTS = 8;

/** Shapes on a 100 by 100 grid, as one path each. */
const SHAPES = [
  "M50 8a42 42 0 1 0 0 84a42 42 0 1 0 0-84zm0 16a26 26 0 1 1 0 52a26 26 0 1 1 0-52z",
  "M0 0h50v50h50v50h-50v-50h-50z",
  "M0 30l50-30l50 30v20l-50-30l-50 30zM0 70l50-30l50 30v20l-50-30l-50 30z",
  "M50 0l14 36l36 14l-36 14l-14 36l-14-36l-36-14l36-14z",
  "M0 20c25-20 25 20 50 0s25 20 50 0v20c-25 20-25-20-50 0s-25-20-50 0zM0 60c25-20 25 20 50 0s25 20 50 0v20c-25 20-25-20-50 0s-25-20-50 0z",
  "M50 50c-30-10-30-50 0-50s30 40 0 50c10-30 50-30 50 0s-40 30-50 0c30 10 30 50 0 50s-30-40 0-50c-10 30-50 30-50 0s40-30 50 0z",
  "M50 0l50 50l-50 50l-50-50zM50 25l-25 25l25 25l25-25z",
  "M0 0h18v100h-18zM41 0h18v100h-18zM82 0h18v100h-18z",
  "M50 50l-20-50h40zM50 50l50-20v40zM50 50l20 50h-40zM50 50l-50 20v-40z",
];

/** @param {string} user @returns {{hue: number, shape: number, shapeHue: number, turn: number}} what the picture is made of */
export function looks(user) {
  const number = hash(user);
  const hue = HUES[number % HUES.length];
  const rest = Math.floor(number / HUES.length);
  const more = Math.floor(rest / SHAPES.length);
  return {
    hue,
    shape: rest % SHAPES.length,
    shapeHue: (hue + TURNS[more % TURNS.length]) % 360,
    turn: (Math.floor(more / TURNS.length) % POINTS) * (360 / POINTS),
  };
}

/** Makes `picture`, an `svg` of 100 by 100, that of a user. Dark, so that a letter on it can be read. */
export function drawAvatar(picture, user) {
  const { hue, shape, shapeHue, turn } = looks(user);
  picture.replaceChildren(
    svg("circle", { cx: 50, cy: 50, r: 50, fill: `hsl(${hue} 36% 20%)` }),
    svg("path", { d: SHAPES[shape], transform: `rotate(${turn} 50 50)`, fill: `hsl(${shapeHue} 38% 30%)`, "fill-rule": "evenodd" }),
  );
}

/** FNV-1a, of 32 bits. */
function hash(text) {
  let sum = 0x811c9dc5;
  for (const character of text) sum = Math.imul(sum ^ character.codePointAt(0), 0x01000193) >>> 0;
  return sum;
}
