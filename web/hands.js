/** The pages of hands that are over: lists of them, and one to be seen again. They come when they are asked for. */
import { HandsPage } from "./hands-page.js";
import { ofHash } from "./hand-link.js";
import { el } from "./dom.js";
import { HistoryApi } from "./history-api.js";
import { Nowhere } from "./nowhere.js";
import { say } from "./phrases/history.js";
import { onLanguage } from "./phrases/language.js";
import { withSheet } from "./sheet.js";

/** Lists, by their table; my own under null. */
const lists = new Map();
/** The hand that was asked for last. */
let replayer = null;
onLanguage(() => replayer?.retell());

/**
 * The page that an address names; be it that there is nothing.
 * @param {string} hash
 * @param {object} parts see `Replayer`
 */
export async function pageOf(hash, parts) {
  const named = ofHash(hash);
  if (!named) return new Nowhere();
  const api = new HistoryApi(parts.identity);
  const sheet = withSheet(import.meta.resolve("./style/history.css"));
  if (named.id) {
    const found = api.hand(named.id, named.hidesNames);
    const [{ Replayer }, { Table }, told] = await Promise.all([import("./replayer.js"), import("./table.js"), found.catch(noneOf), sheet]);
    replayer?.leave(); // It may never have been shown: somebody was elsewhere by then.
    replayer = told && new Replayer(Table, told, parts);
    return replayer ?? new NoHand();
  }
  await sheet;
  if (!lists.has(named.room)) lists.set(named.room, new HandsPage(api, named.room));
  return lists.get(named.room);
}

function noneOf(error) {
  if (error.code === "not_found") return null;
  throw error;
}

/** The page for a hand that there is not. */
class NoHand {
  element = el(
    "main",
    { class: "nowhere", tabindex: -1, data: { testid: "no-hand" } },
    el("h1", { text: say.noHand }),
    el("p", { text: say.noHandWhy }),
    el("a", { class: "button primary", href: "#/hands", text: say.own }),
  );

  enter() {}

  leave() {}
}
