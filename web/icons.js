/** The line icons of the interface, on a 24 by 24 grid, drawn in the text's colour. */
import { svg } from "./dom.js";

const PATHS = {
  back: "M15 5l-7 7 7 7",
  settings: "M4 7h9M17 7h3M4 17h3M11 17h9M15 4.5v5M9 14.5v5",
  panel: "M4 5h16v11H10l-4 4v-4H4zM8 9h8M8 12h5",
  tiles: "M4 5h7v14H4zM13 5h7v14h-7z",
  close: "M6 6l12 12M18 6L6 18",
  search: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM16 16l4 4",
  person: "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM4.5 20c1-4 4-5.5 7.5-5.5s6.500 1.500 7.500 5.500",
  plus: "M12 6v12M6 12h12",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  smile: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM9 10h.01M15 10h.01M8.5 14c2 2.200 5 2.200 7 0",
  send: "M4 12l16-7-6 15-3-6z",
};

/** An icon; decoration only, the button around it carries the label. */
export function icon(name) {
  const path = svg("path", { d: PATHS[name] });
  return svg("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" }, path);
}
