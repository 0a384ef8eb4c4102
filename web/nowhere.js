/** The page for an address at which there is nothing. */
import { el } from "./dom.js";
import { say as sayOfPage } from "./phrases/page.js";
import { say } from "./phrases/tournament.js";

export class Nowhere {
  element = el(
    "main",
    { class: "nowhere", tabindex: -1, data: { testid: "nowhere" } },
    el("h1", { text: say.nowhere }),
    el("p", { text: say.nowhereWhy }),
    el("a", { class: "button primary", href: "#/", text: sayOfPage.toLobby }),
  );

  enter() {}

  leave() {}
}
