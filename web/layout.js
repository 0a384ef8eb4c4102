/**
 * Where things stand on the felt, in pixels, and how large they are. Pure, for any shape of window, 2 to 10 seats and 2 to 6 hole
 * cards: of the two designs of a seat, in all their sizes, the largest that fits is taken, which is the first in which no seat,
 * no bet and nothing of the middle lies on anything else.
 */
import { boxAround, clearOf, distance, inside, insideStadium } from "./boxes.js";
import { around, SHAPES } from "./seat-path.js";

/**
 * Boxes of a design at size 1, as style/seats.css and style/felt.css draw them. `above` and `below` are measured from the centre of a
 * seat's pod: its cards stand above it, its badge hangs below. Mine has larger cards, and they are as many as there are.
 */
export const DESIGNS = {
  large: {
    sizes: range(2.2, 0.9, 0.05),
    seat: { width: 166, above: 86, below: 41 },
    mine: { width: 198, above: 106, below: 41, card: 60, cardsMax: 216 },
    bet: { width: 92, height: 32 },
    middle: { width: 346, height: 162, potWidth: 180, potHeight: 34, below: 30 },
    rail: 20,
  },
  compact: {
    sizes: range(1.4, 0.4, 0.05),
    seat: { width: 94, above: 57, below: 32 },
    mine: { width: 158, above: 79, below: 32, card: 46, cardsMax: 156 },
    bet: { width: 70, height: 24 },
    middle: { width: 213, height: 106, potWidth: 126, potHeight: 22, below: 22 },
    rail: 14,
  },
};

/** The letters of a result, and how small and large they may be: it has room for two lines below the board at least. */
const RESULT_FONT = { large: 14, compact: 12, min: 11, max: 17 };
/** Narrower bands than the middle's, which may go deeper between the seats. */
const BANDS = [0.8, 0.6];
/** Air between things, at size 1. */
const GAP = 3;
/** Bets are looked for straight ahead first, then to the sides, ever farther from their seat. */
const BET_TURNS = [0, 0.3, -0.3, 0.6, -0.6, 0.9, -0.9, 1.25, -1.25];
const BET_STEP = 9;
const BET_STEPS_MAX = 14;
const BET_TURN_COST = 26;
const BET_STRAY_COST = 3;

/**
 * @param {object} room
 * @param {number} room.width of the felt's area
 * @param {number} room.height
 * @param {number} room.seats how many
 * @param {number|null} room.mine my seat, which stands at the bottom and has larger cards; null for a spectator
 * @param {number} room.holeCards of each player
 * @returns {{design: "large"|"compact", size: number, places: {x, y, bet: {x, y}}[], middle: {x, y}, free: {top, bottom, width, bands: {bottom, width}[]}, rail: {left, top, right, bottom}}}
 *   centres, by seat number; `free` is the band around the middle that no seat reaches into,
 *   and how deep narrower ones are: `bands`
 */
export function layOut(room) {
  let last = null;
  for (const [name, design] of Object.entries(DESIGNS)) {
    for (const size of design.sizes) {
      for (const shape of SHAPES) {
        const found = attempt(scaled(name, size, room), room, shape);
        if (found?.fits) return { design: name, size, ...found.layout };
        last = found ? { design: name, size, ...found.layout } : last;
      }
    }
  }
  return last ?? layOut({ ...room, width: Math.max(room.width, 320), height: Math.max(room.height, 260) });
}

/** Lines of the result. */
export function resultRoom(design, size, lines = 2) {
  const { min, max } = RESULT_FONT;
  return lines * 1.3 * Math.min(max, Math.max(min, RESULT_FONT[design] * size)) + 6;
}

/** The design's boxes at this size, for so many hole cards. */
function scaled(name, size, { holeCards }) {
  const design = DESIGNS[name];
  const times = (box) => Object.fromEntries(Object.entries(box).map(([key, value]) => [key, value * size]));
  const hand = Math.min(design.mine.cardsMax, design.mine.card * Math.max(2, holeCards));
  return {
    seat: times(design.seat),
    mine: times({ ...design.mine, width: Math.max(design.mine.width, hand + 4) }),
    bet: times(design.bet),
    middle: { ...times(design.middle), result: resultRoom(name, size) },
    rail: design.rail * size,
    gap: GAP * size,
  };
}

function attempt(boxes, room, shape) {
  const { width, height, seats, mine } = room;
  const { seat, gap } = boxes;
  const centre = { x: width / 2, y: (height + seat.above - seat.below) / 2 };
  const reach = { x: width / 2 - seat.width / 2, y: (height - seat.above - seat.below) / 2 };
  if (reach.x <= 0 || reach.y <= 0) return null;
  const path = around(seats, reach, { width: seat.width + gap, height: seat.above + seat.below + gap }, shape);
  const steps = path.map((_, at) => path[(at - (mine ?? 0) + seats) % seats]);
  const spots = steps.map((step) => ({ x: centre.x + step.x, y: centre.y + step.y }));
  const taken = spots.map((spot, at) => boxAround(spot, at === mine ? boxes.mine : seat));
  const felt = { left: 0, top: 0, right: width, bottom: height };
  const rail = {
    left: centre.x - reach.x - boxes.rail,
    right: centre.x + reach.x + boxes.rail,
    top: centre.y - reach.y - boxes.rail,
    bottom: centre.y + reach.y + boxes.rail,
  };
  const apart = taken.every((box, at) => inside(box, felt) && clearOf(box, taken.slice(at + 1), gap));
  const middle = apart ? middleIn(taken, centre, boxes, rail) : null;
  if (!middle) return { fits: false, layout: { places: spots.map((spot) => ({ ...spot, bet: spot })), middle: centre, free: withBands(taken, centre, rail, boxes.middle.width / 2), rail } };
  const bets = placeBets(spots, taken, middle.boxes, boxes, rail, centre);
  const places = spots.map((spot, at) => ({ ...spot, bet: bets?.[at] ?? spot }));
  return { fits: bets !== null, layout: { places, middle: middle.centre, free: withBands(taken, middle.centre, rail, boxes.middle.width / 2), rail } };
}

