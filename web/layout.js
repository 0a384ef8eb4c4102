/**
 * Where things stand on the felt, in pixels: seats evenly along a rounded path, bets in front of them, the middle kept
 * free for board and pots. Pure, for any number of seats and any shape of window.
 */

/** How square the path is: 2 is an ellipse, more comes nearer to a rectangle. */
const SQUARENESS = { landscape: 2.5, portrait: 5 };
/** Steps in which the path is measured. */
const STEPS = 720;
/** Air between a seat and the chips in front of it. */
const BET_GAP = 8;

/**
 * @param {object} room
 * @param {number} room.seats how many
 * @param {number|null} room.hero my seat, which stands at the bottom and has larger cards; null for a spectator
 * @param {number} room.width of the felt's area
 * @param {number} room.height
 * @param {{width, above, aboveHero, below}} room.seat a seat's box around its place
 * @param {{width, height}} room.bet a bet's box
 * @param {{width, height, y}} room.middle the box of board and pots; `y` is its centre
 * @returns {{x, y, bet: {x, y}}[]} centres, by seat number
 */
export function places({ seats, hero, width, height, seat, bet, middle }) {
  const left = seat.width / 2;
  const a = width / 2 - left;
  const top = seat.above;
  const b = (height - seat.above - seat.below) / 2;
  const centre = { x: width / 2, y: top + b };
  const path = evenly(seats, a, b, height > width ? SQUARENESS.portrait : SQUARENESS.landscape);
  return path.map((_, at) => {
    const step = path[(at - (hero ?? 0) + seats) % seats];
    const place = { x: centre.x + step.x, y: centre.y + step.y };
    return { ...place, bet: betPlace(place, at === hero ? { ...seat, above: seat.aboveHero } : seat, bet, { x: width / 2, ...middle }) };
  });
}

/** Points at equal distances along |x/a|^n + |y/b|^n = 1, from the bottom on clockwise as seen on the screen. */
function evenly(count, a, b, n) {
  const points = Array.from({ length: STEPS + 1 }, (_, step) => {
    const angle = (2 * Math.PI * step) / STEPS;
    return { x: -a * power(Math.sin(angle), 2 / n), y: b * power(Math.cos(angle), 2 / n) };
  });
  const lengths = [0];
  for (let i = 1; i <= STEPS; i += 1) {
    lengths.push(lengths[i - 1] + Math.hypot(points[i].x - points[i - 1].x, points[i].y - points[i - 1].y));
  }
  return Array.from({ length: count }, (_, at) => {
    const along = (lengths[STEPS] * at) / count;
    const next = Math.max(1, lengths.findIndex((length) => length >= along));
    const share = (along - lengths[next - 1]) / (lengths[next] - lengths[next - 1]);
    const [from, to] = [points[next - 1], points[next]];
    return { x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share };
  });
}

function power(base, exponent) {
  return Math.sign(base) * Math.abs(base) ** exponent;
}

/** Straight towards the middle until it is clear of the seat, then up or down until it is clear of the middle's box. */
function betPlace(place, seat, bet, middle) {
  const dx = middle.x - place.x;
  const dy = middle.y - place.y;
  const reach = dy < 0 ? seat.above : seat.below;
  const tx = dx === 0 ? Infinity : (seat.width / 2 + BET_GAP + bet.width / 2) / Math.abs(dx);
  const ty = dy === 0 ? Infinity : (reach + BET_GAP + bet.height / 2) / Math.abs(dy);
  const t = Math.min(tx, ty, 1);
  const at = { x: place.x + dx * t, y: place.y + dy * t };
  const clearX = Math.abs(at.x - middle.x) >= (middle.width + bet.width) / 2;
  const needY = (middle.height + bet.height) / 2;
  if (clearX || Math.abs(at.y - middle.y) >= needY) return at;
  return { x: at.x, y: middle.y + (at.y < middle.y ? -needY : needY) };
}
