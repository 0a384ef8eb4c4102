/** Waiting for a seat. */
import { count, nth } from "./words.js";

export const waiting = {
  label: () => "Waiting list",
  join: () => "Join the waiting list",
  stop: () => "Leave the waiting list",
  sit: () => "Sit down",
  pass: () => "Let it pass",
  full: (others) => `${count(others, "player")} on the waiting list`,
  place: (place, of) => (of > 1 ? `You are ${nth(place)} of ${of} in line` : `You are ${nth(place)} in line`),
  called: (seat) => `Seat ${seat} is kept for you`,
  left: (seconds) => `${seconds} s`,
  inLine: (place) => `${nth(place)} in line`,
  turn: {
    in: (seconds) => `Your seat ${seconds} s`,
    at: (name) => `${name}, a seat is kept for you`,
    title: (name) => `Your seat · ${name}`,
    call: (name) => `A seat is free for you at ${name}.`,
  },
};
