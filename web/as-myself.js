/** Asking reception as who plays here. */
import { ask } from "./identity.js";

/**
 * With the token that there is, or with a later one if that is void.
 * @param {Identity} identity
 * @param {string} method
 * @param {string} path
 * @param {object} with_ `body`, `accept` and `words`, as `ask` takes them
 */
export async function askAsMyself(identity, method, path, with_) {
  try {
    return await ask(method, path, { ...with_, token: await identity.token() });
  } catch (error) {
    if (error.code !== "bad_token") throw error;
    return ask(method, path, { ...with_, token: await identity.refresh() });
  }
}
