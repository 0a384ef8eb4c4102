/** Forms that ask reception something: fields, and what is wrong. */
import { el, setText } from "./dom.js";
import { say } from "./phrases/house.js";

let fields = 0;

/**
 * A field with its label.
 * @param {string} name by which its value is found
 * @param {() => string} label
 * @param {object} more attributes of the input, and `help`: a sentence under it
 */
export function field(name, label, { help, ...more } = {}) {
  const id = `field-${(fields += 1)}`;
  const helps = help ? { "aria-describedby": `${id}-help` } : {};
  return el(
    "div",
    { class: "form-field" },
    el("label", { class: "label", for: id, text: label }),
    el("input", { id, name, type: "text", required: true, ...helps, ...more, data: { testid: `field-${name}` } }),
    help ? el("small", { id: `${id}-help`, class: "hint", text: help }) : null,
  );
}

/**
 * A form that is sent with its button: while reception is asked it waits, and what is wrong is told in it.
 * @param {object} of
 * @param {() => string} of.submit the button's label
 * @param {string} of.testid the button's
 * @param {(values: Object<string, string>) => Promise<void>} of.send
 * @param {string} of.kind more classes of the button
 * @param {...Node} children
 */
export function asking({ submit, testid, send, kind = "primary" }, ...children) {
  const error = el("p", { class: "field-error", role: "alert", data: { testid: `${testid}-error` } });
  const button = el("button", { class: `button wide ${kind}`, type: "submit", text: submit, data: { testid } });
  const form = el("form", {}, ...children, error, button);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    setText(error, "");
    try {
      await send(Object.fromEntries(new FormData(form)));
    } catch (refused) {
      setText(error, refused.tell ?? say.receptionSilent);
    } finally {
      button.disabled = false;
    }
  });
  return form;
}
