/** The choice of a language, for wherever one may not understand the one that is spoken: each stands there under its own name. */
import { el } from "./dom.js";
import { language, LANGUAGES, onLanguage } from "./phrases/language.js";
import { say } from "./phrases/page.js";

onLanguage(() => document.querySelectorAll("select.language").forEach((select) => (select.value = language())));

/** @param {Settings} settings @param {string} more classes */
export function languageSwitch(settings, more = "") {
  const options = Object.entries(LANGUAGES).map(([code, name]) => el("option", { value: code, lang: code, text: name }));
  const select = el(
    "select",
    { class: `language ${more}`, "aria-label": say.language, data: { testid: "language" }, on: { change: () => (settings.language = select.value) } },
    ...options,
  );
  select.value = language();
  return select;
}
