/** The link to a table, to be copied, read aloud or held before a phone's camera. */
import { shown } from "./dialog.js";
import { linkTo, shownCode } from "./invite-link.js";
import { el, svg } from "./dom.js";
import { linkField } from "./link-field.js";
import { say } from "./phrases/hosted.js";
import { qr } from "./qr.js";

/** Light modules around a code, without which it is not found. */
const QUIET = 4;

/** @param {string} room @param {string} code of a table that has one */
export async function showInvite(room, code) {
  const link = linkTo(room, code);
  const { row, told } = linkField("invite", link, { label: say.link, copy: say.copy, copied: say.copied, byHand: say.copyByHand });
  const dialog = el(
    "dialog",
    { class: "dialog hosted-dialog", "aria-labelledby": "invite-title", data: { testid: "invite" } },
    el("h2", { id: "invite-title", text: say.inviteTitle }),
    el("p", { text: say.inviteHelp }),
    row,
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
