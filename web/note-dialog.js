/** Asks what a player wants to remember of another one. */
import { shown } from "./dialog.js";
import { el } from "./dom.js";
import { COLOURS, NOTE_MAX } from "./notes.js";
import { say } from "./phrases/seat.js";
import { say as sayOfTalk } from "./phrases/talk.js";
import { withSheet } from "./sheet.js";

const SHEET = import.meta.resolve("./style/note.css");

/**
 * @param {string} name of the other player
 * @param {{text: string, colour: string|null, muted: boolean}} note as it stands
 * @param {boolean} canReport whether the player can be reported
 * @returns {Promise<{text: string, colour: string|null, muted: boolean, reports: boolean} | null>} null when it stays as it is; `reports`
 *   when the player is to be reported besides
 */
export async function askNote(name, note, canReport) {
  await withSheet(SHEET);
  let answer = null;
  const text = el("textarea", { maxlength: NOTE_MAX, rows: 4, "aria-label": say.note.text, placeholder: say.note.text, data: { testid: "note-text" } });
  text.value = note.text;
  const colours = [null, ...COLOURS].map((colour) => {
    const radio = el("input", { type: "radio", name: "colour", value: colour ?? "" });
    radio.checked = colour === note.colour;
    return el("label", { class: "note-colour", title: colour ? say.colour[colour] : say.note.none }, radio, el("i", { data: { colour: colour ?? "none" } }), el("span", { class: "for-ears", text: colour ? say.colour[colour] : say.note.none }));
  });
  const muted = el("input", { type: "checkbox", data: { testid: "note-mute" } });
  muted.checked = note.muted;
  const report = canReport ? el("button", { class: "button", type: "submit", text: sayOfTalk.report, data: { testid: "note-report" } }) : null;
  const submit = (event) => {
    event.preventDefault();
    const chosen = dialog.querySelector("[name=colour]:checked")?.value;
    answer = { text: text.value, colour: chosen || null, muted: muted.checked, reports: event.submitter === report };
    dialog.close();
  };
  const dialog = el(
    "dialog",
    { class: "dialog", "aria-labelledby": "note-title", data: { testid: "note" } },
    el(
      "form",
      { on: { submit } },
      el("h2", { id: "note-title" }, el("bdi", { text: name })),
      el("p", { text: say.note.whose }),
      text,
      el("fieldset", { class: "note-colours" }, el("legend", { class: "for-ears", text: say.note.colour }), ...colours),
      el("label", { class: "check" }, muted, el("span", { text: sayOfTalk.mute })),
      el(
        "div",
        { class: "dialog-buttons" },
        report,
        el("button", { class: "button", type: "button", text: say.note.cancel, on: { click: () => dialog.close() } }),
        el("button", { class: "button primary", type: "submit", text: say.note.keep, data: { testid: "note-ok" } }),
      ),
    ),
  );
  await shown(dialog);
  return answer;
}
