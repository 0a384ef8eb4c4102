/** Games: by a table's settings, and by the name that the lobby's rows have for them. */
import { say } from "./phrases/games.js";

/** As the house names them: its codes in the lobby. */
const NAMED = {
  __proto__: null,
  "NL Hold'em": { variant: "holdem", limit: "no_limit" },
  "PL Hold'em": { variant: "holdem", limit: "pot_limit" },
  "PL Omaha": { variant: "omaha4", limit: "pot_limit" },
  "PL Omaha 5": { variant: "omaha5", limit: "pot_limit" },
  "PL Omaha 6": { variant: "omaha6", limit: "pot_limit" },
  "NL Short Deck": { variant: "short_deck", limit: "no_limit" },
};

/** Games to choose from. */
export const GAMES = Object.keys(NAMED);

/** `NL Hold'em`. */
export function game({ variant, limit }) {
  return say.named(say.limit[limit]?.() ?? limit, say.variant[variant]?.() ?? variant);
}

/** The same for a row of the lobby; a game that this page does not know has the house's name. */
export function gameNamed(name) {
  return name in NAMED ? game(NAMED[name]) : name;
}
