/** AI players in the host's menu: which there are, and more of them. */
import { el } from "./dom.js";
import { labelled, select } from "./open-dialog.js";
import { say } from "./phrases/hosted.js";

const LEVELS = ["easy", "medium", "hard"];

/** How many could sit down: on seats that are free and kept for nobody. @param {object} view the table */
export function freeSeats({ seats, hosted, waiting_list: list }) {
  const taken = seats.filter((seat) => seat).length;
  return Math.max(0, seats.length - taken - hosted.kept.length - (list?.called.length ?? 0));
}

/**
 * @param {object} view the table
 * @param {string} me
 * @param {(what: () => object|object) => () => Promise<void>} does makes of a command what asks for it
 * @returns {HTMLElement|null} nothing at a table that has none
 */
export function aiSection(view, me, does) {
  const { ai = [], ai_seats: allowed = "none", leaving } = view.hosted;
  if (allowed === "none") return null;
  const button = (text, testid, what, kind = "") => el("button", { class: `button ${kind}`, type: "button", text, data: { testid }, on: { click: does(what) } });
  const player = ({ user, name, here }) => el(
    "li",
    {},
    el("bdi", { text: name }),
    here ? null : el("small", { class: "hint", text: say.ai.comes }),
    leaving.includes(user) ? null : button(say.kick, "ai-remove", { a: "remove_ai", user }),
  );
  return el(
    "section",
    { class: "host-ai", "aria-labelledby": "host-ai-title", data: { testid: "host-ai" } },
    el("h3", { id: "host-ai-title", text: say.ai.title }),
    el("small", { class: "hint", text: say.ai.help }),
    ai.length > 0 ? el("ul", { class: "host-list" }, ...ai.map(player)) : null,
    ai.length > 1 ? button(say.ai.removeAll, "ai-remove-all", { a: "remove_ai" }) : null,
    more(view, me, button),
  );
}

/** The fields with which more are invited, or why there can be none. */
function more(view, me, button) {
  const free = Math.min(freeSeats(view), 9);
  if (!view.seats.some((seat) => seat?.user === me)) return el("p", { class: "hint", text: say.ai.sitFirst });
  if (free === 0) return el("p", { class: "hint", text: say.ai.full });
  const count = select("ai-count", Array.from({ length: free }, (_, at) => [String(at + 1), () => say.ai.count(at + 1)]), "1");
  const level = select("ai-level", LEVELS.map((word) => [word, say.ai.level[word]]), "medium");
  const invite = () => ({ a: "invite_ai", count: Number(count.value), level: level.value });
  return el("div", { class: "host-ai-more" }, labelled(say.ai.countLabel, count), labelled(say.ai.levelLabel, level), button(say.ai.add, "ai-add", invite, "primary"));
}
