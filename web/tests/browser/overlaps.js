/**
 * What is wrong with the table page as it is drawn: `overlaps()` answers a sentence for each thing that lies on another one, sticks out, or is
 * too small to read or to hit. An empty list is a good page. `overlaps(tile)` looks at one of several tables alone.
 */
(() => {
  /** Lengths in pixels. Boxes may share this much: they are round, and half pixels are rounded. */
  const TOUCH = 1.5;
  const ACTION = { width: 72, height: 40 };
  const TARGET = 24;
  /** The smallest button that says what it does for the seat. */
  const WORD = { width: 44, height: TARGET };
  const SLIDER = 100;
  /** So much of a card must be seen that its rank can be. */
  const STRIP = 7;

  let root = document;
  const all = (css) => [...root.querySelectorAll(css)].filter((it) => it.checkVisibility({ visibilityProperty: true, opacityProperty: true }));

  /** Things whose boxes must be clear of each other: `{name, group, box}`; things of one group may touch. */
  function things() {
    const found = [];
    const add = (css, group, name = css) => {
      for (const [at, it] of all(css).entries()) {
        const box = it.getBoundingClientRect();
        if (box.width > 0 && box.height > 0) found.push({ it, name: `${name} ${at}`, group: group ?? `${name} ${at}`, box });
      }
    };
    for (const seat of all(".seat")) {
      const { testid } = seat.dataset;
      const css = `[data-testid=${testid}]`;
      for (const part of [".seat-pod", ".seat-cards .card", ".seat-badge:not(:empty)", ".dealer", ".seat-disc.ticking", ".seat-free"]) {
        add(`${css} ${part}`, testid, `${testid} ${part}`);
      }
    }
    add(".bet", null, "bet");
    add(".runs .card", "board");
    add(".pot-total:not(:empty)", "pot");
    add(".pots .pile", null, "side pot");
    add(".result:not(:empty)", "result");
    add(".table-foot :is(button, input), .top :is(a, button)", null, "control");
    add(".table-name", "name");
    add(".hand-number:not(:empty)", "number");
    return found;
  }

  function meet(one, other) {
    const across = Math.min(one.right, other.right) - Math.max(one.left, other.left);
    const down = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
    return across > TOUCH && down > TOUCH;
  }

  function within(box, room) {
    return box.left >= room.left - TOUCH && box.right <= room.right + TOUCH && box.top >= room.top - TOUCH && box.bottom <= room.bottom + TOUCH;
  }

  window.overlaps = (place = document) => {
    root = place;
    const wrong = [];
    const found = things();
    found.forEach((one, at) => {
      for (const other of found.slice(at + 1)) {
        if (one.group !== other.group && meet(one.box, other.box)) wrong.push(`${one.name} lies on ${other.name}`);
      }
    });
    const page = root === document ? new DOMRect(0, 0, innerWidth, innerHeight) : root.getBoundingClientRect();
    for (const { name, box } of found) if (!within(box, page)) wrong.push(`${name} sticks out of the page`);
    const felt = root.querySelector(".felt").getBoundingClientRect();
    const rail = root.querySelector(".felt-rail").getBoundingClientRect();
    for (const { name, box, it } of found.filter(({ it }) => it.closest(".felt"))) {
      if (!within(box, it.matches(".bet, .runs .card") ? rail : felt)) wrong.push(`${name} is off the felt`);
    }
    for (const seat of all(".seat")) {
      const badge = seat.querySelector(".seat-badge:not(:empty)")?.getBoundingClientRect();
      const button = [...seat.querySelectorAll(".dealer:not([hidden])")][0]?.getBoundingClientRect();
      if (badge && button && meet(badge, button)) wrong.push(`the dealer button lies on the badge of ${seat.dataset.testid}`);
      const cards = [...seat.querySelectorAll(".seat-cards.face-up .card")].map((card) => card.getBoundingClientRect().left);
      if (cards.some((left, card) => card > 0 && left - cards[card - 1] < STRIP)) wrong.push(`cards of ${seat.dataset.testid} cannot be read`);
    }
    for (const button of all(".action, .chip-button, .seat-buttons button")) {
      const { width, height } = button.getBoundingClientRect();
      const least = button.matches(".action") ? ACTION : button.matches(".seat-buttons *") ? WORD : { width: TARGET, height: TARGET };
      if (width < least.width || height < least.height) wrong.push(`${button.textContent} is ${Math.round(width)} by ${Math.round(height)}`);
      if (button.scrollWidth > button.clientWidth + 1 || button.scrollHeight > button.clientHeight + 1) wrong.push(`${button.textContent} is cut off`);
    }
    for (const slider of all(".table-foot input[type=range]")) {
      const { width } = slider.getBoundingClientRect();
      if (width < SLIDER) wrong.push(`the slider is ${Math.round(width)} wide`);
    }
    for (const result of all(".result:not(:empty)")) if (result.scrollHeight > result.clientHeight + 1) wrong.push("the result is cut off");
    for (const recent of all(".recent")) {
      const last = recent.lastElementChild?.getBoundingClientRect();
      if (last?.bottom > recent.getBoundingClientRect().bottom + TOUCH) wrong.push("the latest line of the log is cut off");
    }
    if (document.documentElement.scrollWidth > innerWidth) wrong.push("the page scrolls sideways");
    return wrong;
  };
})();
