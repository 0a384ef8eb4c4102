/** What reception is asked about a person: who they are, their devices, and what they change. */
import { askAsMyself } from "./as-myself.js";
import { ask } from "./identity.js";
import { say } from "./phrases/account.js";

/** A house that keeps nobody may not even know what is asked. */
const SIGNING = { ...say.refused, not_found: say.refused.no_accounts };
/** A day, for reception. */
const DAY_MS = 86_400_000;
/** Reception counts from when it hears of it: so much later is never too short. */
const LATER_MS = 10 * 60_000;

export class AccountApi {
  #identity;

  constructor(identity) {
    this.#identity = identity;
  }

  /** Becomes somebody with an account: who plays here as a guest stays the same person, with seat and chips. */
  async signUp({ handle, password, nick }) {
    const token = this.#identity.guest ? await this.#identity.token() : undefined;
    this.#identity.signedIn(await this.#ask("POST", "/api/accounts", { body: { handle, password, nick, cookie: true }, token, words: SIGNING }));
  }

  async signIn({ handle, password }) {
    this.#identity.signedIn(await this.#ask("POST", "/api/sessions", { body: { handle, password, cookie: true }, words: SIGNING }));
  }

  /** By whom one may sign in, beside a password: nobody in most houses, and in those of a release before. */
  async providers() {
    try {
      return (await this.#ask("GET", "/api/oidc")).providers;
    } catch (error) {
      if (error.refused) return [];
      throw error;
    }
  }

  /** Where the page is to go to sign in there; a guest stays who he is. With `link`, so that who plays here signs in so from then on. */
  async addressOf(provider, { link = false, password } = {}) {
    const path = `/api/oidc/${encodeURIComponent(provider)}/start`;
    if (link) return (await this.#asMyself("POST", path, { link, ...(password && { password }) })).url;
    const token = this.#identity.guest ? await this.#identity.token() : undefined;
    return (await this.#ask("POST", path, { body: {}, token })).url;
  }

  /** Is who has come back, whom reception has signed in meanwhile. */
  async cameBack() {
    this.#identity.signedIn(await this.#ask("POST", "/api/refresh", { body: { cookie: true } }));
  }

  /** From whom somebody has come back who is new, and what he could be called. */
  arrived() {
    return this.#ask("GET", "/api/oidc/account");
  }

  async settle({ nick }) {
    this.#identity.signedIn(await this.#ask("POST", "/api/oidc/account", { body: { nick } }));
  }

  /** By what one signs in. */
  ways() {
    return this.#asMyself("GET", "/api/me/identities");
  }

  unlink(id, { password } = {}) {
    return this.#asMyself("POST", `/api/me/identities/${encodeURIComponent(id)}/unlink`, password ? { password } : {});
  }

  /** Ends this device's login, and is nobody from then on. */
  async signOut() {
    const { sessions } = await this.devices();
    const here = sessions.find(({ current }) => current);
    if (here) await this.end(here.id);
    this.#identity.forget();
  }

  me() {
    return this.#asMyself("GET", "/api/me");
  }

  devices() {
    return this.#asMyself("GET", "/api/sessions");
  }

  end(id) {
    return this.#asMyself("DELETE", `/api/sessions/${encodeURIComponent(id)}`);
  }

  endOthers() {
    return this.#asMyself("DELETE", "/api/sessions");
  }

  setNick({ nick }) {
    return this.#asMyself("PATCH", "/api/me", { nick });
  }

  setPassword({ old, password }) {
    return this.#asMyself("PUT", "/api/me/password", { ...(old && { old }), new: password });
  }

  /** Sets a password by a link that works once. */
  setPasswordBy({ link, password }) {
    return this.#ask("POST", "/api/passwords", { body: { link, password } });
  }

  stayAway(days) {
    return this.#asMyself("POST", "/api/me/self-exclusion", { until_ms: Date.now() + days * DAY_MS + LATER_MS });
  }

  /** So many minutes in a day; a day has 1,440. */
  limitPlay(minutes) {
    return this.#asMyself("PUT", "/api/me/play-time", { minutes });
  }

  /** A line of JSON for each thing that is known. */
  everything() {
    return this.#asMyself("GET", "/api/me/export");
  }

  /** Deletes who plays here. */
  async delete({ password }) {
    await this.#asMyself("POST", "/api/me/deletion", password ? { password } : {});
    this.#identity.forget();
  }

  #asMyself(method, path, body) {
    return askAsMyself(this.#identity, method, path, { body, words: say.refused });
  }

  #ask(method, path, about) {
    return ask(method, path, { words: say.refused, ...about });
  }
}
