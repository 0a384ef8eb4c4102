import assert from "node:assert/strict";
import { test } from "node:test";
import { places } from "../layout.js";

const ROOMS = {
  desktop: { width: 1120, height: 660, seat: { width: 168, above: 86, aboveHero: 104, below: 42 }, bet: { width: 84, height: 34 }, middle: { width: 430, height: 190, y: 352 } },
  phone: { width: 390, height: 580, seat: { width: 92, above: 58, aboveHero: 78, below: 32 }, bet: { width: 58, height: 26 }, middle: { width: 218, height: 128, y: 303 } },
};
const POD_HEIGHT = { desktop: 54, phone: 40 };

for (const [name, room] of Object.entries(ROOMS)) {
  for (let seats = 2; seats <= 10; seats += 1) {
    const all = places({ ...room, seats, hero: seats - 1 });

    test(`${seats} seats on a ${name} lie within the felt and not on one another`, () => {
      for (const [at, { x, y }] of all.entries()) {
        assert.ok(x - room.seat.width / 2 >= -0.5 && x + room.seat.width / 2 <= room.width + 0.5, `seat ${at}: x ${x}`);
        assert.ok(y - room.seat.above >= -0.5 && y + room.seat.below <= room.height + 0.5, `seat ${at}: y ${y}`);
        for (const other of all.slice(at + 1)) {
          const apart = Math.abs(x - other.x) >= room.seat.width - 8 || Math.abs(y - other.y) >= POD_HEIGHT[name] + 24;
          assert.ok(apart, `seat ${at} and ${JSON.stringify(other)}`);
        }
      }
    });

    test(`bets of ${seats} seats on a ${name} lie on the felt, clear of the board`, () => {
      const { middle, bet } = room;
      for (const { bet: at } of all) {
        const beside = Math.abs(at.x - room.width / 2) >= (middle.width + bet.width) / 2 - 0.5;
        const above = Math.abs(at.y - middle.y) >= (middle.height + bet.height) / 2 - 0.5;
        assert.ok(beside || above, JSON.stringify(at));
        assert.ok(at.x > 0 && at.x < room.width && at.y > 0 && at.y < room.height);
      }
    });
  }
}

test("my seat is at the bottom in the middle, and the next player sits to my left", () => {
  const all = places({ ...ROOMS.desktop, seats: 6, hero: 4 });
  assert.ok(Math.abs(all[4].x - 560) < 1);
  assert.ok(all.every(({ y }) => y <= all[4].y + 0.5));
  assert.ok(all[5].x < all[4].x);
});
