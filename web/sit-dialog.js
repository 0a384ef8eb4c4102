/** Asks how many chips to bring: on sitting down, and for a top-up. */
import { shown } from "./dialog.js";
import { el, setAttribute, setText } from "./dom.js";
import { legalAmount } from "./bet-model.js";
import { say } from "./phrases/table.js";
import { Unit } from "./unit.js";

/**
 * @param {object} wish
 * @param {() => string} wish.title
 * @param {() => string} wish.action the label of the button
 * @param {{min: number, max: number}} wish.limits
 * @param {(() => string) | null} wish.has tells what there is to bring from, where that is known
 * @param {number} wish.amount proposed
 * @param {number} wish.bigBlind for showing the amount in big blinds
 * @param {string|null} wish.currency what the chips are, if they are somebody's
 * @param {(() => string) | null} wish.agrees what whoever sits down agrees to
 * @param {boolean} wish.offerWait whether one may wait for the big blind instead of posting
 * @returns {Promise<{amount: number, wait: boolean} | null>} null when the player thinks better of it
 */
export async function askChips({ title, action, limits, has = null, amount, bigBlind, currency = null, agrees = null, offerWait }) {
  const { min, max } = limits;
  const unit = new Unit(null, currency);
  const range = el("input", { type: "range", min, max, step: 1, "aria-label": say.chips });
  const number = el("input", {
    type: "number",
    inputmode: unit.step < 1 ? "decimal" : "numeric",
    id: "buy-in",
    min: unit.plain(min),
    max: unit.plain(max),
    step: unit.step,
    required: true,
    data: { testid: "buy-in" },
  });
  const inBlinds = el("span", { class: "hint" });
  const wait = el("input", { type: "checkbox" });
  const show = (value) => {
    range.value = value;
    setAttribute(range, "aria-valuetext", () => unit.full(Number(value)));
    setText(inBlinds, () => say.inBlinds(Math.round((value / bigBlind) * 10) / 10));
  };
  range.addEventListener("input", () => {
    number.value = unit.plain(Number(range.value));
    show(range.value);
  });
  number.addEventListener("input", () => show(legalAmount(unit.typed(number.value), limits)));
  const proposed = legalAmount(Number(amount), limits);
  number.value = unit.plain(proposed);
  show(proposed);

  let answer = null;
  const submit = (event) => {
    event.preventDefault();
    answer = { amount: legalAmount(unit.typed(number.value), limits), wait: wait.checked };
    dialog.close();
  };
  const cancel = el("button", { class: "button", type: "button", text: say.cancel, on: { click: () => dialog.close() } });
  const ok = el("button", { class: "button primary", type: "submit", text: action, data: { testid: "sit-ok" } });
  const dialog = el(
    "dialog",
    { class: "dialog", "aria-labelledby": "chips-title" },
    el(
      "form",
      { on: { submit } },
      el("h2", { id: "chips-title", text: title }),
      el("label", { class: "label", for: "buy-in", text: () => say.chipsBetween(unit.amount(min), unit.amount(max)) }),
      el("div", { class: "amount-row" }, number, inBlinds),
      range,
      has ? el("p", { class: "hint", text: has, data: { testid: "you-have" } }) : null,
      agrees ? el("p", { class: "hint", text: agrees, data: { testid: "agrees" } }) : null,
      offerWait ? el("label", { class: "check" }, wait, el("span", { text: say.waitInstead })) : null,
      el("div", { class: "dialog-buttons" }, cancel, ok),
    ),
  );
  const closed = shown(dialog);
  number.select();
  await closed;
  return answer;
}
