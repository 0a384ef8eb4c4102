/**
 * What a page says in another language than its own: `foreign(code)` answers each text, label and title that is shown and has letters of the other
 * alphabet, but for names. An empty list is a page that speaks one language.
 */
(() => {
  /** People, tables and the house's own name; what a key writes; short signs that Koreans write the same; words of amounts, such as `3bb`. */
  const NAMES = /Cardhouse|Morgan|Wilhelmina|Bo\b|Aleksandra|Cy\b|Christopher K\.|다람쥐헌쳇바퀴|Ed\b|Maximiliane|Zoë|Aspen|Birch|한국어|English|\b(Enter|Esc|BB|ms|pot|min)\b|\d(x|bb)\b/gu;
  const OTHER = { ko: /[A-Za-z]{2,}/, en: /\p{Script=Hangul}/u };
  const ATTRIBUTES = ["aria-label", "title", "placeholder", "data-label", "data-waits"];

  function said() {
    const texts = [document.title];
    for (const element of document.body.querySelectorAll(":not(noscript)")) {
      for (const name of ATTRIBUTES) if (element.hasAttribute(name)) texts.push(element.getAttribute(name));
      for (const node of element.childNodes) if (node.nodeType === Node.TEXT_NODE) texts.push(node.data);
    }
    return texts;
  }

  window.foreign = (code = document.documentElement.lang) => {
    const other = OTHER[code];
    return [...new Set(said().filter((text) => other.test(text.replaceAll(NAMES, ""))))];
  };
})();
