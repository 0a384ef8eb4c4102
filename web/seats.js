/** The seats around the felt: who sits there, with what, doing what; and the chips in front of them. */
import { drawAvatar } from "./avatar.js";
import { liftCards, offerCards, showCards } from "./cards.js";
import { chipPile } from "./chips.js";
import { el, setAttribute, setText, svg } from "./dom.js";
import { bestHand } from "./hand-rank.js";
import { handClassLabel, handLabel } from "./hand-words.js";
import { icon } from "./icons.js";
import { initial, isolated } from "./names.js";
import { say as sayOfSeat } from "./phrases/seat.js";
import { say } from "./phrases/table.js";

/** Radius of the clock ring on its 100 by 100 grid. */
const RING_RADIUS = 46;
const NO_CARDS = [];
const NONE = new Set();
/** An emote stands at its seat for so long. */
const EMOTE_MS = 3_000;

/** Badges that are worth more than the name of my hand; what I have done I know. */
const NEWS = new Set(["won", "away", "idle", "bank"]);

export class Seats {
  #sit;
  #note;
  #show;
  #seats = [];

  /**
   * @param {(seat: number) => void} sit asks for a free seat
   * @param {(player: object) => void} note asks for a note on who sits there
   * @param {(card: string) => void} show shows one of my cards to all
   */
  constructor(sit, note, show) {
    this.#sit = sit;
    this.#note = note;
    this.#show = show;
    this.element = el("ol", { class: "seats", "aria-label": say.seats });
    this.bets = el("div", { class: "bets" });
  }

  /**
   * @param {object} scene
   * @param {object} scene.view the table
   * @param {Story} scene.story
   * @param {number|null} scene.mine my seat
   * @param {string[]} scene.cards my hole cards
   * @param {Map<number, string[]>} scene.held by seat, the hole cards of which we are told who watch
   * @param {Unit} scene.unit in which chips are told
   * @param {Notes} scene.notes on the players
   * @param {Map<number, number>} scene.shares of a pot that hands win on average which are face up
   * @param {Set<string>} scene.kept cards of mine that nobody has seen and that may be shown
   */
  render(scene) {
    const { view } = scene;
    while (this.#seats.length > view.seats.length) this.#remove(this.#seats.pop());
    while (this.#seats.length < view.seats.length) this.#add(this.#seats.length);
    this.#seats.forEach((seat, at) => seat.render(view.seats[at], at, scene));
  }

  /** Puts everything in its place; see `layOut`. */
  move({ places, design }, width) {
    this.#seats.forEach((seat, at) => {
      seat.move(places[at], width);
      seat.bet.brief = design === "compact";
    });
  }

  /** Somebody has said an emote: it stands at the seat for a while. */
  emote(seat, text) {
    this.#seats[seat]?.emote(text);
  }

  /** Shows the time of the player whose turn it is; see `TurnClock`. */
  time(seat, share, seconds, banking) {
    this.#seats.forEach((other, at) => other.time(at === seat ? { share, seconds, banking } : null));
  }

  #add(at) {
    const seat = new Seat(at, () => this.#sit(at), this.#note, this.#show);
    this.#seats.push(seat);
    this.element.append(seat.element);
    this.bets.append(seat.bet.element);
  }

  #remove(seat) {
    seat.element.remove();
    seat.bet.element.remove();
  }
}

class Seat {
  #player = null;
  #emote = "";
  #emoteEnds = 0;
  /** The best hand that was looked for last, and of which cards. */
  #best = null;
  #bestKey = "";

