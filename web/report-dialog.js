/** Reports a player to the staff of the house; comes when it is asked for. */
import { askAsMyself } from "./as-myself.js";
import { shown } from "./dialog.js";
import { el } from "./dom.js";
import { asking } from "./form.js";
import { isolated } from "./names.js";
import { say as sayOfPage } from "./phrases/page.js";
import { say } from "./phrases/report.js";
import { say as sayOfTalk } from "./phrases/talk.js";
import { withSheet } from "./sheet.js";

const SHEET = import.meta.resolve("./style/note.css");

/** As many as the house takes. */
const WORDS_MAX = 200;

/**
 * @param {object} about
 * @param {Identity} about.identity who reports
 * @param {string} about.user who is reported
 * @param {string} about.name what others call them
 * @param {string} about.room where it was
 * @param {boolean} about.muted whether what they write is hidden already
 * @returns {Promise<boolean>} whether it is to be hidden from now on
 */
export async function askReport({ identity, user, name, room, muted }) {
  await withSheet(SHEET);
  let hides = false;
  const kinds = Object.entries(say.kind).map(([kind, text]) =>
    el("div", {}, el("label", { class: "check" }, el("input", { type: "radio", name: "kind", value: kind, required: true, on: { change: () => look(kind) } }), el("span", { text }))),
  );
  const words = el("textarea", { name: "words", maxlength: WORDS_MAX, rows: 3, "aria-label": say.words, placeholder: say.words, data: { testid: "report-words" } });
  const hide = el("label", { class: "check", hidden: muted }, el("input", { type: "checkbox", name: "hide", data: { testid: "report-mute" } }), el("span", { text: sayOfTalk.mute }));
  const send = async (values) => {
    hides = values.hide === "on";
    const body = { user, room, kind: values.kind, words: values.words };
    try {
      await askAsMyself(identity, "POST", "/api/reports", { body, words: say.refused });
    } catch (error) {
      if (error.code !== "already_reported") throw error;
      return tell(() => say.known(isolated(name)));
    }
    return tell(say.received);
  };
  const title = el("h2", { id: "report-title", text: () => say.title(isolated(name)) });
  const button = (text, more = "") =>
    el("button", { class: `button wide ${more}`, type: "button", text, "aria-describedby": more ? "report-told" : null, data: { testid: "report-close" }, on: { click: () => dialog.close() } });
  const dialog = el(
    "dialog",
    { class: "dialog report", "aria-labelledby": "report-title", data: { testid: "report" } },
    title,
    el("p", { text: () => say.whoSees(isolated(name)) }),
    asking({ submit: say.report, testid: "report-ok", send, kind: "danger" }, el("fieldset", { class: "report-kinds" }, el("legend", { class: "for-ears", text: say.what }), ...kinds), words, hide),
    button(sayOfPage.cancel),
  );

  /** What is none of the others is told in words. */
  function look(kind) {
    words.required = kind === "other";
  }

  /** It is done: there is nothing more to fill in. */
  function tell(text) {
    const told = el("p", { id: "report-told", role: "status", text, data: { testid: "report-told" } });
    dialog.replaceChildren(title, told, button(sayOfPage.close, "primary"));
    dialog.lastChild.focus();
  }

  await shown(dialog);
  return hides;
}
