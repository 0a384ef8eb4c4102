/**
 * Building and changing elements.
 *
 * A text or attribute may be a function that tells it, such as a phrase: it is told again when the language changes (`retell`).
 */

/** Element -> what is told there: attribute, or `TEXT`, -> function. */
const tellers = new WeakMap();
const TEXT = "";

/**
 * A new element.
 * @param {string} tag
 * @param {object} props `class`, `text`, `on: {event: handler}`, `data: {...}`; anything else becomes an attribute, `true` an
 *   empty one, `null`, `undefined` and `false` none; texts and attributes may be functions that tell them
 * @param {...(Node|string|null)} children
 */
export function el(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  const { class: className, text, on = {}, data = {}, ...attributes } = props;
  if (className) element.className = className;
  if (text !== undefined) setText(element, text);
  Object.assign(element.dataset, data);
  for (const [event, handler] of Object.entries(on)) element.addEventListener(event, handler);
  for (const [name, value] of Object.entries(attributes)) setAttribute(element, name, value);
  element.append(...children.filter((child) => child != null));
  return element;
}

/** Sets an attribute, or takes it away for `null`, `undefined` and `false`; touches nothing that is so already. */
export function setAttribute(element, name, told) {
  const value = tell(element, name, told);
  if (value == null || value === false) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value === true ? "" : value)) {
    element.setAttribute(name, value === true ? "" : value);
  }
}

/** Sets the text if it is another: screen readers speak live regions again otherwise. */
export function setText(element, told) {
  const text = tell(element, TEXT, told);
  if (element.textContent !== text) element.textContent = text;
}

/** What is told now; what tells it is kept with the element. */
function tell(element, name, told) {
  if (typeof told !== "function") {
    tellers.get(element)?.delete(name);
    return told;
  }
  if (!tellers.has(element)) tellers.set(element, new Map());
  tellers.get(element).set(name, told);
  return told();
}

/** Tells everything in `root` again. */
export function retell(root) {
  for (const element of [root, ...root.querySelectorAll("*")]) {
    for (const [name, told] of tellers.get(element) ?? []) {
      if (name === TEXT) setText(element, told);
      else setAttribute(element, name, told);
    }
  }
}

const SVG = "http://www.w3.org/2000/svg";

/** A new SVG element. */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}
