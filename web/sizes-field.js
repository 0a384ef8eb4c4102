/** The part of the settings in which a player writes the amounts that are offered on each street. */
import { SIZES, sizesFrom } from "./bet-sizes.js";
import { el, setAttribute, setText } from "./dom.js";
import { say } from "./phrases/settings.js";

/** @param {Settings} settings */
export function sizesField(settings) {
  const said = el("p", { class: "field-error", role: "status", data: { testid: "sizes-said" } });
  const fields = Object.keys(SIZES).map((street) => {
    const input = el("input", {
      type: "text", autocomplete: "off", autocapitalize: "off", spellcheck: "false", maxlength: 60, name: `sizes-${street}`,
      on: { change: () => take(street, input) },
    });
    input.value = settings.sizes[street];
    return el("label", {}, el("span", { text: say.sizes[street] }), input);
  });

  function take(street, input) {
    const isGood = sizesFrom(input.value) !== null;
    setAttribute(input, "aria-invalid", isGood ? null : "true");
    setText(said, isGood ? "" : say.sizes.unclear);
    if (isGood) settings.sizes = { ...settings.sizes, [street]: input.value.trim() };
  }

  return el("fieldset", { class: "sizes" }, el("legend", { text: say.sizes.title }), el("small", { text: say.sizes.help }), el("div", {}, ...fields), said);
}
