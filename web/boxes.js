/** Boxes `{left, top, right, bottom}` and whether they are in each other's way. */

/** The box of something at a point: so wide, so far above it and below. */
export function boxAround({ x, y }, { width, above, below }) {
  return { left: x - width / 2, right: x + width / 2, top: y - above, bottom: y + below };
}

/** Whether two boxes are nearer than `gap`. */
export function overlap(one, other, gap = 0) {
  return one.left < other.right + gap && other.left < one.right + gap && one.top < other.bottom + gap && other.top < one.bottom + gap;
}

/** Whether a box is clear of all the others. */
export function clearOf(box, others, gap = 0) {
  return others.every((other) => !overlap(box, other, gap));
}

/** How far a point is from a box; 0 inside. */
export function distance({ x, y }, box) {
  return Math.hypot(Math.max(0, box.left - x, x - box.right), Math.max(0, box.top - y, y - box.bottom));
}

/** Whether a box lies wholly in another; a hair is forgiven. */
export function inside(box, room) {
  return box.left >= room.left - 0.5 && box.right <= room.right + 0.5 && box.top >= room.top - 0.5 && box.bottom <= room.bottom + 0.5;
}

/** Whether the centre of each end of a box lies in a room whose corners are as round as can be: what lies on the cloth, by the eye. */
export function insideStadium(box, room) {
  if (!inside(box, room)) return false;
  const radius = Math.min(room.right - room.left, room.bottom - room.top) / 2;
  const y = (box.top + box.bottom) / 2;
  return [box.left, box.right].every((x) => {
    const nearX = Math.min(Math.max(x, room.left + radius), room.right - radius);
    const nearY = Math.min(Math.max(y, room.top + radius), room.bottom - radius);
    return Math.hypot(x - nearX, y - nearY) <= radius;
  });
}
