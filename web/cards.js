/** Playing cards: faces and backs, drawn with CSS and one path a suit. */
import { el, setAttribute, svg } from "./dom.js";
import { say } from "./phrases/hands.js";

/** Suits on a 32 by 32 grid. */
const SUIT_PATHS = {
  s: "M16 2C13 8 4 12 4 19a6 6 0 0 0 10.300 4.200C14 26 13 28.500 11 30h10c-2-1.500-3-4-3.300-6.800A6 6 0 0 0 28 19C28 12 19 8 16 2z",
  h: "M16 29C10 23 3 18 3 11a6.600 6.600 0 0 1 13-2 6.600 6.600 0 0 1 13 2c0 7-7 12-13 18z",
  d: "M16 2c3 5 6 9.500 10 14-4 4.500-7 9-10 14-3-5-6-9.500-10-14 4-4.500 7-9 10-14z",
  c: "M16 2a6.200 6.200 0 0 0-5.200 9.600A6.200 6.200 0 1 0 14.300 22C14 25.500 13 28.500 11 30h10c-2-1.500-3-4.500-3.300-8a6.200 6.200 0 1 0 3.500-10.400A6.200 6.200 0 0 0 16 2z",
};

/** A card face up, such as `As`. */
export function cardFace(card) {
  const [rank, suit] = card;
  const ten = rank === "T";
  const pip = () => svg("svg", { viewBox: "0 0 32 32", "aria-hidden": "true" }, svg("path", { d: SUIT_PATHS[suit] }));
  return el(
    "span",
    { class: "card", data: { suit, card }, role: "img", "aria-label": () => say.card(rank, suit) },
    el("span", { class: ten ? "card-corner card-ten" : "card-corner", "aria-hidden": "true" }, el("b", { text: ten ? "10" : rank }), pip()),
    el("span", { class: "card-pip", "aria-hidden": "true" }, pip()),
  );
}

/** A card face down. */
export function cardBack() {
  return el("span", { class: "card card-back", data: { card: "" } });
}

/**
 * Makes `place` hold these cards (`null` for a back), touching only what differs: a card that stays must not be dealt again.
 * @param {HTMLElement} place
 * @param {(string|null)[]} cards
 */
export function showCards(place, cards) {
  while (place.children.length > cards.length) place.lastChild.remove();
  cards.forEach((card, at) => {
    const there = place.children[at];
    if (there && there.dataset.card === (card ?? "")) return;
    const drawn = card ? cardFace(card) : cardBack();
    drawn.style.setProperty("--at", at);
    if (there) there.replaceWith(drawn);
    else place.append(drawn);
  });
}

/**
 * Makes some cards of a place ones that can be pressed, and all others pictures again.
 * @param {HTMLElement} place
 * @param {Set<string>} cards
 * @param {(card: string) => string} label what is said of one that can, by its name
 */
export function offerCards(place, cards, label) {
  for (const it of place.children) {
    const { card } = it.dataset;
    if (!card) continue;
    const isOffered = cards.has(card);
    if (it.classList.contains("offered") === isOffered) continue;
    it.classList.toggle("offered", isOffered);
    setAttribute(it, "role", isOffered ? "button" : "img");
    setAttribute(it, "tabindex", isOffered ? 0 : null);
    const name = () => say.card(...card);
    setAttribute(it, "title", isOffered ? () => label(name()) : null);
    setAttribute(it, "aria-label", isOffered ? () => label(name()) : name);
  }
}

/** Lifts these cards of a place and dims its others; none lifted leaves all as they are. */
export function liftCards(place, lifted) {
  for (const card of place.children) {
    const counts = lifted.has(card.dataset.card);
    card.classList.toggle("counts", counts);
    card.classList.toggle("spare", lifted.size > 0 && !counts);
  }
}
