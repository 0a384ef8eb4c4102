/** Who one is in this browser, and the way to be somebody else in this window. */
import { shown } from "./dialog.js";
import { el } from "./dom.js";
import { say } from "./phrases/page.js";

/**
 * @param {object} identity
 * @param {string} name that others see
 * @returns {Promise<"other"|"back"|null>} what was chosen: to be somebody else here, to be who one is in the other windows again, or nothing
 */
export async function askWho(identity, name) {
  let choice = null;
  const button = (text, testid, chosen, kind = "") =>
    el("button", {
      class: `button wide ${kind}`,
      type: "button",
      text,
      data: { testid },
      on: {
        click: () => {
          choice = chosen;
          dialog.close();
        },
      },
    });
  const { isOther } = identity;
  const dialog = el(
    "dialog",
    { class: "dialog", "aria-labelledby": "who-title" },
    el("h2", { id: "who-title" }, el("bdi", { text: name })),
    el("p", {
      text: isOther ? say.whoOther : say.whoHere,
    }),
    isOther ? button(say.beBack, "who-back", "back", "primary") : null,
    button(say.beOther, "who-other", "other"),
    button(say.close, "who-close", null),
  );
  await shown(dialog);
  return choice;
}
