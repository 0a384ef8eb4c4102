/** Numbers and times as people read them, in the language that is spoken. */
import { language } from "./phrases/language.js";

/** From here on a stack is too long for its place on a phone. */
const COMPACT_FROM = 1_000_000;
/** From here on a bet is. */
const BRIEF_FROM = 10_000;

const FORMATS = {
  grouped: { maximumFractionDigits: 1 },
  compact: { notation: "compact", maximumFractionDigits: 1, useGrouping: true },
  brief: { notation: "compact", maximumSignificantDigits: 3, useGrouping: true },
};
const made = new Map();

function format(name, amount, form = FORMATS[name]) {
  const key = `${name} ${language()}`;
  if (!made.has(key)) made.set(key, new Intl.NumberFormat(language(), form));
  return made.get(key).format(amount);
}

/** An amount in the smallest unit of a currency with digits behind the point. Words are made of it as of any other; reckoned with it is what it is in the currency's own unit. */
export class Amount {
  constructor(minor, digits) {
    this.valueOf = () => minor / 10 ** digits;
    this.digits = digits;
  }
}

/** `12,345`. */
export function chips(amount) {
  const digits = amount?.digits;
  return digits ? format(digits, amount, { minimumFractionDigits: digits }) : format("grouped", amount);
}

/** `12,345`, but `1.2M` from a million on. */
export function chipsShort(amount) {
  return amount < COMPACT_FROM ? chips(amount) : format("compact", amount);
}

/** `9,999`, but `12.5K` from ten thousand on. */
export function chipsBrief(amount) {
  return amount < BRIEF_FROM ? chips(amount) : format("brief", amount);
}

/** `1/2`. */
export function stakes(smallBlind, bigBlind) {
  return `${chipsShort(smallBlind)}/${chipsShort(bigBlind)}`;
}

/** A day and an hour: `3 Dec 2026, 14:05`. */
export function moment(ms) {
  return new Date(ms).toLocaleString(language(), { dateStyle: "medium", timeStyle: "short" });
}

/** `3:05 PM`. */
export function timeOfDay(ms) {
  return new Date(ms).toLocaleTimeString(language(), { hour: "numeric", minute: "2-digit" });
}

/** Whole seconds left, never below 0, rounded up so that it shows 0 only at the end. */
export function secondsLeft(deadlineMs, nowMs) {
  return Math.max(0, Math.ceil((deadlineMs - nowMs) / 1000));
}

const SUIT_SIGNS = { c: "♣", d: "♦", h: "♥", s: "♠" };

/** `A♠ K♦`, for the log. */
export function cardSigns(cards) {
  return cards.map(([rank, suit]) => (rank === "T" ? "10" : rank) + SUIT_SIGNS[suit]).join(" ");
}