/** The pot with the board below it, half-way between what stands above and below them; null when there is no room. */
function middleIn(taken, centre, { middle, gap }, rail) {
  const { top, bottom } = free(taken, centre, rail, middle.width / 2);
  const more = Math.max(0, middle.result - middle.below);
  if (bottom - top < middle.height + more + 2 * gap) return null;
  const y = (top + bottom - more) / 2;
  const box = boxAround({ x: centre.x, y }, { width: middle.width, above: middle.height / 2, below: middle.height / 2 + more });
  if (!clearOf(box, taken, gap) || !inside(box, rail)) return null;
  const board = { ...box, top: box.top + middle.potHeight, bottom: box.bottom - more }; // Bets are gone when there is a result.
  const pot = { ...boxAround({ x: centre.x, y: box.top }, { width: middle.potWidth, above: 0, below: middle.potHeight }) };
  return { centre: { x: centre.x, y }, boxes: [pot, board] };
}

/** How far up and down a band of this half width around the middle is clear of seats, and how wide it may be as it is. */
function free(taken, centre, rail, half = 0) {
  let { top, bottom } = rail;
  for (const box of taken) {
    if (box.right <= centre.x - half || box.left >= centre.x + half) continue;
    if ((box.top + box.bottom) / 2 < centre.y) top = Math.max(top, box.bottom);
    else bottom = Math.min(bottom, box.top);
  }
  let widest = centre.x - rail.left;
  for (const box of taken) {
    if (box.bottom <= top || box.top >= bottom) continue;
    widest = Math.min(widest, box.left > centre.x ? box.left - centre.x : centre.x - box.right);
  }
  return { top, bottom, width: 2 * widest };
}

function withBands(taken, centre, rail, half) {
  const widest = free(taken, centre, rail, half);
  const narrower = BANDS.map((share) => ({ bottom: free(taken, centre, rail, half * share).bottom, width: 2 * half * share }));
  return { ...widest, bands: [{ bottom: widest.bottom, width: widest.width }, ...narrower] };
}

/** A place for each bet, near its seat and on the cloth; null when one finds none. */
function placeBets(spots, taken, middle, { bet, gap }, rail, centre) {
  const box = { width: bet.width, above: bet.height / 2, below: bet.height / 2 };
  const lying = [];
  const bets = [];
  for (const [at, spot] of spots.entries()) {
    const ahead = Math.atan2(centre.y - spot.y, centre.x - spot.x);
    const fits = (place) => {
      const here = boxAround(place, box);
      return insideStadium(here, rail) && clearOf(here, middle, gap) && clearOf(here, taken, gap) && clearOf(here, lying, gap);
    };
    const costs = (place) => place.cost + BET_STRAY_COST * strays(place, at, taken);
    const found = candidates(spot, taken[at], ahead, box, gap).filter(fits).reduce((best, place) => {
      const cost = costs(place);
      return best === null || cost < best.cost ? { ...place, cost } : best;
    }, null);
    if (!found) return null;
    bets[at] = found;
    lying.push(boxAround(found, box));
  }
  return bets;
}

/** Points around a seat where its bet could lie; near and straight towards the middle costs least. */
function candidates(spot, seat, ahead, bet, gap) {
  const points = [];
  for (const turn of BET_TURNS) {
    const dx = Math.cos(ahead + turn);
    const dy = Math.sin(ahead + turn);
    const first = clearance(spot, seat, dx, dy, bet, gap);
    for (let step = 0; step < BET_STEPS_MAX; step += 1) {
      const far = first + step * BET_STEP;
      points.push({ x: spot.x + dx * far, y: spot.y + dy * far, cost: far + BET_TURN_COST * Math.abs(turn) });
    }
  }
  return points;
}

/** How much nearer a bet is to another's seat than to its own: whose it is should be seen. */
function strays(place, at, taken) {
  const closest = Math.min(...taken.map((box, other) => (other === at ? Infinity : distance(place, box))));
  return Math.max(0, distance(place, taken[at]) - closest);
}

/** How far one must go in a direction until a bet is clear of its own seat. */
function clearance(spot, seat, dx, dy, bet, gap) {
  const x = dx > 0 ? seat.right - spot.x : spot.x - seat.left;
  const y = dy > 0 ? seat.bottom - spot.y : spot.y - seat.top;
  const farX = dx === 0 ? Infinity : (x + bet.width / 2 + gap) / Math.abs(dx);
  const farY = dy === 0 ? Infinity : (y + (dy > 0 ? bet.above : bet.below) + gap) / Math.abs(dy);
  return Math.min(farX, farY) + 0.5;
}

function range(from, to, step) {
  return Array.from({ length: Math.round((from - to) / step) + 1 }, (_, at) => Number((from - at * step).toFixed(3)));
}
