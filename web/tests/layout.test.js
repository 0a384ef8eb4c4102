import assert from "node:assert/strict";
import { test } from "node:test";
import { boxAround, inside, overlap } from "../boxes.js";
import { DESIGNS, layOut } from "../layout.js";

/** Felts that the page leaves on phones both ways, a zoomed laptop, a desktop and a large screen. */
const FELTS = { "a small phone": [320, 330], "a phone on its side": [392, 280], "a phone": [390, 600], "a zoomed laptop": [520, 410], "a desktop": [1120, 660], "a large screen": [2240, 1220] };

for (const [name, [width, height]] of Object.entries(FELTS)) {
  for (let seats = 2; seats <= 10; seats += 1) {
    test(`${seats} seats and their bets fit on ${name}`, () => {
      for (const holeCards of [2, 3, 4, 5, 6]) {
        for (const mine of [0, null]) {
          const layout = layOut({ width, height, seats, mine, holeCards });
          const { design, size, places, middle } = layout;
          const at = (place, box) => boxAround(place, { width: box.width * size, above: box.above * size, below: box.below * size });
          const flat = ({ width: wide, height: high }) => ({ width: wide, above: high / 2, below: high / 2 });
          const boxes = DESIGNS[design];
          const things = places.flatMap((place, seat) => [at(place, seat === mine ? boxes.mine : boxes.seat), at(place.bet, flat(boxes.bet))]);
          const { width: wide, height: high, potHeight } = boxes.middle;
          things.push(at({ x: middle.x, y: middle.y + (potHeight * size) / 2 }, flat({ width: wide, height: high - potHeight })));
          things.forEach((one, first) => {
            assert.ok(inside(one, { left: 0, top: 0, right: width, bottom: height }), `${first} of ${JSON.stringify(layout)}`);
            for (const other of things.slice(first + 1)) assert.ok(!overlap(one, other), `${first} of ${JSON.stringify(layout)}`);
          });
        }
      }
    });
  }
}

test("a larger felt is not drawn smaller", () => {
  const felts = [[320, 330], [390, 600], [700, 500], [1120, 660], [1600, 900]];
  const pods = felts.map(([width, height]) => {
    const { design, size } = layOut({ width, height, seats: 9, mine: 0, holeCards: 2 });
    return DESIGNS[design].seat.width * size;
  });
  assert.deepEqual(pods, [...pods].sort((one, other) => one - other));
});

test("my seat is at the bottom in the middle, and the next player sits to my left", () => {
  const { places } = layOut({ width: 1120, height: 660, seats: 6, mine: 4, holeCards: 2 });
  assert.ok(Math.abs(places[4].x - 560) < 1);
  assert.ok(places.every(({ y }) => y <= places[4].y + 0.5));
  assert.ok(places[5].x < places[4].x);
});

test("a felt with no room at all is laid out all the same", () => {
  assert.equal(layOut({ width: 40, height: 20, seats: 10, mine: null, holeCards: 6 }).places.length, 10);
});
