/** What every page says: its head, who one is, settings, the connection, one's tables. */
import { chips } from "../../format.js";

export const page = {
  brand: () => "Cardhouse",
  brandToLobby: () => "Cardhouse, to the lobby",
  toLobby: () => "Back to the lobby",
  panel: () => "Hand log and chat",
  tableTitle: (name) => `${name} · Cardhouse`,
  table: () => "Table",
  cancel: () => "Cancel",

  who: () => "Who you are",
  haveAccount: () => "I have an account",
  close: () => "Close",

  welcome: () => "Welcome to Cardhouse",
  otherTitle: () => "Play as somebody else",
  pickName: () => "Play-money hold'em. Pick the name that other players will see.",
  yourName: () => "Your name",
  enter: () => "Enter the card room",

  language: () => "Language",
  settings: () => "Settings",
  tiles: () => "Tables side by side",
  turnNth: (number) => `Your turn, number ${number}`,
  notCome: () => "This part of the page has not come. Try again, or reload the page.",

  line: {
    online: () => "Online",
    silent: () => "No answer",
    connecting: () => "Connecting",
    offline: () => "Offline",
  },
  lag: (ms) => `${chips(ms)} ms`,
  unplugged: () => "Your device has no network.",
  noAnswer: () => "The house does not answer.",
  lineLost: () => "Connection lost.",
  connect: () => "Connect",
  tryNow: () => "Try now",
  silentFor: (seconds) => `No answer for ${chips(seconds)} s.`,
  triesNow: () => "Trying now.",
  triesIn: (seconds) => `Next try in ${chips(seconds)} s.`,

  yourTables: () => "Your tables",
  otherWindow: () => "other window",
  turn: {
    in: (seconds) => `Your turn ${seconds} s`,
    at: (name) => `${name}, your turn`,
    title: (name) => `Your turn · ${name}`,
    call: (name) => `It is your turn at ${name}.`,
  },
  offerAlerts: () => "Call you with a notification when it is your turn and you look elsewhere?",
  yes: () => "Yes",
  no: () => "No",

  tableClosed: () => "This table has closed.",
  noTable: () => "There is no such table.",
  expired: () => "Your pass has run out",
  expiredAs: (name) => `You were away for longer than your pass lasts. You come in as a new guest, ${name}.`,
  expiredSeat: (table, stack) => `Your seat at ${table} with ${chips(stack)} belongs to the guest that you were.`,
  anew: () => "The house has been started anew",
  anewAs: (name) => `It no longer knows who was here before, so you come in as a new guest, ${name}.`,
  anewSeat: (table, stack) => `Your seat at ${table} is gone, and the ${chips(stack)} that you had there.`,
  anewHands: () => "Hands that were being played ended without a result. The hand log begins anew.",
  goOn: () => "Go on",
};
