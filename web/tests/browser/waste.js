/**
 * What of the table page news touch without need: `waste(count)` plays so many hands and answers a sentence for each kind of it. Nothing is set to what
 * it is already, not on a detour either, and who acts changes nothing of other seats. An empty list is a page that changes what is new.
 */
(() => {
  const ALL = { subtree: true, childList: true, attributes: true, attributeOldValue: true };

  const nameOf = (it) => `${it.tagName.toLowerCase()}.${(it.getAttribute("class") ?? "").split(" ")[0]}`;
  const textOf = (nodes) => [...nodes].map((node) => node.textContent).join("");
  /** Whether all that has gone and come was text. */
  const isText = ({ addedNodes, removedNodes }) => [...addedNodes, ...removedNodes].every((node) => node.nodeType === Node.TEXT_NODE);

  /** What each element was before: by attribute, or `text`. */
  function before(records) {
    const was = new Map();
    for (const record of records) {
      const { target, type, attributeName, oldValue, removedNodes } = record;
      if (type === "childList" && !isText(record)) continue;
      const what = attributeName ?? "text";
      if (!was.has(target)) was.set(target, new Map());
      if (!was.get(target).has(what)) was.get(target).set(what, type === "attributes" ? oldValue : textOf(removedNodes));
    }
    return was;
  }

  window.waste = (count) => {
    const found = new Set();
    const seen = new MutationObserver(() => {});
    seen.observe(document.querySelector("[data-testid=table]"), ALL);
    hands.each(count, (events) => {
      const records = seen.takeRecords();
      for (const [it, was] of before(records)) {
        for (const [what, old] of was) {
          const now = what === "text" ? it.textContent : it.getAttribute(what);
          if (now === old) found.add(`${what} of ${nameOf(it)} is set to what it was`);
        }
      }
      const acts = events.at(-1).e === "acted" ? events.at(-1).seat : null;
      if (acts === null) return;
      for (const { target } of records) {
        const seat = target.closest?.(".seat")?.dataset.testid ?? `seat-${acts}`;
        if (seat !== `seat-${acts}`) found.add(`${nameOf(target)} of another seat than that of who acts`);
      }
    });
    seen.disconnect();
    return [...found];
  };
})();
