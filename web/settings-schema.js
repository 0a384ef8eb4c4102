/** What a player may set: the usual value of each, and which values it may have. Nothing else comes out of storage. Pure. */
import { isSizes, SIZES } from "./bet-sizes.js";
import { isKeyMap } from "./key-map.js";
import { LANGUAGES } from "./phrases/language.js";

const flag = (usual) => ({ usual, isGood: (value) => typeof value === "boolean" });
const choice = (...values) => ({ usual: values[0], values, isGood: (value) => values.includes(value) });
const number = (usual, min, max) => ({ usual, isGood: (value) => typeof value === "number" && value >= min && value <= max });

export const SCHEMA = {
  /** The language of the page; empty for that of the browser. */
  language: { usual: "", isGood: (value) => value === "" || (typeof value === "string" && Object.hasOwn(LANGUAGES, value)) },
  /** What is light and what is dark; `device` as the device has it. */
  theme: choice("dark", "light", "device"),
  /** The cloth of the tables, and the backs of the cards. */
  felt: choice("green", "blue", "red", "violet", "grey"),
  back: choice("red", "blue", "green", "black"),
  /** Whether nothing moves that need not. Devices may say so too. */
  lessMotion: flag(false),
  fourColours: flag(true),
  sound: flag(true),
  /** Whether the player may be asked about notifications. */
  offerAlerts: flag(true),
  /** Whether giving up a hand that costs nothing is worth a question. */
  askFold: flag(true),
  /** Whether chips are added up to the last buy-in between hands. */
  autoTopUp: flag(false),
  /** What the player brought to a table last, in big blinds. */
  buyInBlinds: number(100, 0, Number.MAX_SAFE_INTEGER),
  /** The amounts that are offered, by street. */
  sizes: { usual: SIZES, isGood: isSizes },
  /** Whether a call says which part of the pot it pays for. */
  potOdds: flag(true),
  /** Whether hands that are face up say what they are worth while cards are still to come. */
  equity: flag(true),
  /** Whether chips are counted in big blinds. */
  inBlinds: flag(false),
  /** Whether the own cards are shown after a hand in which they need not be. */
  showAfter: flag(false),
  /** On how many boards the rest of a hand shall be dealt, or whether that is asked each time. */
  runs: choice("ask", "once", "twice"),
  /** Whether emotes are shown at the seats of those who say them. */
  emotes: flag(true),
  /** Whether a finger can fold, check and turn to another table on the felt. */
  gestures: flag(true),
  /** Whether a phone buzzes: in one's turn, and for gestures. */
  vibrate: flag(true),
  /** Whether the tables at which the player sits stand beside each other, where there is room for that. */
  tiles: flag(false),
  /** Whether the screen stays on while the player has a seat. */
  stayAwake: flag(true),
  /** The keys that are other than the usual ones. */
  keys: { usual: {}, isGood: isKeyMap },
};

/** What stands in storage, as far as it makes sense, and the usual for the rest. */
export function settingsFrom(kept) {
  const own = kept ?? {};
  const valueOf = ([name, { usual, isGood }]) => [name, Object.hasOwn(own, name) && isGood(own[name]) ? own[name] : usual];
  return Object.fromEntries(Object.entries(SCHEMA).map(valueOf));
}
