/** What comes when a player sets something: the dialogs, their words and their sheet. */
import { showKeys } from "./keys-dialog.js";
import { showSettings } from "./settings-dialog.js";
import { withSheet } from "./sheet.js";

const SHEET = import.meta.resolve("./style/settings.css");

/** @param {"settings"|"keys"} what @param {Settings} settings */
export async function setThings(what, settings) {
  await withSheet(SHEET);
  await (what === "keys" ? showKeys : showSettings)(settings);
}
