/**
 * The string literals of a module, and where each stands: enough to tell what people are shown from what programs say to each other.
 * It reads tokens, as `pack/src/shorter.rs` does.
 */

const BEFORE_VALUES = new Set(["return", "typeof", "case", "in", "of", "delete", "void", "throw", "else", "await", "yield"]);

/**
 * @param {string} source
 * @returns {{text: string, line: number, key: string|null, call: string, args: string[], at: number, before: string}[]}
 *   `key`: the property whose value it is, or a part of; `call`: what is called with it, `args`: the literals among the arguments before,
 *   `at`: which argument it is in, from 0; `before`: the token before it
 */
export function literals(source) {
  const found = [];
  const tokens = [];
  const frames = [{ kind: "{", key: null, name: "", args: [], at: 0 }];
  let at = 0;
  const line = () => source.slice(0, at).split("\n").length;
  const last = (back = 1) => tokens.at(-back) ?? "";
  const push = (token) => tokens.push(token);
  const literal = (text) => {
    const call = frames.findLast(({ kind, name }) => kind === "(" && name !== "") ?? { name: "", args: [], at: 0 };
    // `key: (condition ? "this" : "that")` is still of the key.
    const holder = frames.findLast(({ kind, name }) => kind === "{" || name !== "");
    found.push({ text, line: line(), key: holder?.key ?? null, call: call.name, args: [...call.args], at: call.at, before: last() });
    if (frames.at(-1) === call) call.args[call.at] = text;
  };

  function template() {
    let text = "";
    at += 1;
    for (;;) {
      if (source[at] === "\\") {
        text += source.slice(at, at + 2);
        at += 2;
      } else if (source[at] === "`") {
        at += 1;
        break;
      } else if (source.startsWith("${", at)) {
        text += "${}";
        at += 2;
        read("}");
      } else {
        text += source[at];
        at += 1;
      }
    }
    literal(text);
    push("`");
  }

  function read(until) {
    let depth = 0;
    while (at < source.length) {
      const rest = source.slice(at, at + 2);
      const [first] = rest;
      const word = /^[\w$#]+/.exec(source.slice(at, at + 200))?.[0];
      if (/\s/.test(first)) at += 1;
      else if (rest === "//") at = Math.max(at, source.indexOf("\n", at) < 0 ? source.length : source.indexOf("\n", at));
      else if (rest === "/*") at = source.indexOf("*/", at) + 2;
      else if (first === "`") template();
      else if (first === '"' || first === "'") string(first);
      else if (first === "/" && beginsPattern(last())) pattern();
      else if (word) {
        at += word.length;
        push(word);
      } else if (first === "}" && until === "}" && depth === 0) {
        at += 1;
        return;
      } else {
        if (first === "{") depth += 1;
        if (first === "}") depth -= 1;
        sign(source.startsWith("===", at) || source.startsWith("!==", at) ? source.slice(at, at + 3) : rest === "=>" ? rest : first);
      }
    }
  }

  function string(quote) {
    const begin = at;
    at += 1;
    while (source[at] !== quote) at += source[at] === "\\" ? 2 : 1;
    at += 1;
    const text = source.slice(begin + 1, at - 1);
    const isKey = /^\s*:(?!:)/.test(source.slice(at, at + 20)) && ["{", ","].includes(last());
    if (isKey) return push(text);
    literal(text);
    push(quote);
    return undefined;
  }

  function pattern() {
    let inClass = false;
    at += 1;
    for (; source[at] !== "/" || inClass; at += 1) {
      if (source[at] === "\\") at += 1;
      else if (source[at] === "[") inClass = true;
      else if (source[at] === "]") inClass = false;
    }
    at += 1;
    push("/");
  }

  function sign(token) {
    at += token.length;
    const frame = frames.at(-1);
    if (token === "(" || token === "[" || token === "{") {
      const name = token === "(" && /^[\w$#]+$/.test(last()) ? `${last(2) === "." ? `${last(3)}.` : ""}${last()}` : "";
      frames.push({ kind: token, key: null, name, args: [], at: 0 });
    } else if (token === ")" || token === "]" || token === "}") {
      frames.pop();
    } else if (token === ",") {
      frame.key = null;
      frame.at += 1;
    } else if (token === ":" && frame.kind === "{" && ["{", ","].includes(last(2))) {
      frame.key = last();
    } else if (token === ";") frame.key = null;
    push(token);
  }

  read(null);
  return found;
}

function beginsPattern(token) {
  return BEFORE_VALUES.has(token) || !/^[\w$#)\]"'`}/]/.test(token);
}
