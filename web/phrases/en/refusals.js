/** Why a command to a table was refused, by the protocol's codes. */
import { chips, moment } from "../../format.js";

const seconds = (ms) => chips(Math.max(1, Math.ceil((ms ?? 0) / 1000)));
const strangers = () => "This page and the house do not understand each other. Reload the page.";
const again = () => "Nobody can tell whether that was done. Look at the table before you try again.";

export const refusals = {
  refused: {
    bad_command: strangers,
    bad_question: strangers,
    no_such_room: () => "There is no such table.",
    stale_n: again,
    forgotten: again,
    too_fast: ({ retry_after_ms }) => `That was too fast. Try again in ${seconds(retry_after_ms)} s.`,
    busy: ({ retry_after_ms }) => `The house is busy. Try again in ${seconds(retry_after_ms)} s.`,
    unavailable: ({ retry_after_ms }) => `The table cannot store anything at the moment, so nothing was done. Try again in ${seconds(retry_after_ms)} s.`,
    late: () => "That turn is over.",
    not_your_turn: () => "It is not your turn.",
    illegal: () => "That is not possible now.",
    not_seated: () => "You have no seat here.",
    already_seated: () => "You have a seat here already.",
    seat_taken: () => "The seat is taken.",
    no_seat: () => "There is no free seat.",
    bad_amount: ({ min, max }) => `The amount is outside the limits of this table: ${chips(min)} to ${chips(max)}.`,
    left_with_more: ({ min, minutes }) => `You left with ${chips(min)} less than ${chips(minutes)} minutes ago: bring at least as much.`,
    in_hand: () => "That is not possible in the middle of a hand.",
    unchanged: () => "You are that already.",
    bad_text: () => "This cannot be said here: it is empty, too long, or has characters that nobody can see.",
    not_allowed: () => "You may not do this in this house at the moment.",
    play_time_used: ({ play_from_ms }) => `Your play time is used up. It begins again on ${moment(play_from_ms)}.`,
    not_let_in: () => "The host has not let you in yet. Knock first.",
    wrong_code: () => "That is not the code of this table.",
    bad_settings: () => "This house has no tables like that.",
    too_many: () => "There are as many of them as there may be.",
    call_missed: ({ retry_after_ms }) => `You did not come when a seat was kept for you here. You may wait again in ${chips(Math.max(1, Math.ceil((retry_after_ms ?? 0) / 60_000)))} min.`,
    no_such_job: () => "There is no such job of yours.",
    lease_lost: () => "That job is not yours any more.",
    other_session: () => "You play this seat in another window.",
    /** The page's own: the answer was lost with the connection. */
    unknown: () => "The connection was lost before the answer came. Look at the table before you try again.",
  },
  /** Why chips that were asked for do not come; nothing was taken. */
  declined: {
    insufficient: ({ amount }) => `You have less than ${chips(amount)}. Nothing was taken.`,
    frozen: () => "Your account is frozen. Ask the house.",
    not_allowed: () => "You may not play for this at the moment.",
    cage_away: () => "Your chips did not come in time. Nothing was taken. Try again in a while.",
    other: () => "Your chips did not come. Nothing was taken.",
  },
};
