/** Showing a dialog until it is answered. */

/**
 * Shows a dialog; it is taken away again when it closes.
 * @param {HTMLDialogElement} dialog
 * @returns {Promise<void>} until it has closed
 */
export function shown(dialog) {
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve();
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
