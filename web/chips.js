/** Chips: an amount as a little stack of coloured discs. */
import { el, setAttribute, setText, svg } from "./dom.js";
import { Unit } from "./unit.js";

/** Value of a chip and its colour, the largest first. */
const KINDS = [
  [100_000, "#e2b84d"],
  [25_000, "#7fb9d8"],
  [5_000, "#d98a4b"],
  [1_000, "#e9c84f"],
  [500, "#8d6cc4"],
  [100, "#22262b"],
  [25, "#3c9d63"],
  [5, "#c5443f"],
  [1, "#e8e6df"],
];
/** A higher stack says nothing more. */
const DISCS_MAX = 5;
const DISC_STEP = 4;

/** The colours of the discs that make up an amount, the largest at the bottom, at most `DISCS_MAX`. */
export function discs(amount) {
  const colours = [];
  let left = amount;
  for (const [value, colour] of KINDS) {
    while (left >= value && colours.length < DISCS_MAX) {
      colours.push(colour);
      left -= value;
    }
  }
  return colours;
}

/** A stack as a picture. */
export function chipStack(amount) {
  const colours = discs(amount);
  const height = 13 + DISC_STEP * Math.max(0, colours.length - 1);
  const picture = svg("svg", { class: "chips", viewBox: `0 0 22 ${height}`, width: 22, height, "aria-hidden": "true" });
  colours.forEach((colour, at) => {
    const y = height - 7 - DISC_STEP * at;
    picture.append(
      svg("ellipse", { cx: 11, cy: y + 2, rx: 10, ry: 4.6, fill: "#00000080" }),
      svg("ellipse", { cx: 11, cy: y, rx: 10, ry: 4.8, fill: colour, stroke: "#00000066", "stroke-width": 0.8 }),
      svg("ellipse", {
        cx: 11,
        cy: y,
        rx: 8,
        ry: 3.5,
        fill: "none",
        stroke: colour === "#e8e6df" ? "#3f7fb5" : "#ffffffb0",
        "stroke-width": 1.4,
        "stroke-dasharray": "3.2 3",
      }),
    );
  });
  return picture;
}

/** Chips with their amount; `pile.show(amount, label)` changes it, `pile.brief = true` makes it short where there is little room, `pile.unit` says what is counted. */
export function chipPile(className, props = {}) {
  const picture = el("span", { class: "pile-chips" });
  const name = el("span", { class: "pile-label" });
  const number = el("span");
  const element = el("div", { class: `pile ${className}`, ...props }, picture, el("span", { class: "pile-amount" }, name, number));
  let shown = null;
  let brief = false;
  let unit = new Unit();
  const write = () => setText(number, () => (brief || unit.isBlinds ? unit.brief(shown ?? 0) : unit.short(shown ?? 0)));
  return {
    element,
    show(amount, label = "") {
      setAttribute(element, "hidden", amount === 0);
      if (amount !== shown) picture.replaceChildren(chipStack(amount));
      shown = amount;
      setText(name, label);
      write();
    },
    set brief(wanted) {
      brief = wanted;
      write();
    },
    set unit(wanted) {
      unit = wanted;
      write();
    },
  };
}
