/** Who plays here as the house knows them: name, password, devices, limits, a time without play, what is known, and the end of it. */
import { deviceList } from "./device-list.js";
import { shown } from "./dialog.js";
import { el, setText } from "./dom.js";
import { asking, field } from "./form.js";
import { moment } from "./format.js";
import { isolated } from "./names.js";
import { say } from "./phrases/account.js";
import { say as sayOfPage } from "./phrases/page.js";
import { askSign, passwordField } from "./sign-dialog.js";
import { waysList } from "./ways.js";

/** How long one may stay away. */
const DAYS = [1, 7, 30, 180, 365];

/** How long one may play in a day, minutes; the last is all of it. */
const LIMITS = [30, 60, 90, 120, 180, 240, 360, 480, 1440];
const ALL_DAY = LIMITS.at(-1);

/**
 * @param {object} about
 * @param {AccountApi} about.api
 * @param {Identity} about.identity
 * @param {number} about.seats that who plays here has
 * @returns {Promise<"another"|"same"|"gone"|null>}
 */
export async function showAccount({ api, identity, seats }) {
  let outcome = null;
  const end = (how) => {
    outcome = how;
    dialog.close();
  };
  /** The token that others see the name by is to be had anew. */
  const changed = async () => {
    outcome = "same";
    await identity.refresh();
  };
  const sign = async (what) => {
    const signed = await askSign(what, { api, identity, seats });
    if (signed) end(signed);
  };
  const body = el("div", { class: "account" });
  const dialog = el(
    "dialog",
    { class: "dialog", "aria-labelledby": "account-title", data: { testid: "account" } },
    body,
    el("div", { class: "dialog-buttons" }, el("button", { class: "button primary", type: "button", text: sayOfPage.close, data: { testid: "account-close" }, on: { click: () => dialog.close() } })),
  );
  const parts = { api, end, changed, sign };
  const draw = async () => {
    const me = await api.me();
    const providers = me.kind === "member" ? await api.providers() : [];
    // A house that asks nobody knows passwords alone.
    const ways = providers.length > 0 ? await api.ways() : { password: true, identities: [] };
    body.replaceChildren(...head(me, { ...parts, ways }), ...sections(me, { ...parts, draw, providers, ways }));
  };
  // Before it is shown: what does not come is told where it was asked for.
  await draw();
  await shown(dialog);
  return outcome;
}

function head({ kind, name, handle, sanctions, play_time: time }, { api, end, sign, ways }) {
  const title = el("h2", { id: "account-title" }, el("bdi", { text: name }));
  const held = sanctions.map((sanction) => el("p", { class: "account-held", text: () => say.held[sanction.kind]?.(sanction) ?? sanction.reason }));
  if (time?.play_from_ms) held.push(el("p", { class: "account-held", text: () => say.limitReached(moment(time.play_from_ms)) }));
  const button = (text, testid, click, more = "") => el("button", { class: `button wide ${more}`, type: "button", text, data: { testid }, on: { click } });
  if (kind !== "member") {
    return [
      title,
      ...held,
      el("p", { text: say.guestWhy }),
      button(say.sign.up, "account-up", () => sign("up"), "primary"),
      button(say.sign.in, "account-in", () => sign("in")),
    ];
  }
  const out = async () => {
    await api.signOut();
    end("gone");
  };
  // Who has no password signs in by no name.
  const as = ways.password ? el("p", { text: () => say.signedInAs(isolated(handle)) }) : null;
  return [title, as, ...held, asking({ submit: say.signOut, testid: "account-out", send: out, kind: "" })].filter(Boolean);
}

function sections(me, parts) {
  const isMember = me.kind === "member";
  return [
    isMember ? section("nick", say.nick, nick(me, parts)) : null,
    isMember ? section("password", say.password, password(parts)) : null,
    parts.providers.length > 0 ? section("ways", say.ways, waysList(parts.ways, parts.providers, parts)) : null,
    section("devices", say.devices, deviceList(parts)),
    section("limit", say.limit, limit(me, parts)),
    section("away", say.away, away(me, parts)),
    section("data", say.data, data(parts)),
    section("delete", say.deletion, deletion(isMember && parts.ways.password, parts)),
  ].filter(Boolean);
}

