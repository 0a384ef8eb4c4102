/** The evening's ledger: who has brought and taken what, as a page and as a file. */
import { shown } from "./dialog.js";
import { el } from "./dom.js";
import { chips } from "./format.js";
import { say } from "./phrases/hosted.js";

/** @param {string} table its name @param {{lines: object[], others: object}} ledger */
export async function showLedger(table, { lines, others }) {
  const rows = lines.map((line) => ({ ...line, stack: line.stack ?? 0 }));
  if (others.brought > 0) rows.push({ name: say.ledger.others(), ...others, stack: 0 });
  const file = el("a", { class: "button", href: URL.createObjectURL(new Blob([csv(rows)], { type: "text/csv" })), download: `${fileName(table)}.csv`, text: say.ledger.download, data: { testid: "ledger-csv" } });
  const head = ["name", "brought", "took", "stack", "net"];
  const dialog = el(
    "dialog",
    { class: "dialog hosted-dialog", "aria-labelledby": "ledger-title", data: { testid: "ledger" } },
    el("h2", { id: "ledger-title", text: () => say.ledger.title(table) }),
    rows.length === 0 ? el("p", { text: say.ledger.nobody }) : el(
      "table",
      { class: "ledger" },
      el("thead", {}, el("tr", {}, ...head.map((key) => el("th", { scope: "col", text: say.ledger[key] })))),
      el("tbody", {}, ...rows.map(row)),
    ),
    el("div", { class: "dialog-buttons" }, file, el("button", { class: "button", type: "button", text: say.done, on: { click: () => dialog.close() } })),
  );
  await shown(dialog);
  URL.revokeObjectURL(file.href);
}

const netOf = ({ brought, took, stack }) => took + stack - brought;

function row(line) {
  const net = netOf(line);
  const sign = net > 0 ? "+" : net < 0 ? "−" : "";
  return el(
    "tr",
    {},
    el("th", { scope: "row" }, el("bdi", { text: line.name })),
    ...[line.brought, line.took, line.stack].map((amount) => el("td", { text: () => chips(amount) })),
    el("td", { class: net < 0 ? "loss" : "gain", text: () => `${sign}${chips(Math.abs(net))}` }),
  );
}

function fileName(table) {
  return table.replace(/[^\p{L}\p{N}]+/gu, "-") || "ledger";
}

/** With a sign that says that it is UTF-8, without which Excel reads other letters. What would be a formula is none. */
export function csv(rows) {
  const cell = (text) => `"${String(text).replace(/^[=+\-@\t\r]/, "'$&").replaceAll('"', '""')}"`;
  const lines = rows.map((line) => [cell(line.name), line.brought, line.took, line.stack, netOf(line)].join(","));
  return `\uFEFF${["name,brought,took,on_table,net", ...lines].join("\r\n")}\r\n`;
}
