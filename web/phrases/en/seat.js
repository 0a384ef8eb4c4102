/** What a player can set about the seat, and keys. */

export const seat = {
  // Amounts come in words: as chips or in big blinds.
  callFor: (amount) => `Call ${amount}`,
  betOf: (amount) => `Bet ${amount}`,
  raiseTo: (amount) => `Raise to ${amount}`,
  allInFor: (amount) => `All-in ${amount}`,
  potOf: (amount) => `Pot ${amount}`,
  odds: (percent) => `Pot odds ${percent}%`,

  worth: (percent, hand) => `${percent}%${hand && ` · ${hand}`}`,
  worthOnAverage: (percent, hand) => `wins ${percent}% on average${hand && `, ${hand}`}`,

  showCard: (card) => `Show everybody the ${card}`,
  showHelp: () => "All of your cards. To show one alone, press that card.",

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
  runs: {
    title: () => "Deal the rest",
    once: () => "Run it once",
    twice: () => "Run it twice",
    thrice: () => "Three times",
  },
  moreButtons: () => "More about your seat",

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
};