/** A part that opens when it is pressed. */
function section(name, title, ...children) {
  return el("details", { class: "account-part", data: { testid: `part-${name}` } }, el("summary", { text: title, data: { testid: `open-${name}` } }), ...children);
}

function nick({ name, nick_from_ms: from }, { api, changed, draw }) {
  if (from > Date.now()) return el("p", { text: () => say.nickLater(moment(from)) });
  const send = async (values) => {
    await api.setNick(values);
    await changed();
    await draw();
  };
  return asking({ submit: say.change, testid: "nick-ok", send }, field("nick", say.newNick, { value: name, maxlength: 160, autocomplete: "nickname", help: say.nickHelp }));
}

function password({ api, ways }) {
  const done = el("p", { class: "account-done", role: "status", data: { testid: "password-done" } });
  const send = async (values) => {
    await api.setPassword(values);
    form.reset();
    setText(done, say.passwordChanged);
  };
  const form = asking({ submit: say.setPassword, testid: "password-ok", send }, ways.password ? passwordField("old", say.oldPassword, false) : null, passwordField("password", say.newPassword, true));
  return el("div", {}, form, done);
}

function limit({ play_time: time }, { api, draw }) {
  const now = time?.minutes ?? ALL_DAY;
  const choices = [...new Set([...LIMITS, now])].sort((a, b) => a - b);
  const minutes = el("select", { name: "minutes", "aria-label": say.limitFor, data: { testid: "field-minutes" } }, ...choices.map((count) => el("option", { value: count, selected: count === now, text: () => (count === ALL_DAY ? say.limitNone() : say.duration(count)) })));
  const used = time ? el("p", { text: () => say.limitUsed(Math.floor(time.used_ms / 60_000), time.minutes, moment(time.day_ends_ms)) }) : null;
  const next = time?.next ? el("p", { class: "account-held", text: () => say.limitNext(time.next.minutes === ALL_DAY ? say.limitNone() : say.duration(time.next.minutes), moment(time.next.from_ms)) }) : null;
  const send = async (values) => {
    await api.limitPlay(Number(values.minutes));
    await draw();
  };
  return asking({ submit: say.setLimit, testid: "limit-ok", send }, el("p", { text: say.limitWhy }), ...[used, next].filter(Boolean), minutes);
}

function away({ sanctions }, { api, draw }) {
  if (sanctions.some(({ kind }) => kind === "self_exclusion")) return el("p", { text: say.awayNow });
  const days = el("select", { name: "days", "aria-label": say.awayFor, data: { testid: "field-days" } }, ...DAYS.map((count) => el("option", { value: count, text: say.days[count] })));
  const sure = el("label", { class: "check" }, el("input", { type: "checkbox", name: "sure", required: true, data: { testid: "field-sure" } }), el("span", { text: say.awaySure }));
  const send = async (values) => {
    await api.stayAway(Number(values.days));
    await draw();
  };
  return asking({ submit: say.stayAway, testid: "away-ok", send, kind: "danger" }, el("p", { text: say.awayWhy }), days, sure);
}

function data({ api }) {
  const send = async () => {
    const url = URL.createObjectURL(new Blob([await api.everything()], { type: "application/x-ndjson" }));
    el("a", { href: url, download: "cardhouse.ndjson" }).click();
    URL.revokeObjectURL(url);
  };
  return asking({ submit: say.download, testid: "data-ok", send, kind: "" }, el("p", { text: say.dataWhy }));
}

function deletion(asksPassword, { api, end }) {
  const send = async (values) => {
    await api.delete(values);
    end("gone");
  };
  return asking({ submit: say.deleteMe, testid: "delete-ok", send, kind: "danger" }, el("p", { text: say.deletionWhy }), asksPassword ? passwordField("password", say.password, false) : null);
}
