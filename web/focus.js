/** Where the keyboard is: a button that goes while it has the focus hands it on, so that the next Tab goes on from there. */

/**
 * Remembers who in `place` has the focus before that changes.
 * @param {HTMLElement} place
 * @param {HTMLElement} heir takes the focus if whoever had it is gone, or cannot be used any more
 * @returns {() => void} called after the change
 */
export function keepFocus(place, heir) {
  const it = document.activeElement;
  // The place itself stays.
  if ([document.body, heir, place].includes(it) || !place.contains(it)) return () => {};
  return () => {
    // Somebody else may have taken it meanwhile.
    if (![it, document.body].includes(document.activeElement)) return;
    const isThere = it.isConnected && !it.disabled && it.checkVisibility({ visibilityProperty: true });
    // What was only moved has lost it too.
    (isThere ? it : heir).focus({ preventScroll: true });
  };
}
