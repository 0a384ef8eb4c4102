/** What the lobby has: cash tables, sit & gos, tournaments. One of them is shown. */
import { el } from "./dom.js";
import { say } from "./phrases/lobby.js";

const TABS = [
  { of: "cash", href: "#/", text: say.title },
  { of: "sng", href: "#/sit-and-gos", text: say.sitAndGos },
  { of: "mtt", href: "#/tournaments", text: say.tournaments },
];

/** @returns {{element: HTMLElement, show: (of: "cash"|"sng"|"mtt") => void}} */
export function lobbyTabs(shown) {
  const links = TABS.map(({ of, href, text }) => el("a", { class: "lobby-tab", href, text, data: { testid: `tab-${of}`, of } }));
  const show = (of) => links.forEach((link) => (link.dataset.of === of ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current")));
  show(shown);
  return { element: el("nav", { class: "lobby-tabs", "aria-label": say.lobby }, ...links), show };
}
