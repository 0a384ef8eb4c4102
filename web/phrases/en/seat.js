/** What a player can set about the seat, and keys. */

export const seat = {
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
