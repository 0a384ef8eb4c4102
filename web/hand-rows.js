/**
 * The rows of a list of hands, of which there may be thousands. What one of them costs while the list is scrolled is what counts here: its cards are an
 * element each without a layer of its own, and the rows stand in groups, so that what changes under the pointer is painted again with its group and not with
 * the list. A row is drawn once, and stays while other hands come above and below: whoever reads it, or has it under the keyboard, does not lose it.
 */
import { amountIn } from "./currencies.js";
import { el } from "./dom.js";
import { moment, stakes } from "./format.js";
import { game } from "./games.js";
import { bare, change } from "./money.js";
import { say as sayOfCards } from "./phrases/hands.js";
import { say } from "./phrases/history.js";

/** Rows in a group: about a screenful. */
const GROUP = 25;

/** How many of `ids` stand above and below the `shown` ones; null where these are not in it, one behind the other. */
export function around(shown, ids) {
  const above = ids.indexOf(shown[0]);
  const isThere = above >= 0 && shown.every((id, at) => ids[above + at] === id);
  return isThere ? { above, below: ids.length - above - shown.length } : null;
}

export class HandRows {
  #isOwn;
  #shown = [];

  /** @param {boolean} isOwn my own hands, with what came of them for me; others, with who has won them */
  constructor(isOwn) {
    this.#isOwn = isOwn;
    const heads = [["when", say.when], ["where", say.table], ["cards", say.cards], ["pot", say.pot], ["net", isOwn ? say.result : say.winners]];
    this.element = el(
      "table",
      { class: "table-frame hands-table", role: "table", data: { testid: "hands-table" } },
      el("caption", { class: "for-ears", text: say.caption }),
      el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, ...heads.map(([name, text]) => el("th", { scope: "col", role: "columnheader", class: `hands-${name}`, text })))),
    );
  }

  /** Shows these hands, the latest first; draws those that are not there yet. */
  show(hands) {
    const ids = hands.map(({ id }) => id);
    let news = around(this.#shown, ids);
    if (!news) {
      [...this.element.tBodies].forEach((group) => group.remove());
      news = { above: 0, below: hands.length };
    }
    for (const hand of hands.slice(0, news.above).reverse()) this.#put(hand, "prepend");
    for (const hand of hands.slice(hands.length - news.below)) this.#put(hand, "append");
    this.#shown = ids;
  }

  /** The latest of them, which moves when others come above; undefined where there is none. */
  get first() {
    return this.element.tBodies[0]?.firstChild;
  }

  /** Into the group at this end, or into a new one where that is full. */
  #put(hand, end) {
    const isAbove = end === "prepend";
    const groups = [...this.element.tBodies];
    let group = groups.at(isAbove ? 0 : -1);
    if (!group || group.childElementCount === GROUP) {
      const next = el("tbody", { role: "rowgroup" });
      if (isAbove && group) group.before(next);
      else this.element.append(next);
      group = next;
    }
    group[end](row(hand, this.#isOwn));
  }
}

/** `NL Hold'em 1/2`. */
export function played(hand) {
  return `${game(hand)} ${stakes(amountIn(hand.currency, hand.small_blind), amountIn(hand.currency, hand.big_blind))}`;
}

function row(hand, isOwn) {
  const { id, ended_ms: at, table, number, you, net, players, boards, pot } = hand;
  const cell = (name, ...inside) => el("td", { role: "cell", class: `hands-${name}` }, ...inside);
  const place = (name, label, cards) => el("span", { class: `hands-${name}`, role: "group", "aria-label": label }, ...cards.map(card));
  const mine = players.find(({ seat }) => seat === you);
  const winners = players.filter((player) => player.net > 0);
  const result = () => el("span", { class: net < 0 ? "went" : "came", text: () => change(net, hand) });
  const won = () => el("span", {}, ...winners.flatMap(({ name, seat, net: by }, nth) => [nth > 0 ? ", " : "", el("bdi", { text: name ?? (() => say.seat(seat + 1)) }), " ", el("span", { class: "came", text: () => change(by, hand) })]));
  return el(
    "tr",
    { role: "row", class: hand.void ? "is-void" : "", data: { testid: "hand-row", id } },
    cell("when", el("a", { href: `#/hand/${id}` }, el("time", { datetime: new Date(at).toISOString(), text: () => moment(at) }))),
    cell("where", el("span", { text: table }), el("small", { text: () => say.numberAt(number, played(hand)) }), hand.void ? el("small", { class: "went", text: say.isVoid }) : null),
    cell("cards", ...(mine ? [place("hole", say.hole, mine.cards)] : []), place("board", say.board, boards[0])),
    cell("pot", el("span", { text: () => bare(pot, hand) })),
    cell("net", isOwn ? result() : won()),
  );
}

/** A card such as `As`, or the back of one that nobody has seen: one element, its suit a picture of the sheet. */
function card(name) {
  if (!name) return el("span", { class: "hand-card", data: { card: "" } });
  const [rank, suit] = name;
  return el("span", { class: "hand-card", text: rank === "T" ? "10" : rank, data: { suit, card: name }, role: "img", "aria-label": () => sayOfCards.card(rank, suit) });
}