  constructor(at, sit, note, show) {
    const shows = ({ target }) => target.closest(".card.offered") && show(target.closest(".card").dataset.card);
    const keydown = (event) => [" ", "Enter"].includes(event.key) && !event.repeat && shows(event) !== null && event.preventDefault();
    this.cards = el("div", { class: "seat-cards", on: { click: shows, keydown } });
    this.ring = svg("circle", { class: "ring", cx: 50, cy: 50, r: RING_RADIUS, pathLength: 100 });
    this.picture = svg("svg", { class: "seat-picture", viewBox: "0 0 100 100" });
    this.initial = el("span", { class: "seat-initial" });
    this.seconds = el("span", { class: "seat-seconds" });
    this.disc = el(
      "div",
      { class: "seat-disc", "aria-hidden": "true" },
      this.picture,
      this.initial,
      this.seconds,
      svg("svg", { class: "seat-ring", viewBox: "0 0 100 100" }, this.ring),
    );
    this.name = el("bdi", { class: "seat-name" });
    this.bot = el("span", { class: "bot-mark", text: say.bot, title: say.botOfHouse, hidden: true });
    this.stack = el("span", { class: "seat-stack" });
    this.badge = el("span", { class: "seat-badge" });
    this.button = el("span", { class: "dealer", text: say.dealer, role: "img", "aria-label": say.dealerButton, hidden: true });
    this.pod = el("div", { class: "seat-pod" }, this.disc, el("div", { class: "seat-text" }, el("div", { class: "seat-who" }, this.name, this.bot), this.stack));
    this.freeText = el("span", { text: say.sit });
    this.free = el(
      "button",
      { class: "seat-free", type: "button", "aria-label": () => say.sitIn(at + 1), data: { testid: `sit-${at}` }, on: { click: sit } },
      icon("plus"),
      this.freeText,
    );
    this.note = el("button", { class: "seat-note", type: "button", hidden: true, data: { testid: `note-${at}` }, on: { click: () => note(this.#player) } });
    this.tag = el("i", { class: "seat-tag", hidden: true });
    this.pod.append(this.tag, this.note);
    this.element = el(
      "li",
      { class: "seat", data: { testid: `seat-${at}` } },
      this.cards,
      this.pod,
      this.badge,
      this.free,
      this.button,
    );
    this.bet = chipPile("bet");
  }

  move({ x, y, bet }, width) {
    this.element.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px) translate(-50%, -50%)`;
    this.element.classList.toggle("on-the-right", x > width / 2);
    this.bet.element.style.transform = `translate(${Math.round(bet.x)}px, ${Math.round(bet.y)}px) translate(-50%, -50%)`;
  }

  render(player, at, { view, story, mine, cards, held, unit, notes, shares, kept, takes }) {
    this.#player = player;
    this.#renderNote(player, at === mine ? null : notes);
    const { hand } = view;
    setAttribute(this.button, "hidden", hand?.button !== at);
    this.element.classList.toggle("has-button", hand?.button === at);
    setAttribute(this.free, "hidden", player !== null || mine !== null);
    this.#renderReserved(at, view.reserved?.find((reserved) => reserved.seat === at), takes(at));
    setAttribute(this.pod, "hidden", player === null);
    this.element.classList.toggle("empty", player === null);
    this.element.classList.toggle("mine", at === mine);
    this.bet.unit = unit;
    this.bet.show(player?.bet ?? 0);
    setAttribute(this.bet.element, "aria-hidden", "true");
    if (!player) return this.#renderEmpty(at);

    const inHand = player.in_hand && !player.folded;
    const hasTurn = hand?.turn?.seat === at;
    // Not of whoever takes the seat right after the winner.
    const won = player.in_hand ? (story.won.get(at) ?? 0) : 0;
    this.element.classList.toggle("turn", hasTurn);
    this.element.classList.toggle("folded", player.in_hand && player.folded);
    this.element.classList.toggle("out", player.status === "sitting_out" || (!player.in_hand && hand !== null && !hand.ended));
    this.element.classList.toggle("winner", won > 0);
    setText(this.name, player.name);
    setAttribute(this.name, "title", player.name);
    setAttribute(this.bot, "hidden", !player.bot);
    const allIn = inHand && player.stack === 0 && !hand.ended;
    this.element.classList.toggle("all-in", allIn);
    const { stack, top_up: more } = player;
    const own = () => (allIn ? say.allIn() : unit.short(stack));
    setText(this.stack, () => (more > 0 ? `${own()} +${unit.brief(more)}` : own()));
    setText(this.initial, this.#emote || initial(player.name));
    if (this.disc.dataset.user !== player.user) drawAvatar(this.picture, player.user);
    setAttribute(this.disc, "data-user", player.user);
    this.#renderCards(player, inHand, hand, at === mine ? cards : (held?.get(at) ?? NO_CARDS));
    offerCards(this.cards, at === mine ? kept : NONE, sayOfSeat.showCard);
    this.#liftCards(at, won, hand, story);
    const news = badgeOf(player, story.did.get(at), { won: won && `+${unit.short(won)}`, banks: hasTurn && story.banking }, hand);
    const named = news.kind === "" || (at === mine && !NEWS.has(news.kind)) ? this.#nameHand(player, at, { view, story, mine, cards, shares }) : null;
    this.#renderBadge(named ?? news);
    const { name, bot, bet } = player;
    setAttribute(this.element, "aria-label", () => this.#spoken({ name, bot, stack, bet }, at, { hasTurn, mine, won, unit }));
    return undefined;
  }

  /** Shows an emote in the place of the initial, for a while. */
  emote(text) {
    clearTimeout(this.#emoteEnds);
    this.#emote = text;
    this.disc.classList.toggle("says", text !== "");
    setText(this.initial, text || initial(this.#player?.name ?? ""));
    if (text) this.#emoteEnds = setTimeout(() => this.emote(""), EMOTE_MS);
  }

  /** Of others only. */
  #renderNote(player, notes) {
    const isOther = player !== null && notes !== null;
    const { text, colour } = isOther ? notes.of(player.user) : {};
    setAttribute(this.note, "hidden", !isOther);
    setAttribute(this.tag, "hidden", !text && !colour);
    setAttribute(this.tag, "data-colour", colour ?? "none");
    if (!isOther) return;
    const { name } = player;
    setAttribute(this.note, "aria-label", () => sayOfSeat.note.on(isolated(name)));
    setAttribute(this.note, "title", text || (() => sayOfSeat.note.on(isolated(name))));
  }

  /** A seat that waits for somebody's chips is nobody else's; nor is any at a table whose host has not let one in, or keeps it for somebody. */
  #renderReserved(at, reserved, isMine) {
    setAttribute(this.free, "disabled", reserved !== undefined || !isMine);
    setText(this.freeText, reserved ? say.reserved : say.sit);
    setAttribute(this.free, "aria-label", reserved ? () => say.reservedFor(isolated(reserved.name)) : () => say.sitIn(at + 1));
  }

  #renderEmpty(at) {
    for (const name of ["turn", "folded", "out", "winner", "all-in"]) this.element.classList.toggle(name, false);
    showCards(this.cards, []);
    setText(this.badge, "");
    setAttribute(this.element, "aria-label", () => say.spoken.free(at + 1));
  }

  /** Face up what everybody sees, is mine or is told to who watches; backs for the others still in the hand. */
  #renderCards(player, inHand, hand, own) {
    const known = own.length > 0 && player.in_hand;
    setAttribute(this.cards, "data-testid", this.element.classList.contains("mine") ? "my-cards" : null);
    const down = hand ? Array(Math.max(0, hand.hole_cards - player.shown.length)).fill(null) : [];
    // Who shows some of them has not shown the others.
    const faces = known ? own : player.shown.length > 0 ? [...player.shown, ...down] : null;
    const backs = inHand ? down : [];
    showCards(this.cards, faces ?? backs);
    this.cards.classList.toggle("face-up", faces !== null);
    this.cards.classList.toggle("many", (faces ?? backs).length > 4);
    this.cards.style.setProperty("--cards", String(Math.max(2, (faces ?? backs).length)));
  }

  /** The winner's cards that count, on whichever board. */
  #liftCards(at, won, hand, story) {
    const counting = won > 0 && hand?.ended ? hand.boards.flatMap((_, run) => story.hand(at, run)?.cards ?? []) : [];
    liftCards(this.cards, new Set(counting));
  }

  #renderBadge({ text, title = text, kind }) {
    setText(this.badge, text);
    setAttribute(this.badge, "title", title);
    setAttribute(this.badge, "data-kind", kind);
  }

  /** A badge with a hand in words: my own on every street, and at the end all that are face up; null where there is nothing to name. */
  #nameHand(player, at, { view: { hand, config }, story, mine, cards, shares }) {
    if (!hand || !player.in_hand || player.folded || hand.boards.length > 1) return null;
    const seen = at === mine && cards.length > 0 ? cards : player.shown;
    if (seen.length < hand.hole_cards) return null;
    const made = story.hand(at) ?? this.#bestOf(config.variant, seen, hand.boards[0]) ?? {};
    const percent = shares.has(at) ? percentOf(shares.get(at)) : null;
    const name = () => (at === mine ? handLabel : handClassLabel)(made);
    const label = () => (percent === null ? name() : sayOfSeat.worth(percent, name()));
    if (!label() || (hand.ended && player.shown.length === 0 && at !== mine)) return null;
    const title = () => (percent === null ? handLabel(made) : sayOfSeat.worthOnAverage(percent, handLabel(made)));
    return { text: label, title, kind: "hand" };
  }

  /** Looked for once: there are many ways to choose five cards. */
  #bestOf(variant, cards, board) {
    const key = [variant, ...cards, "on", ...board].join(" ");
    if (key !== this.#bestKey) this.#best = bestHand(variant, cards, board);
    this.#bestKey = key;
    return this.#best;
  }

  time(clock) {
    this.disc.classList.toggle("ticking", clock !== null);
    if (!clock) return setText(this.seconds, "");
    this.disc.classList.toggle("banking", clock.banking);
    this.ring.style.strokeDashoffset = String(100 - 100 * clock.share);
    setText(this.seconds, String(clock.seconds));
    return undefined;
  }

  #spoken(player, at, { hasTurn, mine, won, unit }) {
    const who = at === mine ? `${isolated(player.name)} ${say.spoken.you()}` : isolated(player.name);
    const parts = [say.spoken.seat(at + 1, who)];
    if (player.bot) parts.push(say.spoken.bot());
    parts.push(say.spoken.chips(unit.amount(player.stack)));
    if (player.bet) parts.push(say.spoken.bet(unit.amount(player.bet)));
    if (hasTurn) parts.push(say.spoken.toAct());
    if (won) parts.push(say.spoken.wins(unit.amount(won)));
    else if (this.badge.title) parts.push(this.badge.title);
    return parts.join(", ");
  }
}

/** Only what is sure is all or nothing. */
function percentOf(share) {
  return share === 0 || share === 1 ? 100 * share : Math.min(99, Math.max(1, Math.round(100 * share)));
}

/** What has happened at a seat, shortly: `{text, kind}`, both empty where nothing has. */
function badgeOf(player, did, { won, banks }, hand) {
  if (won) return { text: won, kind: "won" };
  if (banks) return { text: sayOfSeat.bank, kind: "bank" };
  if (player.away) return { text: say.disconnected, kind: "away" };
  if (player.status === "sitting_out" && !(player.in_hand && hand && !hand.ended)) return { text: say.sittingOut, kind: "idle" };
  if (player.status === "waiting") return { text: say.waitsForBlind, kind: "idle" };
  if (player.status === "leaving") return { text: say.leaving, kind: "idle" };
  if (did && player.in_hand && !hand?.ended) return { text: say.did[did.kind] ?? "", kind: did.kind };
  return { text: "", kind: "" };
}
