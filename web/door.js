/** Who may sit down where: at a table that a player has opened his host decides, and a seat that has come free may be kept for who has waited. */

/** Whether I may take a seat. */
export function maySit({ hosted }, me) {
  if (!hosted) return true;
  const isIn = !["code", "approve"].includes(hosted.access) || hosted.host === me || hosted.let_in.includes(me);
  return isIn && !hosted.closing && !hosted.leaving.includes(me);
}

/** Whether I may take this one: it may be kept for somebody else. */
export function mayTake(view, me, at) {
  const isOthers = ({ seat, user }) => seat === at && user !== me;
  return maySit(view, me) && ![...(view.hosted?.kept ?? []), ...(view.waiting_list?.called ?? [])].some(isOthers);
}

/** My place on the waiting list, from 1, or null. */
export function placeOf({ waiting_list: list }, me) {
  const at = list?.waiting.findIndex(({ user }) => user === me) ?? -1;
  return at < 0 ? null : at + 1;
}

/** The call to a seat that is kept for me, or null. */
export function callTo({ waiting_list: list }, me) {
  return list?.called.find(({ user }) => user === me) ?? null;
}
