/** What a player can set about the seat, and keys. */

export const seat = {
  // Amounts come in words: as chips or in big blinds.
  callFor: (amount) => `Call ${amount}`,
  betOf: (amount) => `Bet ${amount}`,
  raiseTo: (amount) => `Raise to ${amount}`,
  allInFor: (amount) => `All-in ${amount}`,
  potOf: (amount) => `Pot ${amount}`,
  odds: (percent) => `Pot odds ${percent}%`,

  bank: () => "Time bank",
  bankRuns: () => "Your time bank runs.",

  advance: {
    title: () => "Decide before your turn",
    fold: () => "Fold",
    checkFold: () => "Check/fold",
    checkFoldHelp: () => "Check if that is free, fold otherwise, as soon as it is your turn",
    check: () => "Check",
    callThis: (amount) => `Call ${amount}`,
    callAny: () => "Call any",
    callAnyHelp: () => "Call whatever it costs until the next card, as soon as it is your turn",
  },
  moreButtons: () => "More about your seat",

  set: {
    inBlinds: () => "Count in big blinds",
    potOdds: () => "Pot odds",
    showAfter: () => "Show my cards after each hand",
    stayAwake: () => "Keep the screen on",
  },
  setHelp: {
    inBlinds: () => "Stacks, bets and pots at the table in big blinds. The log stays in chips.",
    potOdds: () => "On the call, which part of the pot it pays for.",
    showAfter: () => "Also when you win without a showdown or could hide a losing hand. Otherwise such cards stay hidden.",
    stayAwake: () => "While you have a seat and look at the table.",
  },
  sizes: {
    title: () => "Amounts offered",
    help: () => "Up to three each: 50% or pot, parts of the pot; 2.5x, times the last bet; 3bb, big blinds; min.",
    preflop: () => "Before the flop",
    flop: () => "Flop",
    turn: () => "Turn",
    river: () => "River",
    unclear: () => "Not understood. It stays as it was.",
  },

  note: {
    on: (name) => `Note on ${name}`,
    whose: () => "Only you see this, in this browser.",
    text: () => "What you want to remember",
    colour: () => "Colour",
    none: () => "No colour",
    cancel: () => "Cancel",
    keep: () => "Keep",
  },
  colour: {
    red: () => "Red",
    orange: () => "Orange",
    yellow: () => "Yellow",
    green: () => "Green",
    blue: () => "Blue",
    purple: () => "Purple",
  },

  keys: {
    open: () => "Keys",
    title: () => "Keys at the table",
    how: () => "Choose a key to change it.",
    press: () => "Press a key",
    change: (what, key) => `${what}: ${key}. Change it`,
    taken: (key, what) => `${key} is taken: ${what}.`,
    reserved: (key) => `${key} cannot be used.`,
    usual: () => "Usual keys",
    done: () => "Done",
  },
  command: {
    fold: () => "Fold, when there is something to call",
    call: () => "Check or call",
    raise: () => "To the amount",
    more: () => "More, by a big blind",
    less: () => "Less, by a big blind",
    amount1: () => "First amount",
    amount2: () => "Second amount",
    amount3: () => "Third amount",
    amount4: () => "Fourth amount",
    confirm: () => "Bet or raise the amount",
    away: () => "Leave the amount",
    help: () => "This list",
  },
};
