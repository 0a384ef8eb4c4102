/** Who one is in this browser, the way to one's account, and the way to be somebody else in this window. */
import { shown } from "./dialog.js";
import { el } from "./dom.js";
import { say as sayOfPage } from "./phrases/page.js";
import { say } from "./phrases/who.js";

/**
 * @param {object} identity
 * @param {string} name that others see
 * @returns {Promise<"account"|"other"|"back"|null>} what was chosen: to see to one's account, to be somebody else here, to be who one is in the
 *   other windows again, or nothing
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
  const { isOther, isMember, mayBeMember } = identity;
  const dialog = el(
    "dialog",
    { class: "dialog", "aria-labelledby": "who-title" },
    el("h2", { id: "who-title" }, el("bdi", { text: name })),
    el("p", {
      text: isOther ? say.other : isMember ? say.member : say.here,
    }),
    isOther ? button(say.beBack, "who-back", "back", "primary") : null,
    mayBeMember && !isOther ? button(say.account, "who-account", "account", "primary") : null,
    button(say.beOther, "who-other", "other"),
    button(sayOfPage.close, "who-close", null),
  );
  await shown(dialog);
  return choice;
}
