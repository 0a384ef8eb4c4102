/** What comes when a table is opened, or has a host: the dialogs, the host's bar, their words and their sheet. */
import { HostBar } from "./host-bar.js";
import { showInvite as invite } from "./invite-dialog.js";
import { askTable } from "./open-dialog.js";
import { withSheet } from "./sheet.js";

const SHEET = import.meta.resolve("./style/hosted.css");

/** Asks for a table of the player's own and opens it. @returns {Promise<string|null>} its room */
export async function openTable(connection, me, rules, codes) {
  await withSheet(SHEET);
  return askTable(connection, me, rules, codes);
}

/** Says how others find a table. */
export function showInvite(room, code) {
  return invite(room, code);
}

/** What stands at a table that has a host. */
export async function hostBar(parts) {
  await withSheet(SHEET);
  return new HostBar(parts);
}
