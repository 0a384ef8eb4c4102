/** What comes when somebody wants an account or has one: its dialogs, their words and their sheet. */
import { AccountApi } from "./account-api.js";
import { showAccount } from "./account-dialog.js";
import { cameBack } from "./came-back.js";
import { askLink } from "./link-dialog.js";
import { withSheet } from "./sheet.js";
import { askSign } from "./sign-dialog.js";

const SHEET = import.meta.resolve("./style/account.css");

/**
 * @param {"account"|"in"|"link"|"back"} what the account of who plays here, signing in, setting a password by a link and then signing in, or
 *   what came of signing in elsewhere
 * @param {object} identity
 * @param {object} with_
 * @param {number} with_.seats that who plays here has
 * @param {string|null} with_.link what stands in the link, or behind the way back
 * @returns {Promise<"another"|"same"|"gone"|null>} whether somebody else plays here now, the same person otherwise, or nobody
 */
export async function account(what, identity, { seats, link }) {
  await withSheet(SHEET);
  const about = { api: new AccountApi(identity), identity, seats };
  if (what === "account") return showAccount(about);
  if (what === "back") return cameBack(link, about);
  if (what === "link" && !(await askLink(about.api, link))) return null;
  return askSign("in", about);
}
