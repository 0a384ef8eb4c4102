/** What the house says by codes (docs/protocol.md). */
import { chips, moment } from "../../format.js";

const seconds = (ms) => Math.max(1, Math.ceil((ms ?? 0) / 1000));
const strangers = () => "This page and the house do not understand each other. Reload the page.";

export const house = {
  error: {
    no_such_room: () => "There is no such table.",
    too_many_rooms: () => "You have too many tables open. Close one first.",
    rail_full: () => "As many watch this table as may.",
    bad_token: () => "Your pass could not be renewed.",
    unavailable: () => "The table cannot be read at the moment. It comes as soon as it can.",
    already_greeted: strangers,
    bad_message: strangers,
  },
  notice: {
    taken_over: () => "Your seat is now played from another session of yours.",
    history_lost: () => "The last moments of this table were lost. It goes on from here.",
    delayed: () => "The house is late with its news. Nothing is lost, and the clocks stand still.",
    view_rounded: () => "The lobby is busy: you see a simpler list for now.",
  },
  close: {
    goodbye: () => "The house has closed the connection.",
    strangers,
    elsewhere: () => "You went on playing in another window.",
  },
  reception: {
    bad_name: () => "Others cannot be shown this name. It may have up to 20 characters: no invisible ones, no piles of accents, no \"bot\" in brackets.",
    bad_token: () => "Your pass is not valid any more.",
    banned: ({ reason, until_ms }) => `This house keeps you out ${until_ms ? `until ${moment(until_ms)}` : "until further notice"}: ${reason}`,
    session_ended: ({ why }) => `${why === "password" ? "Your password was changed" : why === "reuse" ? "Somebody has used a copy of your pass" : "You were signed out"}: sign in again on this device.`,
    too_fast: ({ retry_after_ms }) => `Too many have asked from your address. Try again in ${chips(seconds(retry_after_ms))} s.`,
  },
  gate: {
    wrong_host: ({ name }) => `This house does not answer to the name ${name}. If that is its name, its operator adds --host ${name}.`,
    wrong_origin: ({ origin }) => `The house takes this page, which is from ${origin}, for a stranger's. Its operator adds --origin ${origin}, or lets the proxy between pass Host on.`,
  },
  receptionFails: (status) => `Reception answered ${status}. Try again in a moment.`,
  receptionSilent: () => "Reception does not answer. Try again in a moment.",
};
