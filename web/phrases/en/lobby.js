/** The lobby. */
import { chips, chipsShort } from "../../format.js";
import { count } from "./words.js";

export const lobby = {
  title: () => "Cash tables",
  playNow: () => "Play now",
  caption: () => "Tables. Follow a table's name to watch it or to sit down.",
  find: () => "Find a table",
  findBy: () => "Find a table by name or game",
  tables: () => "Tables",
  game: () => "Game",
  allGames: () => "All games",
  allStakes: () => "All stakes",
  stakesTo: (to) => `Big blind to ${chips(to)}`,
  stakesBetween: (from, to) => `Big blind ${chips(from)} to ${chips(to)}`,
  stakesAbove: (above) => `Big blind above ${chips(above)}`,
  free: () => "Seats free",
  column: {
    name: () => "Table",
    blinds: () => "Stakes",
    players: () => "Players",
    pot: () => "Average pot",
    speed: () => "Hands/hour",
  },
  columnShort: {
    name: () => "Table",
    blinds: () => "Stakes",
    players: () => "Players",
    pot: () => "Avg pot",
    speed: () => "Hands/h",
  },
  pages: () => "Pages of tables",
  earlier: () => "Previous",
  later: () => "Next",
  where: (from, to, of) => `${chips(from)} to ${chips(to)} of ${chips(of)}`,
  sums: (tables, players) => `${count(tables, "table")}, ${count(players, "player")}`,
  looking: () => "Looking around the room",
  nothingFits: () => "No table fits. Take a filter away.",
  nothingOpen: () => "No table is open.",
  nothingFree: () => "No table has a free seat at the moment.",
  buyIn: (min, max) => `Buy-in ${chipsShort(min)} to ${chipsShort(max)}`,
  waiting: (players) => `${chips(players)} waiting`,
};
