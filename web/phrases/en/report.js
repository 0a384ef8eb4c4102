/** Reporting a player to the staff of the house. */
import { chips } from "../../format.js";

export const report = {
  title: (name) => `Report ${name}`,
  whoSees: (name) => `Staff of this house looks at it. ${name} is not told who has reported.`,
  what: () => "What is it?",
  kind: {
    chat_abuse: () => "Insults or threats in what they write",
    name: () => "A name that hurts others",
    collusion: () => "Playing together with somebody, against the others",
    slow_play: () => "Slow on purpose",
    other: () => "Something else",
  },
  words: () => "What happened, in a few words",
  report: () => "Report",
  received: () => "Your report was received. Staff looks at it; you need not do anything more.",
  known: (name) => `You have reported ${name} at this table already, and it was received. Staff has not closed it yet.`,
  refused: {
    bad_report: () => "The house does not take these words. Write them in another way.",
    many_reports: ({ retry_after_ms }) => `You have filed as many reports as one may in a day. Try again in ${chips(Math.ceil((retry_after_ms ?? 0) / 3_600_000))} h.`,
    not_found: () => "The house does not know this player any more.",
    no_accounts: () => "This house keeps no reports.",
    busy: () => "Too much is going on at this moment. Try again.",
    away: () => "The house cannot write it down at the moment. Try again.",
  },
};
