/** Setting a password by a link that works once, which staff has given. */
import { shown } from "./dialog.js";
import { el } from "./dom.js";
import { asking } from "./form.js";
import { say } from "./phrases/account.js";
import { passwordField } from "./sign-dialog.js";

/** @returns {Promise<boolean>} whether it was set */
export async function askLink(api, link) {
  let isSet = false;
  const send = async ({ password }) => {
    await api.setPasswordBy({ link, password });
    isSet = true;
    dialog.close();
  };
  const dialog = el(
    "dialog",
    { class: "dialog", "aria-labelledby": "link-title", data: { testid: "link" } },
    el("h2", { id: "link-title", text: say.linkTitle }),
    asking({ submit: say.setPassword, testid: "link-ok", send }, passwordField("password", say.newPassword, true)),
  );
  await shown(dialog);
  return isSet;
}
