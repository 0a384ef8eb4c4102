/** Who one is in this browser, and the way to be somebody else in this window. */
import { shown } from "./dialog.js";
import { el } from "./dom.js";

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
      text: isOther
        ? "In this window alone you play as this guest. Other windows of this browser have another one."
        : "All windows of this browser are this guest. Your seats are yours in each of them.",
    }),
    isOther ? button("Be who I am in the other windows", "who-back", "back", "primary") : null,
    button("Play as somebody else in this window", "who-other", "other"),
    button("Close", "who-close", null),
  );
  await shown(dialog);
  return choice;
}
