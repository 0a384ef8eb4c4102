/**
 * Sheets of what is not seen at first: a module that comes later brings its own.
 *
 * It says where the sheet is by `import.meta.resolve("./style/NAME.css")`, which the packer knows too.
 */
import { el } from "./dom.js";

const sheets = new Map();

/** Has the sheet at `url`: whoever shows what it styles waits for it. What has not come is asked for again the next time. */
export function withSheet(url) {
  if (!sheets.has(url)) sheets.set(url, load(url));
  return sheets.get(url);
}

function load(url) {
  return new Promise((resolve, reject) => {
    const failed = () => {
      sheets.delete(url);
      link.remove();
      reject(new Error(`no sheet at ${url}`));
    };
    const link = el("link", { rel: "stylesheet", href: url, on: { load: resolve, error: failed } });
    document.head.append(link);
  });
}
