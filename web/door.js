/** Who may sit down at a table that a player has opened; at all others everybody may. */

/** Whether I may take a seat. */
export function maySit({ hosted }, me) {
  if (!hosted) return true;
  const isIn = !["code", "approve"].includes(hosted.access) || hosted.host === me || hosted.let_in.includes(me);
  return isIn && !hosted.closing && !hosted.leaving.includes(me);
}

/** Whether I may take this one: it may be kept for somebody else. */
export function mayTake(view, me, at) {
  return maySit(view, me) && !(view.hosted?.kept ?? []).some(({ seat, user }) => seat === at && user !== me);
}
