/** The link to a table, to be copied, read aloud or held before a phone's camera. */
import { shown } from "./dialog.js";
import { linkTo, shownCode } from "./invite-link.js";
import { el, setText, svg } from "./dom.js";
import { say } from "./phrases/hosted.js";
import { qr } from "./qr.js";

/** Light modules around a code, without which it is not found. */
const QUIET = 4;

/** @param {string} room @param {string} code of a table that has one */
export async function showInvite(room, code) {
  const link = linkTo(room, code);
  const field = el("input", { type: "text", readonly: true, value: link, "aria-label": say.link, data: { testid: "invite-link" }, on: { focus: () => field.select() } });
  const told = el("p", { class: "hint", role: "status" });
  const copy = async () => {
    field.select();
    try {
      await navigator.clipboard.writeText(link);
      setText(told, say.copied);
    } catch {
      setText(told, say.copyByHand); // No clipboard here: it is marked, to be copied by hand.
    }
  };
  const dialog = el(
    "dialog",
    { class: "dialog hosted-dialog", "aria-labelledby": "invite-title", data: { testid: "invite" } },
    el("h2", { id: "invite-title", text: say.inviteTitle }),
    el("p", { text: say.inviteHelp }),
    el("div", { class: "invite-row" }, field, el("button", { class: "button primary", type: "button", text: say.copy, data: { testid: "invite-copy" }, on: { click: copy } })),
    told,
    code ? el("p", { class: "invite-code" }, el("span", { text: say.code }), el("b", { text: shownCode(code), data: { testid: "invite-code" } })) : null,
    drawn(link),
    el("div", { class: "dialog-buttons" }, el("button", { class: "button", type: "button", text: say.done, data: { testid: "invite-done" }, on: { click: () => dialog.close() } })),
  );
  await shown(dialog);
}

/** Always dark on light: what reads it expects that, whatever the theme. */
function drawn(link) {
  const modules = qr(link);
  const size = modules.length + 2 * QUIET;
  const dark = modules.flatMap((row, y) => row.flatMap((is, x) => (is ? [`M${x + QUIET} ${y + QUIET}h1v1h-1z`] : [])));
  const code = svg("svg", { class: "invite-qr", viewBox: `0 0 ${size} ${size}`, role: "img", "shape-rendering": "crispEdges" });
  code.setAttribute("aria-label", say.qr());
  code.append(svg("rect", { width: size, height: size, class: "qr-light" }), svg("path", { d: dark.join(""), class: "qr-dark" }));
  return code;
}
